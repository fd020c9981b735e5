"""Writes the report: one HTML file that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

import torch
from torch import Tensor

from examples.demo.actions import ACTIONS, TITLES
from examples.demo.charts import bar_chart, confusion_chart, line_chart
from examples.demo.checks import Check
from examples.demo.data import Clips
from examples.demo.deploy import Form
from examples.demo.evaluate import confusion_matrix
from vision_core.utils import annotate_label, make_grid
from vision_io import encode_png

__all__ = ["ReportData", "write_report"]

_TEMPLATE = Path(__file__).with_name("report.html")


@dataclass(frozen=True)
class ReportData:
    """Everything that the report shows.

    Attributes:
        forms: The measured forms of the network.
        baseline_accuracy: Validation accuracy of the single-frame network, 0..1.
        curves: Name and training accuracies of each network.
        checks: The claims of the run.
        validation: The validation clips.
        repeats: Timed runs of each form.
        facts: Name and value of what else should be known.
    """

    forms: Sequence[Form]
    baseline_accuracy: float
    curves: Sequence[tuple[str, Sequence[float]]]
    checks: Sequence[Check]
    validation: Clips
    repeats: int
    facts: Sequence[tuple[str, str]]


def write_report(data: ReportData, target: Path) -> None:
    """Fill the template.

    Args:
        data: What to show.
        target: The HTML file.
    """
    int8 = data.forms[-1]
    latency = [
        (
            f"{threads} thread{'s' if threads > 1 else ''}",
            [(form.name, form.latency_ms[threads]) for form in data.forms],
        )
        for threads in data.forms[0].latency_ms
    ]
    page = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        lead=escape(
            "Eight motions over many scenes, written as H.264 files, read back, learned from scratch by X3D-XS "
            "on a CPU, and deployed in float32 and int8. A single frame says nothing about the action: "
            "each scene was filmed once with every one of them."
        ),
        cards=_cards(data),
        checks="".join(f'<li class="{"holds" if c.holds else "fails"}">{escape(c.text)}</li>' for c in data.checks),
        validation=len(data.validation),
        repeats=data.repeats,
        table=_table(data),
        latency=bar_chart(latency, "ms"),
        confusion=confusion_chart(confusion_matrix(int8.logits, data.validation.label), TITLES),
        curves=line_chart([(name, _smooth(values)) for name, values in data.curves], 1 / len(ACTIONS)),
        strips=_strips(data.validation, int8.logits),
        facts="".join(f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in data.facts),
    )
    target.write_text(page, encoding="utf-8")


def _cards(data: ReportData) -> str:
    eager, int8 = data.forms[0], data.forms[-1]
    cards = [
        (f"{int8.accuracy:.1%}", "accuracy of X3D-XS in int8"),
        (f"{data.baseline_accuracy:.1%}", f"of an image network; chance is {1 / len(ACTIONS):.1%}"),
        (f"{int8.latency_ms[1]:.1f} ms", "for one clip, int8, one thread"),
        (f"{eager.latency_ms[1] / int8.latency_ms[1]:.1f}×", "as fast as the eager network"),
    ]
    return "".join(f"<div><b>{escape(value)}</b><span>{escape(text)}</span></div>" for value, text in cards)


def _table(data: ReportData) -> str:
    threads = list(data.forms[0].latency_ms)
    times = "".join(f"<th>{t} thread{'s' if t > 1 else ''}</th>" for t in threads)
    rows = [
        f"<tr><th>form</th><th>accuracy</th><th>same answer</th><th>difference</th>{times}"
        "<th>weights</th><th>native</th></tr>"
    ]
    for form in data.forms:
        cells = [
            form.name,
            f"{form.accuracy:.2%}",
            f"{form.agreement.same_top1:.2%}",
            f"{form.agreement.largest_difference:.1e}",
            *(f"{form.latency_ms[t]:.1f} ms" for t in threads),
            f"{form.size_bytes / 2**20:.2f} MiB",
            "–" if form.native_share is None else f"{form.native_share:.0%}",
        ]
        rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    return "".join(rows)


def _strips(validation: Clips, logits: Tensor) -> str:
    """One clip per action; where the network errs, an error is shown before a success."""
    probabilities = logits.softmax(dim=1)
    predicted = probabilities.argmax(dim=1)
    figures = []
    for label, title in enumerate(TITLES):
        candidates = (validation.label == label).nonzero()[:, 0]
        wrong = candidates[predicted[candidates] != label]
        chosen = int(wrong[0] if len(wrong) else candidates[0])
        seen, score = TITLES[int(predicted[chosen])], probabilities[chosen].max().item()
        frames = validation.video[chosen].transpose(0, 1)
        larger = (
            torch.nn.functional.interpolate(frames.float(), scale_factor=2, mode="bilinear").round().to(torch.uint8)
        )
        strip = make_grid(
            [annotate_label(frame, seen, score=score, font_size=18) for frame in larger], nrow=len(larger), padding=2
        )
        picture = base64.b64encode(encode_png(strip).numpy().tobytes()).decode("ascii")
        verdict = "" if seen == title else f' <span class="wrong">taken for {escape(seen)}</span>'
        alt = f"Four frames of a clip of the action {title}"
        image = f'<img alt="{escape(alt)}" loading="lazy" src="data:image/png;base64,{picture}">'
        figures.append(f"<figure>{image}<figcaption>truth: {escape(title)}{verdict}</figcaption></figure>")
    return "".join(figures)


def _smooth(values: Sequence[float], window: int = 20) -> list[float]:
    means = []
    for i in range(len(values)):
        part = values[max(0, i + 1 - window) : i + 1]
        means.append(sum(part) / len(part))
    return means
