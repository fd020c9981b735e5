"""The decoder on small videos made on the spot: out=, sources, processes, limits, errors, sizes and formats."""

from __future__ import annotations

import io
import multiprocessing
import pickle
import struct
import threading
from fractions import Fraction

import numpy as np
import pytest
import torch

import vision_io
from vision_io import DecodeError, LimitError, Limits, VideoDecoder, VideoEncoder

pytestmark = pytest.mark.extra_video

av = pytest.importorskip("av")


def test_facts(moving_bars):
    with VideoDecoder(moving_bars) as decoder:
        facts = decoder.metadata
        assert (facts.num_frames, facts.height, facts.width) == (40, 64, 96)
        assert facts.average_fps == pytest.approx(30000 / 1001)
        assert facts.duration_seconds == pytest.approx(40 * 1001 / 30000)
        assert (facts.begin_stream_seconds, facts.codec, facts.pixel_format) == (0.0, "h264", "yuv420p")
        assert "num_frames: 40" in str(facts)
        assert "40 frames" in repr(decoder)
        assert not decoder.counted
        assert decoder.key_frames == [0, 12, 24, 36]
        np.testing.assert_allclose(decoder.pts_seconds, np.arange(40) * 1001 / 30000)
        frame, batch = decoder.get_frame_at(3), decoder.get_frames_in_range(0, 4)
        data, pts, duration = frame
        assert torch.equal(data, batch.data[3])
        assert (pts, duration) == (frame.pts_seconds, frame.duration_seconds)
        assert "(3, 64, 96)" in repr(frame)
        assert "(4, 3, 64, 96)" in repr(batch)
        assert len(batch) == 4


def test_pixels_are_those_that_were_written(moving_bars, bars):
    with VideoDecoder(moving_bars) as decoder:
        error = (decoder[:].double() - torch.from_numpy(bars(40)).double()) ** 2
    assert 10 * torch.log10(255**2 / error.mean()) > 30


@pytest.mark.parametrize("layout", ["TCHW", "CTHW"])
def test_out(moving_bars, layout):
    with VideoDecoder(moving_bars, layout=layout) as decoder:
        expected = decoder.get_frames_at([5, 3, 3, 20])
        out = torch.zeros_like(expected.data)
        assert decoder.get_frames_at([5, 3, 3, 20], out=out).data is out
        assert torch.equal(out, expected.data)
        wide = torch.zeros(*expected.data.shape[:-1], 96 + 32, dtype=torch.uint8)[..., 16:-16]
        decoder.get_frames_played_at(expected.pts_seconds, out=wide)
        assert torch.equal(wide, expected.data)
        last = expected.data.stride()
        channels_last = torch.zeros(tuple(expected.data.shape), dtype=torch.uint8).transpose(-1, -2).contiguous()
        channels_last = channels_last.transpose(-1, -2)
        assert channels_last.stride() != last
        decoder.get_frames_at([5, 3, 3, 20], out=channels_last)
        assert torch.equal(channels_last, expected.data)
        single = torch.zeros(3, 64, 96, dtype=torch.uint8)
        assert decoder.get_frame_at(7, out=single).data is single
        assert torch.equal(single, decoder[7])
        assert decoder.get_frame_played_at(0.2, out=single).data is single
        assert torch.equal(single, decoder.get_frame_played_at(0.2).data)
        for wrong in (
            torch.zeros(1),
            torch.zeros_like(expected.data).float(),
            torch.zeros_like(expected.data)[..., :-1],
        ):
            with pytest.raises(ValueError, match="out:"):
                decoder.get_frames_at([5, 3, 3, 20], out=wrong)
        with pytest.raises(ValueError, match="out:"):
            decoder.get_frame_at(0, out=torch.zeros(64, 96, 3, dtype=torch.uint8))


def test_batches_are_contiguous(moving_bars):
    for layout in ("TCHW", "CTHW"):
        with VideoDecoder(moving_bars, layout=layout) as decoder:
            assert decoder[:5].is_contiguous()
            assert decoder.get_frames_at(torch.tensor([1, 2])).data.is_contiguous()
            assert decoder.get_frames_at(np.array([1, 2])).data.is_contiguous()


def test_the_contract_finds_the_decoder(moving_bars):
    from vision_contract import find

    with find("video_decoder", prefer="vision-io")(moving_bars) as decoder:
        assert isinstance(decoder, VideoDecoder)


# -- processes and threads ---------------------------------------------------------------------------------------------


