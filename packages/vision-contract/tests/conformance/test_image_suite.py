"""The suite of decode_image passes a decoder over Pillow and catches wrong ones."""

import io
import warnings

import pytest

torch = pytest.importorskip("torch")
np = pytest.importorskip("numpy")
Image = pytest.importorskip("PIL.Image")

from vision_contract import ENCODED_BYTES  # noqa: E402
from vision_contract.testing import ImageDecoderConformance, flat_jpeg, png  # noqa: E402

MODES = {"GRAY": "L", "GRAY_ALPHA": "LA", "RGB": "RGB", "RGB_ALPHA": "RGBA"}


def decode_image(data, mode="UNCHANGED"):
    ENCODED_BYTES.check(data, "data")
    if mode != "UNCHANGED" and mode not in MODES:
        raise ValueError(f"unknown mode {mode!r}")
    data = bytes(data.tolist()) if isinstance(data, torch.Tensor) else bytes(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
            image.load()
            if mode != "UNCHANGED" or image.mode not in MODES.values():
                image = image.convert(MODES.get(mode, "RGB"))
    except Exception as error:  # Pillow raises OSError, SyntaxError, struct.error, its own bomb...
        raise ValueError(f"cannot decode: {error}") from error
    pixels = np.asarray(image)
    return torch.from_numpy(pixels.reshape(*pixels.shape[:2], -1).transpose(2, 0, 1).copy())


class TestDecodeImage(ImageDecoderConformance):
    operator = staticmethod(decode_image)


def swapped_colours(data, mode="UNCHANGED"):
    return decode_image(data, mode).flip(0)


def channels_last(data, mode="UNCHANGED"):
    return decode_image(data, mode).permute(1, 2, 0)


def always_rgb(data, mode="UNCHANGED"):
    return decode_image(data, "RGB")


def floats(data, mode="UNCHANGED"):
    return decode_image(data, mode) / 255


def bytes_only(data, mode="UNCHANGED"):
    if not isinstance(data, bytes):
        raise TypeError("bytes")
    return decode_image(data, mode)


def fills_what_is_missing(data, mode="UNCHANGED"):
    try:
        return decode_image(data, mode)
    except ValueError:
        if len(data) < 60:
            raise
        return torch.zeros(3, 8, 8, dtype=torch.uint8)


def leaks_errors(data, mode="UNCHANGED"):
    try:
        return decode_image(data, mode)
    except ValueError:
        raise KeyError("chunk") from None


def twisted_luma(data, mode="UNCHANGED"):
    return (
        decode_image(data, "RGB").float().mean(0, keepdim=True).byte() if mode == "GRAY" else decode_image(data, mode)
    )


WRONG = [
    (swapped_colours, "test_png_is_exact"),
    (swapped_colours, "test_colour_jpeg"),
    (channels_last, "test_png_is_exact"),
    (always_rgb, "test_png_is_exact"),
    (floats, "test_grey_jpeg_is_exact"),
    (fills_what_is_missing, "test_what_is_cut_off_is_refused"),
    (fills_what_is_missing, "test_a_lie_about_the_size_is_refused"),
    (fills_what_is_missing, "test_what_is_no_image_is_refused"),
    (twisted_luma, "test_modes"),
]


@pytest.mark.parametrize(("operator", "test"), WRONG, ids=lambda value: getattr(value, "__name__", value))
def test_wrong_operators_are_caught(refuse, operator, test):
    refuse(ImageDecoderConformance, operator, test)


def test_wrong_exceptions_are_caught(refuse):
    refuse(ImageDecoderConformance, bytes_only, "test_any_kind_of_bytes", raising=TypeError)
    refuse(ImageDecoderConformance, leaks_errors, "test_damage_is_refused_or_decoded", raising=KeyError)
    refuse(ImageDecoderConformance, leaks_errors, "test_what_is_no_image_is_refused", raising=KeyError)


def test_the_encoders_make_what_pillow_reads():
    pixels = torch.randint(0, 256, (3, 11, 13), dtype=torch.uint8)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png(pixels)))), pixels.permute(1, 2, 0).numpy())
    blocks = torch.arange(0, 256, 9, dtype=torch.uint8)[:28].reshape(1, 4, 7)
    image = Image.open(io.BytesIO(flat_jpeg(blocks)))
    assert image.size == (56, 32)
    assert np.array_equal(np.asarray(image)[::8, ::8], blocks[0].numpy())
