"""Which nodes of a float graph become int8."""

from __future__ import annotations

from accel_mobile._ir import Graph, Node
from accel_mobile._quantization.config import QuantizationConfig

__all__ = ["float_reasons", "select_int8", "select_int8_weights"]

_FOLLOWS_INPUT = frozenset({"activation", "add", "channel_scale", "global_avg_pool"})


def select_int8(graph: Graph, config: QuantizationConfig) -> set[str]:
    """Return the names of the nodes to compute in int8: convolutions, and what joins them."""
    reasons = float_reasons(graph, config)
    chosen: set[str] = set()
    for node in graph:
        if node.op == "conv":
            if node.name not in reasons:
                chosen.add(node.name)
        elif node.op in _FOLLOWS_INPUT and node.name not in reasons:
            needed = node.inputs if node.op == "add" else node.inputs[:1]
            if all(name in chosen for name in needed):
                chosen.add(node.name)
    return chosen


def float_reasons(graph: Graph, config: QuantizationConfig) -> dict[str, str]:
    """Return, for convolutions and linear layers that stay in float32, why."""
    reasons: dict[str, str] = {}
    stem: set[str] = set(graph.inputs) if config.float_stem else set()
    for node in graph:
        named = set(node.origin) | {node.name}
        if named & set(config.float_layers):
            reasons[node.name] = "named in float_layers"
        elif node.op == "conv" and node.inputs[0] in stem and _is_stem(node, graph):
            reasons[node.name] = "part of the stem (float_stem)"
            stem.add(node.name)
        elif node.op == "conv" and node.attrs.get("activation") not in (None, "relu"):
            reasons[node.name] = f"activation {node.attrs['activation']} is not separable"
        elif node.op == "conv" and _positions(node) <= 1:
            reasons[node.name] = "one position only: little arithmetic, much precision"
        elif node.op == "conv" and not 4 <= len(node.shape) <= 5:
            reasons[node.name] = "convolutions over one dimension stay in float32"
        elif node.op == "linear":
            reasons[node.name] = "linear layers stay in float32"
    return reasons


def _is_stem(node: Node, graph: Graph) -> bool:
    reads_input = node.inputs[0] in graph.inputs
    channels = graph.shape_of(node.inputs[0])[1]
    return reads_input or node.attrs["groups"] == channels


def _positions(node: Node) -> int:
    positions = 1
    for size in node.shape[2:]:
        if not isinstance(size, int):
            return 0
        positions *= size
    return positions


def select_int8_weights(graph: Graph, chosen: set[str], config: QuantizationConfig) -> set[str]:
    """Return the names of float pointwise and linear layers whose weights are worth storing in one byte each."""
    if config.int8_weights_from is None:
        return set()
    names = set()
    for node in graph:
        if node.op not in ("conv", "linear") or node.name in chosen or len(node.inputs) > 1:
            continue
        weight = graph.constant(node, "weight")
        assert weight is not None
        pointwise = weight.shape[0] * weight.shape[1] == weight.numel() and node.attrs.get("groups", 1) == 1
        named = (set(node.origin) | {node.name}) & set(config.float_layers)
        if pointwise and not named and weight.numel() >= config.int8_weights_from:
            names.add(node.name)
    return names
