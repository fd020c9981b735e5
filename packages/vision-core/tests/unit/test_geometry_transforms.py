"""Transforms as classes: every type of input, sampling, replaying, undoing, batches, and one that a reader adds."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict, namedtuple
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from vision_core import transforms as T
from vision_core import tv_tensors as tv
from vision_core.transforms import functional as F
from vision_core.transforms.functional._dispatch import functional, mask_kernel

HEIGHT, WIDTH = 40, 50


def noise(*shape: int) -> Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def typed_sample() -> dict[str, Any]:
    canvas = (HEIGHT, WIDTH)
    return {
        "image": tv.Image(noise(3, *canvas)),
        "video": tv.Video(noise(2, 3, *canvas)),
        "boxes": tv.BoundingBoxes(
            [[4.0, 6.0, 20.0, 30.0], [10.0, 10.0, 40.0, 35.0]], format="XYXY", canvas_size=canvas
        ),
        "masks": tv.Mask(noise(2, *canvas)),
        "points": tv.KeyPoints([[5.0, 6.0], [30.0, 20.0]], canvas_size=canvas),
        "labels": torch.tensor([3, 4]),
        "name": "a",
    }


def keyed_sample() -> dict[str, Any]:
    sample = typed_sample()
    plain = {k: v.as_subclass(Tensor) if isinstance(v, tv.TVTensor) else v for k, v in sample.items()}
    plain["keypoints"] = torch.cat((plain.pop("points"), torch.ones(2, 1)), 1)[:, None]
    del plain["video"]
    return plain


GEOMETRY: list[T.Transform] = [
    T.Resize(30),
    T.CenterCrop((30, 60)),
    T.Pad([1, 2, 3, 4], fill={tv.Mask: 1, "others": 7}),
    T.RandomCrop(30, padding=4, generator=seeded()),
    T.RandomResizedCrop(24, generator=seeded()),
    T.RandomHorizontalFlip(1.0),
    T.RandomVerticalFlip(1.0),
    T.RandomRotation(40, generator=seeded()),
    T.RandomRotation((20, 40), expand=True, generator=seeded()),
    T.RandomAffine(20, (0.1, 0.2), (0.8, 1.2), (-5, 5, -3, 3), generator=seeded()),
    T.RandomPerspective(0.4, 1.0, generator=seeded()),
    T.ElasticTransform(generator=seeded()),
    T.RandomZoomOut(p=1.0, generator=seeded()),
    T.ScaleJitter((32, 32), (0.5, 1.5), generator=seeded()),
    T.RandomShortestSize([20, 30], 45, generator=seeded()),
    T.RandomResize(20, 30, generator=seeded()),
    T.RandomIoUCrop(generator=seeded()),
]


@pytest.mark.parametrize("transform", GEOMETRY, ids=lambda t: type(t).__name__)
def test_all_that_belongs_together_moves_together(transform: T.Transform) -> None:
    sample = typed_sample()
    result = transform(sample)
    canvas = tuple(result["image"].shape[-2:])
    for key, value in sample.items():
        assert type(result[key]) is type(value)
    assert tuple(result["video"].shape[-2:]) == tuple(result["masks"].shape[-2:]) == canvas
    assert result["boxes"].canvas_size == result["points"].canvas_size == canvas
    assert result["labels"] is sample["labels"]
    assert torch.equal(sample["image"], typed_sample()["image"])  # the input is left alone


@pytest.mark.parametrize("transform", GEOMETRY, ids=lambda t: type(t).__name__)
def test_sampled_params_replay(transform: T.Transform) -> None:
    sample = typed_sample()
    params = transform.sample(sample)
    first = transform.apply(params, sample)
    second = transform.apply(pickle.loads(pickle.dumps(params)), sample)
    for key in ("image", "video", "boxes", "masks", "points"):
        assert torch.equal(first[key], second[key])
    if params is not None:
        assert params.canvas_size == (HEIGHT, WIDTH)


@pytest.mark.parametrize("transform", GEOMETRY, ids=lambda t: type(t).__name__)
def test_keys_tell_the_types(transform: T.Transform) -> None:
    typed, keyed = typed_sample(), keyed_sample()
    params = transform.sample(typed)
    expected, result = transform.apply(params, typed), transform.apply(params, keyed)
    for key in ("image", "boxes", "masks"):
        assert type(result[key]) is Tensor
        assert torch.equal(result[key], expected[key].as_subclass(Tensor))
    assert torch.equal(result["keypoints"][:, 0, :2], expected["points"].as_subclass(Tensor))
    assert result["keypoints"][:, 0, 2].tolist() == [1, 1]
    assert result["labels"] is keyed["labels"]


@pytest.mark.parametrize("transform", GEOMETRY, ids=lambda t: type(t).__name__)
def test_pictures_and_arrays_come_back_as_such(transform: T.Transform) -> None:
    image = noise(3, HEIGHT, WIDTH)
    boxes = typed_sample()["boxes"]
    array, picture = np.ascontiguousarray(image.permute(1, 2, 0).numpy()), F.to_pil_image(image)
    params = transform.sample(image, boxes)
    expected = transform.apply(params, tv.Image(image), boxes)[0]
    from_array, from_picture = transform.apply(params, array, boxes)[0], transform.apply(params, picture, boxes)[0]
    assert isinstance(from_array, np.ndarray)
    difference = torch.from_numpy(from_array).permute(2, 0, 1).int() - expected.int()
    assert difference.abs().max() <= 1  # interleaved pixels may be filtered by another kernel
    assert from_picture.size == (expected.shape[-1], expected.shape[-2])
    assert from_picture.mode == "RGB"


EXACT = (T.RandomHorizontalFlip, T.RandomVerticalFlip, T.Pad, T.RandomZoomOut)


@pytest.mark.parametrize("transform", GEOMETRY, ids=lambda t: type(t).__name__)
def test_geometry_is_undone(transform: T.Transform) -> None:
    sample = typed_sample()
    sample["boxes"] = tv.wrap(sample["boxes"], like=sample["boxes"], clamping_mode=None)
    params = transform.sample(sample)
    moved = transform.apply(params, sample)
    if isinstance(transform, T.ElasticTransform):
        with pytest.raises(TypeError, match="inverse"):
            transform.inverse(params, moved)
        return
    back = transform.inverse(params, moved)
    assert back["image"].shape == sample["image"].shape
    assert back["boxes"].canvas_size == (HEIGHT, WIDTH)
    assert (back["points"] - sample["points"]).abs().max() < 1e-3
    if isinstance(transform, EXACT):
        assert torch.equal(back["image"], sample["image"])
        assert torch.equal(back["masks"], sample["masks"])
    if params is not None and "angle" not in params and "coefficients" not in params:
        kept = params.get("is_within_crop_area", torch.tensor([True, True]))
        torch.testing.assert_close(back["boxes"][kept], sample["boxes"][kept], atol=1e-3, rtol=0)


def test_chains_are_sampled_replayed_and_undone() -> None:
    chain = T.Compose(
        [
            T.RandomOrder([T.RandomHorizontalFlip(0.5), T.RandomVerticalFlip(0.5)]),
            T.RandomChoice([T.Pad(3), T.Pad(5)]),
            T.RandomApply([T.RandomCrop(30, pad_if_needed=True)], 0.5),
        ]
    )
    image = torch.zeros(1, 30, 30)
    image[:, 10:20, 5:25] = 1
    for seed in range(8):
        torch.manual_seed(seed)
        params = chain.sample(image)
        moved = chain.apply(params, image)
        torch.manual_seed(seed)
        assert torch.equal(chain(image), moved)
        back = chain.inverse(params, moved)
        assert back.shape == image.shape
        assert set(back.unique().tolist()) <= {0.0, 1.0}
        assert (back <= image).all()  # what was cut away is missing, nothing is elsewhere
    chain = T.Compose([torch.nn.Identity()])
    params = chain.sample(image)
    with pytest.raises(TypeError, match="undone"):
        chain.inverse(params, image)


def test_each_sample_of_a_batch_draws_for_itself() -> None:
    batch = torch.arange(8.0).view(1, 1, 1, 8).expand(64, 1, 1, 8).contiguous()
    flip = T.RandomHorizontalFlip(0.5, generator=seeded(), per_sample=True)
    flipped = flip(batch)[:, 0, 0, 0] == 7
    assert 16 < int(flipped.sum()) < 48
    together = T.RandomHorizontalFlip(0.5, generator=seeded())(batch)[:, 0, 0, 0]
    assert together.unique().numel() == 1
    sample = {
        "image": batch,
        "boxes": torch.tensor([[[0.0, 0.0, 2.0, 1.0]]]).expand(64, 1, 4),
        "labels": torch.arange(64),
    }
    params = flip.sample(sample)
    result = flip.apply(params, sample)
    flipped = result["image"][:, 0, 0, 0] == 7
    assert torch.equal(result["boxes"][:, 0, 0] == 6, flipped)
    assert torch.equal(flip.inverse(params, result)["image"], batch)
    assert result["labels"] is sample["labels"]
    listed = [tv.BoundingBoxes([[0.0, 0.0, 2.0, 1.0]] * (i % 3), format="XYXY", canvas_size=(1, 8)) for i in range(64)]
    boxes = flip.apply(params, tv.Image(batch), listed)[1]
    assert all(bool((b[:, 0] == 6).all()) for b, f in zip(boxes, flipped, strict=True) if f)
    with pytest.raises(ValueError, match="expected a batch of 64"):
        flip.apply(params, batch[:5])
    with pytest.raises(ValueError, match="different shapes"):
        T.RandomShortestSize([2, 4, 8], generator=seeded(), per_sample=True)(torch.zeros(16, 1, 8, 8))
    applied = T.RandomApply([T.RandomCrop(1)], 1.0, per_sample=True, generator=seeded())(batch)
    assert applied.shape == (64, 1, 1, 1)
    assert applied.unique().numel() > 3
    assert T.RandomCrop(1, per_sample=True)(batch[0]).shape == (1, 1, 1)


def test_own_generators_leave_the_global_one_alone() -> None:
    image = noise(3, HEIGHT, WIDTH)
    state = torch.random.get_rng_state()
    for transform in GEOMETRY[:-1]:
        if getattr(transform, "generator", None) is not None:
            transform(image)
    assert torch.equal(torch.random.get_rng_state(), state)
    one, two = (T.RandomRotation(180, generator=seeded(5)) for _ in range(2))
    assert torch.equal(one(image), two(image))
    assert torch.equal(pickle.loads(pickle.dumps(T.Resize(8)))(image), copy.deepcopy(T.Resize(8))(image))


def shift_image(image: Tensor, by: int) -> Tensor:
    """Shift images to the right, around the border."""
    return image.roll(by, -1)


def shift_bounding_boxes(boxes: Tensor, by: int) -> Tensor:
    return boxes + torch.tensor([by, 0, by, 0])


def shift_keypoints(points: Tensor, by: int) -> Tensor:
    return points + torch.tensor([by, 0])


shift = functional(shift_image, mask=mask_kernel(shift_image), boxes=shift_bounding_boxes, keypoints=shift_keypoints)


class RandomShift(T.RandomTransform, operation=shift):
    """What a reader has to write for a transform of all types of inputs."""

    most: int = 8

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"by": self.integer(1, self.most)}

    def inverse_transform(self, inpt: Any, params: dict[str, Any], canvas_size: tuple[int, int]) -> Any:
        return self.call(shift, inpt, -params["by"])


def test_a_new_transform_works_on_everything() -> None:
    transform = RandomShift(1.0, 4, generator=seeded())
    assert repr(transform) == "RandomShift(p=1.0, most=4)"
    sample = typed_sample()
    params = transform.sample(sample)
    moved = transform.apply(params, sample)
    assert [type(moved[key]) for key in sample] == [type(sample[key]) for key in sample]
    assert torch.equal(moved["boxes"][:, 0] - sample["boxes"][:, 0], torch.full((2,), float(params["by"])))
    back = transform.inverse(params, moved)
    for key in ("image", "video", "boxes", "masks", "points"):
        assert torch.equal(back[key], sample[key])
    picture = F.to_pil_image(noise(3, 4, 6))
    assert transform(picture).size == (6, 4)
    assert transform(np.zeros((4, 6, 3), np.uint8)).shape == (4, 6, 3)
    assert transform(torch.zeros(2, 5, 3, 4, 6)).shape == (2, 5, 3, 4, 6)
    with pytest.raises(TypeError, match="shift: expected a tensor"):
        shift("text", 1)


class Depth(tv.TVTensor):
    """A type of a reader's own."""


