"""Regions, scaled decoding and target buffers: the arguments that all decoders share, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Region", "Size", "Window", "as_size", "check_out", "check_region", "eighths_for", "window_of"]

Region = tuple[int, int, int, int]
Size = int | Sequence[int]


def check_region(region: Sequence[int], height: int, width: int) -> Region:
    """``(top, left, height, width)`` as integers that lie inside a picture.

    Raises:
        ValueError: They do not.
    """
    try:
        top, left, rows, columns = (int(value) for value in region)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"region: got {region!r}, expected (top, left, height, width)") from None
    if top < 0 or left < 0 or rows < 1 or columns < 1 or top + rows > height or left + columns > width:
        raise ValueError(
            f"region: got (top={top}, left={left}, height={rows}, width={columns}), which does not lie inside the "
            f"picture of {height} rows and {width} columns"
        )
    return top, left, rows, columns


def as_size(size: Size, argument: str = "size") -> tuple[int, int]:
    """``(height, width)``; one number stands for both.

    Raises:
        ValueError: Not one or two positive integers.
    """
    pair = (size, size) if isinstance(size, int) else tuple(size)
    if len(pair) != 2 or any(not isinstance(side, int) or side < 1 for side in pair):
        raise ValueError(f"{argument}: got {size!r}, expected a positive integer or (height, width)")
    return pair


def eighths_for(rows: int, columns: int, min_size: Size | None) -> int:
    """The smallest of 1, 2, 4, 8 eighths that keeps ``rows`` x ``columns`` at least as large as ``min_size``."""
    if min_size is None:
        return 8
    height, width = as_size(min_size, "min_size")
    for eighths in (1, 2, 4):
        if -(-rows * eighths // 8) >= height and -(-columns * eighths // 8) >= width:
            return eighths
    return 8


@dataclass(frozen=True)
class Window:
    """A part of a picture that a JPEG decoder has scaled: what libjpeg is asked for."""

    eighths: int
    top: int
    left: int
    height: int
    width: int


def window_of(region: Region, height: int, width: int, eighths: int) -> Window:
    """The pixels of the scaled picture that cover a region of the whole picture of ``height`` x ``width``."""
    top, left, rows, columns = region
    scaled_height, scaled_width = -(-height * eighths // 8), -(-width * eighths // 8)
    first_row, first_column = min(top * eighths // 8, scaled_height - 1), min(left * eighths // 8, scaled_width - 1)
    end_row = min(-(-(top + rows) * eighths // 8), scaled_height)
    end_column = min(-(-(left + columns) * eighths // 8), scaled_width)
    return Window(eighths, first_row, first_column, max(end_row - first_row, 1), max(end_column - first_column, 1))


def check_out(out: Tensor, shape: Sequence[int], dtype: torch.dtype = torch.uint8) -> Tensor:
    """``out`` itself when it can take a result of this shape and type.

    Raises:
        ValueError: It cannot.
    """
    if tuple(out.shape) != tuple(shape) or out.dtype != dtype or out.device.type != "cpu":
        raise ValueError(
            f"out: got {out.dtype} {tuple(out.shape)} on {out.device}, expected {dtype} {tuple(shape)} on the CPU"
        )
    return out
