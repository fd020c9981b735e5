"""PNG: every kind of pixel, every filter, both interlacings, written here straight from the specification."""

from __future__ import annotations

import contextlib
import io
import itertools
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

import vision_io
from vision_io import DecodeError, LimitError, Limits
from vision_io._native import kernels

needs_native = pytest.mark.skipif(
    kernels is None or kernels.inflate_library is None, reason="this build has no libdeflate"
)
KINDS = [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 2), (3, 4), (3, 8)]
KINDS += [(4, 8), (4, 16), (6, 8), (6, 16)]
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _pack(row: np.ndarray, depth: int) -> np.ndarray:
    """Samples of a row (W * C) to bytes."""
    if depth == 16:
        return row.astype(">u2").view(np.uint8)
    if depth == 8:
        return row.astype(np.uint8)
    bits = (row[:, None] >> np.arange(depth - 1, -1, -1)) & 1
    return np.packbits(bits.reshape(-1).astype(np.uint8))


def _paeth(a, b, c):
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    return np.where((pa <= pb) & (pa <= pc), a, np.where(pb <= pc, b, c))


def _filtered(lines: list[np.ndarray], step: int, kinds: list[int]) -> bytes:
    result, above = b"", np.zeros(len(lines[0]), np.int64)
    for i, line in enumerate(lines):
        x, kind = line.astype(np.int64), kinds[i % len(kinds)]
        left, corner = (np.concatenate((np.zeros(step, np.int64), v))[: len(x)] for v in (x, above))
        guess = [0 * x, left, above, (left + above) // 2, _paeth(left, above, corner)][kind]
        result += bytes([kind]) + ((x - guess) % 256).astype(np.uint8).tobytes()
        above = x
    return result


def make_png(
    samples: np.ndarray, colour: int, depth: int, *, interlace=False, filters=(0, 1, 2, 3, 4), extra=b"", parts=1
):
    """Encode (H, W, C) samples of ``depth`` bits."""
    height, width, channels = samples.shape
    step = max(1, channels * depth // 8)
    body = b""
    for x, y, dx, dy in ADAM7 if interlace else [(0, 0, 1, 1)]:
        part = samples[y::dy, x::dx]
        if part.size:
            body += _filtered([_pack(row.reshape(-1), depth) for row in part], step, list(filters))
    packed = zlib.compress(body)
    cuts = [len(packed) * i // parts for i in range(parts + 1)]
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlace))
    data = b"".join(chunk(b"IDAT", packed[a:b]) for a, b in itertools.pairwise(cuts))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + data + chunk(b"IEND", b"")


def random_samples(height: int, width: int, colour: int, depth: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 1 << depth, (height, width, CHANNELS[colour]))


def palette(depth: int, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (1 << depth, 3)).astype(np.uint8)


@pytest.mark.parametrize("interlace", [False, True])
@pytest.mark.parametrize(("colour", "depth"), KINDS)
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (9, 5), (17, 33), (40, 100)])
def test_unchanged_pixels(isa, size, colour, depth, interlace):
    samples = random_samples(*size, colour, depth)
    extra = chunk(b"PLTE", palette(depth).tobytes()) if colour == 3 else b""
    data = make_png(samples, colour, depth, interlace=interlace, extra=extra, parts=3)
    expected = samples.transpose(2, 0, 1)
    if colour == 0 and depth < 8:
        expected = expected * (255 // ((1 << depth) - 1))
    got = vision_io.decode_png(data)
    assert got.dtype == (torch.uint16 if depth == 16 else torch.uint8)
    np.testing.assert_array_equal(got.numpy(), expected)


@pytest.mark.parametrize("kind", range(5))
@pytest.mark.parametrize(("colour", "depth"), KINDS)
def test_each_filter_alone(isa, colour, depth, kind):
    samples = random_samples(12, 37, colour, depth, kind)
    extra = chunk(b"PLTE", palette(depth).tobytes()) if colour == 3 else b""
    data = make_png(samples, colour, depth, filters=(kind,), extra=extra)
    expected = samples.transpose(2, 0, 1) * (255 // ((1 << depth) - 1) if colour == 0 and depth < 8 else 1)
    np.testing.assert_array_equal(vision_io.decode_png(data).numpy(), expected)


def _rgba(samples: np.ndarray, colour: int, depth: int, key: list[int] | None, alphas: np.ndarray | None) -> np.ndarray:
    """(H, W, 4) 8-bit truth."""
    top = (1 << depth) - 1
    if colour == 3:
        table = np.concatenate((palette(depth), np.full((1 << depth, 1), 255, np.uint8)), axis=1)
        if alphas is not None:
            table[: len(alphas), 3] = alphas
        return table[samples[..., 0]]
    light = samples[..., :3] if colour in (2, 6) else samples[..., :1].repeat(3, axis=2)
    alpha = samples[..., -1:] if colour in (4, 6) else np.full_like(samples[..., :1], top)
    if key is not None:
        alpha = np.where((samples == key).all(axis=2, keepdims=True), 0, top)
    return np.concatenate((light, alpha), axis=2) * 255 // top


@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.parametrize("mode", ["GRAY", "GRAY_ALPHA", "RGB", "RGB_ALPHA"])
@pytest.mark.parametrize(("colour", "depth"), [kind for kind in KINDS if kind[1] <= 8])
def test_modes(isa, colour, depth, mode, transparent):
    samples = random_samples(8, 21, colour, depth)
    extra, key, alphas = b"", None, None
    if colour == 3:
        extra = chunk(b"PLTE", palette(depth).tobytes())
    if transparent and colour == 3:
        alphas = np.arange(1 << (depth - 1), dtype=np.uint8) * 3
        extra += chunk(b"tRNS", alphas.tobytes())
    elif transparent and colour in (0, 2):
        key = samples[3, 4].tolist()
        extra += chunk(b"tRNS", np.asarray(key, ">u2").tobytes())
    rgba = _rgba(samples, colour, depth, key, alphas)
    luma = (rgba[..., :3] @ np.array([19595, 38470, 7471]) + 32768) >> 16
    luma = rgba[..., 0] if colour in (0, 4) else luma
    expected = {
        "GRAY": [luma], "GRAY_ALPHA": [luma, rgba[..., 3]], "RGB": rgba.transpose(2, 0, 1)[:3],
        "RGB_ALPHA": rgba.transpose(2, 0, 1),
    }[mode]  # fmt: skip
    got = vision_io.decode_png(make_png(samples, colour, depth, extra=extra), mode)
    np.testing.assert_array_equal(got.numpy(), np.stack(list(expected)))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("level", [0, 1, 6, 9])
@needs_native
def test_round_trips(isa, channels, dtype, level):
    rng = np.random.default_rng(level)
    for height, width in ((1, 1), (3, 70), (41, 33)):
        top = 256 if dtype == torch.uint8 else 65536
        smooth = np.cumsum(rng.integers(0, 5, (channels, height, width)), axis=2) % top
        image = torch.from_numpy(smooth.astype(np.uint8 if dtype == torch.uint8 else np.uint16))
        data = vision_io.encode_png(image, level)
        assert torch.equal(vision_io.decode_png(data), image)
        framed = torch.from_numpy(np.pad(image.numpy(), ((0, 0), (2, 1), (3, 4))))
        view = framed[:, 2 : 2 + height, 3 : 3 + width]
        assert torch.equal(vision_io.encode_png(view, level), data)
        if dtype == torch.uint8:
            opened = np.asarray(Image.open(io.BytesIO(data.numpy().tobytes())))
            np.testing.assert_array_equal(opened.reshape(height, width, channels).transpose(2, 0, 1), image.numpy())


@needs_native
def test_files_are_about_as_small_as_pillows():
    y, x = np.mgrid[:200, :300]
    noise = np.random.default_rng(0).normal(0, 3, (200, 300, 3))
    array = np.clip(np.stack((x / 2, y, (x + y) / 3), axis=2) + noise, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    assert vision_io.encode_png(torch.from_numpy(array).permute(2, 0, 1)).numel() < 1.02 * len(file.getvalue())


def test_out_and_regions(isa):
    image = torch.from_numpy(random_samples(20, 30, 2, 8).astype(np.uint8)).permute(2, 0, 1)
    data = vision_io.encode_png(image)
    slot = torch.zeros(2, 3, 24, 40, dtype=torch.uint8)
    vision_io.decode_png(data, out=slot[1, :, :20, :30])
    assert torch.equal(slot[1, :, :20, :30], image)
    assert int(slot[0].sum()) == 0
    assert torch.equal(vision_io.decode_image(data, region=(2, 3, 4, 5)), image[:, 2:6, 3:8])
    deep = torch.empty(3, 5, 4, dtype=torch.uint16)
    samples = random_samples(5, 4, 2, 16)
    assert vision_io.decode_png(make_png(samples, 2, 16), out=deep) is deep
    np.testing.assert_array_equal(deep.numpy(), samples.transpose(2, 0, 1))
    with pytest.raises(ValueError, match="out"):
        vision_io.decode_png(data, out=torch.zeros(3, 20, 31, dtype=torch.uint8))


@pytest.mark.parametrize("interlace", [False, True])
def test_cut_off_files_give_all_pixels_or_an_error(interlace):
    samples = random_samples(14, 19, 6, 8)
    data = make_png(samples, 6, 8, interlace=interlace, parts=4)
    for length in range(0, len(data), 5):
        try:
            part = vision_io.decode_png(data[:length])
        except DecodeError:
            continue
        np.testing.assert_array_equal(part.numpy(), samples.transpose(2, 0, 1))


@pytest.mark.parametrize(("colour", "depth"), [(2, 8), (3, 4), (0, 1), (6, 16)])
def test_changed_bytes_never_crash(colour, depth):
    extra = chunk(b"PLTE", palette(depth).tobytes()) if colour == 3 else b""
    whole = make_png(random_samples(20, 30, colour, depth), colour, depth, extra=extra, interlace=depth == 8)
    rng = np.random.default_rng(depth)
    limits = Limits(max_pixels=1 << 20)
    for _ in range(150):
        data = bytearray(whole)
        for at in rng.integers(8, len(data), 3):
            data[at] = int(rng.integers(256))
        # With sound checksums the damage reaches the parsers behind them.
        fixed, at = bytearray(data), 8
        while at + 12 <= len(fixed):
            size = struct.unpack_from(">I", fixed, at)[0]
            if at + 12 + size > len(fixed):
                break
            struct.pack_into(">I", fixed, at + 8 + size, zlib.crc32(fixed[at + 4 : at + 8 + size]))
            at += 12 + size
        for variant in (bytes(data), bytes(fixed)):
            with contextlib.suppress(DecodeError):
                assert vision_io.decode_image(variant, "RGB", limits=limits).shape[0] == 3


def _with_size(width: int, height: int, body: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_bombs_are_refused():
    with pytest.raises(LimitError):
        vision_io.decode_png(_with_size(1 << 20, 1 << 20, zlib.compress(b"")))
    # A size that the limits admit, with data that cannot possibly make it: refused before memory is taken.
    with pytest.raises(DecodeError):
        vision_io.decode_png(_with_size(8000, 8000, zlib.compress(bytes(1000))))
    # More data than the picture needs is cut off there.
    assert vision_io.decode_png(_with_size(2, 2, zlib.compress(bytes(14 + 10_000_000)))).shape == (3, 2, 2)
    for width, height in ((0, 4), (4, 0), (1 << 31, 1)):
        with pytest.raises(DecodeError):
            vision_io.decode_png(_with_size(width, height, zlib.compress(bytes(100))))


@pytest.mark.parametrize("size", [(65535, 1), (1, 65535)])
def test_the_longest_sides(size):
    samples = random_samples(*size, 2, 8)
    data = make_png(samples, 2, 8)
    got = vision_io.decode_png(data)
    np.testing.assert_array_equal(got.numpy(), samples.transpose(2, 0, 1))
    with pytest.raises(LimitError):
        vision_io.decode_png(data, limits=Limits(max_side=65534))


@pytest.mark.parametrize(
    "parts",
    [
        [b"IDAT"],
        [b"IHDR"],
        [b"IHDR", b"tRNS"],
    ],
)
def test_chunks_in_the_wrong_order(parts):
    bodies = {
        b"IHDR": struct.pack(">IIBBBBB", 2, 2, 8, 3, 0, 0, 0), b"IDAT": zlib.compress(bytes(6)), b"tRNS": b"",
    }  # fmt: skip
    data = b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, bodies[kind]) for kind in parts) + chunk(b"IEND", b"")
    with pytest.raises(DecodeError):
        vision_io.decode_png(data)
