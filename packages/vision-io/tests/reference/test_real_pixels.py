"""Pixels of real videos: stored PNGs of FFmpeg, swscale itself through PyAV, exact arithmetic, rotation."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

pytestmark = pytest.mark.extra_video

av = pytest.importorskip("av")

from vision_io import DecodeError, VideoDecoder, VideoReader, read_image  # noqa: E402
from vision_io._native import kernels  # noqa: E402

STORED = [
    *(("nasa_13013.mp4", 0, i, f"nasa_13013/stream0_frame{i:06d}.png") for i in (0, 15, 35)),
    *(("nasa_13013.mp4", 3, i, f"nasa_13013/stream3_frame{i:06d}.png") for i in (0, 1, 2, 5, 10, 20, 35, 389)),
    ("av1_video.mkv", None, 10, "av1_video/frame000010.png"),
    ("h265_video.mp4", None, 5, "h265_video/frame000005.png"),
]
# 8-bit 4:2:0 of even height in all matrices and ranges that the files have.
SWSCALE = [
    "WUzgd7C1pWA.mp4", "av1_video.mkv", "bt601_limited_range.mp4", "bt709_full_range.mp4", "cfr.mpeg", "cfr.mov",
    "discard_first_keyframe.mp4", "flipping_a_pancake.mkv", "sine_stereo_mp2.mpg", "test.mp4", "testsrc2_mpeg4.mp4",
    "testsrc2_vp9.webm", "unordered.mov", "v_SoccerJuggling_g23_c01.avi", "RATRACE_wave_f_nm_np1_fr_goo_37.avi",
]  # fmt: skip
EXACT = [
    "bt2020_10bit.mp4", "h265_10bits.mp4", "nasa_13013_hdr.mp4", "testsrc2_12bit_hdr.mp4", "testsrc2_444_8bit_hevc.mp4",
    "testsrc2_odd_height_and_width_444.mp4", "testsrc2_odd_height_and_width_mpeg2.mp4",
    "testsrc2_odd_height_and_width_vp9.mp4",
]  # fmt: skip


@pytest.fixture(params=["kernels", "reference"])
def path_of_pixels(request, monkeypatch):
    """Runs a test with the native kernels and again without them."""
    if request.param == "reference":
        monkeypatch.setattr("vision_io._pixels.store.kernels", None)
    elif kernels is None:
        pytest.skip("no native module")


@pytest.mark.usefixtures("path_of_pixels")
@pytest.mark.parametrize(("name", "stream", "index", "stored"), STORED)
def test_frames_equal_the_stored_ones(name, stream, index, stored, shared):
    expected = read_image(shared / "data" / "reference" / stored)
    with VideoDecoder(shared / "data" / "video" / name, stream_index=stream) as decoder:
        assert torch.equal(decoder[index], expected)


@pytest.mark.parametrize("seconds", [6.1, 12.979633])
def test_the_frame_after_a_seek_equals_the_stored_one(seconds, shared):
    """The stored frames are the first that begin at these times or after."""
    expected = read_image(shared / "data" / "reference" / "nasa_13013" / f"stream3_time{seconds:.6f}.png")
    reader = VideoReader(shared / "data" / "video" / "nasa_13013.mp4", "video:1")
    frame = next(reader.seek(seconds))
    assert torch.equal(frame["data"], expected)
    assert frame["pts"] == pytest.approx(seconds, abs=0.034)
    reader.close()


def _frames_of_pyav(path, indices):
    with av.open(str(path), metadata_errors="replace") as container:
        stream = container.streams.best("video")
        stream.codec_context.thread_count = 1
        for i, frame in enumerate(container.decode(stream)):
            if i in indices:
                yield frame
            if i >= max(indices):
                return


old_converter = pytest.mark.skipif(
    int(av.__version__.partition(".")[0]) < 17, reason="the converter of PyAV 16 takes every matrix for BT.601"
)


@old_converter
@pytest.mark.usefixtures("path_of_pixels")
@pytest.mark.parametrize("name", SWSCALE)
def test_equals_swscale(name, videos):
    with VideoDecoder(videos / name) as decoder:
        indices = sorted({0, min(7, len(decoder) - 1), min(19, len(decoder) - 1)})
        ours = decoder.get_frames_at(indices).data
    theirs = [frame.to_ndarray(format="rgb24") for frame in _frames_of_pyav(videos / name, indices)]
    np.testing.assert_array_equal(ours.permute(0, 2, 3, 1).numpy(), np.stack(theirs))


def _samples(frame):
    """Planes as float64 at full size, and their bits."""
    bits = frame.format.components[0].bits
    planes = []
    for plane, component in zip(frame.planes, frame.format.components, strict=True):
        array = np.frombuffer(plane, np.uint8 if bits == 8 else np.uint16)
        array = array.reshape(plane.height, -1)[:, : component.width].astype(np.float64)
        across = 1 if component.width == frame.width else 2
        down = 1 if component.height == frame.height else 2
        planes.append(array[np.arange(frame.height) // down][:, np.arange(frame.width) // across])
    return planes, bits


@pytest.mark.usefixtures("path_of_pixels")
@pytest.mark.parametrize("name", EXACT)
def test_is_within_half_a_level_of_the_exact_value(name, videos):
    weights = {1: (0.2126, 0.0722), 9: (0.2627, 0.0593)}
    frame = next(_frames_of_pyav(videos / name, [3]))
    (y, u, v), bits = _samples(frame)
    kr, kb = weights.get(int(frame.colorspace), (0.299, 0.114))
    scale = 2.0 ** (bits - 8)
    luma, blue, red = (
        (y - 16 * scale) / (219 * scale),
        (u - 128 * scale) / (224 * scale),
        (v - 128 * scale) / (224 * scale),
    )
    r, b = luma + 2 * (1 - kr) * red, luma + 2 * (1 - kb) * blue
    g = (luma - kr * r - kb * b) / (1 - kr - kb)
    expected = np.clip(255 * np.stack((r, g, b)), 0, 255)
    with VideoDecoder(videos / name) as decoder:
        ours = decoder[3].numpy()
    assert np.abs(ours - expected).max() <= 0.5 + 1e-3


@pytest.mark.parametrize(
    ("name", "folder", "indices", "floor"),
    [
        ("nasa_13013_hdr.mp4", "nasa_13013_hdr", (0, 5), 40),
        ("testsrc2_12bit_hdr.mp4", "testsrc2_12bit_hdr", (0, 5), 30),
    ],
)
def test_high_bit_depth_is_close_to_the_stored_frames(name, folder, indices, floor, shared):
    with VideoDecoder(shared / "data" / "video" / name) as decoder:
        for index in indices:
            expected = read_image(shared / "data" / "reference" / folder / f"frame{index:06d}.png").double()
            error = ((decoder[index].double() - expected) ** 2).mean()
            assert 10 * torch.log10(255**2 / error) > floor


@old_converter
def test_rotation(videos):
    """The same recording, held in three ways: turned frames have their sizes and pixels."""
    for name, turns in (("video_90.mov", 3), ("video_180.mov", 2), ("nasa_13013_rotated.mp4", 1)):
        coded = next(_frames_of_pyav(videos / name, [1])).to_ndarray(format="rgb24")
        expected = np.rot90(coded, turns).transpose(2, 0, 1)
        with VideoDecoder(videos / name) as decoder, VideoDecoder(videos / name, layout="CTHW") as clips:
            assert (decoder.metadata.height, decoder.metadata.width) == expected.shape[1:]
            np.testing.assert_array_equal(decoder[1].numpy(), expected)
            np.testing.assert_array_equal(clips[:2][:, 1].numpy(), expected)


def test_rotation_agrees_with_the_picture_that_ffmpeg_shows(videos, tmp_path):
    import shutil
    import subprocess

    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        pytest.skip("no ffmpeg program")
    for name in ("nasa_13013_rotated.mp4", "video_90.mov", "video_180.mov"):
        shown = tmp_path / f"{name}.png"
        command = [ffmpeg, "-v", "error", "-i", str(videos / name), "-frames:v", "1", "-pix_fmt", "rgb24", str(shown)]
        subprocess.run(command, check=True, timeout=60)
        with VideoDecoder(videos / name) as decoder:
            difference = (decoder[0].double() - read_image(shown).double()).abs()
        assert difference.mean() < 2


def test_damaged_video_gives_what_is_whole_and_then_an_error(shared, videos):
    facts = json.loads((shared / "data" / "reference" / "video_frames.json").read_text())["corrupted.mp4"]
    with VideoDecoder(videos / "corrupted.mp4") as decoder:
        assert decoder[: facts["n_decoded"] - 2].shape[0] == facts["n_decoded"] - 2
        for _ in range(2):
            with pytest.raises(DecodeError, match=r"corrupted\.mp4: .*damaged"):
                decoder[:]
            assert decoder[3].shape == (3, 720, 1280)
