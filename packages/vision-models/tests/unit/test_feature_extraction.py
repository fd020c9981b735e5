"""Named inner values: equal to what hooks see, in both modes."""

import copy

import pytest
import torch
from torch import nn

import vision_models
from vision_models.feature_extraction import IntermediateLayerGetter, create_feature_extractor, get_graph_node_names


class Modal(nn.Module):
    """Has an operation that only training runs."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.act = nn.ReLU()

    def forward(self, x):
        x = self.act(self.first(x))
        x = self.act(x + 1)
        return x * 3 if self.training else x


def hooked(model, name, images):
    seen = []
    handle = model.get_submodule(name).register_forward_hook(lambda module, args, output: seen.append(output.clone()))
    model(images)
    handle.remove()
    return seen[-1]


def test_every_model_can_be_traced(any_model, image_batch):
    with torch.device("meta"):
        model = vision_models.get_model(any_model).eval()
    train, evaluation = get_graph_node_names(model, suppress_diff_warning=True)
    assert len(set(evaluation)) == len(evaluation)
    assert len(set(train)) == len(train)
    last = evaluation[-1]
    features = create_feature_extractor(model, eval_return_nodes=[last], train_return_nodes=[train[-1]])
    images = image_batch(any_model).to("meta")
    assert features(images)[last].shape == (2, 1000)
    assert list(features.state_dict()) == list(model.state_dict())


def test_values_equal_what_hooks_see(model_name, image_batch):
    model = vision_models.get_model(model_name, num_classes=10).eval()
    for module in model.modules():  # a value that the next layer overwrites is not what the hook saw
        if hasattr(module, "inplace"):
            module.inplace = False
    names = [name for name, module in model.named_modules() if isinstance(module, nn.Conv2d)]
    chosen = [names[0], names[len(names) // 2], names[-1]]
    features = create_feature_extractor(model, chosen)
    images = image_batch(model_name)
    with torch.inference_mode():
        outputs = features(images)
        assert list(outputs) == chosen
        for name in chosen:
            torch.testing.assert_close(outputs[name], hooked(model, name, images))


def test_node_names_are_numbered_within_their_module():
    names, _ = get_graph_node_names(vision_models.resnet18())
    assert names[:5] == ["x", "conv1", "bn1", "relu", "maxpool"]
    block = [name for name in names if name.startswith("layer4.1")]
    inside = ["conv1", "bn1", "relu", "conv2", "bn2", "add", "relu_1"]
    assert block == [f"layer4.1.{name}" for name in inside]


def test_module_name_means_its_last_node_and_keys_follow_execution():
    model = vision_models.resnet18().eval()
    features = create_feature_extractor(model, {"flatten": "pooled", "layer1": "low", "layer1.1.relu_1": "same"})
    outputs = features(torch.zeros(1, 3, 32, 32))
    assert list(outputs) == ["low", "same", "pooled"]
    assert outputs["low"] is outputs["same"]


def test_unused_layers_are_left_out_and_parameters_shared():
    model = vision_models.resnet18()
    features = create_feature_extractor(model, ["layer1"])
    assert not any(name.startswith(("layer2", "fc")) for name in features.state_dict())
    assert features.get_parameter("conv1.weight") is model.conv1.weight


def test_modes_have_their_own_graphs():
    model = Modal().eval()
    with pytest.warns(UserWarning, match="differ"):
        train, evaluation = get_graph_node_names(model)
    assert train == ["x", "first", "act", "add", "act_1", "mul"]
    assert evaluation == ["x", "first", "act", "add", "act_1"]
    assert not model.training
    features = create_feature_extractor(model, train_return_nodes={"mul": "out"}, eval_return_nodes={"act_1": "out"})
    x = torch.randn(2, 4)
    for module in (features, copy.deepcopy(features)):
        assert not module.training
        for mode in (False, True, False):
            assert torch.equal(module.train(mode)(x)["out"], model.train(mode)(x))


def test_tracing_keeps_the_mode_of_each_part():
    model = vision_models.resnet18().train()
    model.bn1.eval()
    create_feature_extractor(model, ["layer1"])
    assert model.training
    assert not model.bn1.training


def test_leaf_modules():
    model = vision_models.resnet18().eval()
    block = vision_models.resnet.BasicBlock
    names, _ = get_graph_node_names(model, tracer_kwargs={"leaf_modules": [block]})
    assert "layer1.0" in names
    assert "layer1.0.conv1" not in names


def test_compiles_and_exports():
    features = create_feature_extractor(vision_models.resnet18().eval(), ["layer1", "layer3"])
    images = torch.randn(2, 3, 64, 64)
    torch._dynamo.reset()
    with torch.inference_mode():
        expected = features(images)
        for other in (
            torch.compile(features, fullgraph=True, backend="aot_eager"),
            torch.export.export(features, (images,)).module(),
            torch.jit.script(features),
        ):
            got = other(images)
            assert list(got) == list(expected)
            for key in expected:
                torch.testing.assert_close(got[key], expected[key])


def test_wrong_arguments():
    model = Modal()
    with pytest.raises(ValueError, match=r"'second' is no node"):
        create_feature_extractor(model, ["second"], suppress_diff_warning=True)
    with pytest.raises(ValueError, match="either return_nodes"):
        create_feature_extractor(model)
    with pytest.raises(ValueError, match="either return_nodes"):
        create_feature_extractor(model, ["first"], eval_return_nodes=["first"])
    with pytest.raises(ValueError, match="either return_nodes"):
        create_feature_extractor(model, train_return_nodes=["first"])
    with pytest.raises(ValueError, match="got 'first'"):
        create_feature_extractor(model, "first")


def test_intermediate_layer_getter():
    model = vision_models.resnet18().eval()
    getter = IntermediateLayerGetter(model, {"layer1": "low", "layer3": "high"})
    assert "layer4" not in dict(getter.named_children())
    images = torch.randn(1, 3, 32, 32)
    with torch.inference_mode():
        outputs = getter(images)
        assert torch.equal(outputs["high"], hooked(model, "layer3", images))
        torch._dynamo.reset()
        compiled = torch.compile(getter, fullgraph=True, backend="aot_eager")(images)
        torch.testing.assert_close(compiled["low"], outputs["low"])
    with pytest.raises(ValueError, match="got \\['layer9'\\]"):
        IntermediateLayerGetter(model, {"layer9": "x"})
