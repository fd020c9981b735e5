"""What the two programs share that run targets of libFuzzer, one after the other."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from seeds import write_seeds

BUILD = Path(__file__).resolve().parents[1] / "build" / "fuzz"


def fuzz(target: str, command: Sequence[str | Path], options: Sequence[str]) -> tuple[int, bool]:
    """Run a target; how many inputs it ran, and whether nothing was found.

    Args:
        target: Its name, which findings get.
        command: The program, its arguments and the folders of inputs, of which the first one grows.
        options: Of libFuzzer.
    """
    findings = BUILD / "findings"
    findings.mkdir(parents=True, exist_ok=True)
    result = subprocess.run(
        [*command, f"-artifact_prefix={findings}/{target}-", *options, "-print_final_stats=1"],
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


def run_all(
    description: str | None,
    targets: Sequence[str],
    run: Callable[[str, int], tuple[int, bool]],
    arguments: Sequence[str] | None,
    prepare: Callable[[], bool] = lambda: True,
) -> int:
    """The command line: which targets, for how long. Returns the exit code: 2 where `prepare` fails.

    Args:
        description: What the program says of itself.
        targets: Names of all targets.
        run: Runs one for so many seconds, as :func:`fuzz` does.
        arguments: Of the program; ``None`` for those that it was called with.
        prepare: Makes the targets ready.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="target", help=f"of {', '.join(targets)}; all unless given")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    chosen = parser.parse_args(arguments)
    if set(chosen.targets) - set(targets):
        parser.error(f"targets are {', '.join(targets)}")
    if not prepare():
        return 2
    write_seeds(BUILD / "corpus")
    clean = True
    for target in chosen.targets or targets:
        executed, good = run(target, chosen.seconds)
        print(f"{target}: {executed} inputs, {'nothing found' if good else 'FOUND SOMETHING'}", flush=True)
        clean = clean and good
    return 0 if clean else 1
