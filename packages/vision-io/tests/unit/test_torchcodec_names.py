"""What code written for TorchCodec 0.14 finds here under the same names, and that it does what it is called."""

from __future__ import annotations

import dataclasses
import inspect
import io
import json

import pytest
import torch

import vision_io
from vision_io import AudioDecoder, DecodeError, Frame, FrameBatch, VideoDecoder, VideoMetadata, samplers, transforms

pytestmark = pytest.mark.extra_video

av = pytest.importorskip("av")

# Written down from the documentation of TorchCodec 0.14: signatures, attributes and fields.
ARGUMENTS = {
    "source", "stream_index", "dimension_order", "num_ffmpeg_threads", "device", "seek_mode", "transforms",
    "output_dtype", "custom_frame_mappings",
}  # fmt: skip
ATTRIBUTES = {
    "cpu_fallback", "get_all_frames", "get_frame_at", "get_frame_played_at", "get_frames_at", "get_frames_in_range",
    "get_frames_played_at", "get_frames_played_in_range", "metadata", "stream_index", "__len__", "__getitem__",
}  # fmt: skip
PARAMETERS = {
    "get_all_frames": ["fps"],
    "get_frame_at": ["index"],
    "get_frame_played_at": ["seconds"],
    "get_frames_at": ["indices"],
    "get_frames_in_range": ["start", "stop", "step"],
    "get_frames_played_at": ["seconds"],
    "get_frames_played_in_range": ["start_seconds", "stop_seconds", "fps"],
}
FIELDS = {
    "duration_seconds_from_header", "begin_stream_seconds_from_header", "bit_rate", "codec", "stream_index",
    "duration_seconds", "begin_stream_seconds", "begin_stream_seconds_from_content", "end_stream_seconds_from_content",
    "width", "height", "num_frames_from_header", "num_frames_from_content", "average_fps_from_header",
    "pixel_aspect_ratio", "rotation", "color_primaries", "color_space", "color_transfer_characteristic",
    "pixel_format", "end_stream_seconds", "num_frames", "average_fps",
}  # fmt: skip
AUDIO_FIELDS = {
    "duration_seconds_from_header", "begin_stream_seconds_from_header", "bit_rate", "codec", "stream_index",
    "duration_seconds", "begin_stream_seconds", "sample_rate", "num_channels", "sample_format",
}  # fmt: skip
SAMPLERS = {
    "clips_at_random_indices": [
        "decoder", "num_clips", "num_frames_per_clip", "num_indices_between_frames", "sampling_range_start",
        "sampling_range_end", "policy",
    ],
    "clips_at_regular_indices": [
        "decoder", "num_clips", "num_frames_per_clip", "num_indices_between_frames", "sampling_range_start",
        "sampling_range_end", "policy",
    ],
    "clips_at_random_timestamps": [
        "decoder", "num_clips", "num_frames_per_clip", "seconds_between_frames", "sampling_range_start",
        "sampling_range_end", "policy",
    ],
    "clips_at_regular_timestamps": [
        "decoder", "seconds_between_clip_starts", "num_frames_per_clip", "seconds_between_frames",
        "sampling_range_start", "sampling_range_end", "policy",
    ],
}  # fmt: skip


def test_names():
    assert set(inspect.signature(VideoDecoder).parameters) >= ARGUMENTS
    assert set(dir(VideoDecoder)) >= ATTRIBUTES
    for name, expected in PARAMETERS.items():
        parameters = list(inspect.signature(getattr(VideoDecoder, name)).parameters)[1:]
        assert parameters[: len(expected)] == expected, name
    assert {field.name for field in dataclasses.fields(VideoMetadata)} >= FIELDS
    assert {field.name for field in dataclasses.fields(vision_io.AudioMetadata)} >= AUDIO_FIELDS
    audio = inspect.signature(AudioDecoder).parameters
    assert set(audio) >= {"source", "stream_index", "sample_rate", "num_channels"}
    assert set(dir(AudioDecoder)) >= {"get_all_samples", "get_samples_played_in_range", "metadata", "stream_index"}
    for name, expected in SAMPLERS.items():
        assert list(inspect.signature(getattr(samplers, name)).parameters)[: len(expected)] == expected
    for result in (Frame, FrameBatch):
        names = [field.name for field in dataclasses.fields(result)]
        assert names[:3] == ["data", "pts_seconds", "duration_seconds"]
    assert [f.name for f in dataclasses.fields(vision_io.AudioSamples)] == [
        "data", "pts_seconds", "duration_seconds", "sample_rate",
    ]  # fmt: skip
    assert set(transforms.__all__) >= {"CenterCrop", "DecoderTransform", "RandomCrop", "Resize"}


