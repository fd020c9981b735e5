"""The kernels for 8-bit images against torchvision's functions and OpenCV, planar (CHW) and interleaved (HWC).

Run it as `python packages/vision-core/benchmarks/bench_pixels.py --json out.json`. "clone" is a copy,
the floor of what reads and writes it once. "OpenCV" works on interleaved images.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from benchmarks.harness import race, script, show, write_json
from vision_core import _pixels

SIZES = ((1080, 1920), (500, 375), (32, 32))
ANGLE = 20.0
TURN = [math.cos(math.radians(ANGLE)), -math.sin(math.radians(ANGLE)), 0.0]
MATRIX = [*TURN, -TURN[1], TURN[0], 0.0]
COEFFICIENTS = [1.08, 0.05, -20.0, 0.04, 1.1, -15.0, 4e-5, 6e-5]
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
CHAIN = (("brightness", 1.2), ("contrast", 0.8), ("saturation", 1.3), ("hue", 0.1))

Run = Callable[[Any], Any]


def picture(height: int, width: int) -> Tensor:
    """Interleaved smooth noise, so that tables and histograms meet realistic values."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, max(height // 8, 1), max(width // 8, 1), generator=generator) * 255
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear").to(torch.uint8)
    return smooth[0].permute(1, 2, 0).contiguous().permute(2, 0, 1)


def displacement(image: Tensor) -> Tensor:
    """A random field of up to 2 % of the image."""
    size = (1, *image.shape[-2:], 2)
    return torch.rand(size, generator=torch.Generator().manual_seed(1)) * 0.04 - 0.02


def ours(field: Tensor) -> dict[str, Run]:
    """Every kernel with typical numbers."""
    return {
        "brightness": lambda x: _pixels.adjust_brightness(x, 1.3),
        "contrast": lambda x: _pixels.adjust_contrast(x, 1.3),
        "saturation": lambda x: _pixels.adjust_saturation(x, 1.3),
        "hue": lambda x: _pixels.adjust_hue(x, 0.2),
        "brightness, contrast, saturation, hue": lambda x: _pixels.colour_chain(x, CHAIN),
        "gamma": lambda x: _pixels.adjust_gamma(x, 1.5),
        "grayscale": _pixels.rgb_to_grayscale,
        "solarize": lambda x: _pixels.solarize(x, 100),
        "posterize": lambda x: _pixels.posterize(x, 3),
        "autocontrast": _pixels.autocontrast,
        "equalize": _pixels.equalize,
        "sharpness": lambda x: _pixels.adjust_sharpness(x, 1.7),
        "gaussian blur 5x5": lambda x: _pixels.gaussian_blur(x, [5, 5], [1.1, 1.1]),
        "rotate bilinear": lambda x: _pixels.warp_affine(x, MATRIX, x.shape[-2:], "bilinear"),
        "rotate nearest": lambda x: _pixels.warp_affine(x, MATRIX, x.shape[-2:], "nearest"),
        "perspective bilinear": lambda x: _pixels.warp_perspective(x, COEFFICIENTS, x.shape[-2:]),
        "elastic bilinear": lambda x: _pixels.warp_displacement(x, field),
        "pad": lambda x: _pixels.pad(x, [10, 10, 10, 10]),
        "horizontal flip": _pixels.horizontal_flip,
        "vertical flip": _pixels.vertical_flip,
        "normalize to float": lambda x: _pixels.normalize_to_float(x, MEAN, STD),
    }


def torchvision_runs(field: Tensor) -> dict[str, Run]:
    """The same work with torchvision, where it is installed."""
    try:
        from torchvision.transforms.v2 import functional as peer
    except ImportError:
        return {}
    bilinear = peer.InterpolationMode.BILINEAR

    def chain(x: Tensor) -> Tensor:
        for name, factor in CHAIN:
            x = getattr(peer, f"adjust_{name}")(x, factor)
        return x

    return {
        "brightness": lambda x: peer.adjust_brightness(x, 1.3),
        "contrast": lambda x: peer.adjust_contrast(x, 1.3),
        "saturation": lambda x: peer.adjust_saturation(x, 1.3),
        "hue": lambda x: peer.adjust_hue(x, 0.2),
        "brightness, contrast, saturation, hue": chain,
        "gamma": lambda x: peer.adjust_gamma(x, 1.5),
        "grayscale": peer.rgb_to_grayscale,
        "solarize": lambda x: peer.solarize(x, 100),
        "posterize": lambda x: peer.posterize(x, 3),
        "autocontrast": peer.autocontrast,
        "equalize": peer.equalize,
        "sharpness": lambda x: peer.adjust_sharpness(x, 1.7),
        "gaussian blur 5x5": lambda x: peer.gaussian_blur(x, [5, 5], [1.1, 1.1]),
        "rotate bilinear": lambda x: peer.rotate(x, ANGLE, interpolation=bilinear),
        "rotate nearest": lambda x: peer.rotate(x, ANGLE),
        "perspective bilinear": lambda x: peer.perspective(x, None, None, bilinear, None, COEFFICIENTS),
        "elastic bilinear": lambda x: peer.elastic(x, field),
        "pad": lambda x: peer.pad(x, [10, 10, 10, 10]),
        "horizontal flip": peer.horizontal_flip,
        "vertical flip": peer.vertical_flip,
        "normalize to float": lambda x: peer.normalize(peer.to_dtype(x, torch.float32, scale=True), MEAN, STD),
    }


