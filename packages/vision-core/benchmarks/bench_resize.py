"""Antialiased resizing of uint8 images against torchvision, OpenCV and Pillow, planar (CHW) and interleaved (HWC).

Run it as `python packages/vision-core/benchmarks/bench_resize.py --json out.json`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from benchmarks.harness import race, script, show, write_json
from vision_core.transforms import functional as F

# (height, width), size, interpolation
CASES = (
    ((1080, 1920), [256, 455], "bilinear"),
    ((1080, 1920), [256, 455], "bicubic"),
    ((1080, 1920), [720, 1280], "bilinear"),
    ((500, 375), [341, 256], "bilinear"),
    ((320, 180), [199, 112], "bilinear"),
    ((256, 256), [512, 512], "bilinear"),
    ((32, 32), [24, 24], "bilinear"),
)


def candidates(height: int, width: int, size: list[int], mode: str) -> dict[str, Callable[[], object]]:
    """What does the work in this environment."""
    generator = torch.Generator().manual_seed(0)
    interleaved = torch.randint(0, 256, (height, width, 3), dtype=torch.uint8, generator=generator)
    chw, hwc = interleaved.permute(2, 0, 1).contiguous(), interleaved.permute(2, 0, 1)
    found: dict[str, Callable[[], object]] = {
        "vision-core CHW": lambda: F.resize(chw, size, mode),
        "vision-core HWC": lambda: F.resize(hwc, size, mode),
    }
    try:
        from torchvision.transforms.v2 import functional as peer

        found["torchvision CHW"] = lambda: peer.resize(chw, size, mode)
        found["torchvision HWC"] = lambda: peer.resize(hwc, size, mode)
    except ImportError:
        pass
    try:
        import cv2

        array, flag = interleaved.numpy(), cv2.INTER_AREA if size[0] < height else cv2.INTER_LINEAR
        found["OpenCV area HWC"] = lambda: cv2.resize(array, (size[1], size[0]), interpolation=flag)
    except ImportError:
        pass
    image = F.to_pil_image(chw)
    found["Pillow"] = lambda: F.resize(image, size, mode)
    return found


def main(path: Path) -> None:
    """Time every case and write the results."""
    results = {
        f"{height}x{width} to {size[0]}x{size[1]}, {mode}": race(candidates(height, width, size, mode), repeat=15)
        for (height, width), size, mode in CASES
    }
    show(results, title="resize, uint8, antialias")
    write_json(path, results)


if __name__ == "__main__":
    script(main)
