from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

import vision_core
from vision_core import _native

needs_native = pytest.mark.skipif(_native.module is None, reason="the native module is not built")


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )


def test_tells_version_and_kernels() -> None:
    info = vision_core.build_info()
    assert info["version"] == vision_core.__version__
    assert info["native"] == (_native.module is not None)
    assert (info["reason"] is None) == info["native"]
    if info["native"]:
        assert info["isa"] in info["isas"]
        assert info["isas"][0] == "scalar"


def test_tells_when_there_are_no_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_native, "module", None)
    monkeypatch.setattr(_native, "reason", "ImportError: no such file")
    info = vision_core.build_info()
    assert not info["native"]
    assert info["reason"] == "ImportError: no such file"
    assert info["isas"] == []


@needs_native
def test_environment_forces_the_instruction_set() -> None:
    result = run("import vision_core; print(vision_core.build_info()['isa'])", VISION_ISA="scalar")
    assert result.stdout.strip() == "scalar"
    wrong = run("import vision_core", VISION_ISA="mmx")
    assert wrong.returncode != 0
    assert "ValueError: VISION_ISA" in wrong.stderr


def test_import_is_light_and_silent() -> None:
    code = """
import sys, torch
before = set(sys.modules)
import vision_core
new = set(sys.modules) - before
print(sorted(m for m in new if m.split(".")[0] in {"PIL", "av", "torchvision", "hypothesis", "matplotlib", "networkx"}))
"""
    result = run(code)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"
    assert result.stderr == ""


@pytest.mark.skipif(importlib.util.find_spec("torchvision") is not None, reason="torchvision is here anyway")
def test_works_without_torchvision() -> None:
    assert vision_core.ops.nms.__module__.startswith("vision_core")
