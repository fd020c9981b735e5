"""Deformable convolution in pure torch: the checks of arguments, and the operator itself, tap by tap."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["check_deform_arguments", "deform_conv2d_reference"]


def check_deform_arguments(
    input: Tensor,
    offset: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    mask: Tensor | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
) -> tuple[int, int, int, int]:
    """Return the output's height and width, the groups of weights and those of offsets; or raise ValueError."""
    if input.dim() != 4 or offset.dim() != 4 or weight.dim() != 4:
        raise ValueError(
            "input, offset, weight: expected [N, C, H, W], [N, 2 G kh kw, H', W'] and [C', C / groups, kh, kw], got "
            f"{input.dim()}, {offset.dim()} and {weight.dim()} dimensions"
        )
    for name, tensor in (("input", input), ("offset", offset), ("weight", weight), ("bias", bias), ("mask", mask)):
        if tensor is None:
            continue
        if not tensor.is_floating_point():
            raise TypeError(f"{name}: expected floating point, got {tensor.dtype}; convert it")
        if tensor.device != input.device:
            raise ValueError(f"{name}: expected the device of input, {input.device}, got {tensor.device}")
    if min(stride) < 1 or min(dilation) < 1 or min(padding) < 0:
        raise ValueError(
            f"stride, dilation, padding: expected stride and dilation from 1 and padding from 0 on, got {stride}, "
            f"{dilation} and {padding}"
        )
    batch, channels, height, width = input.shape
    out_channels, group_channels, kernel_height, kernel_width = weight.shape
    taps = kernel_height * kernel_width
    if taps == 0 or group_channels == 0 or channels % group_channels != 0:
        raise ValueError(
            f"weight: expected [C', C / groups, kh, kw] with {channels} channels, got {list(weight.shape)}"
        )
    if height == 0 or width == 0:
        raise ValueError(f"input: expected images with pixels, got {height} x {width}")
    groups = channels // group_channels
    if groups == 0 or out_channels % groups != 0:
        raise ValueError(f"weight: {out_channels} output channels are no multiple of {groups} groups")
    offset_groups = offset.shape[1] // (2 * taps)
    if offset_groups == 0 or offset.shape[1] != 2 * taps * offset_groups or channels % offset_groups != 0:
        raise ValueError(
            f"offset: expected 2 * offset groups * {kernel_height} * {kernel_width} channels, with offset groups that "
            f"divide {channels} channels, got {offset.shape[1]}"
        )
    out_height = (height + 2 * padding[0] - dilation[0] * (kernel_height - 1) - 1) // stride[0] + 1
    out_width = (width + 2 * padding[1] - dilation[1] * (kernel_width - 1) - 1) // stride[1] + 1
    if out_height < 1 or out_width < 1:
        raise ValueError(
            f"input: {height} x {width} pixels are too few, the output would be {out_height} x {out_width}"
        )
    if offset.shape[0] != batch or offset.shape[2] != out_height or offset.shape[3] != out_width:
        raise ValueError(
            f"offset: expected [{batch}, {offset.shape[1]}, {out_height}, {out_width}], got {list(offset.shape)}"
        )
    if mask is not None and list(mask.shape) != [batch, offset_groups * taps, out_height, out_width]:
        raise ValueError(
            f"mask: expected [{batch}, {offset_groups * taps}, {out_height}, {out_width}], got {list(mask.shape)}"
        )
    if bias is not None and (bias.dim() != 1 or bias.shape[0] != out_channels):
        raise ValueError(f"bias: expected [{out_channels}], got {list(bias.shape)}")
    return out_height, out_width, groups, offset_groups


def deform_conv2d_reference(
    input: Tensor,
    offset: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    mask: Tensor | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
) -> Tensor:
    """Do what `deform_conv2d` does, on any device and differentiably; the settings are (vertical, horizontal)."""
    out_height, out_width, groups, offset_groups = check_deform_arguments(
        input, offset, weight, bias, mask, stride, padding, dilation
    )
    dtype = torch.float64 if input.dtype == torch.float64 else torch.float32
    result_dtype = input.dtype
    input, offset, weight = input.to(dtype), offset.to(dtype), weight.to(dtype)
    batch, channels, _, _ = input.shape
    out_channels, group_channels, kernel_height, kernel_width = weight.shape
    taps = kernel_height * kernel_width
    offset = offset.reshape(batch, offset_groups, taps, 2, out_height, out_width)
    masks = None if mask is None else mask.to(dtype).reshape(batch, offset_groups, taps, 1, out_height * out_width)
    pixels = input.reshape(
        batch, offset_groups, channels // offset_groups, input.shape[2] * input.shape[3]
    )  # (B, G, C / G, H * W)
    row = torch.arange(out_height, device=input.device, dtype=dtype)[:, None] * stride[0] - padding[0]
    column = torch.arange(out_width, device=input.device, dtype=dtype) * stride[1] - padding[1]
    taps_weight = weight.reshape(groups, out_channels // groups, group_channels, taps)
    total = torch.zeros([], dtype=dtype, device=input.device)
    for tap in range(taps):
        y = row + tap // kernel_width * dilation[0] + offset[:, :, tap, 0]
        x = column + tap % kernel_width * dilation[1] + offset[:, :, tap, 1]
        sampled = _sampled(pixels, y, x, input.shape[2], input.shape[3])  # (B, G, C / G, H' * W')
        if masks is not None:
            sampled = sampled * masks[:, :, tap]
        part = sampled.reshape(batch, groups, group_channels, out_height * out_width)
        with torch.autocast(input.device.type, enabled=False):
            total = total + taps_weight[..., tap] @ part
    result = total.reshape(batch, out_channels, out_height, out_width)
    if bias is not None:
        result = result + bias.to(dtype)[:, None, None]
    return result.to(result_dtype)


def _sampled(pixels: Tensor, y: Tensor, x: Tensor, height: int, width: int) -> Tensor:
    """Sample `[B, G, C, H * W]` bilinearly at `[B, G, H', W']`; what lies outside counts as 0, also at NaN."""
    y, x = y.flatten(2), x.flatten(2)
    inside = (y > -1) & (x > -1) & (y < height) & (x < width)
    y, x = torch.where(inside, y, 0.0), torch.where(inside, x, 0.0)
    top, left = y.detach().floor(), x.detach().floor()
    part_y, part_x = y - top, x - left
    total = torch.zeros([], dtype=pixels.dtype, device=pixels.device)
    for step_y in (0, 1):
        for step_x in (0, 1):
            at_y, at_x = top.to(torch.int64) + step_y, left.to(torch.int64) + step_x
            seen = inside & (at_y >= 0) & (at_x >= 0) & (at_y < height) & (at_x < width)
            weight = (part_y if step_y else 1 - part_y) * (part_x if step_x else 1 - part_x)
            at = torch.where(seen, at_y * width + at_x, 0)[:, :, None].expand(-1, -1, pixels.shape[2], -1)
            values = torch.where(seen[:, :, None], pixels.gather(3, at), 0.0)
            total = total + values * torch.where(seen, weight, 0.0)[:, :, None]
    return total
