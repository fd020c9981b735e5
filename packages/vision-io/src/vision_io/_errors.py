"""The errors of this package: each says what was got, what was expected and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = [
    "BatchDecodeError",
    "DeadlineError",
    "DecodeError",
    "EncodeError",
    "LimitError",
    "MissingDependencyError",
]


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


class BatchDecodeError(DecodeError):
    """Some files of a batch failed; the others are decoded and not lost.

    Attributes:
        failures: The error of each file that failed, by its index.
        images: What the call would have returned, with ``None`` (or zeros, in a batch tensor) for those.
    """

    def __init__(self, failures: Mapping[int, DecodeError], images: Any) -> None:
        self.failures = dict(sorted(failures.items()))
        self.images = images
        first, error = next(iter(self.failures.items()))
        super().__init__(
            f"{len(self.failures)} of {len(images)} files failed, the first is number {first}: {error}; "
            "the others are in .images"
        )


class LimitError(DecodeError):
    """The source asks for more memory or frames than the caller's :class:`vision_io.Limits` allow."""


class DeadlineError(LimitError):
    """The call did not end within the time that :attr:`vision_io.Limits.deadline` allows."""


class EncodeError(ValueError):
    """The frames or the settings cannot be encoded: wrong shape, size, codec or pixel format."""


class MissingDependencyError(ImportError):
    """An optional dependency is not installed; the message names the extra to install."""
