"""Encoding through Pillow, and the checks that all encoders share."""

from __future__ import annotations

import importlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vision_io._errors import EncodeError
from vision_io._image.sniff import FORMATS

__all__ = ["check_image", "save_with_pillow"]


def check_image(image: Tensor, *, channels: Sequence[int], dtypes: Sequence[torch.dtype] = (torch.uint8,)) -> None:
    """Refuse what is no image of these channels and types.

    Raises:
        EncodeError: With what was expected.
        TypeError: Not a tensor.
    """
    if isinstance(image, Tensor) and image.dtype in dtypes:  # the usual case first: a small image is encoded in 5 us
        shape = image.shape
        if len(shape) == 3 and shape[0] in channels and shape[1] and shape[2]:
            return
    if not isinstance(image, Tensor):
        raise TypeError(f"input: got {type(image).__name__}, expected a uint8 tensor (C, H, W)")
    if image.dtype not in dtypes:
        names = " or ".join(str(dtype).removeprefix("torch.") for dtype in dtypes)
        raise EncodeError(f"input: got {image.dtype}, expected {names}; scale and convert float images first")
    if image.ndim != 3 or image.shape[0] not in channels:
        hint = "; images (H, W, C) need .permute(2, 0, 1)" if image.ndim == 3 and image.shape[-1] in (1, 3) else ""
        expected = " or ".join(f"({c}, H, W)" for c in channels)
        raise EncodeError(f"input: got shape {tuple(image.shape)}, expected {expected}{hint}")
    if 0 in image.shape:
        raise EncodeError(f"input: got shape {tuple(image.shape)}, an image without pixels")


def _to_pillow(image: Tensor) -> Any:
    from PIL import Image

    array = image.detach().cpu().permute(1, 2, 0).contiguous().numpy()
    if array.shape[2] == 2:
        return Image.fromarray(array, "LA")
    return Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)


def save_with_pillow(images: Sequence[Tensor], format: str, **options: Any) -> Tensor:
    """Encode one picture, or the frames of an animation.

    Args:
        images: Checked pictures of one size.
        format: A key of ``FORMATS``.
        options: Of Pillow's writer.

    Returns:
        The file's bytes, uint8 (N).

    Raises:
        EncodeError: Pillow cannot write them, or was built without the format.
    """
    file = io.BytesIO()
    pictures = [_to_pillow(image) for image in images]
    if len(pictures) > 1:
        options |= {"save_all": True, "append_images": pictures[1:]}
    try:
        importlib.import_module(f"PIL.{FORMATS[format]}")
        pictures[0].save(file, format=format, **options)
    except KeyError as error:
        raise EncodeError(f"this Pillow was built without {format}") from error
    except (OSError, ValueError) as error:
        width, height = pictures[0].size
        raise EncodeError(f"input: {width}x{height} pixels cannot be written as {format}: {error}") from error
    return torch.from_numpy(np.frombuffer(file.getbuffer(), dtype=np.uint8).copy())
