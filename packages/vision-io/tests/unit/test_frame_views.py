"""Parts of frames, resized and normalised while they are decoded, against the same steps done afterwards by Pillow."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

pytest.importorskip("av")

from vision_io import VideoDecoder, VideoEncoder
from vision_io._native import kernels
from vision_io._pixels import resize, shaped
from vision_io._pixels.reference import rgb_planes
from vision_io._pixels.shaped import ShapedSlots
from vision_io._video.view import View

pytestmark = pytest.mark.extra_video

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture(params=["native", "torch"])
def path(request, monkeypatch):
    """Runs the test with the native kernels and with the torch reference."""
    if request.param == "torch":
        monkeypatch.setattr(shaped, "kernels", None)
        monkeypatch.setattr(resize, "kernels", None)
    elif kernels is None:
        pytest.skip("no native module")
    return request.param


def expected(frames: torch.Tensor, crop=None, size=None, flip=False, mean=None, std=None, dtype=None) -> torch.Tensor:
    """What the options mean, step by step in float64; frames (N, 3, H, W) uint8."""
    values = frames.double()
    if crop is not None:
        top, left, height, width = crop
        values = values[..., top : top + height, left : left + width]
    if size is not None:
        if isinstance(size, int):
            height, width = values.shape[-2:]
            size = (size, int(size * width / height)) if height <= width else (int(size * height / width), size)
        if tuple(size) != tuple(values.shape[-2:]):
            flat = [np.asarray(_resized(plane, size)) for plane in values.flatten(0, 1).float().numpy()]
            values = torch.from_numpy(np.stack(flat)).view(*values.shape[:2], *size).double()
    if flip:
        values = values.flip(-1)
    if dtype is None:
        dtype = torch.uint8 if mean is None and std is None else torch.float32
    if dtype == torch.uint8:
        return values.round().clamp(0, 255).to(torch.uint8)
    values = values / 255
    if mean is not None:
        values = values - torch.tensor(mean).view(-1, 1, 1)
    if std is not None:
        values = values / torch.tensor(std).view(-1, 1, 1)
    return values.to(dtype)


def _resized(plane: np.ndarray, size) -> Image.Image:
    """By Pillow, in float."""
    return Image.fromarray(plane, "F").resize((size[1], size[0]), Image.Resampling.BILINEAR)


OPTIONS = [
    {"crop": (3, 5, 40, 51)},
    {"flip": True},
    {"crop": (2, 4, 60, 80), "flip": True},
    {"size": (32, 48)},
    {"size": 24},
    {"size": (100, 33)},
    {"crop": (1, 1, 47, 33), "size": (17, 90), "flip": True},
    {"mean": MEAN, "std": STD},
    {"dtype": torch.float32},
    {"size": (32, 32), "mean": MEAN, "std": STD, "flip": True},
    {"crop": (0, 0, 1, 1), "size": (5, 7), "dtype": torch.float32},
    {"size": (1, 1), "mean": (0.5,) * 3},
    {"size": (40, 40), "dtype": torch.float16},
    {"size": (40, 40), "dtype": torch.bfloat16, "std": STD},
]


def close(actual: torch.Tensor, wanted: torch.Tensor) -> None:
    assert actual.dtype == wanted.dtype
    assert actual.shape == wanted.shape
    if actual.dtype == torch.uint8:
        difference = (actual.int() - wanted.int()).abs()
        assert difference.max() <= 1
        assert (difference > 0).float().mean() < 0.01  # only where a half is rounded
    else:
        tolerance = {torch.float32: 2e-5, torch.float16: 4e-3, torch.bfloat16: 4e-2}[actual.dtype]
        torch.testing.assert_close(actual.double(), wanted.double(), atol=tolerance, rtol=0)


@pytest.mark.parametrize("layout", ["TCHW", "CTHW"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_steps_afterwards(options, layout, path, moving_bars):
    wanted = [7, 30, 7, 2]
    with VideoDecoder(moving_bars) as decoder:
        frames = decoder.get_frames_at(wanted).data
    with VideoDecoder(moving_bars, layout=layout, **options) as decoder:
        batch = decoder.get_frames_at(wanted).data
        assert batch.is_contiguous()
        single = decoder.get_frame_at(30).data
        assert torch.equal(decoder.get_frames_at(wanted, out=torch.empty_like(batch)).data, batch)
    with VideoDecoder(moving_bars, layout=layout) as decoder:
        assert torch.equal(decoder.get_frames_at(wanted, **options).data, batch)
    batch = batch if layout == "TCHW" else batch.transpose(0, 1)
    assert torch.equal(batch[1], single)
    close(batch, expected(frames, **options))


@pytest.mark.parametrize(
    ("format", "size"),
    [("yuv420p", (37, 22)), ("yuv420p", (38, 21)), ("yuv422p", (40, 20)), ("yuv444p", (33, 20)), ("nv12", (38, 22)),
     ("yuv420p10le", (38, 22)), ("p010le", (36, 24)), ("gray", (31, 17)), ("gbrp", (20, 20)), ("rgb24", (21, 13)),
     ("yuva420p", (38, 22)), ("yuv411p", (40, 20))],
)  # fmt: skip
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_every_format_cuts_where_it_should(format, size, rotation, make_frame, path):
    frame = make_frame(format, *size, rotation=rotation)
    whole = np.rot90(rgb_planes(frame), rotation // 90, (1, 2)).copy()
    height, width = whole.shape[1:]
    generator = np.random.default_rng(0)
    for _ in range(8):
        top, left = int(generator.integers(0, height)), int(generator.integers(0, width))
        crop = (top, left, int(generator.integers(1, height - top + 1)), int(generator.integers(1, width - left + 1)))
        slots = torch.empty((1, 3, *crop[2:]), dtype=torch.uint8)
        ShapedSlots(slots, View(crop=crop), (height, width)).write(0, frame)
        np.testing.assert_array_equal(slots[0], whole[:, top : top + crop[2], left : left + crop[3]])


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.booleans(), st.integers(0, 9))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_size(make_frame, height, width, rows, columns, flip, seed):
    frame = make_frame("rgb24", width, height, seed=seed)
    slots = torch.empty((1, 3, rows, columns))
    ShapedSlots(slots, View(size=(rows, columns), flip=flip, dtype=torch.float32), (height, width)).write(0, frame)
    options = {"size": (rows, columns), "flip": flip, "dtype": torch.float32}
    close(slots, expected(torch.from_numpy(rgb_planes(frame))[None], **options))


def test_instruction_sets_agree(make_frame, isa):
    frame = make_frame("yuv420p", 90, 62)
    view = View(crop=(3, 5, 50, 70), size=(41, 29), mean=MEAN, std=STD, dtype=torch.float32)
    slots = torch.empty((1, 3, 41, 29))
    ShapedSlots(slots, view, (62, 90)).write(0, frame)
    options = {"crop": view.crop, "size": view.size, "mean": MEAN, "std": STD}
    close(slots, expected(torch.from_numpy(rgb_planes(frame))[None], **options))


def test_rotated_video(tmp_path, bars):
    """The crop counts in the frame as it is displayed."""
    import av

    upright, turned = tmp_path / "a.mp4", tmp_path / "b.mp4"
    with VideoEncoder(upright, fps=25, preset="ultrafast") as encoder:
        encoder.write(bars(4))
    with av.open(str(upright)) as source, av.open(str(turned), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        stream.set_display_rotation(90) if hasattr(stream, "set_display_rotation") else pytest.skip("no such setting")
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    with VideoDecoder(turned) as decoder:
        whole = decoder[:]
        part = decoder.get_frames_in_range(0, 4, crop=(10, 6, 70, 40)).data
    assert torch.equal(part, whole[:, :, 10:80, 6:46])


def test_the_view_of_a_decoder_is_changed_for_one_call(moving_bars):
    with VideoDecoder(moving_bars, size=(20, 30), mean=MEAN, std=STD) as decoder:
        assert decoder.get_frame_at(0).data.shape == (3, 20, 30)
        assert decoder.get_frame_at(0, size=None).data.shape == (3, 64, 96)
        plain = decoder.get_frame_at(0, size=None, mean=None, std=None, dtype=torch.uint8).data
        copy = pickle.loads(pickle.dumps(decoder))
        assert torch.equal(copy.get_frame_at(3).data, decoder.get_frame_at(3).data)
    with VideoDecoder(moving_bars) as decoder:
        assert torch.equal(decoder[0], plain)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"crop": (0, 0, 65, 10)}, r"crop: rows 0 to 65 .* 64 x 96"),
        ({"crop": (0, 0, 0, 10)}, r"crop: got \(0, 0, 0, 10\)"),
        ({"crop": (-1, 0, 3, 3)}, "crop: got"),
        ({"crop": (1, 2, 3)}, "crop: got"),
        ({"size": 0}, "size: got 0"),
        ({"size": (1, 2, 3)}, "size: got"),
        ({"mean": (0.5, 0.5)}, "mean: got"),
        ({"mean": float("nan")}, "mean: got nan"),
        ({"std": 0.0}, "std: got"),
        ({"dtype": torch.int32}, "dtype: got torch.int32"),
        ({"mean": 0.5, "dtype": torch.uint8}, "cannot be applied to torch.uint8"),
    ],
)
def test_bad_options(options, message, moving_bars):
    with pytest.raises(ValueError, match=message):
        VideoDecoder(moving_bars, **options)
    with VideoDecoder(moving_bars) as decoder, pytest.raises(ValueError, match=message):
        decoder.get_frames_at([0], **options)


def test_an_option_that_does_not_exist(moving_bars):
    with pytest.raises(TypeError, match="unknown options sizes"):
        VideoDecoder(moving_bars, sizes=3)  # type: ignore[call-arg]


def test_out_of_another_type(moving_bars):
    wrong = torch.empty(3, 64, 96, dtype=torch.uint8)
    message = r"expected \(3, 64, 96\) torch.float32"
    with VideoDecoder(moving_bars, dtype=torch.float32) as decoder, pytest.raises(ValueError, match=message):
        decoder.get_frame_at(0, out=wrong)
