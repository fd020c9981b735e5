"""RoIAlign, RoIPool and their position-sensitive forms against torchvision's, forward and backward.

Run it as `python packages/vision-core/benchmarks/bench_roi.py --json out.json`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from benchmarks.harness import race, script, show, write_json
from vision_core import ops


class Scene(NamedTuple):
    """An input and boxes on it.

    Attributes:
        boxes: how many.
        shape: of the input, [images, channels, height, width].
        stride: pixels of the image per pixel of the input.
        sides: shortest and longest side of a box in pixels of the image.
    """

    boxes: int
    shape: tuple[int, int, int, int]
    stride: int
    sides: tuple[float, float]


SCENES = {
    "1 box, 1 channel": Scene(1, (1, 1, 8, 8), 1, (2, 5)),
    "1 box, 256 channels": Scene(1, (1, 256, 50, 50), 16, (100, 300)),
    "1 box, 256 channels 200x200": Scene(1, (1, 256, 200, 200), 4, (20, 100)),
    "20 boxes, 3 channels": Scene(20, (2, 3, 128, 128), 1, (10, 60)),
    "100 boxes, 64 channels": Scene(100, (2, 64, 56, 56), 8, (20, 200)),
    "512 boxes, 256 channels": Scene(512, (1, 256, 50, 50), 16, (20, 320)),
}
SENSITIVE = {
    "1 box, 1 channel": Scene(1, (1, 4, 8, 8), 1, (2, 5)),
    "512 boxes, 10 channels": Scene(512, (1, 490, 50, 50), 16, (20, 320)),
}
OPERATORS: dict[str, Callable[[Any, Tensor, Tensor, int, float], Tensor]] = {
    "roi_align, 2 samples": lambda o, x, b, size, scale: o.roi_align(x, b, size, scale, 2),
    "roi_align, adaptive": lambda o, x, b, size, scale: o.roi_align(x, b, size, scale),
    "roi_pool": lambda o, x, b, size, scale: o.roi_pool(x, b, size, scale),
    "ps_roi_align": lambda o, x, b, size, scale: o.ps_roi_align(x, b, size, scale, 2),
    "ps_roi_pool": lambda o, x, b, size, scale: o.ps_roi_pool(x, b, size, scale),
}


def make(scene: Scene) -> tuple[Tensor, Tensor]:
    """Input and boxes, uniform in their ranges."""
    generator = torch.Generator().manual_seed(0)
    images, _, height, width = scene.shape
    low, high = scene.sides
    corner = torch.rand(scene.boxes, 2, generator=generator) * torch.tensor([width, height]) * scene.stride * 0.7
    side = torch.rand(scene.boxes, 2, generator=generator) * (high - low) + low
    image = torch.arange(scene.boxes)[:, None] % images
    return torch.rand(scene.shape, generator=generator), torch.cat((image, corner, corner + side), 1)


def gradient(operators: Any, function: Callable, x: Tensor, boxes: Tensor, size: int, scale: float) -> Callable:
    """The backward pass alone."""
    leaf = x.clone().requires_grad_()
    pooled = function(operators, leaf, boxes, size, scale)
    grad = torch.rand(pooled.shape, generator=torch.Generator().manual_seed(1))
    return lambda: torch.autograd.grad(pooled, leaf, grad, retain_graph=True)[0]


def main(path: Path) -> None:
    """Time every operator on every scene and write the results."""
    try:
        from torchvision import ops as peer
    except ImportError:
        peer = None
    results = {}
    for name, function in OPERATORS.items():
        for title, scene in (SENSITIVE if name.startswith("ps") else SCENES).items():
            x, boxes = make(scene)
            size, scale = (2 if scene.boxes == 1 and scene.shape[1] < 10 else 7), 1 / scene.stride
            libraries = {"vision-core": ops} if peer is None else {"vision-core": ops, "torchvision": peer}
            forward: dict[str, Callable[[], object]] = {}
            backward: dict[str, Callable[[], object]] = {}
            for library, operators in libraries.items():
                forward[library] = lambda o=operators, a=(x, boxes, size, scale), f=function: f(o, *a)
                backward[library] = gradient(operators, function, x, boxes, size, scale)
            if peer is not None:
                torch.testing.assert_close(forward["vision-core"](), forward["torchvision"](), atol=1e-5, rtol=1e-5)
                if name != "ps_roi_pool":  # torchvision's gradient reaches pixels that its result does not depend on
                    torch.testing.assert_close(
                        backward["vision-core"](), backward["torchvision"](), atol=1e-3, rtol=1e-4
                    )
            repeat = 15 if scene.boxes < 500 else 5
            results[f"{name}, {title}"] = race(forward, repeat=repeat)
            results[f"{name} backward, {title}"] = race(backward, repeat=repeat)
    show(results, title="pooling of regions")
    write_json(path, results)


if __name__ == "__main__":
    script(main)