def test_dimension_order(moving_bars):
    with VideoDecoder(moving_bars) as first, VideoDecoder(moving_bars, dimension_order="NHWC") as last:
        assert last.layout == "THWC"
        assert torch.equal(last[2:6], first[2:6].permute(0, 2, 3, 1))
        assert last[2:6].is_contiguous()
        assert torch.equal(last[3], first[3].permute(1, 2, 0))
        out = torch.zeros(2, 64, 96, 3, dtype=torch.uint8)
        assert last.get_frames_at([7, 1], out=out).data is out
        assert torch.equal(out, first.get_frames_at([7, 1]).data.permute(0, 2, 3, 1))
        small = {"size": (32, 48), "mean": 0.5, "std": 0.25}
        torch.testing.assert_close(
            last.get_frames_at([5], **small).data, first.get_frames_at([5], **small).data.permute(0, 2, 3, 1)
        )
    for wrong in ({"dimension_order": "HWC"}, {"dimension_order": "NHWC", "layout": "CTHW"}):
        with pytest.raises(ValueError, match="dimension_order"):
            VideoDecoder(moving_bars, **wrong)


def test_sources(moving_bars):
    data = moving_bars.read_bytes()

    class Minimal:
        """What TorchCodec asks of a file object, and no more."""

        def __init__(self) -> None:
            self.file = io.BytesIO(data)

        def read(self, size: int) -> bytes:
            return self.file.read(size)

        def seek(self, offset: int, whence: int) -> int:
            return self.file.seek(offset, whence)

    tensor = torch.frombuffer(bytearray(data), dtype=torch.uint8)
    with VideoDecoder(moving_bars) as expected:
        for source in (tensor, Minimal()):
            with VideoDecoder(source, num_ffmpeg_threads=0) as decoder:  # pyright: ignore[reportArgumentType]
                assert torch.equal(decoder[4:8], expected[4:8])
    with pytest.raises(ValueError, match="one-dimensional uint8"):
        VideoDecoder(torch.zeros(3, 4))
    with pytest.raises(ValueError, match="num_threads"):
        VideoDecoder(moving_bars, num_ffmpeg_threads=-1)


def test_output_dtype(moving_bars, tmp_path, bars):
    deep = tmp_path / "deep.mp4"
    with vision_io.VideoEncoder(deep, fps=25, pixel_format="yuv420p10le", options={"crf": 4}) as encoder:
        encoder.write(bars(4))
    with VideoDecoder(moving_bars, output_dtype="auto") as decoder:
        assert decoder[0].dtype == torch.uint8
    with VideoDecoder(deep, output_dtype="auto") as decoder, VideoDecoder(deep) as bytes_:
        assert decoder.metadata.bits == 10
        assert decoder[0].dtype == torch.float32
        assert (decoder[:] * 255 - bytes_[:]).abs().max() <= 0.51
    with VideoDecoder(moving_bars, output_dtype=torch.float32) as decoder, VideoDecoder(moving_bars) as bytes_:
        torch.testing.assert_close(decoder[3], bytes_[3].float() / 255)
        assert decoder.get_frame_at(3, dtype=torch.uint8).data.dtype == torch.uint8
    with pytest.raises(ValueError, match="output_dtype"):
        VideoDecoder(moving_bars, output_dtype="best")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="two names"):
        VideoDecoder(moving_bars, output_dtype=torch.float32, dtype=torch.float16)


