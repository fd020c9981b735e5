"""What all networks promise: they train, script, trace, compile and export."""

import copy
import pickle
import warnings

import pytest
import torch
from torch import nn

from video import models

SMALL = {"stem_dim_out": 8, "model_num_class": 5, "head_pool_kernel_size": (4, 1, 1)}


def x3d():
    return models.create_x3d(input_clip_length=4, input_crop_size=32, model_num_class=5, depth_factor=1.0)


def slow():
    return models.create_resnet(**SMALL)


def csn():
    return models.create_csn(stem_dim_out=8, model_num_class=5, head_pool_kernel_size=(1, 2, 2))


def slowfast():
    return models.create_slowfast(
        stem_dim_outs=(16, 2), model_num_class=5, head_pool_kernel_sizes=((2, 1, 1), (8, 1, 1))
    )


def r2plus1d():
    return models.create_r2plus1d(
        stem_dim_out=8, model_num_class=5, head_pool_kernel_size=(1, 1, 1), head_activation=None
    )


def mvit():
    return models.create_multiscale_vision_transformers(
        spatial_size=32, temporal_size=4, depth=3, patch_embed_dim=16, head_num_classes=5,
        embed_dim_mul=[[1, 2.0]], atten_head_mul=[[1, 2.0]], pool_q_stride_size=[[1, 1, 2, 2]],
        pool_kv_stride_adaptive=[1, 2, 2], pool_kvq_kernel=[3, 3, 3],
    )  # fmt: skip


NETWORKS = {
    "r2plus1d": (r2plus1d, lambda n=2: torch.rand(n, 3, 4, 32, 32)),
    "mvit": (mvit, lambda n=2: torch.rand(n, 3, 4, 32, 32)),
    "x3d": (x3d, lambda n=2: torch.rand(n, 3, 4, 32, 32)),
    "slow": (slow, lambda n=2: torch.rand(n, 3, 4, 32, 32)),
    "csn": (csn, lambda n=2: torch.rand(n, 3, 8, 32, 32)),
    "slowfast": (slowfast, lambda n=2: [torch.rand(n, 3, 2, 32, 32), torch.rand(n, 3, 8, 32, 32)]),
}


@pytest.fixture(params=NETWORKS)
def network(request):
    torch.manual_seed(0)
    build, make = NETWORKS[request.param]
    model = build().eval()
    for m in model.modules():  # the last norms start at 0, which would hide the branches
        if isinstance(m, nn.BatchNorm3d):
            nn.init.uniform_(m.weight, 0.5, 1.0)
    return model, make


