"""The main job from end to end: write, read, learn, deploy, measure, report."""

from __future__ import annotations

import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch

import accel_mobile
import video
import vision_contract
import vision_core
import vision_io
import vision_models
from examples.demo.actions import ACTIONS
from examples.demo.annotate import write_annotated
from examples.demo.baseline import middle_frame, train_baseline
from examples.demo.checks import Check, check_claims
from examples.demo.classify import classify_video, save_model
from examples.demo.config import DemoConfig
from examples.demo.data import Clips, read_train, read_validation
from examples.demo.deploy import Form, deploy, measure
from examples.demo.evaluate import accuracy, predict
from examples.demo.progress import Show, Update
from examples.demo.report import ReportData, write_report
from examples.demo.train import Progress, train_x3d
from examples.demo.write_dataset import VideoSet, write_dataset

__all__ = ["Outcome", "run_demo"]

_WHEELS = (vision_contract, vision_core, vision_io, vision_models, video, accel_mobile)


@dataclass(frozen=True)
class Outcome:
    """What a run found and wrote.

    Attributes:
        forms: The measured forms of the network.
        baseline_accuracy: Validation accuracy of the single-frame network, 0..1.
        checks: The claims of the run.
        report: The HTML report.
        annotated: The annotated video.
        model: The trained weights.
    """

    forms: list[Form]
    baseline_accuracy: float
    checks: list[Check]
    report: Path
    annotated: Path
    model: Path


def run_demo(config: DemoConfig, out: Path, show: Show, *, keep_data: bool = False) -> Outcome:
    """Run the whole demo.

    Args:
        config: Settings.
        out: Folder for everything that is written.
        show: Shows the progress.
        keep_data: Keep the data set, ``out/data``, afterwards.
    """
    torch.set_num_threads(config.threads)
    out.mkdir(parents=True, exist_ok=True)
    data_folder = out / "data"
    shutil.rmtree(data_folder, ignore_errors=True)
    try:
        with show.phase("writing H.264 videos") as update:
            videos = write_dataset(config, data_folder, update)
        with show.phase("decoding training clips") as update:
            train = read_train(config, videos.train, update)
        with show.phase("decoding validation clips") as update:
            validation = read_validation(config, videos.validation, update)
        annotated = out / "annotated.mp4"
        with show.phase("training X3D-XS on clips") as update:
            model, curve = train_x3d(config, train, _training(update))
        with show.phase("training MobileNetV3 on frames") as update:
            baseline, baseline_curve = train_baseline(config, train, _training(update))
        baseline_accuracy = accuracy(predict(baseline, validation.video, middle_frame), validation.label)
        with show.phase("deploying in fp32 and int8"):
            networks = deploy(config, model, train)
        with show.phase("measuring three forms") as update:
            forms = measure(config, networks, validation, update)
        checks = check_claims(forms, baseline_accuracy)
        weights = save_model(model, config, out)
        with show.phase("annotating a video") as update, _one_of_each(videos, out) as source:
            windows = classify_video(source, networks["int8"], config)
            write_annotated(source, windows, annotated, update)
    finally:
        if not keep_data:
            shutil.rmtree(data_folder, ignore_errors=True)
    report = out / "report.html"
    curves = [("X3D-XS", curve.accuracy), ("one frame", baseline_curve.accuracy)]
    facts = _facts(config, videos, train, show)
    write_report(
        ReportData(forms, baseline_accuracy, curves, checks, validation, config.latency_repeats, facts), report
    )
    return Outcome(forms, baseline_accuracy, checks, report, annotated, weights)


def _training(update: Update) -> Progress:
    return lambda step, steps, loss, share: update(step, steps, f"loss {loss:.2f}, accuracy {share:.0%}")


def _one_of_each(videos: VideoSet, out: Path) -> vision_io.VideoDecoder:
    """Join the first validation video of each action to one video, and open it."""
    lines = videos.validation.read_text(encoding="utf-8").splitlines()
    first: dict[int, str] = {}
    for line in lines:
        path, label = line.rsplit(" ", 1)
        first.setdefault(int(label), path)
    target = out / "unseen.mp4"
    with vision_io.VideoEncoder(target, fps=24, crf=18, preset="veryfast") as encoder:
        for label in range(len(ACTIONS)):
            with vision_io.VideoDecoder(first[label]) as decoder:
                begin, end = decoder.metadata.begin_stream_seconds, decoder.metadata.end_stream_seconds
                encoder.write(decoder.get_frames_played_in_range(begin, end, fps=24).data)
    return vision_io.VideoDecoder(target)


def _facts(config: DemoConfig, videos: VideoSet, train: Clips, show: Show) -> list[tuple[str, str]]:
    low, high = config.fps
    stages = ", then ".join(f"{steps} steps at {size}×{size}" for size, steps, _ in config.stages)
    chosen = [p for p in vision_contract.operators() if p.chosen]
    return [
        (
            "Data",
            f"{videos.num_train} training and {videos.num_validation} validation videos, H.264, "
            f"{config.frame_size}×{config.frame_size}, {config.duration:g} s, {low} to {high} frames a second, "
            f"{videos.num_bytes / 2**20:.0f} MiB",
        ),
        (
            "Clips",
            f"{len(train)} training clips: {config.num_frames} frames of {config.clip_duration:g} s, selected before "
            f"decoding, {config.crop_size}×{config.crop_size}; each decoded once and kept",
        ),
        (
            "Training",
            f"X3D-XS from scratch, head of {config.head_width}, its stem begun as motion detectors; "
            f"batches of {config.batch_size}, {stages}; flips and time reversal, which change the label along",
        ),
        (
            "Found by the contract",
            ", ".join(f"{p.name} from {p.distribution or p.target}" for p in chosen) or "nothing",
        ),
        ("Kernels", _kernels()),
        (
            "Machine",
            f"{_processor()}, {config.threads} threads, {platform.system()}, Python {platform.python_version()}, "
            f"torch {torch.__version__}",
        ),
        ("Wheels", ", ".join(f"{wheel.__name__} {wheel.__version__}" for wheel in _WHEELS)),
        ("Time", _times(show.seconds)),
        ("Processor time", _times(show.cpu_seconds)),
        ("Seed", str(config.seed)),
    ]


def _times(seconds: dict[str, float]) -> str:
    return ", ".join(f"{title} {value:.0f} s" for title, value in seconds.items())


def _kernels() -> str:
    parts = []
    for wheel in (vision_core, vision_io, accel_mobile):
        parts.append(f"{wheel.__name__}: {wheel.build_info()['isa'] or 'torch references'}")
    return ", ".join(parts)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
