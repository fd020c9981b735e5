"""One value to one value: invert, posterize, solarize, gamma."""

from __future__ import annotations

import ctypes
import functools
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vision_core import _pixels
from vision_core.transforms.functional._dispatch import functional, video_kernel
from vision_core.transforms.functional._dtype import to_dtype_image
from vision_core.transforms.functional._values import max_value, value_bits

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "adjust_gamma",
    "adjust_gamma_image",
    "adjust_gamma_video",
    "invert",
    "invert_image",
    "invert_video",
    "posterize",
    "posterize_image",
    "posterize_video",
    "solarize",
    "solarize_image",
    "solarize_video",
]


def invert_image(image: Tensor) -> Tensor:
    """Turn black into white and white into black.

    Args:
        image: any shape and dtype.

    Returns:
        The same shape and dtype.

    Examples:
        >>> import torch
        >>> invert_image(torch.tensor([0, 55, 255], dtype=torch.uint8)).tolist()
        [255, 200, 0]
    """
    if image.is_floating_point():
        return 1.0 - image
    native = _pixels.invert(image)
    if native is not None:
        return native
    if image.dtype in (torch.uint8, torch.bool):
        return image.bitwise_not()
    if image.dtype == torch.uint16:
        return (65535 - image.to(torch.int32)).to(torch.uint16)
    return image.bitwise_xor(max_value(image.dtype))  # white minus value; all bits but the sign flip


def _invert_pil(image: Image) -> Image:
    from PIL import ImageOps

    return ImageOps.invert(image)


def posterize_image(image: Tensor, bits: int) -> Tensor:
    """Keep only the highest bits of each value.

    Args:
        image: any shape; floating point in 0..1 or integer.
        bits: how many are kept: 0 (black) to 8, or to the bits of an integer dtype; floating-point images get `2**bits`
            levels.

    Returns:
        The same shape and dtype.

    Raises:
        TypeError: another number of bits.

    Examples:
        >>> import torch
        >>> posterize_image(torch.tensor([100, 200], dtype=torch.uint8), 2).tolist()
        [64, 192]
    """
    most = 8 if image.is_floating_point() else max(8, value_bits(image.dtype))
    if not isinstance(bits, int) or not 0 <= bits <= most:
        raise TypeError(f"bits: expected an integer in 0..{most} for {image.dtype}, got {bits!r}")
    if image.is_floating_point():
        levels = 1 << bits
        return image.mul(levels).floor_().clamp_(0, levels - 1).mul_(1.0 / levels)
    native = _pixels.posterize(image, bits)
    if native is not None:
        return native
    all_bits = value_bits(image.dtype)
    if bits >= all_bits:
        return image
    mask = ((1 << bits) - 1) << (all_bits - bits)
    if image.dtype == torch.uint16:
        return (image.to(torch.int32) & mask).to(torch.uint16)
    return image & mask


def _posterize_pil(image: Image, bits: int) -> Image:
    from PIL import ImageOps

    return ImageOps.posterize(image, bits)


def solarize_image(image: Tensor, threshold: float) -> Tensor:
    """Invert the values that are not below a threshold.

    Args:
        image: any shape and dtype.
        threshold: in the range of the image's values; 0 inverts all.

    Returns:
        The same shape and dtype.

    Raises:
        TypeError: a threshold above white.

    Examples:
        >>> import torch
        >>> solarize_image(torch.tensor([100, 200], dtype=torch.uint8), 128).tolist()
        [100, 55]
    """
    white = max_value(image.dtype)
    if threshold > white:
        raise TypeError(f"threshold: expected at most {white}, white for {image.dtype}, got {threshold}")
    if _pixels.applies(image):
        # torch compares as float32, in which 170.000005 is 170.
        native = _pixels.solarize(image, ctypes.c_float(threshold).value)
        if native is not None:
            return native
    if image.dtype == torch.uint16:  # few of torch's operators know it
        values = image.to(torch.int32)
        return torch.where(values >= threshold, white - values, values).to(torch.uint16)
    return torch.where(image >= threshold, invert_image(image), image)


def _solarize_pil(image: Image, threshold: float) -> Image:
    from PIL import ImageOps

    return ImageOps.solarize(image, threshold)  # type: ignore[arg-type]


def adjust_gamma_image(image: Tensor, gamma: float, gain: float = 1.0) -> Tensor:
    """Raise values, taken as 0..1, to a power: `gain * value ** gamma`.

    Args:
        image: any shape; floating point in 0..1 or integer.
        gamma: 0 or more; above 1 shadows get darker, below 1 lighter.
        gain: factor.

    Returns:
        The same shape and dtype.

    Raises:
        ValueError: a negative `gamma`.
        RuntimeError: int32 and int64 images, whose values float32 cannot hold.

    Examples:
        >>> import torch
        >>> adjust_gamma_image(torch.tensor([0.25]), 0.5).item()
        0.5
    """
    if gamma < 0:
        raise ValueError(f"gamma: expected 0 or more, got {gamma}")
    native = _pixels.adjust_gamma(image, gamma, gain)
    if native is not None:
        return native
    values = image if image.is_floating_point() else to_dtype_image(image, torch.float32, scale=True)
    powers = values.pow(gamma)
    if gain != 1.0:
        powers = powers.mul_(gain).clamp_(0.0, 1.0)
    # To integers as to_dtype does, which for whole numbers below white rounds down.
    return powers if powers.dtype == image.dtype else to_dtype_image(powers, image.dtype, scale=True)


def _adjust_gamma_pil(image: Image, gamma: float, gain: float = 1.0) -> Image:
    if gamma < 0:
        raise ValueError(f"gamma: expected 0 or more, got {gamma}")
    if image.mode == "RGB":
        return image.point(_gamma_table(gamma, gain))
    return image.convert("RGB").point(_gamma_table(gamma, gain)).convert(image.mode)


@functools.lru_cache(maxsize=16)
def _gamma_table(gamma: float, gain: float) -> list[int]:
    return [int(min(255.999, 255.999 * gain * (value / 255) ** gamma)) for value in range(256)] * 3


invert_video = video_kernel(invert_image)
posterize_video = video_kernel(posterize_image)
solarize_video = video_kernel(solarize_image)
adjust_gamma_video = video_kernel(adjust_gamma_image)
invert = functional(invert_image, pil=_invert_pil)
posterize = functional(posterize_image, pil=_posterize_pil)
solarize = functional(solarize_image, pil=_solarize_pil)
adjust_gamma = functional(adjust_gamma_image, pil=_adjust_gamma_pil)
