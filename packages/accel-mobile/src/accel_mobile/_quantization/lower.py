"""Rewrite the chosen nodes of a float graph as int8 operations."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from accel_mobile._errors import QuantizationError
from accel_mobile._ir import Graph, Node
from accel_mobile._passes.fuse import fuse_activation
from accel_mobile._quantization.observers import QMAX, Affine
from accel_mobile._runtime.reference import ACTIVATIONS

__all__ = ["activation_table", "fuse_tables", "lower_to_int8", "quantise_weight"]


def lower_to_int8(
    graph: Graph, chosen: set[str], ranges: dict[str, Affine], int8_weights: set[str] | None = None
) -> Graph:
    """Return the int8 form of `graph`.

    Args:
        graph: Optimised float graph whose only joined activation is ReLU.
        chosen: Names of the nodes to rewrite.
        ranges: Scale and zero point of every value, from `calibrate`.
        int8_weights: Names of float layers whose weights are stored as int8.

    Returns:
        A graph in which quantize and dequantize nodes stand where the two worlds meet.
    """
    graph = graph.copy()
    graph.nodes = [_with_int8_weight(graph, node) if node.name in (int8_weights or ()) else node for node in graph]
    lowering = _Lowering(graph, chosen, ranges)
    return fuse_activation(fuse_tables(lowering.run())).check()  # what stayed float gets its activations back


def quantise_weight(weight: Tensor, bias: Tensor | None, x_scale: float) -> tuple[Tensor, Tensor, Tensor]:
    """Quantise a filter per output channel.

    Args:
        weight: Float filter `(C_out, ...)`.
        bias: Float bias `(C_out,)` or None.
        x_scale: Scale of the input activation.

    Returns:
        int8 weight in -127..127, float64 scale per output channel, int32 bias in units of `x_scale * scale`.
    """
    largest = weight.double().abs().flatten(1).amax(1)
    scale = (largest / 127.0).clamp_min(1e-12)
    if bias is None:
        bias = torch.zeros(len(weight))
    # A channel with tiny weights and a large bias must not overflow the int32 bias.
    scale = torch.maximum(scale, bias.double().abs() / (x_scale * 2.0**24))
    shape = (-1, *[1] * (weight.dim() - 1))
    q = torch.clamp(torch.round(weight.double() / scale.reshape(shape)), -127, 127).to(torch.int8)
    return q, scale, torch.round(bias.double() / (x_scale * scale)).to(torch.int32)


def _with_int8_weight(graph: Graph, node: Node) -> Node:
    weight = graph.constant(node, "weight")
    assert weight is not None
    q, scale, _ = quantise_weight(weight, None, 1.0)
    constants = {
        **node.constants,
        "weight": graph.add_constant(f"{node.name}.int8.weight", q),
        "weight_scale": graph.add_constant(f"{node.name}.int8.scale", scale.float()),
    }
    return replace(node, constants=constants)


def activation_table(kind: str, source: Affine, target: Affine) -> Tensor:
    """Return the 256 results, uint8, of an activation on values quantised as `source`."""
    real = (torch.arange(256, dtype=torch.float64) - source.zero_point) * source.scale
    result = ACTIVATIONS[kind](real) / target.scale
    return torch.clamp(torch.round(result) + target.zero_point, 0, QMAX).to(torch.uint8)


class _Lowering:
    def __init__(self, graph: Graph, chosen: set[str], ranges: dict[str, Affine]) -> None:
        self.graph, self.chosen, self.ranges = graph, chosen, ranges
        self.nodes: list[Node] = []
        self.int8_of: dict[str, str] = {}  # value -> name of its uint8 form
        self.float_of: dict[str, str] = {}  # value -> name of its float form
        self.readers: dict[str, list[Node]] = {}
        for node in graph:
            for name in node.inputs:
                self.readers.setdefault(name, []).append(node)

    def run(self) -> Graph:
        for name in self.graph.inputs:
            self.float_of[name] = name
        for node in self.graph:
            emit = _LOWERED.get(node.op) if node.name in self.chosen else None
            if emit is not None:
                emit(self, node)
            else:
                self.nodes.append(self._reading_float(node))
                self.float_of[node.name] = node.name
        outputs = [self._float(name) for name in self.graph.outputs]
        self.graph.nodes, self.graph.outputs = self.nodes, outputs
        return self.graph

    def _reading_float(self, node: Node) -> Node:
        return node.renamed_inputs({name: self._float(name) for name in node.inputs})

    def _affine(self, name: str) -> Affine:
        if name not in self.ranges:
            raise QuantizationError(f"calibration did not see {name}")
        return self.ranges[name]

    def _float(self, name: str) -> str:
        """Return the name of the float form of a value, dequantising it on first use."""
        if name not in self.float_of:
            affine = self._affine(name)
            attrs = {"scale": affine.scale, "zero_point": affine.zero_point}
            self.float_of[name] = f"{name}.float"
            shape = self.graph.shape_of(name)
            self.nodes.append(Node(f"{name}.float", "dequantize", (self.int8_of[name],), attrs, {}, shape, (name,)))
        return self.float_of[name]

    def _int8(self, name: str) -> str:
        """Return the name of the uint8 form of a value, quantising it on first use."""
        if name not in self.int8_of:
            affine = self._affine(name)
            inverse = float(torch.tensor(1.0 / affine.scale, dtype=torch.float32))
            attrs = {"inverse_scale": inverse, "zero_point": affine.zero_point}
            self.int8_of[name] = f"{name}.int8"
            shape = self.graph.shape_of(name)
            self.nodes.append(Node(f"{name}.int8", "quantize", (self.float_of[name],), attrs, {}, shape, (name,)))
        return self.int8_of[name]

    def _emit(self, node: Node, op: str, inputs: tuple[str, ...], attrs: dict, constants: dict | None = None) -> None:
        self.nodes.append(replace(node, op=op, inputs=inputs, attrs=attrs, constants=constants or {}))
        self.int8_of[node.name] = node.name

    def _conv(self, node: Node) -> None:
        x, y = self._affine(node.inputs[0]), self._affine(node.name)
        weight = self.graph.constant(node, "weight")
        assert weight is not None
        q, scale, bias = quantise_weight(weight, self.graph.constant(node, "bias"), x.scale)
        attrs = {key: node.attrs[key] for key in ("stride", "padding", "dilation", "groups")}
        attrs |= {"x_zero_point": x.zero_point, "relu": node.attrs.get("activation") == "relu"}
        inputs = (self._int8(node.inputs[0]),)
        to_float = len(node.inputs) == 1 and self._only_float_readers(node)
        if to_float:
            attrs["output"] = "float32"
            multiplier = x.scale * scale
        else:
            attrs |= {"output": "uint8", "y_zero_point": y.zero_point}
            multiplier = x.scale * scale / y.scale
        if len(node.inputs) == 2:
            residual = self._affine(node.inputs[1])
            attrs["residual_zero_point"] = residual.zero_point
            attrs["residual_multiplier"] = residual.scale / y.scale
            inputs = (*inputs, self._int8(node.inputs[1]))
        constants = {
            "weight": self.graph.add_constant(f"{node.name}.int8.weight", q),
            "bias": self.graph.add_constant(f"{node.name}.int8.bias", bias),
            "multiplier": self.graph.add_constant(f"{node.name}.int8.multiplier", multiplier.float()),
        }
        self._emit(node, "qconv", inputs, attrs, constants)
        if to_float:
            del self.int8_of[node.name]
            self.float_of[node.name] = node.name

    def _only_float_readers(self, node: Node) -> bool:
        readers = self.readers.get(node.name, [])
        return not any(reader.name in self.chosen for reader in readers)

    def _activation(self, node: Node) -> None:
        source, target = self._affine(node.inputs[0]), self._affine(node.name)
        table = self.graph.add_constant(f"{node.name}.table", activation_table(node.attrs["kind"], source, target))
        self._emit(node, "lookup", (self._int8(node.inputs[0]),), {}, {"table": table})

    def _add(self, node: Node) -> None:
        terms, y = [self._affine(name) for name in node.inputs], self._affine(node.name)
        attrs = {
            "zero_points": tuple(term.zero_point for term in terms),
            "multipliers": tuple(term.scale / y.scale for term in terms),
            "y_zero_point": y.zero_point,
            "relu": node.attrs.get("activation") == "relu",
        }
        self._emit(node, "qadd", tuple(self._int8(name) for name in node.inputs), attrs)

    def _channel_scale(self, node: Node) -> None:
        x, y = self._affine(node.inputs[0]), self._affine(node.name)
        attrs = {
            "x_zero_point": x.zero_point,
            "multiplier": x.scale / y.scale,
            "y_zero_point": y.zero_point,
        }
        self._emit(node, "qchannel_scale", (self._int8(node.inputs[0]), self._float(node.inputs[1])), attrs)

    def _global_avg_pool(self, node: Node) -> None:
        x = self._affine(node.inputs[0])
        attrs = {"zero_point": x.zero_point, "scale": x.scale, "keepdim": node.attrs["keepdim"]}
        self.nodes.append(replace(node, op="qglobal_avg_pool", inputs=(self._int8(node.inputs[0]),), attrs=attrs))
        self.float_of[node.name] = node.name


# At another input size a chosen node may be something else (a pool that is no longer global): that stays float.
_LOWERED = {
    "conv": _Lowering._conv,
    "activation": _Lowering._activation,
    "add": _Lowering._add,
    "channel_scale": _Lowering._channel_scale,
    "global_avg_pool": _Lowering._global_avg_pool,
}


def fuse_tables(graph: Graph) -> Graph:
    """Look up an activation where its argument is made, if nothing else reads that argument."""
    uses = graph.use_counts()
    nodes: dict[str, Node] = {}
    for node in graph:
        before = nodes.get(node.inputs[0]) if node.op == "lookup" else None
        if (
            before is not None
            and before.op in ("qconv", "qadd", "qchannel_scale")
            and before.attrs.get("output") != "float32"
            and "table" not in before.constants
            and uses[before.name] == 1
        ):
            del nodes[before.name]
            constants = {**before.constants, "table": node.constants["table"]}
            origin = before.origin + node.origin
            nodes[node.name] = replace(before, name=node.name, constants=constants, shape=node.shape, origin=origin)
        else:
            nodes[node.name] = node
    used = {key for node in nodes.values() for key in node.constants.values()}
    graph = graph.with_nodes(nodes.values())
    graph.constants = {key: value for key, value in graph.constants.items() if key in used}
    return graph
