"""What the Models tab may ask, asked by strangers: models, cards, promotions, refusals."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from db.store import Store, open_store
from engine.settings import Settings
from tests.fake_engine import SMALLER, FakeLookup
from tests.promotions import add_evaluation, add_tuned
from trainer.catalogue import find_model
from trainer.jobs.queue import Jobs
from trainer.promote import present
from ui.access import Access
from ui.files import Files
from ui.models.card import CardDesk
from ui.models.history import HistoryDesk
from ui.models.list import ListDesk
from ui.services import Services
from ui.strings import STRINGS

HOSTILE = (None, 1, True, [], {}, "../../etc", "run:" + "9" * 400, "kept:..", "x" * 10_000, "\x00")


class Page:
    """A page over a store of its own; jobs are made, never started."""

    def __init__(self, store: Store, home: Path, hosted: bool = False):
        self.store, self.home, self.settings = store, home, Settings(home=home)
        jobs = Jobs(store, home)
        jobs.look = lambda: None  # type: ignore[method-assign]
        self.lookup = FakeLookup()
        services = Services(self.settings, self.lookup, store, Access(hosted), jobs)  # type: ignore[arg-type]
        desks = CardDesk(services), HistoryDesk(services), ListDesk(services, Files(home, print))
        self.served = {name: method for desk in desks for name, method in desk.served().items()}

    def ask(self, method: str, **asked: object) -> dict:
        return json.loads(json.dumps(asyncio.run(self.served[method](asked)), allow_nan=False))

    def words(self) -> dict:
        """The group of English–Chinese words."""
        return self.ask("models")["groups"][0]

    def tuned(self, name: str = "first-try", value: float | None = 0.02, **told: object) -> str:
        model = add_tuned(self.store, self.home, name, **told)  # type: ignore[arg-type]
        if value is not None:
            found = find_model(model, self.store, self.settings)
            add_evaluation(self.store, self.home, present(self.settings), found, value)
        return model


@pytest.fixture
def page(tmp_path: Path):
    with open_store(tmp_path / "ctx.db") as store:
        yield Page(store, tmp_path)


def test_what_readers_have_stands_among_all(page: Page) -> None:
    name = page.tuned()
    reply = page.words()
    assert [one["name"] for one in reply["models"]] == ["base", "shipped", name]
    assert reply["present"]["name"] == "shipped" and reply["before"] is None
    base, shipped, run = reply["models"]
    assert base["scores"] == [] and run["fit"] is True and run["set"] == "dev mine"
    assert shipped["set"] == "test gold"
    assert [one["figure"] for one in shipped["scores"]][:2] == ["right", "meaning_match"]


def test_promoted_and_taken_back(page: Page) -> None:
    name = page.tuned()
    weighed = page.ask("weigh", name=name)
    assert weighed["against"] == [] and weighed["comparing"] is None
    assert weighed["compared"][0]["differences"][0]["better"] is True
    promoted = page.ask("promote", name=name, who="Ann")["promoted"]
    assert (promoted["name"], promoted["who"], promoted["reason"]) == (name, "Ann", "")
    reply = page.words()
    assert reply["present"]["name"] == name and reply["since"]["id"] == promoted["id"]
    assert reply["before"]["name"] == "usual"
    back = page.ask("back", who="Bob")["promoted"]
    assert (back["name"], back["undoes"]) == ("shipped", promoted["id"])
    rows = page.ask("promotions")["promotions"]
    assert [row["id"] for row in rows] == [back["id"], promoted["id"]]
    assert rows[1]["compared"]["dataset"] == "en-zh-gold"
    assert page.words()["before"] is None
    assert page.ask("back") == {"error": "nothing_before"}


def test_a_refusal_says_what_stands_against_it(page: Page) -> None:
    name = page.tuned(value=-0.05, fit=False, why="retention")
    reply = page.ask("promote", name=name, reason="  ")
    assert reply["error"] == "not_fit" and reply["against"] == ["not_fit", "worse"]
    assert reply["fitReason"] == "retention" and reply["compared"][0]["worse"] is True
    assert page.ask("promote", name=name, reason="x" * 501)["error"] == "too_long"
    assert page.ask("promote", name=name, reason="a trial")["promoted"]["reason"] == "a trial"


def test_the_comparison_that_lacks_can_be_started_once(page: Page) -> None:
    name = page.tuned(value=None)
    assert page.ask("weigh", name=name)["against"] == ["not_compared"]
    recipe = {"models": ["shipped", name], "split": "test"}
    job = page.store.jobs.add("evaluate", "compute", recipe)
    comparing = page.ask("weigh", name=name)["comparing"]
    assert (comparing["id"], comparing["state"]) == (job, "queued")
    assert page.ask("evaluate", name=name)["comparing"]["id"] == job


@pytest.mark.parametrize("method", ["weigh", "promote", "evaluate", "card"])
def test_names_that_are_none_are_refused(page: Page, method: str) -> None:
    for name in HOSTILE:
        reply = page.ask(method, name=name, reason="x")
        assert reply["error"] in ("unknown_model", "not_understood"), reply
    assert page.store.promotions.history() == ()


@pytest.mark.parametrize("key", ["who", "reason"])
def test_texts_that_are_none_are_refused(page: Page, key: str) -> None:
    name = page.tuned()
    for text in (5, [], {"a": 1}, "\x00", "x" * 10_000):
        assert "error" in page.ask("promote", **({"name": name, "reason": "x"} | {key: text}))
    assert page.store.promotions.history() == ()


def test_a_hosted_app_shows_models_and_cards_only(tmp_path: Path) -> None:
    with open_store(tmp_path / "ctx.db") as store:
        page = Page(store, tmp_path, hosted=True)
        name = page.tuned()
        for method in ("weigh", "promote", "back", "evaluate", "promotions"):
            assert page.ask(method, name=name, reason="x") == {"error": "hosted_read_only"}
        assert page.words()["since"] is None
        assert page.ask("card", name="shipped")["present"] is True


def test_a_card_by_name_or_version(page: Page) -> None:
    shipped = page.ask("card", name="shipped")
    assert page.ask("card", name=shipped["model"]["version"]) == shipped
    assert {"CC BY 4.0"} < {one["licence"] for one in shipped["data"]}
    assert shipped["scores"][1]["name"] == "test gold" and len(shipped["failures"]) == 20
    assert shipped["words"].startswith("# en-zh-sense") and shipped["levels"][0]["level"] == "sure"
    assert page.ask("card", name="base")["model"]["name"] == "base"


def test_the_smaller_model_has_a_card_and_is_told_of(page: Page) -> None:
    assert page.ask("models")["serving"]["form"] == ""
    card = page.ask("card", name="small")
    assert card["model"]["title"] == "en-zh-sense-small" and not card["present"]
    assert card["scores"] and card["words"].startswith("# en-zh-sense-small")
    page.lookup._status = SMALLER
    assert page.ask("models")["serving"]["form"] == "small"
    assert page.ask("card", name="small")["present"]
    assert page.ask("weigh", name="small")["error"] == "unknown_model", "nobody promotes it"


@pytest.mark.parametrize(
    "card",
    [
        {"scores": 5, "data": "x", "failures": {}, "calibration_on_test": []},
        {"scores": {"test": [1], "dev x": {"n": "many", "f": {"value": "1", "interval": [0, 1]}}}},
        {"data": [5, None, {"name": 5, "rows": "x", "licence": ["x"]}], "failures": [{"a": 5}]},
        {"calibration_on_test": {"levels": {"sure": {"share": None}}}, "torch": float("nan")},
        {"scores": {"test x": {"f": {"value": float("nan"), "interval": [0, float("inf")]}}}},
        {"torch": "x" * 999, "failures": [{"expected": [1], "answered": "x", "context": "\u202e"}]},
    ],
)  # fmt: skip
def test_a_card_of_any_form_is_shown_as_far_as_it_can_be(page: Page, card: dict) -> None:
    name = page.tuned(value=None, **card)
    reply = page.ask("card", name=name)
    assert "error" not in reply and reply["model"]["title"] == "first-try"
    assert len(json.dumps(reply)) < 5000 and "\u202e" not in json.dumps(reply, ensure_ascii=False)
    assert page.words()["models"][-1]["name"] == name


def test_every_refusal_has_its_words() -> None:
    codes = (
        "not_fit", "worse", "not_compared", "adapter_fixed", "already_present", "nothing_before",
        "kept_gone", "promoted_meanwhile", "unknown_model", "model_changed", "adapter",
    )  # fmt: skip
    for strings in STRINGS.values():
        assert {f"error_{code}" for code in codes} <= strings.keys()
