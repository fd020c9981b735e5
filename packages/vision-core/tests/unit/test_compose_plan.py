"""How Compose tells what it joins, and what keeps it from joining."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import PIL.Image
import pytest
import torch
from torch import Tensor

from vision_core import _native
from vision_core import transforms as T
from vision_core.transforms._fusion import _pending

native = pytest.mark.skipif(_native.module is None, reason="nothing is joined without the native module")
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def classic(**kwargs: Any) -> T.Compose:
    """What image classifiers are trained with."""
    return T.Compose(
        [
            T.RandomResizedCrop(32),
            T.RandomHorizontalFlip(1.0),
            T.ColorJitter(0.4, 0.4, 0.4, 0.1),
            T.ToDtype(torch.float32, scale=True),
            T.Normalize(MEAN, STD),
        ],
        **kwargs,
    )


@pytest.fixture
def image() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (3, 48, 60), dtype=torch.uint8, generator=generator)


@pytest.fixture
def finished(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The passes of each run of steps that ended."""
    seen: list[list[str]] = []
    finish = _pending.Pending.finish

    def spy(pending: _pending.Pending, passes: list[str] | None = None) -> Any:
        noted: list[str] = []
        result = finish(pending, noted)
        seen.append(noted)
        if passes is not None:
            passes.extend(noted)
        return result

    monkeypatch.setattr(_pending.Pending, "finish", spy)
    return seen


@native
def test_classic_chain_takes_two_passes(image: Tensor, finished: list[list[str]]) -> None:
    classic()(image)
    assert len(finished) == 1
    resampling, colours = finished[0]
    assert resampling == "resize, mirrored"
    assert colours.startswith("one pass over the pixels (")
    assert colours.endswith("to float32, normalised)")


def test_switched_off(image: Tensor, finished: list[list[str]]) -> None:
    classic(fuse="off")(image)
    assert finished == []
    assert [step.transforms for step in classic(fuse="off").explain(image)] == [
        ("RandomResizedCrop",),
        ("RandomHorizontalFlip",),
        ("ColorJitter",),
        ("ToDtype",),
        ("Normalize",),
    ]
    assert all("fusion is off" in step.does for step in classic(fuse="off").explain())


def test_plan_of_the_classic_chain() -> None:
    plan = classic().explain()
    assert len(plan) == 1
    assert repr(plan) == str(plan)
    assert str(plan).splitlines()[1] == (
        "1. RandomResizedCrop + RandomHorizontalFlip + ColorJitter + ToDtype + Normalize: one resampling pass (crop, "
        "resize, flip) + one colour pass (colours, to floating point, normalise)"
    )


@pytest.mark.parametrize(
    ("steps", "ends"),
    [
        ([T.RandomHorizontalFlip(), T.Resize(8)], ["filters round mirrored pixels otherwise", ""]),
        ([T.Resize(8), T.RandomRotation(9)], ["resampling twice is not resampling once", ""]),
        ([T.RandomInvert(), T.Resize(8)], ["resampling blends pixels", ""]),
        ([T.ColorJitter(contrast=0.1), T.CenterCrop(8)], ["contrast looks at the whole image", ""]),
        ([T.ColorJitter(0.1), T.CenterCrop(8)], [""]),
        ([T.RandomInvert(), T.GaussianBlur(3), T.RandomInvert()], ["GaussianBlur runs by itself", "", ""]),
        ([T.ToDtype(torch.float32, scale=True), T.RandomInvert()], ["floating-point ones by now", ""]),
        ([T.RandomApply([T.Resize(8)]), T.Compose([T.RandomVerticalFlip(), T.CenterCrop(5)])], [""]),
    ],
)
def test_why_a_run_ends(steps: list[Any], ends: list[str], image: Tensor) -> None:
    plan = T.Compose(steps).explain()
    assert len(plan.passes) == len(ends)
    assert all(wanted in step.ends and bool(wanted) == bool(step.ends) for step, wanted in zip(plan, ends, strict=True))


@native
def test_example_tells_what_was_drawn(image: Tensor) -> None:
    chain = T.Compose([T.RandomHorizontalFlip(0.0), T.RandomInvert(1.0), T.RandomPosterize(2, 1.0)])
    (only,) = chain.explain(image)
    assert only.transforms == ("RandomInvert", "RandomPosterize")
    assert only.does == "one pass over the pixels (table, table)"
    assert "uint8 (3, 48, 60)" in str(chain.explain(image))


def test_example_leaves_the_generators_alone(image: Tensor) -> None:
    own = torch.Generator().manual_seed(3)
    chain = T.Compose([T.RandomCrop(9, generator=own), T.ColorJitter(0.5), T.GaussianNoise()])
    torch.manual_seed(7)
    before = (torch.get_rng_state(), own.get_state())
    chain.explain(image)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert torch.equal(own.get_state(), before[1])


