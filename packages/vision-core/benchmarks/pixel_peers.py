"""What `bench_pixels.py` measures: one function of an image for each operation and each library that has it.

Every set of runs is a dict of operation to function; a library that is not installed gives an empty one. What a library
has no equal of is left out: albumentations adds where torchvision multiplies, kornia knows floating point only and gets
its images as such.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

__all__ = ["CHAIN", "albumentations_runs", "kornia_runs", "opencv_runs", "pillow_runs", "resized", "tensor_runs"]

ANGLE = 20.0
COEFFICIENTS = [1.08, 0.05, -20.0, 0.04, 1.1, -15.0, 4e-5, 6e-5]
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
CHAIN = (("brightness", 1.2), ("contrast", 0.8), ("saturation", 1.3), ("hue", 0.1))

Run = Callable[[Any], Any]


def resized(height: int, width: int, larger: bool = False) -> tuple[int, int]:
    """Twice the size, or the size at which the shorter side is 256, half of it for smaller images."""
    if larger:
        return 2 * height, 2 * width
    side = min(256, max(min(height, width) * 3 // 4, 1))
    return (side, side * width // height) if height <= width else (side * height // width, side)


def margin(height: int, width: int) -> int:
    """What a crop cuts off on each side."""
    return 5 if min(height, width) > 20 else 0


def tensor_runs(f: Any, height: int, width: int, field: Tensor) -> dict[str, Run]:
    """The operations of torchvision's functional module, or of ours."""

    def chain(x: Tensor) -> Tensor:
        for name, factor in CHAIN:
            x = getattr(f, f"adjust_{name}")(x, factor)
        return x

    small, large = list(resized(height, width)), list(resized(height, width, larger=True))
    cut = margin(height, width)
    bilinear, nearest = f.InterpolationMode.BILINEAR, f.InterpolationMode.NEAREST
    return {
        "adjust brightness": lambda x: f.adjust_brightness(x, 1.3),
        "adjust contrast": lambda x: f.adjust_contrast(x, 1.3),
        "adjust saturation": lambda x: f.adjust_saturation(x, 1.3),
        "adjust hue": lambda x: f.adjust_hue(x, 0.2),
        "brightness, contrast, saturation, hue": chain,
        "adjust gamma": lambda x: f.adjust_gamma(x, 1.5),
        "grayscale": f.rgb_to_grayscale,
        "invert": f.invert,
        "solarize": lambda x: f.solarize(x, 100),
        "posterize": lambda x: f.posterize(x, 3),
        "autocontrast": f.autocontrast,
        "equalize": f.equalize,
        "sharpness": lambda x: f.adjust_sharpness(x, 1.7),
        "gaussian blur 5x5": lambda x: f.gaussian_blur(x, [5, 5], [1.1, 1.1]),
        "rotate bilinear": lambda x: f.rotate(x, ANGLE, interpolation=bilinear),
        "rotate bilinear, filled": lambda x: f.rotate(x, ANGLE, interpolation=bilinear, fill=[124.0, 116.0, 104.0]),
        "rotate nearest": lambda x: f.rotate(x, ANGLE, interpolation=nearest),
        "affine bilinear": lambda x: f.affine(x, 10.0, [5, 3], 1.1, [4.0, 2.0], interpolation=bilinear),
        "perspective bilinear": lambda x: f.perspective(x, None, None, bilinear, None, COEFFICIENTS),
        "elastic bilinear": lambda x: f.elastic(x, field),
        "pad constant": lambda x: f.pad(x, [10, 10, 10, 10]),
        "pad edge": lambda x: f.pad(x, [10, 10, 10, 10], padding_mode="edge"),
        "pad reflect": lambda x: f.pad(x, [10, 10, 10, 10], padding_mode="reflect"),
        "pad symmetric": lambda x: f.pad(x, [10, 10, 10, 10], padding_mode="symmetric"),
        "crop and copy": lambda x: f.crop(x, cut, cut, height - 2 * cut, width - 2 * cut).clone(),
        "horizontal flip": f.horizontal_flip,
        "vertical flip": f.vertical_flip,
        "normalize to float": lambda x: f.normalize(f.to_dtype(x, torch.float32, scale=True), MEAN, STD),
        "resize, smaller": lambda x: f.resize(x, small, bilinear),
        "resize, larger": lambda x: f.resize(x, large, bilinear),
        "resize bicubic, smaller": lambda x: f.resize(x, small, f.InterpolationMode.BICUBIC),
    }


