"""Miniature repositories: the tools run on them as they run on this one."""

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOOLS))  # the programs are scripts that import each other as neighbours

ROOT_PYPROJECT = (TOOLS.parent / "pyproject.toml").read_text(encoding="utf-8")


class MiniRepository:
    """A repository with the layout of this one: ``packages/<name>/src/<import name>``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "packages").mkdir(parents=True)
        (root / "pyproject.toml").write_text(ROOT_PYPROJECT, encoding="utf-8")

    def package(
        self, name: str, *, dependencies: str = "", extras: str = "", files: dict[str, str] | None = None
    ) -> Path:
        """Adds a pure package whose ``files`` are given relative to its folder."""
        folder = self.root / "packages" / name
        module = name.replace("-", "_")
        self.write(
            folder / "pyproject.toml",
            f"""\
            [build-system]
            requires = ["hatchling"]
            build-backend = "hatchling.build"

            [project]
            name = "{name}"
            dynamic = ["version"]
            requires-python = ">=3.11"
            dependencies = [{dependencies}]

            [project.optional-dependencies]
            {extras}

            [dependency-groups]
            test = ["pytest>=8"]

            [tool.hatch.version]
            path = "src/{module}/__about__.py"

            [tool.hatch.build.targets.wheel]
            packages = ["src/{module}"]
            """,
        )
        self.write(folder / "src" / module / "__about__.py", '__version__ = "0.1.0"\n')
        self.write(
            folder / "src" / module / "__init__.py",
            f'from {module}.__about__ import __version__\n\n__all__ = ["__version__"]\n',
        )
        self.write(folder / "src" / module / "py.typed", "")
        self.write(folder / "CHANGELOG.md", f"# Changelog of {name}\n\n<!-- towncrier release notes start -->\n")
        for path, text in (files or {}).items():
            self.write(folder / path, text)
        return folder

    def write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid", "-c", "commit.gpgsign=false"]
        command = ["git", "-C", str(self.root), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def commit(self, message: str = "Change") -> None:
        if not (self.root / ".git").exists():
            self.git("init", "-q")
            self.git("config", "user.name", "Test")
            self.git("config", "user.email", "test@example.invalid")
            self.git("config", "commit.gpgsign", "false")
            self.write(self.root / ".gitignore", "__pycache__/\ndist/\n")
        self.git("add", "-A")
        self.git("commit", "-qm", message)


@pytest.fixture
def repository(tmp_path: Path) -> MiniRepository:
    return MiniRepository(tmp_path / "repository")


@pytest.fixture
def tool() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a program of the tools folder in a process of its own, on the repository at ``root``."""

    def run(program: str, *arguments: str, root: Path) -> subprocess.CompletedProcess[str]:
        code = (
            f"import sys; sys.path.insert(0, {str(TOOLS)!r}); from pathlib import Path; import {program}, workspace; "
            f"workspace.main_guard(lambda: {program}.main({list(arguments)!r}, Path({str(root)!r})))"
        )
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    return run
