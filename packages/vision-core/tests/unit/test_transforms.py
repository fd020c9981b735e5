from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vision_core import transforms as T
from vision_core.transforms import functional as F


def noise(*shape: int) -> Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


EVERY = [
    T.Resize(20),
    T.Resize((10, 12), "bicubic"),
    T.CenterCrop((10, 12)),
    T.Pad([1, 2]),
    T.RandomCrop(16, padding=2),
    T.RandomResizedCrop(16),
    T.RandomHorizontalFlip(1.0),
    T.RandomVerticalFlip(1.0),
    T.ToImage(),
    T.PILToTensor(),
    T.ToPILImage(),
    T.Identity(),
    T.Compose([T.Resize(20), T.ToImage()]),
    T.RandomApply([T.Identity()], 0.5),
    T.RandomChoice([T.Identity(), T.Resize(20)]),
    T.RandomOrder([T.Identity(), T.Resize(20)]),
]


@pytest.mark.parametrize("transform", EVERY, ids=repr)
def test_every_transform_takes_both_kinds_and_any_nesting(transform: nn.Module) -> None:
    tensor, picture = noise(3, 40, 50), F.to_pil_image(noise(3, 40, 50))
    for image in (tensor, picture):
        sample = {"image": image, "label": 7, "more": [None, "text", (1.5,)]}
        torch.manual_seed(3)
        alone = transform(image)
        torch.manual_seed(3)
        result = transform(sample)
        assert result["label"] == 7
        assert result["more"] == [None, "text", (1.5,)]
        assert torch.equal(F.to_image(result["image"]), F.to_image(alone))
        torch.manual_seed(3)
        first, second = transform(image, 5)
        assert second == 5
        assert torch.equal(F.to_image(first), F.to_image(alone))
    torch.manual_seed(3)
    a = transform(tensor)
    torch.manual_seed(3)
    b = pickle.loads(pickle.dumps(copy.deepcopy(transform)))(tensor)
    assert torch.equal(F.to_image(a), F.to_image(b))


def test_only_the_first_tensor_is_the_image() -> None:
    image, label = noise(3, 8, 8), torch.tensor([3])
    flipped, same = T.RandomHorizontalFlip(1.0)(image, label)
    assert torch.equal(flipped, image.flip(-1))
    assert same is label
    picture, same = T.RandomHorizontalFlip(1.0)(F.to_pil_image(image), label)
    assert same is label
    assert torch.equal(F.to_image(picture), image.flip(-1))


def test_one_draw_for_all_images_of_a_call() -> None:
    pictures = [F.to_pil_image(noise(3, 40, 50)) for _ in range(2)]
    for transform in (T.RandomCrop(16), T.RandomResizedCrop(8)):
        first, second = transform(*pictures)
        assert torch.equal(F.to_image(first), F.to_image(second))


def test_own_transforms_by_fields_or_by_init() -> None:
    class Gain(T.Transform):
        factor: float
        offset: float = 0.0

        def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
            return inpt * self.factor + self.offset

    class Noisy(T.Transform):
        def __init__(self, strength: float) -> None:
            super().__init__()
            self.strength = strength

        def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
            return {"noise": self.strength * len(flat_inputs)}

        def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
            return inpt + params["noise"]

    class Holder(T.Transform):
        inner: nn.Module

        def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
            return self.inner(inpt)

    assert Gain(2.0, offset=1.0)(torch.ones(1)).item() == 3
    assert repr(Gain(2.0)) == "Gain(factor=2.0, offset=0.0)"
    assert Noisy(0.5)(torch.ones(1)).item() == 1.5
    holder = Holder(nn.BatchNorm1d(2))
    assert "inner.weight" in holder.state_dict()
    with pytest.raises(TypeError):
        Gain()  # type: ignore[call-arg]


def test_random_crop_reaches_every_place_and_nothing_else() -> None:
    image = torch.arange(12).view(1, 3, 4)
    crop = T.RandomCrop(2, generator=seeded())
    seen = {int(crop(image)[0, 0, 0]) for _ in range(200)}
    assert seen == {0, 1, 2, 4, 5, 6}