def test_own_types_pass_until_they_have_a_kernel() -> None:
    depth = torch.arange(3.0).as_subclass(Depth)
    image = tv.Image(noise(3, 4, 3))
    flip = T.RandomHorizontalFlip(1.0)
    assert flip(image, depth)[1] is depth
    with pytest.raises(TypeError, match="Depth"):
        F.horizontal_flip(depth)
    F.register_kernel(F.horizontal_flip, Depth)(lambda inpt: inpt.flip(-1).as_subclass(Depth))
    try:
        assert flip(image, depth)[1].tolist() == [2, 1, 0]
    finally:
        del F.horizontal_flip.kernels[Depth]
    for wrong in ((len, Depth), (F.horizontal_flip, Tensor), (F.horizontal_flip, tv.Image)):
        with pytest.raises(TypeError, match=r"expected|derive"):
            F.register_kernel(*wrong)  # type: ignore[arg-type]


def test_any_nesting() -> None:
    Pair = namedtuple("Pair", ["image", "rest"])
    image = tv.Image(noise(3, 4, 6))
    nested = OrderedDict(pair=Pair(image, [image, (None, {"deep": image})]), text="x")
    flipped = T.RandomHorizontalFlip(1.0)(nested)
    assert isinstance(flipped, OrderedDict)
    assert isinstance(flipped["pair"], Pair)
    for found in (flipped["pair"].image, flipped["pair"].rest[0], flipped["pair"].rest[1][1]["deep"]):
        assert torch.equal(found, image.flip(-1))
    labels = torch.tensor([1, 2])
    out = T.RandomHorizontalFlip(1.0)(labels, image)  # with a typed image, plain tensors are left alone
    assert out[0] is labels
    assert T.RandomHorizontalFlip(1.0)(noise(3, 4, 6), labels)[1] is labels


