"""Frames here and there: random clips as bytes and as normalised floats, uniform samples, many files at once.

Ours against TorchCodec, at its fastest documented settings. Frames are asserted equal before they are timed; resized
ones within what rounding to bytes between the steps, which TorchCodec and torchvision do, allows.
"""

from __future__ import annotations

import random
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from videos import SPORT, Threads, made_video, torchcodec_decoder

from benchmarks.harness import Candidate, race, script, show, write_json
from vision_io import VideoDecoder, decode_clips

MEAN, STD = (0.45, 0.45, 0.45), (0.225, 0.225, 0.225)
FILES = 4


def clip_indices(path: Path) -> list[int]:
    """8 random clips of 8 frames, 4 frames apart, as training takes them."""
    with VideoDecoder(path) as decoder:
        starts = random.Random(0).sample(range(len(decoder) - 32), 8)
    return [start + 4 * i for start in starts for i in range(8)]


def frames_at(path: Path, indices: list[int], threads: Threads) -> dict[str, Candidate]:
    """The frames of some indices in one call, as contiguous CHW bytes."""

    def ours() -> torch.Tensor:
        with VideoDecoder(path, num_threads=threads.count) as decoder:
            return decoder.get_frames_at(indices).data

    runs: dict[str, Any] = {"ours": ours, "FFmpeg decode alone": _floor(path, indices, threads)}
    peer = torchcodec_decoder()
    if peer is not None:

        def theirs() -> torch.Tensor:
            return peer(str(path), num_ffmpeg_threads=threads.count).get_frames_at(indices).data.contiguous()

        assert torch.equal(ours(), theirs()), f"{path.name}: TorchCodec's frames are others"
        runs["TorchCodec"] = theirs
    return {name: threads.candidate(run) for name, run in runs.items()}


def _floor(path: Path, indices: list[int], threads: Threads) -> Any:
    """What we ask of FFmpeg, without opening, converting or resizing."""
    wanted = sorted(set(indices))
    decoders = {count: VideoDecoder(path, num_threads=count) for count in (1, 2)}

    def decode() -> None:
        for _ in decoders[threads.count]._frames.frames(wanted):  # pyright: ignore[reportPrivateUsage]
            pass

    return decode


def training_clips(path: Path, indices: list[int], threads: Threads) -> dict[str, Candidate]:
    """The same as normalised floats of 224 x 224, as a network takes them."""
    kept = torch.zeros(len(indices), 3, 224, 224)

    def ours(out: torch.Tensor | None = None) -> torch.Tensor:
        with VideoDecoder(path, num_threads=threads.count) as decoder:
            return decoder.get_frames_at(indices, size=(224, 224), mean=MEAN, std=STD, out=out).data

    runs: dict[str, Any] = {
        "ours": ours,
        "ours, out=": lambda: ours(kept),
        "FFmpeg decode alone": _floor(path, indices, threads),
    }
    peer = torchcodec_decoder()
    if peer is not None:
        from torchcodec.transforms import Resize  # pyright: ignore[reportMissingImports]
        from torchvision.transforms.v2 import functional as F  # pyright: ignore[reportMissingImports]

        def afterwards() -> torch.Tensor:
            frames = peer(str(path), num_ffmpeg_threads=threads.count).get_frames_at(indices).data
            return F.normalize(F.resize(frames, [224, 224], antialias=True).float() / 255, MEAN, STD).contiguous()

        def in_decoder() -> torch.Tensor:
            decoder = peer(str(path), num_ffmpeg_threads=threads.count, transforms=[Resize((224, 224))])
            return F.normalize(decoder.get_frames_at(indices).data.float() / 255, MEAN, STD).contiguous()

        difference = (ours() - afterwards()).abs() * torch.tensor(STD).view(3, 1, 1) * 255
        assert difference.mean() < 0.5, difference.mean()
        runs |= {"TorchCodec, torchvision": afterwards, "TorchCodec's Resize": in_decoder}
    return {name: threads.candidate(run) for name, run in runs.items()}


def many_files(path: Path, threads: Threads) -> dict[str, Candidate]:
    """One clip of 8 frames from each of several files, each decoded by one thread."""
    starts = random.Random(1).sample(range(200), FILES)
    indices = [[start + 4 * i for i in range(8)] for start in starts]

    def ours() -> list[torch.Tensor | None]:
        rest = iter(indices)
        return decode_clips(
            [path] * FILES, lambda decoder: decoder.get_frames_at(next(rest)).data, threads=threads.count
        )

    runs: dict[str, Any] = {"ours": ours}
    peer = torchcodec_decoder()
    if peer is not None:

        def one(chosen: list[int]) -> torch.Tensor:
            return peer(str(path), num_ffmpeg_threads=1).get_frames_at(chosen).data.contiguous()

        def theirs() -> list[torch.Tensor]:
            with ThreadPoolExecutor(threads.count) as pool:
                return list(pool.map(one, indices))

        mine = {int(clip.sum()) for clip in ours() if clip is not None}
        assert mine == {int(clip.sum()) for clip in theirs()}, "TorchCodec's frames are others"
        runs["TorchCodec in a thread pool"] = theirs
    return {name: threads.candidate(run) for name, run in runs.items()}


def main(out: Path) -> None:
    threads = Threads()
    indices = clip_indices(SPORT)
    cases = {
        "8 clips of 8 frames": race(frames_at(SPORT, indices, threads), repeat=10, warmup=1, inner=1),
        "8 clips, 224x224 normalised": race(training_clips(SPORT, indices, threads), repeat=10, warmup=1, inner=1),
        f"one clip from each of {FILES} files": race(many_files(SPORT, threads), repeat=10, warmup=1, inner=1),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name in ("H.264 1280x720, one key frame", "H.264 1920x1080", "HEVC 1280x720"):
            path = made_video(Path(folder), name)
            if path is None:
                continue
            with VideoDecoder(path) as decoder:
                uniform = [len(decoder) * i // 8 for i in range(8)]
            runs = training_clips(path, uniform, threads)
            cases[f"{name}, 8 uniform frames, 224x224 normalised"] = race(runs, repeat=6, warmup=1, inner=1)
    show(cases)
    write_json(out, cases)


if __name__ == "__main__":
    script(main)
