"""What runs where, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from accel_mobile._ir import Node

__all__ = ["Explanation", "Step", "describe"]


@dataclass(frozen=True)
class Step:
    """One operation of a plan.

    Attributes:
        segment: Number of the run of operations that it belongs to; a native segment is one native call.
        name: Name of its result.
        op: Operation, with what was joined to it, as `conv+silu`.
        where: `"native"` or `"torch"`.
        reason: Why it is not native, or which kernel runs it.
        shape: Sizes of the result.
        origin: Captured operations that it does the work of.
    """

    segment: int
    name: str
    op: str
    where: str
    reason: str
    shape: tuple[int, ...]
    origin: tuple[str, ...]


class Explanation:
    """The steps of a plan; printable as a table.

    Attributes:
        steps: All operations in execution order.
        kept_float: In an int8 network, why convolutions stayed in float32.
    """

    def __init__(self, steps: list[Step], kept_float: dict[str, str]) -> None:
        self.steps = steps
        self.kept_float = kept_float

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def segments(self) -> int:
        """Number of runs of native or torch operations."""
        return len({step.segment for step in self.steps})

    def native_share(self) -> float:
        """Return the share of operations that run natively, 0..1."""
        return sum(step.where == "native" for step in self.steps) / max(len(self.steps), 1)

    def __str__(self) -> str:
        rows = [("seg", "where", "op", "result", "name", "note")]
        for s in self.steps:
            note = s.reason
            if s.name in self.kept_float:
                note = f"{note}; float32: {self.kept_float[s.name]}".lstrip("; ")
            rows.append((str(s.segment), s.where, s.op, "x".join(map(str, s.shape)), s.name, note))
        widths = [max(len(row[i]) for row in rows) for i in range(5)]
        lines = ["  ".join([*(cell.ljust(w) for cell, w in zip(row[:5], widths, strict=True)), row[5]]) for row in rows]
        native = sum(s.where == "native" for s in self.steps)
        lines.append(f"{native} of {len(self.steps)} operations native, {self.segments} segments")
        return "\n".join(line.rstrip() for line in lines)

    __repr__ = __str__


def describe(node: Node) -> str:
    """Return the operation with what was joined to it, as `conv 3x3x3 dw +add +relu`."""
    a = node.attrs
    parts = [a["target"] if node.op == "aten" else node.op]
    if node.op == "activation":
        parts = [a["kind"]]
    if node.op == "lookup":
        parts = ["lookup"]
    if len(node.inputs) == 2 and node.op in ("conv", "qconv"):
        parts.append("+add")
    if a.get("activation") or a.get("relu"):
        parts.append(f"+{a.get('activation') or 'relu'}")
    if "table" in node.constants and node.op != "lookup":
        parts.append("+table")
    return " ".join(parts)