def test_sanitizing_keeps_what_belongs_together() -> None:
    boxes = tv.BoundingBoxes([[0, 0, 4, 4], [1, 1, 1, 3], [2, 2, 30, 6]], format="XYXY", canvas_size=(8, 8))
    masks, labels = tv.Mask(torch.zeros(3, 8, 8)), torch.tensor([5, 6, 7])
    result = T.SanitizeBoundingBoxes()({"image": noise(3, 8, 8), "b": boxes, "m": masks, "labels": labels})
    assert result["b"].tolist() == [[0, 0, 4, 4]]
    assert result["m"].shape == (1, 8, 8)
    assert result["labels"].tolist() == [5]
    clamped = T.Compose([T.ClampBoundingBoxes(), T.SanitizeBoundingBoxes()])({"b": boxes, "labels": labels})
    assert clamped["labels"].tolist() == [5, 7]
    assert T.SanitizeBoundingBoxes(labels_getter=None)(boxes).shape == (1, 4)
    two = T.SanitizeBoundingBoxes(labels_getter=lambda s: (s["a"], s["c"]))({"b": boxes, "a": labels, "c": labels * 2})
    assert two["c"].tolist() == [10]
    for wrong in ({"b": boxes}, {"labels": labels}, {"b": boxes, "labels": labels[:2]}):
        with pytest.raises(ValueError, match="expected"):
            T.SanitizeBoundingBoxes()(wrong)
    points = tv.KeyPoints([[[1, 1], [2, 2]], [[1, 1], [9, 9]]], canvas_size=(8, 8))
    assert T.SanitizeKeyPoints()(points).shape == (1, 2, 2)
    kept = T.SanitizeKeyPoints("labels")({"k": points, "labels": labels[:2]})
    assert kept["labels"].tolist() == [5]
    assert T.SetClampingMode(None)(boxes).clamping_mode is None
    assert T.ConvertBoundingBoxFormat("xywh")(boxes).format is tv.BoundingBoxFormat.XYWH