def opencv_runs(height: int, width: int, field: Tensor) -> dict[str, Run]:
    """What OpenCV has of it, on interleaved arrays."""
    try:
        import cv2
        import numpy as np
    except ImportError:
        return {}
    invert = np.where(np.arange(256) >= 100, 255 - np.arange(256), np.arange(256)).astype(np.uint8)
    matrix = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), ANGLE, 1)
    perspective = np.array([*COEFFICIENTS, 1.0]).reshape(3, 3)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    y, x = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    shift = field[0].numpy()
    columns = (x + shift[..., 0] * width / 2).astype(np.float32)
    rows = (y + shift[..., 1] * height / 2).astype(np.float32)
    size = (width, height)
    return {
        "brightness": lambda a: cv2.convertScaleAbs(a, alpha=1.3),
        "grayscale": lambda a: cv2.cvtColor(a, cv2.COLOR_RGB2GRAY),
        "solarize": lambda a: cv2.LUT(a, invert),
        "equalize": lambda a: cv2.merge([cv2.equalizeHist(plane) for plane in cv2.split(a)]),
        "gaussian blur 5x5": lambda a: cv2.GaussianBlur(a, (5, 5), 1.1, borderType=cv2.BORDER_REFLECT_101),
        "rotate bilinear": lambda a: cv2.warpAffine(a, matrix, size, flags=cv2.INTER_LINEAR),
        "rotate nearest": lambda a: cv2.warpAffine(a, matrix, size, flags=cv2.INTER_NEAREST),
        "perspective bilinear": lambda a: cv2.warpPerspective(a, perspective, size, flags=flags),
        "elastic bilinear": lambda a: cv2.remap(a, columns, rows, cv2.INTER_LINEAR),
        "pad": lambda a: cv2.copyMakeBorder(a, 10, 10, 10, 10, cv2.BORDER_CONSTANT),
        "horizontal flip": lambda a: cv2.flip(a, 1),
        "vertical flip": lambda a: cv2.flip(a, 0),
    }


def agree(result: Tensor, expected: Tensor) -> bool:
    """Whether two results are the same, but for rounding. A chain rounds four times."""
    return bool((result.double() - expected.double()).abs().max() <= (3 if result.dtype == torch.uint8 else 1e-5))


def main(path: Path) -> None:
    """Time every operation at every size and write the results."""
    results = {}
    for height, width in SIZES:
        hwc = picture(height, width)
        chw, array = hwc.contiguous(), hwc.permute(1, 2, 0).numpy()
        field = displacement(chw)
        peers, opencv = torchvision_runs(field), opencv_runs(height, width, field)
        for name, run in ours(field).items():
            found = run(chw)
            if found is None:  # a flip so small that it is left to torch
                continue
            if name in peers:
                assert agree(found, peers[name](chw)), name
            candidates: dict[str, Callable[[], object]] = {
                "vision-core CHW": lambda run=run, x=chw: run(x),
                "vision-core HWC": lambda run=run, x=hwc: run(x),
                "clone": chw.clone,
            }
            if name in peers:
                candidates["torchvision CHW"] = lambda run=peers[name], x=chw: run(x)
                candidates["torchvision HWC"] = lambda run=peers[name], x=hwc: run(x)
            if name in opencv:
                candidates["OpenCV HWC"] = lambda run=opencv[name], a=array: run(a)
            results[f"{name}, {height}x{width}"] = race(candidates, repeat=11)
    show(results, title="8-bit images")
    write_json(path, results)


if __name__ == "__main__":
    script(main)
