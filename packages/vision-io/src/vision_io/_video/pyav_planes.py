"""The planes of frames that PyAV decoded, and what the frames say about themselves."""

from __future__ import annotations

from typing import Any, ClassVar

from vision_io._limits import Limits
from vision_io._pixels.colour import is_known_matrix
from vision_io._pixels.formats import FORMATS
from vision_io._pixels.raw_frame import RawFrame
from vision_io._video.display_matrix import orientation_of
from vision_io._video.frame_source import StreamFacts
from vision_io._video.pyav_compat import code_of, colour_arguments, side_data

__all__ = ["PlaneReader"]

_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
# Decoders of pictures: up to PyAV 18, looking at the side data of a frame with EXIF data ends the process.
_PICTURES = (
    "apng", "bmp", "gif", "jpeg2000", "jpegls", "jpegxl", "libopenjpeg", "ljpeg", "mjpeg", "png", "tiff", "webp",
)  # fmt: skip


class PlaneReader:
    """Takes the planes out of PyAV's frames; formats that the kernels do not know go through swscale first.

    Args:
        codec: FFmpeg's name of the decoder.
        limits: Bounds on the size of a picture.
        name: How messages call the source.

    Attributes:
        decoder_options: Options that the decoder needs, name to value.
    """

    decoder_options: ClassVar[dict[str, str]] = {}

    def __init__(self, codec: str, limits: Limits, name: str) -> None:
        self._limits = limits
        self._name = name
        self._has_matrix = not any(picture in codec for picture in _PICTURES)
        self._reformatter: Any = None
        self._known: tuple[int, tuple[int, bool]] | None = None  # an angle by PyAV, and the orientation behind it

    def orientation(self, frame: Any) -> tuple[int, bool]:
        """Degrees counter-clockwise by which the frame is to be turned, and whether it is mirrored afterwards."""
        angle = int(frame.rotation) % 360  # of the matrix too, but blind for mirrors
        if self._known is None or self._known[0] != angle:
            self._known = angle, self._read_orientation(frame, angle)
        return self._known[1]

    def _read_orientation(self, frame: Any, angle: int) -> tuple[int, bool]:
        if self._has_matrix:
            matrix = side_data(frame, "DISPLAYMATRIX")
            if matrix is not None:
                return orientation_of(bytes(matrix))
        return (angle if angle % 90 == 0 else 0), False

    def _convert(self, frame: Any, format: str, width: int | None = None, height: int | None = None) -> Any:
        if self._reformatter is None:
            from av.video.reformatter import VideoReformatter

            self._reformatter = VideoReformatter()
        return self._reformatter.reformat(frame, width=width, height=height, format=format, **colour_arguments(frame))

    def raw(self, frame: Any, orientation: tuple[int, bool] | None = None) -> RawFrame:
        """The planes of a frame.

        Args:
            frame: PyAV's frame.
            orientation: What :meth:`orientation` says, where it is known.
        """
        rotation, mirrored = self.orientation(frame) if orientation is None else orientation
        name, matrix = frame.format.name, code_of(frame.colorspace)
        format = FORMATS.get(name)
        planes = frame.planes
        strides = tuple([plane.line_size for plane in planes])
        unknown = format is None or (format.family in ("yuv", "nv") and not is_known_matrix(matrix))
        if unknown or min(strides) <= 0:
            self._limits.check_picture(frame.width, frame.height, self._name)
            frame = self._convert(frame, "rgb24")
            format, planes = FORMATS["rgb24"], frame.planes
            strides = tuple([plane.line_size for plane in planes])
        assert format is not None
        return RawFrame(
            format,
            frame.width,
            frame.height,
            tuple([plane.buffer_ptr for plane in planes]),
            strides,
            planes,
            matrix,
            format.full_range or code_of(frame.color_range) == _FULL_RANGE,
            rotation,
            frame,
            mirrored,
        )

    def resized(self, frame: RawFrame, width: int, height: int) -> RawFrame:
        """The frame at another size (bicubic, as FFmpeg's own tools do), for pictures that change size on the way."""
        return self.raw(self._convert(frame.owner, "rgb24", width, height), (frame.rotation, frame.mirrored))

    def facts(self, container: Any, stream: Any, frame: Any) -> StreamFacts:
        """What the container, the stream and its first frame say."""
        context = stream.codec_context
        codec, format = context.codec, frame.format.name
        rotation, mirrored = self.orientation(frame)
        tick = float(stream.time_base)
        duration = stream.duration * tick if stream.duration else None
        return StreamFacts(
            stream_index=stream.index,
            codec=codec.canonical_name if hasattr(codec, "canonical_name") else context.name,
            pixel_format=format,
            width=frame.width,
            height=frame.height,
            rotation=rotation,
            average_rate=stream.average_rate,
            bit_rate=context.bit_rate or None,
            pixel_aspect_ratio=stream.sample_aspect_ratio or None,
            matrix=code_of(frame.colorspace),
            full_range=format.startswith("yuvj") or code_of(frame.color_range) == _FULL_RANGE,
            container=container.format.name,
            mirrored=mirrored,
            primaries=code_of(frame.color_primaries)
            if hasattr(frame, "color_primaries")
            else code_of(context.color_primaries),
            transfer=code_of(frame.color_trc) if hasattr(frame, "color_trc") else code_of(context.color_trc),
            bits=max((component.bits for component in frame.format.components), default=8),
            begin_seconds=None if stream.start_time is None else stream.start_time * tick,
            duration_seconds=duration,
            container_seconds=container.duration / 1e6 if container.duration else None,
            listed_frames=stream.frames or None,
        )
