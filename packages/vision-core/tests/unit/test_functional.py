from __future__ import annotations

import inspect
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from vision_core.transforms import functional as F


def noise(*shape: int) -> Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def as_array(image: Image.Image) -> np.ndarray:
    return np.array(image)


@settings(max_examples=80, deadline=None)
@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    padding=st.tuples(*[st.integers(0, 25)] * 4),
    mode=st.sampled_from(["constant", "edge", "reflect", "symmetric"]),
)
def test_padding_is_numpys(size: tuple[int, int], padding: tuple[int, ...], mode: str) -> None:
    image = noise(2, *size)
    left, top, right, bottom = padding
    expected = np.pad(image.numpy(), ((0, 0), (top, bottom), (left, right)), mode=mode)
    assert np.array_equal(F.pad(image, padding, padding_mode=mode).numpy(), expected)


def test_padding_arguments() -> None:
    image = noise(3, 4, 5)
    assert F.pad(image, 1).shape == (3, 6, 7)
    assert F.pad(image, [1]).shape == (3, 6, 7)
    assert F.pad(image, [1, 2]).shape == (3, 8, 7)
    assert F.pad(image, [1, 2, 3, 4]).shape == (3, 10, 9)
    assert torch.equal(F.pad(image, [-1, 0, 1, -2]), torch.nn.functional.pad(image, (-1, 1, 0, -2)))
    filled = F.pad(image, [1, 0, -2, 3], fill=[1, 2, 3])
    assert filled[:, -1, 0].tolist() == [1, 2, 3]
    assert torch.equal(filled[:, :4, 1:], image[:, :, :3])
    with pytest.raises(ValueError, match="padding"):
        F.pad(image, [1, 2, 3])
    with pytest.raises(ValueError, match="padding_mode"):
        F.pad(image, 1, padding_mode="mirror")
    with pytest.raises(ValueError, match="takes away"):
        F.pad(image, -3)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P"])
def test_padding_of_pil_images(mode: str) -> None:
    image = F.to_pil_image(noise(3, 4, 5)).convert(mode)
    padded = F.pad(image, [1, 2, 3, 4], padding_mode="edge")
    assert padded.mode == mode
    assert padded.size == (9, 10)
    if mode == "P":
        assert padded.getpalette() == image.getpalette()
    expected = np.pad(as_array(image), ((2, 4), (1, 3), *[(0, 0)] * (as_array(image).ndim - 2)), mode="edge")
    assert np.array_equal(as_array(padded), expected)


@settings(max_examples=80, deadline=None)
@given(st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 12), st.integers(1, 12))
def test_crops_of_tensors_are_those_of_pillow(top: int, left: int, height: int, width: int) -> None:
    image = noise(3, 5, 6)
    picture = F.crop(F.to_pil_image(image), top, left, height, width)
    assert torch.equal(F.crop(image, top, left, height, width), F.pil_to_tensor(picture))


def test_crop_inside_is_a_view() -> None:
    image = noise(3, 8, 9)
    assert F.crop(image, 1, 2, 3, 4).data_ptr() == image[:, 1:, 2:].data_ptr()


@settings(max_examples=60, deadline=None)
@given(st.tuples(*[st.integers(1, 12)] * 4))
def test_center_crop_keeps_the_centre(sizes: tuple[int, ...]) -> None:
    full_height, full_width, height, width = sizes
    image = noise(3, full_height, full_width)
    cropped = F.center_crop(image, [height, width])
    assert cropped.shape == (3, height, width)
    assert torch.equal(cropped, F.pil_to_tensor(F.center_crop(F.to_pil_image(image), [height, width])))
    if height <= full_height and width <= full_width:
        where = [(t, w) for t in range(full_height) for w in range(full_width)
                 if torch.equal(image[:, t : t + height, w : w + width], cropped)]  # fmt: skip
        assert any(abs(2 * t + height - full_height) <= 1 and abs(2 * w + width - full_width) <= 1 for t, w in where)


def test_flips() -> None:
    image = noise(2, 3, 4, 5)
    assert torch.equal(F.horizontal_flip(image), image.flip(-1))
    assert torch.equal(F.vertical_flip(image), image.flip(-2))
    picture = F.to_pil_image(image[0])
    assert torch.equal(F.pil_to_tensor(F.hflip(picture)), image[0].flip(-1))
    assert torch.equal(F.pil_to_tensor(F.vflip(picture)), image[0].flip(-2))


def test_normalize() -> None:
    image = torch.rand(2, 3, 4, 5, dtype=torch.float64)
    expected = torch.stack([(image[:, c] - m) / s for c, (m, s) in enumerate(((0.1, 2.0), (0.2, 3.0), (0.3, 4.0)))], 1)
    mean, std = [0.1, 0.2, 0.3], [2.0, 3.0, 4.0]
    torch.testing.assert_close(F.normalize(image, mean, std), expected)
    assert F.normalize(image, mean, std, inplace=True) is image
    torch.testing.assert_close(image, expected)
    with pytest.raises(TypeError, match="floating point"):
        F.normalize(noise(3, 2, 2), mean, std)
    with pytest.raises(ValueError, match="std"):
        F.normalize(image, mean, [1.0, 0.0, 1.0])
    with pytest.raises(TypeError, match="PIL"):
        F.normalize(F.to_pil_image(noise(3, 2, 2)), mean, std)


