"""Frames of a video by index and by time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Literal, Unpack

import numpy as np
import torch
from torch import Tensor

from vision_io._limits import Limits
from vision_io._video.backend import resolve_video_backend
from vision_io._video.damage import ERROR_POLICIES, ErrorPolicy
from vision_io._video.frame_access import FrameAccess
from vision_io._video.frame_mappings import read_mappings
from vision_io._video.pyav_open import Source, as_source, source_name
from vision_io._video.results import Frame, FrameBatch
from vision_io._video.saved_index import VideoIndex
from vision_io._video.settings import CpuFallbackStatus, choose, device_of, dtype_of, layout_of
from vision_io._video.view import FrameOptions, View

__all__ = ["VideoDecoder"]


class VideoDecoder(FrameAccess):
    """Exact random access to the frames of a video file, as RGB tensors.

    Frames are numbered in display order. The index comes from the packets of the stream, so that numbers and times are
    right for variable frame rates, edit lists and reordered pictures. 8-bit 4:2:0 video of even height gives the values
    of FFmpeg's ``rgb24`` bit for bit; other formats are converted exactly and rounded once. Rotation and mirroring that
    the file asks for are applied.

    A decoder may be pickled and survives ``fork`` when its source can be opened again (a path or bytes); it may be used
    from several threads, one call at a time.

    Args:
        source: Path, address, bytes, a uint8 tensor of them, or a binary file object with ``read`` and ``seek``.
        layout: ``"TCHW"``: batches are (N, 3, H, W); ``"CTHW"``: (3, N, H, W); ``"THWC"``: (N, H, W, 3). All are
            contiguous. ``None`` goes by `dimension_order`.
        stream_index: Index among all streams of the file; ``None`` takes the best video stream.
        num_threads: Decoder threads; 1 is best when many files are decoded at once, 0 lets FFmpeg choose.
        limits: Bounds that are checked before memory is allocated, and the time that a call may take.
        index: :attr:`index` of another decoder of the same file: this one opens without reading every packet.
        backend: Library that reads the file; ``None`` for that of :func:`vision_io.get_video_backend`.
        dimension_order: TorchCodec's name of `layout`: ``"NCHW"`` or ``"NHWC"``.
        num_ffmpeg_threads: TorchCodec's name of `num_threads`.
        device: Where results go; ``None``: torch's default device. Decoding runs on the CPU: see :attr:`cpu_fallback`.
        seek_mode: ``"exact"`` reads all packets when the file is opened, which takes a few microseconds for each.
            ``"approximate"`` reads none: the number of frames and their times follow from the frame rate and the
            duration that the header says, and frame `i` is the one on screen in the middle of its time. Where the
            header is right and the rate constant, that is the same frame.
        transforms: :mod:`vision_io.transforms`, or torchvision's of the same names, applied in order to every frame; in
            the place of `crop` and `size`.
        output_dtype: TorchCodec's name of `dtype`; ``"auto"``: float32 for video of more than 8 bits per sample, else
            uint8.
        custom_frame_mappings: The frames of the stream as ``ffprobe -show_frames -of json`` lists them, as text, bytes
            or a file object: ``{"frames": [{"pts": 0, "duration": 1001, "key_frame": 1}, ...]}``. Access is exact, and
            opening reads no packets.
        errors: What becomes of frames that are cut off or damaged. ``"raise"``: :class:`DecodeError`, which names the
            frame. ``"skip"``: batches leave out each frame that is damaged or may be predicted from a damaged one, and
            list them. ``"salvage"``: all frames are there: damaged ones as far as the decoder can conceal the damage,
            and where nothing comes out, the last frame before, or the next. What the file's own list of frames says
            is missing at its end counts as damaged.
        **options: What is made of every frame on its way out; each method takes them too, for that call:
            `crop`: (top, left, height, width) of the part to keep, in pixels of a displayed frame.
            `size`: (height, width), or what the shorter side becomes; antialiased bilinear.
            `flip`: mirror left to right.
            `mean`, `std`: per channel, on the scale 0..1; they make float32 of the numbers.
            `dtype`: ``torch.uint8`` (0..255), or float16, bfloat16 or float32 (0..1 where no mean and std are given).

    Raises:
        DecodeError: The source is missing, cut off, damaged, or holds no video.
        LimitError: The source exceeds ``limits``; :class:`DeadlineError` where it takes too long.
        MissingDependencyError: The backend's library is not installed (PyAV: ``pip install 'vision-io[video]'``).
        ValueError: An argument is out of its range, or two contradict each other.

    Examples:
        >>> decoder = VideoDecoder("holiday.mp4")  # doctest: +SKIP
        >>> clip = decoder.get_frames_in_range(0, 32, step=4)  # doctest: +SKIP
        >>> clip.data.shape, clip.pts_seconds[0]  # doctest: +SKIP
        (torch.Size([8, 3, 256, 340]), tensor(0., dtype=torch.float64))
        >>> clip = decoder.get_frames_in_range(0, 8, crop=(0, 40, 256, 256), size=(224, 224), mean=0.45, std=0.225)
        ... # doctest: +SKIP
        >>> rest = VideoDecoder("cut_off.mp4", errors="skip").get_all_frames()  # doctest: +SKIP
        >>> len(rest), rest.damaged[:3]  # doctest: +SKIP
        (212, (88, 89, 90))
    """

    def __init__(
        self,
        source: Source,
        *,
        layout: str | None = None,
        stream_index: int | None = None,
        num_threads: int = 1,
        limits: Limits | None = None,
        index: VideoIndex | None = None,
        backend: str | None = None,
        dimension_order: Literal["NCHW", "NHWC"] = "NCHW",
        num_ffmpeg_threads: int | None = None,
        device: str | torch.device | None = None,
        seek_mode: Literal["exact", "approximate"] = "exact",
        transforms: Sequence[Any] | None = None,
        output_dtype: torch.dtype | Literal["auto"] | None = None,
        custom_frame_mappings: str | bytes | Path | IO[Any] | None = None,
        errors: ErrorPolicy = "raise",
        **options: Unpack[FrameOptions],
    ) -> None:
        self._layout = layout_of(layout, dimension_order)
        self._num_threads = num_threads if num_ffmpeg_threads is None else num_ffmpeg_threads
        if self._num_threads < 0:
            raise ValueError(f"num_threads: got {self._num_threads}, expected 0 (FFmpeg's choice) or more")
        choose("seek_mode", ("exact", "approximate"), seek_mode)
        choose("errors", ERROR_POLICIES, errors)
        self._approximate = seek_mode == "approximate"
        if (self._approximate, index is not None, custom_frame_mappings is not None).count(True) > 1:
            raise ValueError("seek_mode='approximate', index and custom_frame_mappings exclude each other; give one")
        self._source = as_source(source)
        self._stream_index = stream_index
        self._limits = limits or Limits()
        self._index = index
        self._backend = resolve_video_backend(backend)
        self._mappings = read_mappings(custom_frame_mappings)
        self._device = device_of(device)
        self._errors = errors
        dtype_of(output_dtype, 8)  # complains before anything is opened
        self._view = View().replaced(options)
        self._start()
        self._finish_view(transforms, output_dtype, options)

    def _finish_view(
        self,
        transforms: Sequence[Any] | None,
        output_dtype: torch.dtype | Literal["auto"] | None,
        options: FrameOptions,
    ) -> None:
        """What of the view depends on the video: its size and its bits."""
        try:
            if output_dtype is not None:
                if options.get("dtype") is not None:
                    raise ValueError("dtype, output_dtype: two names of the same; give one")
                dtype = dtype_of(output_dtype, self._frames.facts.bits)
                self._view = View().replaced({**options, "dtype": dtype})
            if transforms is not None and len(transforms) > 0:
                if options.get("crop") is not None or options.get("size") is not None:
                    raise ValueError("transforms: stand in the place of crop and size; give one or the other")
                self._view = self._view.transformed(transforms, *self._size)
        except BaseException:
            self.close()
            raise

    # -- facts ---------------------------------------------------------------------------------------------------

    @property
    def layout(self) -> str:
        """Layout of batches: ``"TCHW"``, ``"CTHW"`` or ``"THWC"``."""
        return self._layout

    @property
    def backend(self) -> str:
        """Name of the backend that reads the file; see :func:`vision_io.get_video_backend`."""
        return self._backend

    @property
    def stream_index(self) -> int:
        """Index of the stream among all streams of the file."""
        return self._frames.facts.stream_index

    @property
    def cpu_fallback(self) -> CpuFallbackStatus:
        """Whether frames are decoded on the CPU although they go to another device."""
        return CpuFallbackStatus(device=str(self._device))

    @property
    def pts_seconds(self) -> Tensor:
        """Presentation times of all frames, float64 (num_frames); nothing is decoded."""
        return torch.from_numpy(self._pts.copy())

    @property
    def pts(self) -> Tensor:
        """Presentation times of all frames in ticks of ``metadata.time_base``, int64 (num_frames)."""
        return torch.from_numpy(self._frames.index.pts.copy())

    @property
    def index(self) -> VideoIndex:
        """What opening found out of the packets: give it to other decoders of this file, or save it beside the file.

        Raises:
            ValueError: The packets were not read: ``seek_mode="approximate"``, or custom frame mappings.
        """
        return self._frames.saved

    @property
    def counted(self) -> bool:
        """The packet times could not be trusted: opening decoded the whole stream once to count its frames."""
        return self._frames.index.counted

    @property
    def key_frames(self) -> list[int]:
        """Indices of the frames from which decoding can start."""
        return self._frames.index.start_frames().tolist()

    @property
    def damaged_frames(self) -> list[int]:
        """Numbers of all frames that are not whole, once a call has met one; for other policies than ``"raise"``."""
        report = self._frames.report
        return [] if report is None else np.flatnonzero(~report.whole).tolist()

    def __repr__(self) -> str:
        m = self.metadata
        return (
            f"VideoDecoder({source_name(self._source)!r}, {m.codec} {m.width}x{m.height}, {m.num_frames} frames, "
            f"{m.average_fps:.3f} fps, layout={self._layout!r})"
        )

    # -- by index ------------------------------------------------------------------------------------------------

    def __getitem__(self, key: int | slice) -> Tensor:
        """``decoder[i]``: (3, H, W), or (H, W, 3); ``decoder[a:b:c]``: a batch in the decoder's layout."""
        if isinstance(key, slice):
            return self._batch(self._frames.names(range(*key.indices(len(self)))), None, {}).data
        return self.get_frame_at(key).data

    def __iter__(self) -> Iterator[Tensor]:
        for i in range(len(self)):
            yield self.get_frame_at(i).data

    def get_frame_at(self, index: int, *, out: Tensor | None = None, **options: Unpack[FrameOptions]) -> Frame:
        """The frame of one index.

        Args:
            index: 0 to ``len(self) - 1``; negative counts from the end.
            out: (3, H, W) CPU tensor of the result's dtype and any strides, to fill and return.
            **options: See the class.

        Raises:
            IndexError: No such frame.
            DecodeError: The frame is damaged.
        """
        return self._single(self._frames.names([self._number(index)])[0], out, options)

    def get_frames_at(
        self,
        indices: Sequence[int] | Tensor | np.ndarray,
        *,
        out: Tensor | None = None,
        **options: Unpack[FrameOptions],
    ) -> FrameBatch:
        """Frames of the given indices, in the given order; repeated indices are allowed.

        Only the packets that these frames depend on are decoded.

        Args:
            indices: Integers; negative ones count from the end.
            out: CPU tensor of the result's shape and dtype, of any strides, to fill and return.
            **options: See the class.

        Raises:
            IndexError: No such frame.
            DecodeError: A frame is damaged.
        """
        numbers = np.asarray(indices)
        if numbers.ndim != 1 or (numbers.size and numbers.dtype.kind not in "iu"):
            raise TypeError(f"indices: got {numbers.dtype} of shape {numbers.shape}, expected a sequence of integers")
        return self._batch(self._frames.names([self._number(i) for i in numbers.tolist()]), out, options)

    def get_frames_in_range(
        self, start: int, stop: int, step: int = 1, *, out: Tensor | None = None, **options: Unpack[FrameOptions]
    ) -> FrameBatch:
        """Frames ``start``, ``start + step``, ... below ``stop``, as slices of a list go.

        Args:
            start: First index; negative counts from the end.
            stop: Index to stop before; negative counts from the end, beyond the end means the end.
            step: Distance of the indices, at least 1.
            out: CPU tensor of the result's shape and dtype, of any strides, to fill and return.
            **options: See the class.

        Raises:
            DecodeError: A frame is damaged.
        """
        if step < 1:
            raise ValueError(f"step: got {step}, expected at least 1")
        return self._batch(self._frames.names(range(*slice(start, stop, step).indices(len(self)))), out, options)

    def get_all_frames(
        self, fps: float | None = None, *, out: Tensor | None = None, **options: Unpack[FrameOptions]
    ) -> FrameBatch:
        """All frames of the video.

        Args:
            fps: Sample at this rate instead, repeating or leaving out frames; see :meth:`get_frames_played_in_range`.
            out: CPU tensor of the result's shape and dtype, of any strides, to fill and return.
            **options: See the class.

        Raises:
            LimitError: They would take more than ``limits.max_batch_bytes``.
        """
        if fps is None:
            return self.get_frames_in_range(0, len(self), out=out, **options)
        return self.get_frames_played_in_range(float(self._pts[0]), float(self._ends[-1]), fps, out=out, **options)

    # -- by time -------------------------------------------------------------------------------------------------

    def get_frame_played_at(
        self, seconds: float, *, out: Tensor | None = None, **options: Unpack[FrameOptions]
    ) -> Frame:
        """The frame on screen at a time.

        Args:
            seconds: ``begin_stream_seconds <= seconds < end_stream_seconds``.
            out: (3, H, W) CPU tensor of the result's dtype, to fill and return.
            **options: See the class.

        Raises:
            IndexError: Nothing is shown at that time.
        """
        return self._single(self._played_at([seconds])[0], out, options)

    def get_frames_played_at(
        self,
        seconds: Sequence[float] | Tensor | np.ndarray,
        *,
        out: Tensor | None = None,
        **options: Unpack[FrameOptions],
    ) -> FrameBatch:
        """The frames on screen at the given times, in the given order.

        Args:
            seconds: Times within the video.
            out: CPU tensor of the result's shape and dtype, of any strides, to fill and return.
            **options: See the class.
        """
        return self._batch(self._played_at(seconds), out, options)

    def get_frames_played_in_range(
        self,
        start_seconds: float,
        stop_seconds: float,
        fps: float | None = None,
        *,
        out: Tensor | None = None,
        **options: Unpack[FrameOptions],
    ) -> FrameBatch:
        """The frames on screen at any time of ``[start_seconds, stop_seconds)``.

        Args:
            start_seconds: Within the video.
            stop_seconds: At most ``end_stream_seconds``.
            fps: Sample at ``start_seconds + k / fps`` instead, repeating or leaving out frames.
            out: CPU tensor of the result's shape and dtype, of any strides, to fill and return.
            **options: See the class.

        Raises:
            IndexError: The range is not within the video.
        """
        begin, end = float(self._pts[0]), float(self._ends[-1])
        if not begin <= start_seconds <= stop_seconds <= end:
            raise IndexError(
                f"range {start_seconds} s to {stop_seconds} s is not within the video ({begin} s to {end} s)"
            )
        if fps is not None:
            if not fps > 0:
                raise ValueError(f"fps: got {fps}, expected a positive number")
            count = int(np.ceil((stop_seconds - start_seconds) * fps - 1e-9))
            self._check_size(count, self._view.replaced(options))
            return self._batch(self._played_at(start_seconds + np.arange(count) / fps), out, options)
        if start_seconds == stop_seconds:
            return self._batch([], out, options)
        first = int(np.searchsorted(self._pts, start_seconds, side="right")) - 1
        last = int(np.searchsorted(self._pts, stop_seconds, side="left"))
        return self._batch(self._frames.names(range(first, last)), out, options)
