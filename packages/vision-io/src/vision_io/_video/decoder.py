"""Frames of a video by index and by time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Unpack

import numpy as np
import torch
from torch import Tensor

from vision_io._limits import Limits
from vision_io._pixels.shaped import ShapedSlots
from vision_io._pixels.store import FrameSlots, FreshPages, empty_frames
from vision_io._video.backend import open_frame_source, resolve_video_backend
from vision_io._video.frame_source import FrameSource
from vision_io._video.pyav_open import Source, source_name
from vision_io._video.reopening import Reopening
from vision_io._video.results import Frame, FrameBatch, VideoMetadata
from vision_io._video.saved_index import VideoIndex
from vision_io._video.view import FrameOptions, View

__all__ = ["VideoDecoder"]

_LAYOUTS = ("TCHW", "CTHW")


class VideoDecoder(Reopening):
    """Exact random access to the frames of a video file, as RGB tensors.

    Frames are numbered in display order. The index comes from the packets of the stream, so that numbers and times are
    right for variable frame rates, edit lists and reordered pictures. 8-bit 4:2:0 video of even height gives the values
    of FFmpeg's ``rgb24`` bit for bit; other formats are converted exactly and rounded once. Rotation that the file asks
    for is applied.

    A decoder may be pickled and survives ``fork`` when its source can be opened again (a path or bytes); it may be used
    from several threads, one call at a time.

    Args:
        source: Path, address, bytes, or a seekable binary file object.
        layout: ``"TCHW"``: batches are (N, 3, H, W); ``"CTHW"``: (3, N, H, W). Both are contiguous.
        stream_index: Index among all streams of the file; ``None`` takes the best video stream.
        num_threads: Decoder threads; 1 is best when many files are decoded at once, 0 lets FFmpeg choose.
        limits: Bounds that are checked before memory is allocated.
        index: :attr:`index` of another decoder of the same file: this one opens without reading every packet.
        backend: Library that reads the file; ``None`` for that of :func:`vision_io.get_video_backend`.
        **options: What is made of every frame on its way out; each method takes them too, for that call:
            `crop`: (top, left, height, width) of the part to keep, in pixels of a displayed frame.
            `size`: (height, width), or what the shorter side becomes; antialiased bilinear.
            `flip`: mirror left to right.
            `mean`, `std`: per channel, on the scale 0..1; they make float32 of the numbers.
            `dtype`: ``torch.uint8`` (0..255), or float16, bfloat16 or float32 (0..1 where no mean and std are given).

    Raises:
        DecodeError: The source is missing, cut off, damaged, or holds no video.
        LimitError: The source exceeds ``limits``.
        MissingDependencyError: The backend's library is not installed (PyAV: ``pip install 'vision-io[video]'``).

    Examples:
        >>> decoder = VideoDecoder("holiday.mp4")  # doctest: +SKIP
        >>> clip = decoder.get_frames_in_range(0, 32, step=4)  # doctest: +SKIP
        >>> clip.data.shape, clip.pts_seconds[0]  # doctest: +SKIP
        (torch.Size([8, 3, 256, 340]), tensor(0., dtype=torch.float64))
        >>> clip = decoder.get_frames_in_range(0, 8, crop=(0, 40, 256, 256), size=(224, 224), mean=0.45, std=0.225)
        ... # doctest: +SKIP
    """

    _settings = ("_layout", "_stream_index", "_num_threads", "_limits", "_index", "_backend", "_view")

    def __init__(
        self,
        source: Source,
        *,
        layout: str = "TCHW",
        stream_index: int | None = None,
        num_threads: int = 1,
        limits: Limits | None = None,
        index: VideoIndex | None = None,
        backend: str | None = None,
        **options: Unpack[FrameOptions],
    ) -> None:
        if layout not in _LAYOUTS:
            raise ValueError(f"layout: got {layout!r}, expected one of {_LAYOUTS}")
        if num_threads < 0:
            raise ValueError(f"num_threads: got {num_threads}, expected 0 (FFmpeg's choice) or more")
        self._source = source
        self._layout = layout
        self._stream_index = stream_index
        self._num_threads = num_threads
        self._limits = limits or Limits()
        self._index = index
        self._backend = resolve_video_backend(backend)
        self._view = View().replaced(options)
        self._start()

    def _open(self) -> None:
        stream = self._stream_index if self._index is None else self._index.stream_index
        self._frames: FrameSource = open_frame_source(
            self._backend, self._source, stream, self._num_threads, self._limits, self._index
        )
        index, facts = self._frames.index, self._frames.facts
        self._pts = index.pts_seconds
        self._durations = index.duration_seconds
        self._ends = self._pts + self._durations
        turned = facts.rotation % 180 != 0
        self._size = (facts.width, facts.height) if turned else (facts.height, facts.width)
        self._limits.check_picture(facts.width, facts.height, self._frames.name)
        self._view.region(*self._size)  # complains now rather than at the first frame

    def _free(self) -> None:
        self._frames.close()

    def _abandon(self) -> None:
        self._frames.abandon()

    # -- facts ---------------------------------------------------------------------------------------------------

    @property
    def layout(self) -> str:
        """Layout of batches: ``"TCHW"`` or ``"CTHW"``."""
        return self._layout

    @property
    def backend(self) -> str:
        """Name of the backend that reads the file; see :func:`vision_io.get_video_backend`."""
        return self._backend

    @property
    def metadata(self) -> VideoMetadata:
        """Facts of the stream."""
        facts, index = self._frames.facts, self._frames.index
        begin, end = float(self._pts[0]), float(self._ends.max())
        return VideoMetadata(
            num_frames=len(index),
            duration_seconds=end - begin,
            average_fps=len(index) / (end - begin),
            begin_stream_seconds=begin,
            end_stream_seconds=end,
            height=self._size[0],
            width=self._size[1],
            codec=facts.codec,
            pixel_format=facts.pixel_format,
            rotation=facts.rotation,
            stream_index=facts.stream_index,
            container=facts.container,
            bit_rate=facts.bit_rate,
            average_fps_from_header=facts.average_rate,
            pixel_aspect_ratio=facts.pixel_aspect_ratio,
            matrix=facts.matrix,
            full_range=facts.full_range,
            time_base=index.time_base,
        )

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
        """What opening found out of the packets: give it to other decoders of this file, or save it beside the file."""
        return self._frames.saved

    @property
    def counted(self) -> bool:
        """The packet times could not be trusted: opening decoded the whole stream once to count its frames."""
        return self._frames.index.counted

    @property
    def key_frames(self) -> list[int]:
        """Indices of the frames from which decoding can start."""
        return self._frames.index.start_frames().tolist()

    def __len__(self) -> int:
        return len(self._pts)

    def __repr__(self) -> str:
        m = self.metadata
        return (
            f"VideoDecoder({source_name(self._source)!r}, {m.codec} {m.width}x{m.height}, {m.num_frames} frames, "
            f"{m.average_fps:.3f} fps, layout={self._layout!r})"
        )

    # -- by index ------------------------------------------------------------------------------------------------

    def __getitem__(self, key: int | slice) -> Tensor:
        """``decoder[i]``: (3, H, W); ``decoder[a:b:c]``: a batch in the decoder's layout."""
        if isinstance(key, slice):
            return self._batch(list(range(*key.indices(len(self)))), None, {}).data
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
        number = self._number(index)
        frames = None if out is None else out.unsqueeze(0)
        data = self._decode([number], frames, self._view.replaced(options))
        return Frame(
            data=data[0] if out is None else out,
            pts_seconds=float(self._pts[number]),
            duration_seconds=float(self._durations[number]),
        )

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
        return self._batch([self._number(i) for i in numbers.tolist()], out, options)

    def get_frames_in_range(
        self, start: int, stop: int, step: int = 1, *, out: Tensor | None = None, **options: Unpack[FrameOptions]
    ) -> FrameBatch:
        """Frames ``start``, ``start + step``, ... below ``stop``.

        Args:
            start: First index, 0 to ``len(self)``.
            stop: Index to stop before; at most ``len(self)``.
            step: Distance of the indices, at least 1.
            out: CPU tensor of the result's shape and dtype, of any strides, to fill and return.
            **options: See the class.

        Raises:
            IndexError: The range is not within the video.
        """
        if not 0 <= start <= stop <= len(self):
            raise IndexError(f"range {start}:{stop} is not within the {len(self)} frames of the video")
        if step < 1:
            raise ValueError(f"step: got {step}, expected at least 1")
        return self._batch(list(range(start, stop, step)), out, options)

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
        return self.get_frame_at(self._played_at([seconds])[0], out=out, **options)

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
        first = self._played_at([start_seconds])[0]
        last = int(np.searchsorted(self._pts, stop_seconds, side="left"))
        return self._batch(list(range(first, last)), out, options)

    # -- how -----------------------------------------------------------------------------------------------------

    def _number(self, index: int) -> int:
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(f"frame {index} does not exist: the video has {len(self)} frames")
        return int(number)

    def _played_at(self, seconds: Sequence[float] | Tensor | np.ndarray) -> list[int]:
        times = np.asarray(seconds, dtype=np.float64)
        begin, end = self._pts[0], self._ends[-1]
        outside = times[~((times >= begin) & (times < end))]
        if outside.size:
            raise IndexError(f"nothing is shown at {outside[0]} s: the video runs from {begin} s to {end} s")
        return (np.searchsorted(self._pts, times, side="right") - 1).tolist()

    def _check_size(self, count: int, view: View) -> None:
        height, width = view.output_size(*self._size)
        self._limits.check_batch(count * 3 * height * width * view.dtype.itemsize, self._frames.name)

    def _batch(self, numbers: list[int], out: Tensor | None, options: FrameOptions) -> FrameBatch:
        view = self._view.replaced(options)
        count = len(numbers)
        height, width = view.output_size(*self._size)
        shape = (count, 3, height, width) if self._layout == "TCHW" else (3, count, height, width)
        fresh = out is None
        if out is None:
            self._check_size(count, view)
            out = empty_frames(shape, view.dtype)
        elif tuple(out.shape) != shape:
            raise ValueError(f"out: got shape {tuple(out.shape)}, expected {shape} (layout {self._layout})")
        self._decode(numbers, out if self._layout == "TCHW" else out.transpose(0, 1), view, fresh)
        chosen = np.asarray(numbers, dtype=np.int64)
        return FrameBatch(out, torch.from_numpy(self._pts[chosen]), torch.from_numpy(self._durations[chosen]))

    def _decode(self, numbers: list[int], frames: Tensor | None, view: View, fresh: bool = False) -> Tensor:
        """Decode ``numbers`` (any order, repeats allowed) into ``frames`` (N, 3, H, W), of any strides."""
        shape = (3, *view.output_size(*self._size))
        if frames is None:
            frames = empty_frames((len(numbers), *shape), view.dtype)
        elif frames.dtype != view.dtype or frames.device.type != "cpu" or tuple(frames.shape[1:]) != shape:
            raise ValueError(
                f"out: got {tuple(frames.shape[1:])} {frames.dtype} on {frames.device} per frame, expected "
                f"{shape} {view.dtype} on cpu"
            )
        first: dict[int, int] = {}
        repeats = []
        for slot, number in enumerate(numbers):
            if first.setdefault(number, slot) != slot:
                repeats.append((first[number], slot))
        pages = FreshPages(frames) if fresh else None
        slots = FrameSlots(frames) if view.plain else ShapedSlots(frames, view, self._size)
        self._ready()  # before the lock: in a forked child it makes a new one
        with self._lock:
            self._require_open()
            for number, frame in self._frames.frames(sorted(first)):
                if frame.display_size != self._size:
                    turned = frame.rotation % 180 != 0
                    frame = self._frames.resized(frame, *(self._size if turned else self._size[::-1]))
                if pages:
                    pages.prepare(first[number])
                slots.write(first[number], frame)
        for source_slot, slot in repeats:
            slots.repeat(source_slot, slot)
        return frames
