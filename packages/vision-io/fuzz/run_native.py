"""Builds the native targets with clang's fuzzer and sanitizers, and runs each for a while.

    python fuzz/run_native.py [--seconds 60] [target ...]

Exit code: 0 nothing was found, 1 something was (the input lies in build/fuzz/findings), 2 the build failed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from runner import BUILD, fuzz, run_all

PACKAGE = Path(__file__).resolve().parents[1]
TARGETS = ("encode", "jpeg", "planes", "png", "png_rows", "resize")


def build() -> bool:
    """Configure once, build what has changed."""
    if shutil.which("clang++") is None:
        print("clang++ is missing; on Debian: apt install clang libclang-rt-14-dev")
        return False
    commands = [["cmake", "--build", BUILD]]
    if not (BUILD / "build.ninja").exists():
        source = PACKAGE / "fuzz" / "native"
        commands.insert(0, ["cmake", "-S", source, "-B", BUILD, "-G", "Ninja", "-DCMAKE_CXX_COMPILER=clang++"])
    return all(subprocess.run(command, check=False).returncode == 0 for command in commands)


def run(target: str, seconds: int) -> tuple[int, bool]:
    """Fuzz one target; how many inputs it ran, and whether nothing was found."""
    corpus = BUILD / "corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=3000", "-max_len=8192"]
    return fuzz(target, [BUILD / f"fuzz_{target}", corpus], options)


def main(arguments: Sequence[str] | None = None) -> int:
    return run_all(__doc__, TARGETS, run, arguments, build)


if __name__ == "__main__":
    sys.exit(main())
