"""How much of each layer's signal survives int8."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from accel_mobile._ir import Graph, Node
from accel_mobile._quantization.observers import Affine
from accel_mobile._runtime.reference import run_graph

__all__ = ["layer_sqnr", "sqnr"]


def sqnr(signal: Tensor, noisy: Tensor) -> float:
    """Return the signal to quantisation noise ratio, `10 log10(|s|^2 / |s - n|^2)`, in decibel.

    Args:
        signal: Float reference.
        noisy: The same values after quantisation, any equal shape.

    Returns:
        Decibel; infinity where both are equal.
    """
    noise = float((signal.double() - noisy.double()).square().sum())
    power = float(signal.double().square().sum())
    if noise == 0.0:
        return math.inf
    return 10.0 * math.log10(max(power, 1e-300) / noise)


def layer_sqnr(
    float_graph: Graph, int8_graph: Graph, ranges: dict[str, Affine], inputs: list[Tensor]
) -> dict[str, float]:
    """Run both graphs on the same inputs and compare each int8 value with its float original.

    Noise adds up along the network: a layer's figure includes what its inputs already lost.

    Returns:
        Value name to decibel, in execution order.
    """
    batch = inputs[0].shape[0]
    names = {node.name for node in int8_graph}
    truth: dict[str, Tensor] = {}
    result: dict[str, float] = {}

    def keep(node: Node, value: object) -> None:
        if node.name in names and isinstance(value, Tensor):
            truth[node.name] = value

    def compare(node: Node, value: object) -> None:
        if isinstance(value, Tensor) and node.name in truth and node.op.startswith(("q", "lookup")):
            if value.dtype == torch.uint8:
                affine = ranges[node.name]
                value = (value.float() - affine.zero_point) * affine.scale
            result[node.name] = sqnr(truth[node.name], value)

    with torch.inference_mode():
        run_graph(float_graph.at_batch(batch), inputs, keep)
        run_graph(int8_graph.at_batch(batch), inputs, compare)
    return result
