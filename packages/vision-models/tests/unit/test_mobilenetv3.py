"""Arguments and initialisation of MobileNetV3."""

import math

import pytest
import torch
from torch import nn

from vision_models import MobileNetV3, mobilenet_v3_large, mobilenet_v3_small
from vision_models._layers import make_divisible
from vision_models.mobilenetv3 import InvertedResidualConfig


def row(**changes) -> InvertedResidualConfig:
    values = {
        "input_channels": 16, "kernel": 3, "expanded_channels": 32, "out_channels": 16, "use_se": True,
        "activation": "HS", "stride": 1, "dilation": 1, "width_mult": 1.0,
    }  # fmt: skip
    return InvertedResidualConfig(**(values | changes))


@pytest.mark.parametrize(("channels", "expected"), [(1, 8), (8, 8), (11.9, 16), (12, 16), (19, 24), (20, 24), (88, 88)])
def test_make_divisible(channels, expected):
    assert make_divisible(channels) == expected
    assert make_divisible(channels) >= 0.9 * channels


@pytest.mark.parametrize(
    ("build", "width", "parameters"),
    # torchvision's counts. The paper's are larger below width 1: it leaves the classifier's hidden layer at full width.
    [
        (mobilenet_v3_large, 0.75, 3_377_576),
        (mobilenet_v3_large, 0.5, 1_734_576),
        (mobilenet_v3_small, 0.75, 1_653_920),
        (mobilenet_v3_small, 0.5, 917_264),
    ],
)
def test_width_multiplier(build, width, parameters):
    with torch.device("meta"):
        model = build(width_mult=width)
    assert sum(p.numel() for p in model.parameters()) == parameters


def test_reduced_tail_halves_the_last_stage():
    whole, reduced = mobilenet_v3_large().features, mobilenet_v3_large(reduced_tail=True).features
    assert whole[-1].out_channels == 960
    assert reduced[-1].out_channels == 480
    assert whole[12].out_channels == reduced[12].out_channels == 112
    assert (whole[13].out_channels, reduced[13].out_channels) == (160, 80)


def test_dilated_keeps_stride_16():
    images = torch.zeros(1, 3, 64, 64)
    assert mobilenet_v3_small().eval().features(images).shape[-1] == 2
    dilated = mobilenet_v3_small(dilated=True).eval()
    assert dilated.features(images).shape[-1] == 4
    assert list(dilated.state_dict()) == list(mobilenet_v3_small().state_dict())


def test_dropout_acts_in_training_only():
    model = mobilenet_v3_small(num_classes=4, dropout=0.9).eval()
    hidden = torch.ones(2, 576)
    assert torch.equal(model.classifier(hidden), model.classifier(hidden))
    model.train()
    assert not torch.equal(model.classifier(hidden), model.classifier(hidden))


def test_norm_layer_and_block():
    model = mobilenet_v3_small(norm_layer=lambda channels: nn.GroupNorm(4, channels))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in model.modules())
    default = next(m for m in mobilenet_v3_small().modules() if isinstance(m, nn.BatchNorm2d))
    assert (default.eps, default.momentum) == (0.001, 0.01)
    flat = MobileNetV3([row()], 8, block=lambda cnf, norm: nn.Conv2d(cnf.input_channels, cnf.out_channels, 1))
    assert isinstance(flat.features[1], nn.Conv2d)


def test_initialisation():
    model = mobilenet_v3_large()
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and module.weight.numel() > 50_000:
            fan_out = module.out_channels * math.prod(module.kernel_size) // module.groups
            torch.testing.assert_close(module.weight.std().item(), math.sqrt(2 / fan_out), rtol=0.03, atol=0)
        elif isinstance(module, nn.Linear):
            assert module.weight.std().item() == pytest.approx(0.01, rel=0.02)
            assert module.bias.eq(0).all()


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"'RE' .* 'HS' .* got 'GELU'"):
        row(activation="GELU")
    with pytest.raises(ValueError, match="width_mult: expected a positive number, got 0"):
        mobilenet_v3_small(width_mult=0)
    with pytest.raises(ValueError, match="stride: expected 1 or 2, got 3"):
        MobileNetV3([row(stride=3)], 8)
    with pytest.raises(ValueError, match="at least one row"):
        MobileNetV3([], 8)
    with pytest.raises(TypeError, match="InvertedResidualConfig"):
        MobileNetV3([(16, 3)], 8)
