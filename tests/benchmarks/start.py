"""Measures first and second starts: python -m tests.benchmarks.start [ROUNDS]

Prints, for each round and as medians, the seconds that the first start needs for the base and for
the small model, and from the command of a second start to the open page and to the first answer.
Wants an idle machine.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from gradio_client import Client

from engine.checking import read_adapter
from engine.models import embedded_folder, find_base
from engine.settings import SMALL, Settings
from engine.small import find_small
from tests.real import serving

ASKED = ("They turned my application down.", "down", 1, "en-zh")
MEASURED = ("the base", "the small model", "page", "first answer")


def one_round(home: Path) -> tuple[float, ...]:
    """Seconds in the order of `MEASURED`, in a new home."""
    settings = Settings(home=home, form=SMALL)
    adapter = read_adapter(settings.adapter_folder)
    start = time.perf_counter()
    embedded_folder(home)
    base = time.perf_counter() - start
    _, name, revision = find_base(settings)
    start = time.perf_counter()
    find_small(settings, f"{name}@{revision}", adapter.version, lambda state, share: None)
    small = time.perf_counter() - start
    start = time.perf_counter()
    with serving(home) as app:
        page = time.perf_counter() - start
        Client(app.url, verbose=False).predict(*ASKED, api_name="/lookup")
        return base, small, page, time.perf_counter() - start


def main(rounds: int) -> None:
    times = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            times.append(one_round(Path(folder)))
        _tell("this round", times[-1])
    _tell(f"median of {rounds}", [statistics.median(column) for column in zip(*times)])


def _tell(title: str, seconds: tuple[float, ...] | list[float]) -> None:
    each = zip(MEASURED, seconds, strict=True)
    print(f"{title}: {', '.join(f'{name} {took:.1f} s' for name, took in each)}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