def test_iou_crops_keep_the_promised_overlap() -> None:
    image, boxes = noise(3, 40, 40), tv.BoundingBoxes([[5, 5, 25, 30]], format="XYXY", canvas_size=(40, 40))
    crop = T.RandomIoUCrop(sampler_options=[0.5], generator=seeded())
    for _ in range(20):
        params = crop.sample(image, boxes)
        top, left, height, width = (params[name] for name in ("top", "left", "height", "width"))
        inter = max(0, min(25, left + width) - max(5, left)) * max(0, min(30, top + height) - max(5, top))
        assert inter / (20 * 25 + height * width - inter) >= 0.5
        assert 0.5 <= width / height <= 2
    assert T.RandomIoUCrop(sampler_options=[2.0])(image, boxes)[0] is image
    with pytest.raises(TypeError, match="expected"):
        T.RandomIoUCrop()(image)


def test_old_static_params_and_arguments() -> None:
    assert -5 <= T.RandomRotation.get_params([-5, 5]) <= 5
    angle, shift_, scale, shear = T.RandomAffine.get_params([-5, 5], [0.1, 0.1], [1, 2], [1, 2], [50, 40])
    assert abs(angle) <= 5
    assert max(map(abs, shift_)) <= 5
    assert 1 <= scale <= 2
    assert 1 <= shear[0] <= 2
    assert T.RandomCrop.get_params(torch.zeros(3, 8, 8), (8, 8)) == (0, 0, 8, 8)
    assert len(T.RandomResizedCrop.get_params(torch.zeros(3, 8, 8), [0.1, 1.0], [0.7, 1.4])) == 4
    start, end = T.RandomPerspective.get_params(20, 10, 0.5)
    assert start == [[0, 0], [19, 0], [19, 9], [0, 9]]
    assert len(end) == 4
    assert T.ElasticTransform.get_params([50.0, 50.0], [5.0, 5.0], [10, 12]).shape == (1, 10, 12, 2)
    for make in (
        lambda: T.RandomRotation(-3),
        lambda: T.RandomRotation([1, 2, 3]),
        lambda: T.RandomAffine(10, translate=(2, 0)),
        lambda: T.RandomAffine(10, scale=(-1, 2)),
        lambda: T.RandomAffine(10, shear=[1, 2, 3]),
        lambda: T.RandomPerspective(2.0),
        lambda: T.RandomZoomOut(side_range=(0.5, 2)),
        lambda: T.RandomResize(3, 3),
        lambda: T.ConvertBoundingBoxFormat("x"),
        lambda: T.ClampBoundingBoxes("x"),
        lambda: T.SetClampingMode("auto"),  # type: ignore[arg-type]
        lambda: T.SanitizeBoundingBoxes(min_size=0.5),
        lambda: T.SanitizeBoundingBoxes(labels_getter=3),  # type: ignore[arg-type]
    ):
        with pytest.raises(ValueError, match="expected"):
            make()
    with pytest.raises(TypeError, match="several images"):
        T.FiveCrop(3)(noise(3, 8, 8), tv.Mask(noise(8, 8)))
    assert [part.shape for part in T.TenCrop(3)(noise(3, 8, 8))] == [(3, 3, 3)] * 10
    assert T.RandomPerspective(p=1.0)(noise(3, 4, 4)).shape == (3, 4, 4)


