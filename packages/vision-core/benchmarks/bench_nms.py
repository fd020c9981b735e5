"""nms and batched_nms against torchvision's, for boxes that are sparse, dense, few and many.

Run it as `python packages/vision-core/benchmarks/bench_nms.py --json out.json`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from benchmarks.harness import race, script, show, write_json
from vision_core import ops

# name: (boxes, side of the plane, largest side of a box)
SCENES = {
    "no boxes": (0, 100.0, 50.0),
    "1 box": (1, 100.0, 50.0),
    "4 boxes": (4, 100.0, 50.0),
    "100 boxes": (100, 1000.0, 50.0),
    "1,000 sparse": (1000, 1000.0, 50.0),
    "1,000 dense": (1000, 100.0, 60.0),
    "2,000 proposals": (2000, 800.0, 60.0),
    "10,000 sparse": (10000, 2000.0, 40.0),
    "10,000 dense": (10000, 300.0, 100.0),
    "10,000 large": (10000, 1000.0, 800.0),
    "100,000 sparse": (100000, 6000.0, 40.0),
    "100,000 dense": (100000, 300.0, 100.0),
}
FORMS = (100, 1000, 10000)  # numbers of boxes for the forms that no peer has


def scene(count: int, plane: float, side: float) -> tuple[Tensor, Tensor]:
    """Boxes and scores, uniform in their ranges."""
    generator = torch.Generator().manual_seed(0)
    corner = torch.rand(count, 2, generator=generator) * plane
    boxes = torch.cat((corner, corner + torch.rand(count, 2, generator=generator) * side), 1)
    return boxes, torch.rand(count, generator=generator)


def main(path: Path) -> None:
    """Time every scene and write the results."""
    try:
        from torchvision import ops as peer
    except ImportError:
        peer = None
    results = {}
    for name, numbers in SCENES.items():
        boxes, scores = scene(*numbers)
        labels = torch.randint(0, 80, (len(boxes),), generator=torch.Generator().manual_seed(1))
        plain: dict[str, Callable[[], object]] = {"vision-core": lambda b=boxes, s=scores: ops.nms(b, s, 0.5)}
        batched: dict[str, Callable[[], object]] = {
            "vision-core": lambda b=boxes, s=scores, i=labels: ops.batched_nms(b, s, i, 0.5)
        }
        if peer is not None:
            assert torch.equal(peer.nms(boxes, scores, 0.5), ops.nms(boxes, scores, 0.5))
            plain["torchvision"] = lambda b=boxes, s=scores: peer.nms(b, s, 0.5)
            batched["torchvision"] = lambda b=boxes, s=scores, i=labels: peer.batched_nms(b, s, i, 0.5)
        large = len(boxes) > 50000  # the peer takes half a minute a call
        repeat = 3 if large else 30 if len(boxes) < 5000 else 7
        results[f"nms, {name}"] = race(plain, repeat=repeat, inner=1 if large else "auto")
        if not large:
            results[f"batched_nms, {name}, 80 categories"] = race(batched, repeat=repeat)
    results.update(forms())
    show(results, title="non-maximum suppression")
    write_json(path, results)


def forms() -> dict[str, dict]:
    """Time rotated, volumetric, masked and soft suppression, beside plain suppression of as many boxes."""
    results = {}
    for count in FORMS:
        generator = torch.Generator().manual_seed(0)
        boxes, scores = scene(count, 20 * count**0.5, 40.0)
        centres = torch.rand(count, 5, generator=generator)
        turned = centres * torch.tensor([20 * count**0.5] * 2 + [40.0, 40, 360])
        low = torch.rand(count, 3, generator=generator) * 12 * count ** (1 / 3)
        solid = torch.cat((low, low + torch.rand(count, 3, generator=generator) * 40), 1)
        candidates: dict[str, Callable[[], object]] = {
            "nms": lambda b=boxes, s=scores: ops.nms(b, s, 0.5),
            "nms_mask": lambda b=boxes, s=scores: ops.nms_mask(b, s, 0.5),
            "nms, rotated": lambda b=turned, s=scores: ops.nms(b, s, 0.5, fmt="cxcywhr"),
            "nms_3d": lambda b=solid, s=scores: ops.nms_3d(b, s, 0.5),
            "soft_nms": lambda b=boxes, s=scores: ops.soft_nms(b, s),
            "matrix_nms": lambda b=boxes, s=scores: ops.matrix_nms(b, s),
        }
        results[f"forms of suppression, {count:,} boxes"] = race(candidates, repeat=9)
    return results


if __name__ == "__main__":
    script(main)
