from fractions import Fraction
from itertools import chain

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from video.data import ClipWindow, EncodedVideo, FramesPerSecond, UniformFrames
from vision_contract import OperatorNotFoundError, operators, provide

RATES = (24000 / 1001, 24, 25, 30000 / 1001, 30, 60)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("begin", [0, 1.5, 0.0417])
def test_uniform_clips_partition_the_video(decoder, frame_numbers, rate, begin):
    """Clips of a second in a row have every frame once, in order, whatever the rate and the first timestamp."""
    with EncodedVideo(f"{int(rate * 4)}frames_{rate}fps_from{begin}", decoder=decoder) as video:
        numbers = [frame_numbers(video.get_clip(k, k + 1)["video"]) for k in range(4)]
    assert list(chain(*numbers)) == list(range(int(rate * 4)))
    assert {len(part) for part in numbers} <= {int(rate), int(rate) + 1}


@given(start=st.integers(0, 74))
def test_a_second_has_as_many_frames_as_the_rate(start):
    window = ClipWindow(Fraction(start, 25), Fraction(start, 25) + 1, Fraction(25))
    assert window.frame_slots() == range(start, start + 25)


def test_a_clip_that_starts_between_frames_has_no_frame_too_many(decoder, frame_numbers):
    with EncodedVideo("100frames_25fps", decoder=decoder) as video:
        assert frame_numbers(video.get_clip(0.01, 1.01)["video"]) == list(range(1, 26))
        assert frame_numbers(video.get_clip(0.01, 0.02)["video"]) == [0], "no frame starts there: the one on show"
        assert frame_numbers(video.get_clip(3.9, 9)["video"]) == [98, 99], "a clip ends with its video"


def test_a_clip_is_uint8_cthw(decoder):
    with EncodedVideo("some/where/100frames_25fps.mp4", decoder=decoder) as video:
        clip = video.get_clip(0, 1)["video"]
        assert (video.name, video.duration, video.fps) == ("100frames_25fps.mp4", 4, 25)
    assert clip.shape == (3, 25, 6, 8)
    assert clip.dtype == torch.uint8


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("n", [1, 4, 8, 13, 100])
def test_selection_decodes_only_what_subsampling_would_keep(decoder, frame_numbers, rate, n):
    with EncodedVideo(f"{int(rate * 4)}frames_{rate}fps", decoder=decoder) as video:
        everything = frame_numbers(video.get_clip(1, 3)["video"])
        decoder.decoded = 0
        chosen = frame_numbers(video.get_clip(1, 3, UniformFrames(n))["video"])
    assert decoder.decoded == n
    steps = max(n - 1, 1)
    assert chosen == [everything[k * (len(everything) - 1) // steps] for k in range(n)]


@pytest.mark.parametrize("rate", RATES)
def test_frames_per_second(decoder, frame_numbers, rate):
    with EncodedVideo(f"{int(rate * 4)}frames_{rate}fps", decoder=decoder) as video:
        start, stop = 24 / video.fps, 48 / video.fps
        same = frame_numbers(video.get_clip(start, stop, FramesPerSecond(video.fps))["video"])
        assert same == frame_numbers(video.get_clip(start, stop)["video"]) == list(range(24, 48))
        four = frame_numbers(video.get_clip(1, 3, FramesPerSecond(4))["video"])
    assert len(four) == 8
    assert all(abs(number / rate - (1 + k / 4)) <= 1 / rate for k, number in enumerate(four))


def test_varying_frame_rates_are_sampled_by_time(decoder, frame_numbers):
    name = "vfr_100frames_25fps"
    shown = decoder(name)
    with EncodedVideo(name, decoder=decoder) as video:
        picked = frame_numbers(video.get_clip(0, 4, FramesPerSecond(10))["video"])
        every = frame_numbers(video.get_clip(1, 2)["video"])
    for k, number in enumerate(picked):
        assert shown.pts[number] <= k / 10 + 1e-3 < shown.pts[number] + shown.durations[number] + 1e-3
    assert every == [i for i, t in enumerate(shown.pts.tolist()) if 1 - 1e-3 <= t < 2 - 1e-3]


def test_a_callable_chooses_times(decoder, frame_numbers):
    def ends(window):
        return [float(window.start_seconds), 1e9]

    with EncodedVideo("100frames_25fps_from2", decoder=decoder) as video:
        assert frame_numbers(video.get_clip(1, 2, ends)["video"]) == [25, 99]


def test_spans_outside_of_the_video_are_refused(decoder):
    with EncodedVideo("100frames_25fps", decoder=decoder) as video:
        for span in ((4, 5), (2, 2), (3, 1)):
            with pytest.raises(ValueError, match="empty or outside of the video"):
                video.get_clip(*span)


def test_the_decoder_is_found_through_the_contract(decoder, frame_numbers):
    provide("video_decoder", decoder)
    try:
        with EncodedVideo.from_path("100frames_25fps") as video:
            assert frame_numbers(video.get_clip(Fraction(1, 25), Fraction(3, 25))["video"]) == [1, 2]
    finally:
        provide("video_decoder", None)


@pytest.mark.skipif(any(p.name == "video_decoder" for p in operators()), reason="a video decoder is installed")
def test_without_a_decoder_the_error_names_the_wheel():
    with pytest.raises(OperatorNotFoundError, match="vision-io"):
        EncodedVideo("100frames_25fps")


def test_selections_check_their_arguments():
    with pytest.raises(ValueError, match="num_frames"):
        UniformFrames(0)
    with pytest.raises(ValueError, match="fps"):
        FramesPerSecond(0)
