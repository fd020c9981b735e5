"""Brings the native modules of the editable installs up to date, after an edit of C++ or of its build files.

An editable install keeps the binary that pip built. This program compares its time with that of the sources (the
package's ``native/``, ``CMakeLists.txt`` and ``tools/native``); if none is newer it does nothing, at the price of a few
``stat`` calls. Otherwise it configures ``packages/<p>/build/native-...`` once, builds there incrementally with
ninja, and replaces the installed module by a rename: a process which has the old one loaded keeps it whole.

The folder is this program's own: pip builds in an isolated environment that is gone afterwards, so the cmake cache that
it leaves points to a nanobind that no longer exists.

Exit code: 0 up to date now, 2 a build failed or a package is not installed.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from wheelhouse import newest_source
from workspace import ROOT, Package, ToolError, Workspace, load, main_guard, run

MODULE = "_native_ext"


def rebuild(workspace: Workspace, package: Package, *, force: bool = False, options: Sequence[str] = ()) -> str:
    """Brings one package's module up to date.

    Args:
        workspace: the repository.
        package: a native package that is installed (editable) for the running Python.
        force: build even if nothing is newer.
        options: for cmake's configure step, such as ``-DVISION_WERROR=ON``.

    Returns:
        What was done, in words.

    Raises:
        ToolError: if it is not installed, or cmake fails.
    """
    module = installed_module(package)
    if not force and module.exists() and module.stat().st_mtime >= newest_source(workspace, package, native_only=True):
        return "up to date"
    start = time.time()  # an edit during the build must find the module older than itself
    built = build(package, package.path / "build" / build_folder_name(), options)
    replacement = module.with_name(f".{module.name}.new")
    module.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(built, replacement)
    os.utime(replacement, (start, start))
    replacement.replace(module)
    return f"rebuilt in {time.time() - start:.1f} s"


def build(package: Package, folder: Path, options: Sequence[str] = ()) -> Path:
    """Configures (once) and builds a package's module with cmake and ninja.

    Args:
        package: a native package.
        folder: the build folder, kept between calls.
        options: for the configure step; other options than last time configure again.

    Returns:
        The built module.

    Raises:
        ToolError: with the compiler's last lines, if it fails.
    """
    wanted = ["-G", "Ninja", f"-DPython_EXECUTABLE={sys.executable}", "-DCMAKE_BUILD_TYPE=Release", *options]
    stamp = folder / ".options"
    if not (folder / "build.ninja").exists() or not stamp.exists() or stamp.read_text() != "\n".join(wanted):
        run(["cmake", "-S", package.path, "-B", folder, *wanted], what=f"cmake configure of {package.name}")
        stamp.write_text("\n".join(wanted))
    run(["cmake", "--build", folder], what=f"build of {package.name}")
    found = sorted(folder.glob(f"{MODULE}*.so"))
    if len(found) != 1:
        raise ToolError(f"build of {package.name} left {[file.name for file in found]} in {folder}, not one {MODULE}")
    return found[0]


def build_folder_name() -> str:
    """One build folder per environment: the cache of cmake names the environment's nanobind.

    Example:
        ``native-cpython-311-5f0c2a91``
    """
    environment = hashlib.sha256(sys.prefix.encode()).hexdigest()[:8]
    return f"native-{sys.implementation.cache_tag}-{environment}"


def installed_module(package: Package) -> Path:
    """Where the running Python's editable install loads the module from.

    Raises:
        ToolError: if the package is not installed with a native module.
    """
    try:
        files = importlib.metadata.distribution(package.name).files or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name.startswith(MODULE) and file.suffix == ".so":
            return Path(str(file.locate()))
    raise ToolError(
        f"{package.name} is not installed with its native module for {sys.executable}; "
        f"run: pip install --no-build-isolation --no-deps -e {package.path}"
    )


def main(argv: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Rebuilds the native packages that the command line names, all without any."""
    parser = argparse.ArgumentParser(description="Rebuild the native modules of editable installs, incrementally.")
    parser.add_argument("packages", nargs="*", metavar="DIST")
    parser.add_argument("--force", action="store_true", help="build even if no source is newer")
    options = parser.parse_args(argv)
    workspace = load(root)
    for package in workspace.select(options.packages):
        if package.native:
            print(f"{package.name}: {rebuild(workspace, package, force=options.force)}", flush=True)
        elif options.packages:
            raise ToolError(f"{package.name} has no native module")
    return 0


if __name__ == "__main__":
    main_guard(main)
