"""Where things are in the repository: its packages, what each one declares, and how the tools end.

Every program in this folder starts from :func:`load`, which reads the six ``pyproject.toml`` files and nothing else.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = [
    "CONTRACT",
    "ROOT",
    "Package",
    "ToolError",
    "Workspace",
    "load",
    "main_guard",
    "normalise",
    "requirement_name",
    "run",
    "shared",
    "tool_environment",
]

ROOT = Path(__file__).resolve().parents[1]
CONTRACT = "vision-contract"  # the one sibling that every package may import
OPERATORS = "vision_contract.operators"  # the entry-point group of what packages provide to each other

_REQUIREMENT_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


class ToolError(Exception):
    """What a tool could not do, in one line that says what to do about it."""


@dataclass(frozen=True)
class Package:
    """One folder under ``packages/``: folder = distribution = import name with underscores.

    Args:
        name: the distribution, ``vision-core``.
        path: its folder.
        dependencies: requirement strings that every install gets.
        extras: extra to requirement strings.
        test: the requirements of its tests (``[dependency-groups] test``).
        native: whether a C++ module is built into its wheel.
    """

    name: str
    path: Path
    dependencies: tuple[str, ...] = ()
    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    test: tuple[str, ...] = ()
    native: bool = False

    @property
    def import_name(self) -> str:
        return self.name.replace("-", "_")

    @property
    def source(self) -> Path:
        """The import package: ``packages/vision-core/src/vision_core``."""
        return self.path / "src" / self.import_name

    @property
    def tests(self) -> Path:
        return self.path / "tests"

    @property
    def about(self) -> Path:
        """The file that holds the version."""
        return self.source / "__about__.py"

    @property
    def version(self) -> str:
        found = re.search(r'^__version__ = "([^"]+)"$', self.about.read_text(encoding="utf-8"), re.MULTILINE)
        if not found:
            raise ToolError(f'{self.about}: no line `__version__ = "X.Y.Z"`')
        return found.group(1)

    def siblings(self, requirements: Iterable[str], names: Iterable[str]) -> set[str]:
        """Which of ``names`` (distributions) a list of requirement strings asks for."""
        return {requirement_name(requirement) for requirement in requirements} & set(names)


@dataclass(frozen=True)
class Workspace:
    """The repository: its root and its packages by distribution name."""

    root: Path
    packages: Mapping[str, Package]

    @property
    def dist(self) -> Path:
        """Where wheels and source archives go."""
        return self.root / "dist"

    def select(self, names: Sequence[str]) -> list[Package]:
        """The named packages, all of them for no name, in the order of the tree (the contract first).

        Raises:
            ToolError: for a name that is no package.
        """
        unknown = [name for name in names if name not in self.packages]
        if unknown:
            raise ToolError(f"no package {', '.join(unknown)} here; there are {', '.join(self.packages)}")
        return [package for package in self.packages.values() if not names or package.name in names]

    def needed(self, package: Package, extras: Iterable[str] = ()) -> list[Package]:
        """The packages of this repository that an install of ``package`` with ``extras`` brings, itself first."""
        wanted: dict[str, None] = {}
        queue = [(package.name, tuple(extras))]
        while queue:
            name, with_extras = queue.pop()
            wanted[name] = None
            member = self.packages[name]
            requirements = [*member.dependencies, *(r for extra in with_extras for r in member.extras.get(extra, ()))]
            for requirement in requirements:
                sibling = requirement_name(requirement)
                if sibling in self.packages and sibling not in wanted:
                    queue.append((sibling, _requirement_extras(requirement)))
        return [self.packages[name] for name in wanted]


def load(root: Path = ROOT) -> Workspace:
    """Reads the packages of the repository at ``root``.

    Raises:
        ToolError: if there is no package, or a folder and its distribution are named differently.

    Example:
        >>> load().packages["vision-core"].import_name
        'vision_core'
    """
    found = [_read(file) for file in sorted(root.glob("packages/*/pyproject.toml"))]
    if not found:
        raise ToolError(f"no packages/*/pyproject.toml under {root}")
    found.sort(key=lambda package: (package.name != CONTRACT, package.name))
    return Workspace(root, {package.name: package for package in found})


def normalise(name: str) -> str:
    """A distribution's name in its normal form (lower case, single hyphens), as the packaging standard defines it.

    Example:
        >>> normalise("Vision_Core")
        'vision-core'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement_name(requirement: str) -> str:
    """The distribution that a requirement string names.

    Example:
        >>> requirement_name("vision_io[video] >= 0.1 ; python_version > '3'")
        'vision-io'
    """
    match = _REQUIREMENT_NAME.match(requirement)
    if not match:
        raise ToolError(f"not a requirement: {requirement!r}")
    return normalise(match.group(1))


def shared(root: Path = ROOT) -> Path | None:
    """The folder with real files that some tests read: ``VISION_SHARED``, else ``shared`` beside the repository."""
    path = Path(os.environ.get("VISION_SHARED") or root.parent / "shared").resolve()
    return path if path.is_dir() else None


def tool_environment() -> dict[str, str]:
    """This process's environment with the programs of the running Python's environment first on the path."""
    beside = str(Path(sys.executable).parent)
    return dict(os.environ) | {"PATH": os.pathsep.join([beside, os.environ.get("PATH", os.defpath)])}


def run(
    command: Sequence[str | Path],
    *,
    what: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> str:
    """Runs a program and returns what it printed on stdout.

    Args:
        command: program and arguments.
        what: the step in words, for the error.
        cwd: where it runs.
        env: its whole environment; by default :func:`tool_environment`.
        timeout: seconds.

    Raises:
        ToolError: if it fails; the message ends with the last lines that it wrote.
    """
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env=dict(env) if env is not None else tool_environment(),
            timeout=timeout,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise ToolError(f"{what}: {command[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{what}: not done after {timeout:.0f} s") from error
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-30:])
        raise ToolError(f"{what} failed (exit code {done.returncode}):\n{tail}")
    return done.stdout


def main_guard(main: Callable[[], int]) -> None:
    """Ends the process with what ``main`` returns; a :class:`ToolError` becomes its message and exit code 2."""
    try:
        sys.exit(main())
    except ToolError as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def _read(file: Path) -> Package:
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    project = document.get("project", {})
    name = normalise(project.get("name", ""))
    if name != file.parent.name:
        raise ToolError(f"{file}: folder and distribution must have one name, got {file.parent.name!r} and {name!r}")
    hooks = (
        document.get("tool", {}).get("hatch", {}).get("build", {}).get("targets", {}).get("wheel", {}).get("hooks", {})
    )
    return Package(
        name=name,
        path=file.parent,
        dependencies=tuple(project.get("dependencies", ())),
        extras={extra: tuple(wants) for extra, wants in project.get("optional-dependencies", {}).items()},
        test=tuple(r for r in document.get("dependency-groups", {}).get("test", ()) if isinstance(r, str)),
        native="scikit-build" in hooks,
    )


def _requirement_extras(requirement: str) -> tuple[str, ...]:
    match = re.search(r"\[([^\]]*)\]", requirement.split(";")[0])
    return tuple(extra.strip() for extra in match.group(1).split(",")) if match else ()
