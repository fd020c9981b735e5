"""Transforms of clips ``[C, T, H, W]`` as modules."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from video.transforms import functional as F
from video.transforms.resizing import ResizeOperator, find_resize

__all__ = [
    "CenterCrop",
    "ConvertFloatToUint8",
    "ConvertUint8ToFloat",
    "Div255",
    "MoveChannelFront",
    "MoveChannelRear",
    "Normalize",
    "Permute",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "RandomShortSideScale",
    "ShortSideScale",
    "UniformTemporalSubsample",
    "UniformTemporalSubsampleRepeated",
]


class UniformTemporalSubsample(nn.Module):
    """Keep frames at equal distances; see :func:`~video.transforms.functional.uniform_temporal_subsample`.

    Where clips come from a data set, ``num_frames=`` there decodes only those frames.

    Args:
        num_samples: Frames to keep.
        temporal_dim: Axis of time.
    """

    def __init__(self, num_samples: int, temporal_dim: int = -3) -> None:
        super().__init__()
        self._num_samples = num_samples
        self._temporal_dim = temporal_dim

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[C, T, H, W]`` to ``[C, num_samples, H, W]``."""
        return F.uniform_temporal_subsample(x, self._num_samples, self._temporal_dim)


class UniformTemporalSubsampleRepeated(nn.Module):
    """Make the pathways of a SlowFast network from one clip.

    Args:
        frame_ratios: Pathway ``i`` has ``T // frame_ratios[i]`` frames, e.g. ``(4, 1)``.
        temporal_dim: Axis of time.
    """

    def __init__(self, frame_ratios: tuple[int, ...], temporal_dim: int = -3) -> None:
        super().__init__()
        self._frame_ratios = frame_ratios
        self._temporal_dim = temporal_dim

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map ``[C, T, H, W]`` to one clip per ratio."""
        return F.uniform_temporal_subsample_repeated(x, self._frame_ratios, self._temporal_dim)


class ShortSideScale(nn.Module):
    """Resize so that the short side is ``size``; see :func:`~video.transforms.functional.short_side_scale`.

    Args:
        size: Short side in pixels.
        interpolation: ``"nearest"``, ``"bilinear"`` or ``"bicubic"``.
        antialias: Widen the filter when shrinking.
        resize: The resizing operator; ``None`` for the installed one.
    """

    def __init__(
        self,
        size: int,
        interpolation: str = "bilinear",
        *,
        antialias: bool = False,
        resize: ResizeOperator | None = None,
    ) -> None:
        super().__init__()
        self._size = size
        self._interpolation = interpolation
        self._antialias = antialias
        self._resize = find_resize(resize)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[C, T, H, W]`` to ``[C, T, H', W']``."""
        return F.short_side_scale(x, self._size, self._interpolation, self._antialias, self._resize)


class RandomShortSideScale(nn.Module):
    """Resize so that the short side is a random number of pixels.

    Args:
        min_size: Least short side.
        max_size: Greatest short side.
        interpolation: ``"nearest"``, ``"bilinear"`` or ``"bicubic"``.
        antialias: Widen the filter when shrinking.
        resize: The resizing operator; ``None`` for the installed one.
    """

    def __init__(
        self,
        min_size: int,
        max_size: int,
        interpolation: str = "bilinear",
        *,
        antialias: bool = False,
        resize: ResizeOperator | None = None,
    ) -> None:
        super().__init__()
        if not 0 < min_size <= max_size:
            raise ValueError(f"expected 0 < min_size <= max_size, got {min_size} and {max_size}")
        self._min_size = min_size
        self._max_size = max_size
        self._interpolation = interpolation
        self._antialias = antialias
        self._resize = find_resize(resize)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[C, T, H, W]`` to ``[C, T, H', W']``."""
        size = int(torch.randint(self._min_size, self._max_size + 1, ()))
        return F.short_side_scale(x, size, self._interpolation, self._antialias, self._resize)


class CenterCrop(nn.Module):
    """Cut out the centre; see :func:`~video.transforms.functional.center_crop`.

    Args:
        size: Height and width in pixels; one number for a square.
    """

    def __init__(self, size: int | tuple[int, int]) -> None:
        super().__init__()
        self._size = size

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[..., H, W]`` to ``[..., size, size]``."""
        return F.center_crop(x, self._size)