def _sum(decoder: VideoDecoder, index: int, queue) -> None:
    queue.put(int(decoder[index].sum()))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_decoder_serves_another_process(moving_bars, method, threads):
    context = multiprocessing.get_context(method)
    with VideoDecoder(moving_bars, num_threads=threads) as decoder:
        before = int(decoder[20].sum())
        queue = context.Queue()
        process = context.Process(target=_sum, args=(decoder, 20, queue))
        process.start()
        assert queue.get(timeout=60) == before
        process.join(60)
        assert process.exitcode == 0
        assert int(decoder[21].sum()) > 0


class Clips(torch.utils.data.Dataset):
    def __init__(self, decoder: VideoDecoder) -> None:
        self.decoder = decoder

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.decoder.get_frames_in_range(6 * index, 6 * index + 4).data


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_data_loader(moving_bars, method):
    with VideoDecoder(moving_bars) as decoder:
        expected = torch.stack([decoder[6 * i : 6 * i + 4] for i in range(6)])
        loader = torch.utils.data.DataLoader(
            Clips(decoder), batch_size=2, num_workers=2, multiprocessing_context=method
        )
        assert torch.equal(torch.cat(list(loader)), expected)
        assert torch.equal(decoder[0:4], expected[0])


def test_pickling(moving_bars):
    data = moving_bars.read_bytes()
    for source in (moving_bars, str(moving_bars), data, bytearray(data), memoryview(data)):
        with VideoDecoder(source, layout="CTHW") as decoder, pickle.loads(pickle.dumps(decoder)) as copy:
            assert copy.layout == "CTHW"
            assert torch.equal(copy[3:5], decoder[3:5])
    with VideoDecoder(io.BytesIO(data)) as decoder, pytest.raises(DecodeError, match="cannot be pickled"):
        pickle.dumps(decoder)
    decoder = VideoDecoder(moving_bars)
    decoder.close()
    with pytest.raises(DecodeError, match="closed"):
        pickle.dumps(decoder)


def test_an_open_file_cannot_cross_a_fork(moving_bars):
    with moving_bars.open("rb") as file, VideoDecoder(file) as decoder:
        decoder._pid -= 1  # as if this process had been forked
        with pytest.raises(DecodeError, match="after a fork"):
            decoder[0]


def test_threads_may_share_a_decoder(moving_bars):
    with VideoDecoder(moving_bars) as decoder:
        expected = decoder[:]
        wrong = []

        def read(offset: int) -> None:
            for i in range(offset, 40, 3):
                if not torch.equal(decoder[i], expected[i]):
                    wrong.append(i)

        threads = [threading.Thread(target=read, args=(i,)) for i in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong


# -- what is refused ---------------------------------------------------------------------------------------------------


def _message(source, **options) -> str:
    with pytest.raises(DecodeError) as caught:
        VideoDecoder(source, **options)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_what_is_no_video(tmp_path, bars):
    text = tmp_path / "notes.txt"
    text.write_text("hello world\n" * 50)
    empty = tmp_path / "empty.mp4"
    empty.touch()
    image = tmp_path / "photo.jpg"
    vision_io.write_jpeg(torch.from_numpy(bars(1)[0]), image)
    assert _message(text) == f"{text}: a text file, not a video"
    assert _message(empty) == f"{empty}: the file is empty"
    assert _message(tmp_path / "gone.mp4") == f"{tmp_path / 'gone.mp4'}: no such file"
    assert "is a directory" in _message(tmp_path)
    assert "a still image" in _message(image)
    assert "the data is empty" in _message(b"")
    with pytest.raises(TypeError, match="read"):
        VideoDecoder(5)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="layout"):
        VideoDecoder(text, layout="HWTC")
    with pytest.raises(ValueError, match="num_threads"):
        VideoDecoder(text, num_threads=-1)


