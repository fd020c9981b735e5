"""Values of pixels that a geometric transform uncovers, one for all types of inputs or one for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from vision_core.transforms.functional._pad import Fill

__all__ = ["FillByType", "check_fill", "fill_for", "fill_for_type"]

FillByType: TypeAlias = "Fill | Mapping[type | str, Fill]"


def fill_for(fill: FillByType, inpt: Any) -> Fill:
    """Return the value for an input: by its type or the nearest base of it, else by `"others"`, else None."""
    return fill_for_type(fill, type(inpt)) if isinstance(fill, Mapping) else fill


def fill_for_type(fill: FillByType, kind: type) -> Fill:
    """Return the value for inputs of a type, as `fill_for` does."""
    if not isinstance(fill, Mapping):
        return fill
    for base in kind.__mro__:
        if base in fill:
            return fill[base]
    return fill.get("others")


def check_fill(fill: Any) -> None:
    """Raise if `fill` is no value, values per channel, or a dict of these by type.

    Raises:
        TypeError: something else.
    """
    if isinstance(fill, Mapping):
        for kind, value in fill.items():
            if not (isinstance(kind, type) or kind == "others"):
                raise TypeError(f"fill: expected types or 'others' as keys, got {kind!r}")
            check_fill(value)
    elif not (fill is None or isinstance(fill, (int, float, Sequence))) or isinstance(fill, str):
        raise TypeError(f"fill: expected a number, numbers per channel or a dict of these by type, got {fill!r}")
