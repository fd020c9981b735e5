"""The native executor: runs of supported nodes become programs, each one native call; the rest stays torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from accel_mobile import _native
from accel_mobile._explain import Step, describe
from accel_mobile._ir import Graph, Node
from accel_mobile._runtime.program_builder import ProgramBuilder
from accel_mobile._runtime.reference import run_node
from accel_mobile._runtime.support import unsupported_reason

__all__ = ["NativePlan"]

_UINT8_RESULTS = frozenset({"quantize", "lookup", "qadd", "qchannel_scale"})


def is_uint8(node: Node) -> bool:
    """Whether a node's result is uint8."""
    return node.op in _UINT8_RESULTS or node.attrs.get("output") == "uint8"


@dataclass
class _Segment:
    """Successive nodes that run in one place.

    Attributes:
        nodes: The nodes.
        reasons: For torch segments, why.
        reads: Values that come from outside.
        writes: Values that are needed outside.
        builder: The program of a native segment.
    """

    nodes: list[Node]
    reasons: dict[str, str]
    native: bool
    reads: list[str]
    writes: list[str]
    builder: ProgramBuilder | None = None


class NativePlan:
    """Runs native segments by one call each, and the nodes between them through torch.

    Args:
        graph: Graph with integer sizes.
        packed: Cache of packed weights.
        uint8_inputs: Graph inputs that are uint8; the others are float32.
    """

    def __init__(self, graph: Graph, packed: dict[Any, Any], uint8_inputs: Sequence[str] = ()) -> None:
        assert _native.extension is not None
        self._graph = graph
        self._shapes = {name: graph.shape_of(name) for name in [*graph.inputs, *(node.name for node in graph)]}
        self._uint8 = {node.name for node in graph if is_uint8(node)} | set(uint8_inputs)
        self._segments = _split(graph)
        for segment in self._segments:
            if segment.native:
                segment.builder = ProgramBuilder(
                    graph, segment.nodes, segment.reads, segment.writes, self._uint8, packed
                )
        self._last_reader = self._find_last_readers()

    def _find_last_readers(self) -> dict[str, int]:
        last: dict[str, int] = {}
        for index, segment in enumerate(self._segments):
            for name in segment.reads:
                last[name] = index
        return {name: index for name, index in last.items() if name not in self._graph.outputs}

    def run(self, inputs: list[Tensor]) -> list[Tensor]:
        """Return the outputs for inputs of the planned sizes."""
        values: dict[str, Any] = dict(zip(self._graph.inputs, inputs, strict=True))
        threads = torch.get_num_threads()
        for index, segment in enumerate(self._segments):
            if segment.builder is not None:
                self._run_native(segment, values, threads)
            else:
                for node in segment.nodes:
                    values[node.name] = run_node(node, [values[name] for name in node.inputs], self._graph.constants)
            for name in segment.reads:
                if self._last_reader.get(name) == index:
                    del values[name]
        return [values[name] for name in self._graph.outputs]

    def _run_native(self, segment: _Segment, values: dict[str, Any], threads: int) -> None:
        assert segment.builder is not None
        sources = [values[name].contiguous() for name in segment.reads]
        results = []
        for name in segment.writes:
            dtype = torch.uint8 if name in self._uint8 else torch.float32
            results.append(torch.empty(self._shapes[name], dtype=dtype))  # type: ignore[arg-type]
        segment.builder.program.run([t.data_ptr() for t in sources], [t.data_ptr() for t in results], threads)
        values.update(zip(segment.writes, results, strict=True))

    def steps(self) -> list[Step]:
        """Return what runs where."""
        result = []
        for index, segment in enumerate(self._segments):
            for node in segment.nodes:
                where = "native" if segment.native else "torch"
                note = segment.builder.note(node) if segment.builder is not None else segment.reasons[node.name]
                shape: tuple[int, ...] = tuple(node.shape)  # type: ignore[assignment]
                result.append(Step(index, node.name, describe(node), where, note, shape, node.origin))
        return result

    def arena_bytes(self) -> int:
        """Return the bytes that activations of one call take, all native segments together."""
        return sum(s.builder.program.arena_bytes for s in self._segments if s.builder is not None)

    def profile(self, inputs: list[Tensor]) -> list[tuple[str, str, float]]:
        """Return (result name, kernel, seconds) per native operation, for a plan that is one native segment."""
        if len(self._segments) != 1 or self._segments[0].builder is None:
            raise ValueError("profile needs a network that runs as one native segment")
        segment = self._segments[0]
        builder = self._segments[0].builder
        sources = [dict(zip(self._graph.inputs, inputs, strict=True))[name].contiguous() for name in segment.reads]
        results = [torch.empty(self._shapes[name]) for name in segment.writes]  # type: ignore[arg-type]
        threads = torch.get_num_threads()
        seconds = builder.program.profile([t.data_ptr() for t in sources], [t.data_ptr() for t in results], threads)
        return [
            (name, builder.program.kernel(index), time)
            for index, (name, time) in enumerate(zip(builder.operation_names, seconds, strict=True))
        ]


def _split(graph: Graph) -> list[_Segment]:
    segments: list[_Segment] = []
    for node in graph:
        reason = unsupported_reason(node, graph)
        native = reason is None
        if not segments or segments[-1].native != native:
            segments.append(_Segment([], {}, native, [], []))
        segments[-1].nodes.append(node)
        if reason is not None:
            segments[-1].reasons[node.name] = reason
    for index, segment in enumerate(segments):
        made = {node.name for node in segment.nodes}
        reads = [name for node in segment.nodes for name in node.inputs if name not in made]
        segment.reads = list(dict.fromkeys(reads))
        later = {name for other in segments[index + 1 :] for node in other.nodes for name in node.inputs}
        later |= set(graph.outputs)
        segment.writes = [node.name for node in segment.nodes if node.name in later]
    return segments
