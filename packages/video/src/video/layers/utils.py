"""Rounding rules for scaled network widths and depths."""

import math

__all__ = ["round_repeats", "round_width"]


def round_width(
    width: float, multiplier: float, min_width: int | None = 8, divisor: int = 8, ceil: bool = False
) -> int:
    """Scale a channel count and round it to a multiple of ``divisor``.

    Rounding goes to the nearest multiple, but never loses more than 10 % of the scaled width.

    Args:
        width: Channels before scaling.
        multiplier: Scale; ``0`` returns ``width`` unchanged.
        min_width: Lower bound of the result; ``None`` or ``0`` means ``divisor``.
        divisor: The result is a multiple of it (unless ``min_width`` is not).
        ceil: Round up instead of to the nearest multiple.

    Source: Feichtenhofer, "X3D", CVPR 2020, https://arxiv.org/abs/2004.04730.

    Examples:
        >>> round_width(12, 2.0), round_width(54, 0.0625)
        (24, 8)
    """
    if not multiplier:
        return int(width)
    scaled = width * multiplier
    smallest = min_width or divisor
    steps = math.ceil(scaled / divisor) if ceil else int(scaled + divisor / 2) // divisor
    rounded = max(smallest, steps * divisor)
    return int(rounded + divisor if rounded < 0.9 * scaled else rounded)


def round_repeats(repeats: int, multiplier: float) -> int:
    """Scale a number of blocks, rounding up; a multiplier of ``0`` returns ``repeats`` unchanged.

    Examples:
        >>> round_repeats(5, 2.2)
        11
    """
    return math.ceil(multiplier * repeats) if multiplier else repeats
