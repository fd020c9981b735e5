"""The suite of video_decoder passes a decoder of a toy format and catches wrong ones.

The toy: a magic word, a JSON header with the times, then every frame by itself, compressed and with its length.
"""

import bisect
import io
import json
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from vision_contract.testing import VideoDecoderConformance  # noqa: E402

MAGIC = b"TOYVIDEO"
COUNT, HEIGHT, WIDTH = 24, 12, 10
TICKS = [1000 + 40 * i + 7 * (i % 3) for i in range(COUNT + 1)]  # ms: starts at 1 s, varying rate


@dataclass
class Frame:
    data: torch.Tensor
    pts_seconds: float
    duration_seconds: float


@dataclass
class FrameBatch:
    data: torch.Tensor
    pts_seconds: torch.Tensor
    duration_seconds: torch.Tensor


class ToyDecoder:
    def __init__(self, source, *, layout="TCHW"):
        if layout not in ("TCHW", "CTHW"):
            raise ValueError(layout)
        self.layout = layout
        try:
            if isinstance(source, (str, Path)):
                source = Path(source).read_bytes()
            elif not isinstance(source, bytes):
                source = source.read()
            if source[:8] != MAGIC:
                raise ValueError("not a toy video")
            (size,) = struct.unpack_from("<I", source, 8)
            header = json.loads(source[12 : 12 + size])
        except (OSError, struct.error, ValueError) as error:
            raise ValueError(f"cannot read: {error}") from error
        self.ticks = header["ticks"]
        self.body = source[12 + size :]
        self.offsets = header["offsets"]
        self.shape = header["shape"]
        self.metadata = self.describe()

    def describe(self):
        n, begin, end = len(self.offsets), self.ticks[0] / 1000, self.ticks[-1] / 1000
        return SimpleNamespace(
            num_frames=n,
            begin_stream_seconds=begin,
            end_stream_seconds=end,
            duration_seconds=end - begin,
            average_fps=n / (end - begin),
            height=self.shape[0],
            width=self.shape[1],
            codec="toy",
        )

    def __len__(self):
        return self.metadata.num_frames

    def pixels(self, index):
        if self.body is None:
            raise ValueError("the decoder is closed")
        offset = self.offsets[index]
        try:
            (size,) = struct.unpack_from("<I", self.body, offset)
            data = zlib.decompress(self.body[offset + 4 : offset + 4 + size])
        except (struct.error, zlib.error) as error:
            raise ValueError(f"frame {index} is damaged: {error}") from error
        return torch.frombuffer(bytearray(data), dtype=torch.uint8).reshape(3, *self.shape)

    def normal(self, index):
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return index % len(self)

    def played(self, seconds):
        if not self.metadata.begin_stream_seconds <= seconds < self.metadata.end_stream_seconds:
            raise IndexError(seconds)
        return bisect.bisect_right([tick / 1000 for tick in self.ticks], seconds) - 1

    def batch(self, indices):
        frames = [self.get_frame_at(i) for i in indices]
        data = torch.stack([frame.data for frame in frames]) if frames else torch.zeros(0, 3, *self.shape).byte()
        times = torch.tensor([[f.pts_seconds, f.duration_seconds] for f in frames], dtype=torch.float64).reshape(-1, 2)
        return FrameBatch(data if self.layout == "TCHW" else data.transpose(0, 1), times[:, 0], times[:, 1])

    def __getitem__(self, index):
        if isinstance(index, slice):
            return self.batch(range(*index.indices(len(self)))).data
        return self.get_frame_at(index).data

    def __iter__(self):
        return (self.get_frame_at(i).data for i in range(len(self)))

    def get_frame_at(self, index):
        index = self.normal(index)
        start, stop = self.ticks[index] / 1000, self.ticks[index + 1] / 1000
        return Frame(self.pixels(index), start, stop - start)

    def get_frames_at(self, indices):
        return self.batch(indices)

    def get_frames_in_range(self, start, stop, step=1):
        return self.batch(range(start, stop, step))

    def get_frame_played_at(self, seconds):
        return self.get_frame_at(self.played(seconds))

    def get_frames_played_at(self, seconds):
        return self.batch([self.played(s) for s in seconds])

    def get_frames_played_in_range(self, start_seconds, stop_seconds, fps=None):
        if fps is not None:
            count = math.ceil((stop_seconds - start_seconds) * fps)
            return self.get_frames_played_at([start_seconds + i / fps for i in range(count)])
        if start_seconds == stop_seconds:
            return self.batch([])
        first = self.played(start_seconds)
        return self.batch([i for i in range(first, len(self)) if self.ticks[i] / 1000 < stop_seconds])

    def close(self):
        self.body = None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


