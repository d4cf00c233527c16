"""Draws how the engine grows, from a result file: python -m engine.bench.plot RESULT.json OUT.svg

Needs matplotlib, which is no dependency of the app.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def draw(found: dict[str, Any], file: Path) -> None:
    """Six small plots into one SVG file."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    pyplot.rcParams |= {"font.size": 9, "axes.grid": True, "grid.alpha": 0.3}
    figure, axes = pyplot.subplots(2, 3, figsize=(10, 5.4), layout="constrained")
    for axis, (part, x, ys, title, unit) in zip(axes.flat, PLOTS):
        rows = found[part]
        for y in ys:
            axis.plot(
                [row[x] for row in rows], [row[y] for row in rows], "o-", ms=4, label=NAMES[y]
            )
        axis.set(title=title, xlabel=x, ylabel=unit)
        axis.set_ylim(bottom=0)
        if len(ys) > 1:
            axis.legend()
    figure.savefig(file, metadata={"Date": None})


BOTH = ("median_ms", "p95_ms")
NAMES = {
    "median_ms": "median",
    "p95_ms": "95th percentile",
    "seconds": "seconds",
    "resident_mb": "resident",
}
PLOTS = (
    ("by_sentence", "words", BOTH, "a cold click, by the sentence's length", "ms"),
    ("by_passage", "sentences", ("seconds",), "a whole passage", "s"),
    ("by_readers", "readers", BOTH, "readers who click at once", "ms"),
    ("by_adapters", "adapters", BOTH, "adapters asked in turns", "ms"),
    ("by_adapters", "adapters", ("resident_mb",), "memory, by adapters", "MB"),
    ("by_lookups", "lookups", ("resident_mb",), "memory, by lookups", "MB"),
)


if __name__ == "__main__":
    result, out = map(Path, sys.argv[1:3])
    draw(json.loads(result.read_text(encoding="utf-8")), out)
