"""Writes the labelled data set: real H.264 files, through `vision_io`."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import torch

from examples.demo.actions import ACTIONS, draw_motion
from examples.demo.config import DemoConfig
from examples.demo.scenes import SCENE_SIZE, draw_scene, film
from vision_io import VideoEncoder

__all__ = ["VideoSet", "write_dataset"]

Progress = Callable[[int, int], None]
"""Called with (how many are done, how many there are)."""


@dataclass(frozen=True)
class VideoSet:
    """Where the videos of the data set are.

    Attributes:
        train: Text file with a ``path label`` line per training video.
        validation: The same of the validation videos.
        num_train: Number of training videos.
        num_validation: Number of validation videos.
        num_bytes: Size of all files.
    """

    train: Path
    validation: Path
    num_train: int
    num_validation: int
    num_bytes: int


def write_dataset(config: DemoConfig, folder: Path, progress: Progress = lambda done, total: None) -> VideoSet:
    """Film every scene once with every action, so that no scene and no colour goes with one action.

    Args:
        config: Settings.
        folder: Where to write: ``train/``, ``validation/`` and the two lists.
        progress: Told after each scene how many are done.

    Raises:
        vision_io.EncodeError: A file cannot be written.
    """
    counts = {"train": config.train_scenes, "validation": config.validation_scenes}
    jobs = [(config, folder / split, number) for split, count in counts.items() for number in range(count)]
    for split in counts:
        (folder / split).mkdir(parents=True, exist_ok=True)
    written: dict[str, list[tuple[str, int, int]]] = {split: [] for split in counts}
    context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
    with ProcessPoolExecutor(config.threads, mp_context=context) as pool:
        pending = [pool.submit(_film_scene, *job) for job in jobs]
        for done, future in enumerate(as_completed(pending), start=1):
            for path, label, size in future.result():
                written[path.parent.name].append((str(path), label, size))
            progress(done, len(jobs))
    lists = {}
    for split, videos in written.items():
        lists[split] = folder / f"{split}.csv"
        lists[split].write_text("".join(f"{path} {label}\n" for path, label, _ in sorted(videos)), encoding="utf-8")
    return VideoSet(
        train=lists["train"],
        validation=lists["validation"],
        num_train=len(written["train"]),
        num_validation=len(written["validation"]),
        num_bytes=sum(size for videos in written.values() for _, _, size in videos),
    )


def _film_scene(config: DemoConfig, folder: Path, number: int) -> list[tuple[Path, int, int]]:
    """Write the videos of one scene; return path, label and size of each."""
    torch.set_num_threads(1)
    # One stream of random numbers for each scene of each split, whatever process draws it.
    split = 0 if folder.name == "train" else 1
    generator = torch.Generator().manual_seed((config.seed * 2 + split) * 100_003 + number)
    scene = draw_scene(number, generator)
    written = []
    for label, action in enumerate(ACTIONS):
        motion = draw_motion(action, config.duration, SCENE_SIZE, generator)
        fps = int(torch.randint(config.fps[0], config.fps[1] + 1, (), generator=generator))
        times = (torch.arange(round(config.duration * fps)) + 0.5) / fps - config.duration / 2
        path = folder / f"scene{number:03d}_{action}.mp4"
        with VideoEncoder(path, fps=fps, crf=config.crf, preset="superfast", num_threads=1) as encoder:
            encoder.write(film(scene, motion, times, config.frame_size))
        written.append((path, label, path.stat().st_size))
    return written
