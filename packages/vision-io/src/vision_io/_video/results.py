"""What a video decoder returns: frames with their times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

__all__ = ["Frame", "FrameBatch"]


@dataclass(frozen=True)
class Frame:
    """One decoded frame.

    Attributes:
        data: RGB, (3, H, W), or (H, W, 3) for layout ``"THWC"``.
        pts_seconds: When the frame is shown.
        duration_seconds: For how long.
    """

    data: Tensor
    pts_seconds: float
    duration_seconds: float

    def __iter__(self) -> Iterator[Tensor | float]:
        yield from (self.data, self.pts_seconds, self.duration_seconds)

    def __repr__(self) -> str:
        return (
            f"Frame(data={tuple(self.data.shape)} {self.data.dtype}, pts_seconds={self.pts_seconds:.6f}, "
            f"duration_seconds={self.duration_seconds:.6f})"
        )


@dataclass(frozen=True)
class FrameBatch:
    """Decoded frames in the order that was asked for, or clips of frames.

    ``batch[i]`` is one frame (or clip) with its times, ``batch[a:b]`` a smaller batch, and iterating gives one after
    the other.

    Attributes:
        data: RGB, (N, 3, H, W) for layout ``"TCHW"``, (3, N, H, W) for ``"CTHW"``, (N, H, W, 3) for ``"THWC"``; clips
            have an axis more, the first.
        pts_seconds: When each frame is shown, float64 (N), or (clips, N).
        duration_seconds: For how long, likewise.
        damaged: Numbers of the frames, among those that were asked for, that are not whole in the file, ascending.
            With ``errors="skip"`` they are left out of ``data``; with ``"salvage"`` they are there as far as the
            decoder could conceal the damage, or as the frame before.
        layout: ``"TCHW"``, ``"CTHW"`` or ``"THWC"``.
    """

    data: Tensor
    pts_seconds: Tensor
    duration_seconds: Tensor
    damaged: tuple[int, ...] = ()
    layout: str = "TCHW"

    def __len__(self) -> int:
        return len(self.pts_seconds)

    def __getitem__(self, key: int | slice | Tensor | list[int]) -> FrameBatch:
        by_second = self.layout == "CTHW" and self.pts_seconds.ndim == 1
        data = self.data[:, key] if by_second else self.data[key]
        return FrameBatch(data, self.pts_seconds[key], self.duration_seconds[key], (), self.layout)

    def __iter__(self) -> Iterator[FrameBatch]:
        for i in range(len(self)):
            yield self[i]

    def __repr__(self) -> str:
        span, lost = "", ""
        if self.pts_seconds.numel():
            span = f", pts_seconds={self.pts_seconds.flatten()[0]:.3f}..{self.pts_seconds.flatten()[-1]:.3f}"
        if self.damaged:
            lost = f", {len(self.damaged)} damaged"
        return f"FrameBatch(data={tuple(self.data.shape)} {self.data.dtype}{span}{lost})"
