"""Which library reads video files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vision_io._deadline import Deadline
from vision_io._limits import Limits
from vision_io._video.damage import ErrorPolicy
from vision_io._video.frame_source import FrameSource
from vision_io._video.pyav_open import Source, import_av
from vision_io._video.saved_index import VideoIndex

__all__ = ["Opening", "get_video_backend", "open_frame_source", "resolve_video_backend", "set_video_backend"]

_DEFAULT = "video_reader"
_BACKENDS = ("decord", "pyav", "torchcodec", "video_reader")
_chosen = _DEFAULT


def get_video_backend() -> str:
    """The library that reads the pictures of videos where none is named.

    - ``"video_reader"`` (unless :func:`set_video_backend` chose otherwise): FFmpeg through PyAV; the native kernels
      write from its planes straight into the result. Pictures that nobody asked for are not decoded.
    - ``"pyav"``: the same, but every picture goes through FFmpeg's own converter (swscale): its pixels in all formats.
    - ``"torchcodec"``: TorchCodec, with an FFmpeg of the system.
    - ``"decord"``: decord. It knows neither edit lists nor where a stream starts, and tells no codec.

    Examples:
        >>> from vision_io import get_video_backend
        >>> get_video_backend()
        'video_reader'
    """
    return _chosen


def set_video_backend(backend: str) -> None:
    """Choose the library that reads videos for the whole process.

    It serves :func:`read_video`, :class:`VideoReader`, and every :class:`VideoDecoder` that is opened without a
    `backend` of its own.

    Args:
        backend: ``"video_reader"``, ``"pyav"``, ``"torchcodec"`` or ``"decord"``; :func:`get_video_backend` says what
            they are.

    Raises:
        ValueError: There is no such backend.
        MissingDependencyError: Its library is not installed; the message names the extra.

    Examples:
        >>> from vision_io import set_video_backend
        >>> set_video_backend("video_reader")  # doctest: +SKIP
    """
    global _chosen
    name = resolve_video_backend(backend)
    _importers()[name]()
    _chosen = name


def resolve_video_backend(backend: str | None) -> str:
    """The name itself, checked, or for ``None`` the backend of the process.

    Raises:
        ValueError: There is no such backend.
    """
    if backend is None:
        return _chosen
    if backend not in _BACKENDS:
        raise ValueError(f"backend: got {backend!r}, expected one of {', '.join(_BACKENDS)}")
    return backend


def _importers() -> dict[str, Callable[[], object]]:
    from vision_io._video.decord_source import import_decord
    from vision_io._video.torchcodec_source import import_torchcodec

    return {"decord": import_decord, "pyav": import_av, "torchcodec": import_torchcodec, "video_reader": import_av}


@dataclass(frozen=True)
class Opening:
    """What a video is to be opened with.

    Attributes:
        stream_index: Index among all streams of the file, or ``None`` for the best video stream.
        num_threads: Decoder threads; 0 lets the library choose.
        limits: Bounds on pictures and frames.
        saved: What opening the same source found out before.
        errors: What becomes of frames that cannot be decoded.
        approximate: Guess the frames from the header.
        mappings: The frames as JSON, or ``None``.
    """

    stream_index: int | None
    num_threads: int
    limits: Limits
    saved: VideoIndex | None = None
    errors: ErrorPolicy = "raise"
    approximate: bool = False
    mappings: bytes | None = None


def open_frame_source(backend: str, source: Source, how: Opening, deadline: Deadline) -> FrameSource:
    """Open a video with one of the backends.

    Args:
        backend: A name that :func:`resolve_video_backend` returned.
        source: Path, address, bytes, or a seekable object with ``read``.
        how: The rest.
        deadline: When to give up.

    Raises:
        DecodeError: The source cannot be opened, or the backend cannot do what is asked.
        MissingDependencyError: The library of the backend is not installed.
        ValueError: The backend has no such way to open files.
    """
    if backend in ("decord", "torchcodec"):
        if how.errors != "raise" or how.approximate or how.mappings is not None or deadline.seconds is not None:
            raise ValueError(
                f"backend={backend!r} knows neither errors=, nor seek_mode='approximate', nor custom_frame_mappings, "
                "nor a deadline; choose 'video_reader' or 'pyav'"
            )
        if backend == "decord":
            from vision_io._video.decord_source import DecordSource as Foreign
        else:
            from vision_io._video.torchcodec_source import TorchCodecSource as Foreign

        return Foreign(source, how.stream_index, how.num_threads, how.limits, how.saved)
    from vision_io._video.pyav_planes import PlaneReader
    from vision_io._video.pyav_swscale import SwscaleReader

    planes = SwscaleReader if backend == "pyav" else PlaneReader
    if how.approximate or how.mappings is not None:
        from vision_io._video.seeking_source import SeekingSource

        return SeekingSource(
            source, how.stream_index, how.num_threads, how.limits, how.mappings, how.errors, deadline, planes
        )
    from vision_io._video.pyav_source import PyAVSource

    return PyAVSource(source, how.stream_index, how.num_threads, how.limits, how.saved, how.errors, deadline, planes)
