"""From a decoded image to a model's input: resize, centre crop, to float, normalise."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vision_contract import find

__all__ = ["ImageClassification"]

INTERPOLATIONS = ("nearest", "nearest-exact", "bilinear", "bicubic")


def resize_reference(image: Tensor, size: list[int], interpolation: str = "bilinear", antialias: bool = True) -> Tensor:
    """Resize in pure torch: the meaning of the contract's ``resize``, used where no faster one is installed.

    Args:
        image: ``(..., C, H, W)``, uint8 or floating point.
        size: ``[height, width]`` of the result.
        interpolation: ``"bilinear"``, ``"bicubic"``, ``"nearest"`` or ``"nearest-exact"``.
        antialias: widen the filter when the image shrinks (bilinear and bicubic).

    Returns:
        ``(..., C, height, width)`` of the input's type; uint8 is computed in float32, rounded and saturated.
    """
    batch = image.reshape([-1, image.shape[-3], image.shape[-2], image.shape[-1]])
    pixels = batch if batch.is_floating_point() else batch.to(torch.float32)
    if interpolation == "nearest" or interpolation == "nearest-exact":
        pixels = F.interpolate(pixels, size=size, mode=interpolation)
    else:
        pixels = F.interpolate(pixels, size=size, mode=interpolation, align_corners=False, antialias=antialias)
    if image.dtype == torch.uint8:
        pixels = pixels.round().clamp(0, 255).to(torch.uint8)
    return pixels.reshape(image.shape[:-2] + pixels.shape[-2:])


class ImageClassification(nn.Module):
    """Prepare images for a classifier: resize the short side, crop the centre, scale to 0..1, normalise.

    Input: an RGB tensor ``(..., 3, H, W)``, uint8 in 0..255 or floating point in 0..1, or (outside TorchScript) a
    Pillow image or anything else that NumPy reads as ``(H, W, 3)`` or ``(H, W)`` uint8 values. Output: float
    ``(..., 3, crop_size, crop_size)``. An image smaller than the crop is padded with zeros.

    Args:
        crop_size: side of the square that is kept, in pixels.
        resize_size: length of the image's short side before the crop, in pixels.
        mean: subtracted from each channel after scaling to 0..1.
        std: what each channel is then divided by.
        interpolation: ``"bilinear"``, ``"bicubic"``, ``"nearest"`` or ``"nearest-exact"``.
        antialias: widen the filter when the image shrinks.
        resize: resizes (see ``vision_contract.find("resize")``); by default what is installed, or pure torch.

    Raises:
        ValueError: an unknown interpolation, a size that is not positive, or not three means and deviations.

    Examples:
        >>> import torch
        >>> from vision_models import ResNet50_Weights
        >>> prepare = ResNet50_Weights.DEFAULT.transforms()
        >>> prepare(torch.zeros(3, 480, 640, dtype=torch.uint8)).shape
        torch.Size([3, 224, 224])
    """

    def __init__(
        self,
        *,
        crop_size: int,
        resize_size: int = 256,
        mean: Sequence[float] = (0.485, 0.456, 0.406),
        std: Sequence[float] = (0.229, 0.224, 0.225),
        interpolation: str = "bilinear",
        antialias: bool = True,
        resize: Callable[..., Tensor] | None = None,
    ) -> None:
        super().__init__()
        mode = str(getattr(interpolation, "value", interpolation))
        if mode not in INTERPOLATIONS:
            raise ValueError(f"interpolation: expected one of {', '.join(INTERPOLATIONS)}, got {interpolation!r}")
        if crop_size < 1 or resize_size < 1:
            raise ValueError(f"crop_size and resize_size: expected at least 1, got {crop_size} and {resize_size}")
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ValueError(f"mean and std: expected 3 numbers each, std positive, got {mean!r} and {std!r}")
        self.crop_size = crop_size
        self.resize_size = resize_size
        self.mean = [float(value) for value in mean]
        self.std = [float(value) for value in std]
        self.interpolation = mode
        self.antialias = antialias
        self.resize = resize if resize is not None else find("resize", default=resize_reference)

    def forward(self, img: Tensor) -> Tensor:
        if not torch.jit.is_scripting() and not isinstance(img, Tensor):  # pyright: ignore[reportPrivateImportUsage]
            img = _to_tensor(img)
        height, width = img.shape[-2], img.shape[-1]
        short, long = min(height, width), max(height, width)
        longer = self.resize_size * long // short
        size = [self.resize_size, longer] if height <= width else [longer, self.resize_size]
        if size[0] != height or size[1] != width:
            img = self.resize(img, size, self.interpolation, self.antialias)
        img = _center_crop(img, self.crop_size)
        if not img.is_floating_point():
            img = img.to(torch.float32) / 255.0
        mean = torch.tensor(self.mean, dtype=img.dtype, device=img.device).view(3, 1, 1)
        std = torch.tensor(self.std, dtype=img.dtype, device=img.device).view(3, 1, 1)
        return (img - mean) / std

    def extra_repr(self) -> str:
        return (
            f"crop_size={self.crop_size}, resize_size={self.resize_size}, mean={self.mean}, std={self.std}, "
            f"interpolation={self.interpolation!r}, antialias={self.antialias}"
        )


def _center_crop(img: Tensor, side: int) -> Tensor:
    height, width = img.shape[-2], img.shape[-1]
    if height < side or width < side:
        above, left = max(side - height, 0), max(side - width, 0)
        img = F.pad(img, [left // 2, left - left // 2, above // 2, above - above // 2])
        height, width = img.shape[-2], img.shape[-1]
    top, left = _half(height - side), _half(width - side)
    return img[..., top : top + side, left : left + side]


def _half(margin: int) -> int:
    """Half of ``margin``, rounded to even: 1 -> 0, 3 -> 2, 5 -> 2."""
    return margin // 2 + (margin % 2) * (margin // 2 % 2)


def _to_tensor(img: Any) -> Tensor:
    if hasattr(img, "convert") and getattr(img, "mode", "RGB") != "RGB":  # a Pillow image in another colour mode
        img = img.convert("RGB")
    pixels = np.asarray(img)
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3):
        raise TypeError(
            f"img: expected a tensor (..., 3, H, W), an RGB image or uint8 values (H, W, 3), got {type(img).__name__} "
            f"with shape {pixels.shape} of {pixels.dtype}"
        )
    if pixels.ndim == 2:
        pixels = np.stack([pixels] * 3, axis=-1)
    return torch.from_numpy(np.array(pixels)).permute(2, 0, 1)
