"""Attention over clips and its parts: against attention written out, and what networks of them promise."""

import math

import pytest
import torch
from torch import nn

from video import layers, models
from video.layers.attention import MultiScaleAttention

TINY = {"spatial_size": 16, "temporal_size": 4, "depth": 3, "patch_embed_dim": 8, "head_num_classes": 5}


def network(**changes):
    torch.manual_seed(0)
    settings = {
        **TINY,
        "embed_dim_mul": [[1, 2.0], [2, 2.0]],
        "atten_head_mul": [[1, 2.0]],
        "pool_q_stride_size": [[1, 1, 2, 2]],
        "pool_kv_stride_adaptive": [1, 2, 2],
        "pool_kvq_kernel": [3, 3, 3],
        **changes,
    }
    model = models.create_multiscale_vision_transformers(**settings).eval()
    for parameter in model.parameters():  # the encodings start at zero, norms at one
        nn.init.uniform_(parameter, -0.4, 0.4)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm3d):
            nn.init.uniform_(module.running_mean, -1, 1)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return model


def written_out(layer: MultiScaleAttention, x: torch.Tensor, thw: list[int]) -> torch.Tensor:
    """The attention head by head, token by token."""
    heads, size = layer.num_heads, layer.dim_out // layer.num_heads

    def part(name: str, head: int) -> torch.Tensor:
        rows = getattr(layer, name)(x)[0, :, head * size : (head + 1) * size]
        pool, norm = getattr(layer, f"pool_{name}"), getattr(layer, f"norm_{name}")
        if pool is None:
            return rows
        grid = rows[1:].reshape(*thw, size).permute(3, 0, 1, 2)[None]
        pooled = pool(grid)[0].permute(1, 2, 3, 0).reshape(-1, size)
        return norm(torch.cat((rows[:1], pooled)))

    outputs = []
    for head in range(heads):
        q, k, v = (part(name, head) for name in "qkv")
        weights = (q @ k.T / math.sqrt(size)).softmax(-1)
        outputs.append(weights @ v + (q if layer.residual_pool else 0))
    return layer.proj(torch.cat(outputs, 1))[None]


@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize(("stride_q", "stride_kv"), [((1, 1, 1), (1, 2, 2)), ((2, 2, 1), (1, 1, 1)), ((1, 2, 2),) * 2])
def test_attention_written_out(stride_q, stride_kv, residual):
    torch.manual_seed(0)
    layer = MultiScaleAttention(
        12, num_heads=3, qkv_bias=True, kernel_q=(1, 3, 3), kernel_kv=(3, 3, 3), stride_q=stride_q, stride_kv=stride_kv,
        residual_pool=residual,
    )  # fmt: skip
    x = torch.rand(1, 1 + 2 * 4 * 6, 12)
    with torch.no_grad():
        y, shape = layer(x, [2, 4, 6])
        torch.testing.assert_close(y, written_out(layer, x, [2, 4, 6]))
    assert shape == [math.ceil(n / s) for n, s in zip([2, 4, 6], stride_q, strict=True)]


VARIANTS = [
    {},
    {"cls_embed_on": False},
    {"sep_pos_embed": False},
    {"pool_first": True},
    {"pooling_mode": "max"},
    {"pooling_mode": "avg", "cls_embed_on": False, "pool_kvq_kernel": [1, 3, 3], "spatial_size": 32},
    {"residual_pool": True, "depthwise_conv": False},
    {"separate_qkv": False, "bias_on": False, "qkv_bias": False},
    {"dim_mul_in_att": True},
    {"norm": "batchnorm"},
    {"norm": "batchnorm", "cls_embed_on": False, "dim_mul_in_att": True},
    {"enable_patch_embed_norm": True},
    {"pool_kv_stride_adaptive": None, "pool_kv_stride_size": [[0, 1, 2, 2]], "pool_kvq_kernel": None},
]


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
@torch.no_grad()
def test_variants_script(changes):
    side = changes.get("spatial_size", 16)
    model, x = network(**changes), torch.rand(2, 3, 4, side, side)
    y = model(x)
    assert y.shape == (2, 5)
    assert y.isfinite().all()
    torch.testing.assert_close(torch.jit.script(model)(x), y)


@pytest.mark.parametrize("changes", [{"cls_embed_on": False, "pool_first": True}, {"norm": "batchnorm"}], ids=str)
@torch.no_grad()
def test_variants_export(changes):
    model, x = network(**changes), torch.rand(2, 3, 4, 16, 16)
    torch.testing.assert_close(torch.export.export(model, (x,)).module()(x), model(x))


@pytest.mark.parametrize(
    "changes", [{}, {"cls_embed_on": False}, {"cls_embed_on": False, "dim_mul_in_att": True}, {"qkv_bias": False}]
)
@torch.no_grad()
def test_folding_batch_norms(changes):
    model, x = network(norm="batchnorm", **changes), torch.rand(2, 3, 4, 16, 16)
    before = model(x)
    count = sum(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in model.modules())
    model.fuse_bn()
    torch.testing.assert_close(model(x), before, rtol=1e-4, atol=1e-5)
    left = sum(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in model.modules())
    assert left < count
    assert left == 1 or changes.get("cls_embed_on", True)  # the last norm has nothing behind it to go into