@torch.no_grad()
def test_script_and_trace(network):
    model, make = network
    x = make()
    expected = model(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.testing.assert_close(torch.jit.script(model)(x), expected)
        example = (x,) if isinstance(x, torch.Tensor) else ([*x],)
        torch.testing.assert_close(torch.jit.trace(model, example, check_trace=False)(x), expected)


@torch.no_grad()
def test_compile_without_graph_breaks(network):
    model, make = network
    x = make()
    torch.testing.assert_close(torch.compile(model, fullgraph=True, backend="eager")(x), model(x))


@torch.no_grad()
def test_export_with_any_batch_size(network):
    model, make = network
    batch = torch.export.Dim("batch", min=1, max=64)
    x = make()
    shapes = {0: batch} if isinstance(x, torch.Tensor) else [{0: batch}, {0: batch}]
    program = torch.export.export(model, (x,), dynamic_shapes=(shapes,))
    for n in (1, 3):
        y = make(n)
        torch.testing.assert_close(program.module()(y), model(y))


def test_trains_and_every_parameter_has_a_gradient(network):
    model, make = network
    model.train().to(memory_format=torch.channels_last_3d)
    x = make()
    nn.functional.cross_entropy(model(x), torch.tensor([0, 1])).backward()
    for name, p in model.named_parameters():
        assert p.grad is not None, name
        assert torch.isfinite(p.grad).all(), name


def test_copies_and_pickles(network):
    model, make = network
    x = make()
    with torch.no_grad():
        expected = model(x)
        assert torch.equal(copy.deepcopy(model)(x), expected)
        assert torch.equal(pickle.loads(pickle.dumps(model))(x), expected)


@torch.no_grad()
def test_residual_branches_start_at_zero():
    model = x3d()
    for stage in list(model.blocks)[1:-1]:
        for block in stage.res_blocks:
            assert not block.branch2.norm_c.weight.any()
            assert block.branch2.norm_a.weight.eq(1).all()
    assert 0.008 < float(model.blocks[-1].proj.weight.std()) < 0.012


@torch.no_grad()
def test_a_larger_clip_gives_the_mean_of_its_predictions():
    model = models.create_x3d(input_clip_length=4, input_crop_size=64, model_num_class=5, depth_factor=1.0).eval()
    scores = models.create_x3d(
        input_clip_length=4,
        input_crop_size=64,
        model_num_class=5,
        depth_factor=1.0,
        head_output_with_global_average=False,
    ).eval()
    scores.load_state_dict(model.state_dict())
    x = torch.rand(1, 3, 6, 96, 128)
    assert scores(x).shape == (1, 5, 3, 2, 3)
    torch.testing.assert_close(model(x), scores(x).mean((2, 3, 4)))


@torch.no_grad()
def test_detection_scores_each_box():
    torch.manual_seed(0)
    slow_net = models.create_resnet_with_roi_head(stem_dim_out=8, model_num_class=7).eval()
    clip = torch.rand(2, 3, 4, 64, 64)
    boxes = torch.tensor([[0, 0.0, 0.0, 63.0, 63.0], [1, 10.0, 20.0, 50.0, 60.0], [0, 5.0, 5.0, 9.0, 9.0]])
    scores = slow_net(clip, boxes)
    assert scores.shape == (3, 7)
    assert ((scores >= 0) & (scores <= 1)).all()
    torch.testing.assert_close(slow_net(clip[:1], boxes[2:]), scores[2:])
    slow_fast = models.create_slowfast_with_roi_head(stem_dim_outs=(16, 2), model_num_class=7).eval()
    assert slow_fast([torch.rand(2, 3, 8, 64, 64), torch.rand(2, 3, 32, 64, 64)], boxes).shape == (3, 7)
    with pytest.raises(ValueError, match="must leave 1 frame"):
        slow_net(torch.rand(2, 3, 8, 64, 64), boxes)


@torch.no_grad()
def test_pathways_leave_the_callers_list_alone():
    model = slowfast().eval()
    x = NETWORKS["slowfast"][1]()
    before = list(x)
    model(x)
    assert all(a is b for a, b in zip(x, before, strict=True))
    with pytest.raises(ValueError, match="expected 2 pathways"):
        model(x[:1])
    inplace = models.MultiPathWayWithFuse(multipathway_blocks=nn.ModuleList([nn.ReLU(), nn.ReLU()]), inplace=True)
    assert inplace(x) is x
    pool = models.PoolConcatPathway(retain_list=True)
    assert [t.shape for t in pool([torch.rand(1, 2, 1, 1, 1)] * 2)] == [(1, 4, 1, 1, 1)]


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match="smaller than the network's stride"):
        models.create_x3d(input_crop_size=16)
    with pytest.raises(ValueError, match=r"one of \[50, 101, 152\]"):
        models.create_resnet(model_depth=18)
    with pytest.raises(ValueError, match="style"):
        models.init_net_weights(nn.Linear(1, 1), style="xavier")


def test_vit_style_initialisation():
    model = nn.Sequential(nn.Linear(64, 64), nn.LayerNorm(64))
    models.init_net_weights(model, 0.02, "vit")
    assert 0.015 < float(model[0].weight.std()) < 0.025
    assert not model[0].bias.any()
    assert model[1].weight.eq(1).all()
