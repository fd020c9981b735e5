"""Several changes of colour in one pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

from torch import Tensor

from vision_core import _pixels
from vision_core.transforms.functional._dispatch import functional
from vision_core.transforms.functional._enhance import adjust_brightness, adjust_contrast, adjust_saturation
from vision_core.transforms.functional._hue import adjust_hue

__all__ = ["ColorStep", "adjust_colors", "adjust_colors_image"]

ColorStep: TypeAlias = "tuple[Literal['brightness', 'contrast', 'saturation', 'hue'], float]"

_STEPS: dict[str, Callable[..., Any]] = {
    "brightness": adjust_brightness,
    "contrast": adjust_contrast,
    "saturation": adjust_saturation,
    "hue": adjust_hue,
}


def adjust_colors_image(image: Tensor, steps: Sequence[ColorStep]) -> Tensor:
    """Change brightness, contrast, saturation and hue in any order, 8-bit RGB images in one pass.

    Args:
        image: `[..., 1 or 3, H, W]`, any dtype.
        steps: names and factors, in the order in which they apply; see `adjust_brightness`, `adjust_contrast`,
            `adjust_saturation` and `adjust_hue`.

    Returns:
        What these functions return one after the other.

    Raises:
        ValueError: an unknown name, or a factor out of range.
        TypeError: another number of channels.

    Examples:
        >>> import torch
        >>> image = torch.full((3, 1, 1), 100, dtype=torch.uint8)
        >>> adjust_colors_image(image, [("brightness", 1.5), ("contrast", 0.5)]).flatten().tolist()
        [149, 149, 149]
    """
    _check_steps(steps)
    if len(steps) > 1:
        native = _pixels.colour_chain(image, steps)
        if native is not None:
            return native
    return _one_by_one(image, steps)


def _check_steps(steps: Sequence[ColorStep]) -> None:
    for name, factor in steps:
        if name not in _STEPS:
            raise ValueError(f"steps: expected names among {sorted(_STEPS)}, got {name!r}")
        if not (-0.5 <= factor <= 0.5 if name == "hue" else factor >= 0):
            raise ValueError(f"steps: expected {name} in {'-0.5..0.5' if name == 'hue' else '0 or more'}, got {factor}")


def _one_by_one(inpt: Any, steps: Sequence[ColorStep]) -> Any:
    for name, factor in steps:
        inpt = _STEPS[name](inpt, factor)
    return inpt


adjust_colors = functional(adjust_colors_image, pil=_one_by_one)
