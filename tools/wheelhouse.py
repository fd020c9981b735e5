"""The folder ``dist/``: which wheels are there, which are older than their sources, and how a new one is built.

A wheel is always built from the source archive, never from the tree: what is missing in the archive is then missed here
and not by a user, and the build leaves the folders of the editable installs alone.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from workspace import Package, ToolError, Workspace, normalise, run, tool_environment

__all__ = ["build", "find_wheel", "fresh_wheels", "newest_source", "remove_old"]

# What a wheel is made of; tests travel in the source archive only.
_NATIVE_INPUTS = ("native", "CMakeLists.txt")
_INPUTS = (*_NATIVE_INPUTS, "src", "pyproject.toml", "README.md", "LICENSE")


def fresh_wheels(workspace: Workspace, packages: Iterable[Package]) -> dict[str, Path]:
    """A wheel in ``dist/`` for each package: the one that is there if it is newer than the sources, else a new one.

    Returns:
        Distribution to the path of its wheel.

    Raises:
        ToolError: if a build fails.
    """
    wheels = {}
    for package in packages:
        wheel = find_wheel(workspace, package)
        if wheel is None or wheel.stat().st_mtime < newest_source(workspace, package):
            wheel, _ = build(package, workspace.dist, isolated=not _can_build_here(package))
        wheels[package.name] = wheel
    return wheels


def find_wheel(workspace: Workspace, package: Package) -> Path | None:
    """The newest wheel of the package's present version in ``dist/`` that this machine can install."""
    from packaging.tags import sys_tags
    from packaging.utils import parse_wheel_filename

    supported = set(sys_tags())
    found = []
    for path in workspace.dist.glob(f"{package.import_name}-{package.version}-*.whl"):
        if parse_wheel_filename(path.name)[3] & supported:
            found.append(path)
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def newest_source(workspace: Workspace, package: Package, *, native_only: bool = False) -> float:
    """The time of the last change to anything that goes into the package's wheel, in seconds since the epoch.

    Args:
        workspace: the repository.
        package: whose sources.
        native_only: look only at what its native module is built from.
    """
    roots = [package.path / name for name in (_NATIVE_INPUTS if native_only else _INPUTS)]
    if package.native:
        roots.append(workspace.root / "tools" / "native")
    return max((path.stat().st_mtime for root in roots for path in _files(root)), default=0.0)


def build(
    package: Package, dist: Path, *, isolated: bool = True, environment: Mapping[str, str] | None = None
) -> tuple[Path, Path]:
    """Builds the source archive and, from it, the wheel; older ones of the same version are replaced.

    Args:
        package: what to build.
        dist: where both go.
        isolated: build in an environment with exactly what ``[build-system] requires`` names; ``False`` uses the
            running one, which is faster.
        environment: more variables for the build, such as a cross compiler's.

    Returns:
        The wheel and the source archive.

    Raises:
        ToolError: if the build fails; the message ends with the compiler's or the backend's last lines.
    """
    dist.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="vision-build-") as temporary:
        command = [sys.executable, "-m", "build", "--outdir", temporary, package.path]
        if not isolated:
            command[3:3] = ["--no-isolation", "--skip-dependency-check"]
        # Without this cmake's ninja takes every core; two builds side by side would then take twice as many.
        env = (
            {"CMAKE_BUILD_PARALLEL_LEVEL": str(len(os.sched_getaffinity(0)))}
            | tool_environment()
            | dict(environment or {})
        )
        run(command, what=f"build of {package.name}", env=env)
        built = list(Path(temporary).iterdir())
        remove_old(dist, package)
        moved = [Path(shutil.move(path, dist / path.name)) for path in built]
    wheel = next((path for path in moved if path.suffix == ".whl"), None)
    archive = next((path for path in moved if path.name.endswith(".tar.gz")), None)
    if wheel is None or archive is None:
        raise ToolError(f"build of {package.name} left {[path.name for path in moved]}, not a wheel and an archive")
    return wheel, archive


def remove_old(dist: Path, package: Package, *, keep: Iterable[Path] = ()) -> None:
    """Deletes wheels and archives of the package's present version: a stale repaired wheel would win over a new one."""
    for pattern in (
        f"{package.import_name}-{package.version}-*.whl",
        f"{package.import_name}-{package.version}.tar.gz",
    ):
        for path in set(dist.glob(pattern)) - set(keep):
            path.unlink()


def _can_build_here(package: Package) -> bool:
    """Whether the running environment has all that the package's ``[build-system] requires`` names."""
    from packaging.requirements import Requirement

    document = tomllib.loads((package.path / "pyproject.toml").read_text(encoding="utf-8"))
    for text in [*document["build-system"]["requires"], *(["ninja"] if package.native else [])]:
        requirement = Requirement(text)
        try:
            version = importlib.metadata.version(normalise(requirement.name))
        except importlib.metadata.PackageNotFoundError:
            return False
        if not requirement.specifier.contains(version, prereleases=True):
            return False
    return True


def _files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if name not in ("__pycache__", "build")]
        for name in files:
            if not name.endswith((".pyc", ".so")):
                yield Path(folder, name)
