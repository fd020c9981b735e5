"""Brightness, contrast, saturation and sharpness: images mixed with black, their mean, their gray and their blur."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from vision_core import _pixels
from vision_core.transforms.functional._dispatch import functional, video_kernel
from vision_core.transforms.functional._grayscale import luma
from vision_core.transforms.functional._values import check_channels, from_working, to_working

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "adjust_brightness",
    "adjust_brightness_image",
    "adjust_brightness_video",
    "adjust_contrast",
    "adjust_contrast_image",
    "adjust_contrast_video",
    "adjust_saturation",
    "adjust_saturation_image",
    "adjust_saturation_video",
    "adjust_sharpness",
    "adjust_sharpness_image",
    "adjust_sharpness_video",
]


def _check_factor(argument: str, factor: float) -> None:
    if factor < 0:
        raise ValueError(f"{argument}: expected 0 or more (1 leaves the image as it is), got {factor}")


def _mix(image: Tensor, other: Tensor, factor: float) -> Tensor:
    """Go from `other` (factor 0) to `image` (1) and beyond."""
    return from_working(to_working(image).mul(factor).add_(other, alpha=1.0 - factor), image.dtype)


def adjust_brightness_image(image: Tensor, brightness_factor: float) -> Tensor:
    """Multiply all values.

    Args:
        image: `[..., 1 or 3, H, W]`, any dtype.
        brightness_factor: 0 gives black, 1 the image, 2 twice the brightness.

    Returns:
        The same shape and dtype; values beyond white are cut off, integers cut down.

    Raises:
        ValueError: a negative factor.
        TypeError: another number of channels.

    Examples:
        >>> import torch
        >>> adjust_brightness_image(torch.full((3, 1, 1), 101, dtype=torch.uint8), 1.5)[0].item()
        151
    """
    _check_factor("brightness_factor", brightness_factor)
    check_channels(image)
    native = _pixels.adjust_brightness(image, brightness_factor)
    if native is not None:
        return native
    return from_working(to_working(image) * brightness_factor, image.dtype)


def _adjust_brightness_pil(image: Image, brightness_factor: float) -> Image:
    from PIL import ImageEnhance

    _check_factor("brightness_factor", brightness_factor)
    return ImageEnhance.Brightness(image).enhance(brightness_factor)


def adjust_contrast_image(image: Tensor, contrast_factor: float) -> Tensor:
    """Pull values towards the mean of the gray image, or push them away from it.

    Args:
        image: `[..., 1 or 3, H, W]`, any dtype; each image of a batch has its own mean.
        contrast_factor: 0 gives the mean, 1 the image, 2 twice the contrast.

    Returns:
        The same shape and dtype.

    Raises:
        ValueError: a negative factor.
        TypeError: another number of channels.

    Examples:
        >>> import torch
        >>> adjust_contrast_image(torch.tensor([[[0.4, 0.6]]]), 2.0)
        tensor([[[0.3000, 0.7000]]])
    """
    _check_factor("contrast_factor", contrast_factor)
    channels = check_channels(image)
    native = _pixels.adjust_contrast(image, contrast_factor)
    if native is not None:
        return native
    gray = luma(image) if channels == 3 else to_working(image)
    return _mix(image, gray.mean(dim=(-3, -2, -1), keepdim=True), contrast_factor)


def _adjust_contrast_pil(image: Image, contrast_factor: float) -> Image:
    from PIL import ImageEnhance

    _check_factor("contrast_factor", contrast_factor)
    return ImageEnhance.Contrast(image).enhance(contrast_factor)


def adjust_saturation_image(image: Tensor, saturation_factor: float) -> Tensor:
    """Pull colours towards gray, or push them away from it.

    Args:
        image: `[..., 1 or 3, H, W]`, any dtype; gray images stay.
        saturation_factor: 0 gives the gray image, 1 the image, 2 twice the saturation.

    Returns:
        The same shape and dtype.

    Raises:
        ValueError: a negative factor.
        TypeError: another number of channels.

    Examples:
        >>> import torch
        >>> colour = torch.tensor([255, 100, 0], dtype=torch.uint8).view(3, 1, 1)
        >>> adjust_saturation_image(colour, 0.0).flatten().tolist()
        [134, 134, 134]
    """
    _check_factor("saturation_factor", saturation_factor)
    if check_channels(image) == 1:
        return image
    native = _pixels.adjust_saturation(image, saturation_factor)
    if native is not None:
        return native
    return _mix(image, luma(image), saturation_factor)


def _adjust_saturation_pil(image: Image, saturation_factor: float) -> Image:
    from PIL import ImageEnhance

    _check_factor("saturation_factor", saturation_factor)
    return ImageEnhance.Color(image).enhance(saturation_factor)


def adjust_sharpness_image(image: Tensor, sharpness_factor: float) -> Tensor:
    """Mix images with a blur of 3 x 3 pixels, or push them away from it; the outermost pixels stay.

    Args:
        image: `[..., 1 or 3, H, W]`, any dtype.
        sharpness_factor: 0 gives the blurred image, 1 the image, 2 a sharp one.

    Returns:
        The same shape and dtype.

    Raises:
        ValueError: a negative factor.
        TypeError: another number of channels.

    Examples:
        >>> import torch
        >>> dot = torch.zeros(1, 3, 3)
        >>> dot[0, 1, 1] = 0.13
        >>> round(adjust_sharpness_image(dot, 0.0)[0, 1, 1].item(), 4)
        0.05
    """
    _check_factor("sharpness_factor", sharpness_factor)
    check_channels(image)
    height, width = image.shape[-2:]
    if image.numel() == 0 or height <= 2 or width <= 2:
        return image
    native = _pixels.adjust_sharpness(image, sharpness_factor)
    if native is not None:
        return native
    values = to_working(image)
    inner = values[..., 1:-1, 1:-1]
    # The weights 1 1 1 / 1 5 1 / 1 1 1 over 13 are a sum over 3 x 3 and four times the pixel; sums of shifted images
    # take half the time of torch's pooling.
    rows = (values[..., :-2, :] + values[..., 1:-1, :]).add_(values[..., 2:, :])
    blurred = (rows[..., :-2] + rows[..., 1:-1]).add_(rows[..., 2:])
    blurred = blurred.add_(inner, alpha=4.0).div_(13.0)
    if not image.is_floating_point():
        blurred.round_()
    mixed = values.clone()
    mixed[..., 1:-1, 1:-1].add_(blurred.sub_(inner), alpha=1.0 - sharpness_factor)
    return from_working(mixed, image.dtype)


def _adjust_sharpness_pil(image: Image, sharpness_factor: float) -> Image:
    from PIL import ImageEnhance

    _check_factor("sharpness_factor", sharpness_factor)
    return ImageEnhance.Sharpness(image).enhance(sharpness_factor)


adjust_brightness_video = video_kernel(adjust_brightness_image)
adjust_contrast_video = video_kernel(adjust_contrast_image)
adjust_saturation_video = video_kernel(adjust_saturation_image)
adjust_sharpness_video = video_kernel(adjust_sharpness_image)
adjust_brightness = functional(adjust_brightness_image, pil=_adjust_brightness_pil)
adjust_contrast = functional(adjust_contrast_image, pil=_adjust_contrast_pil)
adjust_saturation = functional(adjust_saturation_image, pil=_adjust_saturation_pil)
adjust_sharpness = functional(adjust_sharpness_image, pil=_adjust_sharpness_pil)