def test_random_crop_pads() -> None:
    image = noise(3, 6, 7)
    assert T.RandomCrop(10, pad_if_needed=True, generator=seeded())(image).shape == (3, 10, 10)
    assert T.RandomCrop((6, 9), padding=(1, 0), generator=seeded())(image).shape == (3, 6, 9)
    white = T.RandomCrop(30, pad_if_needed=True, fill=255, generator=seeded())(image * 0)
    assert sorted(white.unique().tolist()) == [0, 255]
    with pytest.raises(ValueError, match="pad_if_needed"):
        T.RandomCrop(10)(image)


def test_random_resized_crop_stays_in_its_bounds() -> None:
    crop = T.RandomResizedCrop(8, scale=(0.2, 0.5), ratio=(0.5, 2.0), generator=seeded())
    image = torch.zeros(1, 100, 120)
    for _ in range(200):
        params = crop.make_params([image])
        height, width = params["height"], params["width"]
        assert 0 <= params["top"] <= 100 - height
        assert 0 <= params["left"] <= 120 - width
        assert 0.19 <= height * width / 12000 <= 0.51
        assert 0.48 <= width / height <= 2.05


@pytest.mark.parametrize(("shape", "expected"), [((10, 1000), (10, 13)), ((1000, 10), (13, 10))])
def test_random_resized_crop_of_odd_images(shape: tuple[int, int], expected: tuple[int, int]) -> None:
    params = T.RandomResizedCrop(8, scale=(1.0, 1.0), generator=seeded()).make_params([torch.zeros(1, *shape)])
    assert (params["height"], params["width"]) == expected
    assert params["top"] == (shape[0] - expected[0]) // 2


def test_probabilities_and_own_generators() -> None:
    image = torch.tensor([[[0.0, 1.0]]])
    flip = T.RandomHorizontalFlip(0.25, generator=seeded())
    state = torch.random.get_rng_state()
    flipped = sum(float(flip(image)[0, 0, 0]) for _ in range(2000))
    assert 400 < flipped < 600  # 25 % with six standard deviations
    assert torch.equal(torch.random.get_rng_state(), state)  # the global generator is left alone
    again = T.RandomHorizontalFlip(0.25, generator=seeded())
    assert sum(float(again(image)[0, 0, 0]) for _ in range(2000)) == flipped
    applied = T.RandomApply([T.Lambda(lambda x: x + 1)], 0.5, generator=seeded())
    assert 800 < sum(float(applied(torch.zeros(1))) for _ in range(2000)) < 1200
    choice = T.RandomChoice([T.Lambda(lambda x: x), T.Lambda(lambda x: x + 1)], [3, 1], generator=seeded())
    assert 350 < sum(float(choice(torch.zeros(1))) for _ in range(2000)) < 650
    for wrong in (-0.1, 1.1):
        with pytest.raises(ValueError, match="p:"):
            T.RandomVerticalFlip(wrong)


def test_random_order_runs_everything() -> None:
    order = T.RandomOrder([T.Lambda(lambda x: x + 1), T.Lambda(lambda x: x * 2)], generator=seeded())
    assert {float(order(torch.ones(1))) for _ in range(50)} == {3.0, 4.0}


def test_arguments_are_checked_when_made() -> None:
    for make in (
        lambda: T.Resize((1, 2, 3)),
        lambda: T.Resize(4, "cubic"),
        lambda: T.Resize(None),
        lambda: T.CenterCrop((1, 2, 3)),
        lambda: T.Pad((1, 2, 3)),
        lambda: T.Compose([]),
        lambda: T.RandomChoice([T.Identity()], [0.5, 0.5]),
    ):
        with pytest.raises(ValueError, match="expected"):
            make()
    with pytest.raises(TypeError, match="callables"):
        T.Compose([3])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="PIL"):
        T.Normalize([0.5], [0.5])(F.to_pil_image(noise(1, 4, 4)))


def test_reprs_tell_the_arguments() -> None:
    assert repr(T.CenterCrop(3)) == "CenterCrop(size=(3, 3))"
    assert "Resize(size=4, interpolation='bilinear', max_size=None, antialias=True)" in repr(T.Compose([T.Resize(4)]))
    assert repr(T.RandomHorizontalFlip()) == "RandomHorizontalFlip(p=0.5)"
