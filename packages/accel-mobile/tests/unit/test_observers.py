from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from accel_mobile._quantization import QuantizationConfig, quantise_weight, sqnr
from accel_mobile._quantization.observers import Observed, affine_of_range, choose_range


def observed(values: torch.Tensor, bins: int = 2048) -> Observed:
    seen = Observed()
    seen.see_range(values)
    seen.see_values(values, bins)
    return seen


@given(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
def test_zero_is_exact_and_the_range_is_covered(a, b):
    low, high = min(a, b), max(a, b)
    affine = affine_of_range(low, high)
    assert 0 <= affine.zero_point <= 255
    reached = ((0 - affine.zero_point) * affine.scale, (255 - affine.zero_point) * affine.scale)
    slack = affine.scale * 0.51
    assert reached[0] <= min(low, 0) + slack
    assert reached[1] >= max(high, 0) - slack


def test_minmax_takes_all():
    values = torch.tensor([-1.0, 0.0, 3.0])
    assert choose_range(observed(values), QuantizationConfig(observer="minmax")) == (-1.0, 3.0)


def test_percentile_leaves_out_what_numpy_says():
    values = torch.randn(200_000, generator=torch.Generator().manual_seed(0))
    low, high = choose_range(observed(values), QuantizationConfig(observer="percentile", percentile=99.0))
    np.testing.assert_allclose([low, high], np.percentile(values.numpy(), [0.5, 99.5]), atol=0.01)


def test_percentile_keeps_the_zero_of_a_relu():
    low, high = choose_range(observed(torch.rand(10_000)), QuantizationConfig(observer="percentile", percentile=90.0))
    assert low >= 0.0
    assert 0.9 < high < 1.0


def squared_error(values, low, high):
    affine = affine_of_range(low, high)
    q = torch.clamp(torch.round(values / affine.scale) + affine.zero_point, 0, 255)
    return float(((q - affine.zero_point) * affine.scale - values).double().square().sum())


@pytest.mark.parametrize("freedom", [2.5, 4.0, 1000.0])
def test_histogram_finds_the_least_error_of_a_brute_force_search(freedom):
    torch.manual_seed(0)
    values = torch.distributions.StudentT(freedom).sample((100_000,))
    seen = observed(values)
    chosen = squared_error(values, *choose_range(seen, QuantizationConfig()))
    shares = torch.linspace(0.02, 1.0, 50).tolist()
    best = min(squared_error(values, seen.low * a, seen.high * b) for a in shares[::2] for b in shares[::2])
    assert chosen <= best * 1.1
    assert chosen < squared_error(values, seen.low, seen.high)


def test_histogram_keeps_a_uniform_range_whole():
    low, high = choose_range(observed(torch.rand(100_000) * 2 - 1), QuantizationConfig())
    assert low < -0.93
    assert high > 0.93


def test_weights_per_channel_are_within_half_a_step():
    weight = torch.randn(5, 3, 3, 3, 3) * torch.tensor([1e-3, 1, 10, 0.1, 5]).reshape(5, 1, 1, 1, 1)
    bias = torch.randn(5)
    q, scale, q_bias = quantise_weight(weight, bias, 0.02)
    assert q.dtype == torch.int8
    assert q.abs().flatten(1).amax(1).tolist() == [127] * 5
    error = (q.double() * scale.reshape(5, 1, 1, 1, 1) - weight.double()).abs()
    assert (error.flatten(1).amax(1) <= scale / 2 * 1.0001).all()
    torch.testing.assert_close(q_bias.double() * scale * 0.02, bias.double(), atol=1e-3, rtol=1e-3)


def test_a_dead_channel_keeps_its_bias():
    q, scale, q_bias = quantise_weight(torch.zeros(1, 4, 1, 1, 1), torch.tensor([3.0]), 0.1)
    assert q.abs().max() == 0
    assert float(q_bias[0]) * float(scale[0]) * 0.1 == pytest.approx(3.0, rel=1e-6)


def test_sqnr_of_known_noise():
    signal = torch.ones(1000)
    assert sqnr(signal, signal) == float("inf")
    assert sqnr(signal, signal * 1.1) == pytest.approx(20.0, abs=1e-4)


@pytest.mark.parametrize("bad", [{"observer": "mse"}, {"percentile": 10.0}, {"bins": 16}])
def test_bad_configuration(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        QuantizationConfig(**bad)
