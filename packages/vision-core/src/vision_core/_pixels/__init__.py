"""Kernels for 8-bit images on the CPU, faster than the torch operators that do the same work.

Every function takes a uint8 tensor `[..., C, H, W]`, planar or channels-last, and plain numbers, and returns a new
tensor of the same memory order. It returns None where it does not apply: without the native module, for another dtype
or device, for tensor subclasses, while torch compiles, traces or maps. The caller then runs torch's operators:

    result = _pixels.adjust_brightness(image, factor)
    if result is None:
        ...

Arguments are checked by the caller. Nothing here takes part in autograd: 8-bit images have no gradient.
"""

from vision_core._pixels._blur import adjust_sharpness, gaussian_blur
from vision_core._pixels._colour import adjust_hue, adjust_saturation, colour_chain, rgb_to_grayscale
from vision_core._pixels._copy import horizontal_flip, pad, vertical_flip
from vision_core._pixels._jpeg import jpeg_loss
from vision_core._pixels._memory import allocate_as, applies, describe
from vision_core._pixels._normalize import normalize, normalize_to_float
from vision_core._pixels._pass import pixel_pass
from vision_core._pixels._points import (
    add_noise,
    adjust_brightness,
    adjust_contrast,
    adjust_gamma,
    apply_lut,
    autocontrast,
    equalize,
    histogram,
    invert,
    posterize,
    solarize,
)
from vision_core._pixels._warp import warp_affine, warp_displacement, warp_perspective

__all__ = [
    "add_noise",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "adjust_sharpness",
    "allocate_as",
    "applies",
    "apply_lut",
    "autocontrast",
    "colour_chain",
    "describe",
    "equalize",
    "gaussian_blur",
    "histogram",
    "horizontal_flip",
    "invert",
    "jpeg_loss",
    "normalize",
    "normalize_to_float",
    "pad",
    "pixel_pass",
    "posterize",
    "rgb_to_grayscale",
    "solarize",
    "vertical_flip",
    "warp_affine",
    "warp_displacement",
    "warp_perspective",
]
