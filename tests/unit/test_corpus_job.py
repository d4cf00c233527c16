"""A corpus by a job and by the command: to its end, stopped and resumed, cancelled, refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from db.store import Store, open_store
from engine.settings import Settings
from tests.made_text import made_pairs
from trainer.__main__ import main
from trainer.jobs import corpus
from trainer.jobs.kinds import JobError, find_kind
from trainer.jobs.process import this_process
from trainer.jobs.work import Work

LINES = [de for de, _ in made_pairs(250)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "a.txt").write_text("".join(f"{line}\n" for line in LINES), encoding="utf-8")
    with open_store(tmp_path / "ctx.db") as store:
        yield store


def start(
    store: Store, home: Path, stopped: Callable[[], bool] = lambda: False, **more: Any
) -> Work:
    wanted = {"sources": ["a.txt"], "similar": 0.0, "index_mb": 1, "shard_rows": 100, **more}
    prepared = find_kind("corpus").prepare(wanted)
    job_id = store.jobs.add("corpus", prepared.slot, dict(prepared.recipe))
    job = store.jobs.take(job_id, this_process(), None)
    work = Work(job, this_process(), store, Settings(home=home, data=home), stopped)
    work.folder.mkdir(parents=True)
    return work


def test_a_job_makes_a_corpus_and_tells_of_it(store: Store, tmp_path: Path) -> None:
    work = start(store, tmp_path, held_out=False)
    assert corpus.run(work)
    made = work.folder / "corpus" / "train.de.txt"
    assert made.read_text(encoding="utf-8").splitlines() == LINES
    told = [one.data for one in store.events.read(work.job.id)]
    assert [one["step"] for one in told if one["event"] == "step"] == [100, 200, 250]
    job = store.jobs.get(work.job.id)
    assert (job.done, job.total, job.figures["kept"]) == (250, 250, 250)
    assert json.loads((work.folder / "recipe.json").read_text())["sources"] == ["a.txt"]


def test_a_job_that_is_stopped_goes_on_and_a_cancelled_one_leaves_nothing(
    store: Store, tmp_path: Path
) -> None:
    looks = iter(range(100))
    work = start(store, tmp_path, lambda: next(looks) >= 2)
    assert not corpus.run(work)
    pieces = sorted((work.folder / "corpus" / "shards").iterdir())
    assert len(pieces) == 6
    again = Work(work.job, work.process, store, work.settings)
    assert corpus.run(again)
    assert set(pieces) < set((work.folder / "corpus" / "shards").iterdir())
    store.jobs.end(work.job.id, work.process, "done")
    other = start(store, tmp_path, fewest_words=2)
    store.jobs.ask(other.job.id, "cancel")
    assert not corpus.run(other) and not (other.folder / "corpus").exists()


@pytest.mark.parametrize("recipe", [{}, {"sources": []}, {"sources": ["a"], "digits": 2.0}])
def test_a_recipe_that_cannot_be_is_refused_before_there_is_a_job(recipe) -> None:
    with pytest.raises(JobError):
        find_kind("corpus").prepare(recipe)


def test_the_command_says_what_was_dropped_and_what_is_wrong(
    store: Store, tmp_path: Path, monkeypatch, capsys
) -> None:
    def command(*arguments: object) -> int:
        told = ["trainer", "scratch", "corpus", *map(str, arguments)]
        monkeypatch.setattr("sys.argv", told)
        return main()

    monkeypatch.setenv("CTX_HOME", str(tmp_path))
    monkeypatch.setattr("trainer.__main__._give_way", lambda: None)
    monkeypatch.setattr("trainer.jobs.stopping.signal.signal", lambda *_: None)
    source, out = tmp_path / "a.txt", tmp_path / "out"
    assert command(out, source, "--similar", "0", "--no-held-out", "--longest-word", "9") == 0
    told = capsys.readouterr().out
    assert "length" in told and "report.md" in told
    assert command(out, tmp_path / "b.txt") == 2
    assert "b.txt: there is no such file" in capsys.readouterr().err
    assert command(out, source, "--languages", "English") == 2
    assert "languages = 'English'" in capsys.readouterr().err
    assert command(out, source, "dataset:none") == 2
    assert "none" in capsys.readouterr().err
