"""Opening a container with PyAV: what is accepted, and one clear line for what is not."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import IO, Any

from torch import Tensor

from vision_io._address import SILENCE, is_address
from vision_io._deadline import Deadline
from vision_io._errors import DecodeError, MissingDependencyError
from vision_io._image.source import as_bytes
from vision_io._limits import DEFAULT_LIMITS, Limits
from vision_io._video.mp4_check import check_mp4
from vision_io._video.pyav_compat import code_of, opening_arguments
from vision_io._video.source_reader import SourceReader

__all__ = [
    "Source",
    "as_source",
    "check_source",
    "import_av",
    "open_container",
    "pick_stream",
    "source_name",
    "start_of",
]

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | Tensor | IO[bytes]

# Demuxers that read the bytes they are given. What is left out: playlists (hls, dash, concat) that make the library
# fetch further files and addresses, devices, and demuxers that take any text for a picture (tty).
_CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,flv,live_flv,asf,asf_o,ogg,ivf,obu,av1,h261,h263,h264,"
    "hevc,vvc,evc,m4v,mjpeg,mjpeg_2000,gif,apng,nut,mxf,mxf_opatom,gxf,dv,wtv,rm,vc1,vc1test,swf,nsv,roq,yuv4mpegpipe,cavsvideo,avs2,avs3,"
    "dnxhd,dirac,lavf,ffm,film_cpk,smk,bink,binka,flic,rl2,xa,mtv,pva,r3d,webp_anim,ty,vmd,wc3movie,4xm,ea,"
    "wav,w64,mp3,aac,flac,ac3,eac3,amr,aiff,au,caf,dts,opus,tta,wv,ape,mlp,truehd,spdif,"
    "image2,image2pipe,jpeg_pipe,png_pipe,webp_pipe,bmp_pipe,tiff_pipe,j2k_pipe,jpegxl_pipe,jpegxl_anim,jpegls_pipe"
)
# Files of subtitles alone. What is left out opens other files (vobsub) or is taken for text by its name (microdvd).
_SUBTITLES = "srt,webvtt,ass,sup,sami,lrc,subviewer,subviewer1,mpl2,stl,tedcaptions"
_STILLS = ("image2", "_pipe")
_PROTOCOLS = "file,crypto,data,http,https,httpproxy,tcp,tls,rtmp,rtmps,rtmpt,rtmpe,rtsp,ftp,udp,rtp,pipe,cache"
_ATTACHED_PICTURE = 0x0400


def import_av() -> Any:
    """PyAV, imported at the first use."""
    try:
        import av
        import av.error
    except ImportError as error:
        raise MissingDependencyError(
            "video needs PyAV, which is not installed; install it with: pip install 'vision-io[video]'"
        ) from error
    return av


def as_source(source: Source) -> Source:
    """The source; a tensor of encoded bytes as a view of its memory.

    Raises:
        ValueError: A tensor that is no one-dimensional uint8 tensor.
    """
    return as_bytes(source).data if isinstance(source, Tensor) else source


def source_name(source: Source) -> str:
    """How messages call the source."""
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return f"<{len(source)} bytes>"
    return str(getattr(source, "name", f"<{type(source).__name__}>"))


def check_source(source: Source, name: str) -> None:
    """Refuse what needs no library to be refused."""
    if isinstance(source, (str, os.PathLike)):
        if is_address(source):
            return
        path = Path(source)
        if path.is_dir():
            raise DecodeError(f"{name}: is a directory; expected a video file")
        if not path.exists():
            raise DecodeError(f"{name}: no such file")
        if path.is_file() and path.stat().st_size == 0:
            raise DecodeError(f"{name}: the file is empty")
    elif isinstance(source, (bytes, bytearray, memoryview)):
        if len(source) == 0:
            raise DecodeError(f"{name}: the data is empty")
    elif not hasattr(source, "read"):
        raise TypeError(f"source: expected a path, bytes, or an object with read(); got {type(source).__name__}")


def start_of(source: Source, count: int = 1 << 16) -> bytes:
    """The first bytes of the source, for the error message only."""
    try:
        if isinstance(source, (bytes, bytearray, memoryview)):
            return bytes(source[:count])
        if isinstance(source, (str, os.PathLike)):
            if is_address(source):
                return b""
            with Path(source).open("rb") as file:
                return file.read(count)
        source.seek(0)  # pyright: ignore[reportAttributeAccessIssue]
        return source.read(count)  # pyright: ignore[reportAttributeAccessIssue]
    except (OSError, ValueError, AttributeError):
        return b""


def _explain(source: Source, error: Exception) -> str:
    """Why a container could not be opened, by its first bytes, or else in FFmpeg's words."""
    start = start_of(source)
    if start[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip") and b"moov" not in start[:64]:
        return "an MP4/MOV file without its index (moov): it is cut off, or its recording was never finished"
    if start[:4] == b"RIFF" or start[:4] == b"\x1aE\xdf\xa3":
        return "the file is cut off or damaged near its start"
    if start and all(byte >= 32 or byte in b"\t\n\r\f\x1b" for byte in start[:512]):
        return "a text file, not a video"
    words = getattr(error, "strerror", None) or error
    if is_address(source):
        return f"cannot be read: {words}"
    return f"cannot be opened as a video: {words}"


def _av_source(source: Source, deadline: Deadline) -> Any:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return io.BytesIO(source) if deadline.seconds is None else SourceReader(io.BytesIO(source), deadline)
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    return SourceReader(source, deadline)  # pyright: ignore[reportArgumentType]


def _waiting(source: Source, deadline: Deadline) -> tuple[dict[str, str], dict[str, Any]]:
    """Options of the protocol and arguments of ``av.open`` that end waiting for a server."""
    if not is_address(source):
        return {}, {}
    settings: dict[str, Any] = {}
    if deadline.seconds is not None:
        settings["timeout"] = (max(deadline.remaining() or 0.0, 1e-3), deadline.seconds)
    return {"rw_timeout": str(int(SILENCE * 1e6))}, settings


def open_container(
    source: Source, limits: Limits = DEFAULT_LIMITS, deadline: Deadline | None = None, *, subtitles: bool = False
) -> Any:
    """Open a container for reading.

    Args:
        source: Path, address, bytes, or a seekable object with ``read``.
        limits: Bounds on streams, on edit lists, on the pixels of pictures that are decoded to probe, and on the time
            where no `deadline` runs yet.
        deadline: When to give up, now and at every read from the container.
        subtitles: Accept files of subtitles alone too.

    Returns:
        PyAV's input container.

    Raises:
        DecodeError: The source is missing, empty, or in no format that is read here.
        LimitError: It holds more streams, or frames by its edit list, than ``limits`` admit, or it takes too long.
    """
    av = import_av()
    source = as_source(source)
    name = source_name(source)
    deadline = deadline or Deadline(limits.deadline, name)
    check_source(source, name)
    reading = _av_source(source, deadline)
    if not is_address(source):
        check_mp4(reading if isinstance(reading, SourceReader) else source, limits, name)
    if isinstance(reading, SourceReader):
        reading.seek(0)
    protocol, settings = _waiting(source, deadline)
    formats = f"{_CONTAINERS},{_SUBTITLES}" if subtitles else _CONTAINERS
    options = {"format_whitelist": formats, "protocol_whitelist": _PROTOCOLS, **protocol}
    arguments = {**settings, **opening_arguments(av, limits.max_pixels)}
    try:
        container = av.open(reading, mode="r", container_options=options, **arguments)
    except DecodeError:
        raise
    except FileNotFoundError as error:
        raise DecodeError(f"{name}: no such file") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, av.error.ExitError) or deadline.passed():
            raise deadline.error() from error
        raise DecodeError(f"{name}: {_explain(source, error)}") from error
    try:
        limits.check_streams(len(container.streams), name)
    except DecodeError:
        container.close()
        raise
    return container


def pick_stream(container: Any, stream_index: int | None, name: str) -> Any:
    """The video stream to decode.

    Args:
        container: PyAV's input container.
        stream_index: Index among all streams of the file, or ``None`` for the one that FFmpeg calls best.
        name: How messages call the source.

    Raises:
        DecodeError: There is no video stream, or the index names another kind of stream.
    """
    kinds = [stream.type for stream in container.streams]
    if stream_index is not None:
        if not 0 <= stream_index < len(kinds) or kinds[stream_index] != "video":
            listed = ", ".join(f"{i}: {kind}" for i, kind in enumerate(kinds))
            raise DecodeError(
                f"{name}: stream {stream_index} is no video stream; the file has {listed or 'no streams'}"
            )
        return container.streams[stream_index]
    moving = [s for s in container.streams.video if not code_of(s.disposition) & _ATTACHED_PICTURE]
    if not moving:
        held = ", ".join(sorted(set(kinds))) or "nothing"
        raise DecodeError(f"{name}: no video stream; the file holds {held} only")
    if any(still in container.format.name for still in _STILLS):
        raise DecodeError(f"{name}: a still image ({moving[0].codec_context.name}); read it with vision_io.read_image")
    best = container.streams.best("video")
    return best if best in moving else moving[0]