def toy_video():
    pixels = torch.randint(
        0, 256, (COUNT, 3, HEIGHT, WIDTH), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    body, offsets = io.BytesIO(), []
    for frame in pixels:
        packed = zlib.compress(bytes(frame.flatten().tolist()))
        offsets.append(body.tell())
        body.write(struct.pack("<I", len(packed)) + packed)
    header = json.dumps({"ticks": TICKS, "offsets": offsets, "shape": [HEIGHT, WIDTH]}).encode()
    return MAGIC + struct.pack("<I", len(header)) + header + body.getvalue()


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "toy.video"
    path.write_bytes(toy_video())
    return path


class TestVideoDecoder(VideoDecoderConformance):
    operator = ToyDecoder


class OffByOne(ToyDecoder):
    def get_frames_in_range(self, start, stop, step=1):
        return self.batch(range(start, min(stop + 1, len(self)), step))


class NearestInTime(ToyDecoder):
    def played(self, seconds):
        super().played(seconds)
        return min(range(len(self)), key=lambda i: abs(self.ticks[i] / 1000 - seconds))


class ClampsIndices(ToyDecoder):
    def normal(self, index):
        return min(max(index, -len(self)), len(self) - 1) % len(self)


class ClampsTimes(ToyDecoder):
    def played(self, seconds):
        return super().played(min(max(seconds, self.ticks[0] / 1000), self.ticks[-1] / 1000 - 1e-6))


class NoNegatives(ToyDecoder):
    def normal(self, index):
        if not 0 <= index < len(self):
            raise ValueError(index)
        return index


class SortsIndices(ToyDecoder):
    def get_frames_at(self, indices):
        return self.batch(sorted(self.normal(i) for i in indices))


class DropsRepeats(ToyDecoder):
    def get_frames_at(self, indices):
        return self.batch(dict.fromkeys(indices))


class IgnoresLayout(ToyDecoder):
    def __init__(self, source, *, layout="TCHW"):
        super().__init__(source, layout="TCHW")


class SharedBuffer(ToyDecoder):
    def pixels(self, index):
        fresh = super().pixels(index)
        self.buffer = getattr(self, "buffer", fresh)
        return self.buffer.copy_(fresh)


class IteratesFromWhereItIs(ToyDecoder):
    position = 0

    def get_frame_at(self, index):
        self.position = self.normal(index) + 1
        return super().get_frame_at(index)

    def __iter__(self):
        self.position = 0
        while self.position < len(self):
            yield self.get_frame_at(self.position).data


class StartsAtZero(ToyDecoder):
    def describe(self):
        facts = super().describe()
        facts.begin_stream_seconds = 0.0
        return facts


class ForgetsTheFrameThatBeganBefore(ToyDecoder):
    def get_frames_played_in_range(self, start_seconds, stop_seconds, fps=None):
        if fps is not None:
            return super().get_frames_played_in_range(start_seconds, stop_seconds, fps)
        return self.batch([i for i in range(len(self)) if start_seconds <= self.ticks[i] / 1000 < stop_seconds])


class IgnoresFps(ToyDecoder):
    def get_frames_played_in_range(self, start_seconds, stop_seconds, fps=None):
        return super().get_frames_played_in_range(start_seconds, stop_seconds)


class NeverCloses(ToyDecoder):
    def close(self):
        self.asked = True


class ConcealsDamage(ToyDecoder):
    def pixels(self, index):
        try:
            return super().pixels(index)
        except ValueError:
            return torch.zeros(3, *self.shape, dtype=torch.uint8)


class SinglePrecision(ToyDecoder):
    def batch(self, indices):
        batch = super().batch(indices)
        return FrameBatch(batch.data, batch.pts_seconds.float(), batch.duration_seconds.float())


class ChannelsLast(ToyDecoder):
    def pixels(self, index):
        return super().pixels(index).permute(1, 2, 0)


WRONG = [
    (OffByOne, "test_ranges"),
    (NearestInTime, "test_a_frame_is_played_until_the_next"),
    (NearestInTime, "test_ranges_of_time"),
    (ClampsIndices, "test_what_is_out_of_range_is_refused"),
    (ClampsTimes, "test_what_is_out_of_range_is_refused"),
    (SortsIndices, "test_indices_in_any_order"),
    (DropsRepeats, "test_indices_in_any_order"),
    (IgnoresLayout, "test_layouts"),
    (SharedBuffer, "test_frames_belong_to_the_caller"),
    (IteratesFromWhereItIs, "test_two_decoders_do_not_disturb_each_other"),
    (StartsAtZero, "test_metadata"),
    (ForgetsTheFrameThatBeganBefore, "test_ranges_of_time"),
    (IgnoresFps, "test_ranges_of_time_at_another_rate"),
    (NeverCloses, "test_closing"),
    (SinglePrecision, "test_is_a_video_decoder"),
    (ChannelsLast, "test_every_way_to_a_frame_leads_to_the_same_frame"),
]


@pytest.mark.parametrize(("operator", "test"), WRONG, ids=lambda value: getattr(value, "__name__", value))
def test_wrong_decoders_are_caught(refuse, video, operator, test):
    refuse(VideoDecoderConformance, operator, test, video)


def test_wrong_exceptions_are_caught(refuse, video, tmp_path):
    refuse(VideoDecoderConformance, NoNegatives, "test_indices_in_any_order", video, raising=ValueError)
    refuse(VideoDecoderConformance, NoNegatives, "test_what_is_out_of_range_is_refused", video, raising=ValueError)


def test_concealed_damage_is_caught(refuse, video):
    refuse(VideoDecoderConformance, ConcealsDamage, "test_what_is_cut_off_never_surprises", video)


def test_a_file_that_shows_nothing_is_caught(refuse, tmp_path):
    class Still(ToyDecoder):
        def pixels(self, index):
            return super().pixels(0)

    path = tmp_path / "still.video"
    path.write_bytes(toy_video())
    refuse(VideoDecoderConformance, Still, "test_the_video_is_worth_testing_with", path)
