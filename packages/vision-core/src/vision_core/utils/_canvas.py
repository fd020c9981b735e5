"""Between image tensors and Pillow's canvas, and the colours that the drawing functions share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import torch
from torch import Tensor

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image as PILImage
    from PIL.ImageFont import FreeTypeFont, ImageFont

__all__ = [
    "Color",
    "Colors",
    "Picture",
    "canvas_to_picture",
    "check_image",
    "from_canvas",
    "load_font",
    "parse_color",
    "parse_colors",
    "picture_to_canvas",
    "readable_on",
    "to_canvas",
]

Picture = TypeVar("Picture", "Tensor", "np.ndarray")
Color: TypeAlias = "str | tuple[int, int, int]"
Colors: TypeAlias = "Color | Sequence[Color] | None"

# Three primes near powers of two: their multiples modulo 255 spread over the colour cube without ever repeating early.
_PALETTE_STEPS = (2**25 - 1, 2**15 - 1, 2**21 - 1)


def check_image(image: Tensor, channels: tuple[int, ...] = (1, 3)) -> None:
    """Raise unless `image` is one picture: uint8 or floating point, `[C, H, W]` with C among `channels`.

    Raises:
        TypeError: `image` is no tensor.
        ValueError: wrong dtype, a batch, or another number of channels.
    """
    if not isinstance(image, Tensor):
        raise TypeError(f"image: expected a tensor [C, H, W], got {type(image).__name__}")
    if image.dtype != torch.uint8 and not image.is_floating_point():
        raise ValueError(f"image: expected dtype uint8 (0..255) or floating point (0..1), got {image.dtype}")
    if image.ndim != 3:
        raise ValueError(f"image: expected one image [C, H, W], got shape {tuple(image.shape)}; pass images one by one")
    if image.shape[0] not in channels:
        wanted = " or ".join(str(c) for c in channels)
        raise ValueError(f"image: expected {wanted} channels, got shape {tuple(image.shape)}; permute [H, W, C] images")


def to_canvas(image: Tensor) -> PILImage:
    """Make an RGB PIL image from a checked tensor `[1 or 3, H, W]`, uint8 or floating point in 0..1."""
    import PIL.Image

    pixels = image.detach()
    if pixels.is_floating_point():
        pixels = pixels.clamp(0, 1).mul(255).round().to(torch.uint8)
    pixels = pixels.expand(3, -1, -1).permute(1, 2, 0).cpu().contiguous()  # (H, W, 3)
    return PIL.Image.fromarray(pixels.numpy())


def from_canvas(canvas: PILImage, like: Tensor) -> Tensor:
    """Make a tensor `[3, H, W]` of the dtype and on the device of `like` from an RGB PIL image."""
    import numpy as np

    pixels = torch.from_numpy(np.array(canvas)).permute(2, 0, 1).contiguous().to(like.device)
    return pixels if like.dtype == torch.uint8 else pixels.to(like.dtype).div_(255)


def picture_to_canvas(image: Picture) -> PILImage:
    """Make an RGB PIL image from a tensor `[1 or 3, H, W]` or a NumPy array `[H, W]` or `[H, W, 1 or 3]`.

    Raises:
        TypeError: something else.
        ValueError: a dtype or shape that is no picture's.
    """
    if isinstance(image, Tensor):
        check_image(image)
        return to_canvas(image)
    import numpy as np

    if not isinstance(image, np.ndarray):
        raise TypeError(f"image: expected a tensor [C, H, W] or an array [H, W, C], got {type(image).__name__}")
    planes = image[..., None] if image.ndim == 2 else image
    if planes.ndim != 3 or planes.shape[2] not in (1, 3):
        raise ValueError(f"image: expected an array [H, W] or [H, W, 1 or 3], got shape {image.shape}")
    tensor = torch.from_numpy(np.ascontiguousarray(planes)).permute(2, 0, 1)
    check_image(tensor)
    return to_canvas(tensor)


def canvas_to_picture(canvas: PILImage, like: Picture) -> Picture:
    """Make what `like` is from an RGB PIL image: a tensor `[3, H, W]` or a NumPy array `[H, W, 3]` of its dtype."""
    import numpy as np

    if isinstance(like, Tensor):
        return from_canvas(canvas, like)
    pixels = np.array(canvas)
    return pixels if like.dtype == np.uint8 else (pixels / 255).astype(like.dtype)


def readable_on(background: tuple[int, int, int]) -> tuple[int, int, int]:
    """Black on light colours, white on dark ones, by the luma of ITU-R BT.601."""
    red, green, blue = background
    return (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > 110 else (255, 255, 255)


def parse_color(color: Color) -> tuple[int, int, int]:
    """Turn a colour name (`"red"`, `"#ff0080"`, anything that Pillow knows) or a triplet into (r, g, b), 0..255 each.

    Raises:
        ValueError: unknown name, or not three values.
    """
    if isinstance(color, str):
        from PIL import ImageColor

        red, green, blue, *_ = ImageColor.getrgb(color)
        return red, green, blue
    if not isinstance(color, Sequence) or len(color) != 3:
        raise ValueError(f"color: expected a name or an (r, g, b) triplet of 0..255, got {color!r}")
    return int(color[0]), int(color[1]), int(color[2])


def parse_colors(colors: Colors, count: int, argument: str = "colors") -> list[tuple[int, int, int]]:
    """Give each of `count` objects its colour: the palette's for None, one for all, or one from a list for each.

    Raises:
        ValueError: the list has fewer than `count` colours, or an entry is no colour.
    """
    if colors is None:
        return [
            (s0 % 255, s1 % 255, s2 % 255) for s0, s1, s2 in ([s * i for s in _PALETTE_STEPS] for i in range(count))
        ]
    if isinstance(colors, str):
        return [parse_color(colors)] * count
    if isinstance(colors, tuple) and len(colors) == 3 and all(isinstance(c, int) for c in colors):
        return [parse_color((colors[0], colors[1], colors[2]))] * count  # type: ignore[arg-type]
    if not isinstance(colors, Sequence):
        raise ValueError(f"{argument}: expected a colour name, an (r, g, b) triplet or a list of these, got {colors!r}")
    if len(colors) < count:
        raise ValueError(f"{argument}: {count} objects need at least {count} colours, got {len(colors)}")
    return [parse_color(color) for color in colors[:count]]  # type: ignore[arg-type]


def load_font(font: str | None, size: float | None) -> ImageFont | FreeTypeFont:
    """Load a TrueType font by file or name, or Pillow's own font, which scales where Pillow was built with FreeType."""
    from PIL import ImageFont

    if font is not None:
        return ImageFont.truetype(font=font, size=size or 10)
    return ImageFont.load_default(size) if size is not None else ImageFont.load_default()
