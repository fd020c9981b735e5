"""What every registered model must do. Adding a model adds its tests."""

import copy
import pickle

import pytest
import torch

import vision_models


@pytest.fixture
def model(model_name):
    # In evaluation mode with lively statistics: fresh batch normalisation would hide a wrong order of layers.
    model = vision_models.get_model(model_name, num_classes=10).eval()
    for name, buffer in model.named_buffers():
        if name.endswith("running_var"):
            buffer.uniform_(0.8, 1.2)
    return model


def close(got, expected, tolerance=1e-4):
    scale = expected.square().mean().sqrt().item()
    torch.testing.assert_close(got, expected, rtol=0, atol=tolerance * max(scale, 1e-6))


def test_parameter_count_is_the_published_one(any_model):
    with torch.device("meta"):
        model = vision_models.get_model(any_model)
    counts = {weights.meta["num_params"] for weights in vision_models.get_model_weights(any_model)}
    assert counts == {sum(p.numel() for p in model.parameters())}


def test_num_classes_sets_the_logits(any_model, image_batch):
    with torch.device("meta"):
        model = vision_models.get_model(any_model, num_classes=7).eval()
    images = image_batch(any_model)
    assert model(images.to("meta")).shape == (2, 7)


def test_unknown_argument_is_refused(any_model):
    with torch.device("meta"), pytest.raises(TypeError, match="num_clases"):
        vision_models.get_model(any_model, num_clases=7)


def test_weights_of_another_model_are_refused(any_model):
    other = "resnet18" if any_model != "resnet18" else "resnet34"
    wrong = vision_models.get_model_weights(other).DEFAULT
    with pytest.raises(TypeError, match="expected"):
        vision_models.get_model(any_model, weights=wrong)


def test_batch_rows_are_independent(model, model_name, image_batch):
    images = image_batch(model_name)
    with torch.inference_mode():
        close(model(images)[1:], model(images[1:]))


def test_training_step_reaches_every_parameter(model, model_name, image_batch):
    model.train()
    model(image_batch(model_name)).square().sum().backward()
    missing = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert not missing


def test_torchscript(model, model_name, image_batch):
    images = image_batch(model_name)
    with torch.inference_mode():
        expected = model(images)
        close(torch.jit.script(model)(images), expected)
        close(torch.jit.trace(model, images)(images), expected)


def test_compile_without_graph_breaks(model, model_name, image_batch):
    images = image_batch(model_name)
    torch._dynamo.reset()
    with torch.inference_mode():
        close(torch.compile(model, fullgraph=True, backend="aot_eager")(images), model(images))


def test_export_with_dynamic_batch(model, model_name, image_batch):
    program = torch.export.export(model, (image_batch(model_name),), dynamic_shapes=({0: torch.export.Dim("batch")},))
    images = image_batch(model_name, batch=3)
    with torch.inference_mode():
        close(program.module()(images), model(images))


def test_channels_last(model, model_name, image_batch):
    images = image_batch(model_name)
    with torch.inference_mode():
        expected = model(images)
        model.to(memory_format=torch.channels_last)
        close(model(images.contiguous(memory_format=torch.channels_last)), expected)


def test_half_precision(model, model_name, image_batch):
    images = image_batch(model_name)
    with torch.inference_mode():
        expected = model(images)
        got = model.bfloat16()(images.bfloat16())
    assert got.dtype == torch.bfloat16
    close(got.float(), expected, tolerance=0.1)


def test_copies_and_pickles(model, model_name, image_batch):
    images = image_batch(model_name)
    with torch.inference_mode():
        expected = model(images)
        assert torch.equal(copy.deepcopy(model)(images), expected)
        assert torch.equal(pickle.loads(pickle.dumps(model))(images), expected)


@pytest.mark.slow
def test_compile_with_inductor(image_batch):
    model = vision_models.mobilenet_v3_small(num_classes=10).eval()
    images = image_batch("mobilenet_v3_small")
    torch._dynamo.reset()
    with torch.inference_mode():
        close(torch.compile(model, fullgraph=True)(images), model(images), tolerance=1e-3)
