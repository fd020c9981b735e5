"""The one-pass path from planes to shaped frames against the steps in memory, on every instruction set."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vision_io._native import kernels
from vision_io._pixels import shaped, store
from vision_io._pixels.reference import rgb_planes
from vision_io._pixels.shaped import ShapedSlots
from vision_io._pixels.store import FrameSlots, FreshPages, empty_frames, empty_uint8, write_rgb
from vision_io._video.view import View

pytestmark = pytest.mark.skipif(kernels is None, reason="no native module")

FORMATS = [
    ("yuv420p", (90, 62)), ("yuv420p", (37, 22)), ("yuv420p", (38, 21)), ("yuv422p", (47, 20)), ("yuv444p", (33, 21)),
    ("yuv440p", (33, 21)), ("yuv411p", (42, 20)), ("nv12", (70, 44)), ("nv21", (38, 22)), ("nv16", (39, 21)),
    ("yuv420p10le", (75, 45)), ("yuv444p12le", (21, 19)), ("p010le", (36, 24)), ("yuvj420p", (64, 64)),
]  # fmt: skip


@pytest.mark.parametrize(("format", "size"), FORMATS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8])
def test_rows_on_the_way_equal_rows_in_memory(format, size, dtype, isa, make_frame, monkeypatch):
    """Bit for bit: the arithmetic is the same, only the order of the rows is another."""
    frame = make_frame(format, *size)
    height, width = frame.display_size
    generator = np.random.default_rng(0)
    for case in range(12):
        top, left = int(generator.integers(0, height)), int(generator.integers(0, width))
        crop = (top, left, int(generator.integers(1, height - top + 1)), int(generator.integers(1, width - left + 1)))
        rows, columns = (crop[2:]) if case == 0 else generator.integers(1, 80, 2).tolist()
        mean = (0.4, 0.5, 0.6) if dtype == torch.float32 else None
        view = View(crop=crop, size=(rows, columns), flip=bool(case % 2), mean=mean, dtype=dtype)
        clip = torch.full((3, 2, rows, columns), 7, dtype=dtype)  # a slot of a (3, T, H, W) clip
        ShapedSlots(clip.transpose(0, 1), view, (height, width)).write(1, frame)
        with monkeypatch.context() as patch:
            patch.setattr(shaped, "_converts_rows", lambda frame: False)
            expected = torch.empty(1, 3, rows, columns, dtype=dtype)
            ShapedSlots(expected, view, (height, width)).write(0, frame)
        assert torch.equal(clip[:, 1], expected[0]), (crop, rows, columns)
        assert bool((clip[:, 0] == 7).all())


def test_shaping_many_sizes_in_turn(make_frame):
    """Plans are kept from call to call: an old one must never serve another size."""
    small, large = make_frame("yuv420p", 32, 20), make_frame("yuv420p", 64, 48, seed=1)
    views = [View(size=(10, 12), dtype=torch.float32), View(size=(12, 10), dtype=torch.float32),
             View(size=(10, 12), flip=True, dtype=torch.float32)]  # fmt: skip
    results = {}
    for _ in range(3):
        for frame in (small, large):
            for view in views:
                assert isinstance(view.size, tuple)
                slot = torch.empty(1, 3, *view.size)
                ShapedSlots(slot, view, frame.display_size).write(0, frame)
                first = results.setdefault((frame.width, view), slot)
                assert torch.equal(slot, first)
    assert torch.equal(results[32, views[0]].flip(-1), results[32, views[2]])


@pytest.mark.parametrize("offset", [0, 1, 16, 32])
@pytest.mark.parametrize(("width", "height"), [(64, 4), (128, 6), (130, 6), (66, 2), (320, 8), (63, 4)])
def test_stores_past_the_cache(width, height, offset, isa, make_frame):
    frame = make_frame("yuv420p", width, height)
    for row, channel in ((width, width * height), (width + 64 - width % 64, 64 * 12 * height)):
        memory = np.full(64 + offset + 3 * channel + 64, 0xA5, np.uint8)
        begin = -memory.ctypes.data % 64 + offset
        write_rgb(frame, memory.ctypes.data + begin, channel, row, True)
        shown = np.ndarray((3, height, width), np.uint8, memory, begin, (channel, row, 1))
        np.testing.assert_array_equal(shown, rgb_planes(frame))
        shown[:] = 0xA5
        assert (memory == 0xA5).all()


def test_large_tensors_begin_at_a_line(monkeypatch):
    monkeypatch.setattr(store, "_CACHED_UP_TO", 1000)
    for _ in range(4):
        tensor = empty_uint8(5, 3, 11, 13)
        assert tensor.shape == (5, 3, 11, 13)
        assert tensor.is_contiguous()
        assert tensor.data_ptr() % 64 == 0
        floats = empty_frames((2, 3, 20, 30), torch.bfloat16)
        assert floats.dtype == torch.bfloat16
        assert floats.shape == (2, 3, 20, 30)


@pytest.mark.parametrize("layout", ["TCHW", "CTHW"])
def test_pages_of_new_memory(layout, monkeypatch, make_frame):
    """Preparing a slot neither changes what is there nor touches what is beside it."""
    monkeypatch.setattr(store, "_HUGE_PAGES_UP_TO", 1000)
    frame = make_frame("yuv420p", 70, 46)
    clip = torch.full((5, 3, 46, 70) if layout == "TCHW" else (3, 5, 46, 70), 9, dtype=torch.uint8)
    slots = clip if layout == "TCHW" else clip.transpose(0, 1)
    pages, written = FreshPages(slots), FrameSlots(slots)
    for slot in range(5):
        pages.prepare(slot)
    assert bool((clip == 9).all())
    written.write(2, frame)
    pages.prepare(2)
    np.testing.assert_array_equal(slots[2], rgb_planes(frame))
    assert bool((slots[[0, 1, 3, 4]] == 9).all())
    FreshPages(torch.empty(0, 3, 4, 4, dtype=torch.uint8)).prepare(0)
