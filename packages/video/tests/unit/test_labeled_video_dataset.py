import multiprocessing
import subprocess
import sys
import textwrap
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader, DistributedSampler, SequentialSampler

from video.data import (
    ClipSampler,
    ConstantClipsPerVideoSampler,
    LabeledVideoClips,
    LabeledVideoDataset,
    RandomClipSampler,
    RandomMultiClipSampler,
    UniformClipSampler,
    UnreadableVideoWarning,
    labeled_video_dataset,
)

VIDEOS = [(f"dir/{k}_{50 + 25 * k}frames_25fps.mp4", {"label": k % 3}) for k in range(6)]  # 2 to 7 seconds


def stream(decoder, clip_sampler, **options):
    options.setdefault("video_sampler", SequentialSampler)
    return LabeledVideoDataset(VIDEOS, clip_sampler, decoder=decoder, **options)


def key(sample):
    return sample["video_index"], sample["clip_index"], sample["aug_index"]


def test_a_sample_has_the_published_keys(decoder):
    sample = next(stream(decoder, UniformClipSampler(1)))
    assert set(sample) == {"video", "video_name", "video_index", "clip_index", "aug_index", "label"}
    assert sample["video"].shape == (3, 25, 6, 8)
    assert (sample["video_name"], sample["label"]) == ("0_50frames_25fps.mp4", 0)


@pytest.mark.parametrize("form", ["stream", "indexed"])
def test_every_clip_of_every_video_once(decoder, frame_numbers, form):
    sampler = UniformClipSampler(1)
    data = stream(decoder, sampler) if form == "stream" else LabeledVideoClips(VIDEOS, sampler, decoder=decoder)
    samples = list(data) if form == "stream" else [data[i] for i in range(len(data))]
    assert [key(s) for s in samples] == [(v, c, 0) for v in range(6) for c in range(v + 2)]
    assert all(
        frame_numbers(s["video"]) == list(range(25 * s["clip_index"], 25 * s["clip_index"] + 25)) for s in samples
    )
    assert all(s["label"] == s["video_index"] % 3 for s in samples)


def test_selected_frames_alone_are_decoded(decoder):
    samples = list(stream(decoder, UniformClipSampler(1), num_frames=4))
    assert all(s["video"].shape == (3, 4, 6, 8) for s in samples)
    assert decoder.decoded == 4 * len(samples)
    assert decoder.opened == len(VIDEOS)
    assert next(stream(decoder, UniformClipSampler(2), fps=5))["video"].shape[1] == 10


def test_views_of_a_clip_are_decoded_once(decoder):
    samples = list(stream(decoder, ConstantClipsPerVideoSampler(1, 2, 3), num_frames=4))
    assert len(samples) == 6 * 2 * 3
    assert decoder.decoded == 6 * 2 * 4


def test_several_clips_in_a_sample(decoder):
    sample = next(stream(decoder, RandomMultiClipSampler(1, 3), num_frames=4))
    assert [clip.shape[1] for clip in sample["video"]] == [4, 4, 4]
    assert sample["clip_index"] == [0, 0, 0]


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_workers_share_the_videos(decoder, workers):
    data = LabeledVideoDataset(VIDEOS, UniformClipSampler(1), decoder=decoder, num_frames=2, seed=3)
    loader = DataLoader(data, batch_size=None, num_workers=workers, multiprocessing_context="fork" if workers else None)
    assert sorted(key(s) for s in loader) == [(v, c, 0) for v in range(6) for c in range(v + 2)]


def _fingerprints(data, **loader):
    samples = list(DataLoader(data, batch_size=None, **loader))
    return sorted((s["video_index"], s["video"][:2, :, 0, 0].tolist(), s["noise"]) for s in samples)


def _with_noise(sample):
    return {**sample, "noise": float(torch.rand(()))}


@pytest.mark.parametrize("kind", [LabeledVideoDataset, LabeledVideoClips])
def test_a_seed_makes_samples_independent_of_workers(decoder, kind):
    def build(seed):
        return kind(VIDEOS, RandomClipSampler(0.2), decoder=decoder, num_frames=2, seed=seed, transform=_with_noise)

    data = build(1)
    expected = _fingerprints(data)
    assert expected == _fingerprints(build(1))
    assert expected == _fingerprints(build(1), num_workers=2, multiprocessing_context="fork")
    assert expected != _fingerprints(build(2))
    data.set_epoch(1)
    second = _fingerprints(data)
    assert second != expected
    assert second == _fingerprints(data, num_workers=2, multiprocessing_context="fork")
    data.set_epoch(0)
    assert _fingerprints(data) == expected


