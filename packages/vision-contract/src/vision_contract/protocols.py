"""The operators of the contract: their signatures and what they promise. `vision_contract.testing` holds them to it.

Boxes are in absolute pixels, times in seconds; images and frames are RGB, uint8 in 0..255. Every operator leaves its
arguments as they were, returns tensors on the device of its input, and raises ``ValueError`` or ``RuntimeError`` when an
argument is wrong (:class:`~vision_contract.ContractError` is a ``ValueError``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:  # only for people and type checkers: the contract runs without torch
    from torch import Tensor

__all__ = [
    "NMS",
    "BytesLike",
    "Frame",
    "FrameBatch",
    "ImageDecoder",
    "Resize",
    "RoIAlign",
    "VideoDecoder",
    "VideoDecoderFactory",
    "VideoMetadata",
    "VideoSource",
]

BytesLike: TypeAlias = "bytes | bytearray | memoryview"
VideoSource: TypeAlias = "str | PathLike[str] | bytes | BinaryIO"


class NMS(Protocol):
    """``nms``: greedy non-maximum suppression (Girshick et al., R-CNN, 2014)."""

    def __call__(self, boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
        """Keep the boxes that no better box overlaps by more than `iou_threshold`.

        Args:
            boxes: (N, 4), float, x1 y1 x2 y2 in pixels.
            scores: (N,), float.
            iou_threshold: 0..1. A box goes if its IoU with a kept, better box is strictly greater. Boxes without area
                overlap nothing.

        Returns:
            (K,) int64: indices of the kept boxes, best score first; among equal scores the lower index is first.
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
        """Average bilinear samples in each bin of each box.

        Args:
            input: (N, C, H, W), float.
            boxes: (K, 5), float: index of the image in the batch, then x1 y1 x2 y2.
            output_size: bins per box: (height, width).
            spatial_scale: boxes are multiplied by it to get to the pixels of `input`.
            sampling_ratio: samples per bin and direction; <= 0: ceil(box size / bins) for each box.
            aligned: shift boxes by half a pixel, so that pixel centres lie at integers (Detectron2's correction);
                without it boxes are at least one pixel large.

        Returns:
            (K, C, height, width), dtype of `input`. Samples beyond one pixel outside the image are 0.
            Differentiable with respect to `input`.
        """
        ...


class Resize(Protocol):
    """``resize``: change the size of images or frames."""

    def __call__(
        self, image: Tensor, size: list[int], interpolation: str = "bilinear", antialias: bool = True
    ) -> Tensor:
        """Resample with pixel centres at half-integers (``align_corners=False``).

        Args:
            image: (..., C, H, W), uint8 or float.
            size: [height, width] of the result, in pixels.
            interpolation: ``"nearest"``, ``"nearest-exact"``, ``"bilinear"`` or ``"bicubic"``.
            antialias: widen the bilinear or bicubic filter (a = -0.5) when shrinking, as Pillow does. Without it bicubic
                uses a = -0.75. Without effect on nearest.

        Returns:
            (..., C, height, width), dtype of `image`; uint8 is rounded and clamped.
        """
        ...


class ImageDecoder(Protocol):
    """``decode_image``: decode a JPEG or PNG file from memory."""

    def __call__(self, data: BytesLike | Tensor, mode: str = "UNCHANGED") -> Tensor:
        """Decode the first image in `data`.

        Args:
            data: the bytes of the file: bytes, bytearray, memoryview or a uint8 tensor of one axis.
            mode: ``"UNCHANGED"``, ``"GRAY"``, ``"GRAY_ALPHA"``, ``"RGB"`` or ``"RGB_ALPHA"``.

        Returns:
            (C, H, W) uint8.

        Raises:
            ValueError or RuntimeError: `data` is no image, is damaged or cut off, or declares more pixels than the
                decoder is willing to allocate.
        """
        ...


@runtime_checkable
class Frame(Protocol):
    """One decoded frame."""

    @property
    def data(self) -> Tensor:
        """(C, H, W) uint8, RGB."""
        ...

    @property
    def pts_seconds(self) -> float:
        """When the frame is shown, in seconds."""
        ...

    @property
    def duration_seconds(self) -> float:
        """For how long, in seconds."""
        ...


@runtime_checkable
class FrameBatch(Protocol):
    """Several decoded frames."""

    @property
    def data(self) -> Tensor:
        """uint8, RGB: (N, C, H, W) with layout TCHW, (C, N, H, W) with CTHW."""
        ...

    @property
    def pts_seconds(self) -> Tensor:
        """(N,) float64: when each frame is shown, in seconds."""
        ...

    @property
    def duration_seconds(self) -> Tensor:
        """(N,) float64: for how long, in seconds."""
        ...


class VideoMetadata(Protocol):
    """What is known of a stream. A decoder may add more."""

    num_frames: Any
    """Frames in the stream: int."""
    duration_seconds: Any
    """end_stream_seconds - begin_stream_seconds: float."""
    average_fps: Any
    """Frames per second: float."""
    begin_stream_seconds: Any
    """When the first frame is shown: float."""
    end_stream_seconds: Any
    """When the last frame ends: float."""
    height: Any
    """Of a frame, after rotation, in pixels: int."""
    width: Any
    """Of a frame, after rotation, in pixels: int."""
    codec: Any
    """Name of the codec, ``"h264"``: str."""


@runtime_checkable
class VideoDecoder(Protocol):
    """Exact access to the frames of one video stream, by index (in display order) or by time in seconds.

    An index counts from the end if negative; one out of range raises ``IndexError``. A frame is played at a time if
    ``pts_seconds <= time < pts_seconds + duration_seconds``; a time outside of the stream raises ``IndexError``. Once
    closed, every access raises ``ValueError`` or ``RuntimeError``.
    """

    @property
    def metadata(self) -> VideoMetadata: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: int | slice) -> Tensor:
        """The pixels of one frame (C, H, W), or of a slice of them (in the decoder's layout)."""
        ...

    def __iter__(self) -> Iterator[Tensor]:
        """The pixels of each frame (C, H, W), in display order."""
        ...

    def get_frame_at(self, index: int) -> Frame: ...
    def get_frames_at(self, indices: Sequence[int]) -> FrameBatch:
        """The frames in the order of `indices`, which may repeat."""
        ...

    def get_frames_in_range(self, start: int, stop: int, step: int = 1) -> FrameBatch:
        """The frames start, start + step... before stop."""
        ...

    def get_frame_played_at(self, seconds: float) -> Frame: ...
    def get_frames_played_at(self, seconds: Sequence[float]) -> FrameBatch: ...
    def get_frames_played_in_range(
        self, start_seconds: float, stop_seconds: float, fps: float | None = None
    ) -> FrameBatch:
        """The frames played in [start, stop): none if they are equal. With `fps`, those played at start + i / fps."""
        ...

    def close(self) -> None: ...
    def __enter__(self) -> VideoDecoder: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None: ...


class VideoDecoderFactory(Protocol):
    """``video_decoder``: open a video."""

    def __call__(self, source: VideoSource, *, layout: str = "TCHW") -> VideoDecoder:
        """Open the best video stream of `source`.

        Args:
            source: a path, the bytes of a file, or a file opened for reading bytes.
            layout: of batches of frames: ``"TCHW"`` or ``"CTHW"``.

        Raises:
            ValueError: `source` is missing, damaged or holds no video stream, or `layout` is unknown.
        """
        ...
