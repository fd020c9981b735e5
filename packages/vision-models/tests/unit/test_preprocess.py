"""The preprocessing against exact arithmetic and against its own definition."""

import copy
import pickle

import numpy as np
import pytest
import torch

from vision_models import ImageClassification, ResNet50_Weights
from vision_models._preprocess import resize_reference


@pytest.fixture
def photo():
    """A smooth image with detail, (3, 90, 120) uint8."""
    y, x = torch.meshgrid(torch.linspace(0, 3, 90), torch.linspace(0, 4, 120), indexing="ij")
    waves = torch.stack([torch.sin(9 * x) + y, torch.cos(7 * y) - x, torch.sin(5 * x * y)])
    return ((waves - waves.min()) / (waves.max() - waves.min()) * 255).to(torch.uint8)


def triangle_filter(length, size):
    """The weights of antialiased bilinear resizing, from its definition: a triangle stretched by the scale."""
    scale = length / size
    support = max(scale, 1.0)
    centres = (np.arange(size) + 0.5) * scale
    distance = np.abs(np.arange(length)[None] + 0.5 - centres[:, None]) / support
    weights = np.clip(1 - distance, 0, None)
    return weights / weights.sum(1, keepdims=True)


def test_equals_the_definition(photo):
    """Resize, crop, scale and normalise in float64 NumPy, with one rounding to uint8 after the resize."""
    got = ImageClassification(crop_size=40, resize_size=60)(photo)
    resized = np.einsum("ij,cjk,lk->cil", triangle_filter(90, 60), photo.double().numpy(), triangle_filter(120, 80))
    crop = np.round(resized)[:, 10:50, 20:60] / 255
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    expected = (crop - mean[:, None, None]) / std[:, None, None]
    difference = np.abs(got.numpy() - expected)
    assert difference.max() < 1.01 / 255 / 0.224  # a tie may round the other way ...
    assert (difference > 1e-5).mean() < 1e-3  # ... rarely


def test_float_images_are_not_rounded(photo):
    prepare = ImageClassification(crop_size=40, resize_size=60)
    got = prepare(photo.double() / 255)
    assert got.dtype == torch.float64
    assert (got - prepare(photo)).abs().max() < 0.51 / 255 / 0.224
    assert (got - prepare(photo)).abs().max() > 0.1 / 255 / 0.224


@pytest.mark.parametrize(("height", "width"), [(1, 1), (50, 30), (31, 500), (64, 64), (65, 64), (33, 1000)])
def test_every_image_gives_the_crop(height, width):
    images = torch.randint(0, 256, (2, 3, height, width), dtype=torch.uint8)
    assert ImageClassification(crop_size=48, resize_size=64)(images).shape == (2, 3, 48, 48)


@pytest.mark.parametrize("margin", [0, 1, 2, 3, 4, 5])
def test_crop_rounds_half_to_even(margin):
    columns = torch.arange(8 + margin).expand(3, 8, -1) / 100
    got = ImageClassification(crop_size=8, resize_size=8, mean=[0, 0, 0], std=[1, 1, 1])(columns)
    assert got[0, 0, 0].item() == pytest.approx(round(margin / 2) / 100)


def test_crop_larger_than_the_image_pads_with_black():
    image = torch.ones(3, 4, 4)
    got = ImageClassification(crop_size=8, resize_size=4, mean=[0, 0, 0], std=[1, 1, 1])(image)
    assert got.sum() == 3 * 16
    assert got[:, 2:6, 2:6].eq(1).all()


@pytest.mark.parametrize("interpolation", ["nearest", "nearest-exact", "bilinear", "bicubic"])
def test_interpolations_keep_a_constant(interpolation):
    prepare = ImageClassification(
        crop_size=16, resize_size=20, mean=[0, 0, 0], std=[1, 1, 1], interpolation=interpolation
    )
    image = torch.full((3, 30, 40), 77, dtype=torch.uint8)
    torch.testing.assert_close(prepare(image), torch.full((3, 16, 16), 77 / 255))


def test_bicubic_saturates():
    image = torch.zeros(3, 16, 16, dtype=torch.uint8)
    image[..., 8:] = 255
    got = resize_reference(image, [64, 64], "bicubic")
    assert got[..., :20].max() == 0
    assert got[..., 44:].min() == 255


def test_arrays_and_pillow_images(photo):
    prepare = ImageClassification(crop_size=40, resize_size=60)
    array = photo.permute(1, 2, 0).numpy()
    assert torch.equal(prepare(array), prepare(photo))
    assert torch.equal(prepare(array[..., 0]), prepare(photo[:1].expand(3, -1, -1)))
    image = pytest.importorskip("PIL.Image")
    assert torch.equal(prepare(image.fromarray(array)), prepare(photo))
    grey = image.fromarray(array).convert("L")
    assert torch.equal(prepare(grey), prepare(np.asarray(grey)))
    with pytest.raises(TypeError, match=r"got ndarray with shape .* of float32"):
        prepare(array.astype("float32"))


def test_batches_and_leading_axes(photo):
    prepare = ImageClassification(crop_size=40, resize_size=60)
    batch = torch.stack([photo, photo.flip(-1)])
    assert torch.equal(prepare(batch)[1], prepare(photo.flip(-1)))
    assert torch.equal(prepare(batch[None])[0], prepare(batch))


def test_given_resize_is_used(photo):
    calls = []

    def resize(image, size, interpolation, antialias):
        calls.append((size, interpolation, antialias))
        return image[..., : size[0], : size[1]]

    ImageClassification(crop_size=40, resize_size=60, antialias=False, resize=resize)(photo)
    assert calls == [([60, 80], "bilinear", False)]


def test_installed_resize_is_found(monkeypatch):
    contract = pytest.importorskip("vision_contract")
    monkeypatch.setattr("vision_models._preprocess.find", lambda name, *, default: (name, default))
    assert contract is not None
    assert ImageClassification(crop_size=8).resize == ("resize", resize_reference)


def test_compiles_exports_scripts_copies_and_pickles(photo):
    prepare = ImageClassification(crop_size=40, resize_size=60, resize=resize_reference)
    expected = prepare(photo)
    torch._dynamo.reset()
    for other in (
        copy.deepcopy(prepare),
        pickle.loads(pickle.dumps(prepare)),
        torch.jit.script(prepare),
        torch.compile(prepare, fullgraph=True, backend="aot_eager"),
        torch.export.export(prepare, (photo,)).module(),
    ):
        torch.testing.assert_close(other(photo), expected)


def test_compiles_with_dynamic_sizes(photo):
    prepare = torch.compile(ImageClassification(crop_size=40, resize_size=60), fullgraph=True, backend="aot_eager")
    torch._dynamo.reset()
    for image in (photo, photo[:, :80], photo[..., :70], photo.transpose(-1, -2)):
        torch.testing.assert_close(prepare(image), ImageClassification(crop_size=40, resize_size=60)(image))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"interpolation": "lanczos"}, "interpolation"),
        ({"crop_size": 0}, "at least 1"),
        ({"mean": [0.5]}, "3 numbers"),
        ({"std": [1, 0, 1]}, "std positive"),
    ],
)
def test_wrong_settings(arguments, message):
    with pytest.raises(ValueError, match=message):
        ImageClassification(**({"crop_size": 8} | arguments))


def test_repr_shows_the_settings():
    assert "crop_size=224, resize_size=232" in repr(ResNet50_Weights.DEFAULT.transforms())
