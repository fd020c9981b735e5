"""The parts of training that have a right answer."""

import math

import pytest
import torch
from torch.nn import functional as F

from examples.demo.config import DemoConfig
from examples.demo.data import network_input
from examples.demo.evaluate import accuracy, agreement, confusion_matrix
from examples.demo.motion_energy import init_motion_energy, quadrature_filters
from examples.demo.train import build_x3d


def test_sums_of_the_filters_prefer_one_direction():
    space, time = quadrature_filters(24, 3, 5)
    x = torch.arange(32.0)

    def responses(speed: float) -> torch.Tensor:
        """Of the channels to a vertical grating that drifts to the right by ``speed`` pixels a frame."""
        frames = torch.stack([torch.cos(math.pi / 2 * (x - speed * t)).expand(32, 32) for t in range(9)])
        seen = F.conv2d(frames[:, None], space[:, None])  # [T, 24, H, W]
        seen = seen.permute(1, 2, 3, 0).reshape(24, -1, 9)
        return F.conv1d(seen.transpose(0, 1), time[:, None], groups=24)  # [HW, 24, T]

    def opponent_energy(speed: float) -> float:
        even_even, odd_odd, even_odd, odd_even = responses(speed)[:, :4].unbind(dim=1)  # the channels tilted by 0
        right = (even_even + odd_odd).square().mean() + (odd_even - even_odd).square().mean()
        left = (even_even - odd_odd).square().mean() + (odd_even + even_odd).square().mean()
        return ((right - left) / (right + left)).item()

    assert opponent_energy(1.0) == pytest.approx(-opponent_energy(-1.0), abs=1e-3)
    assert abs(opponent_energy(1.0)) > 0.8
    assert abs(opponent_energy(0.0)) < 1e-3


def test_stem_starts_as_motion_detectors_and_keeps_its_names():
    model = build_x3d(DemoConfig())
    names = set(model.state_dict())
    init_motion_energy(model)
    stem = model.blocks[0].conv
    assert set(model.state_dict()) == names
    assert torch.allclose(stem.conv_t.weight.flatten(1).norm(dim=1), torch.ones(24), atol=1e-5)
    assert torch.allclose(stem.conv_xy.weight.flatten(1).norm(dim=1), torch.ones(24), atol=1e-5)


def test_network_input_ignores_brightness_and_contrast():
    clip = torch.randint(40, 120, (1, 3, 4, 16, 16), dtype=torch.uint8)
    plain, brighter = network_input(clip), network_input(clip * 2 + 10)
    assert plain.std().item() == pytest.approx(1, abs=0.2)
    assert (plain - brighter).abs().max() < 0.15 * plain.abs().max()
    assert torch.isfinite(network_input(torch.full_like(clip, 7))).all()


def test_measures():
    logits = torch.eye(8)[torch.tensor([0, 1, 2, 3, 3])]
    labels = torch.tensor([0, 1, 2, 3, 4])
    assert accuracy(logits, labels) == pytest.approx(0.8)
    matrix = confusion_matrix(logits, labels)
    assert matrix.sum() == 5
    assert matrix[4, 3] == 1
    assert agreement(logits + 0.01, logits).largest_difference == pytest.approx(0.01, rel=1e-4)
    assert agreement(-logits, logits).same_top1 == 0
