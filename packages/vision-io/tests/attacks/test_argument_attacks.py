"""Regions, sizes and targets that do not fit: an error before anything is written."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import vision_io
from vision_io import LimitError, Limits

HEIGHT, WIDTH = 24, 40
HUGE = 1 << 63
REGIONS = [
    (0, 0, HEIGHT + 1, WIDTH), (0, 0, HEIGHT, WIDTH + 1), (HEIGHT, 0, 1, 1), (0, WIDTH, 1, 1), (-1, 0, 4, 4),
    (0, -1, 4, 4), (0, 0, 0, 4), (0, 0, 4, 0), (0, 0, -4, 4), (1, 1, HEIGHT, 1), (1 << 31, 0, 1, 1),
    (0, 0, 1 << 31, 1), (HUGE, 0, 1, 1), (0, 0, 2 * HUGE, 2 * HUGE), (-HUGE, 0, HUGE, 1), (), (0, 0, 4),
    (0, 0, 4, 4, 4), (0, 0, math.nan, 4), (0, 0, math.inf, 4), (-math.inf, 0, 4, 4), ("a", 0, 1, 1), (None, 0, 1, 1), 7,
    (np.iinfo(np.int64).max, 0, 1, 1),
]  # fmt: skip


@pytest.fixture(scope="module", params=["jpeg", "png", "gif", "webp"])
def picture(request):
    image = torch.arange(3 * HEIGHT * WIDTH).reshape(3, HEIGHT, WIDTH).remainder(253).to(torch.uint8)
    return getattr(vision_io, f"encode_{request.param}")(image)


@pytest.mark.parametrize("region", REGIONS)
def test_regions(picture, region, backend):
    for decode in (vision_io.decode_image, vision_io.load_image):
        with pytest.raises(ValueError, match="region"):
            decode(picture, region=region)
    with pytest.raises(ValueError, match="region"):
        vision_io.decode_resized_crop(picture, 8, region)
    if picture[0] == 0xFF:  # a JPEG
        with pytest.raises(ValueError, match="region"):
            vision_io.decode_jpeg_batch([picture, picture], regions=[None, region])


def targets() -> list[torch.Tensor]:
    shape = (3, HEIGHT, WIDTH)
    return [
        torch.zeros(0, dtype=torch.uint8), torch.zeros(1, HEIGHT, WIDTH, dtype=torch.uint8),
        torch.zeros(3, HEIGHT - 1, WIDTH, dtype=torch.uint8), torch.zeros(3, HEIGHT, WIDTH + 1, dtype=torch.uint8),
        torch.zeros(3 * HEIGHT * WIDTH, dtype=torch.uint8), torch.zeros(1, *shape, dtype=torch.uint8),
        torch.zeros(shape, dtype=torch.int8), torch.zeros(shape), torch.zeros(shape, dtype=torch.uint8, device="meta"),
    ]  # fmt: skip


def test_targets_that_do_not_fit(picture, backend):
    for out in targets():
        with pytest.raises(ValueError, match="out"):
            vision_io.decode_image(picture, "RGB", out=out)
        with pytest.raises(ValueError, match="out"):
            vision_io.decode_resized_crop(picture, HEIGHT, out=out)
        if picture[0] == 0xFF:
            with pytest.raises(ValueError, match="out"):
                vision_io.decode_jpeg_batch([picture], out=[out])


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 1, 0), (0, 2, 1)])
def test_targets_of_any_strides(picture, backend, order):
    """Nothing outside of the target is written, whatever its strides."""
    expected = vision_io.decode_image(picture, "RGB")
    sizes = [(3, HEIGHT, WIDTH)[axis] for axis in order]
    canvas = torch.full([size + 4 for size in sizes], 77, dtype=torch.uint8)
    inside = canvas[2:-2, 2:-2, 2:-2]
    out = inside.permute([order.index(axis) for axis in range(3)])
    assert vision_io.decode_image(picture, "RGB", out=out) is out
    assert torch.equal(out, expected)
    inside.fill_(77)
    assert bool((canvas == 77).all())


def test_a_target_over_the_file_itself():
    image = torch.arange(3 * 8 * 8).reshape(3, 8, 8).to(torch.uint8)
    data = torch.cat([vision_io.encode_png(image), torch.zeros(400, dtype=torch.uint8)])
    out = data[:192].view(3, 8, 8)
    assert torch.equal(vision_io.decode_image(data, out=out), image)


@pytest.mark.extra_video
def test_videos(moving_bars):
    pytest.importorskip("av")
    with vision_io.VideoDecoder(moving_bars) as decoder:
        count, shape = 2, (3, 64, 96)
        for wrong in ((1, *shape), (count, 3, 64, 95), (count, 1, 64, 96), shape, (count, 96, 64, 3), (0,)):
            with pytest.raises(ValueError, match="out"):
                decoder.get_frames_at([0, 1], out=torch.zeros(wrong, dtype=torch.uint8))
        for dtype in (torch.int8, torch.float32, torch.int64):
            with pytest.raises(ValueError, match="out"):
                decoder.get_frames_at([0, 1], out=torch.zeros(count, *shape, dtype=dtype))
        with pytest.raises(ValueError, match="out"):
            decoder.get_frames_at([0], out=torch.zeros(1, *shape, dtype=torch.uint8, device="meta"))
        for crop in ((0, 0, 65, 96), (0, 1, 64, 96), (-1, 0, 4, 4), (0, 0, 0, 1), (1 << 40, 0, 1, 1), (0, 0, 1)):
            with pytest.raises(ValueError, match="crop"):
                decoder.get_frames_at([0], crop=crop)
        with pytest.raises(LimitError, match="max_batch_bytes"):
            decoder.get_frames_at([0], size=(1 << 20, 1 << 20))
        with pytest.raises(LimitError, match="max_batch_bytes"):
            decoder.get_frames_played_in_range(0.0, 1.0, fps=1e15)
        for index in (40, -41, 1 << 40, -(1 << 40)):
            with pytest.raises(IndexError):
                decoder.get_frame_at(index)
        for seconds in (math.nan, math.inf, -math.inf, 1e300):
            with pytest.raises(IndexError):
                decoder.get_frame_played_at(seconds)


def test_every_bound_is_a_field_and_is_checked(moving_bars):
    pytest.importorskip("av")
    png = vision_io.encode_png(torch.zeros(3, 10, 20, dtype=torch.uint8))
    data = png.numpy().tobytes()
    clip = vision_io.encode_gif(torch.arange(3 * 3 * 64).reshape(3, 3, 8, 8).to(torch.uint8))
    for limits, text in ((Limits(max_pixels=199), "max_pixels"), (Limits(max_side=19), "max_side")):
        for call in (
            lambda limits: vision_io.decode_image(data, limits=limits),
            lambda limits: vision_io.decode_png(png, limits=limits),
            lambda limits: vision_io.decode_resized_crop(data, 4, limits=limits),
            lambda limits: vision_io.decode_image(data, region=(0, 0, 1, 1), limits=limits),
        ):
            with pytest.raises(LimitError, match=text):
                call(limits)
        with pytest.raises(LimitError, match=text):
            vision_io.VideoDecoder(moving_bars, limits=limits)
    with pytest.raises(LimitError, match="max_frames"):
        vision_io.decode_gif(clip, limits=Limits(max_frames=2))
    with pytest.raises(LimitError, match="max_animation_pixels"):
        vision_io.decode_gif(clip, limits=Limits(max_animation_pixels=3 * 64 - 1))
    with pytest.raises(LimitError, match="max_seconds"):
        vision_io.VideoDecoder(moving_bars, limits=Limits(max_seconds=1.0))
    with pytest.raises(LimitError, match="max_streams"):
        vision_io.VideoDecoder(moving_bars, limits=Limits(max_streams=0))
    with pytest.raises(LimitError, match="max_streams"):
        vision_io.read_video(moving_bars, pts_unit="sec", limits=Limits(max_streams=0))
    with pytest.raises(LimitError, match="max_frames"):
        vision_io.read_video_timestamps(moving_bars, "sec", limits=Limits(max_frames=3))
