"""Images: round trips, channels, orientation, what is refused. Needs neither PyAV nor real files."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

import vision_io
from vision_io import DecodeError, EncodeError, ImageReadMode, LimitError, Limits


@pytest.fixture
def picture() -> torch.Tensor:
    x, y = torch.meshgrid(torch.arange(37), torch.arange(53), indexing="xy")
    return torch.stack((x * 5 % 256, y * 3 % 256, (x + y) * 2 % 256)).to(torch.uint8)


def _pillow(array: np.ndarray, format: str, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, format, **options)
    return file.getvalue()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("level", [0, 6, 9])
def test_png_round_trip_is_exact(picture, channels, level, tmp_path):
    data = vision_io.encode_png(picture[:channels], level)
    assert data.dtype == torch.uint8
    assert data.ndim == 1
    assert torch.equal(vision_io.decode_image(data), picture[:channels])
    assert torch.equal(vision_io.decode_png(data), picture[:channels])
    vision_io.write_png(picture[:channels], tmp_path / "a.png", level)
    assert torch.equal(vision_io.read_file(tmp_path / "a.png"), data)
    assert torch.equal(vision_io.read_image(tmp_path / "a.png"), picture[:channels])


@pytest.mark.parametrize("quality", [30, 75, 100])
def test_jpeg_equals_pillow(picture, quality, tmp_path):
    data = vision_io.encode_jpeg(picture, quality)
    hwc = picture.permute(1, 2, 0).numpy()
    assert bytes(data.numpy()) == _pillow(hwc, "JPEG", quality=quality)
    decoded = vision_io.decode_jpeg(data)
    np.testing.assert_array_equal(
        decoded.permute(1, 2, 0).numpy(), np.asarray(Image.open(io.BytesIO(bytes(data.numpy()))))
    )
    vision_io.write_jpeg(picture, tmp_path / "a.jpg", quality)
    assert torch.equal(vision_io.read_image(tmp_path / "a.jpg"), decoded)


def test_lists_of_jpegs(picture):
    data = vision_io.encode_jpeg([picture, picture[:1]])
    first, second = vision_io.decode_jpeg(data)
    assert first.shape == (3, 53, 37)
    assert second.shape == (1, 53, 37)


def test_encoding_takes_views(picture):
    flipped = picture.flip(2)
    assert torch.equal(vision_io.decode_png(vision_io.encode_png(picture[:, ::2, 1:])), picture[:, ::2, 1:])
    assert torch.equal(vision_io.decode_png(vision_io.encode_png(flipped)), flipped)


@pytest.mark.parametrize("source", ["bytes", "bytearray", "memoryview", "tensor", "array", "path", "text"])
def test_sources(picture, source, tmp_path):
    data = vision_io.encode_png(picture)
    path = tmp_path / "a.png"
    vision_io.write_file(path, data)
    raw = bytes(data.numpy())
    value = {"bytes": raw, "bytearray": bytearray(raw), "memoryview": memoryview(raw), "tensor": data,
             "array": data.numpy(), "path": path, "text": str(path)}[source]  # fmt: skip
    assert torch.equal(vision_io.decode_image(value), picture)


@pytest.mark.parametrize("mode", ["GRAY", "GRAY_ALPHA", "RGB", "RGB_ALPHA", "RGBA", ImageReadMode.RGB, "rgb"])
@pytest.mark.parametrize("stored", ["L", "LA", "RGB", "RGBA", "P", "1"])
def test_modes_equal_pillow(stored, mode):
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (9, 14, 4), dtype=np.uint8), "RGBA").convert(stored)
    file = io.BytesIO()
    image.save(file, "PNG")
    got = vision_io.decode_image(file.getvalue(), mode)
    name = {"GRAY": "L", "GRAY_ALPHA": "LA", "RGB_ALPHA": "RGBA", "RGBA": "RGBA"}.get(str(mode), "RGB")
    through = image.convert("RGBA") if name == "LA" and stored != "L" else image
    expected = np.asarray(through.convert(name))
    expected = expected[None] if expected.ndim == 2 else expected.transpose(2, 0, 1)
    np.testing.assert_array_equal(got.numpy(), expected)


def test_unchanged_palette_png_gives_indices():
    labels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    image = Image.fromarray(labels, "P")
    image.putpalette([255 - i for i in range(256) for _ in range(3)])
    file = io.BytesIO()
    image.save(file, "PNG")
    np.testing.assert_array_equal(vision_io.decode_image(file.getvalue())[0].numpy(), labels)
    np.testing.assert_array_equal(vision_io.decode_image(file.getvalue(), "RGB")[1].numpy(), 255 - labels)


def test_transparent_colour_becomes_alpha():
    pixels = np.zeros((2, 3, 3), np.uint8)
    pixels[0, 0] = (1, 2, 3)
    data = _pillow(pixels, "PNG", transparency=(1, 2, 3))
    alpha = vision_io.decode_image(data, "RGBA")[3].numpy()
    np.testing.assert_array_equal(alpha, [[0, 255, 255], [255, 255, 255]])
    assert vision_io.decode_image(data).shape == (4, 2, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_exif_orientation(picture, orientation, format):
    from PIL import ImageOps

    image = Image.fromarray(picture.permute(1, 2, 0).numpy())
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    image.save(file, format, exif=exif, **({"lossless": True} if format == "WEBP" else {}))
    expected = np.asarray(ImageOps.exif_transpose(Image.open(file)).convert("RGB"))
    got = vision_io.decode_image(file.getvalue(), "RGB", apply_exif_orientation=True)
    np.testing.assert_array_equal(got.permute(1, 2, 0).numpy(), expected)
    assert vision_io.decode_image(file.getvalue()).shape == picture.shape


def test_animated_gif():
    frames = [Image.new("RGB", (8, 6), (40 * i, 0, 255 - 40 * i)) for i in range(4)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=50)
    clip = vision_io.decode_gif(file.getvalue())
    assert clip.shape == (4, 3, 6, 8)
    assert [int(frame[0, 0, 0]) for frame in clip] == [0, 40, 80, 120]
    assert torch.equal(vision_io.decode_image(file.getvalue()), clip)


def _png16(samples: np.ndarray, *, filters=range(5), interlace: bool = False, transparent=None) -> bytes:
    """Encode (H, W, C) uint16 as PNG with the given row filters in turn, straight from the specification."""
    height, width, channels = samples.shape
    passes = [(0, 0, 1, 1)]
    if interlace:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    step, body, filters = 2 * channels, b"", list(filters)
    for x, y, dx, dy in passes:
        part = samples[y::dy, x::dx]
        if part.size == 0:
            continue
        above = [0] * (part.shape[1] * step)
        for number, row in enumerate(part.astype(">u2")):
            line, kind = list(row.tobytes()), filters[number % len(filters)]
            left, corner = [0] * step + line[:-step], [0] * step + above[:-step]
            guess = {
                0: lambda a, b, c: 0,
                1: lambda a, b, c: a,
                2: lambda a, b, c: b,
                3: lambda a, b, c: (a + b) // 2,
                4: lambda a, b, c: min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2],
            }[kind]
            body += bytes([kind]) + bytes(
                (v - guess(a, b, c)) % 256 for v, a, b, c in zip(line, left, above, corner, strict=True)
            )
            above = line
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, int(interlace)))]
    if transparent is not None:
        chunks.append((b"tRNS", np.asarray(transparent, ">u2").tobytes()))
    chunks += [(b"IDAT", zlib.compress(body)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks
    )


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("interlace", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bit_png(channels, interlace, native, monkeypatch):
    if not native:
        monkeypatch.setattr("vision_io._image.png16.kernels", None)
    samples = np.random.default_rng(channels).integers(0, 65536, (11, 9, channels)).astype(np.uint16)
    data = _png16(samples, interlace=interlace)
    got = vision_io.decode_png(data)
    assert got.dtype == torch.uint16
    np.testing.assert_array_equal(got.permute(1, 2, 0).numpy(), samples)
    rgba = vision_io.decode_png(data, "RGBA").numpy()
    np.testing.assert_array_equal(rgba[0], samples[..., 0])
    np.testing.assert_array_equal(rgba[3], samples[..., -1] if channels in (2, 4) else np.full((11, 9), 65535))
    gray = vision_io.decode_png(data, "GRAY").numpy()
    assert gray.shape == (1, 11, 9)
    if channels >= 3:
        np.testing.assert_allclose(gray[0], samples[..., :3] @ [0.299, 0.587, 0.114], atol=0.51)


def test_sixteen_bit_png_with_a_transparent_colour():
    samples = np.arange(12, dtype=np.uint16).reshape(2, 2, 3)
    got = vision_io.decode_png(_png16(samples, transparent=[3, 4, 5])).numpy()
    np.testing.assert_array_equal(got[3], [[65535, 0], [65535, 65535]])


@pytest.mark.parametrize("cut", [20, 60, 90, 97])
@pytest.mark.parametrize("kind", ["png", "png16", "jpeg"])
def test_cut_off_images_are_refused_unless_all_pixels_are_there(picture, kind, cut):
    data = {
        "png": lambda: bytes(vision_io.encode_png(picture).numpy()),
        "png16": lambda: _png16(np.random.default_rng(0).integers(0, 65536, (9, 9, 3)).astype(np.uint16)),
        "jpeg": lambda: bytes(vision_io.encode_jpeg(picture).numpy()),
    }[kind]()
    whole = vision_io.decode_image(data)
    try:
        part = vision_io.decode_image(data[: len(data) * cut // 100])
    except DecodeError:
        return
    assert kind == "png"
    assert cut >= 90
    assert torch.equal(part, whole)


def test_flipped_bytes_never_crash(picture):
    rng = np.random.default_rng(0)
    sources = [vision_io.encode_png(picture).numpy(), vision_io.encode_jpeg(picture).numpy(),
               np.frombuffer(_png16(np.arange(300, dtype=np.uint16).reshape(10, 10, 3)), np.uint8)]  # fmt: skip
    refused = 0
    for data in sources:
        for _ in range(60):
            broken = data.copy()
            broken[rng.integers(2, len(broken), 3)] = rng.integers(0, 256, 3)
            try:
                assert vision_io.decode_image(broken).ndim in (3, 4)
            except DecodeError:
                refused += 1
    assert refused > 60


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"hello, this is text", "not an image"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "VideoDecoder"),
        pytest.param(
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "no pictures stored as items", marks=pytest.mark.extra_video
        ),
        (b"\xff\xd8\xff\xe0", "damaged JPEG"),
        (b"\x89PNG\r\n\x1a\n", "damaged PNG"),
    ],
)
def test_what_is_no_image_is_refused(data, message):
    with pytest.raises(DecodeError, match=message):
        vision_io.decode_image(data)


def test_a_decoder_of_one_format_refuses_the_others(picture):
    with pytest.raises(DecodeError, match="expected JPEG, got PNG"):
        vision_io.decode_jpeg(vision_io.encode_png(picture))
    with pytest.raises(DecodeError, match="expected PNG, got JPEG"):
        vision_io.decode_png(vision_io.encode_jpeg(picture))


def test_limits_are_checked_before_pixels(picture):
    data = vision_io.encode_png(picture)
    with pytest.raises(LimitError, match="37x53"):
        vision_io.decode_image(data, limits=Limits(max_pixels=1000))
    with pytest.raises(LimitError, match="max_side"):
        vision_io.decode_image(data, limits=Limits(max_side=50))
    huge = struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 16, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n"
    for kind, body in ((b"IHDR", huge), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")):
        bomb += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    with pytest.raises(LimitError):
        vision_io.decode_image(bomb)
    frames = [Image.new("RGB", (8, 6), (i, 0, 0)) for i in range(9)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(LimitError, match="animation"):
        vision_io.decode_gif(file.getvalue(), limits=Limits(max_animation_pixels=100))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.zeros(3, 4, 4), "expected uint8"),
        (torch.zeros(4, 4, dtype=torch.uint8), "expected"),
        (torch.zeros(5, 4, 3, dtype=torch.uint8), "permute"),
        (torch.zeros(3, 0, 4, dtype=torch.uint8), "without pixels"),
    ],
)
@pytest.mark.parametrize("encode", [vision_io.encode_png, vision_io.encode_jpeg])
def test_what_cannot_be_encoded_is_refused(image, message, encode):
    with pytest.raises(EncodeError, match=message):
        encode(image)


def test_settings_out_of_range_are_refused(picture):
    for quality in (0, 101):
        with pytest.raises(EncodeError, match="quality"):
            vision_io.encode_jpeg(picture, quality)
    with pytest.raises(EncodeError, match="compression_level"):
        vision_io.encode_png(picture, 10)
    with pytest.raises(ValueError, match="mode"):
        vision_io.decode_image(vision_io.encode_png(picture), "BGR")


def test_files(tmp_path):
    data = torch.arange(256, dtype=torch.uint8)
    vision_io.write_file(tmp_path / "a.bin", data)
    assert torch.equal(vision_io.read_file(str(tmp_path / "a.bin")), data)
    with pytest.raises(DecodeError, match=r"b\.bin"):
        vision_io.read_file(tmp_path / "b.bin")
    with pytest.raises(EncodeError):
        vision_io.write_file(tmp_path / "missing" / "a.bin", data)
    with pytest.raises(EncodeError):
        vision_io.write_file(tmp_path / "a.bin", data.float())


@pytest.mark.parametrize("width", [1, 5, 15, 16, 17, 64, 333])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pixel_split_on_every_isa(isa, channels, width):
    from vision_io._native import kernels

    pixels = np.random.default_rng(0).integers(0, 256, (3, width, channels), dtype=np.uint8)
    out = np.full((channels, 3, width), 7, np.uint8)
    order = list(range(channels))[::-1] + [0] * (4 - channels)
    kernels.split(pixels.ctypes.data, width * channels, width, 3, channels, tuple(order), channels,
                  out.ctypes.data, 3 * width, width)  # fmt: skip
    np.testing.assert_array_equal(out, pixels.transpose(2, 0, 1)[::-1])
