"""Which channels a decoded image shall have."""

from __future__ import annotations

from enum import Enum

__all__ = ["ImageReadMode", "as_mode"]


class ImageReadMode(Enum):
    """Channels of a decoded image; every decoder takes a member or its name.

    Attributes:
        UNCHANGED: As the file has them; a palette PNG gives its indices.
        GRAY: One channel.
        GRAY_ALPHA: Gray and alpha.
        RGB: Three channels.
        RGB_ALPHA: RGB and alpha; ``RGBA`` is the same.

    Examples:
        >>> ImageReadMode["RGBA"] is ImageReadMode.RGB_ALPHA
        True
    """

    UNCHANGED = 0
    GRAY = 1
    GRAY_ALPHA = 2
    RGB = 3
    RGB_ALPHA = 4
    RGBA = RGB_ALPHA


def as_mode(mode: ImageReadMode | str) -> ImageReadMode:
    """The member for a member or its name in any case.

    Raises:
        ValueError: There is no such mode.
    """
    if isinstance(mode, ImageReadMode):
        return mode
    try:
        return ImageReadMode[mode.upper()]
    except (KeyError, AttributeError):
        raise ValueError(f"mode: got {mode!r}, expected one of {', '.join(ImageReadMode.__members__)}") from None
