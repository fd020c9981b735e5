"""Image and video decoding and encoding for PyTorch: from file to tensor in one pass."""

from vision_io.__about__ import __version__
from vision_io._native import build_info
from vision_io.errors import DecodeError, EncodeError, LimitError, MissingDependencyError
from vision_io.limits import Limits
from vision_io.video.classic import read_video, read_video_timestamps, write_video
from vision_io.video.decoder import VideoDecoder
from vision_io.video.encoder import VideoEncoder
from vision_io.video.reader import VideoReader
from vision_io.video.results import Frame, FrameBatch, VideoMetadata

__all__ = [
    "DecodeError",
    "EncodeError",
    "Frame",
    "FrameBatch",
    "LimitError",
    "Limits",
    "MissingDependencyError",
    "VideoDecoder",
    "VideoEncoder",
    "VideoMetadata",
    "VideoReader",
    "__version__",
    "build_info",
    "read_video",
    "read_video_timestamps",
    "write_video",
]