def test_changed_list(image: Tensor) -> None:
    chain = T.Compose([T.RandomInvert(1.0), T.Pad(3)])
    assert torch.equal(chain(image), T.Pad(3)(255 - image))
    chain.transforms[1] = T.RandomInvert(1.0)
    assert torch.equal(chain(image), image)
    chain.transforms.append(T.CenterCrop(4))
    assert chain(image).shape == (3, 4, 4)
    chain.transforms[:] = [T.Identity()]
    assert chain(image) is image


def test_changed_fields(image: Tensor) -> None:
    chain = T.Compose([T.RandomInvert(1.0), T.CenterCrop(20)])
    chain(image)
    chain.transforms[0].p = 0.0
    chain.transforms[1].size = (5, 6)
    assert torch.equal(chain(image), T.CenterCrop((5, 6))(image))


@pytest.mark.parametrize("fuse", ["exact", "tolerant", "off"])
def test_pickles_and_copies(fuse: Any, image: Tensor) -> None:
    chain = classic(fuse=fuse)
    chain(image)
    for other in (pickle.loads(pickle.dumps(chain)), copy.deepcopy(chain)):
        assert other.fuse == fuse
        assert repr(other) == repr(chain)
        torch.manual_seed(1)
        expected = chain(image)
        torch.manual_seed(1)
        assert torch.equal(other(image), expected)


def test_repr_says_nothing_of_it() -> None:
    assert repr(T.Compose([T.CenterCrop(3)])).splitlines() == ["Compose(", "  (0): CenterCrop(size=(3, 3))", ")"]


def test_unknown_mode() -> None:
    with pytest.raises(ValueError, match="fuse: expected 'exact', 'tolerant' or 'off', got 'on'"):
        T.Compose([T.Identity()], fuse="on")  # type: ignore[arg-type]


