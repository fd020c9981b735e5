"""The data sets on real files, through the decoder of vision-io."""

from fractions import Fraction

import pytest
import torch

vision_io = pytest.importorskip("vision_io")
pytest.importorskip("av")

from torch.utils.data import DataLoader  # noqa: E402

from video.data import (  # noqa: E402
    EncodedVideo,
    LabeledVideoClips,
    LabeledVideoDataset,
    RandomClipSampler,
    UniformClipSampler,
    UniformFrames,
    UnreadableVideoWarning,
    labeled_video_dataset,
)

pytestmark = pytest.mark.extra_io
FPS, SECONDS = 25, 4


def write(path, frames=FPS * SECONDS, fps=FPS):
    """Write a video whose frame ``i`` shows the bits of ``i`` as black or white stripes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    bits = (torch.arange(frames)[:, None] >> torch.arange(8)) & 1
    stripes = (255 * bits).to(torch.uint8).repeat_interleave(12, dim=1)
    vision_io.write_video(path, stripes[:, None, :, None].expand(-1, 64, 96, 3).contiguous(), fps)
    return path


def numbers(clip):
    stripes = clip.float().mean((0, 2)).reshape(-1, 8, 12).mean(2)
    return ((stripes > 128).long() << torch.arange(8)).sum(1).tolist()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("videos")
    for k, name in enumerate(("archery/a.mp4", "archery/b.mp4", "bowling/c.mp4")):
        write(root / name, FPS * (2 + k))
    return root


def test_clips_are_frame_exact(tmp_path):
    with EncodedVideo(write(tmp_path / "a.mp4")) as video:
        assert video.duration == SECONDS
        assert video.fps == FPS
        for clip in UniformClipSampler(0.4).clips(video.duration):
            frames = video.get_clip(clip.clip_start_sec, clip.clip_end_sec)["video"]
            first = round(clip.clip_start_sec * FPS)
            assert frames.dtype == torch.uint8
            assert frames.shape == (3, 10, 64, 96)
            assert numbers(frames) == list(range(first, first + 10))
        chosen = video.get_clip(1, 3, UniformFrames(4))["video"]
        assert numbers(chosen) == [25 + k * 49 // 3 for k in range(4)]


def test_ntsc_rates(tmp_path):
    rate = Fraction(30000, 1001)
    with EncodedVideo(write(tmp_path / "a.mp4", 90, rate)) as video:
        clips = [numbers(video.get_clip(k, k + 1)["video"]) for k in range(4)]
    assert [i for clip in clips[:3] for i in clip] == list(range(90)), "every frame once"
    assert clips[3] == [89], "no frame starts in the last 3 ms: the one on show"


def test_data_sets_of_a_folder(folder):
    stream = labeled_video_dataset(folder, UniformClipSampler(1), num_frames=4, seed=0)
    found = sorted((s["video_name"], s["clip_index"], s["label"], tuple(numbers(s["video"]))) for s in stream)
    assert [(name, clip, label) for name, clip, label, _ in found] == [
        *(("a.mp4", k, 0) for k in range(2)),
        *(("b.mp4", k, 0) for k in range(3)),
        *(("c.mp4", k, 1) for k in range(4)),
    ]
    assert all(frames == tuple(25 * clip + k * 24 // 3 for k in range(4)) for _, clip, _, frames in found)


def test_batches_from_workers(folder):
    paths = [(folder / "archery/a.mp4", {"label": 0}), (folder / "bowling/c.mp4", {"label": 1})] * 2
    data = LabeledVideoClips(paths, RandomClipSampler(1), num_frames=4, seed=1)
    batches = list(DataLoader(data, batch_size=2, num_workers=2))
    again = list(DataLoader(data, batch_size=2))
    assert [b["video"].shape for b in batches] == [(2, 3, 4, 64, 96)] * 2
    for a, b in zip(batches, again, strict=True):
        assert torch.equal(a["video"], b["video"])
        assert a["video_name"] == b["video_name"]


def test_a_damaged_file(folder, tmp_path):
    cut = tmp_path / "cut.mp4"
    cut.write_bytes((folder / "archery/a.mp4").read_bytes()[:600])
    paths = [(cut, {"label": 0}), (folder / "archery/a.mp4", {"label": 1})]
    data = LabeledVideoDataset(paths, RandomClipSampler(1), num_frames=2, on_error="skip", seed=0)
    with pytest.warns(UnreadableVideoWarning, match="cut"):
        assert [s["label"] for s in data] == [1]
    with pytest.raises(ValueError, match="cut"):
        list(LabeledVideoDataset(paths, RandomClipSampler(1), num_frames=2, seed=0))


def test_a_published_file(shared):
    """Clips of a second in a row share the frames, none lost, none repeated."""
    path = shared / "data/video/nasa_13013.mp4"
    if not path.exists():
        pytest.skip(f"needs {path}")
    with EncodedVideo(path) as video:
        parts = [video.get_clip(k, k + 1)["video"] for k in range(3)]
        whole = video.get_clip(0, 3)["video"]
    assert torch.equal(torch.cat(parts, dim=1), whole)
    assert {part.shape[1] for part in parts} <= {29, 30}