def test_workers_that_stay_alive_see_the_epoch(decoder):
    data = LabeledVideoClips(VIDEOS, RandomClipSampler(0.2), decoder=decoder, num_frames=1)
    loader = DataLoader(data, batch_size=None, num_workers=1, persistent_workers=True, multiprocessing_context="fork")
    first = [s["video"].sum().item() for s in loader]
    data.set_epoch(1)
    second = [s["video"].sum().item() for s in loader]
    data.set_epoch(0)
    assert first != second
    assert first == [s["video"].sum().item() for s in loader]


def test_a_transform_leaves_the_random_state_as_it_was(decoder):
    data = LabeledVideoClips(VIDEOS, RandomClipSampler(0.2), decoder=decoder, num_frames=1, transform=_with_noise)
    torch.manual_seed(5)
    expected = torch.rand(())
    torch.manual_seed(5)
    data[0]
    assert torch.rand(()) == expected


def test_without_a_seed_the_order_follows_torch(decoder):
    data = LabeledVideoDataset(VIDEOS * 3, RandomClipSampler(1), decoder=decoder, num_frames=1)
    torch.manual_seed(0)
    orders = [[s["video_index"] for s in data] for _ in range(2)]
    assert orders[0] != orders[1]
    torch.manual_seed(0)
    assert orders[0] == [s["video_index"] for s in data]
    assert sorted(orders[0]) == list(range(18))


@pytest.mark.parametrize("world", [2, 4, 5, 8])
def test_ranks_get_shares_of_one_size(decoder, monkeypatch, world):
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: world)
    seen = []
    for rank in range(world):
        monkeypatch.setattr(torch.distributed, "get_rank", lambda rank=rank: rank)
        data = LabeledVideoDataset(VIDEOS, RandomClipSampler(1), decoder=decoder, num_frames=1, seed=0)
        seen.append([s["video_index"] for s in data])
    assert len({len(share) for share in seen}) == 1
    counts = Counter(chain(*seen))
    assert set(counts) == set(range(6))
    assert max(counts.values()) - min(counts.values()) <= 1
    with pytest.raises(ValueError, match="seed is needed"):
        next(LabeledVideoDataset(VIDEOS, RandomClipSampler(1), decoder=decoder))


def test_a_distributed_sampler_is_not_shared_twice(decoder, monkeypatch):
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda group=None: 2)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda group=None: 1)
    data = stream(decoder, RandomClipSampler(1), video_sampler=DistributedSampler, seed=0)
    first = [s["video_index"] for s in data]
    assert len(first) == len(set(first)) == data.num_videos == 3
    data.set_epoch(1)
    assert first != [s["video_index"] for s in data] or first == list(data.video_sampler)


def test_a_damaged_video_raises_and_is_named(decoder):
    broken = [*VIDEOS[:2], ("dir/broken.mp4", {"label": 0}), *VIDEOS[2:]]
    data = LabeledVideoDataset(broken, RandomClipSampler(1), SequentialSampler, decoder=decoder)
    with pytest.raises(ValueError, match="no video stream") as error:
        list(data)
    assert "dir/broken.mp4" in error.value.__notes__[0]
    with pytest.raises(ValueError, match="no video stream"):
        LabeledVideoClips(broken, RandomClipSampler(1), decoder=decoder)[2]


def test_a_damaged_video_is_skipped_with_one_warning(decoder):
    broken = [*VIDEOS[:2], ("dir/broken.mp4", {"label": 0}), *VIDEOS[2:]]
    data = LabeledVideoDataset(broken, RandomClipSampler(1), SequentialSampler, decoder=decoder, on_error="skip")
    with pytest.warns(UnreadableVideoWarning, match=r"dir/broken.mp4: skipped") as caught:
        assert [s["video_index"] for s in data] == [0, 1, 3, 4, 5, 6]
    assert len(caught) == 1
    indexed = LabeledVideoClips(broken, RandomClipSampler(1), decoder=decoder, on_error="skip")
    with pytest.warns(UnreadableVideoWarning) as caught:
        found = [indexed[i]["video_index"] for i in (*range(7), 2)]
    assert found == [0, 1, 3, 3, 4, 5, 6, 3]
    assert len(caught) == 1
    with pytest.warns(UnreadableVideoWarning):
        uniform = LabeledVideoClips(broken, UniformClipSampler(1), decoder=decoder, on_error="skip")
    assert len(uniform) == sum(range(2, 8))