@pytest.mark.usefixtures("typed_graphs")
@pytest.mark.parametrize("kind", ["typed", "keyed"])
def test_one_graph_for_samples(kind: str) -> None:
    sample = {"typed": typed_sample, "keyed": keyed_sample}[kind]()
    del sample["name"]
    chain = T.Compose([T.Resize((20, 24)), T.CenterCrop(16), T.Pad(2)])
    torch._dynamo.reset()
    result = torch.compile(lambda s: chain(s), fullgraph=True, backend="eager")(sample)
    expected = chain(sample)
    for key, value in expected.items():
        assert type(result[key]) is type(value)
        assert torch.equal(result[key], value)
    turn = T.RandomRotation(30, generator=seeded())
    params = turn.sample(sample)
    torch._dynamo.reset()
    result = torch.compile(lambda s: turn.apply(params, s), fullgraph=True, backend="eager")(sample)
    torch.testing.assert_close(result["boxes"], turn.apply(params, sample)["boxes"])


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16, torch.float16])
def test_per_sample_of_every_dtype(dtype: torch.dtype) -> None:
    batch = noise(9, 3, 5, 6).to(dtype)
    flipped = T.RandomHorizontalFlip(0.5, per_sample=True, generator=seeded(1))(batch)
    assert flipped.dtype == dtype
    same = [torch.equal(flipped[n].int(), batch[n].int()) for n in range(9)]
    mirrored = [torch.equal(flipped[n].int(), batch[n].int().flip(-1)) for n in range(9)]
    assert all(one != other for one, other in zip(same, mirrored, strict=True))
    assert any(same)
    assert any(mirrored)


