"""The operators of the contract: their signatures and what they promise. `vision_contract.testing` holds them to it.

Boxes are x1 y1 x2 y2 in pixels, times seconds, images and frames RGB, uint8 in 0..255. An operator leaves its arguments
as they were, answers on their device, and raises ``ValueError`` (or ``RuntimeError``) when one is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, runtime_checkable

if TYPE_CHECKING:  # only for people and type checkers: the contract runs without torch
    from torch import Tensor

# fmt: off
__all__ = [
    "NMS", "Frame", "FrameBatch", "ImageDecoder", "Resize", "RoIAlign", "VideoDecoder", "VideoDecoderFactory",
    "VideoMetadata",
]
# fmt: on


class NMS(Protocol):
    """``nms``: greedy non-maximum suppression."""

    def __call__(self, boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
        """Keep the boxes (N, 4) that no kept box of a better score (N,) overlaps with an IoU > `iou_threshold`.

        Returns the indices of the kept boxes, (K,) int64, best score first, the lower index first among equals. Boxes
        without area overlap nothing.
        """
        ...


class RoIAlign(Protocol):
    """``roi_align``: pool regions by bilinear sampling (He et al., Mask R-CNN, 2017)."""

    def __call__(
        self,
        input: Tensor,
        boxes: Tensor,
        output_size: Sequence[int],
        spatial_scale: float = 1.0,
        sampling_ratio: int = -1,
        aligned: bool = False,
    ) -> Tensor:
        """Average samples of `input` (N, C, H, W) in each bin of each box: (K, C, *output_size), differentiable.

        Args:
            input: float.
            boxes: (K, 5): the index of the image, then x1 y1 x2 y2, which `spatial_scale` brings to its pixels.
            output_size: bins: (height, width).
            spatial_scale: pixels of `input` per pixel of the boxes.
            sampling_ratio: samples per bin and direction; <= 0: ceil(size of the box / bins).
            aligned: pixel centres are at half-integers; otherwise at integers, and boxes are at least one pixel large.
        """
        ...


class Resize(Protocol):
    """``resize``: change the size of images or frames."""

    def __call__(
        self, image: Tensor, size: list[int], interpolation: str = "bilinear", antialias: bool = True
    ) -> Tensor:
        """Resample `image` (..., C, H, W), uint8 or float, to `size` [height, width]; the dtype stays.

        `interpolation` is ``nearest``, ``nearest-exact``, ``bilinear`` or ``bicubic``; corners are not aligned.
        `antialias` widens the last two (a = -0.5) when shrinking, as Pillow does; without it bicubic has a = -0.75.
        uint8 is rounded and clamped.
        """
        ...


class ImageDecoder(Protocol):
    """``decode_image``: decode a JPEG or PNG file from memory."""

    def __call__(self, data: Any, mode: str = "UNCHANGED") -> Tensor:
        """Decode `data` (ENCODED_BYTES) to (C, H, W) uint8; `mode` may be GRAY, GRAY_ALPHA, RGB or RGB_ALPHA.

        What is no image, damaged, cut off, or declares more pixels than the decoder cares to allocate is an error.
        """
        ...


@runtime_checkable
class Frame(Protocol):
    """One frame: `data` (C, H, W) uint8, shown at `pts_seconds` for `duration_seconds`."""

    data: Tensor
    pts_seconds: float
    duration_seconds: float


@runtime_checkable
class FrameBatch(Protocol):
    """N frames: `data` uint8, (N, C, H, W) or (C, N, H, W) as the decoder's layout says; times (N,) float64."""

    data: Tensor
    pts_seconds: Tensor
    duration_seconds: Tensor


class VideoMetadata(Protocol):
    """What is known of a stream; a decoder may add more. Sizes are of a frame as it is handed out."""

    num_frames: Any  # int
    average_fps: Any  # float, frames per second
    begin_stream_seconds: Any  # float, when the first frame is shown
    end_stream_seconds: Any  # float, when the last frame ends
    duration_seconds: Any  # float, end - begin
    height: Any  # int, pixels
    width: Any  # int, pixels
    codec: Any  # str, "h264"


@runtime_checkable
class VideoDecoder(Protocol):
    """Exact access to the frames of one video stream, by index in display order or by time in seconds.

    Indices count from the end if negative. A frame is played at t if ``pts_seconds <= t < pts_seconds +
    duration_seconds``. An index or a time outside of the stream is an ``IndexError``, the use of a closed decoder a
    ``ValueError`` or ``RuntimeError``. Ranges do not include their stop; an empty one gives no frames.
    """

    @property
    def metadata(self) -> VideoMetadata: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: Any) -> Tensor: ...  # int: (C, H, W); slice: in the decoder's layout
    def __iter__(self) -> Iterator[Tensor]: ...
    def get_frame_at(self, index: int) -> Frame: ...
    def get_frames_at(self, indices: Sequence[int]) -> FrameBatch: ...  # in that order; may repeat
    def get_frames_in_range(self, start: int, stop: int, step: int = 1) -> FrameBatch: ...
    def get_frame_played_at(self, seconds: float) -> Frame: ...
    def get_frames_played_at(self, seconds: Sequence[float]) -> FrameBatch: ...

    def get_frames_played_in_range(
        self, start_seconds: float, stop_seconds: float, fps: float | None = None
    ) -> FrameBatch:
        """All frames played in the range, also the one that began before; with `fps` those at start + i / fps."""
        ...

    def close(self) -> None: ...
    def __enter__(self) -> Any: ...
    def __exit__(self, *exception: Any) -> Any: ...


class VideoDecoderFactory(Protocol):
    """``video_decoder``: open a video, given by its path, its bytes, or a file opened for reading bytes."""

    def __call__(self, source: str | PathLike[str] | bytes | BinaryIO, *, layout: str = "TCHW") -> VideoDecoder:
        """Open the best video stream; batches have the layout TCHW or CTHW. ValueError if there is none to be read."""
        ...
