"""The real app, and another process that promotes: readers get the other adapter without a restart,
and the memory of the one before is given back.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from gradio_client import Client

from db.store import open_store
from engine.settings import Settings, assets
from tests.promotions import add_tuned
from tests.real import ROOT, fresh_home, serving
from trainer.jobs.process import job_folder
from trainer.promote import back, promote

SENTENCE = "She had to call him back at once."
GROWTH = 300  # MB: what may stay of three changes
PATIENCE = 240  # seconds: beside other work on a small machine


def ready(home: Path, title: str, count: int) -> None:
    """Waits until the app has said so many times that it answers with `title`."""
    end = time.monotonic() + PATIENCE
    told = re.compile(rf"ready: .* · {title}@")
    while len(told.findall((home / "app.log").read_text())) < count:
        assert time.monotonic() < end, (home / "app.log").read_text()[-2000:]
        time.sleep(0.1)


def test_another_process_promotes_and_readers_get_it(models_home: Path, tmp_path: Path) -> None:
    home = fresh_home(tmp_path / "home", models_home)
    settings = Settings(home=home)
    with open_store(home / "ctx.db") as store, serving(home) as app:
        name = add_tuned(store, home, "other")
        adapter = job_folder(home, 1) / "adapter"
        shutil.copytree(assets() / "adapters" / "en-zh-sense", adapter, dirs_exist_ok=True)
        card = json.loads((adapter / "card.json").read_text()) | {"name": "other"}
        (adapter / "card.json").write_text(json.dumps(card))
        ready(home, "en-zh-sense", 1)
        client = Client(app.url, verbose=False)

        def ask() -> dict:
            return client.predict(SENTENCE, "call", 1, "en-zh", api_name="/lookup")

        first = ask()
        before = app.resident()
        for number in range(3):
            if number % 2:
                back(store, settings)
            else:
                promote(name, store, settings, reason="a test")
            ready(home, "en-zh-sense" if number % 2 else "other", number // 2 + 1 + number % 2)
            assert ask() == first, "the same weights"
        time.sleep(2)  # what is given back is given back behind the change
        after = app.resident()
        print(f"{before:.0f} MB before, {after:.0f} MB after three changes")
        assert after < before + GROWTH
    done = subprocess.run(
        [sys.executable, "-m", "trainer", "models"],
        cwd=ROOT, env=os.environ | {"CTX_HOME": str(home)}, capture_output=True, text=True,
    )  # fmt: skip
    assert re.search(r"run:1\tother\t.*readers have this", done.stdout), done
