"""Times functions that do the same work against each other, in one process, in turns.

A timing on a shared machine is noise; the ratio of two timings taken a moment apart is not. So :func:`race` calls every
candidate once in each round, starts each round with another candidate, and reports for each the median, the quartiles,
and the median of the *paired* ratios to the first candidate. ``benchmarks/README.md`` states the method.

Example:
    >>> result = race({"sum": lambda: sum(range(99)), "loop": lambda: [i for i in range(99)]}, repeat=5, threads=(1,))
    >>> sorted(result["threads"]["1"])
    ['loop', 'sum']
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.machine import describe_machine

__all__ = ["Candidate", "race", "script", "show", "table", "write_json"]

SCHEMA = 1
SHORTEST_SAMPLE = 2e-3  # seconds: a shorter one is lost in the clock and in the caches of whoever ran before
LONG_CALL = 0.5  # seconds: such a call warms its caches up itself, and to repeat it costs more than it tells


@dataclass(frozen=True)
class Candidate:
    """A function to time, and how it learns the number of threads when that is not torch's setting.

    Args:
        run: does the work once.
        threads: called with the number of threads before the rounds of a setting. It may return another function to
            run instead of ``run`` (a library whose compiled model fixes the thread count needs that), or ``None``.

    Example:
        >>> Candidate(run=lambda: None, threads=lambda count: None).run()
    """

    run: Callable[[], object]
    threads: Callable[[int], Callable[[], object] | None] | None = None

    def at(self, threads: int) -> Callable[[], object]:
        """The function to time at a number of threads."""
        return (self.threads(threads) if self.threads else None) or self.run


def race(
    candidates: Mapping[str, Callable[[], object] | Candidate],
    *,
    repeat: int = 30,
    threads: Sequence[int] = (1, 2),
    warmup: int = 3,
    inner: int | Literal["auto"] = "auto",
) -> dict[str, Any]:
    """Times the candidates in interleaved rounds, at each number of threads.

    Args:
        candidates: name to function (or :class:`Candidate`). The first one is what the ratios refer to.
        repeat: rounds at each setting; every candidate gives one sample in each round.
        threads: settings; torch (and OpenCV, if it is loaded) is set to each in turn and restored at the end.
        warmup: calls of each candidate before the first round of a setting; never counted.
            One is enough for calls of half a second.
        inner: calls in one sample. ``"auto"`` takes as many as make a sample last about 2 ms.

    Returns:
        ``{"first": name, "repeat": n, "threads": {"1": {name: row, ...}, ...}}``. A row holds ``median_ms``, ``q1_ms``,
        ``q3_ms``, ``iqr_ms``, ``min_ms``, ``inner`` and ``ratio``: the median over the rounds of this candidate's time
        divided by the first one's, so 2.0 means that the first is twice as fast. ``ratio_q1`` and ``ratio_q3`` say how
        much it moved.

    Raises:
        ValueError: if there is no candidate, or a count is below one.

    Example:
        >>> row = race({"ours": lambda: sum(range(50))}, repeat=3, threads=(1,))["threads"]["1"]["ours"]
        >>> row["ratio"]
        1.0
    """
    if not candidates:
        raise ValueError("race: no candidates; pass {name: function} with the reference first")
    if repeat < 1 or warmup < 0 or any(count < 1 for count in threads) or (inner != "auto" and inner < 1):
        raise ValueError(f"race: counts start at 1 (warmup at 0), got {repeat=}, {warmup=}, {threads=}, {inner=}")
    entrants = {name: c if isinstance(c, Candidate) else Candidate(c) for name, c in candidates.items()}
    settings = {}
    for count in threads:
        with _library_threads(count):
            settings[str(count)] = _race_once(entrants, count, repeat, warmup, inner)
    return {"first": next(iter(entrants)), "repeat": repeat, "threads": settings}


def write_json(path: Path | str, results: Mapping[str, Any]) -> None:
    """Writes results of :func:`race` (case name to result) with what is known of the machine.

    Args:
        path: the file; its folder is made.
        results: ``{"nms 10,000 boxes": race(...), ...}``.

    Example:
        >>> import tempfile
        >>> write_json(Path(tempfile.mkdtemp()) / "nms.json", {})
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"schema": SCHEMA, "machine": describe_machine(), "results": dict(results)}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def table(results: Mapping[str, Any], *, title: str = "") -> Any:
    """A rich table of results: one line per case, thread setting and candidate.

    Args:
        results: case name to result of :func:`race`.
        title: stands above the table.

    Example:
        >>> table({"sum": race({"ours": lambda: sum(range(50))}, repeat=3, threads=(1,))}).row_count
        1
    """
    from rich.table import Table

    out = Table(title=title or None, title_justify="left")
    for heading in ("case", "threads", "candidate"):
        out.add_column(heading)
    for heading in ("median ms", "IQR ms", "time / first"):
        out.add_column(heading, justify="right")
    for case, result in results.items():
        for count, rows in result["threads"].items():
            for name, row in rows.items():
                ratio = "1" if name == result["first"] else f"{row['ratio']:.2f}"
                out.add_row(case, count, name, f"{row['median_ms']:.4g}", f"{row['iqr_ms']:.2g}", ratio)
            out.add_section()
    return out


