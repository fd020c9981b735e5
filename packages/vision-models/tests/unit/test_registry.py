"""The table of builders."""

from functools import partial

import pytest
from torch import nn

import vision_models
from vision_models import _registry


@pytest.fixture
def _registry_copy(monkeypatch):
    monkeypatch.setattr(_registry, "_ENTRIES", dict(_registry._ENTRIES))


def test_list_is_sorted_and_every_name_is_importable():
    names = vision_models.list_models()
    assert names == sorted(names)
    assert {"resnet18", "mobilenet_v3_small"} <= set(names)
    for name in names:
        assert vision_models.get_model_builder(name) is getattr(vision_models, name)


def test_include_and_exclude():
    deep = vision_models.list_models(include=["resnet1*", "wide*"], exclude="*101*")
    assert deep == ["resnet152", "resnet18", "wide_resnet50_2"]
    assert vision_models.list_models(include="nothing*") == []
    assert vision_models.list_models(include=[]) == []
    with pytest.raises(TypeError, match="include"):
        vision_models.list_models(include=[3])


def test_module():
    assert vision_models.list_models(module=vision_models.mobilenetv3) == ["mobilenet_v3_large", "mobilenet_v3_small"]
    assert "resnet18" in vision_models.list_models(module=vision_models)
    assert vision_models.list_models(module=pytest) == []


def test_unknown_model_suggests_close_names():
    with pytest.raises(ValueError, match="no model is called 'resnet19'; did you mean resnet18"):
        vision_models.get_model("resnet19")


def test_case_does_not_matter():
    assert vision_models.get_model_builder("ResNet18") is vision_models.resnet18


def test_weights_by_name_builder_and_partial():
    expected = vision_models.ResNet18_Weights
    assert vision_models.get_model_weights("resnet18") is expected
    assert vision_models.get_model_weights(vision_models.resnet18) is expected
    assert vision_models.get_model_weights(partial(vision_models.resnet18, num_classes=3)) is expected
    with pytest.raises(ValueError, match="print is not a registered builder"):
        vision_models.get_model_weights(print)


def test_get_weight():
    assert vision_models.get_weight("ResNet18_Weights.DEFAULT") is vision_models.ResNet18_Weights.IMAGENET1K_V1
    with pytest.raises(ValueError, match=r"expected 'Enumeration\.MEMBER'"):
        vision_models.get_weight("ResNet18_Weights")
    with pytest.raises(ValueError, match=r"did you mean .*ResNet18_Weights"):
        vision_models.get_weight("Resnet18_Weights.DEFAULT")
    with pytest.raises(ValueError, match="no member 'V9'"):
        vision_models.get_weight("ResNet18_Weights.V9")


@pytest.mark.usefixtures("_registry_copy")
def test_register():
    @vision_models.register_model("my_linear")
    def build(**kwargs):
        return nn.Linear(2, kwargs["num_classes"])

    assert vision_models.get_model("my_linear", num_classes=4).out_features == 4
    with pytest.raises(ValueError, match="my_linear has no published weights"):
        vision_models.get_model_weights("my_linear")
    with pytest.raises(ValueError, match="has registered 'my_linear' already"):
        vision_models.register_model("my_linear")(build)
    with pytest.raises(ValueError, match="lower-case"):
        vision_models.register_model("MyLinear")(build)