@pytest.mark.parametrize("kind", [LabeledVideoDataset, LabeledVideoClips])
def test_when_no_video_can_be_read(decoder, kind):
    data = kind([("broken.mp4", {})], RandomClipSampler(1), decoder=decoder, on_error="skip")
    first = (lambda: next(data)) if kind is LabeledVideoDataset else (lambda: data[0])
    with pytest.warns(UnreadableVideoWarning), pytest.raises(RuntimeError, match="none of the 1 videos"):
        first()


@pytest.mark.parametrize("kind", [LabeledVideoDataset, LabeledVideoClips])
def test_errors_of_a_transform_are_never_swallowed(decoder, kind):
    def fails(sample):
        raise ValueError("in the transform")

    data = kind(VIDEOS, RandomClipSampler(1), transform=fails, decoder=decoder, on_error="skip")
    first = (lambda: next(data)) if kind is LabeledVideoDataset else (lambda: data[0])
    with pytest.raises(ValueError, match="in the transform"):
        first()


def test_known_durations_save_opening_the_videos(decoder):
    first = LabeledVideoClips(VIDEOS, UniformClipSampler(1), decoder=decoder)
    assert decoder.opened == 6
    again = LabeledVideoClips(VIDEOS, UniformClipSampler(1), decoder=decoder, durations=first.durations)
    assert decoder.opened == 6
    assert len(again) == len(first) == 27
    assert again[-1]["video_index"] == 5
    with pytest.raises(IndexError):
        again[27]
    random = LabeledVideoClips(VIDEOS, ConstantClipsPerVideoSampler(1, 2, 3), decoder=decoder)
    assert (len(random), decoder.opened) == (36, 6 + 1)


def test_options_are_checked(decoder, tmp_path):
    with pytest.raises(ValueError, match="at least one video"):
        LabeledVideoDataset([], RandomClipSampler(1))
    with pytest.raises(ValueError, match="at most one"):
        LabeledVideoDataset(VIDEOS, RandomClipSampler(1), num_frames=3, fps=2)
    with pytest.raises(ValueError, match="on_error"):
        LabeledVideoDataset(VIDEOS, RandomClipSampler(1), on_error="ignore")
    with pytest.raises(ValueError, match="without sound"):
        LabeledVideoDataset(VIDEOS, RandomClipSampler(1), decode_audio=True)
    (tmp_path / "list.csv").write_text("0_50frames_25fps.mp4 7\n")
    data = labeled_video_dataset(
        tmp_path / "list.csv", RandomClipSampler(1), video_path_prefix="/data", decoder=decoder, num_frames=2
    )
    assert (next(data)["label"], data.num_videos) == (7, 1)


@pytest.mark.slow
def test_spawned_workers(tmp_path):
    """The data sets pickle: the script runs in an interpreter of its own, as spawned workers import its main module."""
    conftest = Path(__file__).parents[1] / "conftest.py"
    (tmp_path / "fake.py").write_text(conftest.read_text())
    (tmp_path / "script.py").write_text(
        textwrap.dedent("""
        from fake import FakeDecoder
        from torch.utils.data import DataLoader
        from video.data import LabeledVideoClips, LabeledVideoDataset, UniformClipSampler

        if __name__ == "__main__":
            videos = [(f"{k}_100frames_25fps", {"label": k}) for k in range(3)]
            for kind in (LabeledVideoDataset, LabeledVideoClips):
                data = kind(videos, UniformClipSampler(1), decoder=FakeDecoder, num_frames=2, seed=0)
                loader = DataLoader(data, batch_size=None, num_workers=2, multiprocessing_context="spawn")
                found = sorted((s["video_index"], s["clip_index"]) for s in loader)
                assert found == [(v, c) for v in range(3) for c in range(4)], found
        """)
    )
    assert "spawn" in multiprocessing.get_all_start_methods()
    result = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr


def test_the_sampler_protocol_is_enough(decoder):
    class Middle(ClipSampler):
        def __call__(self, last_clip_end_time, video_duration, annotation):
            from video.data import ClipInfo

            start = (video_duration - self._clip_duration) / 2
            return ClipInfo(start, start + self._clip_duration, 0, 0, True)

    data = LabeledVideoClips(VIDEOS, Middle(1), decoder=decoder, num_frames=1)
    assert len(data) == 6
