"""Compose with fusion against Compose without: the same bytes, the same random numbers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import PIL.Image
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vision_core import transforms as T
from vision_core import tv_tensors
from vision_core.tv_tensors._base import plain

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]

# Everything that may join a run, and some of what may not.
STEPS: dict[str, Callable[[], Any]] = {
    "center_crop": lambda: T.CenterCrop((13, 11)),
    "large_center_crop": lambda: T.CenterCrop(90),
    "random_crop": lambda: T.RandomCrop(9, pad_if_needed=True),
    "padded_crop": lambda: T.RandomCrop(9, padding=9),
    "resized_crop": lambda: T.RandomResizedCrop((24, 41)),
    "resized_crop_bicubic": lambda: T.RandomResizedCrop(50, interpolation="bicubic"),
    "hflip": lambda: T.RandomHorizontalFlip(0.7),
    "vflip": lambda: T.RandomVerticalFlip(0.7),
    "resize": lambda: T.Resize((43, 52)),
    "resize_shorter": lambda: T.Resize(45, max_size=70),
    "resize_lanczos": lambda: T.Resize((61, 12), interpolation="lanczos"),
    "resize_nearest": lambda: T.Resize((31, 62), interpolation="nearest"),
    "resize_plain": lambda: T.Resize((20, 20), antialias=False),
    "random_resize": lambda: T.RandomResize(30, 60),
    "shortest": lambda: T.RandomShortestSize([41, 50], max_size=80),
    "scale_jitter": lambda: T.ScaleJitter((40, 40), (0.5, 1.5)),
    "rotate": lambda: T.RandomRotation(40),
    "rotate_bilinear": lambda: T.RandomRotation(40, interpolation="bilinear"),
    "rotate_expand": lambda: T.RandomRotation(40, interpolation="bilinear", expand=True),
    "rotate_filled": lambda: T.RandomRotation(40, interpolation="bilinear", fill=77),
    "affine": lambda: T.RandomAffine(20, (0.1, 0.2), (0.8, 1.3), 10, interpolation="bilinear"),
    "affine_filled": lambda: T.RandomAffine(20, fill={tv_tensors.Image: [1, 2, 3], "others": 9}),
    "perspective": lambda: T.RandomPerspective(p=0.8),
    "jitter": lambda: T.ColorJitter(0.4, 0.4, 0.4, 0.1),
    "brightness": lambda: T.ColorJitter(0.4),
    "distort": lambda: T.RandomPhotometricDistort(),
    "gray": lambda: T.RandomGrayscale(0.5),
    "gray3": lambda: T.Grayscale(3),
    "invert": lambda: T.RandomInvert(),
    "posterize": lambda: T.RandomPosterize(3),
    "solarize": lambda: T.RandomSolarize(100.5),
    "permute": lambda: T.RandomChannelPermutation(),
    "identity": lambda: T.Identity(),
    "blur": lambda: T.GaussianBlur(3),
    "equalize": lambda: T.RandomEqualize(),
    "pad": lambda: T.Pad(2),
    "erase": lambda: T.RandomErasing(),
    "some": lambda: T.RandomApply([T.ColorJitter(0.2, 0.3), T.RandomVerticalFlip()], p=0.6),
    "one": lambda: T.RandomChoice([T.RandomInvert(1.0), T.CenterCrop(12), T.GaussianBlur(3)]),
    "order": lambda: T.RandomOrder([T.RandomCrop(8, pad_if_needed=True), T.ColorJitter(contrast=0.4)]),
    "nested": lambda: T.Compose([T.RandomHorizontalFlip(), T.Resize((44, 30))]),
    "per_sample": lambda: T.RandomInvert(per_sample=True),
    "flip_keypoints": lambda: T.RandomHorizontalFlipKeypoints(pairs=[(0, 1)]),
    "to_image": lambda: T.ToImage(),
    "to_tensor": lambda: T.ToTensor(),
    "lambda": lambda: T.Lambda(lambda x: x),
}
ENDS: dict[str, Callable[[], list[Any]]] = {
    "bytes": lambda: [],
    "float": lambda: [T.ToDtype(torch.float32, scale=True)],
    "half": lambda: [T.ToDtype(torch.float16, scale=True), T.RandomHorizontalFlip()],
    "normalised": lambda: [T.ToDtype(torch.float32, scale=True), T.Normalize(MEAN, STD)],
    "cropped": lambda: [
        T.ConvertImageDtype(),
        T.Normalize(MEAN, STD, inplace=True),
        T.RandomCrop(5, pad_if_needed=True),
    ],
    "resized": lambda: [T.ToDtype(torch.float32, scale=True), T.Resize((20, 20)), T.Normalize([0.5], [0.5])],
    "unscaled": lambda: [T.ToDtype(torch.float32)],
    "by type": lambda: [T.ToDtype({tv_tensors.Image: torch.float32, "others": None}, scale=True)],
}


def kinds(image: Tensor) -> dict[str, Any]:
    """An image as all the inputs that transforms take."""
    height, width = image.shape[-2:]
    boxes = tv_tensors.BoundingBoxes(
        [[1.0, 2.0, width - 3.0, height - 5.0], [0.0, 0.0, 4.0, 4.0]], format="XYXY", canvas_size=(height, width)
    )
    points = tv_tensors.KeyPoints([[[3.0, 4.0], [9.0, 2.0]]], canvas_size=(height, width))
    mask = tv_tensors.Mask((image[:1] > 128).to(torch.uint8))
    interleaved = image.movedim(0, -1).contiguous()
    return {
        "tensor": image,
        "interleaved": interleaved.movedim(-1, 0),
        "part": torch.nn.functional.pad(image, (3, 2, 1, 4))[:, 1:-4, 3:-2],
        "batch": torch.stack([image, image.flip(-1)]),
        "interleaved batch": torch.stack([interleaved, interleaved.flip(0)]).movedim(-1, -3),
        "Image": tv_tensors.Image(image),
        "Video": tv_tensors.Video(torch.stack([image] * 3)),
        "float": image / 255,
        "array": interleaved.numpy(),
        "flat array": image[0].numpy(),
        "arrays": interleaved.numpy()[None].repeat(2, 0),
        "mirrored array": interleaved.numpy()[:, ::-1],
        "PIL": PIL.Image.fromarray(interleaved.numpy()),
        "keys": {"image": image, "boxes": torch.tensor([[1.0, 1.0, 5.0, 6.0]]), "labels": torch.tensor([3])},
        "typed": (tv_tensors.Image(image), {"boxes": boxes, "points": points, "mask": mask, "label": torch.tensor(4)}),
        "two": [tv_tensors.Image(image), tv_tensors.Image(image.flip(-2)), "text"],
        "with label": (image, torch.tensor([1, 2, 3])),
    }


def assert_same(ours: Any, reference: Any) -> None:
    """Types, sizes, values and metadata agree; of what is in them too."""
    assert type(ours) is type(reference)
    if isinstance(reference, Tensor):
        assert ours.dtype == reference.dtype
        assert ours.shape == reference.shape
        assert torch.equal(plain(ours), plain(reference))
        for name in getattr(reference, "_metadata", ()):
            assert getattr(ours, name) == getattr(reference, name)
    elif isinstance(reference, dict):
        assert list(ours) == list(reference)
        for key in reference:
            assert_same(ours[key], reference[key])
    elif isinstance(reference, (list, tuple)):
        assert len(ours) == len(reference)
        for one, other in zip(ours, reference, strict=True):
            assert_same(one, other)
    elif isinstance(reference, np.ndarray):
        np.testing.assert_array_equal(ours, reference)
    elif isinstance(reference, PIL.Image.Image):
        assert ours.mode == reference.mode
        assert ours.tobytes() == reference.tobytes()
    else:
        assert ours == reference


def outcome(transform: Any, inpt: Any, seed: int) -> tuple[Any, Any]:
    """What a call gives, or the kind of its error, and the next random number."""
    torch.manual_seed(seed)
    try:
        result = transform(inpt)
    except (TypeError, ValueError, RuntimeError) as error:
        return type(error), None
    return result, torch.rand(1).item()


def picture(height: int, width: int, channels: int = 3) -> Tensor:
    """Smooth, with some noise."""
    generator = torch.Generator().manual_seed(height * width)
    coarse = torch.rand(1, channels, 4, 5, generator=generator)
    fine = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic")[0].clamp(0, 1)
    noise = torch.rand(fine.shape, generator=generator) * 20
    return (fine * 235 + noise).to(torch.uint8)


@settings(max_examples=250, deadline=None)
@given(
    names=st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=5),
    end=st.sampled_from(sorted(ENDS)),
    kind=st.sampled_from(sorted(kinds(picture(8, 9)))),
    size=st.sampled_from([(60, 71), (48, 33), (9, 14)]),
    seed=st.integers(0, 1000),
)
def test_any_chain_gives_the_same(names: list[str], end: str, kind: str, size: tuple[int, int], seed: int) -> None:
    inpt = kinds(picture(*size))[kind]
    if kind == "PIL":
        names = [*names, "to_image"]
    chain = [STEPS[name]() for name in names] + ENDS[end]()
    expected, number = outcome(T.Compose(chain, fuse="off"), copy.deepcopy(inpt), seed)
    result, same_number = outcome(T.Compose(chain), copy.deepcopy(inpt), seed)
    assert_same(result, expected)
    assert number == same_number
