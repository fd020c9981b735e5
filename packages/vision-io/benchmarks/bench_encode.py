"""Frames and samples to files in memory, and the motion vectors of a video: ours, TorchCodec, plain PyAV.

What was encoded is decoded and compared with the original before anything is timed; both encoders must be as close.
Encoders choose their threads themselves, as they do where nobody says otherwise.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from videos import SPORT

from benchmarks.harness import Candidate, race, script, show, write_json
from vision_io import AudioDecoder, AudioEncoder, MotionVectorDecoder, MotionVectors, VideoDecoder, VideoEncoder


def torchcodec_encoders() -> Any:
    """TorchCodec's encoders, or ``None`` where they cannot be imported."""
    try:
        from torchcodec import encoders  # pyright: ignore[reportMissingImports]
    except (ImportError, RuntimeError, OSError):
        return None
    return encoders


def _bytes(data: torch.Tensor) -> bytes:
    return data.numpy().tobytes()


def video(frames: torch.Tensor, settings: dict[str, Any]) -> dict[str, Candidate]:
    """All frames at once to an MP4 file in memory."""

    def run(encoder: Any) -> Any:
        return lambda: encoder(frames, frame_rate=30).to_tensor("mp4", **settings)

    def error(data: torch.Tensor) -> float:
        with VideoDecoder(_bytes(data)) as decoder:
            return float((decoder[:].float() - frames.float()).square().mean())

    runs = {"ours": run(VideoEncoder)}
    peer = torchcodec_encoders()
    if peer is not None:
        runs["TorchCodec"] = run(peer.VideoEncoder)
        assert abs(error(runs["ours"]()) / error(runs["TorchCodec"]()) - 1) < 0.1, "one of the two encodes worse"
    return {name: Candidate(run) for name, run in runs.items()}


def sound(samples: torch.Tensor, format: str) -> dict[str, Candidate]:
    """All samples at once to a file in memory."""
    runs = {"ours": lambda: AudioEncoder(samples, sample_rate=48000).to_tensor(format)}
    peer = torchcodec_encoders()
    if peer is not None:
        runs["TorchCodec"] = lambda: peer.AudioEncoder(samples, sample_rate=48000).to_tensor(format)
    for name, run in runs.items():
        heard = AudioDecoder(_bytes(run())).get_all_samples().data
        assert (heard - samples).abs().max() < 1e-3, f"{name}: other samples"
    return {name: Candidate(run) for name, run in runs.items()}


def motion_vectors(path: Path) -> dict[str, Candidate]:
    """The tables of all frames, against a loop over PyAV."""
    import av

    def ours() -> list[np.ndarray]:
        with MotionVectorDecoder(path) as decoder:
            return [vectors.data.numpy() for vectors in decoder]

    def plain() -> list[np.ndarray]:
        tables = []
        source: Any
        with av.open(str(path)) as source:
            context = source.streams.video[0].codec_context
            context.options, context.thread_count = {"flags2": "+export_mvs"}, 1
            for frame in source.decode(video=0):
                found = frame.side_data.get("MOTION_VECTORS")
                table = np.zeros(0, [(name, np.int32) for name in MotionVectors.columns])
                table = table if found is None else found.to_ndarray()
                tables.append(np.stack([table[name].astype(np.int32) for name in MotionVectors.columns], 1))
        return tables

    assert all(map(np.array_equal, ours(), plain()))
    return {"ours": Candidate(ours), "PyAV": Candidate(plain)}


def main(out: Path) -> None:
    with VideoDecoder(SPORT) as decoder:
        large = decoder.get_frames_in_range(0, 60, size=(360, 480)).data
        small = decoder.get_frames_in_range(0, 4, size=(64, 64)).data
    time = torch.arange(480_000) / 48000
    samples = torch.stack([torch.sin(2 * torch.pi * pitch * time) * 0.4 for pitch in (220, 331)])
    fast = {"preset": "ultrafast", "crf": 23}
    cases = {
        "60 frames of 480x360, H.264 ultrafast": race(video(large, fast), repeat=8, warmup=1, inner=1),
        "4 frames of 64x64, H.264 ultrafast": race(video(small, fast), repeat=20, warmup=2, inner=1),
        "10 s of stereo, FLAC": race(sound(samples, "flac"), repeat=8, warmup=1, inner=1),
        "10 s of stereo, WAV": race(sound(samples, "wav"), repeat=8, warmup=1, inner=1),
        "motion vectors of 327 frames": race(motion_vectors(SPORT), repeat=5, warmup=1, inner=1),
    }
    show(cases)
    write_json(out, cases)


if __name__ == "__main__":
    script(main)
