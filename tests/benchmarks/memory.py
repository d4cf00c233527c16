"""Measures the app's memory while it serves: python -m tests.benchmarks.memory

Starts the real app in bfloat16 and in float32, has it look up a passage of 50 sentences and prints
its resident megabytes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from gradio_client import Client

from engine.bench.sides import read_cases
from engine.models import embedded_folder
from engine.settings import assets
from tests.real import ROOT, fresh_home, serving

SENTENCES = 50


def main() -> None:
    shared = ROOT / ".venv" / "test-home"
    embedded_folder(shared)
    cases = read_cases(assets() / "datasets" / "en-zh-gold", SENTENCES)
    text = " ".join(case.query.context for case in cases)
    for dtype in ("bfloat16", "float32"):
        with tempfile.TemporaryDirectory() as folder:
            home = fresh_home(Path(folder) / "home", shared)
            with serving(home, CTX_DTYPE=dtype) as app:
                client = Client(app.url, verbose=False)
                client.predict(cases[0].query.context, "en-zh", api_name="/lookup_passage")
                first = app.resident()
                client.predict(text, "en-zh", api_name="/lookup_passage")
                after = app.resident()
                print(
                    f"{dtype}: {first:.0f} MB after 1 sentence, {after:.0f} MB after {len(cases)}"
                )


if __name__ == "__main__":
    main()
