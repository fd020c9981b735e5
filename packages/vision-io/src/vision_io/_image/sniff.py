"""What kind of image some bytes are, by their signature. File names are not trusted."""

from __future__ import annotations

from vision_io._errors import DecodeError

__all__ = ["FORMATS", "image_format"]

# Pillow's names; its module for each is imported at the first use. Nothing else is ever handed to Pillow.
FORMATS = {
    "JPEG": "JpegImagePlugin",
    "PNG": "PngImagePlugin",
    "GIF": "GifImagePlugin",
    "WEBP": "WebPImagePlugin",
    "AVIF": "AvifImagePlugin",
    "BMP": "BmpImagePlugin",
    "TIFF": "TiffImagePlugin",
    "JPEG2000": "Jpeg2KImagePlugin",
}
_SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG2000"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
)


def image_format(start: bytes, name: str) -> str:
    """The format that the first bytes announce: a key of :data:`FORMATS`, or ``"HEIF"``.

    Args:
        start: At least the first 32 bytes, where there are that many.
        name: How messages call the source.

    Raises:
        DecodeError: They announce none of the formats that are read here.
    """
    for signature, format in _SIGNATURES:
        if start.startswith(signature):
            return format
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WEBP"
    if start[4:8] == b"ftyp":
        brands = start[8:32]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        if any(brand in brands for brand in (b"heic", b"heix", b"hevc", b"mif1", b"msf1")):
            return "HEIF"
        raise DecodeError(f"{name}: a video container (MP4), not an image; read it with vision_io.VideoDecoder")
    if not start:
        raise DecodeError(f"{name}: the data is empty")
    raise DecodeError(f"{name}: not an image of a known format ({', '.join(FORMATS)}); it starts with {start[:8]!r}")