class RandomCrop(nn.Module):
    """Cut out a box at a random place, the same in all frames.

    Args:
        size: Height and width in pixels; one number for a square.
    """

    def __init__(self, size: int | tuple[int, int]) -> None:
        super().__init__()
        self._height, self._width = (size, size) if isinstance(size, int) else size

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[..., H, W]`` to ``[..., size, size]``."""
        F._check_fits(x, self._height, self._width)
        top = int(torch.randint(0, x.shape[-2] - self._height + 1, ()))
        left = int(torch.randint(0, x.shape[-1] - self._width + 1, ()))
        return x[..., top : top + self._height, left : left + self._width]


class RandomHorizontalFlip(nn.Module):
    """Mirror a clip from left to right with a probability.

    Args:
        p: The probability.
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self._p = p

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[..., H, W]`` to the same shape."""
        return x.flip(-1) if float(torch.rand(())) < self._p else x


class RandomResizedCrop(nn.Module):
    """Cut out a random box and resize it; see :func:`~video.transforms.functional.random_resized_crop`.

    Args:
        target_height: Height of the result.
        target_width: Width of the result.
        scale: Range of the box's area, as a share of the frame's.
        aspect_ratio: Range of the box's width over height.
        shift: Let the box move through the clip.
        log_uniform_ratio: Draw the logarithm of the ratio uniformly.
        interpolation: ``"nearest"``, ``"bilinear"`` or ``"bicubic"``.
        num_tries: Draws before falling back to a centred box.
        antialias: Widen the filter when shrinking.
        resize: The resizing operator; ``None`` for the installed one.
    """

    def __init__(
        self,
        target_height: int,
        target_width: int,
        scale: tuple[float, float],
        aspect_ratio: tuple[float, float],
        shift: bool = False,
        log_uniform_ratio: bool = True,
        interpolation: str = "bilinear",
        num_tries: int = 10,
        *,
        antialias: bool = False,
        resize: ResizeOperator | None = None,
    ) -> None:
        super().__init__()
        self._options: dict[str, Any] = {
            "target_height": target_height,
            "target_width": target_width,
            "scale": scale,
            "aspect_ratio": aspect_ratio,
            "shift": shift,
            "log_uniform_ratio": log_uniform_ratio,
            "interpolation": interpolation,
            "num_tries": num_tries,
            "antialias": antialias,
            "resize": find_resize(resize),
        }

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[C, T, H, W]`` to ``[C, T, target_height, target_width]``."""
        return F.random_resized_crop(x, **self._options)


class Normalize(nn.Module):
    """Subtract mean and divide by deviation of each channel; see :func:`~video.transforms.functional.normalize`.

    Args:
        mean: Mean of each channel, for values in 0..1.
        std: Standard deviation of each channel.

    Examples:
        >>> Normalize((0.45, 0.45, 0.45), (0.225, 0.225, 0.225))(torch.zeros(3, 4, 8, 8)).unique()
        tensor([-2.])
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.mean = tuple(mean)
        self.std = tuple(std)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[..., C, T, H, W]``, float or uint8, to float of the same shape."""
        return F.normalize(x, self.mean, self.std)


class Div255(nn.Module):
    """Divide by 255, giving float."""

    def forward(self, x: Tensor) -> Tensor:
        """Map a tensor of any shape."""
        return F.div_255(x)


class ConvertUint8ToFloat(nn.Module):
    """Turn uint8 0..255 into float 0..1."""

    def forward(self, x: Tensor) -> Tensor:
        """Map a uint8 tensor of any shape; another dtype raises ``ValueError``."""
        if x.dtype != torch.uint8:
            raise ValueError(f"expected uint8, got {x.dtype}")
        return F.div_255(x)


class ConvertFloatToUint8(nn.Module):
    """Turn float 0..1 into uint8 0..255; each of the 256 values stands for an equal share of 0..1."""

    def forward(self, x: Tensor) -> Tensor:
        """Map a float tensor of any shape; another dtype raises ``ValueError``."""
        if not x.is_floating_point():
            raise ValueError(f"expected a float tensor, got {x.dtype}")
        return (x * 255.999).to(torch.uint8)


class MoveChannelRear(nn.Module):
    """Map ``[C, T, H, W]`` to ``[T, H, W, C]``."""

    def forward(self, x: Tensor) -> Tensor:
        """Move the first axis to the end."""
        return x.permute(1, 2, 3, 0)


class MoveChannelFront(nn.Module):
    """Map ``[T, H, W, C]`` to ``[C, T, H, W]``."""

    def forward(self, x: Tensor) -> Tensor:
        """Move the last axis to the front."""
        return x.permute(3, 0, 1, 2)


class Permute(nn.Module):
    """Reorder axes.

    Args:
        dims: The old axis at each new place.

    Raises:
        ValueError: When ``dims`` is no permutation.
    """

    def __init__(self, dims: Sequence[int]) -> None:
        super().__init__()
        if sorted(dims) != list(range(len(dims))):
            raise ValueError(f"expected each of 0 to {len(dims) - 1} once, got {tuple(dims)}")
        self._dims = tuple(dims)

    def forward(self, x: Tensor) -> Tensor:
        """Reorder the axes of ``x``."""
        return x.permute(self._dims)
