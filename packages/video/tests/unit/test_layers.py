import pytest
import torch
from torch import nn

from video.layers import (
    ConvReduce3D,
    DepthwiseConv3d,
    RoIAlign,
    SqueezeExcitation,
    Swish,
    create_conv_2plus1d,
    reference_roi_align,
    round_repeats,
    round_width,
)
from vision_contract.testing import RoIAlignConformance


class TestReferenceRoIAlign(RoIAlignConformance):
    operator = staticmethod(reference_roi_align)


def test_roi_align_finds_an_operator_and_takes_one():
    calls = []

    def spy(*args):
        calls.append(args[2:])
        return reference_roi_align(*args)

    layer = RoIAlign((2, 3), 0.5, 2, roi_align=spy)
    x, boxes = torch.rand(1, 4, 8, 8), torch.tensor([[0.0, 1, 1, 12, 14]])
    torch.testing.assert_close(layer(x, boxes), RoIAlign((2, 3), 0.5, 2)(x, boxes))
    assert calls == [([2, 3], 0.5, 2, False)]
    assert "sampling_ratio=2" in repr(layer)


def test_swish():
    x = torch.linspace(-5, 5, 101, requires_grad=True)
    torch.testing.assert_close(Swish()(x), nn.functional.silu(x))
    (grad,) = torch.autograd.grad(Swish()(x).sum(), x)
    (expected,) = torch.autograd.grad(nn.functional.silu(x).sum(), x)
    torch.testing.assert_close(grad, expected)


@pytest.mark.parametrize("is_3d", [True, False])
def test_squeeze_excitation(is_3d):
    layer = SqueezeExcitation(6, 2, is_3d=is_3d)
    x = torch.rand(2, 6, 3, 4, 5) if is_3d else torch.rand(2, 6, 4, 5)
    w0, b0, w1, b1 = (p.flatten(1) if p.ndim > 1 else p for p in layer.parameters())
    mean = x.flatten(2).mean(2)
    gate = torch.sigmoid(torch.relu(mean @ w0.t() + b0) @ w1.t() + b1)
    torch.testing.assert_close(layer(x), x * gate.reshape(2, 6, *[1] * (x.ndim - 2)))
    assert SqueezeExcitation(8, reduction_ratio=4).block[0].out_channels == 2
    with pytest.raises(ValueError, match="at least 1 reduced channel"):
        SqueezeExcitation(2, reduction_ratio=4)


def test_conv_reduce():
    layer = ConvReduce3D(in_channels=3, out_channels=4, kernel_size=(1, (3, 1, 1)), padding=(0, (1, 0, 0)))
    x = torch.rand(1, 3, 4, 5, 5)
    parts = [conv(x) for conv in layer.convs]
    torch.testing.assert_close(layer(x), parts[0] + parts[1])
    layer.reduction_method = "cat"
    assert torch.equal(layer(x), torch.cat(parts, 1))
    with pytest.raises(ValueError, match="stride has 1 entries"):
        ConvReduce3D(in_channels=3, out_channels=4, kernel_size=(1, 3), stride=(1,))
    with pytest.raises(ValueError, match="reduction_method"):
        ConvReduce3D(in_channels=3, out_channels=4, kernel_size=(1,), reduction_method="max")


@pytest.mark.parametrize("first", [True, False])
def test_conv_2plus1d_splits_every_option(first):
    layer = create_conv_2plus1d(
        in_channels=4,
        out_channels=8,
        inner_channels=6,
        conv_xy_first=first,
        kernel_size=(5, 3, 7),
        stride=(1, 2, 3),
        padding=(2, 1, 3),
        dilation=(1, 1, 1),
        groups=2,
    )
    assert (layer.conv_t.kernel_size, layer.conv_t.stride, layer.conv_t.padding) == ((5, 1, 1), (1, 1, 1), (2, 0, 0))
    assert (layer.conv_xy.kernel_size, layer.conv_xy.stride, layer.conv_xy.padding) == ((1, 3, 7), (1, 2, 3), (0, 1, 3))
    parts = [layer.conv_t, layer.norm, layer.activation, layer.conv_xy]
    x = torch.rand(2, 4, 5, 8, 9)
    torch.testing.assert_close(layer.eval()(x), nn.Sequential(*(reversed(parts) if first else parts))(x))


@pytest.mark.parametrize(
    ("width", "multiplier", "options", "expected"),
    [
        (12, 2.0, {}, 24),
        (54, 0.0625, {}, 8),
        (432, 0.0625, {}, 32),
        (100, 0, {}, 100),
        (17, 1.0, {"ceil": True}, 24),
        (11, 1.0, {}, 16),
        (3, 1.0, {"min_width": None, "divisor": 2}, 4),
    ],
)
def test_round_width(width, multiplier, options, expected):
    assert round_width(width, multiplier, **options) == expected


def test_round_repeats():
    assert [round_repeats(depth, 2.2) for depth in (1, 2, 5, 3)] == [3, 5, 11, 7]
    assert round_repeats(3, 0) == 3


@pytest.mark.parametrize("stride", [(1, 1, 1), (1, 2, 2), (2, 3, 1)])
@pytest.mark.parametrize(
    ("kernel", "padding"), [((3, 3, 3), (1, 1, 1)), ((5, 1, 1), (2, 0, 0)), ((2, 3, 4), (0, 1, 2))]
)
def test_depthwise_gradients_equal_those_of_conv3d(kernel, padding, stride):
    torch.manual_seed(0)
    fast = DepthwiseConv3d(6, kernel, stride, padding).train()
    plain = nn.Conv3d(6, 6, kernel, stride, padding, groups=6, bias=False)
    plain.load_state_dict(fast.state_dict())
    x = torch.randn(2, 6, 7, 8, 9)
    results = []
    for layer in (fast, plain):
        y = x.clone().requires_grad_()
        out = layer(y)
        first = torch.autograd.grad(out.square().sum(), (y, layer.weight), create_graph=True)
        second = torch.autograd.grad(sum(g.square().sum() for g in first), (y, layer.weight))
        results.append((out, *first, *second))
    assert "_Depthwise" in type(fast(x.requires_grad_()).grad_fn).__name__
    for ours, expected in zip(*results, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-3)


def test_depthwise_is_conv3d_outside_of_training():
    layer = DepthwiseConv3d(4, (3, 3, 3), padding=(1, 1, 1))
    x = torch.randn(1, 4, 3, 5, 5)
    program = torch.export.export(layer.train(), (x,))
    assert any("conv3d" in str(node.target) or "convolution" in str(node.target) for node in program.graph.nodes)
    assert "Depthwise" not in type(layer.eval()(x).grad_fn).__name__
    torch.testing.assert_close(torch.compile(layer.train(), fullgraph=True, backend="eager")(x), layer(x))
    scripted = torch.jit.script(layer)
    torch.testing.assert_close(scripted(x), layer(x))
