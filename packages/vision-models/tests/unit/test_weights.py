"""Weights as data, and what the builders do with them."""

import hashlib
import pickle
from functools import partial

import pytest
import torch

import vision_models
from vision_models import ImageClassification, MobileNet_V3_Small_Weights, ResNet50_Weights, Weights, WeightsEnum
from vision_models.hub import HashMismatchError, OfflineError


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A model of two classes, its checkpoint in the cache, and the enumeration that names it."""
    monkeypatch.setenv("VISION_MODELS_OFFLINE", "1")
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    model = vision_models.mobilenet_v3_small(num_classes=2).eval()
    (tmp_path / "checkpoints").mkdir()
    raw = tmp_path / "raw.pth"
    torch.save(model.state_dict(), raw)
    digest = hashlib.sha256(raw.read_bytes()).hexdigest()
    path = raw.rename(tmp_path / "checkpoints" / f"tiny-{digest[:8]}.pth")

    class Tiny_Weights(WeightsEnum):  # noqa: N801
        PETS_V1 = Weights(
            f"https://example.invalid/{path.name}",
            partial(ImageClassification, crop_size=64),
            {"categories": ["cat", "dog"]},
        )
        DEFAULT = PETS_V1

    return model, path, Tiny_Weights


def test_members_and_default():
    assert [weights.name for weights in ResNet50_Weights] == ["IMAGENET1K_V1", "IMAGENET1K_V2"]
    assert ResNet50_Weights.DEFAULT is ResNet50_Weights.IMAGENET1K_V2
    assert repr(ResNet50_Weights.DEFAULT) == "ResNet50_Weights.IMAGENET1K_V2"
    assert ResNet50_Weights.DEFAULT.url == "https://download.pytorch.org/models/resnet50-11ad3fa6.pth"
    assert ResNet50_Weights.DEFAULT.value.sha256 == "11ad3fa6"
    assert ResNet50_Weights.DEFAULT.meta["categories"][0] == "tench"


def test_members_pickle_to_themselves():
    for weights in ResNet50_Weights:
        assert pickle.loads(pickle.dumps(weights)) is weights


def test_verify():
    assert ResNet50_Weights.verify(None) is None
    assert ResNet50_Weights.verify("DEFAULT") is ResNet50_Weights.IMAGENET1K_V2
    assert ResNet50_Weights.verify("ResNet50_Weights.IMAGENET1K_V1") is ResNet50_Weights.IMAGENET1K_V1
    with pytest.raises(ValueError, match="no member 'V3'; it has IMAGENET1K_V1, IMAGENET1K_V2, DEFAULT"):
        ResNet50_Weights.verify("V3")
    with pytest.raises(TypeError, match=r"expected ResNet50_Weights.*MobileNet_V3_Small_Weights\.IMAGENET1K_V1"):
        ResNet50_Weights.verify(MobileNet_V3_Small_Weights.DEFAULT)
    with pytest.raises(TypeError, match="got True"):
        ResNet50_Weights.verify(True)


def test_transforms_take_overrides():
    assert ResNet50_Weights.IMAGENET1K_V1.transforms().resize_size == 256
    assert ResNet50_Weights.IMAGENET1K_V1.transforms(resize_size=300, antialias=False).resize_size == 300


def test_state_dict_comes_from_the_cache(published):
    model, _, enumeration = published
    loaded = enumeration.DEFAULT.get_state_dict(progress=False, check_hash=True)
    assert list(loaded) == list(model.state_dict())
    assert all(torch.equal(loaded[key], value) for key, value in model.state_dict().items())


def test_damaged_checkpoint_is_not_loaded(published):
    _, path, enumeration = published
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(HashMismatchError):
        enumeration.DEFAULT.get_state_dict()


def test_missing_checkpoint_offline_says_where_to_put_it(published):
    _, path, enumeration = published
    path.unlink()
    with pytest.raises(OfflineError, match=path.name):
        enumeration.DEFAULT.get_state_dict()


def test_pickled_code_is_not_run(published):
    _, path, enumeration = published
    torch.save({"weight": torch.zeros(1), "hook": print}, path)
    with pytest.raises(pickle.UnpicklingError):
        enumeration.DEFAULT.get_state_dict(check_hash=False)


def test_builder_loads(published, monkeypatch):
    model, _, enumeration = published
    monkeypatch.setattr(vision_models.mobilenetv3, "MobileNet_V3_Small_Weights", enumeration)
    loaded = vision_models.mobilenet_v3_small(weights="DEFAULT", progress=False).eval()
    images = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(loaded(images), model(images))
    with pytest.raises(ValueError, match=r"has 2 classes, got 3; build with num_classes=2"):
        vision_models.mobilenet_v3_small(weights="DEFAULT", num_classes=3)


def test_hash_prefix_is_read_from_the_name_or_given():
    build = partial(ImageClassification, crop_size=8)
    assert Weights("https://example.invalid/net-0123abcd.pth", build, {}).sha256 == "0123abcd"
    assert Weights("https://example.invalid/net.pth", build, {}).sha256 is None
    assert Weights("https://example.invalid/net.pth", build, {}, sha256="ff").sha256 == "ff"
