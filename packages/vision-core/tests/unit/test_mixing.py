"""Transforms that combine the pictures of a batch: MixUp, CutMix, Mosaic, SimpleCopyPaste; and keypoint swaps."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import torch
from PIL import Image as PILImage
from torch import Tensor

from vision_core import transforms as T
from vision_core.tv_tensors import BoundingBoxes, Image, KeyPoints, Mask, Video

CLASSES = 4


def seeded(number: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(number)


def pictures(count: int = 4, height: int = 24, width: int = 32) -> tuple[Tensor, list[dict[str, Any]]]:
    """Pictures whose pixels say what they belong to: the background is the picture's number, objects are 10 + label."""
    images = torch.arange(count).view(count, 1, 1, 1).expand(count, 3, height, width).clone().float()
    targets = []
    for number in range(count):
        boxes = torch.tensor([[2 + number, 3, 10 + number, 11], [18, 12, 28, 22 - number]]).float()
        masks = torch.zeros(2, height, width, dtype=torch.bool)
        for mask, (x1, y1, x2, y2) in zip(masks, boxes.int().tolist(), strict=True):
            mask[y1:y2, x1:x2] = True
        labels = torch.tensor([2 * number, 2 * number + 1])
        for mask, label in zip(masks, labels.tolist(), strict=True):
            images[number, :, mask] = 10.0 + label
        points = torch.stack([boxes[:, :2], (boxes[:, :2] + boxes[:, 2:]) / 2], 1)  # (2, 2, 2)
        points = torch.cat([points, torch.ones(2, 2, 1)], -1)
        targets.append(
            {"boxes": boxes, "masks": masks, "labels": labels, "keypoints": points, "image_id": torch.tensor([number])}
        )
    return images, targets


def as_dicts(images: Tensor, targets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"image": image, **target} for image, target in zip(images, targets, strict=True)]


def assert_objects_are_where_their_pixels_are(image: Tensor, target: dict[str, Any]) -> None:
    """Every mask covers exactly the pixels of its label, and its box lies around them."""
    for mask, box, label in zip(target["masks"], target["boxes"], target["labels"].tolist(), strict=True):
        assert mask.any()
        assert (image[0, mask] == 10.0 + label).all()
        ys, xs = mask.nonzero().unbind(1)
        assert box[0] <= xs.min() + 1e-3
        assert box[1] <= ys.min() + 1e-3
        assert box[2] >= xs.max() + 1 - 1e-3
        assert box[3] >= ys.max() + 1 - 1e-3


@pytest.mark.parametrize("kind", [T.MixUp, T.CutMix])
def test_labels_are_mixed_as_the_pixels_are(kind: Any) -> None:
    images = torch.stack([torch.full((3, 16, 20), float(number)) for number in range(5)])
    labels = torch.tensor([0, 1, 2, 3, 0])
    for per_sample in (False, True):
        mix = kind(num_classes=CLASSES, generator=seeded(3), per_sample=per_sample)
        for _ in range(10):
            mixed, shares = mix(images, labels)
            assert shares.shape == (5, CLASSES)
            torch.testing.assert_close(shares.sum(1), torch.ones(5))
            for number in range(5):
                before = (number - 1) % 5
                share = shares[number, labels[number]]
                if labels[number] == labels[before]:
                    continue
                expected = share * number + (1 - share) * before
                torch.testing.assert_close(mixed[number].mean(), expected, atol=1e-4, rtol=1e-4)
        drawn = [mix.sample(images, labels) for _ in range(3)]
        assert isinstance(drawn[0], list) == per_sample
    params = mix.sample(images, labels)
    again = pickle.loads(pickle.dumps(mix)).apply(pickle.loads(pickle.dumps(params)), images, labels)
    assert all(torch.equal(a, b) for a, b in zip(mix.apply(params, images, labels), again, strict=True))
    with pytest.raises(TypeError, match="apart"):
        mix.inverse(params, images)


