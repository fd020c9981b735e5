"""What ``prove_alone`` asks of a wheel in an environment of its own: each check returns a line or raises."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import statistics
import tomllib
import xml.etree.ElementTree as ET
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from alone_env import Environment, clean_environment
from workspace import OPERATORS, Package, ToolError, run, shared

__all__ = [
    "HEAVY",
    "copy_tests",
    "entry_points_load",
    "has_tests",
    "import_budget",
    "imports_without_warning",
    "is_typed",
    "no_siblings",
    "run_tests",
]

# What a user of one feature needs and an import must not load.
HEAVY = frozenset(
    ("av", "cv2", "decord", "hypothesis", "IPython", "matplotlib", "networkx", "onnx", "pandas", "pytest", "scipy")
) | {"tensorboard", "torchcodec", "torchvision"}
TEST_TIMEOUT = 1800  # seconds for the tests of one package

_PROBE = """
import json, sys, time
{preload}
before = set(sys.modules)
start = time.perf_counter()
import {name}
elapsed = time.perf_counter() - start
tops = sorted({{module.split(".")[0] for module in set(sys.modules) - before}})
print(json.dumps({{"ms": elapsed * 1e3, "modules": tops}}))
"""

_LOAD = """
import importlib.metadata as metadata
found = [e for e in metadata.entry_points(group="{group}") if e.dist is not None and e.dist.name == "{name}"]
for entry in found:
    assert callable(entry.load()), f"{{entry.name}} = {{entry.value}} is not callable"
print(*(entry.name for entry in found), sep=", ")
"""


def no_siblings(package: Package, environment: Environment, strangers: Iterable[str]) -> str:
    """None of the strangers (distributions of this repository) came along with the package.

    Raises:
        ToolError: naming those that did.
    """
    installed = environment.distributions()
    found = installed & set(strangers)
    if found:
        raise ToolError(f"installing {package.name} brought its sibling {', '.join(sorted(found))}")
    if package.name not in installed:
        raise ToolError(f"{package.name} is not among the installed distributions")
    return f"{len(installed)} distributions"


def is_typed(wheel: Path, package: Package) -> str:
    """``py.typed`` is in the wheel, so that type checkers read our hints."""
    with zipfile.ZipFile(wheel) as archive:
        if f"{package.import_name}/py.typed" not in archive.namelist():
            raise ToolError(f"{wheel.name} has no {package.import_name}/py.typed")
    return "py.typed"


def imports_without_warning(package: Package, environment: Environment) -> str:
    """``python -W error -c "import x"`` succeeds, and the module states the version of its metadata."""
    code = f"import {package.import_name} as m; print(m.__version__)"
    command = [environment.python, "-W", "error", "-c", code]
    version = run(command, what=f"python -W error -c 'import {package.import_name}'", env=clean_environment()).strip()
    if version != package.version:
        raise ToolError(f"{package.import_name}.__version__ is {version}, the tree's is {package.version}")
    return f"version {version}"


def entry_points_load(package: Package, environment: Environment) -> str:
    """Every operator that the package provides loads with nothing but its declared dependencies."""
    code = _LOAD.format(group=OPERATORS, name=package.name)
    names = run([environment.python, "-c", code], what="loading of entry points", env=clean_environment()).strip()
    return names or "provides none"


def import_budget(package: Package, environment: Environment, *, after_torch: bool, goal: float, limit: float) -> str:
    """What ``import x`` costs over ``import torch``: median of three processes; nothing heavy is loaded by it.

    Args:
        package: whose import is timed.
        environment: where.
        after_torch: whether torch is imported before the clock starts.
        goal: ms; above it the line says so.
        limit: ms; if even the fastest process is above it the check fails. Generous, because CI machines are noisy.

    Raises:
        ToolError: over the limit, or if one of :data:`HEAVY` was loaded.
    """
    code = _PROBE.format(preload="import torch" if after_torch else "", name=package.import_name)
    probes = []
    for _ in range(4):  # the first one compiles the .pyc files
        out = run([environment.python, "-c", code], what=f"import {package.import_name}", env=clean_environment())
        probes.append(json.loads(out.splitlines()[-1]))
    times = [probe["ms"] for probe in probes[1:]]
    median = statistics.median(times)
    heavy = sorted(HEAVY & set(probes[-1]["modules"]))
    if heavy:
        raise ToolError(f"import {package.import_name} loads {', '.join(heavy)}; import it where it is used")
    if min(times) > limit:
        raise ToolError(f"import {package.import_name} takes {min(times):.0f} ms, the limit is {limit:.0f} ms")
    return f"{median:.0f} ms" + (f" (over the goal of {goal:.0f} ms)" if median > goal else "")


def has_tests(package: Package) -> bool:
    """Whether there is any test file in the package's ``tests/``."""
    return any(package.tests.rglob("test_*.py"))


def copy_tests(root: Path, package: Package, folder: Path) -> Path:
    """Copies the package's tests out of the tree, with the markers and options of the root's pytest settings.

    Returns:
        The folder with the copy.
    """
    target = folder / f"tests-{package.name}"
    shutil.copytree(package.tests, target, ignore=shutil.ignore_patterns("__pycache__"))
    options = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    ini = configparser.RawConfigParser()
    ini["pytest"] = {
        "addopts": " ".join(options.get("addopts", ())),
        "markers": "\n" + "\n".join(options.get("markers", ())),
        "xfail_strict": str(options.get("xfail_strict", False)).lower(),
    }
    with (target / "pytest.ini").open("w", encoding="utf-8") as file:
        ini.write(file)
    return target


def run_tests(root: Path, environment: Environment, tests: Path, selection: str) -> tuple[str, Counter[str]]:
    """Runs the copied tests that a marker expression selects.

    Returns:
        A line with the counts, and the reasons of what was skipped with their number.

    Raises:
        ToolError: if a test fails or none ran.
    """
    report = tests.parent / f"{tests.name}.xml"
    command = [environment.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", tests / "pytest.ini"]
    command += ["--rootdir", tests, "--junitxml", report, "-m", selection, tests]
    real_files = shared(root)
    env = clean_environment(**({"VISION_SHARED": str(real_files)} if real_files else {}))
    run(command, what=f"pytest -m '{selection}'", cwd=tests, env=env, timeout=TEST_TIMEOUT)
    cases = list(ET.parse(report).getroot().iter("testcase"))
    skipped = Counter(_reason(skip) for case in cases for skip in case.iter("skipped"))
    passed = len(cases) - sum(skipped.values())
    if not passed:
        raise ToolError(f"pytest -m '{selection}': all {len(cases)} tests were skipped: {'; '.join(skipped)}")
    return f"{passed} passed, {sum(skipped.values())} skipped", skipped


def _reason(skip: ET.Element) -> str:
    """Why a test was skipped, in a line. A module that was skipped as a whole has it behind its place in a tuple."""
    message = skip.get("message") or ""
    whole_module = re.search(r"Skipped: (.*?)['\"]\)?$", (skip.text or "").strip(), re.DOTALL)
    text = whole_module.group(1) if message == "collection skipped" and whole_module else message or skip.text or ""
    return text.strip().splitlines()[0] if text.strip() else "no reason"
