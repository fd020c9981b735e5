"""Prepares the release of one package: version, changelog, commit and tag. It never pushes and never publishes.

The public names are held against the bump, since the last tag ``<dist>-vX.Y.Z``:

============== ====================== ======================
difference     from 1.0.0 on needs    while 0.x needs
============== ====================== ======================
something gone major                  minor (or major)
or changed
something new  minor                  patch
only fixes     patch                  patch
============== ====================== ======================

A larger bump than needed is always allowed. The first release of a package takes the version that stands in the tree:
``release.py vision-core first``.

Everything that can be refused is refused before a file is written: uncommitted changes, a recorded surface that is not
the tree's, a bump that is too small, no fragment in ``changes/``, an existing tag.

Exit code: 0 done (or the dry run would succeed), 2 refused.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from api_diff import ApiDiff, compare
from check_api import surface_file
from workspace import ROOT, Package, ToolError, Workspace, load, main_guard, run

_ORDER = ("patch", "minor", "major")
_SURFACE = Path(__file__).with_name("check_api.py")


@dataclass(frozen=True)
class Plan:
    """What a release would do."""

    package: Package
    version: str
    previous: str | None
    diff: ApiDiff
    changelog: str

    @property
    def tag(self) -> str:
        return f"{self.package.name}-v{self.version}"


def plan(workspace: Workspace, package: Package, bump: str, date: str) -> Plan:
    """Checks everything and says what the release would be.

    Args:
        workspace: the repository.
        package: what is released.
        bump: ``patch``, ``minor``, ``major``, or ``first``.
        date: for the changelog, ``YYYY-MM-DD``.

    Raises:
        ToolError: if the release must not be made; the message says why.
    """
    if _git(workspace, "status", "--porcelain").strip():
        raise ToolError("the tree has uncommitted changes; commit them first")
    previous = last_version(workspace, package)
    if previous is None and bump != "first":
        raise ToolError(f"{package.name} has no release yet; its first one is: release.py {package.name} first")
    if previous is not None and bump == "first":
        raise ToolError(f"{package.name} {previous} is released; say patch, minor or major")
    if previous is not None and package.version != previous:
        raise ToolError(f"{package.about} says {package.version}, the last tag {previous}; versions are set here only")
    run([sys.executable, _SURFACE, package.name, "--root", workspace.root], what="check of the recorded public names")
    diff = ApiDiff() if previous is None else surface_diff(workspace, package, previous)
    if previous is None:
        version = package.version
    else:
        refuse_small_bump(package.version, bump, diff)
        version = next_version(package.version, bump)
    if f"{package.name}-v{version}" in _git(workspace, "tag", "--list").split():
        raise ToolError(f"the tag {package.name}-v{version} exists already")
    return Plan(package, version, previous, diff, changelog(workspace, package, version, date, draft=True))


def last_version(workspace: Workspace, package: Package) -> str | None:
    """The highest version among the tags ``<dist>-vX.Y.Z``, or ``None`` before the first release."""
    tags = _git(workspace, "tag", "--list", f"{package.name}-v*").split()
    found = [re.fullmatch(rf"{re.escape(package.name)}-v(\d+)\.(\d+)\.(\d+)", tag) for tag in tags]
    versions = [tuple(int(part) for part in match.groups()) for match in found if match]
    return ".".join(str(part) for part in max(versions)) if versions else None


def surface_diff(workspace: Workspace, package: Package, previous: str) -> ApiDiff:
    """What the public names differ from those of a released version.

    Raises:
        ToolError: if the tag has no recorded surface.
    """
    file = surface_file(package)
    path = file.relative_to(workspace.root).as_posix()
    old = json.loads(_git(workspace, "show", f"{package.name}-v{previous}:{path}"))
    return compare(old, json.loads(file.read_text(encoding="utf-8")))


def needed_bump(version: str, diff: ApiDiff) -> str:
    """The smallest bump that a difference of public names allows.

    Example:
        >>> needed_bump("0.3.1", ApiDiff(breaks=["x is gone"])), needed_bump("1.3.1", ApiDiff(additions=["x"]))
        ('minor', 'minor')
    """
    stable = not version.startswith("0.")
    if diff.breaks:
        return "major" if stable else "minor"
    return "minor" if diff.additions and stable else "patch"


def refuse_small_bump(version: str, bump: str, diff: ApiDiff) -> None:
    """Raises ToolError, with the reasons, if ``bump`` is smaller than the difference allows."""
    needed = needed_bump(version, diff)
    if _ORDER.index(bump) < _ORDER.index(needed):
        reasons = "\n".join(f"  {line}" for line in diff.lines())
        raise ToolError(f"a {bump} release of {version} is too small, at least {needed} is needed:\n{reasons}")


def next_version(version: str, bump: str) -> str:
    """The version after a bump.

    Example:
        >>> next_version("1.2.3", "minor")
        '1.3.0'
    """
    parts = [int(part) for part in version.split(".")]
    place = {"major": 0, "minor": 1, "patch": 2}[bump]
    return ".".join(str(part) for part in [*parts[:place], parts[place] + 1, *[0] * (2 - place)])


def changelog(workspace: Workspace, package: Package, version: str, date: str, *, draft: bool) -> str:
    """Renders the fragments in ``changes/``; unless it is a draft, also writes ``CHANGELOG.md`` and removes them.

    Raises:
        ToolError: if there is no fragment.
    """
    if not any((package.path / "changes").glob("*.md")):
        raise ToolError(f"{package.path / 'changes'} has no fragment; say what this release brings: <slug>.added.md")
    command = [sys.executable, "-m", "towncrier", "build", "--config", workspace.root / "pyproject.toml"]
    command += ["--dir", package.path, "--version", version, "--date", date, "--draft" if draft else "--yes"]
    return run(command, what="towncrier", cwd=workspace.root).strip()


def carry_out(workspace: Workspace, release: Plan, date: str) -> None:
    """Writes version and changelog, commits and tags."""
    package = release.package
    text = package.about.read_text(encoding="utf-8")
    package.about.write_text(text.replace(f'"{package.version}"', f'"{release.version}"'), encoding="utf-8")
    changelog(workspace, package, release.version, date, draft=False)
    folder = package.path.relative_to(workspace.root)
    _git(workspace, "add", "--all", "--", str(folder))
    _git(workspace, "commit", "--quiet", "-m", f"Release {package.name} {release.version}")
    _git(workspace, "tag", "--annotate", release.tag, "-m", f"{package.name} {release.version}")


def _git(workspace: Workspace, *arguments: str) -> str:
    return run(["git", "-C", workspace.root, *arguments], what=f"git {arguments[0]}")


def main(argv: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Releases the package that the command line names; see the module's text for the rules."""
    parser = argparse.ArgumentParser(
        description="Prepare a release: version, changelog, commit, tag. Nothing is pushed."
    )
    parser.add_argument("package", metavar="DIST")
    parser.add_argument("bump", choices=[*_ORDER, "first"])
    parser.add_argument("--dry-run", action="store_true", help="check and show, change nothing")
    parser.add_argument("--date", default=dt.datetime.now(dt.UTC).date().isoformat(), help="date in the changelog")
    options = parser.parse_args(argv)
    workspace = load(root)
    (package,) = workspace.select([options.package])
    release = plan(workspace, package, options.bump, options.date)
    print(f"{package.name} {release.previous or '(first release)'} -> {release.version}, tag {release.tag}")
    for line in release.diff.lines():
        print(f"  {line}")
    print(release.changelog)
    if options.dry_run:
        print("dry run: nothing was written")
        return 0
    carry_out(workspace, release, options.date)
    print(f"committed and tagged. Publishing is another step: git push origin HEAD {release.tag}")
    return 0


if __name__ == "__main__":
    main_guard(main)