def test_device(moving_bars):
    with VideoDecoder(moving_bars, device="cpu") as decoder:
        assert not decoder.cpu_fallback
        assert "as asked for" in str(decoder.cpu_fallback)
        assert decoder.stream_index == decoder.metadata.stream_index == 0
    with VideoDecoder(moving_bars, device="meta") as decoder:
        assert decoder.cpu_fallback
        assert "copied to meta" in str(decoder.cpu_fallback)
        batch = decoder.get_frames_at([1, 2])
        assert batch.data.device.type == "meta"
        assert batch.data.shape == (2, 3, 64, 96)
        assert batch.pts_seconds.device.type == decoder.pts_seconds.device.type == "cpu"
        assert decoder[0].device.type == "meta"
        with pytest.raises(ValueError, match="on meta"):
            decoder.get_frame_at(0, out=torch.zeros(3, 64, 96, dtype=torch.uint8))


@pytest.mark.parametrize("layout", ["TCHW", "CTHW", "THWC"])
def test_batches_are_sequences_of_frames(moving_bars, layout):
    with VideoDecoder(moving_bars, layout=layout) as decoder:
        batch = decoder.get_frames_at([3, 9, 27])
        assert len(list(batch)) == len(batch) == 3
        for i, (single, number) in enumerate(zip(batch, (3, 9, 27), strict=True)):
            frame = decoder.get_frame_at(number)
            for one in (single, batch[i]):
                assert isinstance(one, FrameBatch)
                assert torch.equal(one.data, frame.data)
                assert float(one.pts_seconds) == frame.pts_seconds
                assert float(one.duration_seconds) == frame.duration_seconds
        part = batch[1:]
        expected = decoder.get_frames_at([9, 27])
        assert torch.equal(part.data, expected.data)
        assert torch.equal(part.pts_seconds, expected.pts_seconds)
        clips = samplers.clips_at_regular_indices(decoder, num_clips=3, num_frames_per_clip=2)
        assert torch.equal(clips[1].data, clips.data[1])
        assert clips[1].pts_seconds.shape == (2,)
        assert torch.equal(next(iter(clips)).data, clips.data[0])


# -- transforms --------------------------------------------------------------------------------------------------------


def test_transforms(moving_bars):
    t = transforms
    with VideoDecoder(moving_bars) as plain:
        frame = plain[5]

        def got(*chosen, **options) -> torch.Tensor:
            with VideoDecoder(moving_bars, transforms=chosen, **options) as decoder:
                return decoder.get_frames_at([5, 5]).data[1]

        assert torch.equal(got(), frame)
        assert torch.equal(got(t.CenterCrop((21, 30))), frame[:, 22:43, 33:63])
        assert torch.equal(got(t.CenterCrop((40, 60)), t.CenterCrop((20, 20))), frame[:, 22:42, 38:58])
        small = plain.get_frame_at(5, size=(32, 48)).data
        assert torch.equal(got(t.Resize((32, 48))), small)
        assert torch.equal(got(t.Resize(32)), small)
        assert torch.equal(got(t.Resize((32, 48)), t.CenterCrop((16, 20))), small[:, 8:24, 14:34])
        assert torch.equal(got(t.Resize((32, 48)), t.CenterCrop((16, 20)), flip=True), small[:, 8:24, 14:34].flip(-1))
        cut = plain.get_frame_at(5, crop=(12, 18, 40, 60), size=(20, 20)).data
        assert torch.equal(got(t.CenterCrop((40, 60)), t.Resize((20, 20))), cut)
        torch.testing.assert_close(
            got(t.Resize((32, 48)), t.CenterCrop((16, 20)), mean=0.5, std=0.5),
            small[:, 8:24, 14:34].float() / 127.5 - 1,
        )
        twice = got(t.Resize((32, 48)), t.CenterCrop((16, 20)), t.Resize((8, 10)))
        expected = torch.nn.functional.interpolate(
            small[None, :, 8:24, 14:34].float(), (8, 10), mode="bilinear", antialias=True
        )[0]
        assert (twice.float() - expected).abs().max() <= 0.51


