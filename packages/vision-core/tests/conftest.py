"""Fixtures that several test files share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from vision_core import _native

ISAS = _native.module.isas() if _native.module is not None else []


@pytest.fixture(params=["reference", *ISAS])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run a test without the native module, and with it on every instruction set of this machine."""
    if request.param == "reference":
        monkeypatch.setattr(_native, "module", None)
        yield request.param
        return
    _native.module.force_isa(request.param)
    yield request.param
    _native.module.force_isa(None)


@pytest.fixture(params=[1, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.fixture
def shared() -> Path:
    """The folder with real files; tests that need it are skipped without it."""
    folder = Path(os.environ.get("VISION_SHARED", Path(__file__).resolve().parents[3].parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no shared files in {folder}; set VISION_SHARED")
    return folder
