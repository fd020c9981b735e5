"""Decoded planes to RGB in NumPy: the oracle of the native kernels, and what runs without them."""

from __future__ import annotations

import numpy as np

from vision_io._pixels.colour import ExactCoefficients, FFmpegCoefficients, exact_coefficients, ffmpeg_coefficients
from vision_io._pixels.raw_frame import RawFrame

__all__ = ["exact_to_rgb", "ffmpeg_to_rgb", "rgb_planes", "uses_ffmpeg_arithmetic"]


def uses_ffmpeg_arithmetic(frame: RawFrame) -> bool:
    """Whether the frame is one for which swscale's integer arithmetic is reproduced: 8-bit 4:2:0 of even height."""
    layout = frame.format
    return (
        layout.family in ("yuv", "nv") and layout.bits == 8 and layout.chroma_shift == (1, 1) and frame.height % 2 == 0
    )


def ffmpeg_to_rgb(y: np.ndarray, u: np.ndarray, v: np.ndarray, c: FFmpegCoefficients) -> np.ndarray:
    """RGB (3, H, W) uint8 from 8-bit samples of equal size, with swscale's truncating 16-bit products."""
    luma = ((8 * y.astype(np.int32) - c.y_offset) * c.y_gain) >> 16
    u = 8 * u.astype(np.int32) - 1024
    v = 8 * v.astype(np.int32) - 1024
    red = luma + ((v * c.v_to_r) >> 16)
    green = luma + ((u * c.u_to_g) >> 16) + ((v * c.v_to_g) >> 16)
    blue = luma + ((u * c.u_to_b) >> 16)
    return np.clip(np.stack((red, green, blue)), 0, 255).astype(np.uint8)


def exact_to_rgb(y: np.ndarray, u: np.ndarray, v: np.ndarray, c: ExactCoefficients) -> np.ndarray:
    """RGB (3, H, W) uint8 from samples of equal size, rounded once; float32, in the order that the kernel uses."""
    f = np.float32
    luma = (y.astype(f) - f(c.y_offset)) * f(c.y_gain)
    u = u.astype(f) - f(c.centre)
    v = v.astype(f) - f(c.centre)
    red = luma + v * f(c.v_to_r)
    green = (luma + u * f(c.u_to_g)) + v * f(c.v_to_g)
    blue = luma + u * f(c.u_to_b)
    return np.rint(np.clip(np.stack((red, green, blue)), f(0), f(255))).astype(np.uint8)


def _to_eight_bits(samples: np.ndarray, bits: int) -> np.ndarray:
    if bits == 8:
        return samples
    scale = np.float32(255.0 / ((1 << bits) - 1))
    return np.rint(np.clip(samples.astype(np.float32) * scale, np.float32(0), np.float32(255))).astype(np.uint8)


def _chroma(frame: RawFrame) -> tuple[np.ndarray, np.ndarray]:
    """U and V, each sample repeated over the pixels that it covers (nearest)."""
    layout = frame.format
    width, height = layout.chroma_size(frame.width, frame.height)
    if layout.family == "nv":
        pairs = frame.plane(1, 2 * width, height) >> layout.shift
        u, v = pairs[:, layout.order[0] :: 2], pairs[:, layout.order[1] :: 2]
    else:
        u, v = frame.plane(1, width, height), frame.plane(2, width, height)
    rows = np.arange(frame.height) >> layout.chroma_shift[1]
    columns = np.arange(frame.width) >> layout.chroma_shift[0]
    return u[rows][:, columns], v[rows][:, columns]


def rgb_planes(frame: RawFrame) -> np.ndarray:
    """The frame as RGB, uint8 (3, H, W), before rotation.

    8-bit 4:2:0 of even height equals swscale's ``rgb24`` bit for bit; every other format is within 0.5 of the exact
    value, with each chroma sample repeated over its pixels.
    """
    layout, width, height = frame.format, frame.width, frame.height
    if layout.family == "packed":
        pixels = frame.plane(0, width * layout.step, height).reshape(height, width, layout.step)
        return np.stack([pixels[..., i] for i in layout.order])
    if layout.family == "gbr":
        return np.stack([_to_eight_bits(frame.plane(i, width, height), layout.bits) for i in layout.order])
    luma = frame.plane(0, width, height)
    if layout.family == "gray":
        return np.repeat(_to_eight_bits(luma, layout.bits)[None], 3, axis=0)
    u, v = _chroma(frame)
    if uses_ffmpeg_arithmetic(frame):
        return ffmpeg_to_rgb(luma, u, v, ffmpeg_coefficients(frame.matrix, frame.full_range))
    return exact_to_rgb(luma >> layout.shift, u, v, exact_coefficients(frame.matrix, frame.full_range, layout.bits))
