"""The traces of JPEG compression."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vision_core import _pixels
from vision_core.transforms.functional._dispatch import functional, video_kernel

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "jpeg",
    "jpeg_image",
    "jpeg_video",
]


def jpeg_image(image: Tensor, quality: int) -> Tensor:
    """Compress images as JPEG and decompress them.

    Args:
        image: `[..., 1 or 3, H, W]`, uint8.
        quality: 1 (worst) to 100.

    Returns:
        The same shape, on the device of `image`.

    Raises:
        RuntimeError: another dtype or number of channels.
        ValueError: a quality outside 1..100.

    Examples:
        >>> import torch
        >>> jpeg_image(torch.full((3, 16, 16), 100, dtype=torch.uint8), 50).unique().tolist()
        [100]
    """
    _check_quality(quality)
    if image.dtype != torch.uint8:
        raise RuntimeError(
            f"image: expected dtype uint8, got {image.dtype}; use to_dtype(image, torch.uint8, scale=True)"
        )
    if image.ndim < 3 or image.shape[-3] not in (1, 3):
        raise RuntimeError(f"image: expected [..., 1 or 3, H, W], got shape {tuple(image.shape)}")
    if image.numel() == 0:
        return image
    result = _pixels.jpeg_loss(image, quality)
    if result is not None:
        return result
    if image.ndim == 3:
        return _through_jpeg(image.cpu(), quality).to(image.device)
    pictures = image.reshape(-1, *image.shape[-3:]).cpu()
    return torch.stack([_through_jpeg(picture, quality) for picture in pictures]).view(image.shape).to(image.device)


def _check_quality(quality: int) -> None:
    if not 1 <= quality <= 100:
        raise ValueError(f"quality: expected 1 to 100, got {quality}")


def _through_jpeg(picture: Tensor, quality: int) -> Tensor:
    import PIL.Image

    channels, height, width = picture.shape
    pixels = picture.permute(1, 2, 0).contiguous().numpy()
    # Bytes in and out: the arrays that Pillow makes and takes cost as much as the compression of a small image.
    given = PIL.Image.frombytes("L" if channels == 1 else "RGB", (width, height), pixels.tobytes())
    decoded = torch.frombuffer(bytearray(_opened(given, quality).tobytes()), dtype=torch.uint8)
    return decoded.view(height, width, channels).permute(2, 0, 1).contiguous()


def _opened(image: Image, quality: int) -> Image:
    from PIL.JpegImagePlugin import JpegImageFile

    file = io.BytesIO()
    image.save(file, format="JPEG", quality=quality)
    file.seek(0)
    return JpegImageFile(file)


def _jpeg_pil(image: Image, quality: int) -> Image:
    _check_quality(quality)
    return _opened(image, quality).copy()  # a plain image that does not hold the file


jpeg_video = video_kernel(jpeg_image)
jpeg = functional(jpeg_image, pil=_jpeg_pil)
