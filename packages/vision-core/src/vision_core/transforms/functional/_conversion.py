"""Between PIL images, arrays and tensors, and between the dtypes that hold pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from vision_core._pillow import is_pil_image
from vision_core.transforms.functional._dispatch import functional
from vision_core.transforms.functional._values import max_value, to_working, value_bits

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

__all__ = ["convert_image_dtype", "pil_to_tensor", "to_dtype", "to_dtype_image", "to_image", "to_pil_image"]


def to_dtype_image(image: Tensor, dtype: torch.dtype = torch.float, scale: bool = False) -> Tensor:
    """Convert the dtype of images, and with `scale` their values to the range that the new dtype stands for.

    Floating-point images hold 0..1, integer images 0 to the largest value of their dtype, bool images 0 and 1.

    Args:
        image: any shape and dtype.
        dtype: the dtype of the result.
        scale: map full range to full range; otherwise values are converted as they are.

    Returns:
        The same shape in `dtype`; `image` itself if it has that dtype.

    Raises:
        RuntimeError: float32 to int32 or int64, or float64 to int64, with `scale`: the result could not be exact.

    Examples:
        >>> import torch
        >>> to_dtype_image(torch.tensor([0, 255], dtype=torch.uint8), torch.float32, scale=True).tolist()
        [0.0, 1.0]
    """
    if image.dtype == dtype:
        return image
    if not scale or (image.is_floating_point() and dtype.is_floating_point):
        return image.to(dtype)
    if image.is_floating_point():
        return _float_to_int(image, dtype)
    if dtype.is_floating_point:
        # Half formats cannot hold 255 (bfloat16) or 65535 (float16), so the division comes before the rounding.
        wide = torch.float64 if dtype == torch.float64 else torch.float32
        return image.to(wide).mul_(1.0 / max_value(image.dtype)).to(dtype)
    return _int_to_int(image, dtype)


def _float_to_int(image: Tensor, dtype: torch.dtype) -> Tensor:
    if (image.dtype == torch.float32 and dtype in (torch.int32, torch.int64)) or (
        image.dtype == torch.float64 and dtype == torch.int64
    ):
        raise RuntimeError(
            f"dtype: {image.dtype} cannot be scaled to {dtype} without error; go through float64 or int16"
        )
    # Every integer gets an equally wide part of 0..1, and 1 still belongs to the last one.
    return to_working(image).mul(max_value(dtype) + 1.0 - 1e-3).to(dtype)


def _int_to_int(image: Tensor, dtype: torch.dtype) -> Tensor:
    # torch shifts no uint16, so 16-bit images go through int32.
    values = image.to(torch.int32) if image.dtype == torch.uint16 else image
    source, target = value_bits(image.dtype), value_bits(dtype)
    if source > target:
        return values.bitwise_right_shift(source - target).to(dtype)
    wide = torch.int32 if dtype == torch.uint16 else dtype
    return values.to(wide).bitwise_left_shift(target - source).to(dtype)


def _to_dtype_pil(image: Image, dtype: torch.dtype = torch.float, scale: bool = False) -> Image:
    raise TypeError("to_dtype: a PIL image has no dtype of its own; convert it to a tensor first (to_image)")


to_dtype = functional(to_dtype_image, pil=_to_dtype_pil)


def convert_image_dtype(image: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Convert images to `dtype`, scaling their values: `to_dtype(image, dtype, scale=True)`.

    Examples:
        >>> import torch
        >>> convert_image_dtype(torch.tensor([255], dtype=torch.uint8)).tolist()
        [1.0]
    """
    return to_dtype_image(image, dtype, scale=True)


def pil_to_tensor(pic: Image) -> Tensor:
    """Copy a PIL image into a tensor `[C, H, W]`, keeping its values (uint8 for most modes).

    Raises:
        TypeError: `pic` is no PIL image.

    Examples:
        >>> from PIL import Image
        >>> pil_to_tensor(Image.new("RGB", (4, 2))).shape
        torch.Size([3, 2, 4])
    """
    import numpy as np

    if not is_pil_image(pic):
        raise TypeError(f"pic: expected a PIL image, got {type(pic).__name__}")
    pixels = np.array(pic, copy=True)
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8) * 255  # mode "1"
    tensor = torch.from_numpy(pixels)
    return tensor[None] if tensor.ndim == 2 else tensor.permute(2, 0, 1)


