from __future__ import annotations

import copy
import io
import pickle
import threading

import pytest
import torch
from torch import nn

import accel_mobile
from accel_mobile import (
    DeployedInputError,
    DeployedModule,
    DeploymentError,
    QuantizationConfig,
    QuantizationError,
    convert_to_deployable_form,
    quantize,
)


@pytest.fixture(scope="module")
def clip():
    return torch.randn(2, 3, 4, 32, 32, generator=torch.Generator().manual_seed(3))


@pytest.fixture(scope="module", params=["float32", "int8"])
def deployed(request, video_net, clip):
    net = video_net()
    return convert_to_deployable_form(net, clip) if request.param == "float32" else quantize(net, [clip])


def fresh(form):
    """A copy without plans: it plans anew, for the instruction set that is forced now."""
    return copy.deepcopy(form)


def on_torch(form):
    form = copy.deepcopy(form)
    form._backend = "reference"
    return form


def relative(got, want):
    return float((got - want).abs().max() / want.abs().max())


def test_equal_to_eager_on_every_isa(isa, video_net, clip, deployed):
    with torch.inference_mode():
        want, got = video_net()(clip), fresh(deployed)(clip)
    assert got.shape == want.shape
    assert relative(got, want) <= (0.1 if deployed.is_quantized else 1e-4)


def test_equal_to_the_torch_executor_on_every_isa(isa, clip, deployed):
    with torch.inference_mode():
        got, want = fresh(deployed)(clip), on_torch(deployed)(clip)
    # In int8 all integers are equal, but a gate is float32 and may round to the other side.
    assert relative(got, want) < (2e-3 if deployed.is_quantized else 1e-5)


def test_whole_network_is_one_native_segment(deployed):
    explanation = deployed.explain()
    if accel_mobile.build_info()["native"]:
        assert explanation.segments == 1
        assert explanation.native_share() == 1.0
    text = str(explanation)
    assert "conv +add +relu" in text
    assert all(step.name in text for step in explanation)


def test_signature_of_pytorchvideo(video_net, clip):
    form = convert_to_deployable_form(
        video_net(), clip, convert_for_quantize=True, native_conv3d_op_qnnpack=True, backend="reference", check=False
    )
    assert isinstance(form, DeployedModule)
    assert not form.training
    assert form.train() is form
    assert not form.training


def test_source_model_is_not_touched(video_net, clip):
    net = video_net().train()
    before = copy.deepcopy(net.state_dict())
    convert_to_deployable_form(net, clip)
    quantize(net, [clip])
    assert net.training
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert all(parameter.requires_grad for parameter in net.parameters())


def test_pickle_deepcopy_and_torch_save(deployed, clip):
    with torch.inference_mode():
        want = deployed(clip)
        buffer = io.BytesIO()
        torch.save(deployed, buffer)
        buffer.seek(0)
        copies = [pickle.loads(pickle.dumps(deployed)), copy.deepcopy(deployed), torch.load(buffer, weights_only=False)]
        for other in copies:
            assert torch.equal(other(clip), want)
            assert other.size_bytes() == deployed.size_bytes()


def test_threads_at_once_give_what_one_gives(deployed):
    clips = [torch.randn(1, 3, 4, 32, 32) for _ in range(8)]
    with torch.inference_mode():
        wanted = [deployed(x) for x in clips]
    results: list = [None] * len(clips)

    def work(index):
        for _ in range(5):
            results[index] = deployed(clips[index])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(clips))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(got, want) for got, want in zip(results, wanted, strict=True))


def test_results_do_not_share_memory(deployed, clip):
    first = deployed(clip)
    kept = first.clone()
    deployed(torch.randn_like(clip))
    assert torch.equal(first, kept)


@pytest.mark.parametrize("shape", [(1, 3, 4, 32, 32), (5, 3, 4, 32, 32), (2, 3, 6, 40, 32)])
def test_other_sizes_are_planned_on_demand(video_net, clip, deployed, shape):
    net, x = video_net(), torch.randn(shape)
    with torch.inference_mode():
        want, got = net(x), deployed(x)
        again = deployed(x)
    assert got.shape == want.shape
    assert torch.equal(got, again)
    assert relative(got, want) < (0.1 if deployed.is_quantized else 1e-4)


def test_int8_is_smaller_and_reports_each_layer(video_net, clip):
    net = video_net()
    int8, float32 = quantize(net, [clip]), convert_to_deployable_form(net, clip)
    assert int8.size_bytes() < float32.size_bytes()
    report = int8.layer_sqnr()
    assert len(report) >= 10
    assert min(report.values()) > 20.0
    assert float32.layer_sqnr() == {}
    assert "stem" in str(int8.explain())


def test_head_weights_take_one_byte_if_asked(video_net, clip):
    net = video_net()
    sizes = {n: quantize(net, [clip], QuantizationConfig(int8_weights_from=n)) for n in (None, 1000)}
    assert sizes[1000].size_bytes() < sizes[None].size_bytes() - 2560 * 3 + 64 * 4 + 1
    with torch.inference_mode():
        assert relative(sizes[1000](clip), sizes[None](clip)) < 0.03
        assert relative(on_torch(sizes[1000])(clip), sizes[1000](clip)) < 2e-3


