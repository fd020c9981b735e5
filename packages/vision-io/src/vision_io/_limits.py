"""How much a file may ask for before it is refused."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from fractions import Fraction

from vision_io._deadline import overdue
from vision_io._errors import LimitError

__all__ = ["DEFAULT_LIMITS", "Limits"]


@dataclass(frozen=True)
class Limits:
    """Bounds that are checked before memory is allocated.

    A few bytes of a hostile file can announce a picture of a billion pixels. The defaults admit everything that cameras
    and films produce (16384 x 8192) and refuse what would exhaust a machine; raise them for files that you trust.

    Attributes:
        max_pixels: Largest ``width * height`` of one picture.
        max_side: Largest width and largest height.
        max_frames: Most frames that one video, or one animation, may hold.
        max_batch_bytes: Largest result of one call of a video or audio decoder, in bytes.
        max_animation_pixels: Most pixels of all pictures of an animated image together.
        max_bytes: Largest file that is read into memory as a whole: images, optical flow, tables, saved indices.
        max_seconds: Longest video or sound, from its first time to its last (by default twelve days).
        max_streams: Most streams in one container.
        max_depth: How many steps a picture that is derived from others (a HEIF grid of grids) may be away from coded
            pictures. Boxes of containers are read without recursion, or by libraries with bounds of their own.
        deadline: Seconds that one call may take, opening a source being one; ``None`` for as long as it needs. It is
            looked at between reads, packets and pictures, and ends waiting for a server; a file object that blocks
            inside one ``read`` is waited for.

    Examples:
        >>> from vision_io import Limits
        >>> Limits(max_pixels=1920 * 1080).max_pixels
        2073600
    """

    max_pixels: int = 1 << 27
    max_side: int = 1 << 16
    max_frames: int = 1 << 22
    max_batch_bytes: int = 1 << 34
    max_animation_pixels: int = 1 << 29
    max_bytes: int = 1 << 31
    max_seconds: float = float(1 << 20)
    max_streams: int = 256
    max_depth: int = 4
    deadline: float | None = None
    _end: float | None = field(default=None, init=False, repr=False, compare=False)  # of the call that is under way

    def __post_init__(self) -> None:
        if self.deadline is not None and not self.deadline > 0:
            raise ValueError(f"deadline: got {self.deadline}, expected more than 0 seconds, or None")

    def started(self) -> Limits:
        """These limits for one call, which begins now."""
        if self.deadline is None:
            return self
        running = replace(self)
        object.__setattr__(running, "_end", time.monotonic() + self.deadline)
        return running

    def remaining(self) -> float | None:
        """Seconds left of the call that :meth:`started` began, at least 0; ``None`` where nothing bounds it."""
        return None if self._end is None else max(self._end - time.monotonic(), 0.0)

    def check_deadline(self, name: str) -> None:
        """Raise :class:`DeadlineError` when the call that :meth:`started` began has taken too long."""
        if self._end is not None and time.monotonic() >= self._end:
            raise overdue(name, self.deadline)

    def check_picture(self, width: int, height: int, name: str) -> None:
        """Raise :class:`LimitError` when a picture of this size is not admitted."""
        if width > self.max_side or height > self.max_side or width * height > self.max_pixels:
            raise LimitError(
                f"{name}: a picture of {width}x{height} pixels exceeds the limits (max_side={self.max_side}, "
                f"max_pixels={self.max_pixels}); pass limits=Limits(max_pixels=...) if you trust this file"
            )

    def check_frames(self, frames: int, name: str) -> None:
        """Raise :class:`LimitError` when a source holds more frames than admitted."""
        if frames > self.max_frames:
            raise LimitError(
                f"{name}: more than max_frames={self.max_frames} frames; pass limits=Limits(max_frames=...) "
                "if you trust this file"
            )

    def check_animation(self, frames: int, width: int, height: int, name: str) -> None:
        """Raise :class:`LimitError` when an animation has more pixels than admitted."""
        if frames * width * height > self.max_animation_pixels:
            raise LimitError(
                f"{name}: an animation of {frames} pictures of {width}x{height} pixels exceeds max_animation_pixels="
                f"{self.max_animation_pixels}; pass limits=Limits(max_animation_pixels=...) if you trust this file"
            )

    def check_batch(self, size: int, name: str) -> None:
        """Raise :class:`LimitError` when the result of one call would exceed ``max_batch_bytes``."""
        if size > self.max_batch_bytes:
            raise LimitError(
                f"{name}: the result would take {size / 2**30:.1f} GiB, more than max_batch_bytes="
                f"{self.max_batch_bytes}; ask for fewer frames, or pass limits=Limits(max_batch_bytes=...)"
            )

    def check_bytes(self, size: int, name: str) -> None:
        """Raise :class:`LimitError` when a file of so many bytes would be read into memory."""
        if size > self.max_bytes:
            raise LimitError(
                f"{name}: more than max_bytes={self.max_bytes} would be read into memory; pass "
                "limits=Limits(max_bytes=...) if you trust this file"
            )

    def check_seconds(self, seconds: float | Fraction, name: str) -> None:
        """Raise :class:`LimitError` when a video or sound lasts longer than admitted."""
        if not seconds <= self.max_seconds:
            raise LimitError(
                f"{name}: {float(seconds):.0f} s exceed max_seconds={self.max_seconds:.0f}; pass "
                "limits=Limits(max_seconds=...) if you trust this file"
            )

    def check_streams(self, streams: int, name: str) -> None:
        """Raise :class:`LimitError` when a container holds more streams than admitted."""
        if streams > self.max_streams:
            raise LimitError(
                f"{name}: {streams} streams exceed max_streams={self.max_streams}; pass limits=Limits(max_streams=...) "
                "if you trust this file"
            )

    def check_depth(self, depth: int, name: str) -> None:
        """Raise :class:`LimitError` when pictures are derived from others in more steps than admitted."""
        if depth > self.max_depth:
            raise LimitError(
                f"{name}: pictures derived from others in more than max_depth={self.max_depth} steps; pass "
                "limits=Limits(max_depth=...) if you trust this file"
            )


DEFAULT_LIMITS = Limits()
