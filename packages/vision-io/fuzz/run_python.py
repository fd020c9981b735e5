"""Runs the atheris targets, each for a while, from the seeds.

    python fuzz/run_python.py [--seconds 60] [target ...]

Exit code: 0 nothing was found, 1 something was (the input lies in build/fuzz/findings).
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from seeds import write_seeds

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent / "build" / "fuzz"
TARGETS = ("audio", "exif", "flow", "heif", "images", "jpeg_parts", "saved_index", "subtitles", "time_series", "video")
# Targets that start from the seeds of others.
SEEDS = {"jpeg_parts": "images"}


def run(target: str, seconds: int) -> tuple[int, bool]:
    """Fuzz one target; how many inputs it ran, and whether nothing was found."""
    corpus, findings = BUILD / "python" / target, BUILD / "findings"
    corpus.mkdir(parents=True, exist_ok=True)
    findings.mkdir(parents=True, exist_ok=True)
    seeds = BUILD / "corpus" / SEEDS.get(target, target)
    options = [
        f"-max_total_time={seconds}",
        "-timeout=60",
        "-rss_limit_mb=4000",
        "-max_len=20000",
        "-print_final_stats=1",
    ]
    command = [sys.executable, HERE / "fuzz_python.py", target, corpus, seeds, *options]
    result = subprocess.run(
        [*command, f"-artifact_prefix={findings}/{target}-"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
    )  # fmt: skip
    executed = re.search(r"number_of_executed_units: (\d+)", result.stdout)
    if result.returncode:
        print(result.stdout[-6000:])
    return int(executed[1]) if executed else 0, result.returncode == 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="target", help=f"of {', '.join(TARGETS)}; all unless given")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    chosen = parser.parse_args(arguments)
    if set(chosen.targets) - set(TARGETS):
        parser.error(f"targets are {', '.join(TARGETS)}")
    write_seeds(BUILD / "corpus")
    clean = True
    for target in chosen.targets or TARGETS:
        executed, good = run(target, chosen.seconds)
        print(f"{target}: {executed} inputs, {'nothing found' if good else 'FOUND SOMETHING'}", flush=True)
        clean = clean and good
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
