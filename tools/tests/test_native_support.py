"""The shared C++ code, tested by its own programs: on this machine's instruction sets, and on Arm under qemu-user."""

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[1] / "native" / "tests"
TOOLCHAIN = SOURCES.parent / "cmake" / "aarch64-linux-gnu.toolchain.cmake"


def build_and_run(build: Path, *options: str) -> str:
    configure = ["cmake", "-S", SOURCES, "-B", build, "-G", "Ninja", "-DVISION_WERROR=ON", *options]
    for command in (configure, ["cmake", "--build", build], ["ctest", "--test-dir", build, "-V"]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_on_this_machine(tmp_path: Path) -> None:
    output = build_and_run(tmp_path / "build")
    assert "scalar    1 lanes" in output
    assert "100% tests passed" in output


@pytest.mark.slow
def test_sanitized(tmp_path: Path) -> None:
    assert "100% tests passed" in build_and_run(tmp_path / "build", "-DVISION_SANITIZE=ON")


@pytest.mark.skipif(
    not (shutil.which("aarch64-linux-gnu-g++") and shutil.which("qemu-aarch64")),
    reason="needs g++-aarch64-linux-gnu and qemu-user",
)
def test_on_emulated_arm(tmp_path: Path) -> None:
    output = build_and_run(tmp_path / "build", f"-DCMAKE_TOOLCHAIN_FILE={TOOLCHAIN}")
    for isa in ("neon", "dotprod", "i8mm"):
        assert f"{isa:<8}  4 lanes" in output
    assert "100% tests passed" in output
