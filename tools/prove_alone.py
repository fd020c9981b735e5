"""Proves that a wheel is enough by itself: installed alone, it imports and passes its own tests.

For each package: build its wheel (and those of this repository that it requires), make a new environment, install the
wheel with its declared dependencies only, and check that no sibling came along, ``py.typed``, ``python -W error -c
"import x"``, its entry points, the cost of its import. Then its test requirements are installed, its tests are copied
out of the tree and run without the slow ones and those that need an extra; then, for each extra that has marked tests,
the extra is installed and they run too. What was skipped is printed with its reason.

Exit code: 0 all proven, 1 something failed, 2 the tool could not run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import alone_checks as checks
from alone_env import EnvironmentFactory, needs_torch
from wheelhouse import fresh_wheels
from workspace import CONTRACT, ROOT, Package, ToolError, Workspace, load, main_guard

GOAL_MS = 150.0
LIMIT_MS = 400.0
TORCH = "2.13.0"


@dataclass
class Proof:
    """What was found out about one package: step to its line, and the steps that failed."""

    package: Package
    steps: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def step(self, name: str, check: Callable[[], str]) -> bool:
        """Runs one check, prints its line, and records it. Returns whether it passed."""
        start = time.monotonic()
        try:
            line = check()
        except ToolError as error:
            self.failed[name] = str(error)
            line = f"FAILED: {str(error).splitlines()[0]}"
        self.steps[name] = line
        print(f"[{self.package.name}] {name}: {line} ({time.monotonic() - start:.1f} s)", flush=True)
        return name not in self.failed


@dataclass(frozen=True)
class Prover:
    """Runs the proof of one package after another (or several at once) with one set of settings."""

    workspace: Workspace
    factory: EnvironmentFactory
    wheels: dict[str, Path]
    tests: dict[str, Path]  # copies, as they were when the wheels were built
    goal: float
    limit: float

    def prove(self, package: Package) -> Proof:
        """All steps for one package. A step that fails does not keep the later ones from running, if they can."""
        proof = Proof(package)
        start = time.monotonic()
        wheel = self.wheels[package.name]
        needed = self.workspace.needed(package)
        torch = needs_torch(requirement for member in needed for requirement in member.dependencies)
        environment = self.factory.make(f"env-{package.name}", with_torch=torch)

        def install() -> str:
            environment.install([wheel])
            return checks.no_siblings(package, environment, self._strangers(package))

        installed = proof.step("install alone", install)
        if installed or package.name in environment.distributions():
            proof.step("typed", lambda: checks.is_typed(wheel, package))
            proof.step("import", lambda: checks.imports_without_warning(package, environment))
            proof.step("entry points", lambda: checks.entry_points_load(package, environment))
            proof.step(
                "import time",
                lambda: checks.import_budget(package, environment, after_torch=torch, goal=self.goal, limit=self.limit),
            )
            self._tests(package, environment, proof)
        proof.seconds = time.monotonic() - start
        return proof

    def _strangers(self, package: Package, extra: str | None = None) -> set[str]:
        """The siblings that an install must not bring: all but the contract and what the extra asks for."""
        allowed = {package.name, CONTRACT}
        if extra is not None:
            allowed |= {member.name for member in self.workspace.needed(package, [extra])}
        return set(self.workspace.packages) - allowed

    def _tests(self, package: Package, environment: checks.Environment, proof: Proof) -> None:
        without_extras = " and ".join(["not slow", *(f"not {marker}" for marker in extra_markers(self.workspace))])

        def plain() -> str:
            if package.name not in self.tests:
                raise ToolError(f"{package.name} has no tests in {package.tests}")
            environment.install(package.test)
            return self._run(environment, self.tests[package.name], without_extras, proof)

        proof.step("tests", plain)
        if package.name not in self.tests:
            return
        tests = self.tests[package.name]
        for extra, marker in marked_extras(package).items():

            def marked(extra: str = extra, marker: str = marker) -> str:
                environment.install([f"{package.name}[{extra}]"])
                checks.no_siblings(package, environment, self._strangers(package, extra))
                return self._run(environment, tests, f"{marker} and not slow", proof)

            proof.step(f"tests [{extra}]", marked)

    def _run(self, environment: checks.Environment, tests: Path, selection: str, proof: Proof) -> str:
        line, skipped = checks.run_tests(self.workspace.root, environment, tests, selection)
        proof.skipped.update(skipped)
        return line


def extra_markers(workspace: Workspace) -> list[str]:
    """The pytest markers of all extras in the workspace."""
    return sorted({_marker(extra) for package in workspace.packages.values() for extra in package.extras})


def marked_extras(package: Package) -> dict[str, str]:
    """The extras of a package whose marker some test of it carries, with the marker."""
    texts = [file.read_text(encoding="utf-8") for file in package.tests.rglob("*.py")]
    return {extra: _marker(extra) for extra in package.extras if any(f"mark.{_marker(extra)}" in t for t in texts)}


def _marker(extra: str) -> str:
    return f"extra_{extra.replace('-', '_')}"


def wheels_needed(workspace: Workspace, packages: Sequence[Package]) -> list[Package]:
    """The packages whose wheels the proofs install: the named ones, what they require, and what their extras bring."""
    wanted = {}
    for package in packages:
        for member in workspace.needed(package, marked_extras(package)):
            wanted[member.name] = member
    return [package for package in workspace.packages.values() if package.name in wanted]


@contextmanager
def _folder(keep: bool) -> Iterator[Path]:
    if keep:
        path = Path(tempfile.mkdtemp(prefix="vision-alone-"))
        print(f"environments stay in {path}")
        yield path
    else:
        with tempfile.TemporaryDirectory(prefix="vision-alone-") as name:
            yield Path(name)


def report(proofs: Sequence[Proof]) -> None:
    """Prints what was skipped, what failed, and a table of all."""
    for proof in proofs:
        for reason, count in proof.skipped.most_common():
            print(f"[{proof.package.name}] skipped {count}: {reason}")
    for proof in proofs:
        for step, message in proof.failed.items():
            print(f"\n[{proof.package.name}] {step} FAILED:\n{message}", file=sys.stderr)
    columns = ["install alone", "import time", "tests"]
    rows = []
    for proof in proofs:
        cells = ["failed" if column in proof.failed else proof.steps.get(column, "-") for column in columns]
        extras = [
            f"{step[6:]} {line}"
            for step, line in proof.steps.items()
            if step.startswith("tests [") and step not in proof.failed
        ]
        verdict = f"FAILED: {', '.join(proof.failed)}" if proof.failed else "proven"
        rows.append([proof.package.name, *cells, "; ".join(extras) or "-", f"{proof.seconds:.0f} s", verdict])
    head = ["wheel", "alone with", "import", "tests", "tests of extras", "took", "verdict"]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    print()
    for row in [head, ["-" * width for width in widths], *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def main(argv: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Runs the proofs that the command line names; see the module's text for the exit code."""
    parser = argparse.ArgumentParser(description="Prove that each wheel, installed alone, passes its own tests.")
    parser.add_argument("packages", nargs="*", metavar="DIST", help="distributions, such as vision-core")
    parser.add_argument("--all", action="store_true", help="every package")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="packages proven at the same time")
    parser.add_argument("--torch", default=TORCH, metavar="VERSION", help=f"torch to prove with (default {TORCH})")
    parser.add_argument("--import-goal", type=float, default=GOAL_MS, metavar="MS", help="reported when exceeded")
    parser.add_argument("--import-limit", type=float, default=LIMIT_MS, metavar="MS", help="fails when exceeded")
    parser.add_argument("--keep", action="store_true", help="leave the environments for inspection")
    options = parser.parse_args(argv)
    if bool(options.packages) == options.all:
        parser.error("name packages, or pass --all")
    workspace = load(root)
    packages = workspace.select(options.packages)
    with _folder(options.keep) as folder, ThreadPoolExecutor(options.jobs) as pool:
        wheels, tests = {}, {}
        for package in wheels_needed(workspace, packages):
            start = time.monotonic()
            wheels |= fresh_wheels(workspace, [package])
            if package in packages and checks.has_tests(package):
                tests[package.name] = checks.copy_tests(root, package, folder)
            print(f"[{package.name}] wheel: {wheels[package.name].name} ({time.monotonic() - start:.1f} s)", flush=True)
        factory = EnvironmentFactory(folder, workspace, options.torch)
        prover = Prover(workspace, factory, wheels, tests, options.import_goal, options.import_limit)
        proofs = list(pool.map(prover.prove, packages))
        report(proofs)  # before the environments are deleted, which takes a while
    return 1 if any(proof.failed for proof in proofs) else 0


if __name__ == "__main__":
    main_guard(main)
