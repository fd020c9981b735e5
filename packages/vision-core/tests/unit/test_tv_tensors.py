from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image as PILImage
from torch import Tensor
from torch.utils.data import DataLoader

from vision_core import tv_tensors as tv


def boxes(**kwargs: object) -> tv.BoundingBoxes:
    given = {"format": "XYXY", "canvas_size": (8, 10), **kwargs}
    return tv.BoundingBoxes([[1.0, 2.0, 5.0, 6.0]], **given)  # type: ignore[arg-type]


ALL = [
    tv.Image(torch.zeros(3, 4, 5)),
    tv.Video(torch.zeros(2, 3, 4, 5)),
    tv.Mask(torch.zeros(4, 5)),
    boxes(clamping_mode="hard"),
    tv.KeyPoints([[1.0, 2.0]], canvas_size=(8, 10)),
]
KEEPING: list[Callable[[Tensor], Tensor]] = [
    lambda x: x.clone(),
    lambda x: x.to(torch.float64),
    lambda x: x.detach(),
    lambda x: x.clone().requires_grad_(),
    copy.copy,
    copy.deepcopy,
    lambda x: pickle.loads(pickle.dumps(x)),
    lambda x: copy.deepcopy(x.clone().requires_grad_()),
]


@pytest.mark.parametrize("typed", ALL, ids=lambda x: type(x).__name__)
def test_copies_keep_the_type_and_operators_do_not(typed: tv.TVTensor) -> None:
    for keep in KEEPING:
        kept = keep(typed)
        assert type(kept) is type(typed)
        assert vars(kept) == vars(typed)
        assert torch.equal(kept.to(torch.float32), typed)
    for leave in (lambda x: x + 1, lambda x: x[0], lambda x: x.double(), lambda x: torch.stack([x, x])):
        assert type(leave(typed)) is Tensor
    assert isinstance(typed.numpy(), np.ndarray)
    assert copy.deepcopy(typed.clone().requires_grad_()).requires_grad
    wrapped = tv.wrap(torch.zeros_like(typed), like=typed)
    assert type(wrapped) is type(typed)
    assert vars(wrapped) == vars(typed)
    assert type(typed).__name__ in repr(typed)


def test_gradients_reach_the_leaf() -> None:
    image = tv.Image(torch.ones(1, 2, 2)).requires_grad_()
    (image * 3).sum().backward()
    assert image.grad is not None
    assert image.grad.unique().tolist() == [3]


def test_return_type_can_be_set_and_comes_back() -> None:
    image = tv.Image(torch.zeros(3, 4, 5))
    with tv.set_return_type("TVTensor"):
        assert type(image + 1) is tv.Image
        assert [type(part) for part in image.unbind(0)] == [tv.Image] * 3
        assert type(torch.stack([image, image])) is tv.Image
        assert (boxes() * 2).canvas_size == (8, 10)
        assert image.shape == (3, 4, 5)
        with tv.set_return_type("Tensor"):
            assert type(image + 1) is Tensor
        assert type(image + 1) is tv.Image
    assert type(image + 1) is Tensor
    with pytest.raises(ValueError, match="return_type"):
        tv.set_return_type("Image")


def test_shapes_are_checked() -> None:
    assert tv.Image(torch.zeros(4, 5)).shape == (1, 4, 5)
    assert tv.Image(PILImage.new("RGB", (5, 4))).shape == (3, 4, 5)
    assert tv.Mask(PILImage.new("L", (5, 4))).shape == (1, 4, 5)
    assert boxes().format is tv.BoundingBoxFormat.XYXY
    assert tv.BoundingBoxes([], format="cxcywhr", canvas_size=(8, 8)).shape == (0, 5)
    assert tv.BoundingBoxes([1, 2, 3, 4], format="xywh", canvas_size=(8, 8)).shape == (1, 4)
    assert tv.KeyPoints(torch.zeros(2, 17, 3), canvas_size=(8, 8)).shape == (2, 17, 3)
    wrong: list[Callable[[], Tensor]] = [
        lambda: tv.Image(torch.zeros(4)),
        lambda: tv.Video(torch.zeros(3, 4, 5)),
        lambda: tv.BoundingBoxes(torch.zeros(2, 5), format="XYXY", canvas_size=(8, 8)),
        lambda: tv.BoundingBoxes(torch.zeros(2, 3, 4), format="XYXY", canvas_size=(8, 8)),
        lambda: tv.BoundingBoxes(torch.zeros(2, 4), format="LTRB", canvas_size=(8, 8)),
        lambda: tv.BoundingBoxes(torch.zeros(2, 4), format="XYXY", canvas_size=(8, 8), clamping_mode="all"),  # type: ignore[arg-type]
        lambda: tv.KeyPoints(torch.zeros(2, 4), canvas_size=(8, 8)),
    ]
    for make in wrong:
        with pytest.raises(ValueError, match="expected"):
            make()
    with pytest.raises(TypeError, match="expected"):
        tv.wrap(torch.zeros(1, 4), like=boxes(), size=(1, 1))
    assert tv.wrap(torch.zeros(1, 4), like=boxes(), format="xywh").format is tv.BoundingBoxFormat.XYWH
    assert [f.name for f in tv.BoundingBoxFormat if tv.is_rotated_bounding_format(f)] == [
        "XYWHR",
        "CXCYWHR",
        "XYXYXYXY",
    ]


def _sample(index: int) -> dict[str, Tensor]:
    return {"image": tv.Image(torch.full((3, 4, 5), float(index))), "boxes": boxes()}


class _Samples(torch.utils.data.Dataset):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return _sample(index)


@pytest.mark.parametrize("workers", [0, 1])
def test_loaders_collate_and_hand_over(workers: int) -> None:
    batch = next(iter(DataLoader(_Samples(), batch_size=4, num_workers=workers)))
    assert batch["image"].shape == (4, 3, 4, 5)
    assert batch["image"][:, 0, 0, 0].tolist() == [0, 1, 2, 3]
    assert batch["boxes"].shape == (4, 1, 4)
    listed = next(iter(DataLoader(_Samples(), batch_size=2, num_workers=workers, collate_fn=list)))
    assert type(listed[1]["boxes"]) is tv.BoundingBoxes
    assert listed[1]["boxes"].canvas_size == (8, 10)


@pytest.mark.usefixtures("typed_graphs")
def test_typed_tensors_in_one_graph() -> None:
    def halve(image: tv.Image, found: tv.BoundingBoxes) -> tuple[Tensor, Tensor]:
        small = tv.wrap(image[..., ::2, ::2], like=image)
        size = (found.canvas_size[0] // 2, found.canvas_size[1] // 2)
        return small, tv.wrap(found / 2, like=found, canvas_size=size)

    compiled = torch.compile(halve, fullgraph=True, backend="eager")
    image, found = compiled(tv.Image(torch.zeros(3, 8, 10)), boxes())
    assert type(image) is tv.Image
    assert type(found) is tv.BoundingBoxes
    assert found.canvas_size == (4, 5)
    assert found.format is tv.BoundingBoxFormat.XYXY