def test_inputs_that_cannot_be_taken(deployed, clip):
    with pytest.raises(DeployedInputError, match="requires grad"):
        deployed(clip.clone().requires_grad_())
    with torch.no_grad():
        deployed(clip.clone().requires_grad_())
    with pytest.raises(DeployedInputError, match="float32"):
        deployed(clip.double())
    with pytest.raises(DeployedInputError, match="meta"):
        deployed(clip.to("meta"))
    with pytest.raises(DeployedInputError, match="structure"):
        deployed([clip])


def test_noncontiguous_inputs(deployed, clip):
    channels_last = clip.contiguous(memory_format=torch.channels_last_3d)
    assert torch.equal(deployed(channels_last), deployed(clip))


def test_float_layers_and_stem_can_be_chosen(video_net, clip):
    net = video_net()
    base = quantize(net, [clip])
    kept = next(step for step in base.explain() if step.op.startswith("qconv"))
    config = QuantizationConfig(float_layers=(kept.origin[0],))
    kinds = {step.name: step.op for step in quantize(net, [clip], config).explain()}
    assert kinds[kept.name].startswith("conv")
    no_stem = quantize(net, [clip], QuantizationConfig(float_stem=False))
    assert [step.op for step in no_stem.explain()][:2] == ["quantize", "qconv"]
    with torch.inference_mode():
        assert relative(no_stem(clip), net(clip)) < 0.2


@pytest.mark.parametrize("observer", ["histogram", "percentile", "minmax"])
def test_observers_agree_with_eager(video_net, clip, observer):
    net = video_net()
    with torch.inference_mode():
        got, want = quantize(net, iter([clip, clip[:1]]), QuantizationConfig(observer=observer))(clip), net(clip)
    assert float((got - want).norm() / want.norm()) < 0.05


def test_calibration_errors(video_net, clip):
    net = video_net()
    with pytest.raises(QuantizationError, match="no item"):
        quantize(net, [])
    with pytest.raises(QuantizationError, match="item 1"):
        quantize(net, [clip, torch.randn(2, 3, 4, 40, 32)])
    with pytest.raises(QuantizationError, match="infinite or NaN"):
        quantize(net, [clip * float("nan")])
    with pytest.raises(QuantizationError, match="no layer"):
        quantize(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), [torch.randn(1, 12)])
    with pytest.raises(DeploymentError, match="already"):
        quantize(convert_to_deployable_form(net, clip), [clip])


def test_several_inputs_and_outputs():
    class TwoPathways(nn.Module):
        def __init__(self):
            super().__init__()
            self.slow, self.fast = nn.Conv3d(3, 8, 1), nn.Conv3d(3, 4, (3, 1, 1), padding=(1, 0, 0))

        def forward(self, x):
            slow, fast = torch.relu(self.slow(x[0])), self.fast(x[1])
            return {"logits": torch.cat([slow.mean((2, 3, 4)), fast.mean((2, 3, 4))], 1), "fast": fast}

    net, x = TwoPathways().eval(), [torch.randn(1, 3, 2, 6, 6), torch.randn(1, 3, 8, 6, 6)]
    form = convert_to_deployable_form(net, x)
    with torch.inference_mode():
        want, got = net(x), form(x)
        assert set(got) == {"logits", "fast"}
        for key in want:
            assert relative(got[key], want[key]) < 1e-5
    steps = {step.op: step for step in form.explain()}
    assert steps["cat"].where == "torch"
    assert "no native kernel" in steps["cat"].reason


def test_image_network_with_hard_swish():
    net = nn.Sequential(
        nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.Hardswish(inplace=True),
        nn.Conv2d(16, 16, 3, 1, 1, groups=16, bias=False), nn.BatchNorm2d(16), nn.ReLU6(inplace=True),
        nn.MaxPool2d(3, 2, 1), nn.Conv2d(16, 24, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(1), nn.Linear(24, 5),
        nn.Softmax(1),
    ).eval()  # fmt: skip
    x = torch.randn(2, 3, 21, 18)
    form, int8 = convert_to_deployable_form(net, x), quantize(net, [x])
    with torch.inference_mode():
        assert relative(form(x), net(x)) < 1e-5
        assert relative(int8(x), net(x)) < 0.05
    if accel_mobile.build_info()["native"]:
        assert form.explain().native_share() == 1.0


def test_a_model_that_behaves_differently_when_traced_is_refused():
    class Noisy(nn.Module):
        def forward(self, x):
            return x + torch.rand(())

    with pytest.raises(DeploymentError, match="differs"):
        convert_to_deployable_form(Noisy(), torch.randn(2, 3))


def test_compiled_code_may_call_it(deployed, clip):
    compiled = torch.compile(lambda x: deployed(x * 2.0) + 1.0, backend="eager")
    with torch.inference_mode():
        torch.testing.assert_close(compiled(clip), deployed(clip * 2.0) + 1.0)


def test_backend_names(video_net, clip):
    form = convert_to_deployable_form(video_net(), clip, backend="fast")
    with pytest.raises(ValueError, match="backend"):
        form(clip)


def test_absent_kernels_are_named(video_net, clip, monkeypatch):
    from accel_mobile import _native

    monkeypatch.setattr(_native, "extension", None)
    monkeypatch.setattr(_native, "reason", "not built")
    info = accel_mobile.build_info()
    assert info["native"] is False
    assert info["reason"] == "not built"
    net = video_net()
    with torch.inference_mode():
        assert relative(convert_to_deployable_form(net, clip)(clip), net(clip)) < 1e-5
        assert quantize(net, [clip])(clip).shape == (2, 7)
    with pytest.raises(DeploymentError, match="not built"):
        convert_to_deployable_form(net, clip, backend="native")(clip)