class Darker(T.RandomInvert):
    """A subclass that does something else."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return inpt // 2


def test_subclasses_do_what_they_do(image: Tensor) -> None:
    chain = T.Compose([T.CenterCrop(9), Darker(1.0), T.RandomVerticalFlip(1.0)])
    assert torch.equal(chain(image), T.CenterCrop(9)(image).flip(-2) // 2)
    assert [step.transforms for step in chain.explain()] == [("CenterCrop",), ("Darker",), ("RandomVerticalFlip",)]


def test_methods_that_an_instance_replaces(image: Tensor) -> None:
    invert = T.RandomInvert(1.0)
    chain = T.Compose([invert, T.CenterCrop(9)])
    invert.transform = lambda inpt, params: inpt // 2  # type: ignore[method-assign]
    assert torch.equal(chain(image), T.CenterCrop(9)(image) // 2)


@pytest.mark.parametrize("fuse", ["exact", "off"])
def test_hooks_are_called(fuse: Any, image: Tensor) -> None:
    flip, seen = T.RandomHorizontalFlip(1.0), []
    chain = T.Compose([T.CenterCrop(9), flip, T.RandomInvert(1.0)], fuse=fuse)
    handle = flip.register_forward_hook(lambda module, inputs, output: seen.append(tuple(output.shape)))
    expected = 255 - T.CenterCrop(9)(image).flip(-1)
    assert torch.equal(chain(image), expected)
    assert seen == [(3, 9, 9)]
    assert fuse == "off" or ("RandomHorizontalFlip",) in [step.transforms for step in chain.explain()]
    handle.remove()
    assert torch.equal(chain(image), expected)
    assert len(seen) == 1


def test_params_run_again(image: Tensor) -> None:
    chain = T.Compose(
        [T.RandomCrop(20), T.RandomApply([T.RandomHorizontalFlip(), T.ColorJitter(0.4, 0.4)]), T.Resize(9)]
    )
    off = T.Compose(chain.transforms, fuse="off")
    for _ in range(8):
        params = chain.sample(image)
        assert torch.equal(chain.apply(params, image), off.apply(params, image))


def test_per_sample_draws_for_each(image: Tensor) -> None:
    batch = torch.stack([image] * 12)
    chain = T.Compose([T.CenterCrop(20), T.RandomInvert(per_sample=True), T.RandomVerticalFlip(1.0)])
    torch.manual_seed(0)
    result = chain(batch)
    assert {one[0, 0, 0].item() for one in result} == {image[0, 33, 20].item(), 255 - image[0, 33, 20].item()}


def test_nothing_is_joined_while_torch_watches(image: Tensor, finished: list[list[str]]) -> None:
    with torch.overrides.BaseTorchFunctionMode():
        classic()(image)
    assert finished == []


@native
def test_to_tensor_and_normalize_are_one_pass(image: Tensor, finished: list[list[str]]) -> None:
    picture = PIL.Image.fromarray(image.movedim(0, -1).numpy())
    chain = T.Compose([T.Resize(20), T.ToTensor(), T.Normalize(MEAN, STD)])
    result = chain(picture)
    assert finished == [["one pass over the pixels (to float32, normalised)"]]
    assert result.is_contiguous()
    assert torch.equal(result, T.Compose(chain.transforms, fuse="off")(picture))


def interior(chain: list[Any], shape: tuple[int, ...], seed: int) -> Tensor:
    """Where the result of warps shows the image and no border is near."""
    torch.manual_seed(seed)
    white = T.Compose(chain, fuse="off")(torch.full(shape, 255, dtype=torch.uint8))
    return torch.nn.functional.max_pool2d(255.0 - white.float(), 7, 1, 3) == 0


WARPS: dict[str, list[Any]] = {
    "two": [T.RandomRotation(30, "bilinear"), T.RandomAffine(20, (0.1, 0.1), (0.8, 1.2), 5, "bilinear")],
    "flips between": [
        T.RandomHorizontalFlip(),
        T.RandomRotation(30, "bilinear"),
        T.RandomVerticalFlip(),
        T.RandomHorizontalFlip(),
        T.RandomAffine(20, (0.1, 0.1), (0.8, 1.2), 5, "bilinear"),
        T.RandomVerticalFlip(),
    ],
    "a crop between": [
        T.RandomRotation(30, "bilinear", expand=True),
        T.RandomHorizontalFlip(),
        T.CenterCrop((90, 110)),
        T.RandomVerticalFlip(),
        T.RandomAffine(20, (0.1, 0.1), (0.8, 1.2), 5, "bilinear"),
        T.CenterCrop((80, 70)),
    ],
    "perspective": [
        T.RandomPerspective(0.3, 1.0),
        T.RandomHorizontalFlip(),
        T.RandomAffine(20, interpolation="bilinear"),
    ],
    "three": [
        T.RandomAffine(9, (0.1, 0.1), interpolation="bilinear"),
        T.RandomPerspective(0.2, 1.0),
        T.RandomRotation(9, "bilinear"),
    ],
}


@native
@pytest.mark.parametrize("name", sorted(WARPS))
def test_joined_warps_stay_within_tolerance(name: str, finished: list[list[str]]) -> None:
    chain = WARPS[name]
    coarse = torch.rand(1, 3, 4, 5, generator=torch.Generator().manual_seed(1))
    smooth = torch.nn.functional.interpolate(coarse, size=(120, 150), mode="bicubic")[0].clamp(0, 1)
    image = (smooth * 255).to(torch.uint8)
    for seed in range(3):
        torch.manual_seed(seed)
        joined = T.Compose(chain, fuse="tolerant")(image)
        assert sum("warp" in line for line in finished.pop()) == 1
        torch.manual_seed(seed)
        apart = T.Compose(chain, fuse="off")(image)
        inside = interior(chain, image.shape, seed)
        difference = (joined.float() - apart.float()).abs()
        assert inside.float().mean() > 0.2
        assert difference[inside].max() <= 3
        torch.manual_seed(seed)
        white = T.Compose(chain, fuse="tolerant")(torch.full_like(image, 255))
        torch.manual_seed(seed)
        covered = T.Compose(chain, fuse="off")(torch.full_like(image, 255))
        # What the frames between cut off stays cut off.
        assert ((white.float() - covered.float()).abs() > 128).float().mean() < 0.03


@native
def test_mirrored_before_resizing_within_one(image: Tensor) -> None:
    for size in ((20, 31), (64, 90)):
        chain = [T.RandomHorizontalFlip(1.0), T.RandomVerticalFlip(1.0), T.CenterCrop((40, 41)), T.Resize(size)]
        plan = T.Compose(chain, fuse="tolerant").explain(image)
        assert len(plan) == 1
        difference = T.Compose(chain, fuse="tolerant")(image).float() - T.Compose(chain, fuse="off")(image).float()
        assert difference.abs().max() <= 1


@native
def test_half_formats_are_rounded_once(image: Tensor) -> None:
    chain = [T.ToDtype(torch.bfloat16, scale=True), T.Normalize(MEAN, STD)]
    exact = (image.double() / 255 - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    joined = T.Compose(chain, fuse="tolerant")(image)
    torch.testing.assert_close(joined.double(), exact, rtol=2**-8, atol=1e-6)
    assert torch.equal(T.Compose(chain)(image), T.Compose(chain, fuse="off")(image))
