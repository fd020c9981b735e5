"""Which library reads video files."""

from __future__ import annotations

from collections.abc import Callable

from vision_io._limits import Limits
from vision_io._video.frame_source import FrameSource
from vision_io._video.pyav_open import Source, import_av
from vision_io._video.saved_index import VideoIndex

__all__ = ["get_video_backend", "open_frame_source", "resolve_video_backend", "set_video_backend"]

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


def open_frame_source(
    backend: str,
    source: Source,
    stream_index: int | None,
    num_threads: int,
    limits: Limits,
    saved: VideoIndex | None = None,
) -> FrameSource:
    """Open a video with one of the backends.

    Args:
        backend: A name that :func:`resolve_video_backend` returned.
        source: Path, address, bytes, or a seekable object with ``read``.
        stream_index: Index among all streams of the file, or ``None`` for the best video stream.
        num_threads: Decoder threads; 0 lets the library choose.
        limits: Bounds on pictures and frames.
        saved: What opening the same source found out before.

    Raises:
        DecodeError: The source cannot be opened, or the backend cannot do what is asked.
        MissingDependencyError: The library of the backend is not installed.
    """
    if backend == "decord":
        from vision_io._video.decord_source import DecordSource

        return DecordSource(source, stream_index, num_threads, limits, saved)
    if backend == "torchcodec":
        from vision_io._video.torchcodec_source import TorchCodecSource

        return TorchCodecSource(source, stream_index, num_threads, limits, saved)
    if backend == "pyav":
        from vision_io._video.pyav_swscale import SwscaleSource

        return SwscaleSource(source, stream_index, num_threads, limits, saved)
    from vision_io._video.pyav_source import PyAVSource

    return PyAVSource(source, stream_index, num_threads, limits, saved)
