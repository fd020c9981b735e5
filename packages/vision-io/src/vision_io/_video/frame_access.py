"""An open video: names of frames to tensors, in the decoder's layout, on its device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from vision_io._deadline import Deadline
from vision_io._errors import DecodeError
from vision_io._limits import Limits
from vision_io._pixels.store import empty_frames
from vision_io._video.backend import Opening, open_frame_source
from vision_io._video.damage import ErrorPolicy
from vision_io._video.filling import Filled, fill
from vision_io._video.frame_source import FrameSource
from vision_io._video.metadata import VideoMetadata, metadata_of
from vision_io._video.pyav_open import Source, source_name
from vision_io._video.reopening import Reopening
from vision_io._video.results import Frame, FrameBatch
from vision_io._video.saved_index import VideoIndex
from vision_io._video.view import FrameOptions, View

__all__ = ["FrameAccess"]


class FrameAccess(Reopening):
    """What :class:`vision_io.VideoDecoder` is made of: the open source, and batches out of it."""

    _settings = (
        "_layout",
        "_stream_index",
        "_num_threads",
        "_limits",
        "_index",
        "_backend",
        "_view",
        "_device",
        "_approximate",
        "_mappings",
        "_errors",
    )
    _source: Source
    _layout: str
    _stream_index: int | None
    _num_threads: int
    _limits: Limits
    _index: VideoIndex | None
    _backend: str
    _view: View
    _device: torch.device
    _approximate: bool
    _mappings: bytes | None
    _errors: ErrorPolicy

    def _open(self) -> None:
        self._deadline = Deadline(self._limits.deadline, source_name(self._source))
        self._frames: FrameSource = self._open_source()
        index, facts = self._frames.index, self._frames.facts
        self._pts = index.pts_seconds
        self._durations = index.duration_seconds
        self._ends = self._pts + self._durations
        turned = facts.rotation % 180 != 0
        self._size = (facts.width, facts.height) if turned else (facts.height, facts.width)
        self._limits.check_picture(facts.width, facts.height, self._frames.name)
        self._view.region(*self._size)  # complains now rather than at the first frame

    def _open_source(self) -> FrameSource:
        stream = self._stream_index if self._index is None else self._index.stream_index
        how = Opening(
            stream, self._num_threads, self._limits, self._index, self._errors, self._approximate, self._mappings
        )
        return open_frame_source(self._backend, self._source, how, self._deadline)

    def _free(self) -> None:
        self._frames.close()

    def _abandon(self) -> None:
        self._frames.abandon()

    @property
    def metadata(self) -> VideoMetadata:
        """Facts of the stream."""
        return metadata_of(self._frames.facts, self._frames.index, not self._approximate)

    def __len__(self) -> int:
        return len(self._pts)

    # -- names of frames -----------------------------------------------------------------------------------------

    def _number(self, index: int) -> int:
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(f"frame {index} does not exist: the video has {len(self)} frames")
        return int(number)

    def _played_at(self, seconds: Sequence[float] | Tensor | np.ndarray) -> list[int]:
        """What the source calls the frames on screen at these times."""
        times = np.asarray(seconds, dtype=np.float64)
        begin, end = self._pts[0], self._ends[-1]
        outside = times[~((times >= begin) & (times < end))]
        if outside.size:
            raise IndexError(f"nothing is shown at {outside[0]} s: the video runs from {begin} s to {end} s")
        return self._frames.names_at(times)

    # -- results -------------------------------------------------------------------------------------------------

    def _check_size(self, count: int, view: View) -> None:
        height, width = view.output_size(*self._size)
        self._limits.check_batch(count * 3 * height * width * view.dtype.itemsize, self._frames.name)

    def _single(self, name: int, out: Tensor | None, options: FrameOptions) -> Frame:
        view = self._view.replaced(options)
        height, width = view.output_size(*self._size)
        last = self._layout == "THWC"
        shape = (height, width, 3) if last else (3, height, width)
        target = self._target(shape, out, view)
        filled = self._decode([name], (target.permute(2, 0, 1) if last else target).unsqueeze(0), view, out is None)
        if filled.lost:
            number = self._frames.numbers([name])[0]
            raise DecodeError(
                f"{self._frames.name}: frame {number} (at {self._pts[number]:.3f} s) is damaged; "
                "errors='salvage' shows what is left of it"
            )
        pts, durations = self._times([name], filled)
        return Frame(self._delivered(target, out), float(pts[0]), float(durations[0]))

    def _batch(self, names: list[int], out: Tensor | None, options: FrameOptions) -> FrameBatch:
        view = self._view.replaced(options)
        count = len(names)
        height, width = view.output_size(*self._size)
        shape = {
            "TCHW": (count, 3, height, width),
            "CTHW": (3, count, height, width),
            "THWC": (count, height, width, 3),
        }[self._layout]
        if out is None:
            self._check_size(count, view)
        target = self._target(shape, out, view)
        filled = self._decode(names, _as_tchw(target, self._layout), view, target is not out)
        if filled.lost:
            gone = set(filled.lost)
            kept = [slot for slot in range(count) if slot not in gone]
            names = [names[slot] for slot in kept]
            target = _without(target, kept, 1 if self._layout == "CTHW" else 0, out is not None)
        pts, durations = self._times(names, filled)
        data = self._delivered(target, out)
        return FrameBatch(data, torch.from_numpy(pts), torch.from_numpy(durations), filled.damaged, self._layout)

    def _target(self, shape: tuple[int, ...], out: Tensor | None, view: View) -> Tensor:
        """Where the CPU writes to."""
        if out is not None:
            if tuple(out.shape) != shape or out.dtype != view.dtype or out.device.type != self._device.type:
                raise ValueError(
                    f"out: got {tuple(out.shape)} {out.dtype} on {out.device}, expected {shape} {view.dtype} on "
                    f"{self._device} (layout {self._layout})"
                )
            if out.device.type == "cpu":
                return out
        return empty_frames(shape, view.dtype)

    def _delivered(self, target: Tensor, out: Tensor | None) -> Tensor:
        if self._device.type == "cpu":
            return out if out is not None and out.shape == target.shape else target
        return target.to(self._device) if out is None else out[tuple(slice(n) for n in target.shape)].copy_(target)

    def _times(self, names: list[int], filled: Filled) -> tuple[np.ndarray, np.ndarray]:
        if not filled.times:
            chosen = np.asarray(self._frames.numbers(names), dtype=np.int64)
            return self._pts[chosen], self._durations[chosen]
        tick = self._frames.index.time_base
        ticks = np.array([filled.times[name] for name in names], dtype=np.int64).reshape(-1, 2)
        seconds = ticks * float(tick.numerator) / float(tick.denominator)
        return seconds[:, 0].copy(), seconds[:, 1].copy()

    def _decode(self, names: list[int], frames: Tensor, view: View, fresh: bool) -> Filled:
        """Decode ``names`` (any order, repeats allowed) into ``frames`` (N, 3, H, W), of any strides."""
        self._ready()  # before the lock: in a forked child it makes a new one
        with self._lock:
            self._require_open()
            self._deadline.restart()
            return fill(self._frames, names, frames, view, self._size, fresh)


def _as_tchw(frames: Tensor, layout: str) -> Tensor:
    if layout == "TCHW":
        return frames
    return frames.transpose(0, 1) if layout == "CTHW" else frames.permute(0, 3, 1, 2)


def _without(frames: Tensor, kept: list[int], axis: int, in_place: bool) -> Tensor:
    """The frames that are kept, moved to the front of their memory where that is the caller's."""
    chosen = frames.index_select(axis, torch.tensor(kept, dtype=torch.int64, device="cpu"))
    return frames.narrow(axis, 0, len(kept)).copy_(chosen) if in_place else chosen
