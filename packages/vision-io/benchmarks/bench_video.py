"""Whole videos and sparse clips from file to uint8 tensors: ours against TorchCodec and PyAV with NumPy.

The file is nasa_13013.mp4 of the shared data (stream 0, 320x180, 325 frames), found through VISION_SHARED.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.harness import Candidate, race, script, show, write_json
from vision_io import VideoDecoder

SHARED = Path(os.environ.get("VISION_SHARED", Path(__file__).resolve().parents[3].parent / "shared"))
WHOLE = SHARED / "data" / "video" / "nasa_13013.mp4"
SPARSE = SHARED / "data" / "video" / "WUzgd7C1pWA.mp4"
STREAM = 0
LARGE = "-stream_loop 3 -i {source} -vf scale=1280:720 -c:v libx264 -g 60 -preset medium -crf 23 -t 10 -an {target}"


class Threads:
    """How many decoder threads a candidate uses in the setting that is being timed."""

    count = 1

    def candidate(self, run: Callable[[], object]) -> Candidate:
        return Candidate(run, threads=self._set)

    def _set(self, count: int) -> None:
        self.count = count


def _torchcodec() -> Any:
    try:
        from torchcodec.decoders import VideoDecoder as Peer  # pyright: ignore[reportMissingImports]
    except (ImportError, RuntimeError, OSError):
        return None
    return Peer


def large_video(folder: str) -> Path | None:
    """The first video again at 1280x720, 300 frames, made by the ffmpeg program; ``None`` without it."""
    program = shutil.which("ffmpeg")
    if program is None:
        return None
    target = Path(folder) / "large.mp4"
    command = LARGE.format(source=WHOLE, target=target).split()
    subprocess.run([program, "-v", "error", *command], check=True)
    return target


def whole_video(path: Path, stream_index: int, threads: Threads) -> dict[str, Candidate]:
    with VideoDecoder(path, stream_index=stream_index) as decoder:
        shape = (len(decoder), 3, decoder.metadata.height, decoder.metadata.width)
    kept = torch.empty(shape, dtype=torch.uint8)

    def ours() -> torch.Tensor:
        with VideoDecoder(path, stream_index=stream_index, num_threads=threads.count) as decoder:
            return decoder.get_frames_in_range(0, len(decoder)).data

    def ours_out() -> torch.Tensor:
        with VideoDecoder(path, stream_index=stream_index, num_threads=threads.count) as decoder:
            return decoder.get_frames_in_range(0, len(decoder), out=kept).data

    def decode_only() -> None:
        import av

        container: Any
        with av.open(str(path)) as container:
            stream = container.streams[stream_index]
            stream.codec_context.thread_type = "FRAME"
            stream.codec_context.thread_count = threads.count
            for packet in container.demux(stream):
                stream.codec_context.decode(packet if packet.size else None)

    def pyav_numpy() -> np.ndarray:
        import av

        container: Any
        with av.open(str(path)) as container:
            stream = container.streams[stream_index]
            stream.codec_context.thread_type = "FRAME"
            stream.codec_context.thread_count = threads.count
            frames = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(stream)])
        return np.ascontiguousarray(frames.transpose(0, 3, 1, 2))

    peer = _torchcodec()

    def torchcodec_view() -> torch.Tensor:
        decoder = peer(str(path), stream_index=stream_index, num_ffmpeg_threads=threads.count)
        return decoder.get_frames_in_range(0, len(decoder)).data

    runs = {"ours": ours, "ours, out=": ours_out, "FFmpeg decode alone": decode_only, "PyAV + NumPy": pyav_numpy}
    if peer is not None:
        runs["TorchCodec"] = lambda: torchcodec_view().contiguous()
        runs["TorchCodec, strided view"] = torchcodec_view
    return {name: threads.candidate(run) for name, run in runs.items()}


def sparse_clips(threads: Threads) -> dict[str, Candidate]:
    """8 random clips of 8 frames, stride 4, all frames in one call."""
    with VideoDecoder(SPARSE) as decoder:
        starts = random.Random(0).sample(range(len(decoder) - 32), 8)
    indices = [start + 4 * i for start in starts for i in range(8)]

    def ours() -> torch.Tensor:
        with VideoDecoder(SPARSE, num_threads=threads.count) as decoder:
            return decoder.get_frames_at(indices).data

    peer = _torchcodec()

    def torchcodec() -> torch.Tensor:
        return peer(str(SPARSE), num_ffmpeg_threads=threads.count).get_frames_at(indices).data.contiguous()

    runs = {"ours": ours} | ({"TorchCodec": torchcodec} if peer is not None else {})
    return {name: threads.candidate(run) for name, run in runs.items()}


def training_clips(threads: Threads) -> dict[str, Candidate]:
    """The same clips as normalised floats of 224 x 224, as a network takes them."""
    with VideoDecoder(SPARSE) as decoder:
        starts = random.Random(0).sample(range(len(decoder) - 32), 8)
    indices = [start + 4 * i for start in starts for i in range(8)]
    mean, std = (0.45, 0.45, 0.45), (0.225, 0.225, 0.225)

    def ours() -> torch.Tensor:
        with VideoDecoder(SPARSE, num_threads=threads.count) as decoder:
            return decoder.get_frames_at(indices, size=(224, 224), mean=mean, std=std).data

    runs = {"ours": ours}
    peer = _torchcodec()
    if peer is not None:
        from torchcodec.transforms import Resize  # pyright: ignore[reportMissingImports]
        from torchvision.transforms.v2 import functional as F

        def afterwards() -> torch.Tensor:
            frames = peer(str(SPARSE), num_ffmpeg_threads=threads.count).get_frames_at(indices).data
            return F.normalize(F.resize(frames, [224, 224], antialias=True).float() / 255, mean, std).contiguous()

        def in_decoder() -> torch.Tensor:
            decoder = peer(str(SPARSE), num_ffmpeg_threads=threads.count, transforms=[Resize((224, 224))])
            return F.normalize(decoder.get_frames_at(indices).data.float() / 255, mean, std).contiguous()

        difference = (ours() - afterwards()).abs() * torch.tensor(std).view(3, 1, 1) * 255
        assert difference.mean() < 0.5, difference.mean()  # it rounds between its steps
        runs |= {"TorchCodec, torchvision": afterwards, "TorchCodec's Resize": in_decoder}
    return {name: threads.candidate(run) for name, run in runs.items()}


def main(out: Path) -> None:
    threads = Threads()
    cases = {
        "nasa_13013.mp4 whole, contiguous CHW uint8": race(
            whole_video(WHOLE, STREAM, threads), repeat=15, warmup=2, inner=1
        ),
        "WUzgd7C1pWA.mp4 8 clips of 8 frames": race(sparse_clips(threads), repeat=10, warmup=1, inner=1),
        "WUzgd7C1pWA.mp4 8 clips, 224x224 normalised": race(training_clips(threads), repeat=10, warmup=1, inner=1),
    }
    with tempfile.TemporaryDirectory() as folder:
        large = large_video(folder)
        if large is not None:
            runs = whole_video(large, 0, threads)
            cases["1280x720, 300 frames, contiguous CHW uint8"] = race(runs, repeat=4, warmup=1, inner=1)
    show(cases)
    write_json(out, cases)


if __name__ == "__main__":
    script(main)
