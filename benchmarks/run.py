"""Runs every package's benchmarks, side by side with the peers where an environment has them, and gathers the results.

``PEERS_PYTHON`` names the interpreter of the peers' environment. It is never changed: ``build/bench-env`` is a virtual
environment of its own on the same base Python, which sees the peers' packages through a ``.pth`` file and has our
wheels, built when a source is newer, installed on top. Without ``PEERS_PYTHON`` the running interpreter is used.

Results go to ``benchmarks/results/<package>/<module>.json``. Exit code: 0 all ran, 1 one failed, 2 nothing to run.
"""

from __future__ import annotations

import argparse
import os
import runpy
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
TIMEOUT = 1800  # seconds for one module


def find_benchmarks(root: Path, words: Sequence[str]) -> list[Path]:
    """The benchmark modules whose path contains one of the words; all of them for no word."""
    found = sorted(root.glob("packages/*/benchmarks/bench_*.py"))
    names = {path: path.relative_to(root / "packages").as_posix() for path in found}
    return [path for path in found if not words or any(word in names[path] for word in words)]


def result_file(results: Path, module: Path) -> Path:
    """Where a module's results go: ``<results>/vision-core/nms.json`` for ``vision-core/benchmarks/bench_nms.py``."""
    return results / module.parents[1].name / f"{module.stem.removeprefix('bench_')}.json"


def peers_interpreter(peers: Path, root: Path = ROOT) -> Path:
    """An interpreter that sees the peers and our wheels.

    Args:
        peers: the interpreter of the peers' environment.
        root: the repository.

    Returns:
        The interpreter of ``build/bench-env``.
    """
    subprocess.run([sys.executable, root / "tools" / "wheels.py", "--quick"], check=True)
    environment = root / "build" / "bench-env"
    python = environment / "bin" / "python"
    paths = subprocess.run(
        [peers, "-c", "import sysconfig as s; p = s.get_paths(); print(p['purelib']); print(p['platlib'])"],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    if not python.exists():
        subprocess.run([peers, "-m", "venv", "--without-pip", environment], check=True)
    own = next((environment / "lib").glob("python*/site-packages"))
    (own / "peers.pth").write_text("\n".join(dict.fromkeys(paths)) + "\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps"]
    subprocess.run([*pip, "nanobind-backend"], check=True)
    subprocess.run(
        [*pip, "--force-reinstall", "--no-index", "--find-links", root / "dist", *our_pins(root)], check=True
    )
    return python


def our_pins(root: Path) -> list[str]:
    """``vision_core==0.1.0`` for each package, with the version that stands in the tree."""
    abouts = sorted(root.glob("packages/*/src/*/__about__.py"))
    pins = []
    for about in abouts:
        version = runpy.run_path(str(about))["__version__"]
        pins.append(f"{about.parent.name}=={version}")
    return pins


def run_module(python: Path, module: Path, out: Path, root: Path = ROOT) -> bool:
    """Runs one benchmark module in a process of its own.

    Returns:
        Whether it ended well and left results.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    out.unlink(missing_ok=True)
    environment = os.environ | {"PYTHONPATH": str(root)}
    try:
        done = subprocess.run([python, module, "--json", out], env=environment, cwd=root, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        print(f"{module.name}: not done after {TIMEOUT} s", file=sys.stderr)
        return False
    if done.returncode == 0 and not out.exists():
        print(f"{module.name}: ended well but left no {out}", file=sys.stderr)
    return done.returncode == 0 and out.exists()


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmarks that the command line names; see the module's text."""
    parser = argparse.ArgumentParser(description="Run the packages' benchmarks, with the peers of PEERS_PYTHON if set.")
    parser.add_argument("words", nargs="*", metavar="WORD", help="only modules whose path contains one of these")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="where the JSON files go")
    parser.add_argument("--list", action="store_true", help="name the modules and stop")
    options = parser.parse_args(argv)
    modules = find_benchmarks(ROOT, options.words)
    if not modules:
        print("no packages/*/benchmarks/bench_*.py matches", file=sys.stderr)
        return 2
    if options.list:
        print(*(module.relative_to(ROOT) for module in modules), sep="\n")
        return 0
    peers = os.environ.get("PEERS_PYTHON")
    python = peers_interpreter(Path(peers)) if peers else Path(sys.executable)
    print(f"with {python}" + ("" if peers else " (no PEERS_PYTHON: ours alone)"), file=sys.stderr)
    failed = []
    for module in modules:
        start = time.monotonic()
        out = result_file(options.results.resolve(), module)
        if not run_module(python, module, out):
            failed.append(module)
        print(f"{module.relative_to(ROOT)}: {time.monotonic() - start:.0f} s -> {out}", file=sys.stderr)
    for module in failed:
        print(f"FAILED: {module.relative_to(ROOT)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
