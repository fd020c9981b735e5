"""Holds the public names of each package against ``tests/api_surface.json``, or records them there.

``check_api.py`` shows what the tree adds, changes or breaks against the recorded surface and fails on any difference:
a wanted change is recorded with ``--update`` in the same commit, where a reviewer sees it.

Exit code: 0 no difference (or recorded), 1 a difference, 2 the tool could not run.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from api_diff import ApiDiff, compare
from api_surface import Surface, read_surface
from workspace import ROOT, Package, ToolError, Workspace, load, main_guard

__all__ = ["ApiDiff", "check", "compare", "surface_file"]


def surface_file(package: Package) -> Path:
    """Where the surface of a package is recorded."""
    return package.tests / "api_surface.json"


def dump(surface: Surface) -> str:
    """The recorded form: sorted, one entry per few lines, so that a difference reads well."""
    return json.dumps(surface, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def check(package: Package) -> ApiDiff:
    """What the tree's public names differ from the recorded ones.

    Raises:
        ToolError: if nothing is recorded yet, or a module cannot be read.
    """
    file = surface_file(package)
    if not file.exists():
        raise ToolError(f"{file} does not exist; record it with: python tools/check_api.py --update {package.name}")
    return compare(json.loads(file.read_text(encoding="utf-8")), read_surface(package.import_name))


def update(package: Package) -> bool:
    """Records the tree's public names. Returns whether the file changed."""
    file = surface_file(package)
    text = dump(read_surface(package.import_name))
    if file.exists() and file.read_text(encoding="utf-8") == text:
        return False
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return True


def _make_importable(workspace: Workspace) -> None:
    """The tree's sources come first, whatever is installed; an editable install's native module is still found."""
    sys.path[:0] = [str(package.source.parent) for package in workspace.packages.values()]


def main(argv: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Checks or records the packages that the command line names; see the module's text for the exit code."""
    parser = argparse.ArgumentParser(description="Compare the public names with the recorded ones.")
    parser.add_argument("packages", nargs="*", metavar="DIST", help="distributions; all without any")
    parser.add_argument("--update", action="store_true", help="record instead of compare")
    parser.add_argument("--root", type=Path, default=root, help=argparse.SUPPRESS)  # release.py asks about another tree
    options = parser.parse_args(argv)
    workspace = load(options.root)
    _make_importable(workspace)
    failed = False
    for package in workspace.select(options.packages):
        try:
            if options.update:
                print(f"{package.name}: {'recorded' if update(package) else 'unchanged'}")
                continue
            diff = check(package)
        except ToolError as error:
            print(f"{package.name}: {error}", file=sys.stderr)
            failed = True
            continue
        for line in diff.lines():
            print(f"{package.name}: {line}")
        failed |= bool(diff)
    if failed and not options.update:
        print("public names differ; record what is wanted with: python tools/check_api.py --update", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    main_guard(main)
