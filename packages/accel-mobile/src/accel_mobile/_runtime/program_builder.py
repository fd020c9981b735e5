"""Turns a run of nodes into one native program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from accel_mobile import _native
from accel_mobile._ir import Graph, Node
from accel_mobile._runtime.support import ACTIVATION_NUMBERS, native_sizes, three

__all__ = ["ProgramBuilder"]


class ProgramBuilder:
    """Builds and holds the program of one native segment.

    Attributes:
        program: The native program, ready to run.
        operation_names: Result name of each native operation, in execution order.
    """

    def __init__(
        self,
        graph: Graph,
        nodes: Sequence[Node],
        reads: Sequence[str],
        writes: Sequence[str],
        uint8: set[str],
        packed: dict[Any, Any],
    ) -> None:
        assert _native.extension is not None
        self._extension = _native.extension
        self._graph, self._nodes, self._uint8, self._packed = graph, nodes, uint8, packed
        self.program = self._extension.Program()
        self.operation_names: list[str] = []
        self._values: dict[str, int] = {}
        self._notes: dict[str, str] = {}
        self._gates = self._find_gates(writes)
        self._planes = {name: index for index, name in enumerate(reads) if self._feeds_stems_only(name)}
        self._expansions = self._find_expansions(writes)
        self._quantized = self._find_quantized(writes)
        for index, name in enumerate(reads):
            self._declare(name)
            if name not in self._planes:
                self.program.input(index, self._values[name])
                self.operation_names.append(name)
        for node in nodes:
            self._add(node)
        for index, name in enumerate(writes):
            self.program.output(self._values[name], index)
            self.operation_names.append(name)
        self.program.finish()

    def note(self, node: Node) -> str:
        """Say which kernel runs a node."""
        return self._notes.get(node.name, "")

    # ---- values

    def _declare(self, name: str) -> int:
        sizes = native_sizes(self._graph.shape_of(name))
        stride = (sizes[4] + 15) // 16 * 16
        self._values[name] = self.program.value(name not in self._uint8, sizes, stride)
        return self._values[name]

    def _feeds_stems_only(self, name: str) -> bool:
        """Whether an input of up to 4 channels is read by dense convolutions alone: they read the caller's planes."""
        if name in self._uint8 or native_sizes(self._graph.shape_of(name))[4] > 4:
            return False
        readers = [node for node in self._nodes if name in node.inputs]
        return all(
            n.op == "conv" and n.attrs["groups"] == 1 and n.inputs == (name,) and "weight_scale" not in n.constants
            for n in readers
        )

    def _find_gates(self, writes: Sequence[str]) -> dict[str, Node]:
        """Find channel scales that a pointwise convolution can apply while it reads: result name to node."""
        uses = self._graph.use_counts()
        readers = {name: node for node in self._nodes for name in node.inputs}
        gates = {}
        for node in self._nodes:
            if node.op not in ("channel_scale", "qchannel_scale") or uses[node.name] != 1 or node.name in writes:
                continue
            reader = readers.get(node.name)
            if reader is not None and reader.inputs[0] == node.name and self._is_pointwise(reader, node.op):
                gates[node.name] = node
        return gates

    def _is_pointwise(self, node: Node, scale_op: str) -> bool:
        if node.op != ("conv" if scale_op == "channel_scale" else "qconv") or node.attrs["groups"] != 1:
            return False
        weight = self._graph.constant(node, "weight")
        assert weight is not None
        return (
            weight[0, 0].numel() == 1
            and all(size == 1 for size in node.attrs["stride"])
            and not any(node.attrs["padding"])
            and (len(node.inputs) == 1 or node.inputs[1] != node.name)
        )

    def _find_expansions(self, writes: Sequence[str]) -> dict[str, Node]:
        """Find convolutions that a depthwise one can compute line by line while it reads: name to node.

        Pointwise ones, and those that read the caller's planes.
        """
        uses = self._graph.use_counts()
        readers = {name: node for node in self._nodes for name in node.inputs}
        expansions = {}
        for node in self._nodes:
            reader = readers.get(node.name)
            if (
                reader is not None
                and node.op in ("conv", "qconv")
                and reader.op == node.op
                and reader.attrs["groups"] > 1
                and uses[node.name] == 1
                and node.name not in writes
                and (
                    self._is_pointwise(node, "channel_scale" if node.op == "conv" else "qchannel_scale")
                    or node.inputs[0] in self._planes
                )
                and len(node.inputs) == 1
                and node.inputs[0] not in self._gates
                and "weight_scale" not in node.constants
                and (node.name in self._uint8) == (node.op == "qconv")
            ):
                expansions[node.name] = node
        return expansions

    def _find_quantized(self, writes: Sequence[str]) -> dict[str, Node]:
        """Find expanded float convolutions whose result only a quantize node reads: name to that node."""
        uses = self._graph.use_counts()
        known = {node.name: node for node in self._nodes}
        quantized = {}
        for node in self._nodes:
            before = known.get(node.inputs[0])
            if (
                node.op == "quantize"
                and before is not None
                and before.op == "conv"
                and before.inputs[0] in self._expansions
                and uses[before.name] == 1
                and before.name not in writes
            ):
                quantized[before.name] = node
        return quantized

    # ---- operations

    def _add(self, node: Node) -> None:
        if node.name in self._gates:
            self._notes[node.name] = "applied while the next convolution reads"
            return
        if node.name in self._expansions:
            self._notes[node.name] = "computed line by line inside the next convolution"
            return
        if node.name in self._values:
            self._notes[node.name] = "applied while the convolution before it writes"
            return
        if node.op == "reshape":
            self._values[node.name] = self._values[node.inputs[0]]
            self._notes[node.name] = "no work"
            return
        _EMIT[node.op](self, node)
        index = self.program.operations - 1
        self._notes[node.name] = self.program.kernel(index)
        self.operation_names.append(node.name)

    def _ids(self, node: Node) -> list[int]:
        return [self._values[name] for name in node.inputs]

    def _constant(self, node: Node, role: str) -> Any:
        value = self._graph.constant(node, role)
        return None if value is None else value.contiguous().numpy()

    def _convolution(self, node: Node) -> None:
        weight = self._graph.constant(node, "weight")
        assert weight is not None
        rank = weight.dim() - 2
        source, gate = node.inputs[0], self._gates.get(node.inputs[0])
        if source in self._expansions:
            self._expanded_depthwise(node, self._expansions[source])
            return
        if source in self._planes:
            packed, y = self._pack(node, weight, source), self._declare(node.name)
            self.program.stem(self._stem_input(node), self._values[source], y, packed, _kind(node))
            return
        if gate is not None:
            source = gate.inputs[0]
        packed = self._pack(node, weight, source)
        a = node.attrs
        ones = (1,) * rank
        options: dict[str, Any] = self._int8_options(node) if node.op == "qconv" else {}
        options["activation"] = ACTIVATION_NUMBERS[a.get("activation")]
        if gate is not None:
            options |= self._gate_options(gate)
        if len(node.inputs) > 1:
            options["residual"] = self._values[node.inputs[1]]
        x, y = self._values[source], self._declare(node.name)
        self.program.convolution(
            x,
            y,
            packed,
            three(a.get("stride", ones), 1),
            three(a.get("padding", (0,) * rank), 0),
            three(a.get("dilation", ones), 1),
            **options,
        )

    def _stem_input(self, node: Node) -> Any:
        a = node.attrs
        return self._extension.StemInput(
            self._planes[node.inputs[0]], three(a["stride"], 1), three(a["padding"], 0), three(a["dilation"], 1)
        )

    def _expanded_depthwise(self, node: Node, expand: Node) -> None:
        a, source = node.attrs, expand.inputs[0]
        expand_weight, weight = self._graph.constant(expand, "weight"), self._graph.constant(node, "weight")
        assert expand_weight is not None
        assert weight is not None
        result = node.name
        options: dict[str, Any]
        if node.op == "qconv":
            options = self._int8_options(node)
            options |= {"expand_relu": expand.attrs["relu"], "expand_zero_point": expand.attrs["y_zero_point"]}
            options["expand_table"] = self._constant(expand, "table")
        else:
            options = {"activation": _kind(node), "expand_activation": _kind(expand)}
            if source in self._planes:
                options["stem"] = self._stem_input(expand)
            if node.name in self._quantized:
                quantize = self._quantized[node.name]
                result = quantize.name
                options["inverse_scale"] = quantize.attrs["inverse_scale"]
                options["y_zero_point"] = quantize.attrs["zero_point"]
        self.program.expanded_depthwise(
            self._values[source],
            self._declare(result),
            self._pack(expand, expand_weight, source),
            self._pack(node, weight, expand.name),
            three(a["stride"], 1),
            three(a["padding"], 0),
            three(a["dilation"], 1),
            **options,
        )

    def _int8_options(self, node: Node) -> dict[str, Any]:
        a = node.attrs
        options: dict[str, Any] = {"relu": a["relu"], "table": self._constant(node, "table")}
        for key in ("y_zero_point", "residual_zero_point", "residual_multiplier"):
            if key in a:
                options[key] = a[key]
        return options

    def _gate_options(self, gate: Node) -> dict[str, Any]:
        options: dict[str, Any] = {"gate": self._values[gate.inputs[1]]}
        if gate.op == "channel_scale":
            options["gate_activation"] = ACTIVATION_NUMBERS[gate.attrs.get("activation")]
            return options
        a = gate.attrs
        options |= {"gate_multiplier": a["multiplier"], "gate_x_zero_point": a["x_zero_point"]}
        options |= {"gate_zero_point": a["y_zero_point"], "gate_table": self._constant(gate, "table")}
        return options

    def _pack(self, node: Node, weight: Tensor, source: str) -> Any:
        depthwise = node.attrs.get("groups", 1) != 1
        stem = source in self._planes
        key = (node.constants["weight"], depthwise, stem)
        if key not in self._packed:
            full = weight.reshape(*weight.shape[:2], *three(tuple(weight.shape[2:]), 1)).contiguous().numpy()
            bias = self._constant(node, "bias")
            if "weight_scale" in node.constants:
                scale = self._constant(node, "weight_scale")
                self._packed[key] = self._extension.pack_w8(full.reshape(full.shape[:2]), scale, bias)
            elif node.op == "qconv":
                multiplier, zero_point = self._constant(node, "multiplier"), node.attrs["x_zero_point"]
                self._packed[key] = self._extension.pack_u8(full, bias, multiplier, depthwise, zero_point)
            else:
                self._packed[key] = self._extension.pack_f32(full, bias, depthwise, stem)
        return self._packed[key]

    def _pool(self, node: Node) -> None:
        a = node.attrs
        self.program.pool(
            self._ids(node)[0],
            self._declare(node.name),
            node.op == "max_pool",
            three(a["kernel"], 1),
            three(a["stride"], 1),
            three(a["padding"], 0),
            a.get("count_include_pad", True),
        )

    def _qadd(self, node: Node) -> None:
        a, (first, second) = node.attrs, self._ids(node)
        self.program.add_int8(
            first,
            second,
            self._declare(node.name),
            a["zero_points"],
            a["multipliers"],
            a["y_zero_point"],
            a["relu"],
            table=self._constant(node, "table"),
        )

    def _qchannel_scale(self, node: Node) -> None:
        a, (x, gate) = node.attrs, self._ids(node)
        self.program.channel_scale_int8(
            x,
            gate,
            self._declare(node.name),
            a["multiplier"],
            a["x_zero_point"],
            a["y_zero_point"],
            table=self._constant(node, "table"),
        )

    def _qglobal_avg_pool(self, node: Node) -> None:
        sizes = native_sizes(self._graph.shape_of(node.inputs[0]))
        scale = node.attrs["scale"] / (sizes[1] * sizes[2] * sizes[3])
        self.program.global_average(
            self._ids(node)[0], self._declare(node.name), node.attrs["zero_point"], _float32(scale)
        )


