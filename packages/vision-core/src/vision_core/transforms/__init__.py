"""Transforms of images as modules, with torchvision's names and arguments.

Each class is declared by its fields, the random numbers that it draws (`make_params`) and what it does to one input
(`transform`); `vision_core.transforms.functional` has the same operations as functions. Transforms take a tensor
`[..., C, H, W]`, a PIL image, or any nesting of dicts, lists and tuples with one of these in it.
"""

from vision_core.transforms import (
    functional,
)
from vision_core.transforms._aug_mix import (
    AugMix,
)
from vision_core.transforms._auto_augment import (
    AutoAugment,
    RandAugment,
    TrivialAugmentWide,
)
from vision_core.transforms._box_transforms import (
    ClampBoundingBoxes,
    ClampKeyPoints,
    ConvertBoundingBoxFormat,
    SanitizeBoundingBoxes,
    SanitizeKeyPoints,
    SetClampingMode,
)
from vision_core.transforms._color import (
    RGB,
    Grayscale,
    RandomAdjustSharpness,
    RandomAutocontrast,
    RandomChannelPermutation,
    RandomEqualize,
    RandomGrayscale,
    RandomInvert,
    RandomPosterize,
    RandomSolarize,
)
from vision_core.transforms._color_jitter import (
    ColorJitter,
    RandomPhotometricDistort,
)
from vision_core.transforms._compose import Compose
from vision_core.transforms._containers import (
    RandomApply,
    RandomChoice,
    RandomOrder,
)
from vision_core.transforms._conversion import (
    ConvertImageDtype,
    Normalize,
    PILToTensor,
    ToDtype,
    ToImage,
    ToPILImage,
    ToPureTensor,
    ToTensor,
    UniformTemporalSubsample,
)
from vision_core.transforms._copy_paste import (
    SimpleCopyPaste,
)
from vision_core.transforms._cropping import (
    CenterCrop,
    RandomCrop,
    RandomResizedCrop,
)
from vision_core.transforms._cut_mix import CutMix
from vision_core.transforms._degrade import (
    JPEG,
    GaussianBlur,
    GaussianNoise,
)
from vision_core.transforms._erasing import (
    RandomErasing,
)
from vision_core.transforms._flipping import (
    RandomHorizontalFlip,
    RandomVerticalFlip,
)
from vision_core.transforms._interpolation import (
    InterpolationMode,
)
from vision_core.transforms._iou_crop import (
    RandomIoUCrop,
)
from vision_core.transforms._keypoint_flip import (
    COCO_KEYPOINT_PAIRS,
    RandomHorizontalFlipKeypoints,
    swap_keypoints,
)
from vision_core.transforms._linear import (
    LinearTransformation,
)
from vision_core.transforms._mix_up import MixUp
from vision_core.transforms._mosaic import (
    Mosaic,
)
from vision_core.transforms._padding import (
    Pad,
    RandomZoomOut,
)
from vision_core.transforms._policies import (
    AutoAugmentPolicy,
)
from vision_core.transforms._query import (
    check_type,
    get_bounding_boxes,
    get_keypoints,
    has_all,
    has_any,
    query_chw,
    query_size,
)
from vision_core.transforms._random import (
    Random,
    RandomTransform,
)
from vision_core.transforms._resizing import (
    RandomResize,
    RandomShortestSize,
    Resize,
    ScaleJitter,
)
from vision_core.transforms._several_crops import (
    FiveCrop,
    TenCrop,
)
from vision_core.transforms._transform import (
    Identity,
    Lambda,
    Params,
    Transform,
)
from vision_core.transforms._warping import (
    ElasticTransform,
    RandomAffine,
    RandomPerspective,
    RandomRotation,
)

__all__ = [
    "COCO_KEYPOINT_PAIRS",
    "JPEG",
    "RGB",
    "AugMix",
    "AutoAugment",
    "AutoAugmentPolicy",
    "CenterCrop",
    "ClampBoundingBoxes",
    "ClampKeyPoints",
    "ColorJitter",
    "Compose",
    "ConvertBoundingBoxFormat",
    "ConvertImageDtype",
    "CutMix",
    "ElasticTransform",
    "FiveCrop",
    "GaussianBlur",
    "GaussianNoise",
    "Grayscale",
    "Identity",
    "InterpolationMode",
    "Lambda",
    "LinearTransformation",
    "MixUp",
    "Mosaic",
    "Normalize",
    "PILToTensor",
    "Pad",
    "Params",
    "RandAugment",
    "Random",
    "RandomAdjustSharpness",
    "RandomAffine",
    "RandomApply",
    "RandomAutocontrast",
    "RandomChannelPermutation",
    "RandomChoice",
    "RandomCrop",
    "RandomEqualize",
    "RandomErasing",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomHorizontalFlipKeypoints",
    "RandomInvert",
    "RandomIoUCrop",
    "RandomOrder",
    "RandomPerspective",
    "RandomPhotometricDistort",
    "RandomPosterize",
    "RandomResize",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomShortestSize",
    "RandomSolarize",
    "RandomTransform",
    "RandomVerticalFlip",
    "RandomZoomOut",
    "Resize",
    "SanitizeBoundingBoxes",
    "SanitizeKeyPoints",
    "ScaleJitter",
    "SetClampingMode",
    "SimpleCopyPaste",
    "TenCrop",
    "ToDtype",
    "ToImage",
    "ToPILImage",
    "ToPureTensor",
    "ToTensor",
    "Transform",
    "TrivialAugmentWide",
    "UniformTemporalSubsample",
    "check_type",
    "functional",
    "get_bounding_boxes",
    "get_keypoints",
    "has_all",
    "has_any",
    "query_chw",
    "query_size",
    "swap_keypoints",
]
