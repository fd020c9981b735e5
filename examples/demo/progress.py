"""Progress for people: a live bar on a terminal, plain lines anywhere else."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

__all__ = ["Show", "Update"]

Update = Callable[..., None]
"""``update(done, total, note="")``."""

_SECONDS_BETWEEN_LINES = 10.0


class Show:
    """Shows what the demo does, phase by phase, and remembers how long each phase took.

    Args:
        console: Where to write; standard output when ``None``.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
        self.seconds: dict[str, float] = {}
        self.cpu_seconds: dict[str, float] = {}

    def say(self, text: str) -> None:
        """Print a line."""
        self.console.print(text, markup=False)

    @contextmanager
    def phase(self, title: str) -> Iterator[Update]:
        """Show a phase; the callback that it gives takes the progress."""
        start, start_cpu = time.perf_counter(), _cpu_seconds()
        try:
            with self._bar(title) if self.console.is_terminal else self._lines(title) as update:
                yield update
        finally:
            self.seconds[title] = time.perf_counter() - start
            self.cpu_seconds[title] = _cpu_seconds() - start_cpu
        self.say(f"  {title}: {self.seconds[title]:.1f} s")

    @contextmanager
    def _bar(self, title: str) -> Iterator[Update]:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        extra = (TimeElapsedColumn(), TextColumn("{task.fields[note]}"))
        with Progress(*columns, *extra, console=self.console, transient=True) as bar:
            task = bar.add_task(title, total=None, note="")
            yield lambda done, total, note="": bar.update(task, completed=done, total=total, note=note)

    @contextmanager
    def _lines(self, title: str) -> Iterator[Update]:
        last = time.perf_counter()

        def update(done: int, total: int, note: str = "") -> None:
            nonlocal last
            now = time.perf_counter()
            if now - last >= _SECONDS_BETWEEN_LINES:
                last = now
                self.say(f"  {title}: {done}/{total} {note}".rstrip())

        yield update


def _cpu_seconds() -> float:
    """Processor time of this process and of the children that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system
