"""What a check costs: `Layout.check` on a torch tensor in eager mode, beside what one would write by hand.

Run: python -m benchmarks.run check. The goal is 0.5 us a check or less.

All cases are timed in turns within one process, so that a noisy neighbour hits all alike; the time of a case is the
median over the rounds, less the median of an empty call. `share` is the part of the rounds that met the goal.
"""

from __future__ import annotations

import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.harness import script
from vision_contract import BOXES_XYXY, FRAMES_TCHW, IMAGE_CHW, SCORES_N, VIDEO_CTHW, __version__

GOAL_US = 0.5
CALLS, ROUNDS = 2_000, 200

clip = torch.zeros(2, 3, 8, 4, 4)
image = torch.zeros(3, 4, 4)
boxes = torch.zeros(1000, 4)
scores = torch.zeros(1000)
count = 1000


def by_hand() -> None:
    """The same check of a clip, written out: what the layout is compared with."""
    if clip.ndim < 4 or clip.shape[-4] != 3:
        raise ValueError(f"expected (..., 3, T, H, W), got {tuple(clip.shape)}")


CASES: dict[str, Callable[[], object]] = {
    "empty call": lambda: None,
    "clip.shape alone": lambda: clip.shape,
    "by hand": by_hand,
    "VIDEO_CTHW.check(clip, 'clip')": lambda: VIDEO_CTHW.check(clip, "clip"),
    "VIDEO_CTHW.check(clip, 'clip', C=3)": lambda: VIDEO_CTHW.check(clip, "clip", C=3),
    "IMAGE_CHW.check(image, 'image', C=3)": lambda: IMAGE_CHW.check(image, "image", C=3),
    "BOXES_XYXY.check(boxes, 'boxes')": lambda: BOXES_XYXY.check(boxes, "boxes"),
    "SCORES_N.check(scores, 'scores', N=1000)": lambda: SCORES_N.check(scores, "scores", N=count),
    "FRAMES_TCHW.fits(clip)": lambda: FRAMES_TCHW.fits(clip),
}


def per_call_us(function: Callable[[], object]) -> float:
    """Microseconds per call, over one batch of calls."""
    begin = time.perf_counter_ns()
    for _ in range(CALLS):
        function()
    return (time.perf_counter_ns() - begin) / CALLS / 1000


def measure() -> dict[str, dict[str, float]]:
    """Median, best and share of rounds within the goal for every case, in microseconds without the empty call."""
    rounds: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(ROUNDS):
        for name, function in CASES.items():
            rounds[name].append(per_call_us(function))
    nothing = statistics.median(rounds.pop("empty call"))
    results = {}
    for name, times in rounds.items():
        net = [time - nothing for time in times]
        share = sum(time <= GOAL_US for time in net) / ROUNDS
        results[name] = {"median_us": statistics.median(net), "best_us": min(net), "share": share}
    return results


def main(out: Path) -> None:
    """Measure, print a table and write JSON to `out`."""
    torch.set_num_threads(1)
    results = measure()
    for name, result in results.items():
        print(f"{name:42s} {result['median_us']:6.3f} us (best {result['best_us']:.3f})", file=sys.stderr)
    report = {
        "benchmark": "vision-contract/check",
        "vision_contract": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "goal_us": GOAL_US,
        "results": results,
    }
    out.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    script(main)
