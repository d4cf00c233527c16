"""What the trainer's shell says of a run before it starts, and of jobs that are kept."""

from __future__ import annotations

import dataclasses
import sys

import pytest

from db.store import open_store
from tests.tiny import tiny_folder
from tests.tiny_runs import USUAL, rows, write_rows
from trainer import __main__ as shell
from trainer import plan as planning
from trainer.distil.recipe import Distil
from trainer.jobs.queue import Jobs
from trainer.recipe import save_recipe

RECIPE = dataclasses.replace(USUAL, distil=Distil(), batch=4)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs a command; its exit code and what it printed."""
    monkeypatch.setenv("CTX_HOME", str(tmp_path))
    monkeypatch.setenv("CTX_BASE", str(tiny_folder(tmp_path / "base")))
    monkeypatch.setattr(shell, "_give_way", lambda: None)
    write_rows(tmp_path / "rows.jsonl", rows())
    save_recipe(RECIPE, tmp_path / "recipe.json")
    capsys.readouterr()

    def go(*arguments):
        monkeypatch.setattr(sys, "argv", ["trainer", *map(str, arguments)])
        code = shell.main()
        return code, capsys.readouterr()

    return go


def test_a_run_is_looked_at_before_it_starts(run, tmp_path):
    code, said = run("plan", tmp_path / "recipe.json", "--show", 3)
    lines = said.out.splitlines()
    told = dict(line.split("\t") for line in lines[:7])
    assert code == 0 and told["steps"] == "4" and told["memory"].endswith("that are free")
    assert len(lines) == 10 and all("[" in line and "saw" in line for line in lines[7:])


@pytest.mark.parametrize("lacking", ["memory", "disk"])
def test_a_run_that_does_not_fit_is_refused_with_the_figures(run, tmp_path, monkeypatch, lacking):
    class Little:
        available = free = 1000

    if lacking == "memory":
        monkeypatch.setattr(planning.psutil, "virtual_memory", Little)
    else:
        monkeypatch.setattr(planning.shutil, "disk_usage", lambda place: Little)
    code, said = run("plan", tmp_path / "recipe.json")
    assert code == 2 and "it does not fit" in said.err and "0.0 GB are free" in said.err


def test_a_recipe_that_cannot_be_is_said_in_one_line(run, tmp_path):
    save_recipe(dataclasses.replace(RECIPE, start="nowhere"), tmp_path / "recipe.json")
    code, said = run("plan", tmp_path / "recipe.json")
    assert code == 2 and said.err == "start = 'nowhere': there is no such adapter\n"


def test_queued_jobs_change_places_and_those_that_are_over_are_removed(run, tmp_path):
    with open_store(tmp_path / "ctx.db") as store:
        first, second = (store.jobs.add("train", "compute", {}, "") for _ in range(2))
        assert run("move", second, 1)[1].out == f"job {second}: queued #1\n"
        assert store.jobs.get(first).place == 2
        assert run("note", first, "too slow")[0] == 0
        assert store.jobs.get(first).note == "too slow"
        assert run("remove", first)[0] == 2 and store.jobs.get(first)
        store.jobs.ask(first, "cancel")
        assert run("remove", first)[1].out == f"job {first}: removed\n"
        assert [job.id for job in Jobs(store, tmp_path).list_jobs()] == [second]
