"""Data sets of videos: which clips, which frames, and the labels that go with them."""

from video.data._clip_reading import UnreadableVideoWarning
from video.data.clip_sampling import (
    ClipInfo,
    ClipInfoList,
    ClipSampler,
    ConstantClipsPerVideoSampler,
    RandomClipSampler,
    RandomMultiClipSampler,
    RandomMultiClipSamplerTruncateFromStart,
    UniformClipSampler,
    UniformClipSamplerTruncateFromStart,
    make_clip_sampler,
)
from video.data.encoded_video import EncodedVideo
from video.data.frame_selection import ClipWindow, FrameSelection, FramesPerSecond, UniformFrames
from video.data.labeled_video_clips import LabeledVideoClips
from video.data.labeled_video_dataset import LabeledVideoDataset, labeled_video_dataset
from video.data.labeled_video_paths import LabeledVideoPaths
from video.data.video import Video

__all__ = [
    "ClipInfo",
    "ClipInfoList",
    "ClipSampler",
    "ClipWindow",
    "ConstantClipsPerVideoSampler",
    "EncodedVideo",
    "FrameSelection",
    "FramesPerSecond",
    "LabeledVideoClips",
    "LabeledVideoDataset",
    "LabeledVideoPaths",
    "RandomClipSampler",
    "RandomMultiClipSampler",
    "RandomMultiClipSamplerTruncateFromStart",
    "UniformClipSampler",
    "UniformClipSamplerTruncateFromStart",
    "UniformFrames",
    "UnreadableVideoWarning",
    "Video",
    "labeled_video_dataset",
    "make_clip_sampler",
]
