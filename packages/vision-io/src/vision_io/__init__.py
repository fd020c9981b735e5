"""Image, video and audio decoding and encoding for PyTorch: from file to tensor in one pass."""

from vision_io.__about__ import __version__
from vision_io._audio.decoder import AudioDecoder
from vision_io._audio.encoder import AudioEncoder
from vision_io._audio.samples import AudioMetadata, AudioSamples
from vision_io._errors import (
    BatchDecodeError,
    DeadlineError,
    DecodeError,
    EncodeError,
    LimitError,
    MissingDependencyError,
)
from vision_io._image.backend import get_image_backend, set_image_backend
from vision_io._image.batch import decode_jpeg_batch, decode_resized_crop
from vision_io._image.decode import (
    decode_avif,
    decode_gif,
    decode_heic,
    decode_image,
    decode_jpeg,
    decode_png,
    decode_webp,
    load_image,
    read_image,
)
from vision_io._image.encode import encode_jpeg, encode_png, write_jpeg, write_png
from vision_io._image.encode_animated import encode_avif, encode_gif, encode_webp
from vision_io._image.files import read_file, write_file
from vision_io._image.mode import ImageReadMode
from vision_io._limits import Limits
from vision_io._native import BuildInfo, build_info
from vision_io._video.backend import get_video_backend, set_video_backend
from vision_io._video.classic import read_video, read_video_timestamps, write_video
from vision_io._video.clips import decode_clips
from vision_io._video.decoder import VideoDecoder
from vision_io._video.encoder import VideoEncoder
from vision_io._video.metadata import VideoMetadata
from vision_io._video.motion_vectors import MotionVectorDecoder, MotionVectors
from vision_io._video.multi_encoder import AudioStream, Encoder, VideoStream
from vision_io._video.reader import VideoReader
from vision_io._video.results import Frame, FrameBatch
from vision_io._video.saved_index import VideoIndex
from vision_io._video.subtitles import Subtitle, SubtitleDecoder, SubtitleImage, SubtitleMetadata

__all__ = [
    "AudioDecoder",
    "AudioEncoder",
    "AudioMetadata",
    "AudioSamples",
    "AudioStream",
    "BatchDecodeError",
    "BuildInfo",
    "DeadlineError",
    "DecodeError",
    "EncodeError",
    "Encoder",
    "Frame",
    "FrameBatch",
    "ImageReadMode",
    "LimitError",
    "Limits",
    "MissingDependencyError",
    "MotionVectorDecoder",
    "MotionVectors",
    "Subtitle",
    "SubtitleDecoder",
    "SubtitleImage",
    "SubtitleMetadata",
    "VideoDecoder",
    "VideoEncoder",
    "VideoIndex",
    "VideoMetadata",
    "VideoReader",
    "VideoStream",
    "__version__",
    "build_info",
    "decode_avif",
    "decode_clips",
    "decode_gif",
    "decode_heic",
    "decode_image",
    "decode_jpeg",
    "decode_jpeg_batch",
    "decode_png",
    "decode_resized_crop",
    "decode_webp",
    "encode_avif",
    "encode_gif",
    "encode_jpeg",
    "encode_png",
    "encode_webp",
    "get_image_backend",
    "get_video_backend",
    "load_image",
    "read_file",
    "read_image",
    "read_video",
    "read_video_timestamps",
    "set_image_backend",
    "set_video_backend",
    "write_file",
    "write_jpeg",
    "write_png",
    "write_video",
]
