"""The suite of ``video_decoder``."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from vision_contract.protocols import Frame, FrameBatch, VideoDecoder
from vision_contract.testing.suite import raises

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["VideoDecoderConformance"]


class VideoDecoderConformance:
    """What a ``video_decoder`` must do: see :class:`vision_contract.VideoDecoder`.

    The suite needs a file: the subclass defines a pytest fixture ``video`` that returns the path of a small video of
    10 to 500 frames, each different from the one before. B-frames and a first frame that is not at 0 s test most.

    Attributes:
        operator: the class or function that opens a video.

    Examples:
        >>> class TestVideoDecoder(VideoDecoderConformance):
        ...     operator = staticmethod(my_package.VideoDecoder)
        ...
        ...     @pytest.fixture
        ...     def video(self, tmp_path):
        ...         return write_some_video(tmp_path / "video.mp4")
    """

    operator: ClassVar[Callable[..., Any]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if inspect.isfunction(cls.__dict__.get("operator")):
            cls.operator = staticmethod(cls.__dict__["operator"])

    def test_the_video_is_worth_testing_with(self, video: Any) -> None:
        import torch

        with self.operator(video) as decoder:
            frames = list(decoder)
        assert 10 <= len(frames) <= 500
        assert not any(torch.equal(a, b) for a, b in pairwise(frames))

    def test_is_a_video_decoder(self, video: Any) -> None:
        import torch

        with self.operator(video) as decoder:
            assert isinstance(decoder, VideoDecoder)
            frame = decoder.get_frame_at(0)
            assert isinstance(frame, Frame)
            assert isinstance(frame.pts_seconds, float)
            assert isinstance(frame.duration_seconds, float)
            self._is_frame(frame.data, decoder)
            batch = decoder.get_frames_in_range(0, 3)
            assert isinstance(batch, FrameBatch)
            for times in (batch.pts_seconds, batch.duration_seconds):
                assert times.dtype == torch.float64
                assert times.shape == (3,)

    def test_metadata(self, video: Any) -> None:
        with self.operator(video) as decoder:
            facts, n = decoder.metadata, len(decoder)
            first, last = decoder.get_frame_at(0), decoder.get_frame_at(n - 1)
            assert facts.num_frames == n == sum(1 for _ in decoder)
            assert tuple(first.data.shape[1:]) == (facts.height, facts.width)
            assert facts.begin_stream_seconds == first.pts_seconds
            assert abs(facts.end_stream_seconds - last.pts_seconds - last.duration_seconds) < 1e-3
            length = facts.end_stream_seconds - facts.begin_stream_seconds
            assert abs(facts.duration_seconds - length) < 1e-3
            assert abs(facts.average_fps * length / n - 1) < 0.1
            assert isinstance(facts.codec, str)

    def test_frames_come_in_display_order(self, video: Any) -> None:
        with self.operator(video) as decoder:
            frames = [decoder.get_frame_at(i) for i in range(len(decoder))]
        for before, after in pairwise(frames):
            assert after.pts_seconds > before.pts_seconds
            assert abs(before.pts_seconds + before.duration_seconds - after.pts_seconds) < 1e-3
        assert all(frame.duration_seconds > 0 for frame in frames)

    def test_every_way_to_a_frame_leads_to_the_same_frame(self, video: Any) -> None:
        import torch

        with self.operator(video) as decoder:
            frames = list(decoder)
            n = len(frames)
            for frame in frames:
                self._is_frame(frame, decoder)
            for i in torch.randperm(n, generator=torch.Generator().manual_seed(0)).tolist():
                self._same(decoder[i], frames[i], f"decoder[{i}]")
                self._same(decoder[i - n], frames[i], f"decoder[{i - n}]")
                self._same(decoder.get_frame_at(i).data, frames[i], f"get_frame_at({i})")
            self._same(decoder.get_frame_at(-1).data, frames[-1], "get_frame_at(-1)")

    def test_two_decoders_do_not_disturb_each_other(self, video: Any) -> None:
        with self.operator(video) as one, self.operator(video) as other:
            frames = list(one)
            for i in (5, 0, 7):
                iterator = iter(one)
                self._same(next(iterator), frames[0], "the first frame")
                self._same(other[i], frames[i], f"frame {i} of another decoder")
                self._same(one[i], frames[i], f"frame {i} while iterating")
                self._same(next(iterator), frames[1], "the second frame, after an access in between")

    def test_indices_in_any_order(self, video: Any) -> None:
        with self.operator(video) as decoder:
            n = len(decoder)
            self._equals_singles(decoder, decoder.get_frames_at([7, 2, 2, n - 1, 0, 5]), [7, 2, 2, n - 1, 0, 5])
            self._equals_singles(decoder, decoder.get_frames_at([-1, 3, -n]), [n - 1, 3, 0])

    def test_ranges(self, video: Any) -> None:
        with self.operator(video) as decoder:
            n = len(decoder)
            for start, stop, step in ((0, n, 1), (2, 9, 1), (1, 10, 3), (0, 10, 4), (n - 1, n, 1), (3, 4, 5)):
                batch = decoder.get_frames_in_range(start, stop, step)
                self._equals_singles(decoder, batch, list(range(start, stop, step)))
            self._equals_singles(decoder, decoder.get_frames_in_range(4, 7), [4, 5, 6])

    def test_slices(self, video: Any) -> None:
        import torch

        with self.operator(video) as decoder:
            frames = torch.stack(list(decoder))
            for part in (slice(None), slice(2, 9, 3), slice(-4, None), slice(None, -5, 2), slice(5, 10**6)):
                self._same(decoder[part], frames[part], f"decoder[{part}]")
            assert decoder[4:4].shape[0] == 0

    def test_layouts(self, video: Any) -> None:
        with self.operator(video) as plain, self.operator(video, layout="CTHW") as clips:
            expected = plain.get_frames_in_range(1, 8, 2)
            assert expected.data.shape[1] == 3
            self._same(clips.get_frames_in_range(1, 8, 2).data, expected.data.transpose(0, 1), "get_frames_in_range")
            self._same(clips.get_frames_at([1, 3, 5, 7]).data, expected.data.transpose(0, 1), "get_frames_at")
            self._same(clips[1:8:2], expected.data.transpose(0, 1), "a slice")
            self._same(clips.get_frame_at(1).data, expected.data[0], "a single frame is (C, H, W) in every layout")
            times = [expected.pts_seconds[i].item() for i in range(4)]
            self._same(clips.get_frames_played_at(times).data, expected.data.transpose(0, 1), "get_frames_played_at")
        with self.operator(video, layout="TCHW") as same:
            self._same(same[:3], plain_frames(self.operator, video, 3), "layout='TCHW'")
        with raises(ValueError, what="layout='HWCT'"):
            self.operator(video, layout="HWCT")

    def test_a_frame_is_played_until_the_next(self, video: Any) -> None:
        with self.operator(video) as decoder:
            for i in (0, 1, 6, len(decoder) - 1):
                frame = decoder.get_frame_at(i)
                for part in (0.0, 0.3, 0.7, 0.95):
                    seconds = frame.pts_seconds + part * frame.duration_seconds
                    played = decoder.get_frame_played_at(seconds)
                    assert played.pts_seconds == frame.pts_seconds, f"{part} into frame {i}"
                    self._same(played.data, frame.data, f"{part} into frame {i}")

    def test_times_in_any_order(self, video: Any) -> None:
        with self.operator(video) as decoder:
            indices = [6, 1, 1, len(decoder) - 1, 0]
            singles = [decoder.get_frame_at(i) for i in indices]
            times = [frame.pts_seconds + 0.4 * frame.duration_seconds for frame in singles]
            self._equals_singles(decoder, decoder.get_frames_played_at(times), indices)

    def test_ranges_of_time(self, video: Any) -> None:
        with self.operator(video) as decoder:
            begin, end = decoder.metadata.begin_stream_seconds, decoder.metadata.end_stream_seconds
            second, sixth = decoder.get_frame_at(2), decoder.get_frame_at(6)
            into = second.pts_seconds + 0.5 * second.duration_seconds
            cases = (
                (second.pts_seconds, sixth.pts_seconds, range(2, 6)),
                (into, sixth.pts_seconds + 0.5 * sixth.duration_seconds, range(2, 7)),
                (into, into + 0.1 * second.duration_seconds, range(2, 3)),
                (begin, end, range(len(decoder))),
            )
            for start, stop, indices in cases:
                self._equals_singles(decoder, decoder.get_frames_played_in_range(start, stop), list(indices))
            nothing = decoder.get_frames_played_in_range(into, into)
            assert len(nothing.pts_seconds) == nothing.data.shape[0] == 0

    def test_ranges_of_time_at_another_rate(self, video: Any) -> None:
        with self.operator(video) as decoder:
            second = decoder.get_frame_at(1)
            start = second.pts_seconds + 0.137 * second.duration_seconds
            for rate, count in ((0.537, 3), (1.71, 9)):
                fps = decoder.metadata.average_fps * rate
                times = [start + i / fps for i in range(count)]
                expected = decoder.get_frames_played_at(times).data
                stop = start + (count - 0.3) / fps  # after the last of these times, before the next
                got = decoder.get_frames_played_in_range(start, stop, fps=fps).data
                self._same(got, expected, f"{rate} times the frame rate")

    def test_what_is_out_of_range_is_refused(self, video: Any) -> None:
        with self.operator(video) as decoder:
            n = len(decoder)
            begin, end = decoder.metadata.begin_stream_seconds, decoder.metadata.end_stream_seconds
            calls: list[tuple[str, Callable[[], Any]]] = [
                (f"decoder[{n}]", lambda: decoder[n]),
                (f"decoder[{-n - 1}]", lambda: decoder[-n - 1]),
                (f"get_frame_at({n})", lambda: decoder.get_frame_at(n)),
                (f"get_frames_at([0, {n}])", lambda: decoder.get_frames_at([0, n])),
                ("a time before the stream", lambda: decoder.get_frame_played_at(begin - 0.5)),
                ("the end of the stream", lambda: decoder.get_frame_played_at(end + 1e-3)),
                ("a time after the stream", lambda: decoder.get_frames_played_at([begin, end + 10])),
            ]
            for what, call in calls:
                with raises(IndexError, what=what):
                    call()
            self._is_frame(decoder[n - 1], decoder)  # it survives its errors

    def test_frames_belong_to_the_caller(self, video: Any) -> None:
        with self.operator(video) as decoder:
            kept = decoder[3].clone()
            decoder[3].zero_()
            decoder.get_frames_in_range(2, 5).data.zero_()
            self._same(decoder[3], kept, "a frame, after its first copy was overwritten")
            early = decoder[3]
            for i in range(len(decoder)):
                decoder[i]
            self._same(early, kept, "a frame, after others were decoded")

    def test_sources(self, video: Any) -> None:
        import torch

        path = Path(video)
        data = path.read_bytes()
        expected = plain_frames(self.operator, video, 10)
        with path.open("rb") as file:
            for source in (str(path), path, data, io.BytesIO(data), file):
                with self.operator(source) as decoder:
                    assert torch.equal(decoder[:10], expected), f"from {type(source).__name__}"

    def test_closing(self, video: Any) -> None:
        decoder = self.operator(video)
        decoder[0]
        decoder.close()
        decoder.close()  # twice is fine
        for what, call in (("decoder[1]", lambda: decoder[1]), ("get_frames_at", lambda: decoder.get_frames_at([0]))):
            with raises(what=f"{what} of a closed decoder"):
                call()
        with self.operator(video) as decoder:
            decoder[0]
        with raises(what="an access after the with statement"):
            decoder[1]

    def test_what_is_no_video_is_refused(self, video: Any, tmp_path: Path) -> None:
        data = Path(video).read_bytes()
        text = tmp_path / "text.mp4"
        text.write_text("no video at all\n" * 100)
        empty = tmp_path / "empty.mp4"
        empty.write_bytes(b"")
        for source in (text, str(empty), tmp_path / "missing.mp4", b"", b"no video" * 50, data[:64]):
            with raises(ValueError, what=f"{source!r:.60}"):
                self.operator(source)

    def test_what_is_cut_off_never_surprises(self, video: Any) -> None:
        """Refused when opened, or the frames that are there and then a ValueError; never a wrong frame."""
        data = Path(video).read_bytes()
        expected = plain_frames(self.operator, video, None)
        for part in (0.3, 0.6, 0.9):
            seen = 0
            try:
                with self.operator(data[: int(len(data) * part)]) as decoder:
                    for i in range(len(decoder)):
                        self._same(decoder[i], expected[i], f"frame {i} of {part:.0%} of the file")
                        seen += 1
            except ValueError:
                continue
            assert seen < len(expected), f"all frames came out of {part:.0%} of the file"

    def _is_frame(self, data: Tensor, decoder: Any) -> None:
        import torch

        assert data.dtype == torch.uint8
        assert data.shape == (3, decoder.metadata.height, decoder.metadata.width)

    def _same(self, got: Tensor, expected: Tensor, what: str) -> None:
        import torch

        assert got.shape == expected.shape, f"{what}: {tuple(got.shape)}, not {tuple(expected.shape)}"
        assert torch.equal(got, expected), f"{what}: other pixels"

    def _equals_singles(self, decoder: Any, batch: Any, indices: list[int]) -> None:
        import torch

        singles = [decoder.get_frame_at(i) for i in indices]
        self._same(batch.data, torch.stack([frame.data for frame in singles]), f"the batch of {indices}")
        assert batch.pts_seconds.tolist() == [frame.pts_seconds for frame in singles]
        assert batch.duration_seconds.tolist() == [frame.duration_seconds for frame in singles]


def plain_frames(operator: Callable[..., Any], video: Any, count: int | None) -> Tensor:
    """The first `count` frames, one after the other: (N, C, H, W)."""
    import torch

    with operator(video) as decoder:
        return torch.stack([decoder[i] for i in range(len(decoder) if count is None else count)])