INTEGERS = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]


@pytest.mark.parametrize("source", [*INTEGERS, torch.bool])
def test_scaling_keeps_the_share_of_the_range(source: torch.dtype) -> None:
    top = 1 if source == torch.bool else torch.iinfo(source).max
    image = torch.tensor([0, top]).to(source)
    for target in INTEGERS:
        converted = F.to_dtype(image, target, scale=True)
        assert converted.dtype == target
        assert converted[0] == 0
        # Ranges are powers of two: 7 bits of int8, 8 of uint8, 15 of int16, ..., 1 of bool.
        gained = torch.iinfo(target).max.bit_length() - top.bit_length()
        assert converted[1] == (top << gained if gained >= 0 else top >> -gained)
    for target in (torch.float32, torch.float64):
        assert F.to_dtype(image, target, scale=True).tolist() == [0.0, 1.0]


def test_every_byte_survives_the_way_through_float() -> None:
    levels = torch.arange(256).to(torch.uint8)
    for dtype in (torch.float32, torch.float64):
        assert torch.equal(F.to_dtype(F.to_dtype(levels, dtype, scale=True), torch.uint8, scale=True), levels)
    assert F.to_dtype(torch.tensor([0.0, 0.5, 1.0]), torch.uint8, scale=True).tolist() == [0, 127, 255]
    assert F.to_dtype(levels, torch.float32).max() == 255
    assert F.to_dtype(levels, torch.uint8, scale=True) is levels
    with pytest.raises(RuntimeError, match="without error"):
        F.to_dtype(torch.zeros(1), torch.int64, scale=True)


@pytest.mark.parametrize(
    ("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA"), (3, "YCbCr"), (4, "CMYK")]
)
def test_pil_and_back(channels: int, mode: str) -> None:
    image = noise(channels, 4, 5)
    picture = F.to_pil_image(image, mode)
    assert picture.mode == mode
    assert picture.size == (5, 4)
    assert torch.equal(F.pil_to_tensor(picture), image)
    assert torch.equal(F.to_image(picture), image)
    array = np.ascontiguousarray(image.permute(1, 2, 0).numpy())
    assert torch.equal(F.pil_to_tensor(F.to_pil_image(array, mode)), image)
    assert torch.equal(F.to_image(array), image)


def test_pil_of_other_dtypes() -> None:
    for dtype, mode in ((torch.int16, "I;16"), (torch.int32, "I"), (torch.uint8, "L")):
        picture = F.to_pil_image((noise(4, 5).to(dtype)), None)
        assert picture.mode == mode
        assert np.array_equal(as_array(picture), noise(4, 5).numpy())
    assert F.to_pil_image(torch.full((1, 2, 2), 0.5)).getpixel((0, 0)) == 127
    assert F.to_pil_image(torch.full((1, 2, 2), 0.5), "F").getpixel((0, 0)) == 0.5
    for wrong in (torch.zeros(5, 4, 4), torch.zeros(1, 1, 4, 4), torch.zeros(4)):
        with pytest.raises(ValueError, match="expected"):
            F.to_pil_image(wrong)
    with pytest.raises(ValueError, match="mode"):
        F.to_pil_image(noise(3, 4, 5), "L")
    with pytest.raises(TypeError, match="expected"):
        F.to_pil_image([1, 2])  # type: ignore[arg-type]


def test_sizes_of_images() -> None:
    assert F.get_dimensions(torch.zeros(8, 3, 4, 5)) == [3, 4, 5]
    assert F.get_dimensions(torch.zeros(4, 5)) == [1, 4, 5]
    assert F.get_size(F.to_pil_image(noise(3, 4, 5))) == [4, 5]
    assert F.get_num_channels(F.to_pil_image(noise(4, 4, 5))) == 4
    for wrong in ("image", torch.zeros(3)):
        with pytest.raises((TypeError, ValueError), match="expected"):
            F.get_size(wrong)  # type: ignore[arg-type]


def test_functionals_are_like_functions() -> None:
    assert pickle.loads(pickle.dumps(F.crop)) is F.crop
    assert list(inspect.signature(F.crop).parameters) == ["inpt", "top", "left", "height", "width"]
    assert F.crop.__name__ == "crop"
    assert "Cut a region" in (F.crop.__doc__ or "")
    with pytest.raises(TypeError, match=r"crop: expected a tensor.*got list"):
        F.crop([1], 0, 0, 1, 1)  # type: ignore[arg-type]


def test_the_input_by_name() -> None:
    """Code for torchvision's first generation says `img=`."""
    image = noise(3, 4, 5)
    assert torch.equal(F.hflip(img=image), F.horizontal_flip(inpt=image))
    assert torch.equal(F.crop(img=image, top=1, left=1, height=2, width=2), image[:, 1:3, 1:3])
    assert torch.equal(F.normalize(tensor=image.float(), mean=[0.0], std=[1.0]), image.float())
    with pytest.raises(TypeError, match=r"crop: expected an input.*\['top'\]"):
        F.crop(top=1)
