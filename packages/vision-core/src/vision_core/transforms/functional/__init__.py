"""Operations on image tensors `[..., C, H, W]` and PIL images, with torchvision's names and arguments.

Each comes as `name`, which takes both kinds, and as `name_image`, the kernel for tensors, which torch can compile,
export and script.
"""

from vision_core.transforms._interpolation import (
    InterpolationMode,
)
from vision_core.transforms.functional._blur import (
    gaussian_blur,
    gaussian_blur_image,
    gaussian_blur_video,
)
from vision_core.transforms.functional._color_chain import (
    adjust_colors,
    adjust_colors_image,
)
from vision_core.transforms.functional._conversion import (
    pil_to_tensor,
    to_image,
    to_pil_image,
    to_tensor,
)
from vision_core.transforms.functional._crop import (
    center_crop,
    center_crop_image,
    crop,
    crop_image,
)
from vision_core.transforms.functional._dispatch import (
    register_kernel,
)
from vision_core.transforms.functional._dtype import (
    convert_image_dtype,
    to_dtype,
    to_dtype_image,
    to_dtype_video,
)
from vision_core.transforms.functional._enhance import (
    adjust_brightness,
    adjust_brightness_image,
    adjust_brightness_video,
    adjust_contrast,
    adjust_contrast_image,
    adjust_contrast_video,
    adjust_saturation,
    adjust_saturation_image,
    adjust_saturation_video,
    adjust_sharpness,
    adjust_sharpness_image,
    adjust_sharpness_video,
)
from vision_core.transforms.functional._erase import (
    erase,
    erase_image,
    erase_video,
)
from vision_core.transforms.functional._flip import (
    hflip,
    horizontal_flip,
    horizontal_flip_image,
    vertical_flip,
    vertical_flip_image,
    vflip,
)
from vision_core.transforms.functional._grayscale import (
    grayscale_to_rgb,
    grayscale_to_rgb_image,
    permute_channels,
    permute_channels_image,
    permute_channels_video,
    rgb_to_grayscale,
    rgb_to_grayscale_image,
    to_grayscale,
)
from vision_core.transforms.functional._histogram import (
    autocontrast,
    autocontrast_image,
    autocontrast_video,
    equalize,
    equalize_image,
    equalize_video,
)
from vision_core.transforms.functional._hue import (
    adjust_hue,
    adjust_hue_image,
    adjust_hue_video,
)
from vision_core.transforms.functional._jpeg import (
    jpeg,
    jpeg_image,
    jpeg_video,
)
from vision_core.transforms.functional._noise import (
    gaussian_noise,
    gaussian_noise_image,
    gaussian_noise_video,
)
from vision_core.transforms.functional._normalize import (
    normalize,
    normalize_image,
    normalize_video,
)
from vision_core.transforms.functional._pad import (
    pad,
    pad_image,
)
from vision_core.transforms.functional._resize import (
    resize,
    resize_image,
    resized_crop,
    resized_crop_image,
)
from vision_core.transforms.functional._size import (
    get_dimensions,
    get_num_channels,
    get_size,
)
from vision_core.transforms.functional._temporal import (
    uniform_temporal_subsample,
    uniform_temporal_subsample_video,
)
from vision_core.transforms.functional._tone import (
    adjust_gamma,
    adjust_gamma_image,
    adjust_gamma_video,
    invert,
    invert_image,
    invert_video,
    posterize,
    posterize_image,
    posterize_video,
    solarize,
    solarize_image,
    solarize_video,
)

__all__ = [
    "InterpolationMode",
    "adjust_brightness",
    "adjust_brightness_image",
    "adjust_brightness_video",
    "adjust_colors",
    "adjust_colors_image",
    "adjust_contrast",
    "adjust_contrast_image",
    "adjust_contrast_video",
    "adjust_gamma",
    "adjust_gamma_image",
    "adjust_gamma_video",
    "adjust_hue",
    "adjust_hue_image",
    "adjust_hue_video",
    "adjust_saturation",
    "adjust_saturation_image",
    "adjust_saturation_video",
    "adjust_sharpness",
    "adjust_sharpness_image",
    "adjust_sharpness_video",
    "autocontrast",
    "autocontrast_image",
    "autocontrast_video",
    "center_crop",
    "center_crop_image",
    "convert_image_dtype",
    "crop",
    "crop_image",
    "equalize",
    "equalize_image",
    "equalize_video",
    "erase",
    "erase_image",
    "erase_video",
    "gaussian_blur",
    "gaussian_blur_image",
    "gaussian_blur_video",
    "gaussian_noise",
    "gaussian_noise_image",
    "gaussian_noise_video",
    "get_dimensions",
    "get_num_channels",
    "get_size",
    "grayscale_to_rgb",
    "grayscale_to_rgb_image",
    "hflip",
    "horizontal_flip",
    "horizontal_flip_image",
    "invert",
    "invert_image",
    "invert_video",
    "jpeg",
    "jpeg_image",
    "jpeg_video",
    "normalize",
    "normalize_image",
    "normalize_video",
    "pad",
    "pad_image",
    "permute_channels",
    "permute_channels_image",
    "permute_channels_video",
    "pil_to_tensor",
    "posterize",
    "posterize_image",
    "posterize_video",
    "register_kernel",
    "resize",
    "resize_image",
    "resized_crop",
    "resized_crop_image",
    "rgb_to_grayscale",
    "rgb_to_grayscale_image",
    "solarize",
    "solarize_image",
    "solarize_video",
    "to_dtype",
    "to_dtype_image",
    "to_dtype_video",
    "to_grayscale",
    "to_image",
    "to_pil_image",
    "to_tensor",
    "uniform_temporal_subsample",
    "uniform_temporal_subsample_video",
    "vertical_flip",
    "vertical_flip_image",
    "vflip",
]
