"""Arguments and initialisation of ResNet."""

import math

import pytest
import torch
from torch import nn

from vision_models import ResNet, resnet18, resnet50, resnext50_32x4d, wide_resnet50_2
from vision_models.resnet import BasicBlock, Bottleneck


def tiny(**kwargs) -> ResNet:
    return ResNet(Bottleneck, [1, 1, 2, 2], num_classes=4, **kwargs).eval()


def stages(model, images):
    x = model.maxpool(model.relu(model.bn1(model.conv1(images))))
    outputs = []
    for stage in (model.layer1, model.layer2, model.layer3, model.layer4):
        x = stage(x)
        outputs.append(x)
    return outputs


def test_dilation_samples_the_same_function_more_densely():
    """Every second (fourth) position of the dilated network is the strided network's output ("a trous")."""
    strided, dilated = tiny(), tiny(replace_stride_with_dilation=[False, True, True])
    dilated.load_state_dict(strided.state_dict())
    images = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        for got, expected, step in zip(stages(dilated, images), stages(strided, images), (1, 1, 2, 4), strict=True):
            assert got.shape[-1] == step * expected.shape[-1]
            torch.testing.assert_close(got[..., ::step, ::step], expected, rtol=1e-3, atol=1e-3)


def test_groups_and_widths():
    assert resnext50_32x4d().layer1[0].conv2.weight.shape == (128, 4, 3, 3)
    assert wide_resnet50_2().layer1[0].conv2.weight.shape == (128, 128, 3, 3)
    assert wide_resnet50_2().layer1[0].conv3.weight.shape == (256, 128, 1, 1)


@pytest.mark.parametrize(("block", "last"), [(BasicBlock, "bn2"), (Bottleneck, "bn3")])
def test_zero_init_residual_makes_blocks_the_identity(block, last):
    model = ResNet(block, [2, 1, 1, 1], zero_init_residual=True).eval()
    x = torch.rand(1, 64 * block.expansion, 8, 8)  # not negative: the last ReLU leaves it alone
    with torch.inference_mode():
        assert torch.equal(model.layer1[1](x), x)
    assert getattr(ResNet(block, [1, 1, 1, 1]).layer1[0], last).weight.eq(1).all()


def test_norm_layer():
    model = tiny(norm_layer=lambda channels: nn.GroupNorm(8, channels))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in model.modules())
    assert sum(isinstance(module, nn.GroupNorm) for module in model.modules()) == 1 + 3 * 6 + 4
    without = tiny(norm_layer=lambda channels: nn.Identity(), zero_init_residual=True)
    assert without(torch.zeros(1, 3, 32, 32)).shape == (1, 4)


def test_initialisation_keeps_the_variance():
    """He initialisation: standard deviation sqrt(2 / fan_out); normalisations begin as the identity."""
    for module in resnet18().modules():
        if isinstance(module, nn.Conv2d) and module.weight.numel() > 50_000:
            fan_out = module.out_channels * math.prod(module.kernel_size)
            assert module.weight.std().item() == pytest.approx(math.sqrt(2 / fan_out), rel=0.02)
            assert module.bias is None
        elif isinstance(module, nn.BatchNorm2d):
            assert module.weight.eq(1).all()
            assert module.bias.eq(0).all()


def test_wrong_arguments():
    with pytest.raises(ValueError, match="4 stages"):
        ResNet(BasicBlock, [1, 1])
    with pytest.raises(ValueError, match="3 booleans"):
        resnet50(replace_stride_with_dilation=[True])
    with pytest.raises(ValueError, match=r"BasicBlock has neither .* use Bottleneck"):
        resnet18(groups=2)
    with pytest.raises(ValueError, match=r"BasicBlock has neither .* use Bottleneck"):
        resnet18(replace_stride_with_dilation=[False, False, True])
    with pytest.raises(TypeError, match="groups"):
        resnext50_32x4d(groups=2)
