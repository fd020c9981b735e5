"""The suite of resize passes torch's own operator and catches wrong ones."""

import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional as F  # noqa: E402

from vision_contract.testing import ResizeConformance  # noqa: E402


def resize(
    image: torch.Tensor, size: list[int], interpolation: str = "bilinear", antialias: bool = True
) -> torch.Tensor:
    if image.dim() < 3:
        raise ValueError("expected (..., C, H, W)")
    if interpolation not in ("nearest", "nearest-exact", "bilinear", "bicubic"):
        raise ValueError(interpolation)
    batch = image.unsqueeze(0).flatten(0, -4)
    if interpolation == "bilinear" or interpolation == "bicubic":
        floats = batch if batch.is_floating_point() else batch.to(torch.float32)
        out = F.interpolate(floats, size=size, mode=interpolation, align_corners=False, antialias=antialias)
        if not batch.is_floating_point():
            out = out.round().clamp(0, 255).to(batch.dtype)
    else:
        out = F.interpolate(batch, size=size, mode=interpolation)
    return out.reshape(image.shape[:-2] + out.shape[-2:])


class TestResize(ResizeConformance):
    operator = staticmethod(resize)


class TestResizeThatOffersLess(ResizeConformance):
    operator = staticmethod(resize)
    interpolations = ("bilinear",)
    compiles = False


def aligned_corners(image, size, interpolation="bilinear", antialias=True):
    if "nearest" in interpolation:
        return resize(image, size, interpolation)
    return F.interpolate(image[None].float(), size=size, mode=interpolation, align_corners=True)[0].to(image.dtype)


def never_antialiased(image, size, interpolation="bilinear", antialias=True):
    return resize(image, size, interpolation, False)


def width_first(image, size, interpolation="bilinear", antialias=True):
    return resize(image, size[::-1], interpolation, antialias)


def truncated(image, size, interpolation="bilinear", antialias=True):
    return resize(image.float(), size, interpolation, antialias).to(image.dtype)


def wraps_around(image, size, interpolation="bilinear", antialias=True):
    return resize(image.float(), size, interpolation, antialias).round().to(torch.int64).to(image.dtype)


def one_level_up(image, size, interpolation="bilinear", antialias=True):
    return resize(image, size, interpolation, antialias) + (1 if image.dtype == torch.uint8 else 0)


def returns_its_argument(image, size, interpolation="bilinear", antialias=True):
    return image.mul_(1 + 1e-3) if list(image.shape[-2:]) == size else resize(image, size, interpolation, antialias)


def ignores_strides(image, size, interpolation="bilinear", antialias=True):
    dense = torch.empty(image.shape).stride()
    return resize(torch.as_strided(image, image.shape, dense, 0), size, interpolation, antialias)


def detached(image, size, interpolation="bilinear", antialias=True):
    return resize(image.detach(), size, interpolation, antialias) + 0 * image.sum()


def guesses(image, size, interpolation="bilinear", antialias=True):
    return resize(image, size, "bilinear" if interpolation == "smooth" else interpolation, antialias)


def images_only(image, size, interpolation="bilinear", antialias=True):
    return resize(image, size, interpolation, antialias)[:3]


WRONG = [
    (aligned_corners, "test_floats_equal_the_exact_filter"),
    (aligned_corners, "test_bytes_equal_the_exact_filter"),
    (never_antialiased, "test_floats_equal_the_exact_filter"),
    (never_antialiased, "test_defaults_are_bilinear_and_antialiased"),
    (width_first, "test_floats_equal_the_exact_filter"),
    (truncated, "test_bytes_are_rounded_not_cut"),
    (wraps_around, "test_bytes_are_clamped"),
    (one_level_up, "test_a_flat_image_stays_flat"),
    (one_level_up, "test_the_same_size_changes_nothing"),
    (returns_its_argument, "test_leaves_its_argument_alone"),
    (ignores_strides, "test_any_strides"),
    (detached, "test_gradient"),
    (guesses, "test_wrong_arguments_are_refused"),
    (images_only, "test_any_batch"),
]


@pytest.mark.parametrize(("operator", "test"), WRONG, ids=lambda value: getattr(value, "__name__", value))
def test_wrong_operators_are_caught(refuse, operator, test):
    refuse(ResizeConformance, operator, test)
