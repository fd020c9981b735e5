"""Join an operation with what is done to its result, so that the result is written once."""

from __future__ import annotations

from dataclasses import replace

from accel_mobile._ir import Graph, Node

__all__ = ["fuse_activation", "fuse_channel_scale", "fuse_residual"]

_TAKES_ACTIVATION = frozenset({"conv", "linear", "add", "channel_scale", "affine"})


def fuse_activation(graph: Graph, *, kinds: frozenset[str] | None = None) -> Graph:
    """Apply an activation (of one of `kinds`) inside the node before it, where nothing else reads that result."""
    uses = graph.use_counts()
    nodes: dict[str, Node] = {}
    renamed: dict[str, str] = {}
    for node in graph:
        before = nodes.get(renamed.get(node.inputs[0], node.inputs[0])) if node.inputs else None
        if (
            node.op == "activation"
            and (kinds is None or node.attrs["kind"] in kinds)
            and before is not None
            and before.op in _TAKES_ACTIVATION
            and uses[node.inputs[0]] == 1
            and before.attrs.get("activation") is None
        ):
            attrs = {**before.attrs, "activation": node.attrs["kind"]}
            nodes[before.name] = replace(before, attrs=attrs, origin=before.origin + node.origin)
            renamed[node.name] = before.name
            uses[before.name] = uses[node.name]
        else:
            nodes[node.name] = node
    return graph.with_nodes(nodes.values(), renamed)


def fuse_residual(graph: Graph) -> Graph:
    """Give a convolution the other operand of the sum that follows it as a second input.

    Of two convolutions the later one takes the sum. It moves to the place of the sum, where both operands exist.
    """
    uses = graph.use_counts()
    order = {name: index for index, name in enumerate([*graph.inputs, *(node.name for node in graph)])}
    shapes = {node.name: node.shape for node in graph}
    shapes.update(zip(graph.inputs, graph.input_shapes, strict=True))
    nodes = graph.by_name()
    renamed: dict[str, str] = {}
    for node in graph:
        if node.op != "add":
            continue
        for name in sorted(node.inputs, key=lambda key: -order[key]):
            conv = nodes.get(name)
            other = node.inputs[1] if name == node.inputs[0] else node.inputs[0]
            if not _takes_residual(conv, uses) or shapes[other] != shapes[name] or other == name:
                continue
            assert conv is not None
            inputs = (*conv.inputs, other)
            del nodes[name]
            attrs = {**conv.attrs, "activation": node.attrs.get("activation")}
            nodes[node.name] = replace(
                conv, name=node.name, inputs=inputs, attrs=attrs, shape=node.shape, origin=conv.origin + node.origin
            )
            break
    ordered = [nodes[node.name] for node in graph if node.name in nodes]
    return graph.with_nodes(ordered, renamed)


def _takes_residual(node: Node | None, uses: dict[str, int]) -> bool:
    return (
        node is not None
        and node.op == "conv"
        and uses[node.name] == 1
        and len(node.inputs) == 1
        and node.attrs.get("activation") is None
    )


def fuse_channel_scale(graph: Graph) -> Graph:
    """Recognise `x * gate` with one gate per sample and channel (squeeze-and-excitation, arXiv 1709.01507)."""
    shapes = {node.name: node.shape for node in graph}
    shapes.update(zip(graph.inputs, graph.input_shapes, strict=True))
    nodes = []
    for node in graph:
        if node.op == "mul":
            for value, gate in (node.inputs, node.inputs[::-1]):
                if _is_gate(shapes[value], shapes[gate]):
                    node = replace(node, op="channel_scale", inputs=(value, gate))
                    break
        nodes.append(node)
    return graph.with_nodes(nodes)


def _is_gate(value: tuple, gate: tuple) -> bool:
    return (
        len(value) == len(gate) >= 3
        and value[:2] == gate[:2]
        and all(size == 1 for size in gate[2:])
        and any(size != 1 for size in value[2:])
    )
