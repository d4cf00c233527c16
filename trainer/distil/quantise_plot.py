"""The plot of a model's forms: what they take against what they keep, and those that no other beats
in both. SVG that reads alone, in light and dark. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from trainer.distil.quality import LEAST
from trainer.distil.quantise import Row
from trainer.plots import STYLE, nice_ticks, short

_WIDTH, _HEIGHT = 430, 330  # of one panel
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 96, 30, 44

Panel = tuple[str, Callable[[Row], float]]
PANELS: tuple[Panel, ...] = (
    ("MB on disk", lambda row: row.disk_mb),
    ("MB in memory", lambda row: row.resident_mb),
    ("cold click, CPU ms", lambda row: row.click.get("cpu_ms", 0.0)),
    ("a token, CPU ms", lambda row: row.token_ms),
)


def frontier(points: Sequence[tuple[float, float]]) -> list[int]:
    """Which of (cost, worth) no other beats: as cheap and as good, and better in one; by cost."""
    kept = [
        i
        for i, (cost, worth) in enumerate(points)
        if not any(c <= cost and w >= worth and (c, w) != (cost, worth) for c, w in points)
    ]
    return sorted(kept, key=lambda i: points[i])


def pareto_plot(rows: Sequence[Row]) -> str:
    """A panel for each thing that a form takes, with the least share of a figure that it keeps."""
    panels = []
    for number, (title, cost) in enumerate(PANELS):
        had = [row for row in rows if not row.missing and cost(row) > 0]
        if had:
            x, y = number % 2 * _WIDTH, number // 2 * _HEIGHT
            panels.append(f'<g transform="translate({x} {y})">{_panel(title, cost, had)}</g>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * _WIDTH} {2 * _HEIGHT}"'
        f' role="img" aria-label="what each form takes and keeps"><style>{STYLE}</style>'
        f'<rect width="100%" height="100%" style="fill: var(--paper)"/>{"".join(panels)}</svg>\n'
    )


def _panel(title: str, cost: Callable[[Row], float], rows: Sequence[Row]) -> str:
    points = [(cost(row), float(row.quality["kept"])) for row in rows]
    right = 1.08 * max(x for x, _ in points)
    low = min(LEAST, *(y for _, y in points)) - 0.03
    high = max(1.0, *(y for _, y in points)) + 0.03

    def at(x: float, y: float) -> tuple[float, float]:
        across = _LEFT + x / right * (_WIDTH - _LEFT - _RIGHT)
        return across, _HEIGHT - _BOTTOM - (y - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    parts = [_text(_LEFT, 16, f"{title} → least share of a figure kept", "start")]
    for tick in nice_ticks(low, high, 5):
        _, y = at(0, tick)
        parts.append(_line((_LEFT, y), (_WIDTH - _RIGHT, y), "grid"))
        parts.append(_text(_LEFT - 8, y + 4, short(tick), "end"))
    for tick in nice_ticks(0, right, 5):
        parts.append(_text(at(tick, low)[0], _HEIGHT - 22, short(tick), "middle"))
    parts.append(_line(at(0, LEAST), at(right, LEAST), "mark"))
    best = [at(*points[i]) for i in frontier(points)]
    parts += [_line(a, b, "curve c0") for a, b in zip(best, best[1:])]
    parts += _named([(at(*point), row) for point, row in zip(points, rows)])
    return "".join(parts)


def _named(placed: Sequence[tuple[tuple[float, float], Row]]) -> list[str]:
    """A dot and a name for each form, names moved down where they would stand on each other."""
    parts: list[str] = []
    taken: list[tuple[float, float]] = []
    for (x, y), row in sorted(placed, key=lambda one: one[0][1]):
        colour = "c0" if row.fit else "c1"
        parts.append(f'<circle class="dot {colour}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
        down = y + 4
        while any(abs(down - b) < 12 and abs(x - a) < 90 for a, b in taken):
            down += 12
        taken.append((x, down))
        parts.append(_text(x + 8, down, row.name, "start"))
    return parts


def _line(a: tuple[float, float], b: tuple[float, float], kind: str) -> str:
    return f'<line class="{kind}" x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
