"""Frames of a video."""

from __future__ import annotations

import torch
from torch import Tensor

from vision_core.transforms.functional._dispatch import functional

__all__ = ["uniform_temporal_subsample", "uniform_temporal_subsample_video"]


def uniform_temporal_subsample_video(video: Tensor, num_samples: int) -> Tensor:
    """Pick frames at equal distances, the first and the last among them.

    Args:
        video: `[..., T, C, H, W]`, any dtype.
        num_samples: frames of the result; more than T repeats frames.

    Returns:
        `[..., num_samples, C, H, W]`.

    Examples:
        >>> import torch
        >>> uniform_temporal_subsample_video(torch.arange(9).view(9, 1, 1, 1), 3).flatten().tolist()
        [0, 4, 8]
    """
    frames = video.shape[-4]
    picked = torch.linspace(0, frames - 1, num_samples, device=video.device).long()
    return torch.index_select(video, -4, picked)


uniform_temporal_subsample = functional(uniform_temporal_subsample_video, image=None, pil=None, array=None)
