"""Planes to RGB: the native kernel on every instruction set against its NumPy reference and swscale (through PyAV)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.harness import race, script, show, write_json
from vision_io._native import kernels
from vision_io._pixels.formats import FORMATS
from vision_io._pixels.raw_frame import RawFrame
from vision_io._pixels.reference import rgb_planes
from vision_io._pixels.store import FrameSlots

SIZES = ((320, 180), (1280, 720), (1920, 1080))


def _frame(name: str, width: int, height: int) -> RawFrame:
    layout = FORMATS[name]
    rng = np.random.default_rng(0)
    chroma = layout.chroma_size(width, height)
    dtype = np.uint8 if layout.bits == 8 else np.uint16
    planes = [rng.integers(0, 1 << layout.bits, (h, w)).astype(dtype) for w, h in ((width, height), chroma, chroma)]
    return RawFrame(
        layout,
        width,
        height,
        tuple(p.ctypes.data for p in planes),
        tuple(p.strides[0] for p in planes),
        tuple(p.data.cast("B") for p in planes),
        owner=planes,
    )


def _swscale(frame: RawFrame, out: np.ndarray) -> Any:
    """``rgb24`` by swscale and the transpose to CHW, or ``None`` without PyAV."""
    try:
        import av
        from av.video.reformatter import VideoReformatter
    except ImportError:
        return None
    picture: Any = av.VideoFrame(frame.width, frame.height, "yuv420p")
    for i, plane in enumerate(picture.planes):
        source = frame.plane(i, plane.width, plane.height)
        rows = np.ndarray(source.shape, np.uint8, np.frombuffer(plane, np.uint8), 0, (plane.line_size, 1))
        rows[:] = source
    reformatter = VideoReformatter()

    def run() -> None:
        rgb = reformatter.reformat(picture, format="rgb24")
        out[0] = rgb.to_ndarray().transpose(2, 0, 1)

    return run


def main(out: Path) -> None:
    cases = {}
    for width, height in SIZES:
        frame = _frame("yuv420p", width, height)
        target = torch.empty(1, 3, height, width, dtype=torch.uint8)
        slots = FrameSlots(target)

        def forced(isa: str, slots: FrameSlots = slots, frame: RawFrame = frame) -> None:
            assert kernels is not None
            kernels.force_isa(isa)
            slots.write(0, frame)
            kernels.force_isa(None)

        runs: dict[str, Any] = {"ours": lambda slots=slots, frame=frame: slots.write(0, frame)}
        for isa in kernels.isas() if kernels else []:
            runs[f"ours, {isa}"] = lambda isa=isa, forced=forced: forced(isa)
        runs["clone() of the result"] = target.clone
        swscale = _swscale(frame, target.numpy())
        if swscale is not None:
            runs["swscale + CHW"] = swscale
        if width == SIZES[0][0]:
            runs["NumPy reference"] = lambda frame=frame: rgb_planes(frame)
        cases[f"yuv420p {width}x{height}"] = race(runs, repeat=15, threads=(1,))
        wide = _frame("yuv420p10le", width, height)
        runs = {"ours": lambda slots=slots, wide=wide: slots.write(0, wide)}
        if width == SIZES[0][0]:
            runs["NumPy reference"] = lambda wide=wide: rgb_planes(wide)
        cases[f"yuv420p10le {width}x{height}"] = race(runs, repeat=15, threads=(1,))
    show(cases)
    write_json(out, cases)


if __name__ == "__main__":
    script(main)
