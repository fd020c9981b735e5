"""How large an image is."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from vision_core._pillow import is_pil_image
from vision_core.tv_tensors import BoundingBoxes, Image, KeyPoints, Mask, TVTensor, Video

if TYPE_CHECKING:
    import PIL.Image

__all__ = [
    "get_dimensions",
    "get_dimensions_image",
    "get_dimensions_video",
    "get_image_num_channels",
    "get_image_size",
    "get_num_channels",
    "get_num_channels_image",
    "get_num_channels_video",
    "get_num_frames",
    "get_num_frames_video",
    "get_size",
    "get_size_bounding_boxes",
    "get_size_image",
    "get_size_keypoints",
    "get_size_mask",
    "get_size_video",
]

Pixels = Any  # a tensor, a PIL image or a NumPy array


def get_dimensions(inpt: Tensor | PIL.Image.Image | np.ndarray) -> list[int]:
    """Return `[channels, height, width]` of an image or a video.

    Args:
        inpt: a tensor `[..., C, H, W]` or `[H, W]`, a PIL image, or an array `[..., H, W, C]` or `[H, W]`.

    Raises:
        TypeError: none of these.
        ValueError: less than two dimensions.

    Examples:
        >>> import torch
        >>> get_dimensions(torch.zeros(8, 3, 32, 48))
        [3, 32, 48]
    """
    if isinstance(inpt, Tensor) and (not isinstance(inpt, TVTensor) or isinstance(inpt, (Image, Video))):
        return get_dimensions_image(inpt)
    if is_pil_image(inpt):
        return [len(inpt.getbands()), inpt.height, inpt.width]
    if isinstance(inpt, np.ndarray):
        if inpt.ndim < 2:
            raise ValueError(f"inpt: expected [..., H, W, C] or [H, W], got shape {inpt.shape}")
        height, width, channels = inpt.shape[-3:] if inpt.ndim > 2 else (*inpt.shape, 1)
        return [channels, height, width]
    raise TypeError(f"inpt: expected an image tensor, a PIL image or a NumPy array, got {type(inpt).__name__}")


def get_dimensions_image(image: Tensor) -> list[int]:
    """Return `[channels, height, width]` of an image tensor `[..., C, H, W]` or `[H, W]`."""
    if image.ndim < 2:
        raise ValueError(f"image: expected [..., C, H, W] or [H, W], got shape {tuple(image.shape)}")
    return [1 if image.ndim == 2 else image.shape[-3], image.shape[-2], image.shape[-1]]


def get_dimensions_video(video: Tensor) -> list[int]:
    """Return `[channels, height, width]` of a video `[..., T, C, H, W]`."""
    return get_dimensions_image(video)


def get_num_channels(inpt: Tensor | PIL.Image.Image | np.ndarray) -> int:
    """Return the number of channels of an image or a video; see `get_dimensions`.

    Examples:
        >>> import torch
        >>> get_num_channels(torch.zeros(3, 32, 48))
        3
    """
    return get_dimensions(inpt)[0]


def get_num_channels_image(image: Tensor) -> int:
    """Return the number of channels of an image tensor."""
    return get_dimensions_image(image)[0]


def get_num_channels_video(video: Tensor) -> int:
    """Return the number of channels of a video `[..., T, C, H, W]`."""
    return get_dimensions_image(video)[0]


get_image_num_channels = get_num_channels


def get_size(inpt: Tensor | PIL.Image.Image | np.ndarray) -> list[int]:
    """Return `[height, width]` of an image, a video or a mask, or of the image that boxes or keypoints are in.

    Examples:
        >>> import torch
        >>> get_size(torch.zeros(3, 32, 48))
        [32, 48]
    """
    if isinstance(inpt, (BoundingBoxes, KeyPoints)):
        return list(inpt.canvas_size)
    if isinstance(inpt, (Image, Video, Mask)) or (isinstance(inpt, Tensor) and not isinstance(inpt, TVTensor)):
        shape = inpt.shape
        if len(shape) > 1:
            return [shape[-2], shape[-1]]
    if is_pil_image(inpt):
        width, height = inpt.size
        return [height, width]
    return get_dimensions(inpt)[1:]


def get_size_image(image: Tensor) -> list[int]:
    """Return `[height, width]` of an image tensor."""
    return get_dimensions_image(image)[1:]


def get_size_video(video: Tensor) -> list[int]:
    """Return `[height, width]` of a video `[..., T, C, H, W]`."""
    return get_dimensions_image(video)[1:]


def get_size_mask(mask: Tensor) -> list[int]:
    """Return `[height, width]` of masks `[..., H, W]`."""
    return get_dimensions_image(mask)[1:]


def get_size_bounding_boxes(bounding_box: BoundingBoxes) -> list[int]:
    """Return `[height, width]` of the image that boxes are in."""
    return list(bounding_box.canvas_size)


def get_size_keypoints(keypoints: KeyPoints) -> list[int]:
    """Return `[height, width]` of the image that keypoints are in."""
    return list(keypoints.canvas_size)


def get_image_size(inpt: Tensor | PIL.Image.Image | np.ndarray) -> list[int]:
    """Return `[width, height]`, in the order of Pillow; `get_size` is what new code should use."""
    warnings.warn("get_image_size returns [width, height]; use get_size, [height, width]", stacklevel=2)
    height, width = get_size(inpt)
    return [width, height]


def get_num_frames(inpt: Tensor) -> int:
    """Return the number of frames of a video `[..., T, C, H, W]`.

    Raises:
        TypeError: no video and no plain tensor.

    Examples:
        >>> import torch
        >>> get_num_frames(torch.zeros(8, 3, 4, 5))
        8
    """
    if not isinstance(inpt, Tensor) or (isinstance(inpt, TVTensor) and not isinstance(inpt, Video)):
        raise TypeError(f"inpt: expected a video or a plain tensor, got {type(inpt).__name__}")
    return get_num_frames_video(inpt)


def get_num_frames_video(video: Tensor) -> int:
    """Return the number of frames of a video `[..., T, C, H, W]`."""
    return video.shape[-4]
