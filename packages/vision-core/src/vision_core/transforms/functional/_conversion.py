"""Between PIL images, arrays and tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from vision_core._pillow import is_pil_image
from vision_core.transforms.functional._dispatch import array_to_tensor
from vision_core.transforms.functional._dtype import to_dtype_image
from vision_core.tv_tensors import Image as ImageTensor
from vision_core.tv_tensors import TVTensor
from vision_core.tv_tensors._base import plain

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

__all__ = ["pil_to_tensor", "to_image", "to_pil_image", "to_tensor"]


def pil_to_tensor(pic: Image) -> Tensor:
    """Copy a PIL image into a tensor `[C, H, W]`, keeping its values: uint8 for most modes, bool for "1".

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
    tensor = torch.from_numpy(pixels)
    return tensor[None] if tensor.ndim == 2 else tensor.permute(2, 0, 1)


def to_image(inpt: Tensor | Image | np.ndarray) -> ImageTensor:
    """Make an `Image` `[..., C, H, W]` of a PIL image, an array `[..., H, W, C]` or `[H, W]`, or a tensor.

    Values and dtype stay as they are; arrays share their memory with the result. `[H, W]` tensors get a channel.

    Raises:
        TypeError: something else.

    Examples:
        >>> import numpy as np
        >>> to_image(np.zeros((4, 6, 3), dtype=np.uint8)).shape
        torch.Size([3, 4, 6])
    """
    if isinstance(inpt, Tensor):
        if inpt.ndim < 3:
            return ImageTensor(inpt)
        return (plain(inpt) if isinstance(inpt, TVTensor) else inpt).as_subclass(ImageTensor)
    if is_pil_image(inpt):
        return ImageTensor(pil_to_tensor(inpt))
    import numpy as np

    if isinstance(inpt, np.ndarray):
        return ImageTensor(array_to_tensor(inpt))
    raise TypeError(f"inpt: expected a tensor, a PIL image or a NumPy array, got {type(inpt).__name__}")


def to_tensor(inpt: Image | np.ndarray) -> Tensor:
    """Make a float tensor `[C, H, W]` in 0..1 of a PIL image or an array `[H, W, C]` or `[H, W]`.

    Only 8-bit values (and PIL's mode "1") are scaled; others keep dtype and values.

    Raises:
        TypeError: neither a PIL image nor an array.
        ValueError: an array with another number of dimensions.

    Examples:
        >>> import numpy as np
        >>> to_tensor(np.full((1, 1, 3), 255, dtype=np.uint8)).flatten().tolist()
        [1.0, 1.0, 1.0]
    """
    import numpy as np

    if is_pil_image(inpt):
        pixels = pil_to_tensor(inpt)
        if pixels.dtype == torch.bool:
            return pixels.to(torch.get_default_dtype())
    elif isinstance(inpt, np.ndarray):
        if inpt.ndim not in (2, 3):
            raise ValueError(f"inpt: expected an array [H, W, C] or [H, W], got shape {inpt.shape}")
        pixels = array_to_tensor(inpt)
    else:
        raise TypeError(f"inpt: expected a PIL image or a NumPy array, got {type(inpt).__name__}")
    if pixels.dtype == torch.uint8:
        return to_dtype_image(pixels, torch.get_default_dtype(), scale=True).contiguous()
    return pixels.contiguous()


def to_pil_image(pic: Tensor | np.ndarray, mode: str | None = None) -> Image:
    """Make a PIL image of a tensor `[C, H, W]` or `[H, W]`, or of an array `[H, W, C]` or `[H, W]`.

    Args:
        pic: one image with 1 to 4 channels. Floating-point values in 0..1 are scaled to 0..255 unless `mode` is "F".
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
    allowed = _MODES[pixels.shape[2]]
    if mode is not None and mode not in allowed:
        raise ValueError(f"mode: {pixels.shape[2]} channels make one of {allowed}, got {mode!r}")
    if pixels.dtype != "uint8":
        raise TypeError(f"pic: images with {pixels.shape[2]} channels need dtype uint8, got {pixels.dtype}")
    # Pixels are bytes in the named colour space already, so they are taken as they are, not converted.
    return PIL.Image.frombytes(mode or allowed[0], (pixels.shape[1], pixels.shape[0]), pixels.tobytes())


# For each number of channels Pillow's modes, the natural one first.
_MODES = {2: ("LA",), 3: ("RGB", "YCbCr", "HSV", "LAB"), 4: ("RGBA", "CMYK", "RGBX")}


def _to_array(pic: Any, mode: str | None) -> np.ndarray:
    import numpy as np

    if isinstance(pic, Tensor):
        pic = plain(pic) if isinstance(pic, TVTensor) else pic
        if pic.is_floating_point() and mode != "F":
            pic = pic.mul(255).to(torch.uint8)
        planes = pic[None] if pic.ndim == 2 else pic
        if planes.ndim != 3:
            raise ValueError(f"pic: expected [C, H, W] or [H, W], got shape {tuple(pic.shape)}")
        return np.ascontiguousarray(planes.numpy(force=True).transpose(1, 2, 0))
    if isinstance(pic, np.ndarray):
        if np.issubdtype(pic.dtype, np.floating) and mode != "F":
            pic = (pic * 255).astype(np.uint8)
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
