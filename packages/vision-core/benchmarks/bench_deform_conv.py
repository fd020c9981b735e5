"""Deformable convolution, forward and with gradients, against torchvision's.

Run it as `python packages/vision-core/benchmarks/bench_deform_conv.py --json out.json`. The matrix product alone, which
neither of the two can avoid, stands beside them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from benchmarks.harness import race, script, show, write_json
from vision_core import ops

# name: (batch, channels, side, groups, offset groups)
SIZES = {
    "1 channel 1x1": (1, 1, 1, 1, 1),
    "4 channels 8x8": (1, 4, 8, 1, 1),
    "64 channels 56x56": (1, 64, 56, 1, 1),
    "64 channels 56x56, 4 offset groups": (1, 64, 56, 1, 4),
    "64 channels 56x56, 8 groups": (1, 64, 56, 8, 1),
    "256 channels 28x28": (1, 256, 28, 1, 1),
    "8 images, 128 channels 14x14": (8, 128, 14, 1, 1),
}


def example(batch: int, channels: int, side: int, groups: int, offset_groups: int) -> list[Tensor]:
    """input, offset, weight, bias and mask of a 3 x 3 convolution with padding 1."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    return [
        draw(batch, channels, side, side),
        2 * draw(batch, 18 * offset_groups, side, side),
        draw(channels, channels // groups, 3, 3),
        draw(channels),
        draw(batch, 9 * offset_groups, side, side).sigmoid(),
    ]


def forward(function: Callable[..., Tensor], tensors: list[Tensor]) -> Callable[[], Tensor]:
    """A call without gradients."""
    input, offset, weight, bias, mask = tensors

    def run() -> Tensor:
        with torch.no_grad():
            return function(input, offset, weight, bias, padding=1, mask=mask)

    return run


def training(function: Callable[..., Tensor], tensors: list[Tensor]) -> Callable[[], list[Any]]:
    """A call, and the gradients of all five tensors."""
    leaves = [t.clone().requires_grad_() for t in tensors]
    input, offset, weight, bias, mask = leaves

    def run() -> list[Any]:
        result = function(input, offset, weight, bias, padding=1, mask=mask)
        return list(torch.autograd.grad(result, leaves, torch.ones_like(result)))

    return run


def main(path: Path) -> None:
    """Time every size and write the results."""
    try:
        from torchvision import ops as peer
    except ImportError:
        peer = None
    results = {}
    for name, numbers in SIZES.items():
        tensors = example(*numbers)
        repeat = 15 if numbers[1] < 64 else 7
        for kind, make in (("forward", forward), ("forward and backward", training)):
            entrants: dict[str, Callable[[], object]] = {"vision-core": make(ops.deform_conv2d, tensors)}
            if peer is not None:
                theirs = make(peer.deform_conv2d, tensors)
                torch.testing.assert_close(make(ops.deform_conv2d, tensors)(), theirs(), rtol=1e-3, atol=1e-2)
                entrants["torchvision"] = theirs
            if kind == "forward":
                weight = tensors[2].flatten(1)
                columns = torch.zeros(numbers[0], weight.shape[1], numbers[2] ** 2)
                entrants["matrix product alone (of one group)"] = lambda w=weight, c=columns: w @ c
            results[f"deform_conv2d {kind}, {name}"] = race(entrants, repeat=repeat)
    show(results, title="deformable convolution")
    write_json(path, results)


if __name__ == "__main__":
    script(main)
