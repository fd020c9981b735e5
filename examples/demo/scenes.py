"""Procedural scenes: periodic colour textures, and the camera that films them.

A scene has no edge: it is a torus, so content that leaves a frame on one side brings new content in on the other, and
no border ever tells where a motion came from.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from examples.demo.actions import Motion

__all__ = ["PATTERNS", "SCENE_SIZE", "draw_scene", "film"]

SCENE_SIZE = 256  # pixels


def _uniform(generator: Generator, low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))


def _noise(generator: Generator, slope: float, lowest: float, highest: float) -> Tensor:
    """Periodic Gaussian noise, (S, S), of unit variance, with frequencies in cycles per scene."""
    size = SCENE_SIZE
    rows = torch.fft.fftfreq(size)[:, None] * size
    columns = torch.fft.rfftfreq(size)[None] * size
    frequency = (rows * rows + columns * columns).sqrt()
    amplitude = ((frequency >= lowest) & (frequency <= highest)) / frequency.clamp_min(1) ** slope
    spectrum = torch.view_as_complex(torch.randn(size, size // 2 + 1, 2, generator=generator)) * amplitude
    values = torch.fft.irfft2(spectrum, s=(size, size))
    return (values - values.mean()) / values.std()


def _grid() -> tuple[Tensor, Tensor]:
    steps = torch.arange(SCENE_SIZE) / SCENE_SIZE
    rows, columns = torch.meshgrid(steps, steps, indexing="ij")
    return rows, columns


def _clouds(generator: Generator) -> Tensor:
    return torch.sigmoid(2 * _noise(generator, _uniform(generator, 0.8, 1.6), 2, 24))


def _stones(generator: Generator) -> Tensor:
    """Cells of the points that are nearest to them (a Voronoi diagram on the torus)."""
    count = int(_uniform(generator, 50, 140))
    points = torch.rand(count, 2, generator=generator)
    shades = torch.rand(count, generator=generator)
    steps = torch.arange(SCENE_SIZE) / SCENE_SIZE
    near = (steps[:, None, None] - points).abs()  # (S, count, 2)
    near = torch.minimum(near, 1 - near).square()
    distance = near[:, None, :, 0] + near[None, :, :, 1]  # (S, S, count)
    return shades[distance.argmin(dim=-1)]


def _corals(generator: Generator) -> Tensor:
    return torch.sigmoid(6 * (_noise(generator, 0.5, 4, 16).abs() - 0.7))


def _tiles(generator: Generator) -> Tensor:
    """A chequered floor that was laid by an unsteady hand."""
    count = int(_uniform(generator, 5, 12))
    rows, columns = _grid()
    bend_x, bend_y = _noise(generator, 2, 1, 6), _noise(generator, 2, 1, 6)
    across = torch.sin(2 * math.pi * count * columns + bend_x)
    down = torch.sin(2 * math.pi * count * rows + bend_y)
    return torch.sigmoid(4 * across * down)


PATTERNS: tuple[Callable[[Generator], Tensor], ...] = (_clouds, _stones, _corals, _tiles)


def draw_scene(number: int, generator: Generator) -> Tensor:
    """Draw a scene.

    Args:
        number: The number of the scene; patterns take turns.
        generator: Source of randomness.

    Returns:
        float32 ``[3, SCENE_SIZE, SCENE_SIZE]`` in 0..1, periodic in both directions.
    """
    shade = PATTERNS[number % len(PATTERNS)](generator)
    shade = (shade + 0.15 * torch.sigmoid(_noise(generator, 1.2, 2, 30))).clamp(0, 1)
    palette = torch.rand(4, 3, generator=generator)
    palette = 0.5 + 0.24 * (palette - palette.mean(0)) / (palette.std(0) + 0.1)
    position = shade * 2.999
    lower = position.long().clamp(0, 2)
    weight = (position - lower)[..., None]
    return (palette[lower] * (1 - weight) + palette[lower + 1] * weight).permute(2, 0, 1).clamp(0, 1)


def film(scene: Tensor, motion: Motion, times: Tensor, frame_size: int) -> Tensor:
    """Film a scene: sharp frames, no motion blur.

    Args:
        scene: float32 ``[3, S, S]`` in 0..1, periodic.
        motion: How its pose changes.
        times: ``[T]``, seconds from the middle of the video.
        frame_size: Height and width of a frame, pixels.

    Returns:
        uint8 ``[T, 3, frame_size, frame_size]``.
    """
    size = scene.shape[-1]
    padded = F.pad(scene[None], (0, 1, 0, 1), mode="circular")
    steps = torch.arange(frame_size) + 0.5 - frame_size / 2
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    pixels = torch.stack([x, y, torch.ones_like(x)]).reshape(3, -1)
    points = motion.to_scene(times) @ pixels / size  # [T, 2, pixels], in scenes
    points = points.sub_(points.floor()).mul_(2).sub_(1)  # onto the torus, then to -1..1
    grid = points.reshape(-1, 2, frame_size, frame_size).permute(0, 2, 3, 1)
    frames = F.grid_sample(padded.expand(len(grid), -1, -1, -1), grid, mode="bilinear", align_corners=True)
    return frames.mul_(255).round_().to(torch.uint8)
