"""Run calibration data through the float graph and watch every value."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from accel_mobile._errors import QuantizationError
from accel_mobile._ir import Graph, Node
from accel_mobile._quantization.config import QuantizationConfig
from accel_mobile._quantization.observers import Affine, Observed, affine_of_range, choose_range
from accel_mobile._runtime.reference import run_graph

__all__ = ["calibrate"]


def calibrate(graph: Graph, batches: Sequence[list[Tensor]], config: QuantizationConfig) -> dict[str, Affine]:
    """Return scale and zero point for every float tensor of the graph.

    Args:
        graph: Float graph with a free batch size, or one that fits the batches.
        batches: Flattened inputs, one list per calibration item.
        config: Which observer to use.

    Returns:
        Value name to `Affine`, graph inputs included.

    Raises:
        QuantizationError: If there is no batch, or a value becomes infinite or NaN.
    """
    if not batches:
        raise QuantizationError("calibration holds no item: pass a few representative inputs, for example 32 clips")
    observed: dict[str, Observed] = {}
    _watch(graph, batches, lambda name, x: observed.setdefault(name, Observed()).see_range(x))
    for name, seen in observed.items():
        if not seen.is_finite:
            raise QuantizationError(f"calibration made {name} infinite or NaN: check the inputs and the model")
    if config.observer != "minmax":
        _watch(graph, batches, lambda name, x: observed[name].see_values(x, config.bins))
    return {name: affine_of_range(*choose_range(seen, config)) for name, seen in observed.items()}


def _watch(graph: Graph, batches: Sequence[list[Tensor]], see) -> None:
    def observe(node: Node, value: object) -> None:
        if isinstance(value, Tensor) and value.is_floating_point() and value.numel():
            see(node.name, value)

    with torch.inference_mode():
        for inputs in batches:
            for name, value in zip(graph.inputs, inputs, strict=True):
                if value.is_floating_point():
                    see(name, value)
            run_graph(graph.at_batch(inputs[0].shape[0]), inputs, observe)
