"""Rewrites of a captured graph. Each takes a graph and returns a new one that computes the same function."""

from __future__ import annotations

from functools import partial

from accel_mobile._ir import Graph
from accel_mobile._passes.clean import remove_dead, remove_identities
from accel_mobile._passes.fold_batch_norm import fold_batch_norm
from accel_mobile._passes.fuse import fuse_activation, fuse_channel_scale, fuse_residual
from accel_mobile._passes.recognise import recognise_global_pool, recognise_pointwise_linear, recognise_silu

__all__ = [
    "fold_batch_norm",
    "fuse_activation",
    "fuse_channel_scale",
    "fuse_residual",
    "optimise",
    "recognise_global_pool",
    "recognise_pointwise_linear",
    "recognise_silu",
    "remove_dead",
    "remove_identities",
]


def optimise(graph: Graph, *, activations: frozenset[str] | None = None) -> Graph:
    """Run all passes in the order in which they open the way for each other.

    Args:
        graph: A captured graph.
        activations: Kinds of activation that may be joined with the operation before them; None for all.

    Returns:
        The graph that executors plan from.
    """
    for step in (
        remove_identities,
        recognise_silu,
        recognise_pointwise_linear,
        recognise_global_pool,
        fold_batch_norm,
        remove_dead,
        fuse_channel_scale,
        partial(fuse_activation, kinds=activations),
        fuse_residual,
        partial(fuse_activation, kinds=activations),  # what follows a residual sum
        remove_dead,
    ):
        graph = step(graph)
    return graph.check()
