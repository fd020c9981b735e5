"""Transforms of clips: modules, and functions in :mod:`video.transforms.functional`."""

from video.transforms import functional
from video.transforms.composition import ApplyTransformToKey, Compose, OpSampler, RemoveKey, UniformCropVideo
from video.transforms.mix import CutMix, MixUp, MixVideo
from video.transforms.resizing import reference_resize
from video.transforms.transforms import (
    CenterCrop,
    ConvertFloatToUint8,
    ConvertUint8ToFloat,
    Div255,
    MoveChannelFront,
    MoveChannelRear,
    Normalize,
    Permute,
    RandomCrop,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomShortSideScale,
    ShortSideScale,
    UniformTemporalSubsample,
    UniformTemporalSubsampleRepeated,
)

__all__ = [
    "ApplyTransformToKey",
    "CenterCrop",
    "Compose",
    "ConvertFloatToUint8",
    "ConvertUint8ToFloat",
    "CutMix",
    "Div255",
    "MixUp",
    "MixVideo",
    "MoveChannelFront",
    "MoveChannelRear",
    "Normalize",
    "OpSampler",
    "Permute",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "RandomShortSideScale",
    "RemoveKey",
    "ShortSideScale",
    "UniformCropVideo",
    "UniformTemporalSubsample",
    "UniformTemporalSubsampleRepeated",
    "functional",
    "reference_resize",
]
