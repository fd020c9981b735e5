"""Whole videos from file to contiguous CHW uint8: ours against TorchCodec and PyAV with NumPy.

``FFmpeg decode alone`` is the floor of every reader that decodes with FFmpeg (ours and PyAV's; TorchCodec uses the
system's). The frames of ours and of TorchCodec are asserted equal before anything is timed.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from videos import MADE, SMALL, Threads, large_video, made_video, torchcodec_decoder

from benchmarks.harness import Candidate, race, script, show, write_json
from vision_io import VideoDecoder

# Rounds for videos of up to so many bytes of pixels.
ROUNDS = ((100 << 20, 15), (1 << 62, 4))


def _ours(path: Path, stream_index: int, threads: Threads) -> dict[str, Any]:
    with VideoDecoder(path, stream_index=stream_index) as decoder:
        shape = (len(decoder), 3, decoder.metadata.height, decoder.metadata.width)
    kept = torch.zeros(shape, dtype=torch.uint8)

    def fresh(out: torch.Tensor | None = None) -> torch.Tensor:
        with VideoDecoder(path, stream_index=stream_index, num_threads=threads.count) as decoder:
            return decoder.get_frames_in_range(0, len(decoder), out=out).data

    return {"ours": fresh, "ours, out=": lambda: fresh(kept)}


def _with_pyav(path: Path, stream_index: int, threads: Threads) -> dict[str, Any]:
    import av

    def frames() -> Any:
        container: Any
        with av.open(str(path)) as container:
            stream = container.streams[stream_index]
            stream.codec_context.thread_type = "FRAME"
            stream.codec_context.thread_count = threads.count
            yield from container.decode(stream)

    def decode_only() -> None:
        for _ in frames():
            pass

    def to_planes() -> np.ndarray:
        pixels = np.stack([frame.to_ndarray(format="rgb24") for frame in frames()])
        return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))

    return {"FFmpeg decode alone": decode_only, "PyAV + NumPy": to_planes}


def whole_video(path: Path, stream_index: int, threads: Threads) -> dict[str, Candidate]:
    """Candidates that decode every frame of a stream."""
    runs = _ours(path, stream_index, threads) | _with_pyav(path, stream_index, threads)
    peer = torchcodec_decoder()
    if peer is not None:

        def view() -> torch.Tensor:
            decoder = peer(str(path), stream_index=stream_index, num_ffmpeg_threads=threads.count)
            return decoder.get_frames_in_range(0, len(decoder)).data

        runs |= {"TorchCodec": lambda: view().contiguous(), "TorchCodec, strided view": view}
        assert torch.equal(runs["ours"](), view()), f"{path.name}: TorchCodec's frames are others"
    assert torch.equal(runs["ours"](), runs["ours, out="]())
    return {name: threads.candidate(run) for name, run in runs.items()}


def _race(runs: dict[str, Candidate]) -> dict[str, Any]:
    pixels = runs["ours"].run()
    assert isinstance(pixels, torch.Tensor)
    rounds = next(rounds for most, rounds in ROUNDS if pixels.numel() <= most)
    del pixels
    return race(runs, repeat=rounds, warmup=1, inner=1)


def main(out: Path) -> None:
    threads = Threads()
    cases = {"H.264 320x180, 325 frames": _race(whole_video(SMALL, 0, threads))}
    with tempfile.TemporaryDirectory() as folder:
        large = large_video(Path(folder))
        if large is not None:
            cases["H.264 1280x720, 300 frames"] = _race(whole_video(large, 0, threads))
        for name, (_, _, _, frames, _) in MADE.items():
            path = made_video(Path(folder), name)
            if path is not None:
                cases[f"{name}, {frames} frames"] = _race(whole_video(path, 0, threads))
    show(cases)
    write_json(out, cases)


if __name__ == "__main__":
    script(main)
