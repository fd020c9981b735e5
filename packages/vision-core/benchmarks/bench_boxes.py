"""Operators on boxes against torchvision's: overlap, conversions, areas, borders and losses, from no box to many.

Run it as `python packages/vision-core/benchmarks/bench_boxes.py --json out.json`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from benchmarks.harness import race, script, show, write_json
from vision_core import ops

PAIRS = [(0, 1), (1, 1), (10, 10), (100, 100), (1000, 1000), (10000, 100)]
COUNTS = [0, 1, 100, 100000]
OVERLAPS = ["box_iou", "generalized_box_iou", "distance_box_iou", "complete_box_iou"]
LOSSES = ["generalized_box_iou_loss", "distance_box_iou_loss", "complete_box_iou_loss"]
SIMPLE: list[tuple[str, tuple[Any, ...]]] = [
    ("box_area", ()),
    ("box_convert", ("xyxy", "cxcywh")),
    ("box_convert", ("xywh", "xyxy")),
    ("clip_boxes_to_image", ((500, 400),)),
    ("remove_small_boxes", (5.0,)),
]
ROTATED: list[tuple[str, str]] = [("cxcywhr", "xyxyxyxy"), ("xywhr", "cxcywhr"), ("xyxyxyxy", "cxcywhr")]


def scene(count: int, seed: int = 0) -> Tensor:
    """Boxes in an image of 640 x 640."""
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=generator) * 500
    return torch.cat((corner, corner + torch.rand(count, 2, generator=generator) * 140), 1)


def turned(count: int, seed: int = 0) -> Tensor:
    """Rotated boxes, "cxcywhr"."""
    values = torch.rand(count, 5, generator=torch.Generator().manual_seed(seed))
    return values * torch.tensor([500.0, 500, 130, 130, 360]) + torch.tensor([0.0, 0, 10, 10, -180])


def against(peer: Any, name: str, *arguments: Any, repeat: int = 15, exact: bool = False) -> dict[str, Any]:
    """Race one operator of ours against the peer's, after a look at what they give."""
    ours = getattr(ops, name)
    candidates: dict[str, Callable[[], object]] = {"vision-core": lambda: ours(*arguments)}
    if peer is not None:
        theirs = getattr(peer, name)
        tolerance = 0.0 if exact else 1e-4
        torch.testing.assert_close(ours(*arguments), theirs(*arguments), rtol=tolerance, atol=tolerance, equal_nan=True)
        candidates["torchvision"] = lambda: theirs(*arguments)
    return race(candidates, repeat=repeat)


def backward(peer: Any, name: str, first: Tensor, second: Tensor) -> dict[str, Any]:
    """Race one operator and its gradient."""
    first = first.clone().requires_grad_()

    def run(function: Callable[..., Tensor]) -> Tensor:
        return torch.autograd.grad(function(first, second).sum(), first)[0]

    candidates: dict[str, Callable[[], object]] = {"vision-core": lambda: run(getattr(ops, name))}
    if peer is not None:
        torch.testing.assert_close(run(getattr(ops, name)), run(getattr(peer, name)))
        candidates["torchvision"] = lambda: run(getattr(peer, name))
    return race(candidates, repeat=9)


def main(path: Path) -> None:
    """Time every operator and write the results."""
    try:
        from torchvision import ops as peer
    except ImportError:
        peer = None
    results = {}
    for n, m in PAIRS:
        a, b = scene(n), scene(m, 1)
        for name in OVERLAPS:
            results[f"{name}, {n:,} x {m:,}"] = against(peer, name, a, b, exact=name == "box_iou")
        if n <= 1000:
            a, b = turned(n), turned(m, 1)
            results[f"box_iou, rotated, {n:,} x {m:,}"] = against(peer, "box_iou", a, b, "cxcywhr", repeat=5)
    for count in COUNTS:
        for name, rest in SIMPLE:
            label = " ".join(str(value) for value in rest)
            results[f"{name} {label}, {count:,}"] = against(peer, name, scene(count), *rest, exact=True)
        for source, target in ROTATED:
            boxes = ops.box_convert(turned(count), "cxcywhr", source)
            results[f"box_convert {source} {target}, {count:,}"] = against(peer, "box_convert", boxes, source, target)
        for name in LOSSES:
            results[f"{name}, {count:,}"] = against(peer, name, scene(count), scene(count, 1))
    for name in OVERLAPS:
        results[f"{name} and gradient, 100 x 100"] = backward(peer, name, scene(100), scene(100, 1))
    for name in LOSSES:
        results[f"{name} and gradient, 1,000"] = backward(peer, name, scene(1000), scene(1000, 1))
    show(results, title="operators on boxes")
    write_json(path, results)


if __name__ == "__main__":
    script(main)
