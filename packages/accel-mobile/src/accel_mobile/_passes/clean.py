"""Nodes that change nothing, and nodes that nobody reads."""

from __future__ import annotations

from accel_mobile._ir import Graph, Node

__all__ = ["remove_dead", "remove_identities"]


def remove_identities(graph: Graph) -> Graph:
    """Drop clones, inactive dropout, reshapes to the same sizes and permutations that keep the order."""
    renamed: dict[str, str] = {}
    kept = []
    for node in graph:
        if _changes_nothing(node, graph):
            renamed[node.name] = node.inputs[0]
        else:
            kept.append(node)
    return graph.with_nodes(kept, renamed)


def _changes_nothing(node: Node, graph: Graph) -> bool:
    if node.op == "identity":
        return True
    if node.op == "reshape":
        return graph.shape_of(node.inputs[0]) == node.shape
    if node.op == "permute":
        return node.attrs["dims"] == tuple(range(len(node.shape)))
    return False


def remove_dead(graph: Graph) -> Graph:
    """Drop nodes whose result is not read, and constants that no node uses any more."""
    needed = set(graph.outputs)
    kept = []
    for node in reversed(graph.nodes):
        if node.name in needed:
            kept.append(node)
            needed.update(node.inputs)
    kept.reverse()
    result = graph.with_nodes(kept)
    used = {key for node in kept for key in node.constants.values()}
    result.constants = {key: value for key, value in graph.constants.items() if key in used}
    return result
