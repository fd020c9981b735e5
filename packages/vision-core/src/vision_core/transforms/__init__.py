"""Transforms of images as modules, with torchvision's names and arguments.

Each class is declared by its fields, the random numbers that it draws (`make_params`) and what it does to one input
(`transform`); `vision_core.transforms.functional` has the same operations as functions. Transforms take a tensor
`[..., C, H, W]`, a PIL image, or any nesting of dicts, lists and tuples with one of these in it.
"""

from vision_core.transforms import functional
from vision_core.transforms._containers import Compose, RandomApply, RandomChoice, RandomOrder
from vision_core.transforms._conversion import Normalize, PILToTensor, ToDtype, ToImage, ToPILImage
from vision_core.transforms._geometry import (
    CenterCrop,
    Pad,
    RandomCrop,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomVerticalFlip,
    Resize,
)
from vision_core.transforms._interpolation import InterpolationMode
from vision_core.transforms._random import Random, RandomTransform
from vision_core.transforms._transform import Identity, Lambda, Params, Transform

__all__ = [
    "CenterCrop",
    "Compose",
    "Identity",
    "InterpolationMode",
    "Lambda",
    "Normalize",
    "PILToTensor",
    "Pad",
    "Params",
    "Random",
    "RandomApply",
    "RandomChoice",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomOrder",
    "RandomResizedCrop",
    "RandomTransform",
    "RandomVerticalFlip",
    "Resize",
    "ToDtype",
    "ToImage",
    "ToPILImage",
    "Transform",
    "functional",
]