def opencv_runs(height: int, width: int, field: Tensor) -> dict[str, Run]:
    """What OpenCV has of it, on interleaved arrays."""
    try:
        import cv2
        import numpy as np
    except ImportError:
        return {}
    values = np.arange(256)
    invert = np.where(values >= 100, 255 - values, values).astype(np.uint8)
    turn = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), ANGLE, 1)
    matrix = np.array([*COEFFICIENTS, 1.0]).reshape(3, 3)
    inverse = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    y, x = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    shift = field[0].numpy()
    columns = (x + shift[..., 0] * width / 2).astype(np.float32)
    rows = (y + shift[..., 1] * height / 2).astype(np.float32)
    size, (small, large) = (width, height), (resized(height, width)[::-1], resized(height, width, larger=True)[::-1])
    mean, std = (*(255 * m for m in MEAN), 0.0), (*(255 * s for s in STD), 1.0)
    fill = (124, 116, 104)
    linear = cv2.INTER_LINEAR
    return {
        "adjust brightness": lambda a: cv2.convertScaleAbs(a, alpha=1.3),
        "grayscale": lambda a: cv2.cvtColor(a, cv2.COLOR_RGB2GRAY),
        "invert": cv2.bitwise_not,
        "solarize": lambda a: cv2.LUT(a, invert),
        "equalize": lambda a: cv2.merge([cv2.equalizeHist(plane) for plane in cv2.split(a)]),
        "gaussian blur 5x5": lambda a: cv2.GaussianBlur(a, (5, 5), 1.1, borderType=cv2.BORDER_REFLECT_101),
        "rotate bilinear": lambda a: cv2.warpAffine(a, turn, size, flags=linear),
        "rotate bilinear, filled": lambda a: cv2.warpAffine(a, turn, size, flags=linear, borderValue=fill),
        "rotate nearest": lambda a: cv2.warpAffine(a, turn, size, flags=cv2.INTER_NEAREST),
        "perspective bilinear": lambda a: cv2.warpPerspective(a, matrix, size, flags=inverse),
        "elastic bilinear": lambda a: cv2.remap(a, columns, rows, linear),
        "pad constant": lambda a: cv2.copyMakeBorder(a, 10, 10, 10, 10, cv2.BORDER_CONSTANT),
        "pad edge": lambda a: cv2.copyMakeBorder(a, 10, 10, 10, 10, cv2.BORDER_REPLICATE),
        "pad reflect": lambda a: cv2.copyMakeBorder(a, 10, 10, 10, 10, cv2.BORDER_REFLECT_101),
        "pad symmetric": lambda a: cv2.copyMakeBorder(a, 10, 10, 10, 10, cv2.BORDER_REFLECT),
        "horizontal flip": lambda a: cv2.flip(a, 1),
        "vertical flip": lambda a: cv2.flip(a, 0),
        "normalize to float": lambda a: cv2.divide(cv2.subtract(a, mean, dtype=cv2.CV_32F), std),
        "resize, smaller": lambda a: cv2.resize(a, small, interpolation=cv2.INTER_AREA),
        "resize, larger": lambda a: cv2.resize(a, large, interpolation=linear),
    }


