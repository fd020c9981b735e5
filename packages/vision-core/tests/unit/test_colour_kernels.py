"""Kernels of colour against float64, Pillow and the standard library, with and without the native module."""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as PILImage
from PIL import ImageEnhance, ImageOps
from torch import Tensor

from vision_core.transforms import functional as F

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
STEP = {torch.float16: 2e-3, torch.bfloat16: 1.6e-2, torch.float32: 1e-5, torch.float64: 1e-9}


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def as_pil(image: Tensor) -> PILImage.Image:
    return PILImage.fromarray(image.permute(1, 2, 0).contiguous().numpy())


def of_pil(image: PILImage.Image) -> Tensor:
    pixels = torch.from_numpy(np.array(image))
    return pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1)


def luma64(image: Tensor) -> Tensor:
    red, green, blue = image.double().unbind(-3)
    return (0.2989 * red + 0.587 * green + 0.114 * blue)[..., None, :, :]


def mix64(image: Tensor, other: Tensor, factor: float, white: float) -> Tensor:
    return (image.double() * factor + other * (1 - factor)).clamp(0, white)


def assert_off_by_one_at_most(result: Tensor, exact: Tensor, share: float = 0.03) -> None:
    """Integer results are cut down, so a value at a whole number may fall to either side of it."""
    assert result.dtype == torch.uint8
    difference = (result.double() - exact.floor()).abs()
    assert difference.max() <= 1
    assert (difference > 0).double().mean() <= share


ORACLES: dict[str, tuple[Callable[..., Any], Callable[[Tensor, float, float], Tensor], list[float]]] = {
    "brightness": (
        F.adjust_brightness,
        lambda x, f, white: (x.double() * f).clamp(0, white),
        [0.0, 0.37, 1.0, 1.7],
    ),
    "contrast": (
        F.adjust_contrast,
        lambda x, f, white: mix64(
            x, (luma64(x).floor() if white == 255 else luma64(x)).mean((-3, -2, -1), keepdim=True), f, white
        ),
        [0.0, 0.37, 1.0, 1.7],
    ),
    "saturation": (
        F.adjust_saturation,
        lambda x, f, white: mix64(x, luma64(x).floor() if white == 255 else luma64(x), f, white),
        [0.0, 0.37, 1.0, 1.7],
    ),
    "gamma": (
        F.adjust_gamma,
        lambda x, g, white: (x.double() / white) ** g * (255.999 if white == 255 else 1.0),
        [0.3, 1.0, 2.2],
    ),
}


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("shape", [(3, 37, 53), (2, 3, 5, 18), (2, 2, 3, 4, 4)])
def test_values_of_8_bit_images(backend: str, name: str, shape: tuple[int, ...]) -> None:
    operation, exact, factors = ORACLES[name]
    image = noise(*shape)
    for factor in factors:
        for laid in (image, image.contiguous(memory_format=torch.channels_last) if image.ndim == 4 else image):
            assert_off_by_one_at_most(operation(laid, factor), exact(image, factor, 255.0))


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("dtype", FLOATS)
def test_values_of_floating_point_images(name: str, dtype: torch.dtype) -> None:
    operation, exact, factors = ORACLES[name]
    image = (noise(2, 3, 17, 19).double() / 255).to(dtype)
    for factor in factors:
        result = operation(image, factor)
        assert result.dtype == dtype
        torch.testing.assert_close(result.double(), exact(image, factor, 1.0), atol=STEP[dtype], rtol=STEP[dtype])