def test_playlists_are_not_followed(moving_bars, tmp_path):
    """A playlist would make FFmpeg open further files and addresses."""
    for name, text in (
        ("list.m3u8", f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{moving_bars}\n#EXT-X-ENDLIST\n"),
        ("list.ffconcat", f"ffconcat version 1.0\nfile '{moving_bars}'\n"),
    ):
        path = tmp_path / name
        path.write_text(text)
        assert "a text file, not a video" in _message(path)


def test_sound_alone(tmp_path):
    path = tmp_path / "tone.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    assert _message(path) == f"{path}: no video stream; the file holds audio only"


def _faststart(path, target):
    """The same packets in a file that begins with its index."""
    with av.open(str(path)) as source, av.open(str(target), "w", options={"movflags": "faststart"}) as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    return target


def test_cut_off_files(moving_bars, tmp_path):
    data = moving_bars.read_bytes()
    assert "without its index (moov)" in _message(data[: len(data) // 2])
    data = _faststart(moving_bars, tmp_path / "fast.mp4").read_bytes()
    with VideoDecoder(data) as decoder:
        assert len(decoder) == 40
    assert "the file is cut off" in _message(data[: len(data) * 7 // 10])


def test_a_recording_that_begins_and_ends_anywhere(moving_bars, tmp_path):
    """Transport streams are cut by nature: decoding begins at the first key frame and refuses only the last one."""
    path = tmp_path / "whole.ts"
    with av.open(str(moving_bars)) as source, av.open(str(path), "w") as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    data = path.read_bytes()
    with VideoDecoder(data) as whole:
        frames = whole[:]
        assert len(whole) == 40
    with VideoDecoder(data[188 * 12 : 188 * (len(data) * 8 // 10 // 188) + 60]) as part:
        assert 12 <= len(part) < 40
        clip = part[:-1]
        first = next(i for i in range(40) if torch.equal(frames[i], clip[0]))
        assert first > 0
        assert torch.equal(clip, frames[first : first + len(clip)])
        assert torch.equal(part[10], clip[10])
        with pytest.raises(DecodeError, match="damaged"):
            part[-1]


def test_stream_index(moving_bars):
    assert "stream 4 is no video stream" in _message(moving_bars, stream_index=4)
    with VideoDecoder(moving_bars, stream_index=0) as decoder:
        assert decoder.metadata.stream_index == 0


def test_damage_inside(moving_bars):
    """Every frame that comes out is right or an error is raised; nothing crashes, and the decoder goes on."""
    data = bytearray(moving_bars.read_bytes())
    start = data.index(b"mdat") + 600
    rng = np.random.default_rng(0)
    raised = 0
    for _ in range(12):
        broken = data.copy()
        for position in rng.integers(start, start + 3000, 20):
            broken[position] = int(rng.integers(0, 256))
        try:
            with VideoDecoder(broken) as decoder:
                for i in (0, 20, 39):
                    assert decoder[i].shape == (3, 64, 96)
        except DecodeError:
            raised += 1
    assert raised > 0


def test_limits(moving_bars):
    with pytest.raises(LimitError, match="96x64"):
        VideoDecoder(moving_bars, limits=Limits(max_pixels=96 * 64 - 1))
    with pytest.raises(LimitError, match="max_frames"):
        VideoDecoder(moving_bars, limits=Limits(max_frames=39))
    with VideoDecoder(moving_bars, limits=Limits(max_batch_bytes=3 * 64 * 96 * 4)) as decoder:
        assert len(decoder[:4]) == 4
        with pytest.raises(LimitError, match="max_batch_bytes"):
            decoder[:5]
        with pytest.raises(LimitError, match="max_batch_bytes"):
            decoder.get_frames_played_in_range(0, 1, fps=1e9)


def test_ranges_that_make_no_sense(moving_bars):
    with VideoDecoder(moving_bars) as decoder:
        whole = decoder[:]
        for start, stop in ((-1, 3), (0, 41), (5, 4), (-7, -2), (38, 99)):  # as slices go
            assert torch.equal(decoder.get_frames_in_range(start, stop).data, whole[start:stop])
        with pytest.raises(ValueError, match="step"):
            decoder.get_frames_in_range(0, 3, 0)
        for start, stop in ((-0.1, 1), (0, 99), (1, 0.5)):
            with pytest.raises(IndexError, match="range"):
                decoder.get_frames_played_in_range(start, stop)
        with pytest.raises(ValueError, match="fps"):
            decoder.get_frames_played_in_range(0, 1, fps=0)


# -- streams out of the ordinary ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codec", "format", "suffix"),
    [
        ("libx264", "yuv420p", "mp4"),
        ("libx264", "yuvj420p", "mkv"),
        ("libx264", "yuv422p", "mp4"),
        ("libx264", "yuv444p", "mp4"),
        ("libx264", "gray", "mp4"),
        ("libx264", "nv12", "mp4"),
        ("libx264", "yuv420p10le", "mp4"),
        ("libx264rgb", "rgb24", "mkv"),
        ("ffv1", "gbrp10le", "mkv"),
        ("ffv1", "yuva420p", "mkv"),
        ("ffv1", "bgr0", "mkv"),
        ("ffv1", "gray16le", "mkv"),
        ("ffv1", "yuv410p", "mkv"),
        ("mpeg4", "yuv420p", "avi"),
        ("mjpeg", "yuvj422p", "avi"),
    ],
)
def test_pixel_formats(codec, format, suffix, bars, tmp_path):
    path = tmp_path / f"a.{suffix}"
    frames = bars(6)
    options = {"crf": 4} if "264" in codec else {"qscale": 2}
    with VideoEncoder(path, fps=25, codec=codec, pixel_format=format, options=options) as encoder:
        encoder.write(frames)
    luma = np.tensordot([0.299, 0.587, 0.114], frames, axes=([0], [1]))
    expected = np.stack([luma] * 3, axis=1) if format.startswith("gray") else frames
    with VideoDecoder(path) as decoder:
        assert len(decoder) == 6
        got = decoder[:].numpy().astype(float)
    floor = 18 if format == "yuv410p" else 27
    assert 10 * np.log10(255**2 / (((got - expected) ** 2).mean() + 1e-9)) > floor


def test_full_range_is_told_by_the_flag_and_by_the_name(bars, tmp_path):
    """VP9 keeps yuv420p and sets a flag, H.264 changes the name: gray stays gray of the same level in both."""
    gray = np.full((4, 3, 64, 96), 200, np.uint8)
    for codec, suffix in (("libx264", "mp4"), ("libvpx-vp9", "webm")):
        path = tmp_path / f"full.{suffix}"
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
            stream.codec_context.color_range = 2
            for i, picture in enumerate(gray):
                frame = av.VideoFrame.from_ndarray(picture.transpose(1, 2, 0), format="rgb24")
                frame = frame.reformat(format="yuv420p", dst_color_range="JPEG")
                frame.pts = i
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        with VideoDecoder(path) as decoder:
            assert decoder.metadata.full_range
            assert (decoder[:].double() - 200).abs().max() <= 3


def test_a_size_that_changes_on_the_way(bars, tmp_path):
    """Two H.264 streams of different sizes one after the other: all frames come in the size of the first."""
    parts = []
    for height, width in ((64, 96), (32, 48)):
        path = tmp_path / f"{width}.h264"
        with VideoEncoder(path, fps=25, options={"crf": 10, "bf": 0}) as encoder:
            encoder.write(bars(5, height, width))
        parts.append(path.read_bytes())
    with VideoDecoder(b"".join(parts)) as decoder:
        assert len(decoder) == 10
        clip = decoder[:]
        assert clip.shape == (10, 3, 64, 96)
        enlarged = torch.nn.functional.interpolate(torch.from_numpy(bars(1, 32, 48)).float(), (64, 96), mode="bicubic")
        assert (clip[5].float() - enlarged[0]).abs().mean() < 8
        assert torch.equal(decoder[7], clip[7])


# -- which way up, and when --------------------------------------------------------------------------------------------

ONE = 1 << 16
# a, b, c, d of the matrix: x = a p + c q, y = b p + d q; and what that makes of a picture (C, H, W)
MATRICES = {
    (ONE, 0, 0, ONE): lambda x: x,
    (-ONE, 0, 0, ONE): lambda x: x.flip(-1),
    (ONE, 0, 0, -ONE): lambda x: x.flip(-2),
    (-ONE, 0, 0, -ONE): lambda x: x.flip(-1, -2),
    (0, ONE, ONE, 0): lambda x: x.transpose(-1, -2),
    (0, ONE, -ONE, 0): lambda x: x.transpose(-1, -2).flip(-1),
    (0, -ONE, ONE, 0): lambda x: x.transpose(-1, -2).flip(-2),
    (0, -ONE, -ONE, 0): lambda x: x.transpose(-1, -2).flip(-1, -2),
}


def _with_matrix(data: bytes, matrix: tuple[int, int, int, int]) -> bytes:
    """The MP4 file with another matrix in the header of its track (ISO/IEC 14496-12, 8.3.2)."""
    place = data.index(b"tkhd") + 4
    place += 4 + (32 if data[place] == 1 else 20) + 16
    a, b, c, d = matrix
    return data[:place] + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) + data[place + 36 :]


@pytest.mark.parametrize("native", [True, False], ids=["native", "reference"])
@pytest.mark.parametrize("matrix", MATRICES)
def test_display_matrices(moving_bars, matrix, native, monkeypatch):
    data = moving_bars.read_bytes()
    if not native:
        for module in ("store", "shaped", "resize"):
            monkeypatch.setattr(f"vision_io._pixels.{module}.kernels", None)
    with VideoDecoder(data) as upright, VideoDecoder(_with_matrix(data, matrix)) as decoder:
        stored, expected = upright[10], MATRICES[matrix](upright[10])
        facts = decoder.metadata
        assert (facts.height, facts.width) == expected.shape[1:]
        turned = torch.rot90(stored, facts.rotation // 90, (1, 2))
        assert torch.equal(turned.flip(-1) if facts.mirrored else turned, expected)
        assert torch.equal(decoder[10], expected)
        assert torch.equal(decoder.get_frame_at(10, flip=True).data, expected.flip(-1))
        crop = decoder.get_frame_at(10, crop=(8, 20, 30, 40)).data
        assert torch.equal(crop, expected[:, 8:38, 20:60])
        small = decoder.get_frame_at(10, size=(24, 24), dtype=torch.float32).data
        again = torch.nn.functional.interpolate(expected[None].float() / 255, (24, 24), mode="bilinear", antialias=True)
        torch.testing.assert_close(small, again[0], atol=2e-3, rtol=0)


@pytest.mark.parametrize("matrix", [(0, 0, 0, 0), (ONE, ONE // 2, 0, ONE), (46341, 46341, -46341, 46341)])
def test_matrices_that_turn_by_no_right_angle(moving_bars, matrix):
    data = moving_bars.read_bytes()
    with VideoDecoder(data) as upright, VideoDecoder(_with_matrix(data, matrix)) as decoder:
        assert torch.equal(decoder[10], upright[10])
        assert not decoder.metadata.mirrored


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_variable_frame_rate(bars, tmp_path, suffix):
    """Frames of 1, 2 and 7 hundredths of a second: times, durations and what is on screen when."""
    path = tmp_path / f"vfr.{suffix}"
    steps = [1, 2, 7] * 8
    begins = np.cumsum([0, *steps])[:-1]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=100)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 100)
        stream.options = {"crf": "10", "bf": "2", "g": "9"}
        for picture, begin in zip(bars(24), begins.tolist(), strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture.transpose(1, 2, 0)), format="rgb24")
            frame.pts, frame.time_base = begin, Fraction(1, 100)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    for settings in ({}, {"seek_mode": "approximate"}, {"errors": "salvage"}):
        with VideoDecoder(path, **settings) as decoder:
            assert len(decoder) == 24 or settings.get("seek_mode")
            if "seek_mode" not in settings:
                np.testing.assert_allclose(decoder.pts_seconds, begins / 100, atol=1e-3)
                whole = decoder.get_all_frames()
                np.testing.assert_allclose(whole.duration_seconds[:-1], np.array(steps[:-1]) / 100, atol=2e-3)
                frames = whole.data
            # on screen: exactly, also where the index is a guess
            for number in (0, 1, 2, 5, 11, 22):
                time = begins[number] / 100 + 0.006
                frame = decoder.get_frame_played_at(time)
                assert frame.pts_seconds == pytest.approx(begins[number] / 100, abs=1e-3)
                assert torch.equal(frame.data, frames[number])


# -- what is not decoded -----------------------------------------------------------------------------------------------


def test_pictures_that_nobody_needs_are_not_decoded(moving_bars, monkeypatch):
    """B-pictures that no other refers to are left out when only a few frames are wanted, and the rest is the same."""
    from vision_io._video.pyav_source import PyAVSource

    put_out: list[int] = []
    fed: list[int] = []
    decode = PyAVSource._decode

    def counting(self, position):
        frames = decode(self, position)
        fed.append(position)
        put_out.extend(frame.pts for frame in frames)
        return frames

    with VideoDecoder(moving_bars) as decoder:
        whole = decoder[:]
    with VideoDecoder(moving_bars) as decoder:
        monkeypatch.setattr(PyAVSource, "_decode", counting)
        batch = decoder.get_frames_at([1, 9, 11])
        assert torch.equal(batch.data, whole[[1, 9, 11]])
        assert len(put_out) <= 8 < len(fed)  # of the twelve frames of the first group
        put_out.clear()
        assert torch.equal(decoder[12:24], whole[12:24])
        assert len(put_out) >= 12
        fed.clear()
        assert torch.equal(decoder.get_frame_at(38).data, whole[38])
        assert min(fed) >= 36  # from the key frame of its group on
