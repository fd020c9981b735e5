"""How transforms are called: hooks, lone and nested inputs, draws, and types given to results."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vision_core import transforms as T
from vision_core import tv_tensors as tv
from vision_core.transforms import _draws
from vision_core.transforms import functional as F


def image(*shape: int) -> Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_hooks_of_one_module_and_of_all_are_called() -> None:
    flip, seen = T.RandomHorizontalFlip(1.0), []
    handles = [
        flip.register_forward_pre_hook(lambda module, inputs: seen.append("before")),
        flip.register_forward_hook(lambda module, inputs, output: output + 1),
        nn.modules.module.register_module_forward_hook(lambda module, inputs, output: seen.append("all")),
        nn.modules.module.register_module_forward_pre_hook(lambda module, inputs: seen.append("before all")),
    ]
    pixels = image(3, 2, 4)
    try:
        assert torch.equal(flip(pixels), pixels.flip(-1) + 1)
        assert sorted(seen) == ["all", "before", "before all"]
    finally:
        for handle in handles:
            handle.remove()
    seen.clear()
    assert torch.equal(flip(pixels), pixels.flip(-1))
    assert seen == []


def test_forward_and_compiled_calls_of_a_subclass_are_used() -> None:
    class Twice(T.Transform):
        def forward(self, *inputs: Any) -> Any:
            return inputs[0] * 2

    twice = Twice()
    assert twice(torch.ones(1)).item() == 2
    twice.compile(backend="eager")
    assert twice(torch.ones(1)).item() == 2
    assert twice._compiled_call_impl is not None


@pytest.mark.parametrize("kind", ["tensor", "Image", "Video", "Mask", "BoundingBoxes", "KeyPoints", "array", "PIL"])
def test_a_lone_input_is_treated_as_a_nested_one(kind: str) -> None:
    from PIL import Image

    pixels = image(3, 6, 8)
    inpt: Any = {
        "tensor": pixels,
        "Image": tv.Image(pixels),
        "Video": tv.Video(image(2, 3, 6, 8)),
        "Mask": tv.Mask(pixels),
        "BoundingBoxes": tv.BoundingBoxes([[1.0, 2.0, 3.0, 4.0]], format="XYWH", canvas_size=(6, 8)),
        "KeyPoints": tv.KeyPoints([[1.0, 2.0]], canvas_size=(6, 8)),
        "array": pixels.permute(1, 2, 0).numpy(),
        "PIL": Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy()),
    }[kind]
    for transform in (T.RandomHorizontalFlip(1.0), T.CenterCrop(4), T.Pad(1), T.Identity(), T.RandomInvert(1.0)):
        for _ in range(2):  # a type may be new to the first call
            alone, nested = transform(inpt), transform([inpt, "text"])[0]
            assert type(alone) is type(nested)
            torch.testing.assert_close(_values(alone), _values(nested))
            assert vars(alone) == vars(nested) if isinstance(inpt, Tensor) else True


def _values(value: Any) -> Any:
    import numpy as np

    return torch.from_numpy(np.array(value)) if not isinstance(value, Tensor) else value.as_subclass(Tensor)


def test_what_does_not_happen_hands_on_the_very_inputs() -> None:
    sample = {"image": image(3, 4, 4), "boxes": torch.zeros(1, 4), "text": "x"}
    never = T.RandomHorizontalFlip(0.0)
    assert never(sample) is sample
    first, second = never(sample["image"], 3)
    assert first is sample["image"]
    assert second == 3
    kept = T.Compose([never, T.Identity()])(sample)
    assert kept.keys() == sample.keys()
    assert type(kept["boxes"]) is Tensor


def test_the_users_tensors_keep_their_types() -> None:
    pixels = image(3, 6, 8)
    typed = tv.Image(pixels)
    for transform in (T.RandomHorizontalFlip(1.0), T.Resize((6, 8)), T.Resize((3, 4)), T.CenterCrop(4), T.RGB()):
        result = transform(typed)
        assert type(result) is tv.Image
        assert type(typed) is tv.Image
        assert type(pixels) is Tensor
    boxes = torch.tensor([[1.0, 2.0, 3.0, 4.0]])
    sample = {"image": pixels, "boxes": boxes}
    assert type(T.Resize((6, 8))(sample)["boxes"]) is Tensor
    assert type(boxes) is Tensor


def test_a_derived_type_wraps_in_its_own_way() -> None:
    class Noted(tv.Image):
        note = ""

        @classmethod
        def wrap(cls, tensor: Tensor, like: Any, **kwargs: Any) -> Any:
            typed = tensor.as_subclass(cls)
            typed.note = f"{like.note}!"
            return typed

    noted = image(3, 4, 4).as_subclass(Noted)
    noted.note = "seen"
    flipped = T.RandomHorizontalFlip(1.0)(noted)
    assert type(flipped) is Noted
    assert flipped.note == "seen!"


def test_draws_are_those_of_torch() -> None:
    for generator in (None, torch.Generator().manual_seed(5)):
        torch.manual_seed(5)
        drawn = [
            _draws.draw_share(generator),
            _draws.draw_uniform(2.0, 5.0, generator),
            _draws.draw_integer(3, 9, generator),
            _draws.draw_integer(0, 2**62, generator),
            _draws.draw_index([0.1, 0.7, 0.2], generator),
            _draws.draw_share(generator),
        ]
        torch.manual_seed(5)
        expected = [
            torch.rand(1).item(),
            torch.empty(1).uniform_(2.0, 5.0).item(),
            torch.randint(3, 10, (1,)).item(),
            torch.randint(0, 2**62 + 1, (1,)).item(),
            torch.multinomial(torch.tensor([0.1, 0.7, 0.2]), 1).item(),
            torch.rand(1).item(),
        ]
        assert drawn == expected


def test_indices_are_as_likely_as_their_weights() -> None:
    generator = torch.Generator().manual_seed(0)
    counts = torch.zeros(3)
    for _ in range(3000):
        counts[_draws.draw_index([1.0, 0.0, 3.0], generator)] += 1
    torch.testing.assert_close(counts / 3000, torch.tensor([0.25, 0.0, 0.75]), rtol=0, atol=0.03)


def test_draws_work_in_threads_modes_and_inference() -> None:
    found: list[float] = []

    def draw() -> None:
        with torch.inference_mode():
            found.extend(_draws.draw_share(None) for _ in range(50))
        found.extend(_draws.draw_share(None) for _ in range(50))

    threads = [threading.Thread(target=draw) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 300
    assert all(0.0 <= value < 1.0 for value in found)
    with torch.device("cpu"):  # a mode watches
        assert 0.0 <= _draws.draw_share(None) < 1.0
    torch.set_default_dtype(torch.float64)
    try:
        torch.manual_seed(1)
        drawn = _draws.draw_share(None)
        torch.manual_seed(1)
        assert drawn == torch.rand(1).item()
    finally:
        torch.set_default_dtype(torch.float32)


def test_lambda_reaches_every_leaf() -> None:
    nested = {"a": [1, (2.0, None)], "b": "x"}
    assert T.Lambda(lambda x: x, object)(nested) == nested
    assert T.Lambda(lambda x: x + 1, int)(nested) == {"a": [2, (2.0, None)], "b": "x"}
    assert T.Lambda(lambda x: x + 1)(3, 4) == (4, 5)
    from collections import OrderedDict, namedtuple

    Point = namedtuple("Point", ["x", "y"])
    made = T.Lambda(lambda x: -x, int)(OrderedDict(p=Point(1, [2]), q=3))
    assert made == OrderedDict(p=Point(-1, [-2]), q=-3)
    assert type(made["p"]) is Point


def test_crops_are_views_of_the_image() -> None:
    for pixels in (image(3, 6, 8), image(2, 3, 6, 8), image(6, 8, 3).permute(2, 0, 1), image(3, 12, 16)[:, ::2, 1::2]):
        part = F.crop(pixels, 1, 2, 3, 4)
        assert torch.equal(part, pixels[..., 1:4, 2:6])
        assert part.stride() == pixels[..., 1:4, 2:6].stride()
        part.fill_(7)
        assert pixels[..., 1:4, 2:6].unique().tolist() == [7]
    traced = torch.rand(3, 6, 8, requires_grad=True)
    F.crop(traced, 1, 2, 3, 4).sum().backward()
    assert traced.grad is not None
    assert traced.grad.sum().item() == 36