def test_random_crops_stay_where_they_are(moving_bars):
    torch.manual_seed(5)
    with (
        VideoDecoder(moving_bars, transforms=[transforms.RandomCrop((20, 30))]) as decoder,
        VideoDecoder(moving_bars) as plain,
    ):
        clip, whole = decoder[:3], plain[:3]
        places = [
            (top, left)
            for top in range(45)
            for left in range(67)
            if torch.equal(whole[0, :, top : top + 20, left : left + 30], clip[0])
        ]
        assert len(places) == 1
        top, left = places[0]
        assert torch.equal(clip, whole[:, :, top : top + 20, left : left + 30])
        assert decoder.get_frame_at(1, crop=(0, 0, 8, 8)).data.shape == (3, 8, 8)


def test_transforms_of_other_libraries(moving_bars):
    kinds = {
        "Resize": {"size": [32, 48], "antialias": True, "interpolation": "bilinear", "max_size": None},
        "CenterCrop": {"size": (16, 20)},
    }
    theirs = [type(name, (torch.nn.Module,), {})() for name in kinds]
    for transform, values in zip(theirs, kinds.values(), strict=True):
        for name, value in values.items():
            setattr(transform, name, value)
    ours = [transforms.Resize((32, 48)), transforms.CenterCrop((16, 20))]
    with VideoDecoder(moving_bars, transforms=theirs) as first, VideoDecoder(moving_bars, transforms=ours) as second:
        assert torch.equal(first[0], second[0])
    theirs[0].interpolation = "bicubic"
    with pytest.raises(ValueError, match="interpolation=bicubic"):
        VideoDecoder(moving_bars, transforms=theirs)
    with pytest.raises(TypeError, match="got ReLU"):
        VideoDecoder(moving_bars, transforms=[torch.nn.ReLU()])
    with pytest.raises(ValueError, match="does not fit"):
        VideoDecoder(moving_bars, transforms=[transforms.Resize((32, 48)), transforms.CenterCrop((33, 48))])
    with pytest.raises(ValueError, match="in the place of crop and size"):
        VideoDecoder(moving_bars, transforms=ours, size=12)
    with pytest.raises(ValueError, match="size"):
        transforms.Resize((0, 3))


# -- indices that are not read from the packets ------------------------------------------------------------------------


def test_approximate(moving_bars):
    """The rate is constant and the header right: the same frames, without reading the packets."""
    with VideoDecoder(moving_bars) as exact, VideoDecoder(moving_bars, seek_mode="approximate") as decoder:
        assert len(decoder) == 40
        facts, known = decoder.metadata, exact.metadata
        assert facts.num_frames_from_content is facts.begin_stream_seconds_from_content is None
        assert facts.end_stream_seconds_from_content is None
        assert facts.num_frames_from_header == known.num_frames_from_content == 40
        assert facts.average_fps == pytest.approx(known.average_fps)
        assert facts.duration_seconds == pytest.approx(known.duration_seconds, abs=0.01)
        for indices in ([0], [39], [5, 6, 7], [30, 2, 30, 17], list(range(40))):
            expected, got = exact.get_frames_at(indices), decoder.get_frames_at(indices)
            assert torch.equal(got.data, expected.data)
            torch.testing.assert_close(got.pts_seconds, expected.pts_seconds, atol=1e-9, rtol=0)
        times = exact.pts_seconds + 0.9 * known.duration_seconds / 40
        assert torch.equal(decoder.get_frames_played_at(times).data, exact[:])
        assert torch.equal(
            decoder.get_frames_played_in_range(0.2, 0.7).data, exact.get_frames_played_in_range(0.2, 0.7).data
        )
        with pytest.raises(IndexError):
            decoder[40]
        with pytest.raises(ValueError, match="seek_mode='exact'"):
            decoder.index  # noqa: B018
    for wrong in ({"seek_mode": "fast"}, {"seek_mode": "approximate", "custom_frame_mappings": "{}"}):
        with pytest.raises(ValueError, match="seek_mode"):
            VideoDecoder(moving_bars, **wrong)


