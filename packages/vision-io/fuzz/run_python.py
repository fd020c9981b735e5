"""Runs the atheris targets, each for a while, from the seeds.

    python fuzz/run_python.py [--seconds 60] [target ...]

Exit code: 0 nothing was found, 1 something was (the input lies in build/fuzz/findings).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from runner import BUILD, fuzz, run_all

HERE = Path(__file__).resolve().parent
TARGETS = ("audio", "exif", "flow", "heif", "images", "jpeg_parts", "saved_index", "subtitles", "time_series", "video")
# Targets that start from the seeds of others.
SEEDS = {"jpeg_parts": "images"}


def run(target: str, seconds: int) -> tuple[int, bool]:
    """Fuzz one target; how many inputs it ran, and whether nothing was found."""
    corpus, seeds = BUILD / "python" / target, BUILD / "corpus" / SEEDS.get(target, target)
    corpus.mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={seconds}", "-timeout=60", "-rss_limit_mb=4000", "-max_len=20000"]
    return fuzz(target, [sys.executable, HERE / "fuzz_python.py", target, corpus, seeds], options)


def main(arguments: Sequence[str] | None = None) -> int:
    return run_all(__doc__, TARGETS, run, arguments)


if __name__ == "__main__":
    sys.exit(main())
