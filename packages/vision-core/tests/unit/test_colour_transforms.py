"""Classes of colour, conversion and automatic augmentation: what they draw, replay, refuse and pickle."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as PILImage
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from vision_core import transforms as T
from vision_core.transforms import functional as F
from vision_core.tv_tensors import BoundingBoxes, Image, KeyPoints, Mask, Video


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def seeded(number: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(number)


RANDOM: dict[str, Callable[..., T.Transform]] = {
    "ColorJitter": lambda **k: T.ColorJitter(0.4, 0.4, 0.4, 0.2, **k),
    "RandomPhotometricDistort": lambda **k: T.RandomPhotometricDistort(**k),
    "RandomChannelPermutation": lambda **k: T.RandomChannelPermutation(**k),
    "RandomGrayscale": lambda **k: T.RandomGrayscale(0.5, **k),
    "RandomInvert": lambda **k: T.RandomInvert(**k),
    "RandomPosterize": lambda **k: T.RandomPosterize(2, **k),
    "RandomSolarize": lambda **k: T.RandomSolarize(100, **k),
    "RandomAdjustSharpness": lambda **k: T.RandomAdjustSharpness(3.0, **k),
    "RandomAutocontrast": lambda **k: T.RandomAutocontrast(**k),
    "RandomEqualize": lambda **k: T.RandomEqualize(**k),
    "GaussianBlur": lambda **k: T.GaussianBlur(5, **k),
    "GaussianNoise": lambda **k: T.GaussianNoise(**k),
    "JPEG": lambda **k: T.JPEG((2, 60), **k),
    "RandomErasing": lambda **k: T.RandomErasing(**k),
    "AutoAugment": lambda **k: T.AutoAugment(**k),
    "RandAugment": lambda **k: T.RandAugment(**k),
    "TrivialAugmentWide": lambda **k: T.TrivialAugmentWide(**k),
    "AugMix": lambda **k: T.AugMix(**k),
}


def picture() -> Tensor:
    """An image of moderate contrast, which every operation changes."""
    return F.gaussian_blur(noise(3, 20, 24), 5, 1.0) // 2 + 40


@pytest.mark.parametrize("name", RANDOM)
def test_generators_replay_pickling_and_per_sample(name: str) -> None:
    image = picture()
    first = [RANDOM[name](generator=seeded(7))(image) for _ in range(2)]
    assert torch.equal(*first)
    state = torch.get_rng_state()
    transform = RANDOM[name](generator=seeded(1))
    results = [transform(image) for _ in range(12)]
    assert torch.equal(torch.get_rng_state(), state)  # only its own generator is used
    assert len({tuple(result.flatten().tolist()) for result in results}) > 1
    assert all(result.shape == image.shape and result.dtype == image.dtype for result in results)

    params = transform.sample(image)
    again = pickle.loads(pickle.dumps(params))
    assert torch.equal(transform.apply(params, image), transform.apply(again, image))
    copied = pickle.loads(pickle.dumps(RANDOM[name]()))
    torch.manual_seed(3)
    expected = copied(image)
    torch.manual_seed(3)
    assert torch.equal(RANDOM[name]()(image), expected)

    batch = image.expand(12, -1, -1, -1)
    together = RANDOM[name](generator=seeded(2))(batch)
    if name != "AugMix":  # mixes each image of a batch with its own weights anyway
        assert all(torch.equal(entry, together[0]) for entry in together) or name == "GaussianNoise"
    apart = RANDOM[name](generator=seeded(2), per_sample=True)(batch)
    assert len({tuple(entry.flatten().tolist()) for entry in apart}) > 1


@pytest.mark.parametrize("name", RANDOM)
def test_every_kind_of_image_passes(name: str) -> None:
    transform = RANDOM[name](generator=seeded(5))
    image = picture()
    pil = PILImage.fromarray(image.permute(1, 2, 0).contiguous().numpy())
    for _ in range(3):
        assert isinstance(transform(pil), PILImage.Image)
        assert isinstance(transform(image.permute(1, 2, 0).numpy()), np.ndarray)
        assert isinstance(transform(Image(image)), Image)
        assert isinstance(transform(Video(image.expand(2, -1, -1, -1))), Video)
        nested = transform({"image": image, "label": 3, "rest": ["a", None]})
        assert nested["label"] == 3
        assert nested["rest"] == ["a", None]
        if name != "JPEG" and name != "RandomSolarize":
            assert transform(image / 255).dtype == torch.float32


class Pictures(Dataset):
    def __init__(self, transform: T.Transform) -> None:
        self.transform = transform

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> Tensor:
        return self.transform(picture())


@pytest.mark.parametrize("name", ["ColorJitter", "GaussianNoise", "RandomErasing"])
def test_workers_draw_different_numbers(name: str) -> None:
    transform = T.RandomErasing(1.0) if name == "RandomErasing" else RANDOM[name]()
    loader = DataLoader(Pictures(transform), batch_size=1, num_workers=2)
    seen = {tuple(batch.flatten().tolist()) for batch in loader}
    assert len(seen) == 8


def test_jitter_draws_within_its_ranges_and_in_any_order() -> None:
    jitter = T.ColorJitter(brightness=0.2, contrast=(0.5, 0.9), hue=0.1, generator=seeded())
    image = picture()
    drawn = [jitter.sample(image) for _ in range(200)]
    assert all(0.8 <= p["brightness_factor"] <= 1.2 for p in drawn)
    assert all(0.5 <= p["contrast_factor"] <= 0.9 for p in drawn)
    assert all(-0.1 <= p["hue_factor"] <= 0.1 for p in drawn)
    assert all(p["saturation_factor"] is None for p in drawn)
    assert len({tuple(p["fn_idx"]) for p in drawn}) == 24
    params = {"fn_idx": [3, 1, 0, 2], "brightness_factor": 1.2, "contrast_factor": 0.8, "saturation_factor": None}
    params["hue_factor"] = 0.1
    expected = F.adjust_brightness(F.adjust_contrast(F.adjust_hue(image, 0.1), 0.8), 1.2)
    assert (jitter.apply(params, image).int() - expected.int()).abs().max() <= 1
    assert torch.equal(T.ColorJitter()(image), image)
    assert T.ColorJitter(0.0, [1.0, 1.0]).brightness is None
    order, b, c, s, h = T.ColorJitter.get_params((0.5, 0.6), None, (1.0, 2.0), None)
    assert sorted(order.tolist()) == [0, 1, 2, 3]
    assert b is not None
    assert 0.5 <= b <= 0.6
    assert c is None
    assert s is not None
    assert h is None


def test_photometric_distortion_keeps_probability_and_order() -> None:
    image = picture()
    assert torch.equal(T.RandomPhotometricDistort(p=0.0)(image), image)
    distort = T.RandomPhotometricDistort(p=1.0, generator=seeded())
    drawn = [distort.sample(image) for _ in range(50)]
    assert all(sorted(p["channel_permutation"]) == [0, 1, 2] for p in drawn)
    assert {p["contrast_before"] for p in drawn} == {True, False}
    for params in drawn[:5]:
        steps = ["brightness", "saturation", "hue"]
        steps.insert(1 if params["contrast_before"] else 3, "contrast")
        expected = image
        for step in steps:
            expected = getattr(F, f"adjust_{step}")(expected, params[f"{step}_factor"])
        expected = F.permute_channels(expected, params["channel_permutation"])
        assert (distort.apply(params, image).int() - expected.int()).abs().max() <= 1


@pytest.mark.parametrize("value", [0.0, 7, (1, 2, 3), "random"])
def test_erasing_erases_one_rectangle(value: Any) -> None:
    erasing = T.RandomErasing(1.0, scale=(0.1, 0.3), ratio=(0.5, 2.0), value=value, generator=seeded())
    image = torch.full((3, 40, 50), 9.5)
    for _ in range(20):
        params = erasing.sample(image)
        i, j, h, w = (params[k] for k in "ijhw")
        assert 0.1 * 2000 * 0.7 <= h * w <= 0.3 * 2000 * 1.3
        assert 0.4 <= h / w <= 2.5
        erased = erasing.apply(params, image)
        outside = torch.ones(40, 50, dtype=torch.bool)
        outside[i : i + h, j : j + w] = False
        assert (erased[:, outside] == 9.5).all()
        inside = erased[:, ~outside]
        if value == "random":
            assert inside.std() > 0.5
        else:
            expected = torch.tensor([value] * 3 if isinstance(value, (int, float)) else value).float()
            assert torch.equal(inside, expected[:, None].expand_as(inside))
    boxes = BoundingBoxes([[1, 1, 5, 5]], format="XYXY", canvas_size=(40, 50))
    mask = Mask(torch.ones(40, 50))
    out = erasing(Image(image), boxes, mask)
    assert torch.equal(out[1], boxes)
    assert torch.equal(out[2], mask)
    i, j, h, w, v = T.RandomErasing.get_params(image, (0.1, 0.2), (1.0, 1.0), [0.0])
    assert v.shape == (1, 1, 1)
    assert 0 <= i <= 40 - h
    assert 0 <= j <= 50 - w


def test_whitening() -> None:
    generator = torch.Generator().manual_seed(0)
    matrix, mean = torch.rand(12, 12, generator=generator), torch.rand(12, generator=generator)
    images = torch.rand(5, 3, 2, 2, generator=generator)
    whitened = T.LinearTransformation(matrix, mean)(images)
    expected = torch.stack([(image.flatten() - mean) @ matrix for image in images]).view(5, 3, 2, 2)
    torch.testing.assert_close(whitened, expected)
    for bad in ((matrix[:3], mean), (matrix, mean[:3]), (matrix.double(), mean)):
        with pytest.raises(ValueError, match=r"expected"):
            T.LinearTransformation(*bad)
    with pytest.raises(ValueError, match="C x H x W = 12"):
        T.LinearTransformation(matrix, mean)(images[..., :1])
    with pytest.raises(TypeError, match="PIL"):
        T.LinearTransformation(matrix, mean)(PILImage.new("RGB", (2, 2)))


def sample_of_all() -> dict[str, Any]:
    return {
        "image": Image(noise(3, 8, 10)),
        "video": Video(noise(2, 3, 8, 10)),
        "mask": Mask(torch.ones(8, 10, dtype=torch.uint8)),
        "boxes": BoundingBoxes([[1, 2, 3, 4]], format="XYXY", canvas_size=(8, 10)),
        "points": KeyPoints([[1, 2]], canvas_size=(8, 10)),
        "label": torch.tensor(3),
    }


def test_dtypes_by_type() -> None:
    sample = sample_of_all()
    plain = T.ToDtype(torch.float32, scale=True)(sample)
    assert plain["image"].dtype == plain["video"].dtype == torch.float32
    assert plain["image"].max() <= 1
    assert [plain[k].dtype for k in ("mask", "boxes", "points", "label")] == [
        sample[k].dtype for k in ("mask", "boxes", "points", "label")
    ]
    chosen = T.ToDtype({Image: torch.float64, Mask: torch.int64, "others": None}, scale=True)(sample)
    assert chosen["image"].dtype == torch.float64
    assert chosen["mask"].dtype == torch.int64
    assert chosen["mask"].max() == 1
    assert chosen["video"].dtype == torch.uint8
    assert T.ToDtype({"others": torch.float32})(sample)["boxes"].dtype == torch.float32
    with pytest.raises(ValueError, match="says nothing about Video"):
        T.ToDtype({Image: torch.float32})(sample)
    with pytest.raises(ValueError, match="dtype"):
        T.ToDtype("float32")  # type: ignore[arg-type]
    assert T.ConvertImageDtype(torch.float32)(sample)["image"].max() <= 1
    assert T.ConvertImageDtype()(sample)["boxes"].tolist() == [[1.0, 2.0, 3.0, 4.0]]
    assert F.to_dtype(sample["mask"], torch.float32, scale=True).max() == 1
    pil = PILImage.new("RGB", (3, 3))
    assert T.ToDtype(torch.float32)(pil) is pil


def test_conversions_between_kinds() -> None:
    pixels = noise(3, 8, 10)
    array, pil = pixels.permute(1, 2, 0).numpy(), F.to_pil_image(pixels)
    for kind in (pixels, array, pil):
        image = T.ToImage()(kind)
        assert isinstance(image, Image)
        assert torch.equal(image.as_subclass(Tensor), pixels)
    for kind in (array, pil):
        tensor = T.ToTensor()(kind)
        torch.testing.assert_close(tensor, pixels / 255)
        assert tensor.is_contiguous()
    assert torch.equal(T.PILToTensor()(pil), pixels)
    assert T.ToPILImage()(Image(pixels)).tobytes() == pil.tobytes()
    pure = T.ToPureTensor()(sample_of_all())
    assert all(type(value) is Tensor for value in pure.values())
    floating = array.astype(np.float64) / 255
    assert (np.array(F.to_pil_image(floating)).astype(int) - array).max() <= 0
    assert F.to_tensor(np.full((2, 2), 7, dtype=np.int32)).dtype == torch.int32
    for bad in (pixels, "a", np.zeros(3)):
        with pytest.raises((TypeError, ValueError), match="inpt"):
            F.to_tensor(bad)  # type: ignore[arg-type]
    frames = T.UniformTemporalSubsample(2)({"video": Video(noise(5, 3, 4, 4)), "n": 1})
    assert frames["video"].shape == (2, 3, 4, 4)
    with pytest.raises(TypeError, match="PIL"):
        T.Normalize([0.5], [0.5])(pil)


@pytest.mark.parametrize("policy", list(T.AutoAugmentPolicy))
def test_auto_augment_draws_from_its_policy(policy: T.AutoAugmentPolicy) -> None:
    augment = T.AutoAugment(policy, generator=seeded())
    image = picture()
    drawn = [augment.sample(image)["ops"] for _ in range(300)]
    assert max(len(ops) for ops in drawn) == 2
    names = {name for ops in drawn for name, _ in ops}
    assert len(names) >= 9
    rotations = [abs(m) for ops in drawn for name, m in ops if name == "Rotate"]
    assert all(0 <= m <= 30 for m in rotations)
    with pytest.raises(ValueError, match="policy"):
        T.AutoAugment("imagenet")  # type: ignore[arg-type]
    number, happens, signs = T.AutoAugment.get_params(25)
    assert 0 <= number < 25
    assert happens.shape == signs.shape == (2,)


def test_strengths_of_rand_and_trivial_augment() -> None:
    image = picture()
    rand = T.RandAugment(num_ops=3, magnitude=30, generator=seeded())
    drawn = dict(op for _ in range(100) for op in rand.sample(image)["ops"])
    assert len(drawn) == 14
    assert abs(drawn["ShearX"]) == pytest.approx(0.3)
    assert abs(drawn["TranslateX"]) == pytest.approx(150 / 331 * 24, rel=1e-6)
    assert drawn["Posterize"] == 4
    assert drawn["Solarize"] == 0
    assert len(rand.sample(image)["ops"]) == 3
    trivial = T.TrivialAugmentWide(generator=seeded())
    drawn_all = [trivial.sample(image)["ops"] for _ in range(600)]
    assert all(len(ops) == 1 for ops in drawn_all)
    assert max(abs(m) for [(name, m)] in drawn_all if name == "Rotate") > 100
    signs = [math.copysign(1, m) for [(name, m)] in drawn_all if name == "Brightness"]
    assert 0.2 < np.mean(np.array(signs) > 0) < 0.8
    with pytest.raises(ValueError, match="magnitude"):
        T.RandAugment(magnitude=31)


def test_geometry_of_auto_augment_moves_boxes_masks_and_points() -> None:
    image = torch.zeros(3, 40, 60)
    image[:, 10:20, 30:40] = 1
    mask = Mask(image[0].to(torch.uint8))
    boxes = BoundingBoxes([[30, 10, 40, 20]], format="XYXY", canvas_size=(40, 60))
    points = KeyPoints([[30.0, 10.0]], canvas_size=(40, 60))
    augment = T.RandAugment()
    params = {"ops": [("TranslateX", 7.0), ("Invert", 0.0), ("TranslateY", -5.0)]}
    moved, moved_mask, moved_boxes, moved_points = augment.apply(params, Image(image), mask, boxes, points)
    assert moved_boxes.tolist() == [[37, 5, 47, 15]]
    assert moved_points.tolist() == [[37, 5]]
    expected = torch.zeros(40, 60, dtype=torch.uint8)
    expected[5:15, 37:47] = 1
    assert torch.equal(moved_mask.as_subclass(Tensor), expected)
    assert (moved[0, 5:15, 37:47] == 0).all()
    assert moved[0, 20, 30] == 1


def test_aug_mix_mixes_by_its_weights() -> None:
    images = torch.rand(2, 3, 8, 8, generator=seeded())
    mix = T.AugMix()
    params = {
        "original": torch.tensor([0.25, 1.0]),
        "weights": torch.tensor([[0.75, 0.0], [0.0, 0.0]]),
        "chains": [[("Invert", 0.0)], []],
    }
    mixed = mix.apply(params, images)
    torch.testing.assert_close(mixed[0], 0.25 * images[0] + 0.75 * (1 - images[0]))
    torch.testing.assert_close(mixed[1], images[1])
    drawn = T.AugMix(mixture_width=4, chain_depth=2, generator=seeded()).sample(images)
    torch.testing.assert_close(drawn["original"] + drawn["weights"].sum(1), torch.ones(2))
    assert [len(chain) for chain in drawn["chains"]] == [2] * 4
    with pytest.raises(TypeError, match="AugMix"):
        mix(Image(images[0]), Mask(torch.ones(8, 8)))
    with pytest.raises(ValueError, match="severity"):
        T.AugMix(severity=11)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: T.ColorJitter(-1), ValueError),
        (lambda: T.ColorJitter("a"), TypeError),
        (lambda: T.ColorJitter([1, 2, 3]), TypeError),
        (lambda: T.ColorJitter([2, 1]), ValueError),
        (lambda: T.ColorJitter(hue=0.7), ValueError),
        (lambda: T.GaussianBlur(4), ValueError),
        (lambda: T.GaussianBlur([3, 3, 3]), ValueError),
        (lambda: T.GaussianBlur(3, -1.0), ValueError),
        (lambda: T.GaussianBlur(3, (2, 1)), ValueError),
        (lambda: T.GaussianBlur(3, "a"), ValueError),
        (lambda: T.GaussianNoise(sigma=-1), ValueError),
        (lambda: T.JPEG(0), ValueError),
        (lambda: T.JPEG((50, 10)), ValueError),
        (lambda: T.JPEG(1.5), TypeError),
        (lambda: T.RandomErasing(value="a"), ValueError),
        (lambda: T.RandomErasing(value=object()), TypeError),
        (lambda: T.RandomErasing(scale=3), TypeError),
        (lambda: T.RandomErasing(ratio=3), TypeError),
        (lambda: T.RandomErasing(scale=(0.5, 2)), ValueError),
        (lambda: T.RandomErasing(p=2), ValueError),
        (lambda: T.RandomErasing(1.0, value=[1, 2])(torch.rand(3, 4, 4)), ValueError),
        (lambda: T.RandomPosterize(3, p=-0.1), ValueError),
        (lambda: T.RandAugment(fill="red"), TypeError),
    ],
)
def test_bad_arguments(make: Callable[[], Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=r"expected"):
        make()


@pytest.mark.parametrize(
    ("transform", "text"),
    [
        (T.ColorJitter(0.5, hue=0.1), "ColorJitter(brightness=(0.5, 1.5), hue=(-0.1, 0.1))"),
        (T.RandomGrayscale(), "RandomGrayscale(p=0.1)"),
        (T.RandomPosterize(3), "RandomPosterize(p=0.5, bits=3)"),
        (T.GaussianBlur(3), "GaussianBlur(kernel_size=(3, 3), sigma=(0.1, 2.0))"),
        (T.Grayscale(3), "Grayscale(num_output_channels=3)"),
    ],
)
def test_reprs(transform: T.Transform, text: str) -> None:
    assert repr(transform) == text


def test_queries() -> None:
    sample = list(sample_of_all().values())[:-1]
    assert T.query_chw(sample) == (3, 8, 10)
    assert T.query_size(sample) == (8, 10)
    assert T.has_any(sample, Mask, str)
    assert not T.has_all(sample, Mask, str)
    assert T.get_bounding_boxes(sample) is sample[3]
    assert T.get_keypoints(sample) is sample[4]
    with pytest.raises(ValueError, match="BoundingBoxes"):
        T.get_bounding_boxes([1])
    with pytest.raises(TypeError, match="image"):
        T.query_chw(["a"])
    with pytest.raises(ValueError, match="one size"):
        T.query_size([torch.zeros(3, 4, 4), Image(torch.zeros(3, 5, 5))])
