"""Runs the native-facing tests of the native packages under the address and undefined-behaviour sanitizers.

Each package's module is built with ``VISION_SANITIZE=ON`` into ``packages/<p>/build/sanitize`` and laid beside a copy
of its Python sources, which the tests then import instead of the installed package. Python itself is not instrumented,
so the sanitizer's runtime is preloaded, and Python's own allocator is switched off: a read past the end of a NumPy
array is seen.

Which tests: the files under ``tests/`` that speak of the native module (``_native``, ``force_isa``, ``isas``) and those
under ``tests/attacks/``, but for what is marked slow; files or ``-k`` expressions after ``--`` choose others.

Exit code: 0 clean, 1 a sanitizer or a test spoke up, 2 the tool could not run.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rebuild_native import build
from workspace import ROOT, Package, ToolError, load, main_guard, run, shared, tool_environment

# An editable install's import hook comes before the path; without it PYTHONPATH decides.
_START = """
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if not type(finder).__name__.startswith("ScikitBuild")]
import {name}._native_ext as module
assert module.__file__.startswith({site!r}), f"the tests would run on {{module.__file__}}"
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""
_NATIVE_FACING = re.compile(r"_native\b|_native_ext|force_isa|\bisas\b")
_FINDING = re.compile(r"ERROR: AddressSanitizer|runtime error:")


def native_tests(package: Package) -> list[Path]:
    """The test files of a package that speak of its native module, or attack it."""
    files = sorted(package.tests.rglob("test_*.py"))
    return [
        file
        for file in files
        if file.parent.name == "attacks" or _NATIVE_FACING.search(file.read_text(encoding="utf-8"))
    ]


def sanitize(root: Path, package: Package, selection: Sequence[str]) -> bool:
    """Builds one package with the sanitizers and runs its tests.

    Args:
        root: the repository.
        package: a native package.
        selection: arguments for pytest instead of :func:`native_tests`.

    Returns:
        Whether nothing was found.

    Raises:
        ToolError: if the build fails or there is no test to run.
    """
    tests = [str(file) for file in native_tests(package)]
    if not tests and not selection:
        raise ToolError(f"{package.name} has no test that speaks of its native module")
    site = lay_out(package)
    code = _START.format(name=package.import_name, site=str(site))
    # What a sanitizer says as it ends the process goes past Python: pytest must leave the file descriptors alone.
    options = [
        "-q",
        "--capture=sys",
        "-p",
        "no:cacheprovider",
        "-m",
        "not slow",
        "--rootdir",
        str(root),
        *(selection or tests),
    ]
    environment = tool_environment() | {
        "PYTHONPATH": str(site),
        "LD_PRELOAD": " ".join(runtime_libraries()),
        "PYTHONMALLOC": "malloc",
        # Python and torch leave much to the end of the process: leaks would be theirs.
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0:exitcode=99:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
        "OMP_NUM_THREADS": "1",
    }
    real_files = shared(root)
    if real_files:
        environment["VISION_SHARED"] = str(real_files)
    command = [sys.executable, "-c", code, *options]
    with subprocess.Popen(
        command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        findings = 0
        for line in process.stdout:
            print(f"[{package.name}] {line}", end="", flush=True)
            findings += bool(_FINDING.search(line))
    return process.returncode == 0 and not findings


def lay_out(package: Package) -> Path:
    """Builds the module with the sanitizers and puts it into a copy of the package's Python sources.

    Returns:
        The folder to have on the path.
    """
    folder = package.path / "build" / "sanitize"
    module = build(package, folder / "cmake", ["-DVISION_SANITIZE=ON"])
    site = folder / "site"
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(package.source, site / package.import_name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    shutil.copy(module, site / package.import_name)
    return site


def runtime_libraries() -> list[str]:
    """What must be loaded before Python: the sanitizer's runtime, and libstdc++, whose functions it wraps.

    Raises:
        ToolError: if the compiler does not have them.
    """
    found = []
    for name in ("libasan.so", "libubsan.so", "libstdc++.so.6"):
        path = run(["g++", f"-print-file-name={name}"], what="search for the sanitizer's runtime").strip()
        if not Path(path).is_absolute():
            raise ToolError(f"g++ has no {name}; on Debian it comes with g++")
        found.append(str(Path(path).resolve()))
    return found


def main(argv: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Sanitizes the native packages that the command line names, all without any."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    split = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(description="Run native-facing tests under ASan and UBSan.")
    parser.add_argument("packages", nargs="*", metavar="DIST", help="native distributions; all without any")
    parser.epilog = "what follows -- goes to pytest instead of the native-facing test files"
    options = parser.parse_args(arguments[:split])
    packages = load(root).select(options.packages)
    pure = [package.name for package in packages if not package.native]
    if options.packages and pure:
        raise ToolError(f"{', '.join(pure)} has no native module")
    verdicts = {}
    for package in packages:
        if package.native:
            try:
                verdicts[package.name] = "clean" if sanitize(root, package, arguments[split + 1 :]) else "FAILED"
            except ToolError as error:
                verdicts[package.name] = f"FAILED: {error}"
    for name, verdict in verdicts.items():
        print(f"{name}: {verdict}")
    return 0 if all(verdict == "clean" for verdict in verdicts.values()) else 1


if __name__ == "__main__":
    main_guard(main)
