"""kill -9 during the conversion leaves nothing half-made, and the next start makes it whole."""

import json
import os
import random
import signal
import subprocess
import sys
import time

from engine.models import EMBEDDED, EMBEDDED_SHA256, embedded_folder
from tests.real import ROOT, soak

START = (
    "import sys; from pathlib import Path; from engine.models import embedded_folder;"
    "embedded_folder(Path(sys.argv[1]), lambda state, share: print(share, flush=True))"
)


def start(home):
    return subprocess.Popen(
        [sys.executable, "-c", START, str(home)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def test_a_killed_conversion_leaves_nothing_half_made(tmp_path):
    draw = random.Random(1)
    folder = tmp_path / "models" / f"{EMBEDDED}-{EMBEDDED_SHA256[:12]}"
    for _ in range(10 if soak() else 1):
        app = start(tmp_path)
        share = float(app.stdout.readline())
        until = draw.choice([0.1, 0.15, 0.4])
        while share < until:
            share = float(app.stdout.readline())
        time.sleep(draw.random())
        os.killpg(app.pid, signal.SIGKILL)  # the app and the child that converts
        app.wait()
        assert not folder.exists()
    shares = []
    made = embedded_folder(tmp_path, lambda state, share: shares.append(share))
    assert made == folder and shares == sorted(shares) and shares[-1] == 1.0
    sizes = json.loads((folder / "converted.json").read_text())["sizes"]
    assert sizes.keys() >= {"config.json", "model.safetensors", "tokenizer.json"}
    left = [p.name for p in folder.parent.iterdir() if p != folder]
    assert left == ["converting.lock"]
    again = []
    assert embedded_folder(tmp_path, lambda state, share: again.append(share)) == folder
    assert again == []  # the second start converts nothing
