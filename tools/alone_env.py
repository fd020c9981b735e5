"""Virtual environments for ``prove_alone``: empty, then only what one wheel declares.

Installing torch takes most of a minute, and each package needs an environment of its own. So torch with what it
requires is installed once, and the environments of packages that declare torch start as copies of it by hard links. A
package that does not declare torch starts from nothing: a missing declaration is still found.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import venv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workspace import Workspace, requirement_name, run

__all__ = ["Environment", "EnvironmentFactory", "clean_environment", "needs_torch"]

# Variables of whoever runs the tool that would let the environment see more than what was installed into it.
_LEAKS = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "VIRTUAL_ENV",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_USER",
    "PIP_REQUIRE_VIRTUALENV",
)


def clean_environment(**extra: str) -> dict[str, str]:
    """The environment variables for a process in one of these environments, with ``extra`` added."""
    kept = {name: value for name, value in os.environ.items() if name not in _LEAKS}
    return kept | {"PYTHONNOUSERSITE": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"} | extra


@dataclass(frozen=True)
class Environment:
    """One virtual environment without pip of its own; the running interpreter's pip installs into it."""

    path: Path
    constraints: Path
    find_links: Path

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    def install(self, requirements: Sequence[str | Path]) -> None:
        """Installs requirements (or wheel files), our own wheels pinned and found in ``dist/``.

        Raises:
            ToolError: if pip fails.
        """
        if not requirements:
            return
        command = [sys.executable, "-m", "pip", "--python", self.python, "install", "-q", "--no-warn-script-location"]
        command += ["--find-links", self.find_links, "-c", self.constraints, *requirements]
        run(command, what=f"pip install {' '.join(str(r) for r in requirements)}", env=clean_environment())

    def distributions(self) -> set[str]:
        """Names of all that is installed."""
        code = "import importlib.metadata as m; print(*sorted({d.name for d in m.distributions()}), sep='\\n')"
        out = run([self.python, "-c", code], what="list of installed distributions", env=clean_environment())
        return {requirement_name(line) for line in out.splitlines() if line}


@dataclass
class EnvironmentFactory:
    """Makes the environments in one folder.

    Args:
        folder: a temporary folder; the caller deletes it.
        workspace: whose wheels are pinned, and found in its ``dist/``.
        torch: the version of torch that everything is held to.
    """

    folder: Path
    workspace: Workspace
    torch: str
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _base: Path | None = None

    def make(self, name: str, *, with_torch: bool) -> Environment:
        """A new environment: bare, or with torch and what torch requires."""
        path = self.folder / name
        if with_torch:
            _copy(self._torch_base(), path)
        else:
            venv.create(path, with_pip=False, symlinks=True)
        return Environment(path, self._constraints(), self.workspace.dist)

    def _torch_base(self) -> Path:
        with self._lock:
            if self._base is None:
                base = self.folder / "base-with-torch"
                venv.create(base, with_pip=False, symlinks=True)
                Environment(base, self._constraints(), self.workspace.dist).install([f"torch=={self.torch}"])
                self._base = base
            return self._base

    def _constraints(self) -> Path:
        """``torch==X`` is the exact version: a range would take the newest build, several GB of CUDA."""
        path = self.folder / "constraints.txt"
        if not path.exists():
            ours = [f"{package.name}=={package.version}" for package in self.workspace.packages.values()]
            path.write_text("\n".join([f"torch=={self.torch}", *ours]) + "\n", encoding="utf-8")
        return path


def needs_torch(requirements: Iterable[str]) -> bool:
    """Whether torch is among requirement strings."""
    return any(requirement_name(requirement) == "torch" for requirement in requirements)


def _copy(source: Path, target: Path) -> None:
    """Hard links where the file system has them. What installers and Python write later goes to new files."""
    try:
        shutil.copytree(source, target, symlinks=True, copy_function=os.link)
    except (OSError, shutil.Error):
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, symlinks=True)
