"""Measures a second start: python -m tests.benchmarks.start [ROUNDS]

Prints, for each round and as medians, the seconds from the command to the open page and to the
first answer, with a base that is converted already. Wants an idle machine.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from gradio_client import Client

from engine.models import embedded_folder
from tests.real import ROOT, fresh_home, serving

ASKED = ("They turned my application down.", "down", 1, "en-zh")


def main(rounds: int) -> None:
    shared = ROOT / ".venv" / "test-home"
    embedded_folder(shared)
    times = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            home = fresh_home(Path(folder) / "home", shared)
            start = time.perf_counter()
            with serving(home) as url:
                page = time.perf_counter() - start
                Client(url, verbose=False).predict(*ASKED, api_name="/lookup")
                times.append((page, time.perf_counter() - start))
        print(f"page {times[-1][0]:.1f} s, first answer {times[-1][1]:.1f} s", flush=True)
    page, answer = (statistics.median(column) for column in zip(*times))
    print(f"median of {rounds}: page {page:.1f} s, first answer {answer:.1f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
