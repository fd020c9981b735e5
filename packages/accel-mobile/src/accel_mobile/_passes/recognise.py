"""Several operators that together are one operation under another name."""

from __future__ import annotations

from dataclasses import replace

from accel_mobile._ir import Graph, Node

__all__ = ["recognise_global_pool", "recognise_pointwise_linear", "recognise_silu"]


def recognise_silu(graph: Graph) -> Graph:
    """Rewrite `x * sigmoid(x)` as the activation `silu` (swish)."""
    known = graph.by_name()
    nodes = []
    for node in graph:
        gate = _sigmoid_of_other(node, known) if node.op == "mul" else None
        if gate is None:
            nodes.append(node)
            continue
        origin = gate.origin + node.origin
        nodes.append(replace(node, op="activation", inputs=gate.inputs, attrs={"kind": "silu"}, origin=origin))
    return graph.with_nodes(nodes)


def _sigmoid_of_other(node: Node, known: dict[str, Node]) -> Node | None:
    for value, gate_name in (node.inputs, node.inputs[::-1]):
        gate = known.get(gate_name)
        if gate is not None and gate.op == "activation" and gate.attrs["kind"] == "sigmoid" and gate.inputs == (value,):
            return gate
    return None


def recognise_pointwise_linear(graph: Graph) -> Graph:
    """Rewrite channels-to-last permute, linear layer, permute back as a convolution with kernel size one.

    Video heads are written this way so that they apply at every position (the projection of X3D's and ResNet's heads).
    """
    graph = graph.copy()
    known, uses = graph.by_name(), graph.use_counts()
    replaced: dict[str, Node] = {}
    for node in graph:
        match = _permuted_linear(node, known, uses)
        if match is None:
            continue
        to_last, linear = match
        weight = graph.constant(linear, "weight")
        assert weight is not None
        rank = len(node.shape) - 2
        key = graph.add_constant(f"{linear.constants['weight']}.pointwise", weight.reshape(*weight.shape, *[1] * rank))
        ones, zeros = (1,) * rank, (0,) * rank
        replaced[node.name] = replace(
            node,
            op="conv",
            inputs=to_last.inputs,
            attrs={"stride": ones, "padding": zeros, "dilation": ones, "groups": 1},
            constants={**linear.constants, "weight": key},
            origin=to_last.origin + linear.origin + node.origin,
        )
    return graph.with_nodes(replaced.get(node.name, node) for node in graph)


def _permuted_linear(node: Node, known: dict[str, Node], uses: dict[str, int]) -> tuple[Node, Node] | None:
    rank = len(node.shape)
    if node.op != "permute" or rank < 3 or node.attrs["dims"] != (0, rank - 1, *range(1, rank - 1)):
        return None
    linear = known.get(node.inputs[0])
    if linear is None or linear.op != "linear" or uses[linear.name] != 1:
        return None
    to_last = known.get(linear.inputs[0])
    if to_last is None or to_last.op != "permute" or to_last.attrs["dims"] != (0, *range(2, rank), 1):
        return None
    return to_last, linear


def recognise_global_pool(graph: Graph) -> Graph:
    """Rewrite an average pool whose one window is the whole map as `global_avg_pool`."""
    return graph.with_nodes(
        replace(node, op="global_avg_pool", attrs={"keepdim": True})
        if node.op == "avg_pool" and _one_window(node, graph)
        else node
        for node in graph
    )


def _one_window(node: Node, graph: Graph) -> bool:
    return (
        tuple(graph.shape_of(node.inputs[0])[2:]) == tuple(node.attrs["kernel"])
        and not any(node.attrs["padding"])
        and all(size == 1 for size in node.shape[2:])
    )
