"""Tensors to WebP, AVIF and GIF: one picture or an animation."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from vision_io._errors import EncodeError
from vision_io._image.pillow_encode import check_image, save_with_pillow

__all__ = ["encode_avif", "encode_gif", "encode_webp"]


def _frames(input: Tensor, channels: tuple[int, ...]) -> list[Tensor]:
    frames = list(input) if isinstance(input, Tensor) and input.ndim == 4 else [input]
    if not frames:
        raise EncodeError(f"input: got shape {tuple(input.shape)}, an animation without pictures")
    check_image(frames[0], channels=channels)
    return frames


def _timing(count: int, fps: float, loop: int) -> dict[str, Any]:
    if count == 1:
        return {}
    if not fps > 0:
        raise EncodeError(f"fps: got {fps}, expected a positive number")
    return {"duration": max(1, round(1000 / fps)), "loop": loop}


def encode_webp(
    input: Tensor, quality: int = 80, *, lossless: bool = False, fps: float = 10.0, loop: int = 0
) -> Tensor:
    """Encode a picture or an animation as WebP.

    Args:
        input: uint8 (3, H, W) RGB or (4, H, W) RGB and alpha; (N, 3 or 4, H, W) for an animation.
        quality: 0 to 100; with ``lossless`` the effort.
        lossless: Keep every pixel.
        fps: Pictures per second of an animation.
        loop: How often an animation repeats; 0 for ever.

    Returns:
        The file's bytes, uint8 (N).

    Raises:
        EncodeError: Wrong shape, dtype or setting, or Pillow was built without WebP.

    Examples:
        >>> import torch
        >>> from vision_io import decode_webp, encode_webp
        >>> clip = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8)
        >>> torch.equal(decode_webp(encode_webp(clip, lossless=True)), clip)
        True
    """
    if not 0 <= quality <= 100:
        raise EncodeError(f"quality: got {quality}, expected 0 to 100")
    frames = _frames(input, (3, 4))
    exact = {"exact": True} if lossless else {}
    return save_with_pillow(
        frames, "WEBP", quality=quality, lossless=lossless, **exact, **_timing(len(frames), fps, loop)
    )


def encode_avif(input: Tensor, quality: int = 75, *, speed: int = 6, fps: float = 10.0) -> Tensor:
    """Encode a picture or an image sequence as AVIF.

    Args:
        input: uint8 (3, H, W) RGB or (4, H, W) RGB and alpha; (N, 3 or 4, H, W) for a sequence.
        quality: 0 to 100.
        speed: 0 (slow, small) to 10 (fast).
        fps: Pictures per second of a sequence.

    Returns:
        The file's bytes, uint8 (N).

    Raises:
        EncodeError: Wrong shape, dtype or setting, or Pillow was built without AVIF.
    """
    if not 0 <= quality <= 100:
        raise EncodeError(f"quality: got {quality}, expected 0 to 100")
    if not 0 <= speed <= 10:
        raise EncodeError(f"speed: got {speed}, expected 0 to 10")
    frames = _frames(input, (3, 4))
    timing = {"duration": max(1, round(1000 / fps))} if len(frames) > 1 else {}
    return save_with_pillow(frames, "AVIF", quality=quality, speed=speed, **timing)


def encode_gif(input: Tensor, *, fps: float = 10.0, loop: int = 0) -> Tensor:
    """Encode a picture or an animation as GIF: at most 256 colours per picture, chosen for it.

    Args:
        input: uint8 (1, H, W) gray or (3, H, W) RGB; (N, 1 or 3, H, W) for an animation.
        fps: Pictures per second of an animation (the format stores hundredths of a second).
        loop: How often an animation repeats; 0 for ever.

    Returns:
        The file's bytes, uint8 (N).

    Raises:
        EncodeError: Wrong shape, dtype or setting.

    Examples:
        >>> import torch
        >>> from vision_io import decode_gif, encode_gif
        >>> decode_gif(encode_gif(torch.zeros(3, 8, 6, dtype=torch.uint8))).shape
        torch.Size([3, 8, 6])
    """
    frames = _frames(input, (1, 3))
    return save_with_pillow(frames, "GIF", **_timing(len(frames), fps, loop))
