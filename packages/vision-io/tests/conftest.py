"""What the test files of this package share: planes in all formats, real files, small videos made on the spot."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vision_io._native import kernels
from vision_io.pixels.formats import FORMATS
from vision_io.pixels.raw_frame import RawFrame

SHARED = Path(os.environ.get("VISION_SHARED", Path(__file__).resolve().parents[3].parent / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real files; tests that need it are skipped where it is absent."""
    if not (SHARED / "data" / "video").is_dir():
        pytest.skip(f"no real files at {SHARED}; set VISION_SHARED")
    return SHARED


@pytest.fixture(scope="session")
def videos(shared: Path) -> Path:
    return shared / "data" / "video"


@pytest.fixture(scope="session")
def images(shared: Path) -> Path:
    return shared / "data" / "images"


def _plane(rng: np.random.Generator, width: int, height: int, bits: int, shift: int) -> np.ndarray:
    """Random samples with padding behind each row; the returned view has the plane's own size."""
    dtype = np.uint8 if bits == 8 else np.dtype("<u2")
    padded = rng.integers(0, 1 << bits, (height, width + int(rng.integers(0, 40))), dtype=np.uint32)
    return (padded << shift).astype(dtype)


@pytest.fixture
def make_frame() -> Callable[..., RawFrame]:
    """A frame of random samples in any format: ``make_frame("yuv420p", width, height, seed=0, matrix=1)``."""

    def make(name: str, width: int, height: int, *, seed: int = 0, **facts: int) -> RawFrame:
        layout = FORMATS[name]
        rng = np.random.default_rng(seed)
        chroma = layout.chroma_size(width, height)
        sizes = {
            "yuv": [(width, height), chroma, chroma],
            "nv": [(width, height), (2 * chroma[0], chroma[1])],
            "gray": [(width, height)],
            "gbr": [(width, height)] * 3,
            "packed": [(width * layout.step, height)],
        }[layout.family]
        planes = [_plane(rng, w, h, layout.bits, layout.shift) for w, h in sizes]
        return RawFrame(
            layout,
            width,
            height,
            tuple(p.ctypes.data for p in planes),
            tuple(p.strides[0] for p in planes),
            tuple(memoryview(p).cast("B") for p in planes),
            owner=planes,
            **facts,
        )

    return make


ISAS = kernels.isas() if kernels else []


@pytest.fixture(params=ISAS or [pytest.param("none", marks=pytest.mark.skip(reason="no native module"))])
def isa(request: pytest.FixtureRequest):
    """Runs the test once for every instruction set of this machine."""
    assert kernels is not None
    kernels.force_isa(request.param)
    yield request.param
    kernels.force_isa(None)
