"""The curves of fine-tunings beside each other, as one SVG that reads alone, in light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from trainer.plots import STYLE, Curve, line_plot

_WIDTH, _HEIGHT, _HEAD = 660, 250, 44  # of one panel, and of its title with the legend
_PANELS = (("Held-out loss, nats a token", "dev_loss"), ("Held-out BLEU, greedy", "bleu"))


def curves_plot(runs: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """A panel for loss and one for BLEU, a curve in each for every run that told of it."""
    parts = []
    for number, (title, figure) in enumerate(_PANELS):
        curves = [
            Curve(name, [(one["step"], one[figure]) for one in told if figure in one])
            for name, told in runs.items()
        ]
        top = number * (_HEIGHT + _HEAD)
        parts.append(f'<text x="14" y="{top + 18}" class="mark-name">{escape(title)}</text>')
        parts += _legend(list(runs), top + 36)
        inner = f'<svg x="0" y="{top + _HEAD}" width="{_WIDTH}" height="{_HEIGHT}" '
        parts.append(line_plot(title, curves).replace("<svg ", inner, 1))
    tall = len(_PANELS) * (_HEIGHT + _HEAD)
    fixed = f"svg svg {{ width: {_WIDTH}px; height: {_HEIGHT}px; }}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {tall}" role="img"'
        f' aria-label="held-out loss and BLEU by step"><style>{STYLE}{fixed}</style>'
        f'<rect width="100%" height="100%" style="fill: var(--paper)"/>{"".join(parts)}</svg>\n'
    )


def _legend(names: Sequence[str], y: int) -> list[str]:
    parts, x = [], 14
    for number, name in enumerate(names):
        parts.append(
            f'<line class="curve c{number}" x1="{x}" y1="{y - 4}" x2="{x + 20}" y2="{y - 4}"/>'
        )
        parts.append(f'<text x="{x + 26}" y="{y}">{escape(name)}</text>')
        x += 40 + 7 * len(name)
    return parts
