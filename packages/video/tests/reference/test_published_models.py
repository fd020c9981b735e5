"""Published networks: the layout of their checkpoints and their outputs for known weights."""

import math

import pytest
import torch

from video.models import hub

FAST = {"x3d_xs", "slow_r50_detection"}
GOLDEN = [
    "x3d_xs",
    "x3d_m",
    "x3d_l",
    "slow_r50",
    "c2d_r50",
    "i3d_r50",
    "slow_r50_detection",
    "slowfast_r50",
    "slowfast_r101",
    "csn_r101",
    "mvit_base_16x4",
    "mvit_base_32x3",
]
BUILDERS = [name for name in hub.__all__ if name != "hub_model_builder"]


@pytest.mark.parametrize("name", BUILDERS)
def test_checkpoint_layout(name, reference):
    expected = reference("pytorchvideo_layouts")[name]
    with torch.device("meta"):
        model = getattr(hub, name)()
    found = {key: [str(t.dtype).removeprefix("torch."), list(t.shape)] for key, t in model.state_dict().items()}
    assert list(found) == list(expected["state"])
    assert found == expected["state"]
    assert sum(p.numel() for p in model.parameters()) == expected["params"]


@pytest.mark.parametrize(
    "name", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in GOLDEN]
)
@torch.inference_mode()
def test_golden_output(name, reference, fill):
    golden = reference("pytorchvideo_goldens")[name]
    model = fill.fill_state(getattr(hub, name)().eval())
    out = model(*(_input(spec, fill) for spec in golden["inputs"]))
    expected = golden["outputs"]["output"]
    assert list(out.shape) == expected["shape"]
    rms = expected["norm"] / math.sqrt(out.numel())
    flat = out.flatten()
    assert (flat[:24] - torch.tensor(expected["head"])).abs().max() < 2e-3 * rms
    assert (flat[-8:] - torch.tensor(expected["tail"])).abs().max() < 2e-3 * rms
    assert abs(float(out.norm()) - expected["norm"]) < 2e-3 * expected["norm"]
    assert abs(float(out.mean()) - expected["mean"]) < 2e-3 * rms


def _input(spec, fill):
    if isinstance(spec[0], list) and isinstance(spec[0][0], float):
        return torch.tensor(spec)
    if isinstance(spec[0], list):
        return [fill.make_input(shape, tag) for shape, tag in zip(spec, "ab", strict=True)]
    return fill.make_input(spec)


@torch.inference_mode()
def test_channels_last_gives_the_same(reference, fill):
    model = fill.fill_state(hub.x3d_xs(head_activation=None).eval())
    x = fill.make_input([1, 3, 4, 160, 160])
    expected = model(x)
    fast = model.to(memory_format=torch.channels_last_3d)(x.to(memory_format=torch.channels_last_3d))
    torch.testing.assert_close(fast, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))
