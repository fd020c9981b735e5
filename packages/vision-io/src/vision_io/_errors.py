"""The errors of this package: each says what was got, what was expected and what to do."""

from __future__ import annotations

__all__ = ["DecodeError", "EncodeError", "LimitError", "MissingDependencyError"]


class DecodeError(ValueError):
    """The source is missing, damaged, cut off, or holds nothing that can be decoded.

    Examples:
        >>> from vision_io import DecodeError, decode_image
        >>> try:
        ...     decode_image(b"not an image")
        ... except DecodeError as error:
        ...     print("refused:", type(error).__name__)
        refused: DecodeError
    """


class LimitError(DecodeError):
    """The source asks for more memory or frames than the caller's :class:`vision_io.Limits` allow."""


class EncodeError(ValueError):
    """The frames or the settings cannot be encoded: wrong shape, size, codec or pixel format."""


class MissingDependencyError(ImportError):
    """An optional dependency is not installed; the message names the extra to install."""
