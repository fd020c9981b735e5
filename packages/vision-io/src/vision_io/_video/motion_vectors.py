"""Motion vectors: how the codec itself predicted each block from other pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from vision_io._errors import DecodeError
from vision_io._limits import Limits
from vision_io._pixels.formats import FORMATS
from vision_io._pixels.raw_frame import RawFrame
from vision_io._pixels.store import FrameSlots, empty_uint8
from vision_io._video.pyav_compat import code_of, side_data
from vision_io._video.pyav_open import Source, source_name
from vision_io._video.pyav_planes import PlaneReader
from vision_io._video.pyav_source import PyAVSource
from vision_io._video.reopening import Reopening
from vision_io._video.saved_index import VideoIndex

__all__ = ["MotionVectorDecoder", "MotionVectors"]

_COLUMNS = ("source", "w", "h", "src_x", "src_y", "dst_x", "dst_y", "motion_x", "motion_y", "motion_scale")
# FFmpeg's AVMotionVector.
_VECTOR = np.dtype(
    {
        "names": list(_COLUMNS),
        "formats": ["<i4", "u1", "u1", "<i2", "<i2", "<i2", "<i2", "<i4", "<i4", "<u2"],
        "offsets": [0, 4, 5, 6, 8, 10, 12, 24, 28, 32],
        "itemsize": 40,
    }
)
# Decoders of FFmpeg that export their vectors.
_CODECS = (
    "flv1", "h261", "h263", "h263i", "h263p", "h264", "mpeg1video", "mpeg2video", "mpeg4", "msmpeg4v1", "msmpeg4v2",
    "msmpeg4v3", "rv10", "rv20", "snow", "wmv1", "wmv2",
)  # fmt: skip
_THREADS = 1  # with frame threads FFmpeg's vectors of H.264 are those of another frame here and there
_FRAME_TYPES = {0: "?", 1: "I", 2: "P", 3: "B", 4: "S", 5: "SI", 6: "SP", 7: "BI"}


@dataclass(frozen=True, eq=False)
class MotionVectors:
    """The motion vectors of one frame.

    Attributes:
        data: int32 (N, 10), one row per vector, with the columns of :attr:`columns`: `source` (negative: an earlier
            picture, positive: a later one; which of several, FFmpeg does not tell), `w` and `h` of the block, centre of
            what it is predicted from (`src_x`, `src_y`; may lie outside the picture) and of the block itself (`dst_x`,
            `dst_y`), the vector (`motion_x`, `motion_y`) in units of ``1 / motion_scale`` pixel:
            ``src = dst + motion / motion_scale``. Blocks that are predicted twice have two rows, blocks that are not
            predicted (I frames) none.
        frame_type: ``"I"``, ``"P"``, ``"B"``, ...
        pts_seconds: When the frame is shown.
        duration_seconds: For how long.
        height: Rows of the picture as it is coded, before rotation.
        width: Columns.
        frame: RGB, uint8 (3, height, width) as it is coded, where it was asked for.
    """

    data: Tensor
    frame_type: str
    pts_seconds: float
    duration_seconds: float
    height: int
    width: int
    frame: Tensor | None = None

    columns: ClassVar[tuple[str, ...]] = _COLUMNS

    def __len__(self) -> int:
        return len(self.data)

    def column(self, name: str) -> Tensor:
        """One column of :attr:`data`, int32 (N).

        Examples:
            >>> vectors = MotionVectors(torch.arange(10, dtype=torch.int32)[None], "P", 0.0, 0.04, 16, 16)
            >>> vectors.column("motion_x")
            tensor([7], dtype=torch.int32)
        """
        if name not in _COLUMNS:
            raise ValueError(f"name: got {name!r}, expected one of {', '.join(_COLUMNS)}")
        return self.data[:, _COLUMNS.index(name)]

    @property
    def displacement(self) -> Tensor:
        """From each block to what it is predicted from, in pixels, float32 (N, 2) as (x, y)."""
        scale = self.column("motion_scale").clamp(min=1).to(torch.float32)
        return self.data[:, 7:9].to(torch.float32) / scale[:, None]

    def dense(self, source: Literal["past", "future"] = "past", *, fill: float = 0.0) -> Tensor:
        """The vectors as a field: pixel (y, x) is predicted from ``(y + field[1, y, x], x + field[0, y, x])``.

        Args:
            source: Vectors into earlier pictures, or into later ones.
            fill: Value of pixels that are not predicted from there.

        Returns:
            float32 (2, height, width): x and y in pixels.

        Examples:
            >>> row = [-1, 16, 16, 5, 8, 8, 8, -12, 0, 4]
            >>> vectors = MotionVectors(torch.tensor([row], dtype=torch.int32), "P", 0.0, 0.04, 16, 16)
            >>> vectors.dense()[:, 0, 0]
            tensor([-3.,  0.])
        """
        if source not in ("past", "future"):
            raise ValueError(f"source: got {source!r}, expected 'past' or 'future'")
        field = np.full((2, self.height, self.width), fill, np.float32)
        direction = self.column("source")
        chosen = direction < 0 if source == "past" else direction > 0
        blocks = self.data[chosen].numpy().astype(np.int64)
        vectors = self.displacement[chosen].numpy()
        for width, height in np.unique(blocks[:, 1:3], axis=0).tolist():
            here = (blocks[:, 1] == width) & (blocks[:, 2] == height)
            left = blocks[here, 5] - width // 2
            top = blocks[here, 6] - height // 2
            x, y = np.broadcast_arrays(
                left[:, None, None] + np.arange(width), top[:, None, None] + np.arange(height)[:, None]
            )
            inside = (x >= 0) & (x < self.width) & (y >= 0) & (y < self.height)
            values = np.broadcast_to(vectors[here][:, None, None, :], (*x.shape, 2))[inside]
            field[:, y[inside], x[inside]] = values.T
        return torch.from_numpy(field)

    def __repr__(self) -> str:
        return (
            f"MotionVectors({len(self)} vectors, frame_type={self.frame_type!r}, pts_seconds={self.pts_seconds:.6f}, "
            f"{self.width}x{self.height})"
        )


class _VectorReader(PlaneReader):
    """Keeps the frame whose planes it took, for its vectors, and does not turn it."""

    decoder_options: ClassVar[dict[str, str]] = {"flags2": "+export_mvs"}
    decoded: Any = None
    wants_planes = True

    def raw(self, frame: Any, orientation: tuple[int, bool] | None = None) -> RawFrame:
        """The planes as they are coded, or none of them."""
        self.decoded = frame
        if not self.wants_planes:
            return RawFrame(FORMATS["gray"], frame.width, frame.height, (), (), (), owner=frame)
        return super().raw(frame, (0, False))


class MotionVectorDecoder(Reopening):
    """Exact random access to the motion vectors of a video, frame by frame.

    H.264, MPEG-1, -2 and -4, H.261, H.263, Flash, WMV and RealVideo 1 and 2 have them; other codecs are refused, since
    FFmpeg does not export theirs. Vectors and frames come as they are coded: rotation that the file asks for is not
    applied. A decoder may be pickled and survives ``fork`` when its source can be opened again (a path or bytes).

    Args:
        source: Path, address, bytes, or a seekable binary file object.
        stream_index: Index among all streams of the file; ``None`` takes the best video stream.
        with_frames: Hand out the pictures too, decoded in the same pass.
        limits: Bounds that are checked before memory is allocated.
        index: :attr:`index` of another decoder of the same file, or of a :class:`vision_io.VideoDecoder`.

    Raises:
        DecodeError: The source is missing, damaged, holds no video, or its codec has no vectors to export.
        LimitError: The source exceeds ``limits``.
        MissingDependencyError: PyAV is not installed (``pip install 'vision-io[video]'``).

    Examples:
        >>> decoder = MotionVectorDecoder("holiday.mp4")  # doctest: +SKIP
        >>> decoder[7], decoder[7].dense().shape  # doctest: +SKIP
        (MotionVectors(612 vectors, frame_type='P', pts_seconds=0.233333, 340x256), torch.Size([2, 256, 340]))
    """

    _settings = ("_stream_index", "_with_frames", "_limits", "_index")

    def __init__(
        self,
        source: Source,
        *,
        stream_index: int | None = None,
        with_frames: bool = False,
        limits: Limits | None = None,
        index: VideoIndex | None = None,
    ) -> None:
        self._source = source
        self._stream_index = stream_index
        self._with_frames = with_frames
        self._limits = limits or Limits()
        self._index = index
        self._start()

    def _open(self) -> None:
        stream = self._stream_index if self._index is None else self._index.stream_index
        self._frames = PyAVSource(self._source, stream, _THREADS, self._limits, self._index, planes=_VectorReader)
        self._planes: Any = self._frames._planes
        self._planes.wants_planes = self._with_frames
        codec = self._frames.facts.codec
        if codec not in _CODECS:
            name = self._frames.name
            self._frames.close()
            raise DecodeError(f"{name}: FFmpeg exports no motion vectors of {codec}; it does of {', '.join(_CODECS)}")
        self._pts = self._frames.index.pts_seconds
        self._durations = self._frames.index.duration_seconds

    def _free(self) -> None:
        self._frames.close()

    def _abandon(self) -> None:
        self._frames.abandon()

    @property
    def index(self) -> VideoIndex:
        """What opening found out of the packets; see :attr:`vision_io.VideoDecoder.index`."""
        return self._frames.saved

    @property
    def pts_seconds(self) -> Tensor:
        """Presentation times of all frames, float64 (num_frames); nothing is decoded."""
        return torch.from_numpy(self._pts.copy())

    def __len__(self) -> int:
        return len(self._pts)

    def __repr__(self) -> str:
        facts = self._frames.facts
        return (
            f"MotionVectorDecoder({source_name(self._source)!r}, {facts.codec} {facts.width}x{facts.height}, "
            f"{len(self)} frames)"
        )

    def __getitem__(self, index: int) -> MotionVectors:
        return self.get_motion_vectors_at([index])[0]

    def __iter__(self) -> Iterator[MotionVectors]:
        for i in range(len(self)):
            yield self[i]

    def get_motion_vectors_at(self, indices: Sequence[int] | Tensor | np.ndarray) -> list[MotionVectors]:
        """The vectors of the frames of the given indices, in the given order.

        Args:
            indices: Integers; negative ones count from the end.

        Raises:
            IndexError: No such frame.
            DecodeError: A frame is damaged.
            LimitError: They would take more than ``limits.max_batch_bytes``.
        """
        numbers = [self._number(int(i)) for i in indices]
        found: dict[int, MotionVectors] = {}
        size = 0
        self._ready()
        with self._lock:
            self._require_open()
            self._frames.deadline.restart()
            for number, raw in self._frames.frames(sorted(set(numbers))):
                assert raw is not None, "with this error policy every frame comes"
                vectors = self._vectors(number, raw)
                size += vectors.data.nbytes + (0 if vectors.frame is None else vectors.frame.nbytes)
                self._limits.check_batch(size, self._frames.name)
                found[number] = vectors
        return [found[number] for number in numbers]

    def get_motion_vectors_in_range(self, start: int, stop: int, step: int = 1) -> list[MotionVectors]:
        """The vectors of the frames ``start``, ``start + step``, ... below ``stop``.

        Args:
            start: First index, 0 to ``len(self)``.
            stop: Index to stop before; at most ``len(self)``.
            step: Distance of the indices, at least 1.

        Raises:
            IndexError: The range is not within the video.
            ValueError: ``step`` is less than 1.
        """
        if not 0 <= start <= stop <= len(self):
            raise IndexError(f"range {start}:{stop} is not within the {len(self)} frames of the video")
        if step < 1:
            raise ValueError(f"step: got {step}, expected at least 1")
        return self.get_motion_vectors_at(range(start, stop, step))

    def _number(self, index: int) -> int:
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(f"frame {index} does not exist: the video has {len(self)} frames")
        return number

    def _vectors(self, number: int, raw: RawFrame) -> MotionVectors:
        decoded = self._planes.decoded
        picture = None
        if self._with_frames:
            picture = empty_uint8(3, raw.height, raw.width)
            FrameSlots(picture[None]).write(0, raw)
        kind = code_of(decoded.pict_type)
        return MotionVectors(
            data=torch.from_numpy(self._table(decoded)),
            frame_type=_FRAME_TYPES.get(kind, "?"),
            pts_seconds=float(self._pts[number]),
            duration_seconds=float(self._durations[number]),
            height=decoded.height,
            width=decoded.width,
            frame=picture,
        )

    def _table(self, decoded: Any) -> np.ndarray:
        found = side_data(decoded, "MOTION_VECTORS")
        if found is None:
            return np.empty((0, len(_COLUMNS)), np.int32)
        vectors = np.frombuffer(found, _VECTOR)
        table = np.empty((len(vectors), len(_COLUMNS)), np.int32)
        for place, name in enumerate(_COLUMNS):
            table[:, place] = vectors[name]
        return table
