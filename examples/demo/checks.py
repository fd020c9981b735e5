"""What a run claims, checked on its own numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from examples.demo.actions import ACTIONS
from examples.demo.deploy import Form

__all__ = ["Check", "check_claims"]

LEAST_ACCURACY = 0.90
MOST_ABOVE_CHANCE = 0.08  # about five standard deviations of guessing on 400 clips
MOST_INT8_LOSS = 0.01
MOST_FP32_DIFFERENCE = 1e-3


@dataclass(frozen=True)
class Check:
    """A claim and whether it holds.

    Attributes:
        holds: Whether it does.
        text: The claim with its number, as a sentence.
    """

    holds: bool
    text: str


def check_claims(forms: Sequence[Form], baseline_accuracy: float) -> list[Check]:
    """Check the claims of the demo.

    Args:
        forms: Eager, fp32 and int8, measured.
        baseline_accuracy: Validation accuracy of the single-frame network, 0..1.
    """
    by_name = {form.name: form for form in forms}
    eager, fp32, int8 = by_name["eager"], by_name["fp32"], by_name["int8"]
    chance = 1 / len(ACTIONS)
    loss = eager.accuracy - int8.accuracy
    difference = fp32.agreement.largest_difference
    faster = eager.latency_ms[1] > fp32.latency_ms[1] > int8.latency_ms[1]
    return [
        Check(
            eager.accuracy >= LEAST_ACCURACY,
            f"X3D-XS learns the actions: {eager.accuracy:.1%} of the validation clips (at least {LEAST_ACCURACY:.0%})",
        ),
        Check(
            baseline_accuracy <= chance + MOST_ABOVE_CHANCE,
            f"One frame does not give them away: {baseline_accuracy:.1%} for an image network "
            f"(chance {chance:.1%}, at most {chance + MOST_ABOVE_CHANCE:.1%})",
        ),
        Check(
            difference <= MOST_FP32_DIFFERENCE,
            f"The fp32 form computes the same: logits differ by {difference:.1e} (at most {MOST_FP32_DIFFERENCE:.0e})",
        ),
        Check(
            loss <= MOST_INT8_LOSS,
            f"The int8 form keeps the accuracy: {100 * loss:+.2f} points lost (at most {100 * MOST_INT8_LOSS:.0f})",
        ),
        Check(
            faster,
            f"Deployment pays on one thread: eager {eager.latency_ms[1]:.1f} ms, fp32 {fp32.latency_ms[1]:.1f} ms, "
            f"int8 {int8.latency_ms[1]:.1f} ms",
        ),
    ]
