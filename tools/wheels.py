"""Builds all source archives and wheels into ``dist/`` and tests that what is there works.

For each package: the source archive; from it, in an isolated environment, the wheel; for native ones auditwheel, with
the licence texts of grafted libraries. Then: tags, linked libraries, an install from the source archive into a new
environment with torch, and the native modules on the other Pythons that this machine has.

``--quick`` stops after the wheels of packages whose sources are newer, unrepaired: enough to install them here.
``--aarch64`` also cross-builds the native wheels for 64-bit Arm (Debian: ``apt install g++-aarch64-linux-gnu``); they
are checked, not loaded: the shared kernels code runs under emulation in the tests of this folder.

Exit code: 0 all built and tested, 2 something failed.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import wheel_checks as checks
from alone_env import EnvironmentFactory
from prove_alone import TORCH
from wheel_repair import grafted_libraries, repair
from wheelhouse import build, fresh_wheels
from workspace import ROOT, Package, ToolError, Workspace, load, main_guard

OTHER_PYTHONS = ("3.12", "3.13")
COMPLETE = {"VISION_IO_REQUIRE_CODECS": "ON"}  # released wheels have their own image codecs, or are not built
CROSS_COMPILER = "aarch64-linux-gnu-g++"

T = TypeVar("T")


def release_build(workspace: Workspace, package: Package) -> tuple[Path, Path]:
    """Builds the archive and the wheel of one package, repairs a native one, and checks tags and links.

    Returns:
        The wheel and the archive.
    """
    wheel, archive = _step(package, "build", lambda: build(package, workspace.dist, environment=COMPLETE))
    if package.native:
        wheel = _step(package, "auditwheel", lambda: repair(wheel))
        _step(package, "grafted", lambda: ", ".join(grafted_libraries(wheel)) or "nothing")
        _step(package, "links", lambda: checks.check_links(wheel))
    _step(package, "tag", lambda: checks.check_tag(package, wheel))
    return wheel, archive


def cross_build(workspace: Workspace, package: Package) -> Path:
    """Builds a native package's wheel for 64-bit Arm, beside the one of this machine.

    Raises:
        ToolError: if the cross compiler is not installed, or the build fails.
    """
    if shutil.which(CROSS_COMPILER) is None:
        raise ToolError(f"{CROSS_COMPILER} is not installed; on Debian: apt install g++-aarch64-linux-gnu")
    toolchain = workspace.root / "tools" / "native" / "cmake" / "aarch64-linux-gnu.toolchain.cmake"
    variables = {"CMAKE_TOOLCHAIN_FILE": str(toolchain), "_PYTHON_HOST_PLATFORM": "linux-aarch64"}
    with tempfile.TemporaryDirectory(prefix="vision-aarch64-") as temporary:
        wheel, _ = _step(package, "aarch64 build", lambda: build(package, Path(temporary), environment=variables))
        wheel = repair(wheel, machine="aarch64")
        _step(package, "aarch64 links", lambda: checks.check_links(wheel))
        _step(package, "aarch64 tag", lambda: checks.check_tag(package, wheel))
        return Path(shutil.copy(wheel, workspace.dist))


def check_other_pythons(built: Sequence[tuple[Package, Path]], folder: Path) -> None:
    """Loads each native wheel on the other Pythons of this machine; says what could not be tested."""
    for version in OTHER_PYTHONS:
        python = checks.find_python(version)
        if python is None:
            print(f"left out: no python{version} on this machine", flush=True)
            continue
        for package, wheel in built:
            if package.native:
                _step(
                    package, f"python{version}", lambda p=package, w=wheel, py=python: checks.loads_on(py, p, w, folder)
                )
        print(f"left out on python{version}: operators, which need torch and numpy there", flush=True)


def _step(package: Package, name: str, work: Callable[[], T]) -> T:
    start = time.monotonic()
    result = work()
    shown = ", ".join(path.name for path in result) if isinstance(result, tuple) else getattr(result, "name", result)
    print(f"[{package.name}] {name}: {shown} ({time.monotonic() - start:.1f} s)", flush=True)
    return result


def main(argv: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Builds what the command line names; see the module's text."""
    parser = argparse.ArgumentParser(description="Build source archives and wheels into dist/ and test them.")
    parser.add_argument("packages", nargs="*", metavar="DIST", help="distributions; all without any")
    parser.add_argument(
        "--quick", action="store_true", help="only wheels that are older than their sources, unrepaired"
    )
    parser.add_argument("--aarch64", action="store_true", help="also cross-build native wheels for 64-bit Arm")
    parser.add_argument("--no-archive-install", action="store_true", help="skip the install from the source archives")
    options = parser.parse_args(argv)
    workspace = load(root)
    packages = workspace.select(options.packages)
    if options.quick:
        for package in packages:
            _step(package, "wheel", lambda p=package: fresh_wheels(workspace, [p])[p.name])
        return 0
    built = [(package, *release_build(workspace, package)) for package in packages]
    if options.aarch64:
        for package in packages:
            if package.native:
                cross_build(workspace, package)
    with tempfile.TemporaryDirectory(prefix="vision-wheels-") as temporary:
        folder = Path(temporary)
        check_other_pythons([(package, wheel) for package, wheel, _ in built], folder)
        if not options.no_archive_install:
            _prepare_siblings(workspace, packages)
            factory = EnvironmentFactory(folder, workspace, TORCH)
            for package, _, archive in built:
                _step(package, "from archive", lambda p=package, a=archive: checks.imports_from_archive(factory, p, a))
    print(f"{len(built)} wheels and archives in {workspace.dist}")
    return 0


def _prepare_siblings(workspace: Workspace, packages: Sequence[Package]) -> None:
    """Wheels of what the packages require and was not built just now, so that pip finds them in ``dist/``."""
    for package in packages:
        fresh_wheels(workspace, [member for member in workspace.needed(package) if member not in packages])


if __name__ == "__main__":
    main_guard(main)