@pytest.mark.parametrize("kind", [T.MixUp, T.CutMix])
def test_what_batches_may_look_like(kind: Any) -> None:
    images, numbers = torch.rand(3, 3, 8, 8), torch.tensor([0, 1, 2])
    shares = torch.nn.functional.one_hot(numbers, CLASSES).float()
    outputs = []
    for inputs, options in (
        ((images, numbers), {}),
        ((images, shares), {}),
        (({"image": images, "labels": numbers},), {}),
        (({"picture": images, "my_label": numbers},), {}),
        (((images, {"kind": numbers}),), {"labels_getter": "kind"}),
        ((images, None, numbers), {"labels_getter": lambda inputs: inputs[2]}),
        ((Image(images), numbers), {}),
    ):
        out = kind(num_classes=CLASSES, generator=seeded(1), **options)(*inputs)
        flat = torch.utils._pytree.tree_leaves(out)
        outputs.append([leaf.as_subclass(Tensor) for leaf in flat if isinstance(leaf, Tensor)])
    for output in outputs[1:]:
        assert all(torch.equal(a, b) for a, b in zip(output, outputs[0], strict=True))
    video, _ = kind(num_classes=CLASSES)(Video(torch.rand(2, 4, 3, 8, 8)), torch.tensor([0, 1]))
    assert isinstance(video, Video)
    whole = kind(num_classes=CLASSES)((images * 255).to(torch.uint8), numbers)[0]
    assert whole.dtype == torch.uint8


