"""A graph with fixed sizes, made ready to run."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor

from accel_mobile import _native
from accel_mobile._errors import DeploymentError
from accel_mobile._explain import Step, describe
from accel_mobile._ir import Graph
from accel_mobile._runtime.reference import run_graph

__all__ = ["Plan", "ReferencePlan", "make_plan"]


class Plan(Protocol):
    """Something that computes a graph's outputs; may be called from several threads at once."""

    def run(self, inputs: list[Tensor]) -> list[Tensor]:
        """Return the outputs for inputs of the planned sizes."""
        ...

    def steps(self) -> list[Step]:
        """Return what runs where."""
        ...


class ReferencePlan:
    """Runs every node through torch."""

    def __init__(self, graph: Graph, reason: str) -> None:
        self._graph = graph
        self._reason = reason

    def run(self, inputs: list[Tensor]) -> list[Tensor]:
        """Return the outputs for inputs of the planned sizes."""
        return run_graph(self._graph, inputs)

    def steps(self) -> list[Step]:
        """Return one torch segment."""
        return [
            Step(0, node.name, describe(node), "torch", self._reason, tuple(node.shape), node.origin)  # type: ignore[arg-type]
            for node in self._graph
        ]


def make_plan(graph: Graph, packed: dict[Any, Any], backend: str) -> Plan:
    """Choose an executor.

    Args:
        graph: Graph with integer sizes.
        packed: Cache of packed weights, shared by all plans of a module.
        backend: `"auto"` (native where it can be), `"native"` (an error if there is none), `"reference"`.

    Returns:
        The plan.
    """
    if backend not in ("auto", "native", "reference"):
        raise ValueError(f"backend: got {backend!r}, expected 'auto', 'native' or 'reference'")
    if backend == "reference":
        return ReferencePlan(graph, "backend='reference'")
    if _native.extension is None:
        if backend == "native":
            raise DeploymentError(f"backend='native', but the compiled kernels are absent: {_native.reason}")
        return ReferencePlan(graph, "the compiled kernels are absent")
    from accel_mobile._runtime.native import NativePlan

    return NativePlan(graph, packed)
