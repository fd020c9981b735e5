"""``python -m examples.demo``: the demo's command line."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from examples.demo.annotate import write_annotated
from examples.demo.classify import Window, classify_video, load_model
from examples.demo.config import DemoConfig, quick
from examples.demo.pipeline import Outcome, run_demo
from examples.demo.progress import Show
from vision_io import DecodeError, EncodeError, VideoDecoder

__all__ = ["main"]

BAD_VIDEO = 2  # exit code, also argparse's own for bad arguments
CLAIM_FAILED = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code: 0, 1 if a claim does not hold, 2 for a bad video."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["--"]:
        arguments = arguments[1:]
    options = _parser().parse_args(arguments)
    config = quick(options.seed, options.threads) if options.quick else DemoConfig(options.seed, options.threads)
    torch.set_num_threads(config.threads)
    show = Show()
    if options.video is not None:
        return _classify(options.video, config, options.out, show)
    start = time.perf_counter()
    outcome = run_demo(config, options.out, show, keep_data=options.keep_data)
    _print_outcome(outcome, show, time.perf_counter() - start)
    if options.quick:
        show.say("--quick learns nothing: whether the claims hold says nothing, and is not the exit code.")
        return 0
    return 0 if all(check.holds for check in outcome.checks) else CLAIM_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hatch run demo --",
        description="Write videos, learn to recognise actions in them, deploy the network in int8, and report. "
        "No download; about four minutes on two cores.",
    )
    parser.add_argument("--video", type=Path, help="classify this file with the trained network, and annotate a copy")
    parser.add_argument("--out", type=Path, default=Path("demo-report"), help="where to write (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random (default: %(default)s)")
    parser.add_argument("--threads", type=_positive, default=2, help="threads and processes (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a smoke test of a few seconds that learns nothing")
    parser.add_argument("--keep-data", action="store_true", help="keep the written videos")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"got {value}, expected at least 1")
    return value


def _classify(path: Path, config: DemoConfig, out: Path, show: Show) -> int:
    try:
        with VideoDecoder(path) as decoder:
            decoder.get_frame_at(0)  # a file that is no video fails here, before anything is trained
            windows, target = _classify_open(decoder, path, config, out, show)
    except (DecodeError, EncodeError, OSError) as error:
        reason = " ".join(str(error).split())
        print(f"error: {reason if str(path) in reason else f'{path}: {reason}'}", file=sys.stderr)
        return BAD_VIDEO
    for first, last in _stretches(windows):
        show.say(f"  frames {first.start:5d} to {last.stop - 1:5d}  {first.title}")
    mean = torch.stack([window.probabilities for window in windows]).mean(dim=0)
    overall = Window(0, windows[-1].stop, mean)
    show.say(f"{path.name}: {overall.title} ({overall.score:.0%})")
    show.say(f"annotated copy: {target}")
    return 0


def _classify_open(
    decoder: VideoDecoder, path: Path, config: DemoConfig, out: Path, show: Show
) -> tuple[list[Window], Path]:
    if not (out / "model.json").is_file():
        for _ in decoder:  # damage further on should not wait for the end of a training
            pass
        show.say(f"There is no trained network in {out} yet: training one first.")
        run_demo(config, out, show)
    model, trained = load_model(out)
    target = out / f"{path.stem}.annotated.mp4"
    with show.phase("classifying") as update:
        windows = classify_video(decoder, model, trained, update)
    partial = target.with_suffix(".part.mp4")  # a damaged source leaves no half copy behind
    try:
        with show.phase("writing the annotated copy") as update:
            write_annotated(decoder, windows, partial, update)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return windows, target


def _stretches(windows: list[Window]) -> list[tuple[Window, Window]]:
    """Join neighbouring windows with the same answer: first and last of each stretch."""
    stretches: list[tuple[Window, Window]] = []
    for window in windows:
        if stretches and stretches[-1][0].title == window.title:
            stretches[-1] = (stretches[-1][0], window)
        else:
            stretches.append((window, window))
    return stretches


def _print_outcome(outcome: Outcome, show: Show, seconds: float) -> None:
    show.say("")
    show.say("form   accuracy  same answer  difference  1 thread   2 threads  weights")
    for form in outcome.forms:
        show.say(
            f"{form.name:<6} {form.accuracy:8.2%}  {form.agreement.same_top1:11.2%}  "
            f"{form.agreement.largest_difference:10.1e}  {form.latency_ms[1]:6.1f} ms  {form.latency_ms[2]:7.1f} ms  "
            f"{form.size_bytes / 2**20:5.2f} MiB"
        )
    show.say(f"one frame, MobileNetV3-small: {outcome.baseline_accuracy:.2%}")
    show.say("")
    for check in outcome.checks:
        show.say(f"[{'ok' if check.holds else 'DOES NOT HOLD'}] {check.text}")
    show.say("")
    show.say(f"report:          {outcome.report}")
    show.say(f"annotated video: {outcome.annotated}")
    show.say(f"trained network: {outcome.model}")
    show.say(f"all of it in {seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
