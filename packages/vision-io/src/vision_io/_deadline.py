"""How long a call may take: looked at between packets, frames and reads."""

from __future__ import annotations

import time

from vision_io._errors import DeadlineError

__all__ = ["Deadline", "overdue"]


def overdue(name: str, seconds: float | None) -> DeadlineError:
    """The error of a call that takes longer than it may."""
    return DeadlineError(
        f"{name}: not done within the deadline of {seconds:g} s; pass limits=Limits(deadline=...) to allow more"
    )


class Deadline:
    """A clock that every call of a decoder starts again.

    Args:
        seconds: How long one call may take; ``None`` for as long as it needs.
        name: How messages call the source.

    Examples:
        >>> Deadline(None, "clip.mp4").check()
        >>> Deadline(60.0, "clip.mp4").remaining() <= 60.0
        True
    """

    __slots__ = ("_end", "name", "seconds")

    def __init__(self, seconds: float | None, name: str) -> None:
        self.seconds = seconds
        self.name = name
        self.restart()

    def restart(self) -> None:
        """A new call begins."""
        self._end = None if self.seconds is None else time.monotonic() + self.seconds

    def remaining(self) -> float | None:
        """Seconds that are left, at least 0; ``None`` where there is no bound."""
        return None if self._end is None else max(self._end - time.monotonic(), 0.0)

    def passed(self) -> bool:
        """Whether the time is over."""
        return self._end is not None and time.monotonic() >= self._end

    def check(self) -> None:
        """Raise :class:`DeadlineError` when the time is over."""
        if self._end is not None and time.monotonic() >= self._end:
            raise self.error()

    def error(self) -> DeadlineError:
        """What :meth:`check` raises."""
        return overdue(self.name, self.seconds)
