"""Starts X3D's stem as a bank of motion detectors.

Telling left from right needs filters that are tilted in space-time. With random weights a network finds them only after
a long plateau, on which it knows *that* things move but not which way. The stem of X3D, a spatial convolution followed
by a temporal one per channel, has just the form of the classic model: pairs of filters a quarter of a wave apart in
space and in time, whose sums and differences prefer one direction. All weights are trained from there on.

Source: Adelson and Bergen, "Spatiotemporal energy models for the perception of motion", J. Opt. Soc. Am. A 2(2), 1985.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["init_motion_energy", "quadrature_filters"]

_WAVE = math.pi / 2  # radians per pixel and per frame: four samples make a wave


def quadrature_filters(num_filters: int, spatial_size: int, temporal_size: int) -> tuple[Tensor, Tensor]:
    """Make pairs of even and odd filters, four channels for each orientation.

    Args:
        num_filters: Number of channels, a multiple of 4.
        spatial_size: Side of the spatial filters, odd.
        temporal_size: Length of the temporal filters, odd.

    Returns:
        Spatial ``[num_filters, S, S]`` and temporal ``[num_filters, T]`` filters, each of norm 1.

    Raises:
        ValueError: ``num_filters`` is no multiple of 4.

    Example:
        >>> space, time = quadrature_filters(24, 3, 5)
        >>> space.shape, time.shape
        (torch.Size([24, 3, 3]), torch.Size([24, 5]))
    """
    if num_filters % 4:
        raise ValueError(f"num_filters: got {num_filters}, expected a multiple of 4")
    y, x = torch.meshgrid(_centred(spatial_size), _centred(spatial_size), indexing="ij")
    window = torch.exp(-(x * x + y * y) / 2)
    t = _centred(temporal_size)
    even_in_time = _unit(torch.cos(_WAVE * t) * torch.exp(-t * t / 3))
    odd_in_time = _unit(torch.sin(_WAVE * t) * torch.exp(-t * t / 3))
    space, time = [], []
    for k in range(num_filters // 4):
        tilt = math.pi * k / (num_filters // 4)
        along = math.cos(tilt) * x + math.sin(tilt) * y
        even = torch.cos(_WAVE * along) * window
        even_in_space, odd_in_space = _unit(even - even.mean()), _unit(torch.sin(_WAVE * along) * window)
        space += [even_in_space, odd_in_space, even_in_space, odd_in_space]
        time += [even_in_time, odd_in_time, odd_in_time, even_in_time]
    return torch.stack(space), torch.stack(time)


@torch.no_grad()
def init_motion_energy(model: nn.Module) -> None:
    """Set the stem of an X3D network.

    Args:
        model: Made by ``video.models.create_x3d``.
    """
    stem = model.blocks[0].conv  # type: ignore[union-attr, index]
    spatial, temporal = stem.conv_t, stem.conv_xy  # the published checkpoints' names, the wrong way round
    space, time = quadrature_filters(spatial.out_channels, spatial.kernel_size[-1], temporal.kernel_size[0])
    colours = spatial.in_channels
    spatial.weight.copy_(space[:, None, None].expand_as(spatial.weight) / math.sqrt(colours))
    temporal.weight.copy_(time[:, None, :, None, None])


def _centred(size: int) -> Tensor:
    return torch.arange(size) - (size - 1) / 2


def _unit(values: Tensor) -> Tensor:
    return values / values.norm()