def pillow_runs(height: int, width: int) -> dict[str, Run]:
    """What Pillow has of it, on its own images."""
    from PIL import Image, ImageEnhance, ImageOps

    small, large = resized(height, width)[::-1], resized(height, width, larger=True)[::-1]
    cut, perspective = margin(height, width), Image.Transform.PERSPECTIVE
    bilinear, bicubic = Image.Resampling.BILINEAR, Image.Resampling.BICUBIC
    return {
        "adjust brightness": lambda i: ImageEnhance.Brightness(i).enhance(1.3),
        "adjust contrast": lambda i: ImageEnhance.Contrast(i).enhance(1.3),
        "adjust saturation": lambda i: ImageEnhance.Color(i).enhance(1.3),
        "grayscale": lambda i: i.convert("L"),
        "invert": ImageOps.invert,
        "solarize": lambda i: ImageOps.solarize(i, 100),
        "posterize": lambda i: ImageOps.posterize(i, 3),
        "autocontrast": ImageOps.autocontrast,
        "equalize": ImageOps.equalize,
        "sharpness": lambda i: ImageEnhance.Sharpness(i).enhance(1.7),
        "rotate bilinear": lambda i: i.rotate(ANGLE, bilinear),
        "rotate bilinear, filled": lambda i: i.rotate(ANGLE, bilinear, fillcolor=(124, 116, 104)),
        "rotate nearest": lambda i: i.rotate(ANGLE),
        "perspective bilinear": lambda i: i.transform(i.size, perspective, COEFFICIENTS, bilinear),
        "pad constant": lambda i: ImageOps.expand(i, 10),
        "crop and copy": lambda i: i.crop((cut, cut, width - cut, height - cut)),
        "horizontal flip": lambda i: i.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        "vertical flip": lambda i: i.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        "resize, smaller": lambda i: i.resize(small, bilinear),
        "resize, larger": lambda i: i.resize(large, bilinear),
        "resize bicubic, smaller": lambda i: i.resize(small, bicubic),
    }


def albumentations_runs(height: int, width: int) -> dict[str, Run]:
    """What albumentations has of it, on interleaved arrays; its transforms draw numbers from ranges without width."""
    try:
        a = importlib.import_module("albumentations")
    except ImportError:
        return {}
    small, cut = resized(height, width), margin(height, width)
    transforms = {
        "grayscale": a.ToGray(num_output_channels=1, p=1),
        "invert": a.InvertImg(p=1),
        "solarize": a.Solarize(threshold_range=(100 / 255, 100 / 255), p=1),
        "posterize": a.Posterize(num_bits=3, p=1),
        "autocontrast": a.AutoContrast(cutoff=0, method="pil", p=1),
        "equalize": a.Equalize(mode="pil", p=1),
        "gaussian blur 5x5": a.GaussianBlur(blur_limit=(5, 5), sigma_limit=(1.1, 1.1), p=1),
        "rotate bilinear": a.Rotate(limit=(ANGLE, ANGLE), p=1),
        "rotate nearest": a.Rotate(limit=(ANGLE, ANGLE), interpolation=0, p=1),
        "pad constant": a.Pad(padding=10, p=1),
        "crop and copy": a.Crop(x_min=cut, y_min=cut, x_max=width - cut, y_max=height - cut, p=1),
        "horizontal flip": a.HorizontalFlip(p=1),
        "vertical flip": a.VerticalFlip(p=1),
        "normalize to float": a.Normalize(mean=MEAN, std=STD, p=1),
        "resize, smaller": a.Resize(*small, interpolation=3, p=1),
    }
    return {name: lambda image, t=t: t(image=image)["image"] for name, t in transforms.items()}


def kornia_runs(height: int, width: int) -> dict[str, Run]:
    """What kornia has of it, on batches `[1, 3, H, W]` of floats in 0..1."""
    try:
        k = importlib.import_module("kornia")
    except ImportError:
        return {}
    angle = torch.tensor([ANGLE])
    mean, std = torch.tensor(MEAN), torch.tensor(STD)
    return {
        "adjust brightness": lambda x: k.enhance.adjust_brightness_accumulative(x, 1.3),
        "adjust saturation": lambda x: k.enhance.adjust_saturation_with_gray_subtraction(x, 1.3),
        "adjust hue": lambda x: k.enhance.adjust_hue(x, 0.2 * 2 * math.pi),
        "adjust gamma": lambda x: k.enhance.adjust_gamma(x, 1.5),
        "grayscale": k.color.rgb_to_grayscale,
        "invert": k.enhance.invert,
        "equalize": k.enhance.equalize,
        "gaussian blur 5x5": lambda x: k.filters.gaussian_blur2d(x, (5, 5), (1.1, 1.1)),
        "rotate bilinear": lambda x: k.geometry.rotate(x, angle),
        "horizontal flip": k.geometry.hflip,
        "vertical flip": k.geometry.vflip,
        "normalize to float": lambda x: k.enhance.normalize(x, mean, std),
        "resize, smaller": lambda x: k.geometry.resize(x, resized(height, width), antialias=True),
    }
