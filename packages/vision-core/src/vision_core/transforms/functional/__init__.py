"""Operations on image tensors `[..., C, H, W]` and PIL images, with torchvision's names and arguments.

Each comes as `name`, which takes both kinds, and as `name_image`, the kernel for tensors, which torch can compile,
export and script.
"""

from vision_core.transforms._interpolation import InterpolationMode
from vision_core.transforms.functional._conversion import (
    convert_image_dtype,
    pil_to_tensor,
    to_dtype,
    to_dtype_image,
    to_image,
    to_pil_image,
)
from vision_core.transforms.functional._crop import center_crop, center_crop_image, crop, crop_image
from vision_core.transforms.functional._dispatch import register_kernel
from vision_core.transforms.functional._flip import (
    hflip,
    horizontal_flip,
    horizontal_flip_image,
    vertical_flip,
    vertical_flip_image,
    vflip,
)
from vision_core.transforms.functional._normalize import normalize, normalize_image
from vision_core.transforms.functional._pad import pad, pad_image
from vision_core.transforms.functional._resize import resize, resize_image, resized_crop, resized_crop_image
from vision_core.transforms.functional._size import get_dimensions, get_num_channels, get_size

__all__ = [
    "InterpolationMode",
    "center_crop",
    "center_crop_image",
    "convert_image_dtype",
    "crop",
    "crop_image",
    "get_dimensions",
    "get_num_channels",
    "get_size",
    "hflip",
    "horizontal_flip",
    "horizontal_flip_image",
    "normalize",
    "normalize_image",
    "pad",
    "pad_image",
    "pil_to_tensor",
    "register_kernel",
    "resize",
    "resize_image",
    "resized_crop",
    "resized_crop_image",
    "to_dtype",
    "to_dtype_image",
    "to_image",
    "to_pil_image",
    "vertical_flip",
    "vertical_flip_image",
    "vflip",
]
