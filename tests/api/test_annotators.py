"""Eight annotators at once, through HTTP: every decision is kept once, and none meets a lock.

`CTX_SOAK=1` makes 2,000 decisions.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from db.store import Brought, Origin, open_store
from engine.sense import Query, Sense
from tests.asking import Part
from tests.real import ROOT, free_port, soak

PEOPLE = 8
DECISIONS = 2000 if soak() else 160
PAIR = "en-zh"


@pytest.fixture
def app(tmp_path: Path):
    """The app on a database with exactly so many queries; its address."""
    origin = Origin("rows", "flat", who="T", source="teacher")
    rows = [
        Brought(
            n, 0, "raw", context=context, queries=(Query(context, 0),), sense=Sense("noun", "狗")
        )
        for n in range(DECISIONS)
        for context in [f"Dogs {n} bark."]
    ]
    with closing(open_store(tmp_path / "ctx.db")) as store:
        store.imports.add(store.imports.begin(origin), origin, rows)
    port = free_port()
    script = ROOT / "tests" / "browser" / "serve_fake.py"
    command = [sys.executable, str(script), "--port", str(port), "--home", str(tmp_path)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    while process.stdout.readline() != "serving\n":
        assert process.poll() is None
    yield f"http://127.0.0.1:{port}"
    process.stdin.close()
    process.wait(30)
    process.stdout.close()


def test_eight_annotators_decide_everything_once(app: str, tmp_path: Path) -> None:
    queue = Part(app, "label-queue")

    def work(who: str) -> list[int]:
        done, reply = [], queue.ask("next", who)
        while (item := reply["item"]) is not None:
            answer = {**item["standing"], "kind": "save", "seen": item["seen"]}
            question = {"id": item["id"], "token": f"{who}{item['id']}", **answer}
            if len(done) % 10 == 0:  # sent twice, as after a lost reply
                queue.ask("decide", who, **question)
            reply = queue.ask("decide", who, **question)
            done.append(item["id"])
        return done

    with ThreadPoolExecutor(PEOPLE) as pool:
        shares = list(pool.map(work, [f"P{n}" for n in range(PEOPLE)]))
    done = [one for share in shares for one in share]
    assert len(done) == len(set(done)) == DECISIONS
    assert min(map(len, shares)) > 0
    with closing(open_store(tmp_path / "ctx.db")) as store:
        assert store.browse.states(PAIR)["accepted"] == DECISIONS
        assert sum(count for _, _, count in store.browse.progress()) == DECISIONS
        assert store.check() == ()
