"""Between colour and gray, and the order of channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vision_core import _pixels
from vision_core.transforms.functional._dispatch import functional, video_kernel
from vision_core.transforms.functional._values import check_channels, to_working

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "grayscale_to_rgb",
    "grayscale_to_rgb_image",
    "luma",
    "permute_channels",
    "permute_channels_image",
    "permute_channels_video",
    "rgb_to_grayscale",
    "rgb_to_grayscale_image",
    "to_grayscale",
]


def luma(image: Tensor) -> Tensor:
    """Luma of `[..., 3, H, W]` by ITU-R BT.601: floats `[..., 1, H, W]`, whole ones for integer images."""
    red, green, blue = to_working(image).unbind(-3)
    gray = red.mul(0.2989).add_(green, alpha=0.587).add_(blue, alpha=0.114).unsqueeze(-3)
    return gray if image.is_floating_point() or image.dtype == torch.bool else gray.floor_()


def rgb_to_grayscale_image(image: Tensor, num_output_channels: int = 1) -> Tensor:
    """Make RGB images gray, with the weights 0.2989, 0.587 and 0.114 of ITU-R BT.601.

    Args:
        image: `[..., 3 or 1, H, W]`, any dtype.
        num_output_channels: 1, or 3 equal ones.

    Returns:
        `[..., num_output_channels, H, W]`, the dtype of `image`; integer values are cut down, not rounded.

    Raises:
        ValueError: another number of channels, or `num_output_channels` is neither 1 nor 3.

    Examples:
        >>> import torch
        >>> rgb_to_grayscale_image(torch.tensor([255, 0, 0], dtype=torch.uint8).view(3, 1, 1)).item()
        76
    """
    if num_output_channels not in (1, 3):
        raise ValueError(f"num_output_channels: expected 1 or 3, got {num_output_channels}")
    channels = check_channels(image, ValueError)
    if channels == 3:
        native = _pixels.rgb_to_grayscale(image, num_output_channels)
        if native is not None:
            return native
    gray = luma(image) if channels == 3 else image.clone()
    gray = gray if gray.dtype == image.dtype else gray.to(image.dtype)
    # Written out, not a view of one channel: users write into images.
    return gray if num_output_channels == 1 else torch.cat([gray, gray, gray], dim=-3)


def _rgb_to_grayscale_pil(image: Image, num_output_channels: int = 1) -> Image:
    import PIL.Image

    if num_output_channels not in (1, 3):
        raise ValueError(f"num_output_channels: expected 1 or 3, got {num_output_channels}")
    gray = image.convert("L")
    return gray if num_output_channels == 1 else PIL.Image.merge("RGB", (gray, gray, gray))


def grayscale_to_rgb_image(image: Tensor) -> Tensor:
    """Give gray images three equal channels; RGB images stay, and so does what has more channels.

    Args:
        image: `[..., C, H, W]`, any dtype.

    Returns:
        `[..., 3, H, W]`; `image` itself if it has three channels or more.

    Raises:
        ValueError: two channels.

    Examples:
        >>> import torch
        >>> grayscale_to_rgb_image(torch.zeros(1, 4, 4)).shape
        torch.Size([3, 4, 4])
    """
    if image.ndim >= 3 and image.shape[-3] >= 3:
        return image
    check_channels(image, ValueError)
    return torch.cat([image, image, image], dim=-3)


def _grayscale_to_rgb_pil(image: Image) -> Image:
    return image.convert("RGB")


def permute_channels_image(image: Tensor, permutation: Sequence[int]) -> Tensor:
    """Put channels into another order.

    Args:
        image: `[..., C, H, W]`, any dtype.
        permutation: for each channel of the result, the channel of `image` that it comes from.

    Returns:
        The same shape and dtype.

    Raises:
        ValueError: not C numbers.

    Examples:
        >>> import torch
        >>> permute_channels_image(torch.tensor([1, 2, 3]).view(3, 1, 1), [2, 1, 0]).flatten().tolist()
        [3, 2, 1]
    """
    if image.ndim < 3 or len(permutation) != image.shape[-3]:
        raise ValueError(
            f"permutation: expected a number for each channel of [..., C, H, W], got {len(permutation)} of them "
            f"for shape {tuple(image.shape)}"
        )
    if isinstance(permutation, Tensor):
        return image[..., permutation.to(image.device), :, :]
    planes = image.unbind(-3)
    return torch.stack([planes[channel] for channel in permutation], dim=-3)


def _permute_channels_pil(image: Image, permutation: Sequence[int]) -> Image:
    import PIL.Image

    if len(permutation) != len(image.getbands()):
        raise ValueError(
            f"permutation: expected a number for each of the channels {image.getbands()}, got {len(permutation)}"
        )
    bands = image.split()
    return PIL.Image.merge(image.mode, [bands[channel] for channel in permutation])


permute_channels_video = video_kernel(permute_channels_image)
rgb_to_grayscale = to_grayscale = functional(rgb_to_grayscale_image, pil=_rgb_to_grayscale_pil)
grayscale_to_rgb = functional(grayscale_to_rgb_image, pil=_grayscale_to_rgb_pil)
permute_channels = functional(permute_channels_image, pil=_permute_channels_pil)