def _float32(value: float) -> float:
    return float(torch.tensor(value, dtype=torch.float32))


def _kind(node: Node, key: str = "activation") -> int:
    return ACTIVATION_NUMBERS[node.attrs.get(key)]


Emit = Callable[[ProgramBuilder, Node], None]


def _emit_affine(b: ProgramBuilder, node: Node) -> None:
    scale, shift = b._constant(node, "scale"), b._constant(node, "shift")
    b.program.affine(b._ids(node)[0], b._declare(node.name), scale, shift, _kind(node))


_EMIT: dict[str, Emit] = {
    "conv": ProgramBuilder._convolution,
    "qconv": ProgramBuilder._convolution,
    "linear": ProgramBuilder._convolution,
    "activation": lambda b, n: b.program.activation(b._ids(n)[0], b._declare(n.name), _kind(n, "kind")),
    "add": lambda b, n: b.program.add(*b._ids(n), b._declare(n.name), _kind(n)),
    "mul": lambda b, n: b.program.multiply(*b._ids(n), b._declare(n.name)),
    "affine": _emit_affine,
    "channel_scale": lambda b, n: b.program.channel_scale(*b._ids(n), b._declare(n.name), _kind(n)),
    "global_avg_pool": lambda b, n: b.program.global_average(b._ids(n)[0], b._declare(n.name), 0, 1.0),
    "avg_pool": ProgramBuilder._pool,
    "max_pool": ProgramBuilder._pool,
    "softmax": lambda b, n: b.program.softmax(b._ids(n)[0], b._declare(n.name)),
    "quantize": lambda b, n: b.program.quantize(
        b._ids(n)[0], b._declare(n.name), n.attrs["inverse_scale"], n.attrs["zero_point"]
    ),
    "dequantize": lambda b, n: b.program.dequantize(
        b._ids(n)[0], b._declare(n.name), n.attrs["scale"], n.attrs["zero_point"]
    ),
    "lookup": lambda b, n: b.program.lookup(b._ids(n)[0], b._declare(n.name), b._constant(n, "table")),
    "qadd": ProgramBuilder._qadd,
    "qchannel_scale": ProgramBuilder._qchannel_scale,
    "qglobal_avg_pool": ProgramBuilder._qglobal_avg_pool,
}
