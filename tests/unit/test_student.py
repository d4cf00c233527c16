"""A student of a teacher, all the way: sentences come in, a teacher behind a server translates
them, what it said is frozen, and the command makes a translator that is brought in and promoted.
"""

import json
import sys
from pathlib import Path

import pytest

from db.dataset.importing import bring
from db.store import Origin, open_store
from engine.bringing import bring_adapter
from engine.settings import Settings
from tests.fake_server import FakeServer, Said
from tests.unit.test_scratch_runs import PAIRS, SMALL, STEPS
from trainer import __main__ as trainer_main
from trainer.jobs.process import this_process
from trainer.jobs.translations import prepare, run
from trainer.jobs.work import Work
from trainer.promote import present, promote

TEACHER, PAIR = "big", "de-en"
BAD = PAIRS[5][0]  # it never says anything of use about this one


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose sentences a teacher has translated, all but one."""
    said = dict(PAIRS) | {BAD: "Who knows?"}
    (tmp_path / "german.txt").write_text("\n".join(text for text, _ in PAIRS), encoding="utf-8")

    def answer(asked, n):
        asked_for = next(m for m in asked.body["messages"] if m["role"] == "user")["content"]
        return Said(json.dumps({"translation": said[json.loads(asked_for)["context"]]}))

    with open_store(tmp_path / "ctx.db") as store, FakeServer(answer) as server:
        bring(store, tmp_path / "german.txt", Origin("german.txt", "", PAIR), 0)
        recipe = prepare({"url": server.url, "model": TEACHER, "pair": PAIR}).recipe
        job = store.jobs.take(
            store.jobs.add("translations", "network", dict(recipe)), this_process(), None
        )
        assert run(Work(job, this_process(), store, Settings(home=tmp_path)))
        frozen = store.sentence_sets.freeze("taught", PAIR, TEACHER)
        assert (frozen.rows, frozen.synthetic) == (len(PAIRS) - 1, len(PAIRS) - 1)
    return tmp_path


def test_what_a_teacher_said_becomes_a_translator_that_readers_can_have(home, monkeypatch, capsys):
    monkeypatch.setenv("CTX_HOME", str(home))
    monkeypatch.setenv("CTX_DTYPE", "float32")
    monkeypatch.setattr(trainer_main, "_give_way", lambda: None)
    monkeypatch.setattr("trainer.scratch.command.watch_signals", lambda: lambda: False)
    told = {"name": "student", "dataset": "taught", "model": SMALL | {"vocabulary": 380}}
    (home / "recipe.json").write_text(json.dumps(told | {"finetune": STEPS}), encoding="utf-8")

    def command(*given) -> str:
        monkeypatch.setattr(sys, "argv", ["trainer", "scratch", *map(str, given)])
        assert trainer_main.main() == 0
        return capsys.readouterr().out.splitlines()[-1]

    made = command("finetune", home / "recipe.json", "--start", "random").removeprefix("done: ")
    card = json.loads((Path(made) / "card.json").read_text())
    assert f"synthetic ({TEACHER})" in card["origin"]
    learnt = (home / "datasets").glob("*.lines/*.de")
    assert BAD not in "".join(file.read_text(encoding="utf-8") for file in learnt)
    command("export", made, "--to", home / "out")
    settings = Settings(home=home, dtype="float32")
    entry = bring_adapter(home / "out", home, lambda: pytest.fail("it has no base"))
    with open_store(home / "ctx.db") as store:
        promote(f"kept:{entry.version}", store, settings, reason="a trial")
    assert present(settings, PAIR, "translation").title == "student"
