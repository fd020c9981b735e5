"""The charts of the report as inline SVG; colours come from the page's style sheet, so light and dark both work."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from torch import Tensor

__all__ = ["bar_chart", "confusion_chart", "line_chart"]


def confusion_chart(matrix: Tensor, titles: Sequence[str]) -> str:
    """Draw a confusion matrix, true classes in rows.

    Args:
        matrix: Counts ``[classes, classes]``.
        titles: Names of the classes.
    """
    cell, left, top = 46, 168, 26
    count = len(titles)
    shares = matrix.double() / matrix.sum(dim=1, keepdim=True).clamp_min(1)
    parts = [
        _open(left + cell * count + 4, top + cell * count + 150, "Confusion matrix: true action by predicted action")
    ]
    parts.append(_text("axis", left, 14, "predicted (columns) for each true action (rows)"))
    for row, title in enumerate(titles):
        y = top + row * cell
        parts.append(_text("label", left - 10, y + cell / 2 + 4, title, "end"))
        for column in range(count):
            number = int(matrix[row, column])
            tip = escape(f"{title} taken for {titles[column]}: {number}")
            kind = "hit" if row == column else "miss"
            square = _cell(left + column * cell, y, cell - 2, number, shares[row, column].item(), kind)
            parts.append(f"<g><title>{tip}</title>{square}</g>")
    for column, title in enumerate(titles):
        x, y = left + column * cell + cell / 2 + 4, top + cell * count + 10
        parts.append(f'<g transform="translate({x} {y}) rotate(-55)">{_text("label", 0, 0, title, "end")}</g>')
    return "".join([*parts, "</svg>"])


def _cell(x: float, y: float, size: float, number: int, share: float, kind: str) -> str:
    box = f'x="{x}" y="{y}" width="{size}" height="{size}" rx="4"'
    square = f'<rect class="cell" {box}/>'
    if number:
        square += f'<rect class="{kind}" {box} fill-opacity="{0.15 + 0.85 * share:.2f}"/>'
        square += _text("count on" if share > 0.5 else "count", x + size / 2, y + size / 2 + 5, str(number), "middle")
    return square


def bar_chart(groups: Sequence[tuple[str, Sequence[tuple[str, float]]]], unit: str) -> str:
    """Draw horizontal bars in groups.

    Args:
        groups: For each group its title and its bars, each a name and a value.
        unit: Written behind each value.
    """
    left, width, bar = 70, 560, 22
    longest = max((value for _, bars in groups for _, value in bars), default=1.0) or 1.0
    parts, y = [], 4
    for title, bars in groups:
        parts.append(_text("axis", 0, y + 14, title))
        y += 24
        for index, (name, value) in enumerate(bars):
            length = max(2.0, (width - left - 90) * value / longest)
            box = f'x="{left}" y="{y}" width="{length:.1f}" height="{bar - 4}" rx="3"'
            parts.append(_text("label", left - 10, y + 14, name, "end"))
            parts.append(f'<rect class="bar b{index}" {box}/>')
            parts.append(_text("value", left + length + 8, y + 14, f"{value:.1f} {unit}"))
            y += bar
        y += 12
    return "".join([_open(width, y, "Bar chart: " + ", ".join(title for title, _ in groups)), *parts, "</svg>"])


def line_chart(curves: Sequence[tuple[str, Sequence[float]]], chance: float) -> str:
    """Draw training accuracies over the share of the training that is done.

    Args:
        curves: Name and smoothed accuracy (0..1) of each network.
        chance: The accuracy of guessing, drawn as a dashed line.
    """
    left, top, width, height = 44, 12, 400, 260
    parts = [_open(left + width + 90, top + height + 34, "Training accuracy")]

    def at(x: float, y: float) -> str:
        return f"{left + x * width:.1f},{top + (1 - y) * height:.1f}"

    for tick in (0, 0.25, 0.5, 0.75, 1):
        y = top + (1 - tick) * height
        parts.append(f'<line class="grid" x1="{left}" x2="{left + width}" y1="{y}" y2="{y}"/>')
        parts.append(_text("axis", left - 8, y + 4, f"{tick:.0%}", "end"))
    parts.append(f'<polyline class="chance" points="{at(0, chance)} {at(1, chance)}"/>')
    labels = [(chance, "chance", "axis")]
    for index, (name, values) in enumerate(curves):
        if not values:
            continue
        last = max(len(values) - 1, 1)
        points = " ".join(at(i / last, value) for i, value in enumerate(values))
        parts.append(f'<polyline class="line l{index}" points="{points}"/>')
        labels.append((values[-1], name, f"e{index}"))
    lowest = -1.0
    for value, name, kind in sorted(labels):  # from the bottom up, each at least a line of text above the one before
        lowest = max(value, lowest + 0.06)
        parts.append(_text(kind, left + width + 8, top + (1 - lowest) * height + 4, name))
    parts.append(_text("axis", left + width, top + height + 24, "training done", "end"))
    return "".join([*parts, "</svg>"])


def _text(kind: str, x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _open(width: float, height: float, title: str) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img"'
    return f'{head} style="max-width:{width:.0f}px"><title>{escape(title)}</title>'