def test_16_bit_images_are_what_8_bit_images_are_on_a_finer_scale(backend: str) -> None:
    image = noise(3, 20, 21)
    fine = F.to_dtype(image, torch.uint16, scale=True)
    calls: list[Callable[[Tensor], Tensor]] = [
        lambda x: F.adjust_brightness(x, 1.3),
        lambda x: F.adjust_contrast(x, 0.6),
        lambda x: F.adjust_saturation(x, 1.4),
        lambda x: F.adjust_sharpness(x, 0.5),
        lambda x: F.adjust_hue(x, 0.2),
        lambda x: F.adjust_gamma(x, 0.7),
        lambda x: F.gaussian_blur(x, 5),
        lambda x: F.rgb_to_grayscale(x),
        lambda x: F.posterize(x, 3),
        lambda x: F.solarize(x, 100 if x.dtype == torch.uint8 else 25600),
        lambda x: F.invert(x),
        lambda x: F.equalize(x),
        lambda x: F.autocontrast(x),
    ]
    for call in calls:
        result = call(fine)
        assert result.dtype == torch.uint16
        assert (result.int() // 256 - call(image).int()).abs().max() <= 2


@pytest.mark.parametrize("factor", [0.0, 0.4, 1.0, 2.5])
def test_sharpness_is_that_of_pillow(backend: str, factor: float) -> None:
    image = noise(3, 24, 31)
    pillow = of_pil(ImageEnhance.Sharpness(as_pil(image)).enhance(factor))
    assert (F.adjust_sharpness(image, factor).int() - pillow.int()).abs().max() <= 1
    assert torch.equal(F.adjust_sharpness(image, factor)[:, 0], image[:, 0])
    small = noise(3, 2, 9)
    assert torch.equal(F.adjust_sharpness(small, factor), small)


@pytest.mark.parametrize("bits", range(9))
def test_posterize_is_that_of_pillow(backend: str, bits: int) -> None:
    image = noise(3, 16, 16)
    expected = image & (0xFF << (8 - bits) & 0xFF)
    assert torch.equal(F.posterize(image, bits), expected)
    if bits:
        assert torch.equal(of_pil(ImageOps.posterize(as_pil(image), bits)), expected)
    with pytest.raises(TypeError, match=r"0\.\.8"):
        F.posterize(image, 9)


def test_point_operations_are_those_of_pillow(backend: str) -> None:
    image = torch.cat([torch.arange(256, dtype=torch.uint8).view(1, 16, 16)] * 3)
    assert torch.equal(F.invert(image), of_pil(ImageOps.invert(as_pil(image))))
    for threshold in (0, 1, 100, 255):
        assert torch.equal(F.solarize(image, threshold), of_pil(ImageOps.solarize(as_pil(image), threshold)))
    assert torch.equal(F.solarize(image, 255 * 0.6666666865348816), F.solarize(image, 170))  # equal in float32
    with pytest.raises(TypeError, match="at most 255"):
        F.solarize(image, 256)


@pytest.mark.parametrize("kind", ["noise", "dark", "two", "flat", "ramp"])
def test_equalize_is_that_of_pillow(backend: str, kind: str) -> None:
    image = {
        "noise": noise(3, 40, 41),
        "dark": noise(3, 40, 41) // 9 + 3,
        "two": (noise(3, 40, 41) > 90).to(torch.uint8) * 31 + 7,
        "flat": torch.full((3, 40, 41), 9, dtype=torch.uint8),
        "ramp": torch.arange(256, dtype=torch.uint8).view(1, 16, 16).expand(3, -1, -1),
    }[kind]
    assert torch.equal(F.equalize(image), of_pil(ImageOps.equalize(as_pil(image))))
    batch = torch.stack([image, image.flip(-1)])
    assert torch.equal(F.equalize(batch)[0], F.equalize(image))


def test_autocontrast_reaches_black_and_white_channel_by_channel(backend: str) -> None:
    image = noise(2, 3, 30, 31) // torch.tensor([2, 3, 5], dtype=torch.uint8).view(3, 1, 1) + 20
    image[1, 2] = 77
    result = F.autocontrast(image)
    low, high = image.amin((-2, -1), keepdim=True).double(), image.amax((-2, -1), keepdim=True).double()
    exact = ((image.double() - low) * 255 / (high - low).clamp(min=1)).clamp(0, 255)
    exact[1, 2] = 77
    assert (result.double() - exact.floor()).abs().max() <= 1
    assert torch.equal(result[1, 2], image[1, 2])
    assert result[0].amin() == 0
    assert result[0].amax() >= 254


@pytest.mark.parametrize("turn", [-0.5, -0.13, 0.0, 0.2, 0.5])
def test_hue_is_that_of_the_standard_library(backend: str, turn: float) -> None:
    image = noise(3, 9, 11)
    image[:, 0, :4] = torch.tensor([0, 255, 90, 91], dtype=torch.uint8)  # gray
    result = F.adjust_hue(image, turn)
    for y in range(9):
        for x in range(11):
            hue, saturation, value = colorsys.rgb_to_hsv(*(image[:, y, x].double() / 255).tolist())
            exact = colorsys.hsv_to_rgb((hue + turn) % 1.0, saturation, value)
            got = result[:, y, x].tolist()
            assert all(abs(a - int(b * 255.999)) <= 1 for a, b in zip(got, exact, strict=True))
    torch.testing.assert_close(F.adjust_hue(image.double() / 255, turn), (result.double() / 255), atol=1 / 255, rtol=0)


@pytest.mark.parametrize("kernel", [(3, 3), (5, 3), (1, 7), (9, 9)])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64, torch.bfloat16])
def test_gaussian_blur_by_hand(backend: str, kernel: tuple[int, int], dtype: torch.dtype) -> None:
    sigma = (0.8, 1.7)
    image = noise(2, 3, 12, 15) if dtype == torch.uint8 else (noise(2, 3, 12, 15) / 255).to(dtype)

    def window(size: int, spread: float) -> np.ndarray:
        weights = np.exp(-0.5 * ((np.arange(size) - size // 2) / spread) ** 2)
        return weights / weights.sum()

    along_x, along_y = window(kernel[0], sigma[0]), window(kernel[1], sigma[1])
    half_x, half_y = kernel[0] // 2, kernel[1] // 2
    padded = np.pad(image.double().numpy(), ((0, 0), (0, 0), (half_y, half_y), (half_x, half_x)), mode="reflect")
    exact = np.zeros(image.shape)
    for dy, wy in enumerate(along_y):
        for dx, wx in enumerate(along_x):
            exact += wy * wx * padded[:, :, dy : dy + 12, dx : dx + 15]
    result = F.gaussian_blur(image, list(kernel), list(sigma))
    assert result.dtype == dtype
    allowed = 1.0 if dtype == torch.uint8 else STEP[dtype]
    expected = np.rint(exact) if dtype == torch.uint8 else exact
    assert np.abs(result.double().numpy() - expected).max() <= allowed


@pytest.mark.parametrize("channels", [1, 3])
def test_grayscale_and_back(backend: str, channels: int) -> None:
    image = noise(2, 3, 20, 22)
    gray = F.rgb_to_grayscale(image, channels)
    assert gray.shape == (2, channels, 20, 22)
    assert_off_by_one_at_most(gray, luma64(image).expand_as(gray))
    assert torch.equal(F.rgb_to_grayscale(gray[:, :1], channels), gray)
    assert torch.equal(F.grayscale_to_rgb(gray[:, :1]), gray[:, :1].expand(-1, 3, -1, -1))
    gray += 1  # results can be written to
    for bad in (noise(2, 5, 5), noise(4, 5, 5)):
        with pytest.raises(ValueError, match="channels"):
            F.rgb_to_grayscale(bad)
    with pytest.raises(ValueError, match="num_output_channels"):
        F.rgb_to_grayscale(image, 2)


def test_steps_in_one_pass_are_the_steps(backend: str) -> None:
    image = noise(2, 3, 16, 17)
    steps = [("contrast", 1.3), ("hue", -0.1), ("brightness", 0.8), ("saturation", 1.6)]
    expected = image
    for name, factor in steps:
        expected = getattr(F, f"adjust_{name}")(expected, factor)
    assert (F.adjust_colors(image, steps).int() - expected.int()).abs().max() <= 1
    assert torch.equal(F.adjust_colors(image, []), image)
    gray = image[:, :1]
    assert F.adjust_colors(gray, steps).shape == gray.shape
    for bad in ([("hue", 0.6)], [("contrast", -1)], [("sharpness", 1)]):
        with pytest.raises(ValueError, match="steps"):
            F.adjust_colors(image, bad)


def test_noise_has_its_mean_and_spread() -> None:
    for image in (torch.full((3, 200, 200), 0.5), torch.full((3, 200, 200), 128, dtype=torch.uint8)):
        white = 1.0 if image.is_floating_point() else 255.0
        noisy = F.gaussian_noise(image, 0.1, 0.05, generator=torch.Generator().manual_seed(1)).double() / white
        assert abs(noisy.mean().item() - 0.6) < 0.005
        assert abs(noisy.std().item() - 0.05) < 0.002
        again = F.gaussian_noise(image, 0.1, 0.05, generator=torch.Generator().manual_seed(1)).double() / white
        assert torch.equal(noisy, again)
    assert F.gaussian_noise(torch.zeros(3, 9, 9), sigma=9.0).amin() == 0
    assert F.gaussian_noise(torch.zeros(3, 9, 9), sigma=9.0, clip=False).amin() < 0
    with pytest.raises(ValueError, match="sigma"):
        F.gaussian_noise(torch.zeros(3, 9, 9), sigma=-1)
    with pytest.raises(ValueError, match="int64"):
        F.gaussian_noise(torch.zeros(3, 9, 9, dtype=torch.int64))


def test_jpeg_is_that_of_pillow_and_worse_with_less_quality() -> None:
    smooth = F.gaussian_blur(noise(3, 40, 48), 9, 3.0)
    losses = []
    for quality in (5, 40, 95):
        result = F.jpeg(smooth, quality)
        assert torch.equal(result, of_pil(F.jpeg(as_pil(smooth), quality)))
        losses.append((result.int() - smooth.int()).abs().double().mean().item())
    assert losses[0] > losses[1] > losses[2]
    batch = F.jpeg(torch.stack([smooth, smooth.flip(-1)]), 40)
    assert torch.equal(batch[0], F.jpeg(smooth, 40))
    assert F.jpeg(smooth[:1], 40).shape == (1, 40, 48)
    with pytest.raises(ValueError, match="quality"):
        F.jpeg(smooth, 0)
    for bad in (smooth.float(), noise(2, 8, 8)):
        with pytest.raises(RuntimeError, match="image"):
            F.jpeg(bad, 50)


def test_erase_writes_one_rectangle() -> None:
    image = noise(3, 8, 9)
    before = image.clone()
    erased = F.erase(image, 2, 3, 4, 5, torch.tensor([1, 2, 3])[:, None, None])
    assert torch.equal(image, before)
    assert torch.equal(erased[:, 2:6, 3:8], torch.tensor([1, 2, 3], dtype=torch.uint8)[:, None, None].expand(3, 4, 5))
    erased[:, 2:6, 3:8] = before[:, 2:6, 3:8]
    assert torch.equal(erased, before)
    assert F.erase(image, 0, 0, 1, 1, torch.zeros(1), inplace=True) is image
    assert image[0, 0, 0] == 0


@pytest.mark.parametrize("count", [1, 3, 8, 20])
def test_frames_are_picked_evenly(count: int) -> None:
    video = torch.arange(8).view(8, 1, 1, 1).expand(2, 8, 3, 2, 2)
    picked = F.uniform_temporal_subsample(video, count)
    assert picked.shape == (2, count, 3, 2, 2)
    numbers = picked[0, :, 0, 0, 0].tolist()
    assert numbers == [int(7 * i / max(count - 1, 1)) for i in range(count)]


def test_channels_take_their_places() -> None:
    image = noise(2, 3, 4, 5)
    for order in ([2, 0, 1], torch.tensor([2, 0, 1])):
        assert torch.equal(F.permute_channels(image, order), image[:, [2, 0, 1]])
    with pytest.raises(ValueError, match="permutation"):
        F.permute_channels(image, [0, 1])


def test_dtypes_scale_and_come_back() -> None:
    image = torch.arange(256, dtype=torch.uint8).view(1, 16, 16)
    for dtype in (torch.uint16, torch.int16, torch.int32, torch.int64, *FLOATS):
        there = F.to_dtype(image, dtype, scale=True)
        assert there.dtype == dtype
        assert torch.equal(F.to_dtype(there, torch.uint8, scale=True), image)
    wide = torch.tensor([0, 1, 32768, 65535], dtype=torch.int32).to(torch.uint16).view(1, 2, 2)
    torch.testing.assert_close(
        F.to_dtype(wide, torch.float16, scale=True).float(), wide.float() / 65535, atol=1e-3, rtol=1e-3
    )
    torch.testing.assert_close(F.convert_image_dtype(image), image / 255, atol=1e-7, rtol=1e-6)


PIL_CALLS: dict[str, Callable[[Any], Any]] = {
    "brightness": lambda x: F.adjust_brightness(x, 1.3),
    "contrast": lambda x: F.adjust_contrast(x, 0.7),
    "saturation": lambda x: F.adjust_saturation(x, 1.4),
    "hue": lambda x: F.adjust_hue(x, 0.1),
    "gamma": lambda x: F.adjust_gamma(x, 0.8),
    "sharpness": lambda x: F.adjust_sharpness(x, 1.5),
    "autocontrast": F.autocontrast,
    "equalize": F.equalize,
    "invert": F.invert,
    "posterize": lambda x: F.posterize(x, 3),
    "solarize": lambda x: F.solarize(x, 90),
    "blur": lambda x: F.gaussian_blur(x, 5),
    "gray": lambda x: F.rgb_to_grayscale(x, 3),
    "channels": lambda x: F.permute_channels(x, [1, 2, 0]),
    "erase": lambda x: F.erase(x, 1, 1, 3, 3, torch.zeros(1)),
    "jpeg": lambda x: F.jpeg(x, 60),
    "noise": lambda x: F.gaussian_noise(x, generator=torch.Generator().manual_seed(0)),
    "colors": lambda x: F.adjust_colors(x, [("brightness", 1.2), ("contrast", 0.9)]),
}


@pytest.mark.parametrize("name", PIL_CALLS)
def test_pil_images_stay_pil_images_and_arrays_arrays(name: str) -> None:
    call = PIL_CALLS[name]
    smooth = F.gaussian_blur(noise(3, 30, 32), 9, 3.0)
    expected = call(smooth)
    picture = call(as_pil(smooth))
    assert isinstance(picture, PILImage.Image)
    assert picture.mode == "RGB"
    allowed = 8 if name == "hue" else 2  # Pillow's HSV has 256 hues
    assert (of_pil(picture).int() - expected.int()).abs().max() <= allowed
    array = call(smooth.permute(1, 2, 0).numpy())
    assert isinstance(array, np.ndarray)
    assert np.array_equal(array, expected.permute(1, 2, 0).numpy())


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: F.adjust_brightness(x, -1), ValueError, "brightness_factor"),
        (lambda x: F.adjust_contrast(x, -1), ValueError, "contrast_factor"),
        (lambda x: F.adjust_saturation(x, -1), ValueError, "saturation_factor"),
        (lambda x: F.adjust_sharpness(x, -1), ValueError, "sharpness_factor"),
        (lambda x: F.adjust_hue(x, 0.6), ValueError, "hue_factor"),
        (lambda x: F.adjust_gamma(x, -1), ValueError, "gamma"),
        (lambda x: F.adjust_brightness(x[:2], 1), TypeError, "1 or 3 channels"),
        (lambda x: F.autocontrast(x[:2]), TypeError, "1 or 3 channels"),
        (lambda x: F.gaussian_blur(x, 4), ValueError, "kernel_size"),
        (lambda x: F.gaussian_blur(x, [3, 3, 3]), ValueError, "kernel_size"),
        (lambda x: F.gaussian_blur(x, 3, 0.0), ValueError, "sigma"),
        (lambda x: F.gaussian_blur(x, 3, "a"), TypeError, "sigma"),
        (lambda x: F.gaussian_blur(x, 3, [1.0, 2.0, 3.0]), ValueError, "sigma"),
        (lambda x: F.normalize(x, [0.5], [0.5]), TypeError, "floating point"),
        (lambda x: F.invert([x]), TypeError, "invert"),
    ],
)
def test_bad_arguments_are_named(call: Callable[[Tensor], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call(noise(3, 8, 8))


COMPILED: dict[str, Callable[[Tensor], Tensor]] = {
    name: PIL_CALLS[name]
    for name in PIL_CALLS
    if name not in ("jpeg", "noise")  # file formats and generators are not traced
}


@pytest.mark.parametrize("name", COMPILED)
def test_functions_compile_into_one_graph(name: str) -> None:
    call = COMPILED[name]
    torch._dynamo.reset()
    compiled = torch.compile(call, fullgraph=True, backend="eager", dynamic=True)
    for image in (noise(3, 12, 13), noise(3, 15, 26)):
        torch.testing.assert_close(compiled(image), call(image), atol=1, rtol=0)


@pytest.mark.parametrize("name", ["hue", "contrast", "blur"])
def test_functions_of_floats_compile_into_one_graph(name: str) -> None:
    image = noise(3, 12, 13) / 255
    compiled = torch.compile(COMPILED[name], fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(image), COMPILED[name](image))


def test_gradients_flow_through_floating_point_images() -> None:
    image = (noise(1, 3, 4, 5) / 255).double().clamp(0.1, 0.9).requires_grad_()
    for call in (
        lambda x: F.adjust_brightness(x, 0.9),
        lambda x: F.adjust_contrast(x, 0.8),
        lambda x: F.adjust_saturation(x, 0.8),
        lambda x: F.adjust_hue(x, 0.07),
        lambda x: F.adjust_gamma(x, 1.3),
        lambda x: F.gaussian_blur(x, 3, 1.0),
        lambda x: F.adjust_sharpness(x, 0.6),
        lambda x: F.rgb_to_grayscale(x),
        lambda x: F.normalize(x, [0.5], [0.2]),
        F.invert,
    ):
        assert torch.autograd.gradcheck(call, (image,), fast_mode=True)


@pytest.mark.parametrize("name", [n for n in PIL_CALLS if n not in ("channels", "erase")])
def test_empty_batches_pass(name: str) -> None:
    empty = torch.zeros(0, 3, 6, 7, dtype=torch.uint8)
    assert PIL_CALLS[name](empty).shape == (0, 3, 6, 7)
