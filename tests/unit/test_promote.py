"""What readers get: refused where it is worse or nobody looked, kept where its run goes, taken back
as often as there is something before it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from db.store import Store, open_store
from engine.bringing import bring_adapter
from engine.catalogue import readers_adapter
from engine.checking import read_adapter
from engine.present import POINTER
from engine.settings import Settings, assets
from tests.fake_translations import SHAPE
from tests.made_adapters import make_adapter
from tests.promotions import add_evaluation, add_tuned
from trainer.catalogue import ModelError, find_model, list_models
from trainer.jobs.queue import Jobs
from trainer.mending import mend
from trainer.promote import PromotionRefused, back, consider, history, present, promote
from trainer.promoting import add_promoting


@dataclass
class Home:
    store: Store
    settings: Settings

    @property
    def folder(self) -> Path:
        return self.settings.home

    def tuned(self, name: str, **told: Any) -> str:
        return add_tuned(self.store, self.folder, name, **told)

    def compare(self, name: str, value: float = 0.02, **told: Any) -> int:
        model = find_model(name, self.store, self.settings)
        return add_evaluation(self.store, self.folder, present(self.settings), model, value, **told)

    def promote(self, name: str, reason: str = "") -> str:
        return promote(name, self.store, self.settings, "Ann", reason).promoted.version

    def refused(self, name: str, reason: str = "") -> PromotionRefused:
        rows = len(history(self.store))
        with pytest.raises(PromotionRefused) as caught:
            self.promote(name, reason)
        assert len(history(self.store)) == rows
        return caught.value


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with open_store(tmp_path / "ctx.db") as store:
        yield Home(store, Settings(home=tmp_path))


def test_readers_get_what_was_promoted(home: Home) -> None:
    shipped = present(home.settings)
    assert shipped.name == "shipped"
    name = home.tuned("first-try")
    job = home.compare(name)
    made = promote(name, home.store, home.settings, "Ann")
    folder = home.folder / "adapters" / "en-zh-sense" / made.promoted.version
    assert home.settings.adapter_folder == folder
    assert read_adapter(folder).version == made.promoted.version
    assert (folder / "card.json").is_file() and not list(home.folder.glob("adapters/.new-*"))
    now = present(home.settings)
    assert (now.name, now.title, now.version) == (name, "first-try", made.promoted.version)
    assert (made.promoted.who, made.promoted.evaluation_id) == ("Ann", job)
    assert made.promoted.figures["compared"][0]["differences"][0]["value"] == pytest.approx(0.02)


def test_what_ships_is_as_old_as_its_card_says(home: Home) -> None:
    found = [
        one for one in list_models(home.store, home.settings) if one.name.startswith("shipped")
    ]
    assert len(found) > 1
    for one in found:
        assert one.folder
        assert one.made == json.loads((one.folder / "card.json").read_text())["made"]


def test_deleting_the_run_takes_nothing_from_readers(home: Home) -> None:
    name = home.tuned("first-try")
    home.compare(name)
    version = home.promote(name)
    Jobs(home.store, home.folder).remove(int(name.removeprefix("run:")))
    assert present(home.settings).name == f"kept:{version}"
    assert home.settings.adapter_folder and home.settings.adapter_folder.is_dir()
    assert f"kept:{version}" in [m.name for m in list_models(home.store, home.settings)]
    other = home.tuned("second-try")
    home.compare(other)
    home.promote(other)
    assert back(home.store, home.settings).promoted.version == version
    assert present(home.settings).version == version


def test_what_stands_against_it_is_said_with_numbers(home: Home) -> None:
    name = home.tuned("worse", fit=False, why="retention")
    home.compare(name, -0.05)
    error = home.refused(name, " \n")
    assert error.code == "not_fit" and error.weighed
    assert error.weighed.against == ("not_fit", "worse")
    assert "-0.050 (-0.060 to -0.040)" in str(error) and "retention" in str(error)
    version = home.promote(name, "a trial for one class")
    assert history(home.store)[-1].promoted.reason == "a trial for one class"
    assert present(home.settings).version == version


@pytest.mark.parametrize("why", ["failed_gate", "other_base"])
def test_what_failed_the_gate_is_refused_whatever_reason_is_given(home: Home, why: str) -> None:
    name = home.tuned("small", fit=False, why=why)
    home.compare(name, 0.05)
    assert home.refused(name).code == why
    assert home.refused(name, "I know better").code == why
    told = home.tuned("told", fit=None, reason=why)  # its card alone says so
    folder = find_model(told, home.store, home.settings).folder
    assert folder
    card = json.loads((folder / "card.json").read_text()) | {"fit": False}
    (folder / "card.json").write_text(json.dumps(card))
    home.compare(told, 0.05)
    assert home.refused(told, "I know better").code == why
    assert present(home.settings).name == "shipped"


def test_it_must_be_compared_with_what_readers_have_now(home: Home) -> None:
    name = home.tuned("first-try")
    assert home.refused(name).code == "not_compared"
    home.compare(name, split="dev")
    assert home.refused(name).code == "not_compared"
    other = home.tuned("second-try")
    home.compare(name)
    home.promote(other, "first")
    error = home.refused(name)
    assert error.code == "not_compared", "it was compared with the one before"
    home.compare(name)
    assert home.promote(name)


@pytest.mark.parametrize(
    ("value", "spread", "refused"),
    [(-0.05, 0.01, True), (-0.05, 0.06, False), (0.0, 0.01, False), (0.05, 0.01, False)],
)
def test_worse_is_beyond_the_interval(
    home: Home, value: float, spread: float, refused: bool
) -> None:
    name = home.tuned("first-try")
    home.compare(name, value, spread=spread)
    if refused:
        assert home.refused(name).code == "worse"
    else:
        assert home.promote(name)


def test_the_order_of_the_two_does_not_matter(home: Home) -> None:
    name = home.tuned("first-try")
    home.compare(name, -0.05, turned=True)
    error = home.refused(name)
    assert error.code == "worse" and error.weighed and error.weighed.newest
    one = error.weighed.newest.differences[0]
    assert (one.present, one.new, one.value) == pytest.approx((0.53, 0.48, -0.05))
    assert (one.low, one.high) == pytest.approx((-0.06, -0.04))


def test_the_newest_of_a_dataset_counts_and_each_dataset_does(home: Home) -> None:
    name = home.tuned("first-try")
    home.compare(name, -0.05)
    home.compare(name, 0.01)
    _, _, weighed = consider(name, home.store, home.settings)
    assert weighed.against == ()
    home.compare(name, -0.05, dataset="mine")
    assert home.refused(name).code == "worse"


def test_worse_stands_until_as_many_rows_say_otherwise(home: Home) -> None:
    name = home.tuned("first-try")
    home.compare(name, -0.05, rows=616)
    home.compare(name, 0.3, rows=3)
    error = home.refused(name)
    assert error.code == "worse" and error.weighed and "n = 616" in str(error)
    assert [one.rows for one in error.weighed.compared] == [3, 616]
    home.compare(name, 0.01, rows=616)
    home.compare(name, 0.01, rows=3)
    assert home.promote(name)


@pytest.mark.parametrize("figure", ["class_accuracy", "meaning_match", "phrase_f1"])
def test_a_part_of_the_answer_that_is_worse_counts(home: Home, figure: str) -> None:
    name = home.tuned("first-try")
    home.compare(name, 0.02, **{figure: -0.05})
    error = home.refused(name)
    assert error.code == "worse" and f"{figure} 0.530" in str(error)
    home.compare(name, 0.02, **{figure: -0.005})
    assert home.promote(name)


def test_what_is_not_fit_is_not_fit_by_another_name(home: Home) -> None:
    name = home.tuned("first-try", fit=False, why="retention")
    home.compare(name)
    version = home.promote(name, "a trial")
    back(home.store, home.settings)
    kept = f"kept:{version}"
    assert home.refused(kept).code == "not_fit"
    Jobs(home.store, home.folder).remove(int(name.removeprefix("run:")))
    error = home.refused(kept)  # its run is gone, its promotion says it
    assert error.code == "not_fit" and "retention" in str(error)
    found = {one.name: one for one in list_models(home.store, home.settings)}
    assert (found[kept].fit, found[kept].reason) == (False, "retention")


def test_a_card_that_says_not_fit_is_taken_at_its_word(home: Home) -> None:
    told = home.tuned("told", fit=None, reason="retention")
    folder = find_model(told, home.store, home.settings).folder
    assert folder
    card = json.loads((folder / "card.json").read_text()) | {"fit": False}
    (folder / "card.json").write_text(json.dumps(card))
    version = find_model(told, home.store, home.settings).version
    kept = home.folder / "adapters" / "en-zh-sense" / version
    shutil.copytree(folder, kept)
    home.compare(f"kept:{version}")
    assert home.refused(f"kept:{version}").code == "not_fit"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"split": {}, "models": []}', "nonsense"])
def test_an_evaluation_that_cannot_be_read_compares_nothing(home: Home, text: str) -> None:
    name = home.tuned("first-try")
    job = home.compare(name)
    (home.folder / "jobs" / str(job) / "evaluation.json").write_text(text)
    assert home.refused(name).code == "not_compared"


def test_back_goes_on_to_what_ships(home: Home) -> None:
    shipped = present(home.settings).version
    versions = [home.promote(home.tuned(name), "try") for name in ("one", "two", "three")]
    for wanted in (versions[1], versions[0]):
        assert back(home.store, home.settings, "Bob").promoted.version == wanted
        assert present(home.settings).version == wanted
    fourth = home.promote(home.tuned("four"), "try")
    assert present(home.settings).version == fourth
    for wanted in (versions[0], shipped):
        assert back(home.store, home.settings).promoted.version == wanted
    assert present(home.settings).name == "shipped"
    assert home.settings.adapter_folder == assets() / "adapters" / "en-zh-sense"
    with pytest.raises(PromotionRefused) as caught:
        back(home.store, home.settings)
    assert caught.value.code == "nothing_before"
    rows = history(home.store)
    assert [row.promoted.undoes for row in rows] == [None] * 3 + [3, 2, None, 6, 1]


def test_the_base_and_what_ships_can_be_promoted(home: Home) -> None:
    assert home.refused("shipped", "again").code == "already_present"
    home.promote("base", "to see")
    assert home.settings.adapter_folder is None and present(home.settings).name == "base"
    home.promote("shipped", "enough")
    assert present(home.settings).name == "shipped"
    assert back(home.store, home.settings).promoted.model == "base"


@pytest.mark.parametrize("adapter", ["none", "jobs/1/adapter"])
def test_an_adapter_that_is_set_wins_and_says_so(home: Home, adapter: str) -> None:
    name = home.tuned("first-try")
    where = adapter if adapter == "none" else str(home.folder / adapter)
    fixed = Settings(home=home.folder, adapter=where)
    for act in (
        lambda: promote(name, home.store, fixed, reason="x"),
        lambda: consider(name, home.store, fixed),
        lambda: back(home.store, fixed),
    ):
        with pytest.raises(PromotionRefused) as caught:
            act()
        assert caught.value.code == "adapter_fixed"
    assert present(fixed).name == ("base" if adapter == "none" else "setting")
    assert present(fixed).version in {m.version for m in list_models(home.store, fixed)}


@pytest.mark.parametrize("name", ["run:99", "kept:../..", "nonsense", "", "run:1/../2", "setting"])
def test_what_is_no_model_is_refused(home: Home, name: str) -> None:
    with pytest.raises(ModelError):
        home.promote(name, "x")


def test_the_pointer_is_made_good_from_the_store(home: Home) -> None:
    version = home.promote(home.tuned("first-try"), "try")
    for spoilt in ("nonsense", "{}"):
        (home.folder / POINTER).write_text(spoilt)
        mend(home.store, home.folder)
        assert present(home.settings).version == version
    (home.folder / POINTER).unlink()
    mend(home.store, home.folder)
    assert present(home.settings).version == version


def test_a_pointer_that_no_promotion_made_is_put_right(home: Home) -> None:
    (home.folder / POINTER).write_text(json.dumps({"en-zh-sense": {"model": "base"}}))
    mend(home.store, home.folder)
    assert present(home.settings).name == "shipped"


def test_a_copy_that_is_not_what_it_should_be_is_made_anew(home: Home) -> None:
    name = home.tuned("first-try")
    folder = find_model(name, home.store, home.settings).folder
    assert folder
    kept = home.folder / "adapters" / "en-zh-sense" / read_adapter(folder).version
    kept.mkdir(parents=True)
    (kept / "adapter_model.safetensors").write_bytes(b"half")
    version = home.promote(name, "try")
    assert read_adapter(kept).version == version == kept.name


def test_what_a_kill_left_is_cleared_away_later(home: Home) -> None:
    home.promote(home.tuned("first-try"), "try")
    left = home.folder / "adapters" / ".new-abc"
    left.mkdir()
    (home.folder / f"{POINTER}.7.8.new").write_text("half")
    mend(home.store, home.folder)
    assert not list(home.folder.glob("*.new"))
    assert left.is_dir(), "another process may be at it"
    os.utime(left, (1, 1))
    mend(home.store, home.folder)
    assert not left.exists()


def test_back_says_where_the_copy_is_gone(home: Home) -> None:
    first = home.promote(home.tuned("one"), "try")
    home.promote(home.tuned("two"), "try")
    shutil.rmtree(home.folder / "adapters" / "en-zh-sense" / first)
    with pytest.raises(PromotionRefused) as caught:
        back(home.store, home.settings)
    assert caught.value.code == "kept_gone"


def test_from_a_shell(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CTX_HOME", str(home.folder))
    name = home.tuned("first-try")

    def run(*arguments: str) -> tuple[int, str]:
        parser = argparse.ArgumentParser()
        add_promoting(parser.add_subparsers())
        chosen = parser.parse_args(arguments)
        code = chosen.command(chosen)
        told = capsys.readouterr()
        return code, told.out + told.err

    code, told = run("promote", name)
    assert code == 2 and "not compared" in told and "evaluate" in told
    assert run("promote", name, "--reason", "a trial")[0] == 0
    code, told = run("models")
    here = [line for line in told.splitlines() if "readers have this" in line]
    (line,) = [line for line in here if "\ten-zh sense\t" in line]
    assert line.startswith(f"{name}\tfirst-try\t")
    assert run("back") == (0, f"readers get en-zh-sense@{present(home.settings).version} again\n")
    assert run("back") == (2, "nothing was promoted that could be taken back\n")
    assert run("back", "--pair", "en-es", "--task", "translation")[0] == 2


def test_whole_sentences_are_promoted_and_taken_back(home: Home, tmp_path: Path) -> None:
    asked = {"pair": "en-fr", "task": "translation"}
    assert present(home.settings, **asked).name == "base"
    first, second = (
        bring_adapter(
            make_adapter(tmp_path / f"made-{n}", SHAPE, seed=n, pair="en-fr"), home.folder, SHAPE
        )
        for n in range(2)
    )
    assert present(home.settings, **asked).version == second.version  # the last that came
    made = promote(f"kept:{first.version}", home.store, home.settings, reason="a trial").promoted
    assert (made.pair, made.task) == ("en-fr", "translation")
    assert present(home.settings, **asked).version == first.version
    assert readers_adapter(home.settings, **asked).version == first.version
    back(home.store, home.settings, **asked)
    assert readers_adapter(home.settings, **asked).version == second.version
    assert present(home.settings).name == "shipped"


def test_every_adapter_that_ships_has_a_name(home: Home) -> None:
    shipped = [m for m in list_models(home.store, home.settings) if m.name.startswith("shipped:")]
    assert {m.task for m in shipped} == {"translation"}
    for model in shipped:
        assert find_model(model.name, home.store, home.settings) == model
        assert present(home.settings, model.pair, model.task) == model
    with pytest.raises(ModelError):
        find_model("shipped:../en-zh-sense", home.store, home.settings)
