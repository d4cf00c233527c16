"""Plots of lines and intervals as SVG text, for reports: no script, no font, colours by the style
sheet. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 660, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 14, 22, 30
_SPAN, _BETWEEN = 11, 10  # heights of an interval, and between rows
_LETTER = 6.5  # about how wide one is
COLOURS = 8  # that the style sheet has: .c0 … .c7

STYLE = """
:root { --paper: #fbf9f4; --sheet: #fff; --ink: #23211d; --soft: #625d54; --line: #e4dfd4;
  --c0: #14665f; --c1: #b4552d; --c2: #4a5fa5; --c3: #8f6d12; --c4: #8a3f74; --c5: #5b6770;
  --c6: #2f7fb8; --c7: #7a5c3e; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #181715; --sheet: #211f1c; --ink: #ebe6dc; --soft: #a8a196; --line: #37342f;
    --c0: #7cc9bd; --c1: #e59a76; --c2: #9fb0ec; --c3: #d9bd6b; --c4: #d596c0; --c5: #b3bdc4;
    --c6: #8cc5e8; --c7: #cbb095; } }
svg { display: block; width: 100%; max-width: 660px; height: auto; overflow: visible; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
svg .mark { stroke: var(--soft); stroke-dasharray: 4 3; }
svg .mark-name { fill: var(--ink); }
.c0 { stroke: var(--c0); } .c1 { stroke: var(--c1); } .c2 { stroke: var(--c2); }
.c3 { stroke: var(--c3); } .c4 { stroke: var(--c4); } .c5 { stroke: var(--c5); }
.c6 { stroke: var(--c6); } .c7 { stroke: var(--c7); }
svg .dot { stroke-width: 2; fill: var(--sheet); }
"""


@dataclass(frozen=True)
class Curve:
    """A named line through (step, value)."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Spans:
    """A named row of values with their intervals (value, low, high); None where there is none."""

    name: str
    values: Sequence[tuple[float, float, float] | None]


@dataclass(frozen=True)
class Mark:
    """Something that happened at a step: a line across the plot with its name."""

    step: float
    name: str


def line_plot(
    title: str, curves: Sequence[Curve], marks: Sequence[Mark] = (), best: float | None = None
) -> str:
    """The curves over one pair of axes, as SVG; `best`: the step whose points get a ring. "" where
    there is no point."""
    points = [point for curve in curves for point in curve.points]
    if not points:
        return ""
    right = max(max(x for x, _ in points), 1)
    low, high = _range([y for _, y in points])
    scale = _Scale(right, low, high)
    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">']
    for y in nice_ticks(low, high, 4):
        parts.append(_line(_LEFT, scale.y(y), _WIDTH - _RIGHT, scale.y(y), "grid"))
        parts.append(_text(_LEFT - 8, scale.y(y) + 4, short(y), "end"))
    for x in nice_ticks(0, right, 6):
        parts.append(_text(scale.x(x), _HEIGHT - 8, short(x), "middle"))
    free = 0.0  # where the last name ends: two over each other could not be read
    for mark in sorted(marks, key=lambda mark: mark.step):
        x = scale.x(min(mark.step, right))
        parts.append(_line(x, _TOP, x, _HEIGHT - _BOTTOM, "mark"))
        begin = min(x, _WIDTH - _LETTER * len(mark.name))
        if begin >= free:
            parts.append(_text(begin, _TOP - 8, mark.name, "start", "mark-name"))
            free = begin + _LETTER * (len(mark.name) + 1)
    for number, curve in enumerate(curves):
        parts += _curve(curve, scale, f"c{number % COLOURS}", best)
    return "".join([*parts, "</svg>"])


def interval_plot(title: str, rows: Sequence[Spans]) -> str:
    """Rows under each other over one axis: in each a point with its interval for each value, in the
    colours' order. "" where there is no value."""
    told = [value for row in rows for value in row.values if value]
    if not told:
        return ""
    low, high = min(0, *(one[1] for one in told)), max(one[2] for one in told)
    high = high if high > low else low + 1
    left = _LETTER * max(len(row.name) for row in rows) + 12
    wide = (_WIDTH - left - _RIGHT) / (high - low)
    tall = [_SPAN * len(row.values) + _BETWEEN for row in rows]
    bottom = sum(tall) + 8
    parts = [f'<svg viewBox="0 0 {_WIDTH} {bottom + 22}" role="img" aria-label="{escape(title)}">']
    for tick in nice_ticks(low, high, 6):
        x = left + (tick - low) * wide
        parts.append(_line(x, 4, x, bottom, "grid"))
        parts.append(_text(x, bottom + 16, short(tick), "middle"))
    top = 4.0
    for row, height in zip(rows, tall):
        parts.append(_text(left - 10, top + height / 2 + 4, row.name, "end", "mark-name"))
        for number, value in enumerate(row.values):
            if value:
                y = top + (_BETWEEN + _SPAN) / 2 + number * _SPAN
                middle, begin, end = (left + (x - low) * wide for x in value)
                colour = f"c{number % COLOURS}"
                parts.append(_line(begin, y, end, y, f"curve {colour}"))
                parts.append(
                    f'<circle class="dot {colour}" cx="{middle:.1f}" cy="{y:.1f}" r="3.5"/>'
                )
        top += height
    return "".join([*parts, "</svg>"])


class _Scale:
    def __init__(self, right: float, low: float, high: float):
        self._right, self._low, self._span = right, low, high - low

    def x(self, x: float) -> float:
        return _LEFT + x / self._right * (_WIDTH - _LEFT - _RIGHT)

    def y(self, y: float) -> float:
        share = (y - self._low) / self._span
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def _curve(curve: Curve, scale: _Scale, colour: str, best: float | None) -> list[str]:
    places = " ".join(f"{scale.x(x):.1f},{scale.y(y):.1f}" for x, y in curve.points)
    parts = [f'<polyline class="curve {colour}" points="{places}"/>']
    ringed = [p for p in curve.points if p[0] == best] if len(curve.points) > 1 else curve.points
    for x, y in ringed:
        parts.append(
            f'<circle class="dot {colour}" cx="{scale.x(x):.1f}" cy="{scale.y(y):.1f}" r="4"/>'
        )
    return parts


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _range(values: Sequence[float]) -> tuple[float, float]:
    """The axis for these values: from 0 where they come near it, never of no height."""
    low, high = min(values), max(values)
    if low > 0 and low < 0.4 * high:
        low = 0.0
    room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    return (low if low == 0 else low - room), high + room


def nice_ticks(low: float, high: float, count: int) -> list[float]:
    """About `count` round numbers between two others."""
    step = 10 ** math.floor(math.log10((high - low) / count))
    step *= next(times for times in (1, 2, 5, 10) if (high - low) / (step * times) <= count)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def short(x: float) -> str:
    """A number in few characters."""
    if x and abs(x) < 0.001:
        return f"{x:.1e}".replace("e-0", "e-").replace(".0e", "e")
    return f"{x:,.0f}" if abs(x) >= 1000 else f"{x:.4g}"