def test_image_networks_take_images():
    model = network(
        temporal_size=1, use_2d_patch=True, conv_patch_embed_kernel=(7, 7), conv_patch_embed_stride=(4, 4),
        conv_patch_embed_padding=(3, 3), pool_kvq_kernel=[1, 3, 3],
    )  # fmt: skip
    assert model(torch.rand(2, 3, 16, 16)).shape == (2, 5)


def test_dropped_paths_rise():
    model = network(droppath_rate_block=0.2, dropout_rate_block=0.1)
    rates = [getattr(block.drop_path, "drop_prob", 0.0) for block in model.blocks]
    assert rates == pytest.approx([0.0, 0.1, 0.2])
    model.train()(torch.rand(2, 3, 4, 16, 16)).sum().backward()


def test_checkpoints_that_hold_the_poolings_twice():
    model = network()
    state = model.state_dict()
    twins = dict(state)
    for key, value in state.items():
        for name in "qkv":
            for part in ("pool", "norm"):
                if f".{part}_{name}." in key:
                    twins[key.replace(f"{part}_{name}.", f"_attention_pool_{name}.{part}.")] = value
    assert len(twins) > len(state)
    network().load_state_dict(twins)
    direct = [f".{part}_{name}." for part in ("pool", "norm") for name in "qkv"]
    only = {key: value for key, value in twins.items() if not any(part in key for part in direct)}
    fresh = network(residual_pool=True)
    fresh.load_state_dict(only)
    assert all(torch.equal(value, state[key]) for key, value in fresh.state_dict().items())


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match="'layernorm' or 'batchnorm', got 'group'"):
        network(norm="group")
    with pytest.raises(ValueError, match="not both"):
        network(pool_kv_stride_size=[[0, 1, 2, 2]])
    with pytest.raises(ValueError, match="expected 2 x 4 x 4"):
        network()(torch.rand(1, 3, 4, 32, 32))
    with pytest.raises(ValueError, match="pool_mode"):
        network(pooling_mode="sum")
    with pytest.raises(ValueError, match="3 heads"):
        MultiScaleAttention(8, num_heads=3)
    with pytest.raises(ValueError, match="'cls' or 'mean'"):
        models.SequencePool("max")
    with pytest.raises(ValueError, match="drop_prob"):
        layers.DropPath(1.0)


def test_drop_path_keeps_the_mean():
    torch.manual_seed(0)
    y = layers.drop_path(torch.ones(20000, 2), 0.3, training=True)
    assert torch.equal(y[:, 0], y[:, 1])
    assert y.unique().tolist() == [0.0, pytest.approx(1 / 0.7)]
    assert float(y.mean()) == pytest.approx(1.0, abs=0.02)


def test_sines_and_cosines():
    table = layers.PositionalEncoding(6, 50).pe[0]
    for position in (0, 7, 49):
        for i in range(3):
            angle = position / 10000 ** (2 * i / 6)
            assert float(table[position, 2 * i]) == pytest.approx(math.sin(angle), abs=1e-5)
            assert float(table[position, 2 * i + 1]) == pytest.approx(math.cos(angle), abs=1e-5)
    with pytest.raises(ValueError, match="at most 50"):
        layers.PositionalEncoding(6, 50)(torch.zeros(1, 51, 6))
    grid = layers.get_2d_sincos_pos_embed(8, 3, cls_token=True)
    row, column = 2, 1
    expected = [f(p / 10000 ** (i / 2)) for p in (column, row) for f in (math.sin, math.cos) for i in range(2)]
    assert grid[1 + 3 * row + column].tolist() == pytest.approx(expected)
    assert not grid[0].any()
    clip = layers.get_3d_sincos_pos_embed(16, 2, 3)
    time = layers.get_1d_sincos_pos_embed_from_grid(4, torch.tensor([2.0]))[0]
    assert torch.equal(clip[2 * 4 + 3], torch.cat((time, layers.get_2d_sincos_pos_embed(12, 2)[3])))
    for bad in (lambda: layers.get_3d_sincos_pos_embed(24, 2, 2), lambda: layers.get_2d_sincos_pos_embed(6, 2)):
        with pytest.raises(ValueError, match="multiple"):
            bad()


def test_perceptrons():
    built, width = layers.make_multilayer_perceptron([4, 8, 3], norm=nn.LayerNorm, dropout_rate=0.1)
    assert [type(layer).__name__ for layer in built] == ["Linear", "LayerNorm", "ReLU", "Dropout", "Linear", "ReLU"]
    assert width == 3
    with pytest.raises(ValueError, match="widths"):
        layers.make_multilayer_perceptron([4])
