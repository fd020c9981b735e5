import pickle
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video.data import (
    ConstantClipsPerVideoSampler,
    RandomClipSampler,
    RandomMultiClipSampler,
    UniformClipSampler,
    UniformClipSamplerTruncateFromStart,
    make_clip_sampler,
)
from video.data.clip_sampling import RandomMultiClipSamplerTruncateFromStart, exact_seconds

seconds = st.fractions(Fraction(1, 10), 20, max_denominator=120)


def drive(sampler, duration):
    """All (start, end, clip_index, aug_index), calling the sampler as a data set does."""
    found, end = [], None
    while True:
        clip = sampler(end, duration, {})
        found.append((clip.clip_start_sec, clip.clip_end_sec, clip.clip_index, clip.aug_index))
        end = clip.clip_end_sec
        if clip.is_last_clip:
            return found


@given(duration=seconds, clip=seconds, stride=seconds)
def test_uniform_is_every_clip_that_fits(duration, clip, stride):
    starts = [k * stride for k in range(2000) if k * stride + clip <= duration] or [Fraction(0)]
    expected = [(start, start + clip, k, 0) for k, start in enumerate(starts)]
    sampler = UniformClipSampler(clip, stride)
    assert drive(sampler, duration) == expected
    assert drive(sampler, duration) == expected, "the second video starts anew"


@given(duration=seconds, clip=seconds, stride=seconds)
def test_backpad_covers_the_end_with_one_more_clip(duration, clip, stride):
    latest = max(duration - clip, Fraction(0))
    starts = [k * stride for k in range(2000) if k * stride <= latest]
    if latest - starts[-1] >= Fraction(1, 10**6):
        starts.append(latest)
    found = drive(UniformClipSampler(clip, stride, backpad_last=True), duration)
    assert [start for start, *_ in found] == starts


@given(duration=seconds, clip=seconds, n=st.integers(1, 7), augs=st.integers(1, 3))
def test_constant_clips_are_linspace(duration, clip, n, augs):
    latest = max(duration - clip, Fraction(0))
    starts = [latest * k / (n - 1) if n > 1 else Fraction(0) for k in range(n)]
    expected = [(start, start + clip, k, a) for k, start in enumerate(starts) for a in range(augs)]
    sampler = ConstantClipsPerVideoSampler(clip, n, augs)
    assert drive(sampler, duration) == expected
    assert drive(sampler, duration) == expected
    assert sampler.clips_per_video == n * augs == len(sampler.clips(duration))


@pytest.mark.parametrize("duration", [0.5, 1, 3.5, 4, 4.2])
def test_published_behaviour_of_uniform(duration):
    """The starts that PyTorchVideo gives for these videos."""
    expected = {
        0.5: ([0], [0]),
        1: ([0], [0]),
        3.5: ([0, 1, 2], [0, 1, 2, 2.5]),
        4: ([0, 1, 2, 3], [0, 1, 2, 3]),
        4.2: ([0, 1, 2, 3], [0, 1, 2, 3, 3.2]),
    }[duration]
    for backpad, starts in zip((False, True), expected, strict=True):
        found = drive(UniformClipSampler(1, backpad_last=backpad), duration)
        assert [float(start) for start, *_ in found] == starts


def test_floats_do_not_drift():
    clips = UniformClipSampler(0.1).clips(100.0)
    assert len(clips) == 1000
    assert all(clip.clip_start_sec == Fraction(k, 10) for k, clip in enumerate(clips))
    assert exact_seconds(1001 / 30000) == Fraction(1001, 30000)
    assert exact_seconds(Fraction(1, 3_000_000)) == Fraction(1, 3_000_000)


def test_truncation_uses_the_start_of_the_video():
    sampler = UniformClipSamplerTruncateFromStart(1, truncation_duration=3)
    assert len(sampler.clips(10)) == 3
    assert len(sampler.clips(2)) == 2
    multi = RandomMultiClipSamplerTruncateFromStart(1, 200, truncation_duration=3)(None, 100.0, {})
    assert max(multi.clip_end_sec) <= 3


def test_random_is_uniform_over_the_video_and_follows_its_generator():
    sampler = RandomClipSampler(2)
    starts = [float(c.clip_start_sec) for s in range(400) for c in sampler.clips(10.0, rng=random.Random(s))]
    assert 0 <= min(starts) < 0.2
    assert 7.8 < max(starts) <= 8
    assert 3.5 < sum(starts) / len(starts) < 4.5
    assert sampler.clips(10.0, rng=random.Random(3)) == sampler.clips(10.0, rng=random.Random(3))
    short = sampler(None, 1.0, {})
    assert (short.clip_start_sec, short.clip_end_sec, short.is_last_clip) == (0, 2, True)


def test_random_multi_has_lists_of_one_length():
    sample = RandomMultiClipSampler(1, 3)(None, 10.0, {})
    assert [len(field) for field in sample] == [3] * 5
    assert all(end - start == 1 for start, end in zip(sample.clip_start_sec, sample.clip_end_sec, strict=True))
    assert sample.is_last_clip == [True] * 3


def test_clips_leaves_the_sampler_as_it_is():
    sampler = ConstantClipsPerVideoSampler(1, 3)
    sampler(None, 10.0, {})
    sampler.clips(10.0)
    assert sampler(None, 10.0, {}).clip_index == 1


def test_samplers_pickle():
    for sampler in (make_clip_sampler("uniform", 2, 1), make_clip_sampler("random_multi", 2, num_clips=3)):
        assert pickle.loads(pickle.dumps(sampler)).clips(10.0, rng=random.Random(0)) == sampler.clips(
            10.0, rng=random.Random(0)
        )


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: UniformClipSampler(0), "clip_duration must be positive"),
        (lambda: UniformClipSampler(1, 0), "stride must be positive"),
        (lambda: ConstantClipsPerVideoSampler(1, 0), "at least 1"),
        (lambda: RandomMultiClipSampler(1, 0), "num_clips"),
        (lambda: make_clip_sampler("unifrom", 1), "unknown clip sampler 'unifrom'"),
    ],
)
def test_errors(build, message):
    with pytest.raises(ValueError, match=message):
        build()
