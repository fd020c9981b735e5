"""What the test files of this package share: planes in all formats, real files, small videos made on the spot."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vision_io._native import kernels
from vision_io._pixels.formats import FORMATS
from vision_io._pixels.raw_frame import RawFrame

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


@pytest.fixture(scope="session")
def moving_bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small H.264 video with B-frames: 40 frames of 96x64 at 30000/1001 fps, each unlike the one before."""
    pytest.importorskip("av")
    from vision_io import VideoEncoder

    path = tmp_path_factory.mktemp("video") / "bars.mp4"
    with VideoEncoder(path, fps=29.97, crf=18, options={"g": 12, "bf": 2}) as encoder:
        encoder.write(bars(40))
    return path


def bars(frames: int, height: int = 64, width: int = 96) -> np.ndarray:
    """Frames (T, 3, H, W) with bars that move by three pixels from each to the next."""
    x = np.arange(width)[None, None, :] - 3 * np.arange(frames)[:, None, None]
    y = np.arange(height)[None, :, None]
    red = 128 + 100 * np.sin(x / 7 + 0 * y)
    green = 128 + 100 * np.sin((x + y) / 11)
    blue = 128 + 100 * np.cos((y - x) / 9)
    return np.stack(np.broadcast_arrays(red, green, blue), axis=1).astype(np.uint8)


@pytest.fixture(name="bars", scope="session")
def bars_fixture() -> Callable[..., np.ndarray]:
    return bars


def require_backend(name: str) -> None:
    """Skip the test where the library of this video backend is not installed."""
    from vision_io import MissingDependencyError
    from vision_io._video.backend import _importers

    try:
        _importers()[name]()
    except MissingDependencyError as error:
        pytest.skip(str(error))


@pytest.fixture(name="need_backend", scope="session")
def need_backend_fixture() -> Callable[[str], None]:
    return require_backend


@pytest.fixture(params=["video_reader", "pyav", "torchcodec", "decord"])
def backend(request: pytest.FixtureRequest) -> str:
    """The name of each video backend whose library is there."""
    require_backend(request.param)
    return request.param


@pytest.fixture
def video_backend(backend: str):
    """Each video backend in turn, set for the whole process."""
    from vision_io import get_video_backend, set_video_backend

    before = get_video_backend()
    set_video_backend(backend)
    yield backend
    set_video_backend(before)