@pytest.mark.parametrize("side", [6, 160])
@pytest.mark.parametrize("kind", ["flip", "invert", "gray", "turn", "crop", "all"])
def test_per_sample_does_to_each_what_a_call_does(kind: str, side: int) -> None:
    make: dict[str, Any] = {
        "flip": lambda **more: T.RandomHorizontalFlip(0.5, **more),
        "invert": lambda **more: T.RandomInvert(0.5, **more),
        "gray": lambda **more: T.RandomGrayscale(0.5, **more),
        "turn": lambda **more: T.RandomRotation(30, **more),
        "crop": lambda **more: T.RandomCrop(4, **more),
        "all": lambda **more: T.RandomVerticalFlip(1.0, **more),
    }
    batch, masks = noise(7, 3, side, side), noise(7, side, side)
    points = torch.rand(7, 2, 2) * side
    sample = {"image": tv.Image(batch), "masks": tv.Mask(masks), "k": tv.KeyPoints(points, canvas_size=(side, side))}
    boxes = [tv.BoundingBoxes([[0.0, 1, 2, 3 + n]], format="XYXY", canvas_size=(side, side)) for n in range(7)]
    result = make[kind](per_sample=True, generator=seeded(3))(sample, boxes)
    generator = seeded(3)
    for number in range(7):
        own = {
            "image": tv.Image(batch[number]),
            "masks": tv.Mask(masks[number]),
            "k": tv.KeyPoints(points[number], canvas_size=(side, side)),
        }
        expected = make[kind](generator=generator)(own, boxes[number])
        for key, value in expected[0].items():
            assert torch.equal(result[0][key][number], value), (key, number)
            assert type(result[0][key]) is type(value)
        assert torch.equal(result[1][number], expected[1])
        assert result[1][number].canvas_size == expected[1].canvas_size
    drawn = make[kind](per_sample=True, generator=seeded(3)).sample(sample, boxes)
    replayed = make[kind](per_sample=True).apply(drawn, sample, boxes)
    assert torch.equal(replayed[0]["image"], result[0]["image"])
