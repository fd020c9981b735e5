"""Where clips are taken, against frame numbers that are worked out by hand, and many files at a time."""

from __future__ import annotations

from functools import partial

import pytest
import torch

pytest.importorskip("av")

from vision_io import DecodeError, VideoDecoder, decode_clips, samplers

pytestmark = pytest.mark.extra_video


@pytest.fixture(params=["TCHW", "CTHW"])
def decoder(request, moving_bars):
    """40 frames."""
    with VideoDecoder(moving_bars, layout=request.param) as opened:
        yield opened


def numbers(decoder: VideoDecoder, clips) -> list[list[int]]:
    """The frame numbers of clips by their times; their pictures must be those frames."""
    found = torch.searchsorted(decoder.pts_seconds, clips.pts_seconds.contiguous() - 1e-9).tolist()
    for clip, places in zip(clips.data, found, strict=True):
        expected = decoder.get_frames_at(places).data
        assert torch.equal(clip, expected)
        assert clip.is_contiguous()
    return found


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [[0]]),
        ({"num_clips": 3}, [[0], [19], [39]]),
        ({"num_clips": 2, "num_frames_per_clip": 3, "num_indices_between_frames": 5}, [[0, 5, 10], [29, 34, 39]]),
        ({"num_clips": 2, "sampling_range_start": -2}, [[38], [39]]),
        ({"num_clips": 2, "sampling_range_start": 4, "sampling_range_end": -30}, [[4], [9]]),
        ({"num_frames_per_clip": 4, "sampling_range_start": 38, "sampling_range_end": 40}, [[38, 39, 39, 39]]),
        (
            {"num_frames_per_clip": 5, "sampling_range_start": 38, "sampling_range_end": 99, "policy": "wrap"},
            [[38, 39, 38, 39, 38]],
        ),
        ({"num_frames_per_clip": 3, "num_indices_between_frames": 30}, [[0, 30, 30]]),
    ],
)
def test_regular_indices(decoder, arguments, expected):
    assert numbers(decoder, samplers.clips_at_regular_indices(decoder, **arguments)) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"seconds_between_clip_starts": 0.5}, [[0], [14], [29]]),
        (
            {"seconds_between_clip_starts": 0.5, "num_frames_per_clip": 2, "seconds_between_frames": 0.2},
            [[0, 5], [14, 20], [29, 35]],
        ),
        ({"seconds_between_clip_starts": 9.0, "sampling_range_start": 1.0}, [[29]]),
        (
            {
                "seconds_between_clip_starts": 1.0,
                "num_frames_per_clip": 3,
                "seconds_between_frames": 0.3,
                "sampling_range_start": 0.9,
                "sampling_range_end": 1.0,
            },
            [[26, 35, 35]],
        ),
    ],
)
def test_regular_timestamps(decoder, arguments, expected):
    assert numbers(decoder, samplers.clips_at_regular_timestamps(decoder, **arguments)) == expected


def test_random_indices_follow_their_generator(decoder):
    sample = partial(samplers.clips_at_random_indices, decoder, num_clips=50, num_frames_per_clip=4)
    first, again, other = (sample(generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first.pts_seconds, again.pts_seconds)
    assert not torch.equal(first.pts_seconds, other.pts_seconds)
    starts = [clip[0] for clip in numbers(decoder, first)]
    assert min(starts) >= 0
    assert max(starts) <= 36
    assert all(clip == list(range(clip[0], clip[0] + 4)) for clip in numbers(decoder, first))


def test_random_timestamps_stay_within(decoder):
    clips = samplers.clips_at_random_timestamps(
        decoder, num_clips=30, num_frames_per_clip=3, seconds_between_frames=0.25, sampling_range_start=0.5
    )
    assert clips.pts_seconds.shape == clips.duration_seconds.shape == (30, 3)
    assert clips.pts_seconds.min() >= 0.5 - 1 / 29
    assert all(len(set(clip)) == 3 for clip in numbers(decoder, clips))


@pytest.mark.parametrize(
    ("sampler", "arguments", "message"),
    [
        ("clips_at_regular_indices", {"num_clips": 0}, "num_clips: got 0"),
        ("clips_at_regular_indices", {"num_frames_per_clip": 0}, "num_frames_per_clip: got 0"),
        ("clips_at_regular_indices", {"num_indices_between_frames": 0}, "num_indices_between_frames: got 0"),
        ("clips_at_regular_indices", {"policy": "last"}, "policy: got 'last'"),
        ("clips_at_regular_indices", {"sampling_range_start": 40}, "the video has 40 frames"),
        ("clips_at_regular_indices", {"sampling_range_start": 9, "sampling_range_end": 9}, "sampling_range_end: got 9"),
        ("clips_at_random_indices", {"sampling_range_start": 39, "num_frames_per_clip": 3}, "do not fit"),
        (
            "clips_at_random_indices",
            {"sampling_range_start": 39, "sampling_range_end": 40, "num_frames_per_clip": 2, "policy": "error"},
            "reaches beyond the end",
        ),
        ("clips_at_random_timestamps", {"seconds_between_frames": 0.0}, "seconds_between_frames: got 0"),
        ("clips_at_random_timestamps", {"sampling_range_start": 5.0}, "sampling_range_start: got 5.0 s"),
        ("clips_at_random_timestamps", {"seconds_between_frames": 2.0, "num_frames_per_clip": 2}, "do not fit"),
        ("clips_at_regular_timestamps", {"seconds_between_clip_starts": 0.0}, "seconds_between_clip_starts: got 0"),
    ],
)
def test_bad_arguments(decoder, sampler, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(samplers, sampler)(decoder, **arguments)


# -- many files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 3, None])
def test_many_files(moving_bars, threads):
    sampler = partial(samplers.clips_at_regular_indices, num_clips=2, num_frames_per_clip=4)
    sources = [moving_bars, str(moving_bars), moving_bars.read_bytes()] * 2
    results = decode_clips(sources, sampler, threads=threads, layout="CTHW")
    with VideoDecoder(moving_bars, layout="CTHW") as decoder:
        expected = sampler(decoder)
    assert len(results) == 6
    for result in results:
        assert result is not None
        assert torch.equal(result.data, expected.data)


def test_a_bad_file_among_many(moving_bars, tmp_path):
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video at all")
    with pytest.raises(DecodeError, match=r"source 1 \(.*bad.mp4\): .*text file"):
        decode_clips([moving_bars, bad, moving_bars], len, threads=2)
    assert decode_clips([moving_bars, bad, moving_bars], len, threads=2, on_error="skip") == [40, None, 40]


def test_bad_arguments_of_many(moving_bars):
    with pytest.raises(ValueError, match="threads: got 0"):
        decode_clips([moving_bars], len, threads=0)
    with pytest.raises(ValueError, match="on_error: got 'ignore'"):
        decode_clips([moving_bars], len, on_error="ignore")  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        decode_clips([moving_bars], lambda decoder: {}["x"])
