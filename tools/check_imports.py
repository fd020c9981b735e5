"""Checks that no package imports a sibling, except the contract, and that none depends on one.

What is a violation:

- ``import vision_core`` or ``from vision_core.ops import nms`` in another package's sources, wherever it stands: at the
  top, in a function, under ``TYPE_CHECKING``;
- the same through ``importlib.import_module("vision_core")``, ``find_spec`` or ``__import__`` with a literal name;
- a relative import that climbs out of the package;
- any of these in tests, unless the file, class or function is marked with an extra that brings that sibling
  (``pytestmark = pytest.mark.extra_io`` or ``@pytest.mark.extra_io``); ``pytest.importorskip`` counts as an import;
- a sibling other than the contract in ``[project] dependencies`` (``optional-dependencies`` may name them).

Exit code: 0 clean, 1 violations, 2 the tool could not run.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workspace import CONTRACT, ROOT, Package, ToolError, Workspace, load, main_guard

_IMPORT_CALLS = {"import_module", "__import__", "find_spec", "importorskip", "resolve_name"}


@dataclass(frozen=True)
class Violation:
    """One line of code or metadata that breaks the rule."""

    file: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Import:
    """A module that a file asks for: its absolute name, where, and the extras' markers that stand over that line."""

    module: str
    line: int
    markers: frozenset[str] = frozenset()


def check(workspace: Workspace) -> list[Violation]:
    """All violations in the packages of a workspace, in the order of the files.

    Raises:
        ToolError: if a file cannot be parsed.
    """
    found: list[Violation] = []
    for package in workspace.packages.values():
        found += check_metadata(workspace, package)
        found += check_sources(workspace, package)
        found += check_tests(workspace, package)
    return found


def check_metadata(workspace: Workspace, package: Package) -> list[Violation]:
    """Siblings other than the contract among the hard dependencies."""
    named = package.siblings(package.dependencies, workspace.packages) - {CONTRACT, package.name}
    file = package.path / "pyproject.toml"
    lines = file.read_text(encoding="utf-8").splitlines()
    return [
        Violation(
            file,
            next(
                (number for number, line in enumerate(lines, 1) if f'"{name}' in line and not line.startswith("name")),
                1,
            ),
            f"{package.name} depends on its sibling {name}; put it under [project.optional-dependencies]",
        )
        for name in sorted(named)
    ]


def check_sources(workspace: Workspace, package: Package) -> list[Violation]:
    """Sibling imports and relative escapes in the sources of one package."""
    siblings = _siblings(workspace, package)
    found: list[Violation] = []
    for file in sorted(package.source.rglob("*.py")):
        found += check_source(file, _module_name(package, file), siblings)
    return found


def check_source(file: Path, module: str, siblings: Mapping[str, str]) -> list[Violation]:
    """Violations of one source file.

    Args:
        file: the file.
        module: its dotted name; a package's ``__init__`` carries the suffix ``.__init__``.
        siblings: import name to distribution of the packages that it must not import.
    """
    found = []
    for wanted in imports(file, module):
        top = wanted.module.split(".")[0]
        if not top:
            found.append(Violation(file, wanted.line, f"relative import climbs out of {module.split('.')[0]}"))
        elif top in siblings:
            found.append(
                Violation(
                    file,
                    wanted.line,
                    f"imports its sibling {top}; take it as an argument or find it through vision_contract.find",
                )
            )
    return found


def check_tests(workspace: Workspace, package: Package) -> list[Violation]:
    """Sibling imports in tests that do not stand under the marker of an extra which brings that sibling."""
    siblings = _siblings(workspace, package)
    brings = {
        f"extra_{extra.replace('-', '_')}": {p.import_name for p in workspace.needed(package, [extra])}
        for extra in package.extras
    }
    found: list[Violation] = []
    for file in sorted(package.tests.rglob("*.py")):
        for wanted in imports(file, ""):
            top = wanted.module.split(".")[0]
            if top not in siblings or any(top in brings.get(marker, ()) for marker in wanted.markers):
                continue
            markers = sorted(marker for marker, names in brings.items() if top in names)
            advice = f"mark the test {' or '.join(markers)}" if markers else "no extra of this package brings it"
            found.append(Violation(file, wanted.line, f"test imports the sibling {top}; {advice}"))
    return found


def imports(file: Path, module: str) -> Iterator[Import]:
    """Every import of a file, also inside functions and through literal ``import_module`` calls.

    Args:
        file: the file.
        module: its dotted name, against which relative imports are resolved; ``""`` leaves those out.

    Raises:
        ToolError: if it is not valid Python.
    """
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    except SyntaxError as error:
        raise ToolError(f"{file}:{error.lineno}: cannot be parsed: {error.msg}") from error
    yield from _walk(tree, module, _module_markers(tree))


def _walk(node: ast.AST, module: str, markers: frozenset[str]) -> Iterator[Import]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        markers = markers | {name for decorator in node.decorator_list for name in _marker_names(decorator)}
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(alias.name, node.lineno, markers)
    elif isinstance(node, ast.ImportFrom):
        yield from _from_import(node, module, markers)
    elif isinstance(node, ast.Call):
        yield from _import_call(node, module, markers)
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, module, markers)


def _from_import(node: ast.ImportFrom, module: str, markers: frozenset[str]) -> Iterator[Import]:
    if not node.level:
        yield Import(node.module or "", node.lineno, markers)
    elif module:
        yield Import(_absolute("." * node.level + (node.module or ""), module), node.lineno, markers)


def _import_call(node: ast.Call, module: str, markers: frozenset[str]) -> Iterator[Import]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name not in _IMPORT_CALLS or not node.args:
        return
    first = node.args[0]
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        target = first.value.split(":")[0]
        if target.startswith("."):
            if not module:
                return
            target = _absolute(target, module)
        yield Import(target, node.lineno, markers)


def _absolute(target: str, module: str) -> str:
    """``..ops`` seen from ``vision_core.transforms.resize`` is ``vision_core.ops``; ``""`` if it leaves the package."""
    level = len(target) - len(target.lstrip("."))
    parents = module.split(".")[:-level]
    return ".".join([*parents, *filter(None, [target.lstrip(".")])]) if parents else ""


def _module_markers(tree: ast.Module) -> frozenset[str]:
    """The markers of ``pytestmark = pytest.mark.extra_io`` (or a list of them) at the top of a test file."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "pytestmark" for target in node.targets):
            names.update(_marker_names(node.value))
    return frozenset(names)


def _marker_names(node: ast.AST) -> set[str]:
    return {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute) and n.attr.startswith("extra_")}


def _siblings(workspace: Workspace, package: Package) -> dict[str, str]:
    return {p.import_name: p.name for p in workspace.packages.values() if p.name not in (CONTRACT, package.name)}


def _module_name(package: Package, file: Path) -> str:
    return ".".join(file.relative_to(package.source.parent).with_suffix("").parts)


def main(argv: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Prints the violations of the whole tree; see the module's text for the exit code."""
    argparse.ArgumentParser(description="Check that no package imports or requires a sibling.").parse_args(argv)
    workspace = load(root)
    violations = check(workspace)
    for violation in violations:
        print(violation)
    if violations:
        print(f"{len(violations)} violation(s): packages may import {CONTRACT} and third parties only", file=sys.stderr)
        return 1
    print(f"{len(workspace.packages)} packages import no sibling")
    return 0


if __name__ == "__main__":
    main_guard(main)
