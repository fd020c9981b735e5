"""Builds the native targets with clang's fuzzer and sanitizers, and runs each for a while.

    python fuzz/run_native.py [--seconds 60] [target ...]

Exit code: 0 nothing was found, 1 something was (the input lies in build/fuzz/findings), 2 the build failed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from seeds import write_seeds

PACKAGE = Path(__file__).resolve().parents[1]
BUILD = PACKAGE / "build" / "fuzz"
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
    corpus, findings = BUILD / "corpus" / target, BUILD / "findings"
    corpus.mkdir(parents=True, exist_ok=True)
    findings.mkdir(exist_ok=True)
    options = [
        f"-max_total_time={seconds}",
        "-timeout=20",
        "-rss_limit_mb=3000",
        "-max_len=8192",
        "-print_final_stats=1",
    ]
    result = subprocess.run(
        [BUILD / f"fuzz_{target}", corpus, f"-artifact_prefix={findings}/{target}-", *options],
        env=os.environ | {"UBSAN_OPTIONS": "print_stacktrace=1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
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
    if not build():
        return 2
    write_seeds(BUILD / "corpus")
    clean = True
    for target in chosen.targets or TARGETS:
        executed, good = run(target, chosen.seconds)
        print(f"{target}: {executed} inputs, {'nothing found' if good else 'FOUND SOMETHING'}", flush=True)
        clean = clean and good
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
