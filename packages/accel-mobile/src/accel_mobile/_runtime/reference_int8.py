"""The int8 operations in torch: exact integers, then float32 steps that every executor takes in the same order.

Activations are uint8 with a scale and a zero point, weights int8 symmetric per output channel. A convolution computes

    acc  = sum((x - x_zero_point) * weight) + bias                   (exact, int32)
    real = float32(acc) * multiplier[c]  [+ float32(r - r_zero_point) * r_multiplier]
    y    = int(round_half_even(clamp(real, lowest - y_zero_point, 255 - y_zero_point))) + y_zero_point

with `multiplier = x_scale * weight_scale[c] / y_scale` and `lowest = y_zero_point` after ReLU, else 0. Each float32
operation is rounded once (no fused multiply-add), so results are identical bit by bit on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from accel_mobile._ir import Node

__all__ = ["INT8_OPERATORS", "requantise"]

_CONV: dict[int, Callable[..., Tensor]] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
EXACT_FLOAT32 = 1 << 24


def requantise(real: Tensor, zero_point: int, relu: bool = False) -> Tensor:
    """Round float32 values in units of the result's scale to uint8."""
    low = 0.0 if relu else float(-zero_point)
    return (torch.round(torch.clamp(real, low, float(255 - zero_point))) + zero_point).to(torch.uint8)


def _centred(x: Tensor, zero_point: int) -> Tensor:
    return x.to(torch.float32) - float(zero_point)


def _accumulate(node: Node, x: Tensor, weight: Tensor) -> Tensor:
    """Return the exact sums as int32."""
    a = node.attrs
    # Every partial sum is an integer; below 2**24 (2**53) float32 (float64) holds it exactly in whatever order.
    largest = weight[0].numel() * 255 * 127
    dtype = torch.float32 if largest < EXACT_FLOAT32 else torch.float64
    conv = _CONV[weight.dim() - 2]
    centred = x.to(dtype) - float(a["x_zero_point"])
    acc = conv(centred, weight.to(dtype), None, a["stride"], a["padding"], a["dilation"], a["groups"])
    # Some convolution algorithms of a backend are not a plain sum of products: rounding removes what they add.
    return torch.round(acc).to(torch.int32)


def _qconv(node: Node, inputs: list[Any], constants: dict[str, Tensor]) -> Tensor:
    a = node.attrs
    weight = constants["weight"]
    shape = (1, -1, *[1] * (weight.dim() - 2))
    acc = _accumulate(node, inputs[0], weight) + constants["bias"].reshape(shape)
    real = acc.to(torch.float32) * constants["multiplier"].reshape(shape)
    if a["output"] == "float32":
        return torch.clamp_min(real, 0.0) if a["relu"] else real
    if len(inputs) == 2:
        real = real + _centred(inputs[1], a["residual_zero_point"]) * torch.tensor(a["residual_multiplier"])
    return _looked_up(requantise(real, a["y_zero_point"], a["relu"]), constants)


def _looked_up(q: Tensor, constants: dict[str, Tensor]) -> Tensor:
    table = constants.get("table")
    return q if table is None else table[q.to(torch.int64)]


def _qadd(node: Node, inputs: list[Any], constants: dict[str, Tensor]) -> Tensor:
    a = node.attrs
    terms = [
        _centred(x, zero_point) * torch.tensor(multiplier)
        for x, zero_point, multiplier in zip(inputs, a["zero_points"], a["multipliers"], strict=True)
    ]
    return _looked_up(requantise(terms[0] + terms[1], a["y_zero_point"], a["relu"]), constants)


def _qchannel_scale(node: Node, inputs: list[Any], constants: dict[str, Tensor]) -> Tensor:
    a = node.attrs
    multiplier = inputs[1] * torch.tensor(a["multiplier"])
    real = _centred(inputs[0], a["x_zero_point"]) * multiplier
    return _looked_up(requantise(real, a["y_zero_point"]), constants)


def _quantize(node: Node, inputs: list[Any], constants: dict[str, Tensor]) -> Tensor:
    return requantise(inputs[0] * torch.tensor(node.attrs["inverse_scale"]), node.attrs["zero_point"])


def _dequantize(node: Node, inputs: list[Any], constants: dict[str, Tensor]) -> Tensor:
    return _centred(inputs[0], node.attrs["zero_point"]) * torch.tensor(node.attrs["scale"])


def _qglobal_avg_pool(node: Node, inputs: list[Any], constants: dict[str, Tensor]) -> Tensor:
    x = inputs[0]
    dims = tuple(range(2, x.dim()))
    count = x[0, 0].numel()
    total = x.to(torch.int64).sum(dim=dims, keepdim=node.attrs["keepdim"]) - count * node.attrs["zero_point"]
    return total.to(torch.float32) * torch.tensor(node.attrs["scale"] / count)


INT8_OPERATORS: dict[str, Callable[[Node, list[Any], dict[str, Tensor]], Any]] = {
    "quantize": _quantize,
    "dequantize": _dequantize,
    "qconv": _qconv,
    "qadd": _qadd,
    "qchannel_scale": _qchannel_scale,
    "qglobal_avg_pool": _qglobal_avg_pool,
    "lookup": lambda node, inputs, constants: _looked_up(inputs[0], constants),
}
