"""Layers, losses and regularisers against their formulas, and in TorchScript, torch.compile and torch.export."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import Tensor, nn

from vision_core.ops import (
    MLP,
    Conv2dNormActivation,
    Conv3dNormActivation,
    DropBlock2d,
    DropBlock3d,
    FeaturePyramidNetwork,
    FrozenBatchNorm2d,
    Permute,
    SqueezeExcitation,
    StochasticDepth,
    drop_block2d,
    drop_block3d,
    sigmoid_focal_loss,
    stochastic_depth,
)
from vision_core.ops.feature_pyramid_network import ExtraFPNBlock, LastLevelMaxPool, LastLevelP6P7
from vision_core.ops.misc import ConvNormActivation, interpolate


def scripted(module: nn.Module) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.script(module)


def test_convolution_blocks_are_made_of_torch_layers() -> None:
    block = Conv2dNormActivation(4, 6, (3, 5), stride=2, dilation=(1, 2), groups=2)
    convolution, norm, activation = block
    assert isinstance(convolution, nn.Conv2d)
    assert convolution.padding == (1, 4)
    assert convolution.bias is None
    assert isinstance(norm, nn.BatchNorm2d)
    assert activation.inplace
    assert block.out_channels == 6
    assert list(block.state_dict())[:3] == ["0.weight", "1.weight", "1.bias"]
    plain = Conv2dNormActivation(4, 6, 4, padding="valid", norm_layer=None, activation_layer=nn.GELU, inplace=None)
    assert [type(layer) for layer in plain] == [nn.Conv2d, nn.GELU]
    assert plain[0].bias is not None
    assert Conv3dNormActivation(2, 3, (1, 3, 5))(torch.zeros(1, 2, 4, 5, 6)).shape == (1, 3, 4, 5, 6)
    with pytest.warns(UserWarning, match="Conv2dNormActivation"):
        ConvNormActivation(2, 3)
    assert interpolate is nn.functional.interpolate


def test_frozen_batch_norm_is_batch_norm_in_eval() -> None:
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(5, eps=1e-3)
    norm(torch.randn(8, 5, 4, 4))
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    frozen = FrozenBatchNorm2d(5, eps=1e-3)
    frozen.load_state_dict(norm.state_dict())
    image = torch.randn(2, 5, 3, 3)
    torch.testing.assert_close(frozen(image), norm.eval()(image), rtol=1e-5, atol=1e-5)
    assert list(frozen.parameters()) == []
    assert repr(frozen) == "FrozenBatchNorm2d(5, eps=0.001)"


def test_squeeze_excitation_mlp_and_permute() -> None:
    torch.manual_seed(0)
    layer, image = SqueezeExcitation(6, 2, nn.SiLU, nn.Hardsigmoid), torch.randn(2, 6, 4, 5)
    weights = layer.fc2(nn.functional.silu(layer.fc1(image.mean((2, 3), keepdim=True))))
    torch.testing.assert_close(layer(image), image * nn.functional.hardsigmoid(weights))
    assert list(layer.state_dict()) == ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]
    mlp = MLP(4, [8, 3], nn.LayerNorm, dropout=0.5, inplace=True)
    assert [type(part) for part in mlp] == [nn.Linear, nn.LayerNorm, nn.ReLU, nn.Dropout, nn.Linear, nn.Dropout]
    assert torch.equal(Permute([0, 2, 3, 1])(image), image.permute(0, 2, 3, 1))


@pytest.mark.parametrize("mode", ["batch", "row"])
def test_stochastic_depth_keeps_the_mean(mode: str) -> None:
    torch.manual_seed(0)
    out = torch.stack([stochastic_depth(torch.ones(4, 2, 3), 0.25, mode) for _ in range(400)])
    assert set(out.unique().tolist()) == {0.0, torch.tensor(1 / 0.75).item()}
    assert abs(float(out.mean()) - 1) < 0.1
    per_sample = out.flatten(2)
    assert bool((per_sample == per_sample[..., :1]).all())
    same = bool((per_sample == per_sample[:, :1]).all())
    assert same == (mode == "batch")
    layer = StochasticDepth(0.25, mode)
    assert torch.equal(layer.eval()(out), out)
    assert float(stochastic_depth(torch.ones(2, 2), 1.0, mode).sum()) == 0
    assert repr(layer) == f"StochasticDepth(p=0.25, mode={mode})"
    for bad in ({"p": -0.1}, {"p": 1.1}, {"mode": "column"}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            stochastic_depth(torch.ones(2), **{"p": 0.5, "mode": mode, **bad})


@pytest.mark.parametrize("block", [1, 2, 3, 4, 99])
@pytest.mark.parametrize("inplace", [False, True])
def test_drop_block_drops_whole_blocks(block: int, inplace: bool) -> None:
    torch.manual_seed(block)
    image = torch.ones(3, 4, 9, 8)
    out = drop_block2d(image, 0.2, block, inplace)
    assert (out is image) == inplace
    zero = out == 0
    side = min(block, 8)
    windows = zero.unfold(2, side, 1).unfold(3, side, 1).all(-1).all(-1)
    covered = torch.zeros_like(zero)
    for n, c, y, x in windows.nonzero().tolist():
        covered[n, c, y : y + side, x : x + side] = True
    assert torch.equal(covered, zero)  # what is zero lies in a block that is
    if not zero.all():
        assert float(out.max()) == pytest.approx(zero.numel() / int((~zero).sum()), rel=1e-4)
    volume = drop_block3d(torch.ones(2, 2, 5, 9, 8), 0.2, block)
    assert volume.shape == (2, 2, 5, 9, 8)
    if block == 1:
        assert 0.1 < float((volume == 0).float().mean()) < 0.3


def test_drop_block_modules_and_errors() -> None:
    image = torch.ones(1, 1, 4, 4)
    assert torch.equal(DropBlock2d(0.5, 3).eval()(image), image)
    assert torch.equal(DropBlock3d(0.5, 3).eval()(image[None]), image[None])
    assert repr(DropBlock3d(0.5, 3)) == "DropBlock3d(p=0.5, block_size=3, inplace=False)"
    for p in (-0.1, 1.1):
        with pytest.raises(ValueError, match="p: expected"):
            drop_block2d(image, p, 3)
        with pytest.raises(ValueError, match="p: expected"):
            drop_block3d(image[None], p, 3)
    with pytest.raises(ValueError, match="3 dimensions"):
        drop_block2d(image[0], 0.1, 3)
    with pytest.raises(ValueError, match="4 dimensions"):
        drop_block3d(image, 0.1, 3)


def focal_by_hand(logits: Tensor, targets: Tensor, alpha: float, gamma: float) -> Tensor:
    p = 1 / (1 + (-logits).exp())
    true = p * targets + (1 - p) * (1 - targets)
    entropy = -(targets * p.log() + (1 - targets) * (1 - p).log())
    weight = alpha * targets + (1 - alpha) * (1 - targets) if alpha >= 0 else 1.0
    return weight * (1 - true) ** gamma * entropy


@pytest.mark.parametrize("alpha", [0.25, 0.0, 1.0, -1])
@pytest.mark.parametrize("gamma", [2, 0, 1.5])
def test_focal_loss_is_its_formula(alpha: float, gamma: float) -> None:
    torch.manual_seed(0)
    logits = (4 * torch.randn(40, dtype=torch.float64)).requires_grad_()
    for targets in (torch.randint(0, 2, (40,)).double(), torch.rand(40, dtype=torch.float64)):
        expected = focal_by_hand(logits, targets, alpha, gamma)
        torch.testing.assert_close(sigmoid_focal_loss(logits, targets, alpha, gamma), expected)
        torch.testing.assert_close(sigmoid_focal_loss(logits, targets, alpha, gamma, "sum"), expected.sum())
        torch.testing.assert_close(sigmoid_focal_loss(logits, targets, alpha, gamma, "mean"), expected.mean())
        assert torch.autograd.gradcheck(lambda x, t=targets: sigmoid_focal_loss(x, t, alpha, gamma), (logits,))


def test_focal_loss_far_out_and_wrong() -> None:
    logits = torch.tensor([-1e4, 1e4, -1e4, 1e4], requires_grad=True)
    loss = sigmoid_focal_loss(logits, torch.tensor([0.0, 1, 1, 0]), 0.25)
    torch.testing.assert_close(loss, torch.tensor([0.0, 0.0, 2500.0, 7500.0]))
    loss.sum().backward()
    assert logits.grad is not None
    assert bool(logits.grad.isfinite().all())
    for alpha in (-0.5, 1.5):
        with pytest.raises(ValueError, match="alpha"):
            sigmoid_focal_loss(logits, logits, alpha)
    with pytest.raises(ValueError, match="reduction"):
        sigmoid_focal_loss(logits, logits, reduction="max")


MAPS = {"a": torch.rand(1, 4, 17, 18), "b": torch.rand(1, 6, 9, 9), "c": torch.rand(1, 8, 4, 5)}


def test_pyramid_adds_enlarged_maps() -> None:
    torch.manual_seed(0)
    pyramid = FeaturePyramidNetwork([4, 6, 8], 5, LastLevelMaxPool())
    found = pyramid(MAPS)
    assert list(found) == ["a", "b", "c", "pool"]
    inner = [pyramid.inner_blocks[i](x) for i, x in enumerate(MAPS.values())]
    middle = inner[1] + nn.functional.interpolate(inner[2], size=(9, 9), mode="nearest")
    torch.testing.assert_close(found["b"], pyramid.layer_blocks[1](middle))
    fine = inner[0] + nn.functional.interpolate(middle, size=(17, 18), mode="nearest")
    torch.testing.assert_close(found["a"], pyramid.layer_blocks[0](fine))
    assert torch.equal(found["pool"], found["c"][..., ::2, ::2])
    assert {"inner_blocks.0.0.weight", "layer_blocks.2.0.bias"} <= set(pyramid.state_dict())
    old = {
        name.replace(".0.weight", ".weight").replace(".0.bias", ".bias"): v for name, v in pyramid.state_dict().items()
    }
    other = FeaturePyramidNetwork([4, 6, 8], 5)
    other.load_state_dict(old)
    assert torch.equal(other(MAPS)["a"], found["a"])


@pytest.mark.parametrize("channels", [8, 5])
def test_p6_and_p7(channels: int) -> None:
    torch.manual_seed(0)
    pyramid = FeaturePyramidNetwork([4, 6, 8], 5, LastLevelP6P7(channels, 5), norm_layer=nn.BatchNorm2d).eval()
    found = pyramid(MAPS)
    assert list(found) == ["a", "b", "c", "p6", "p7"]
    source = MAPS["c"] if channels == 8 else found["c"]
    torch.testing.assert_close(found["p6"], pyramid.extra_blocks.p6(source))
    torch.testing.assert_close(found["p7"], pyramid.extra_blocks.p7(found["p6"].relu()))


def test_pyramid_refuses_what_it_cannot_use() -> None:
    with pytest.raises(ValueError, match="in_channels_list"):
        FeaturePyramidNetwork([4, 0], 5)
    with pytest.raises(TypeError, match="ExtraFPNBlock, got ReLU"):
        FeaturePyramidNetwork([4], 5, nn.ReLU())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="subclasses"):
        ExtraFPNBlock()([], [], [])


def test_layers_script_compile_and_export() -> None:
    torch.manual_seed(0)
    image = torch.rand(2, 4, 8, 8)
    layers = [
        Conv2dNormActivation(4, 6),
        SqueezeExcitation(4, 2),
        FrozenBatchNorm2d(4),
        Permute([0, 2, 3, 1]),
        MLP(8, [5, 3]),
        StochasticDepth(0.5, "row"),
        DropBlock2d(0.3, 3),
    ]
    for layer in layers:
        compiled = torch.compile(layer, fullgraph=True, backend="eager")
        results = []
        for function in (layer, scripted(layer), compiled):
            torch.manual_seed(1)
            results.append(function(image))
        for result in results[1:]:
            torch.testing.assert_close(result, results[0])
    for extra in (LastLevelMaxPool(), LastLevelP6P7(8, 5), None):
        pyramid = FeaturePyramidNetwork([4, 6, 8], 5, extra)
        expected = pyramid(MAPS)
        for function in (scripted(pyramid), torch.compile(pyramid, fullgraph=True, backend="eager")):
            found = function(MAPS)
            assert list(found) == list(expected)
            for name, value in expected.items():
                torch.testing.assert_close(found[name], value)
    n = torch.export.Dim("n", max=9)
    program = torch.export.export(layers[1], (image,), dynamic_shapes=({0: n},))
    torch.testing.assert_close(program.module()(image[:1]), layers[1](image[:1]))