def test_approximate_reads_little(tmp_path, bars):
    """Opening must not read the whole file."""
    path = tmp_path / "long.mp4"
    with vision_io.VideoEncoder(path, fps=25, options={"crf": 1, "g": 10, "preset": "ultrafast"}) as encoder:
        for _ in range(4):
            encoder.write(bars(100, 128, 192))

    class Counting(io.FileIO):
        total = 0

        def read(self, size: int = -1) -> bytes:
            data = super().read(size)
            self.total += len(data)
            return data

    size = path.stat().st_size
    with Counting(path) as file, VideoDecoder(file, seek_mode="approximate") as decoder, VideoDecoder(path) as exact:
        assert file.total < size / 2
        assert torch.equal(decoder[310], exact[310])
        assert file.total < size


def test_a_header_that_does_not_say_how_long(moving_bars, tmp_path):
    path = tmp_path / "raw.h264"
    with av.open(str(moving_bars)) as source, av.open(str(path), "w") as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    with pytest.raises(DecodeError, match="seek_mode='exact'"):
        VideoDecoder(path, seek_mode="approximate")


@pytest.fixture
def mappings(moving_bars):
    with VideoDecoder(moving_bars) as decoder:
        keys, index = set(decoder.key_frames), decoder.index.frames
        rows = [
            {"pts": int(p), "duration": int(d), "key_frame": int(i in keys)}
            for i, (p, d) in enumerate(zip(index.pts, index.durations, strict=True))
        ]
    return rows


@pytest.mark.parametrize("names", [("pts", "duration"), ("pkt_pts", "pkt_duration")])
def test_custom_frame_mappings(moving_bars, mappings, names):
    rows = [{names[0]: r["pts"], names[1]: r["duration"], "key_frame": r["key_frame"]} for r in mappings]
    text = json.dumps({"frames": rows})
    with VideoDecoder(moving_bars) as exact:
        for given in (text, text.encode(), io.StringIO(text), io.BytesIO(text.encode())):
            with VideoDecoder(moving_bars, custom_frame_mappings=given) as decoder:
                assert len(decoder) == 40
                assert decoder.key_frames == exact.key_frames
                assert torch.equal(decoder.pts_seconds, exact.pts_seconds)
                for indices in ([39], [3, 20, 4], [0, 1, 2]):
                    expected, got = exact.get_frames_at(indices), decoder.get_frames_at(indices)
                    assert torch.equal(got.data, expected.data)
                    assert torch.equal(got.pts_seconds, expected.pts_seconds)
                assert torch.equal(decoder.get_frame_played_at(0.5).data, exact.get_frame_played_at(0.5).data)
        assert decoder.metadata.num_frames_from_content == 40


def test_mappings_that_are_wrong(moving_bars, mappings):
    for text in ("", "[]", "{}", '{"frames": []}', '{"frames": [{"pts": 3}]}', '{"frames": [5]}'):
        with pytest.raises(ValueError, match="custom_frame_mappings"):
            VideoDecoder(moving_bars, custom_frame_mappings=text)
    with pytest.raises(ValueError, match="same pts"):
        VideoDecoder(moving_bars, custom_frame_mappings=json.dumps({"frames": [*mappings, mappings[3]]}))
    mappings[7]["pts"] += 3
    with VideoDecoder(moving_bars, custom_frame_mappings=json.dumps({"frames": mappings})) as decoder:
        assert decoder[6].shape == (3, 64, 96)
        with pytest.raises(DecodeError, match="list a frame at"):
            decoder[7]
        assert decoder[8].shape == (3, 64, 96)


def test_pickling(moving_bars, mappings):
    import pickle

    for settings in (
        {"seek_mode": "approximate"},
        {"custom_frame_mappings": json.dumps({"frames": mappings})},
        {"transforms": [transforms.RandomCrop((20, 30))], "dimension_order": "NHWC", "output_dtype": torch.float32},
        {"errors": "salvage", "num_ffmpeg_threads": 2, "device": "cpu"},
    ):
        with VideoDecoder(moving_bars, **settings) as decoder, pickle.loads(pickle.dumps(decoder)) as copy:
            assert torch.equal(copy[3:9:2], decoder[3:9:2])
            assert copy.layout == decoder.layout
