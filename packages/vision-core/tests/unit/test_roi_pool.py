"""Ties and values that are no numbers in RoIPool; see `test_regions` for the rest."""

from __future__ import annotations

import math

import torch

from vision_core.ops import roi_pool


def test_roi_pool_gives_the_gradient_to_the_first_of_equal_values(backend: str) -> None:
    for channels in (1, 20):
        image = torch.zeros(1, channels, 6, 6)
        image[..., 2, 3] = image[..., 3, 1] = image[..., 4, 4] = 5.0
        leaf = image.requires_grad_()
        roi_pool(leaf, torch.tensor([[0.0, 0, 0, 5, 5]] * 40), 1).sum().backward()
        expected = torch.zeros(6, 6)
        expected[2, 3] = 40
        assert torch.equal(leaf.grad, expected.expand(1, channels, 6, 6))


def test_roi_pool_passes_over_what_is_not_a_number(backend: str) -> None:
    for channels in (1, 20):
        image = torch.full((1, channels, 4, 4), math.nan)
        image[..., :2, :2] = -math.inf
        image[..., 3, 3] = -7.0
        pooled = roi_pool(image, torch.tensor([[0.0, 0, 0, 3, 3]] * 30), 2)[0]
        lowest = torch.finfo(torch.float32).min
        assert pooled.tolist() == [[[lowest, lowest], [lowest, -7.0]]] * channels
