"""Channels of 16-bit samples."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from vision_io._image.mode import ImageReadMode

__all__ = ["channels16"]


def channels16(samples: Tensor, mode: ImageReadMode) -> Tensor:
    """16-bit samples (C, H, W) with the channels of ``mode``; luma by BT.601."""
    if mode is ImageReadMode.UNCHANGED:
        return samples
    array = samples.numpy()
    alpha = array[-1:] if len(array) in (2, 4) else np.full_like(array[:1], 65535)
    colour = array[: len(array) - 1] if len(array) in (2, 4) else array
    if mode in (ImageReadMode.GRAY, ImageReadMode.GRAY_ALPHA) and len(colour) == 3:
        luma = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
        colour = np.rint(luma)[None].astype(np.uint16)
    if mode in (ImageReadMode.RGB, ImageReadMode.RGB_ALPHA) and len(colour) == 1:
        colour = np.repeat(colour, 3, axis=0)
    if mode in (ImageReadMode.GRAY_ALPHA, ImageReadMode.RGB_ALPHA):
        colour = np.concatenate((colour, alpha))
    return torch.from_numpy(np.ascontiguousarray(colour))
