"""Every native pixel kernel on every instruction set against the NumPy reference, and the reference against float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vision_io._pixels.colour import exact_coefficients
from vision_io._pixels.formats import FORMATS
from vision_io._pixels.reference import exact_to_rgb, rgb_planes
from vision_io._pixels.store import FrameSlots

SIZES = [(1, 1), (2, 2), (3, 5), (16, 4), (31, 7), (33, 6), (64, 2), (66, 3), (127, 8), (130, 9), (320, 18), (515, 4)]


def _native(frame, guard: int = 64) -> np.ndarray:
    """The frame through the native kernel, into a tensor with guard bytes that must stay as they are."""
    height, width = frame.display_size
    size = 3 * height * width
    memory = torch.full((guard + size + guard,), 0xA5, dtype=torch.uint8)
    slot = memory[guard : guard + size].view(1, 3, height, width)
    FrameSlots(slot).write(0, frame)
    assert bool((memory[:guard] == 0xA5).all())
    assert bool((memory[guard + size :] == 0xA5).all())
    return slot[0].numpy()


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_native_equals_reference(name, isa, make_frame):
    for seed, (width, height) in enumerate(SIZES):
        frame = make_frame(name, width, height, seed=seed)
        np.testing.assert_array_equal(_native(frame), rgb_planes(frame), err_msg=f"{name} {width}x{height} {isa}")


@pytest.mark.parametrize("matrix", [1, 2, 4, 5, 6, 7, 9, 10])
@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("name", ["yuv420p", "nv12", "nv21", "yuv444p", "p010le"])
def test_native_equals_reference_for_every_matrix(name, matrix, full_range, isa, make_frame):
    frame = make_frame(name, 98, 12, matrix=matrix, full_range=full_range)
    np.testing.assert_array_equal(_native(frame), rgb_planes(frame))


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("layout", ["TCHW", "CTHW", "THWC"])
def test_slots_of_any_strides(rotation, layout, isa, make_frame):
    frame = make_frame("yuv420p", 70, 34, rotation=rotation)
    height, width = frame.display_size
    expected = np.rot90(rgb_planes(frame), rotation // 90, (1, 2))
    frames = {
        "TCHW": torch.zeros(3, 3, height, width, dtype=torch.uint8),
        "CTHW": torch.zeros(3, 3, height, width, dtype=torch.uint8).transpose(0, 1),
        "THWC": torch.zeros(3, height, width, 3, dtype=torch.uint8).permute(0, 3, 1, 2),
    }[layout]
    FrameSlots(frames).write(1, frame)
    np.testing.assert_array_equal(frames[1].numpy(), expected)
    assert not frames[0].any()
    assert not frames[2].any()


def test_slot_of_another_size_is_refused(make_frame):
    with pytest.raises(ValueError, match="does not fit"):
        FrameSlots(torch.zeros(1, 3, 8, 8, dtype=torch.uint8)).write(0, make_frame("yuv420p", 8, 10))


@pytest.mark.parametrize(("matrix", "kr", "kb"), [(1, 0.2126, 0.0722), (2, 0.299, 0.114), (9, 0.2627, 0.0593)])
@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_exact_arithmetic_is_within_half_a_level(matrix, kr, kb, full_range, bits):
    rng = np.random.default_rng(0)
    y, u, v = rng.integers(0, 1 << bits, (3, 200, 200)).astype(np.uint16)
    got = exact_to_rgb(y, u, v, exact_coefficients(matrix, full_range, bits))
    scale, top = 2.0 ** (bits - 8), 2.0**bits - 1
    luma = y / top if full_range else (y - 16 * scale) / (219 * scale)
    blue, red = ((c - 128 * scale) / (top if full_range else 224 * scale) for c in (u.astype(float), v.astype(float)))
    r, b = luma + 2 * (1 - kr) * red, luma + 2 * (1 - kb) * blue
    g = (luma - kr * r - kb * b) / (1 - kr - kb)
    expected = np.clip(255 * np.stack((r, g, b)), 0, 255)
    assert np.abs(got - expected).max() <= 0.5 + 1e-3


def test_ffmpeg_arithmetic_against_numbers_computed_by_hand(make_frame):
    """Gray 128 in limited range BT.601: Y = ((8 * 128 - 128) * 9539) >> 16 = 130, chroma 128 adds nothing."""
    frame = make_frame("yuv420p", 4, 4)
    for buffer in frame.owner:
        buffer[:] = 128
    assert np.all(rgb_planes(frame) == 130)


# -- more than 8 bits as floating-point numbers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "yuv420p10le",
        "yuv422p10le",
        "yuv444p12le",
        "yuv420p12le",
        "p010le",
        "p012le",
        "gbrp10le",
        "gbrp12le",
        "gray10le",
    ],
)
@pytest.mark.parametrize(("width", "height"), [(17, 13), (40, 22)])
@pytest.mark.parametrize(("matrix", "full_range"), [(1, False), (9, False), (9, True)])
def test_deep_frames_as_floats(make_frame, name, width, height, matrix, full_range):
    """Against the definition of the matrices in float64: ITU-R BT.709 and BT.2020."""
    from vision_io._pixels.deep import DeepSlots, deep_planes
    from vision_io._video.view import View

    frame = make_frame(name, width, height, seed=3, matrix=matrix, full_range=full_range)
    layout = frame.format
    top = (1 << layout.bits) - 1
    if layout.family == "gbr":
        expected = np.stack([frame.plane(i, width, height) for i in layout.order]) / top
    elif layout.family == "gray":
        expected = np.stack([frame.plane(0, width, height)] * 3) / top
    else:
        across, down = layout.chroma_size(width, height)
        y = (frame.plane(0, width, height) >> layout.shift).astype(np.float64)
        if layout.family == "nv":
            pairs = frame.plane(1, 2 * across, down) >> layout.shift
            u, v = pairs[:, 0::2].astype(np.float64), pairs[:, 1::2].astype(np.float64)
        else:
            u, v = (frame.plane(i, across, down).astype(np.float64) for i in (1, 2))
        rows, columns = np.arange(height) >> layout.chroma_shift[1], np.arange(width) >> layout.chroma_shift[0]
        u, v = u[rows][:, columns], v[rows][:, columns]
        one = 1 << (layout.bits - 8)
        y = y / top if full_range else (y - 16 * one) / (219 * one)
        u, v = ((c - 128 * one) / (top if full_range else 224 * one) for c in (u, v))
        kr, kb = (0.2126, 0.0722) if matrix == 1 else (0.2627, 0.0593)
        red, blue = y + 2 * (1 - kr) * v, y + 2 * (1 - kb) * u
        expected = np.stack([red, (y - kr * red - kb * blue) / (1 - kr - kb), blue])
    expected = np.clip(expected, 0, 1)
    got = deep_planes(frame).numpy().astype(np.float64) / 255
    assert np.abs(got - expected).max() < 1e-6
    view = View.of({"crop": (2, 3, 9, 12), "size": (5, 6), "flip": True, "mean": 0.5, "std": 0.25})
    out = torch.empty(2, 3, 5, 6)
    DeepSlots(out, view).write(1, frame)
    small = torch.nn.functional.interpolate(
        torch.from_numpy(expected)[None, :, 2:11, 3:15], (5, 6), mode="bilinear", antialias=True
    )[0]
    torch.testing.assert_close(out[1].double(), (small.flip(-1) - 0.5) / 0.25, atol=1e-5, rtol=0)
