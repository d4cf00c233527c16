"""How a run begins and ends, on a tiny model: its start, scores and verdict, a stop meanwhile."""

from __future__ import annotations

import dataclasses
import errno
import json

import pytest

from engine.checking import CARD
from engine.settings import read_settings
from engine.split import split_of
from tests.tiny_runs import USUAL, begin, go, load, rows, write_rows
from trainer import run
from trainer.distil.recipe import Distil
from trainer.finish import finish
from trainer.recipe import RecipeError, Source
from trainer.retention import Reference
from trainer.run import check_same, start_folder
from trainer.troubles import name_trouble

RECIPE = dataclasses.replace(USUAL, distil=Distil())


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    return begin(tmp_path_factory.mktemp("begun"))


@pytest.fixture
def home(begun, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "load_base", load)
    for name in ("rows.jsonl", "teacher"):
        (tmp_path / name).symlink_to(begun / name)
    return tmp_path


def test_a_first_source_without_dev_rows_leaves_the_scores_to_the_next(home):
    few = [row for row in rows() if split_of(row["context"], "en-zh") == "train"][:3]
    write_rows(home / "few.jsonl", [{**row, "zh": "床铺"} for row in few])
    sources = (Source("few", "few.jsonl"), *RECIPE.sources)
    made = go(home, dataclasses.replace(RECIPE, sources=sources), end=finish)
    card = json.loads((made / CARD).read_text())
    assert {"dev rows", "test rows"} <= set(card["scores"])
    assert card["data"][0]["rows"] == 3


def test_a_run_that_is_scored_can_be_stopped_and_goes_on_with_the_scores(home):
    events = []

    def stopped():
        return any(event["event"] == "thresholds" for event in events)

    assert go(home, RECIPE, stopped=stopped, events=events, end=finish) is None
    assert events[-1]["event"] == "thresholds"
    again = []
    assert go(home, RECIPE, events=again, end=finish)
    kinds = [event["event"] for event in again]
    assert (kinds[0], kinds[-1]) == ("resumed", "result") and "step" not in kinds


def test_a_result_that_could_not_be_compared_is_not_fit(home):
    told = []

    def end(finished, _, tell):
        finish(finished, Reference("teacher", answers={}), told.append)

    go(home, RECIPE, end=end)
    assert (told[-1]["fit"], told[-1]["reason"]) == (False, "not_compared")


@pytest.mark.parametrize("change", [{"rank": 2}, {"alpha": 4}, {"matrices": "q,v"}, {"dora": True}])
def test_a_start_with_other_matrices_is_refused_before_the_run(home, change):
    fits = dataclasses.replace(RECIPE, start="teacher", rank=4, alpha=8)
    settings = read_settings({"CTX_HOME": str(home)})
    assert start_folder(fits, home, settings) == home / "teacher"
    with pytest.raises(RecipeError, match="rank 4 and alpha 8"):
        start_folder(dataclasses.replace(fits, **change), home, settings)


def test_a_folder_is_gone_on_with_by_the_same_recipe_only(home):
    check_same(RECIPE, home / "run")
    go(home, RECIPE)
    check_same(RECIPE, home / "run")
    with pytest.raises(RecipeError, match="another recipe"):
        check_same(dataclasses.replace(RECIPE, rate=1e-3), home / "run")


@pytest.mark.parametrize(
    "error, code",
    [
        (MemoryError(), "out_of_memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "out_of_memory"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), "disk_full"),
        (OSError(errno.EACCES, "No space left for you"), ""),
        (ValueError("memory"), ""),
    ],
)
def test_what_the_machine_lacks_is_known_by_the_error(error, code):
    found, advice = name_trouble(error)
    assert found == code and bool(advice) == bool(code)