def to_image(inpt: Tensor | Image | np.ndarray) -> Tensor:
    """Make an image tensor `[..., C, H, W]` of a PIL image, an array `[H, W, C]` or `[H, W]`, or a tensor.

    Values and dtype stay as they are; arrays share their memory with the result. `[H, W]` tensors get a channel.

    Raises:
        TypeError: something else.

    Examples:
        >>> import numpy as np
        >>> to_image(np.zeros((4, 6, 3), dtype=np.uint8)).shape
        torch.Size([3, 4, 6])
    """
    import numpy as np

    if isinstance(inpt, np.ndarray):
        array = torch.from_numpy(np.atleast_3d(inpt))
        return array.permute(2, 0, 1)
    if is_pil_image(inpt):
        return pil_to_tensor(inpt)
    if isinstance(inpt, Tensor):
        return inpt[None] if inpt.ndim == 2 else inpt
    raise TypeError(f"inpt: expected a tensor, a PIL image or a NumPy array, got {type(inpt).__name__}")


def to_pil_image(pic: Tensor | np.ndarray, mode: str | None = None) -> Image:
    """Make a PIL image of a tensor `[C, H, W]` or `[H, W]`, or of an array `[H, W, C]` or `[H, W]`.

    Args:
        pic: one image with 1 to 4 channels. Floating point tensors in 0..1 are scaled to 0..255 unless `mode` is "F".
        mode: Pillow's name of the colour space; by default L, LA, RGB or RGBA from the number of channels, and
            I;16, I or F for 16-bit, 32-bit and floating-point images of one channel.

    Raises:
        TypeError: neither tensor nor array, or a dtype that Pillow cannot hold.
        ValueError: a shape that is no image's, or a mode with another number of channels.

    Examples:
        >>> import torch
        >>> to_pil_image(torch.zeros(3, 2, 4)).size
        (4, 2)
    """
    import PIL.Image

    pixels = _to_array(pic, mode)
    if pixels.ndim != 3 or not 1 <= pixels.shape[2] <= 4:
        raise ValueError(f"pic: expected one image with 1 to 4 channels, got shape {tuple(pic.shape)}")
    if pixels.shape[2] == 1:
        return _gray_to_pil(pixels[:, :, 0], mode)
    if pixels.dtype != "uint8":
        raise TypeError(f"pic: images with {pixels.shape[2]} channels need dtype uint8, got {pixels.dtype}")
    natural = {2: "LA", 3: "RGB", 4: "RGBA"}[pixels.shape[2]]
    allowed = {2: ("LA",), 3: ("RGB", "YCbCr", "HSV", "LAB"), 4: ("RGBA", "CMYK", "RGBX")}[pixels.shape[2]]
    if mode is not None and mode not in allowed:
        raise ValueError(f"mode: {pixels.shape[2]} channels make one of {allowed}, got {mode!r}")
    wanted = mode or natural
    if wanted == natural:
        return PIL.Image.fromarray(pixels)
    # Pixels are bytes in the named colour space already, so they are taken as they are, not converted.
    return PIL.Image.frombytes(wanted, (pixels.shape[1], pixels.shape[0]), pixels.tobytes())


def _to_array(pic: Any, mode: str | None) -> np.ndarray:
    import numpy as np

    if isinstance(pic, Tensor):
        if pic.is_floating_point() and mode != "F":
            pic = pic.mul(255).to(torch.uint8)
        planes = pic[None] if pic.ndim == 2 else pic
        if planes.ndim != 3:
            raise ValueError(f"pic: expected [C, H, W] or [H, W], got shape {tuple(pic.shape)}")
        return np.ascontiguousarray(planes.detach().cpu().permute(1, 2, 0).numpy())
    if isinstance(pic, np.ndarray):
        return np.ascontiguousarray(np.atleast_3d(pic))
    raise TypeError(f"pic: expected a tensor or a NumPy array, got {type(pic).__name__}")


def _gray_to_pil(pixels: np.ndarray, mode: str | None) -> Image:
    import PIL.Image

    modes = {"uint8": "L", "int16": "I;16", "uint16": "I;16", "int32": "I", "float32": "F"}
    natural = modes.get(str(pixels.dtype))
    if natural is None:
        raise TypeError(
            f"pic: Pillow holds no one-channel images of dtype {pixels.dtype}; expected one of {sorted(modes)}"
        )
    if mode is not None and mode != natural:
        raise ValueError(f"mode: one channel of {pixels.dtype} makes {natural!r}, got {mode!r}")
    if natural == "I;16":
        return PIL.Image.frombytes("I;16", (pixels.shape[1], pixels.shape[0]), pixels.tobytes())
    return PIL.Image.fromarray(pixels)