@pytest.mark.parametrize(
    ("inputs", "options", "text"),
    [
        ((torch.rand(2, 3, 4, 4), torch.tensor([0, 1])), {}, "num_classes"),
        ((torch.rand(3, 4, 4), torch.tensor([0])), {"num_classes": 2}, "4 dimensions"),
        ((torch.rand(2, 3, 4, 4),), {"num_classes": 2}, "labels"),
        ((torch.rand(2, 3, 4, 4), torch.tensor([0, 1, 1])), {"num_classes": 2}, "one for each of 2"),
        ((torch.rand(2, 3, 4, 4), torch.rand(2, 3)), {"num_classes": 2}, r"\[B, 2\]"),
        ((torch.rand(2, 3, 4, 4), "a"), {"num_classes": 2}, "labels"),
        ((PILImage.new("RGB", (4, 4)), torch.tensor([0])), {"num_classes": 2}, "ToImage"),
        (({"image": torch.rand(2, 3, 4, 4)},), {"num_classes": 2}, "label"),
    ],
)
@pytest.mark.parametrize("kind", [T.MixUp, T.CutMix])
def test_refusals(kind: Any, inputs: tuple[Any, ...], options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        kind(**options)(*inputs)
    with pytest.raises(ValueError, match="alpha"):
        kind(alpha=0.0)


def test_maps_of_classes_are_pasted_and_blended() -> None:
    images = torch.rand(3, 3, 8, 8, generator=seeded())
    maps = torch.arange(3).view(3, 1, 1).expand(3, 8, 8)
    cut = T.CutMix(labels_getter=None, generator=seeded(2))
    params = cut.sample(Image(images), Mask(maps))
    mixed, pasted = cut.apply(params, Image(images), Mask(maps))
    left, top, right, bottom = params["box"]
    inside = torch.zeros(8, 8, dtype=torch.bool)
    inside[top:bottom, left:right] = True
    assert isinstance(pasted, Mask)
    assert torch.equal(pasted.as_subclass(Tensor), torch.where(inside, maps.roll(1, 0), maps))
    assert torch.equal(mixed.as_subclass(Tensor), torch.where(inside, images.roll(1, 0), images))
    up = T.MixUp(num_classes=3, labels_getter=None, generator=seeded(2))
    params = up.sample(Image(images), Mask(maps))
    _, shares = up.apply(params, Image(images), Mask(maps))
    assert shares.shape == (3, 3, 8, 8)
    torch.testing.assert_close(shares[1, 1, 0, 0].item(), params["share"])
    torch.testing.assert_close(shares.sum(1).as_subclass(Tensor), torch.ones(3, 8, 8))
    with pytest.raises(ValueError, match="num_classes"):
        T.MixUp(labels_getter=None)(Image(images), Mask(maps))


def test_mixup_keeps_the_objects_of_both_pictures() -> None:
    images, targets = pictures()
    mix = T.MixUp(generator=seeded(1), per_sample=True)
    params = mix.sample(images, targets)
    mixed, joined = mix.apply(params, images, targets)
    for number, (target, own) in enumerate(zip(joined, params, strict=True)):
        other = targets[number - 1]
        assert torch.equal(target["labels"], torch.cat([targets[number]["labels"], other["labels"]]))
        assert torch.equal(target["boxes"], torch.cat([targets[number]["boxes"], other["boxes"]]))
        assert target["masks"].shape[0] == target["keypoints"].shape[0] == 4
        share = own["share"]
        torch.testing.assert_close(target["weights"], torch.tensor([share, share, 1 - share, 1 - share]))
        assert target["image_id"].tolist() == [number]
        torch.testing.assert_close(mixed[number], share * images[number] + (1 - share) * images[number - 1])
    twice = mix.apply(params, mixed, joined)[1][0]
    assert twice["weights"].shape == (8,)


@pytest.mark.parametrize("per_sample", [False, True])
def test_cutmix_cuts_objects_as_it_cuts_pixels(per_sample: bool) -> None:
    images, targets = pictures()
    cut = T.CutMix(generator=seeded(4), per_sample=per_sample, min_visible=0.2)
    dropped = 0
    for _ in range(25):
        params = cut.sample(images, targets)
        mixed, joined = cut.apply(params, images, targets)
        for number, target in enumerate(joined):
            assert_objects_are_where_their_pixels_are(mixed[number], target)
            left, top, right, bottom = (params[number] if per_sample else params)["box"]
            x, y, seen = target["keypoints"].unbind(-1)
            inside = (x >= left) & (x < right) & (y >= top) & (y < bottom)
            own = target["labels"] // 2 == number
            assert torch.equal(seen.bool(), torch.where(own[:, None], ~inside, inside))
            dropped += 4 - len(target["labels"])
    assert dropped > 0
    plain = [{"boxes": t["boxes"], "labels": t["labels"]} for t in targets]
    full = {"box": (0, 0, 32, 24), "share": 0.0}
    assert [t["labels"].tolist() for t in cut.apply(full, images, plain)[1]] == [[6, 7], [0, 1], [2, 3], [4, 5]]
    half = {"box": (0, 0, 6, 24), "share": 0.0}
    first = cut.apply(half, images, plain)[1][0]
    assert first["boxes"].tolist() == [[6, 3, 10, 11], [18, 12, 28, 22], [5, 3, 6, 11]][: len(first["boxes"])]


FORMS = ["columns", "list of images", "pairs", "dicts", "typed"]


def in_form(form: str) -> tuple[Any, ...]:
    images, targets = pictures()
    if form == "columns":
        return images, targets
    if form == "list of images":
        return list(images), targets
    if form == "pairs":
        return (list(zip(images, targets, strict=True)),)
    if form == "dicts":
        return (as_dicts(images, targets),)
    size = (24, 32)
    typed = []
    for target in targets:
        boxes = target["boxes"].clone()
        boxes[:, 2:] -= boxes[:, :2]
        typed.append(
            {
                **target,
                "boxes": BoundingBoxes(boxes, format="XYWH", canvas_size=size),
                "masks": Mask(target["masks"]),
                "keypoints": KeyPoints(target["keypoints"], canvas_size=size),
            }
        )
    return (as_dicts([Image(image) for image in images], typed),)  # type: ignore[arg-type]


def columns_of(output: Any) -> tuple[list[Tensor], list[dict[str, Any]]]:
    if isinstance(output, tuple):
        return list(output[0]), output[1]
    if isinstance(output[0], dict):
        return [s["image"] for s in output], output
    return [image for image, _ in output], [target for _, target in output]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "make",
    [
        lambda: T.CutMix(generator=seeded(5)),
        lambda: T.MixUp(generator=seeded(5)),
        lambda: T.Mosaic(generator=seeded(5)),
        lambda: T.SimpleCopyPaste(generator=seeded(5)),
    ],
)
def test_batches_come_back_in_their_form(form: str, make: Any) -> None:
    inputs = in_form(form)
    output = make()(*inputs)
    images, targets = columns_of(output)
    expected_images, expected = columns_of(make()(*in_form("columns")))
    for number in range(4):
        assert torch.equal(images[number].as_subclass(Tensor), expected_images[number])
        assert torch.equal(targets[number]["labels"], expected[number]["labels"])
        boxes = targets[number]["boxes"]
        if form == "typed":
            assert isinstance(images[number], Image)
            assert isinstance(targets[number]["masks"], Mask)
            assert isinstance(targets[number]["keypoints"], KeyPoints)
            assert boxes.format.name == "XYWH"
            boxes = boxes.as_subclass(Tensor).clone()
            boxes[:, 2:] += boxes[:, :2]
        torch.testing.assert_close(boxes, expected[number]["boxes"])
    if form == "columns":
        assert isinstance(output[0], Tensor)


