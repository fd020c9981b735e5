"""The arguments of a video decoder, under the names of this package and of TorchCodec, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch

__all__ = ["CpuFallbackStatus", "choose", "device_of", "dtype_of", "layout_of"]

LAYOUTS = ("TCHW", "CTHW", "THWC")
_BY_ORDER = {"NCHW": "TCHW", "NHWC": "THWC"}


@dataclass(frozen=True)
class CpuFallbackStatus:
    """Whether frames were decoded on the CPU although another device was asked for.

    ``bool(status)`` says so, ``str(status)`` says why.

    Attributes:
        status_known: Always true: it is known when the decoder is made.
        device: Where frames go.
    """

    status_known: bool = True
    device: str = "cpu"

    def __bool__(self) -> bool:
        return self.device != "cpu"

    def __str__(self) -> str:
        if self:
            return f"frames are decoded on the CPU and copied to {self.device}"
        return "frames are decoded on the CPU, as asked for"


def choose(name: str, allowed: tuple[Any, ...], value: Any) -> None:
    """Raise ValueError unless the value is one of those that are allowed."""
    if value not in allowed:
        raise ValueError(f"{name}: got {value!r}, expected one of {', '.join(map(repr, allowed))}")


def layout_of(layout: str | None, dimension_order: str) -> str:
    """The layout of batches: ``layout`` where it is given, or what ``dimension_order`` says.

    Examples:
        >>> layout_of(None, "NHWC"), layout_of("CTHW", "NCHW")
        ('THWC', 'CTHW')
    """
    choose("dimension_order", tuple(_BY_ORDER), dimension_order)
    if layout is None:
        return _BY_ORDER[dimension_order]
    choose("layout", LAYOUTS, layout)
    if dimension_order == "NHWC" and layout != "THWC":
        raise ValueError(f"layout, dimension_order: got {layout!r} and 'NHWC', which contradict each other; give one")
    return layout


def device_of(device: str | torch.device | None) -> torch.device:
    """The device of the results; torch's default device for ``None``."""
    return torch.get_default_device() if device is None else torch.device(device)


def dtype_of(output_dtype: torch.dtype | Literal["auto"] | None, bits: int) -> torch.dtype | None:
    """The dtype that ``output_dtype`` asks for; ``"auto"``: float32 for more than 8 bits per sample, else uint8."""
    if output_dtype == "auto":
        return torch.float32 if bits > 8 else torch.uint8
    if output_dtype is not None and not isinstance(output_dtype, torch.dtype):
        raise ValueError(f"output_dtype: got {output_dtype!r}, expected a torch.dtype or 'auto'")
    return output_dtype