def show(results: Mapping[str, Any], *, title: str = "") -> None:
    """Prints :func:`table` to stderr, or plain lines where rich is not installed."""
    try:
        from rich.console import Console
    except ImportError:
        for case, result in results.items():
            for count, rows in result["threads"].items():
                for name, row in rows.items():
                    line = f"{case} | {count} threads | {name} | {row['median_ms']:.4g} ms | x{row['ratio']:.2f}"
                    print(line, file=sys.stderr)
        return
    Console(stderr=True).print(table(results, title=title))


def script(main: Callable[[Path], None]) -> None:
    """Runs a benchmark module as a program: ``python bench_nms.py --json nms.json``.

    Args:
        main: the module's ``main(out: Path)``, which writes its results to ``out``.
    """
    parser = argparse.ArgumentParser(description=(sys.modules[main.__module__].__doc__ or "").split("\n")[0])
    parser.add_argument("--json", type=Path, required=True, metavar="PATH", help="where the results go")
    main(parser.parse_args().json)


def _race_once(
    entrants: Mapping[str, Candidate], threads: int, repeat: int, warmup: int, inner: int | Literal["auto"]
) -> dict[str, dict[str, float]]:
    runs = {name: candidate.at(threads) for name, candidate in entrants.items()}
    for run in runs.values():
        for _ in range(warmup):
            if _sample(run, 1) > LONG_CALL:
                break
    calls = {name: _calls_per_sample(run) if inner == "auto" else inner for name, run in runs.items()}
    names = list(runs)
    samples: dict[str, list[float]] = {name: [] for name in names}
    with _no_collection():
        for round_index in range(repeat):
            shift = round_index % len(names)  # nobody always runs in the caches that the same neighbour left
            for name in names[shift:] + names[:shift]:
                samples[name].append(_sample(runs[name], calls[name]))
    first = samples[names[0]]
    return {name: _row(samples[name], first, calls[name]) for name in names}


def _sample(run: Callable[[], object], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


def _calls_per_sample(run: Callable[[], object]) -> int:
    once = _sample(run, 1)
    if once < LONG_CALL:
        once = min(once, _sample(run, 1))
    return max(1, min(100_000, round(SHORTEST_SAMPLE / max(once, 1e-8))))


def _row(times: list[float], first: list[float], calls: int) -> dict[str, float]:
    q1, median, q3 = _quartiles(times)
    ratio_q1, ratio, ratio_q3 = _quartiles([t / f for t, f in zip(times, first, strict=True)])
    return {
        "median_ms": median * 1e3,
        "q1_ms": q1 * 1e3,
        "q3_ms": q3 * 1e3,
        "iqr_ms": (q3 - q1) * 1e3,
        "min_ms": min(times) * 1e3,
        "inner": calls,
        "ratio": ratio,
        "ratio_q1": ratio_q1,
        "ratio_q3": ratio_q3,
    }


def _quartiles(values: list[float]) -> tuple[float, float, float]:
    if len(values) == 1:
        return values[0], values[0], values[0]
    q1, median, q3 = statistics.quantiles(values, n=4, method="inclusive")
    return q1, median, q3


@contextlib.contextmanager
def _library_threads(count: int) -> Iterator[None]:
    """Torch and OpenCV use ``count`` threads inside; whatever is not loaded is left alone."""
    torch, cv2 = sys.modules.get("torch"), sys.modules.get("cv2")
    before = (torch.get_num_threads() if torch else 0, cv2.getNumThreads() if cv2 else 0)
    if torch:
        torch.set_num_threads(count)
    if cv2:
        cv2.setNumThreads(count)
    try:
        yield
    finally:
        if torch:
            torch.set_num_threads(before[0])
        if cv2:
            cv2.setNumThreads(before[1])


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