def test_mosaic_puts_four_pictures_around_a_point() -> None:
    images, targets = pictures()
    mosaic = T.Mosaic(size=(48, 64), fill=99.0, min_visible=0.0, generator=seeded(6))
    for _ in range(8):
        params = mosaic.sample(images, targets)
        made, joined = mosaic.apply(params, images, targets)
        assert made.shape == (4, 3, 48, 64)
        for number, (own, target) in enumerate(zip(params, joined, strict=True)):
            assert number in own["sources"]
            y, x = round(own["center"][0] * 48), round(own["center"][1] * 64)
            corners = [(y - 1, x - 1), (y - 1, x), (y, x - 1), (y, x)]
            for (row, column), source in zip(corners, own["sources"], strict=True):
                around = made[number, 0, row, column].item()
                assert around == source or around >= 10 or around != round(around)
            assert torch.equal(target["image_id"], targets[number]["image_id"])
            for box, mask, label in zip(target["boxes"], target["masks"], target["labels"].tolist(), strict=True):
                x1, y1, x2, y2 = box.round().int().tolist()
                assert 0 <= x1 <= x2 <= 64
                assert 0 <= y1 <= y2 <= 48
                middle = made[number, 0, (y1 + y2) // 2, (x1 + x2) // 2]
                if x2 - x1 > 3 and y2 - y1 > 3:
                    assert abs(middle - 10 - label) < 2
                    assert mask[(y1 + y2) // 2, (x1 + x2) // 2]
    exact = T.Mosaic(size=(48, 64), center=(0.5, 0.5), zoom=(1.0, 1.0))
    whole = {"sources": [0, 1, 2, 3], "center": (0.5, 0.5), "zoom": [1.0] * 4}
    made, joined = exact.apply([whole, None, None, None], images, targets)
    assert torch.equal(made[0, :, :24, :32], images[0])
    assert torch.equal(made[0, :, 24:, 32:], images[3])
    assert joined[0]["labels"].tolist() == list(range(8))
    assert_objects_are_where_their_pixels_are(made[0], joined[0])
    assert joined[0]["boxes"][2].tolist() == [35, 3, 43, 11]
    assert joined[0]["keypoints"][6, 0].tolist() == [37, 27, 1]
    assert joined[1]["labels"].tolist() == [2, 3]  # not made a mosaic, only resized
    assert torch.equal(joined[1]["boxes"], targets[1]["boxes"] * 2)


def test_mosaic_of_pictures_of_different_sizes_and_maps() -> None:
    samples = [
        {
            "image": torch.full((3, 10 + 4 * i, 20 - 3 * i), i, dtype=torch.uint8),
            "mask": torch.full((10 + 4 * i, 20 - 3 * i), i),
        }
        for i in range(3)
    ]
    made = T.Mosaic(size=32, mask_fill=255, fill=7, generator=seeded())(samples)
    for sample in made:
        assert sample["image"].shape == (3, 32, 32)
        assert sample["mask"].shape == (32, 32)
        known = sample["mask"] != 255
        assert torch.equal(sample["image"][0][known].long(), sample["mask"][known])
        assert (sample["image"][0][~known] == 7).all()
    with pytest.raises(ValueError, match="batch of pictures"):
        T.Mosaic()(torch.rand(3, 4, 4))
    for bad in ({"center": (0.8, 0.2)}, {"zoom": (0.0, 1.0)}, {"p": 2.0}):
        with pytest.raises(ValueError, match=r"expected"):
            T.Mosaic(**bad)


def test_copy_paste_pastes_whole_objects() -> None:
    images, targets = pictures()
    paste = T.SimpleCopyPaste(blending=False, p=1.0, min_visible=0.0, generator=seeded(1))
    for _ in range(10):
        params = paste.sample(images, targets)
        made, joined = paste.apply(params, images, targets)
        for number, target in enumerate(joined):
            assert_objects_are_where_their_pixels_are(made[number], target)
            pasted = [label for label in target["labels"].tolist() if label // 2 != number]
            assert pasted == [targets[number - 1]["labels"][i].item() for i in params[number]]
    soft = T.SimpleCopyPaste(blending=True, p=1.0).apply(params, images, targets)[0]
    assert not torch.equal(soft, made)
    none = T.SimpleCopyPaste(p=0.0)(images, targets)
    assert torch.equal(none[0], images)
    with pytest.raises(ValueError, match="masks"):
        T.SimpleCopyPaste()(images, [{"labels": torch.tensor([1])}] * 4)
    smaller = as_dicts(images, targets)
    smaller[0] = {
        "image": images[0][:, :12, :16],
        **{k: v for k, v in targets[0].items() if k != "masks"},
        "masks": targets[0]["masks"][:, :12, :16],
    }
    assert T.SimpleCopyPaste(p=1.0)(smaller)[1]["image"].shape == (3, 24, 32)


@pytest.mark.parametrize("make", [T.Mosaic, T.SimpleCopyPaste, T.MixUp, T.CutMix])
def test_own_generators_and_pickling(make: Any) -> None:
    images, targets = pictures()
    state = torch.get_rng_state()
    first = make(generator=seeded(9))(images, targets)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(make(generator=seeded(9))(images, targets)[0], first[0])
    transform = pickle.loads(pickle.dumps(make()))
    params = transform.sample(images, targets)
    again = pickle.loads(pickle.dumps(params))
    once, twice = transform.apply(params, images, targets), transform.apply(again, images, targets)
    assert torch.equal(once[0], twice[0])
    with pytest.raises(TypeError, match=make.__name__):
        transform.inverse(params, images, targets)


def test_pictures_without_objects() -> None:
    images, targets = pictures(2)
    empty = {
        "boxes": torch.zeros(0, 4),
        "masks": torch.zeros(0, 24, 32, dtype=torch.bool),
        "labels": torch.zeros(0, dtype=torch.long),
        "keypoints": torch.zeros(0, 2, 3),
        "image_id": torch.tensor([7]),
    }
    for transform in (T.Mosaic(), T.SimpleCopyPaste(p=1.0), T.MixUp(), T.CutMix()):
        for some in ([empty, empty], [targets[0], empty]):
            _, joined = transform(images, some)
            for target in joined:
                count = len(target["labels"])
                assert target["boxes"].shape == (count, 4)
                assert target["masks"].shape[0] == target["keypoints"].shape[0] == count
    with pytest.raises(ValueError, match="one size"):
        T.CutMix()([images[0], images[1][:, :10]], [empty, empty])


def test_left_and_right_keypoints_change_places_with_the_flip() -> None:
    points = torch.rand(5, 17, 3, generator=seeded()) * 20
    swapped = T.swap_keypoints(points)
    assert torch.equal(swapped[:, 0], points[:, 0])
    assert torch.equal(swapped[:, 5], points[:, 6])
    assert torch.equal(T.swap_keypoints(swapped), points)
    sample = {"image": torch.rand(3, 20, 30), "keypoints": points, "label": 1}
    flip = T.RandomHorizontalFlipKeypoints(p=1.0)
    flipped = flip(sample)
    assert torch.equal(flipped["image"], sample["image"].flip(-1))
    mirrored = T.RandomHorizontalFlip(p=1.0)(sample)["keypoints"]
    assert torch.equal(flipped["keypoints"], T.swap_keypoints(mirrored))
    assert not torch.equal(mirrored[..., 0], points[..., 0])
    params = flip.sample(sample)
    back = flip.inverse(params, flip.apply(params, sample))
    torch.testing.assert_close(back["keypoints"], points)
    assert torch.equal(back["image"], sample["image"])
    assert torch.equal(T.RandomHorizontalFlipKeypoints(p=0.0)(sample)["keypoints"], points)
    for bad in ([(0, 17)], [(0, 1), (1, 2)]):
        with pytest.raises(ValueError, match="pairs"):
            T.swap_keypoints(points, bad)
