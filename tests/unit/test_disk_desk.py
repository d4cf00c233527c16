"""What the Models tab may do about adapters on disk and in memory, asked by strangers."""

from __future__ import annotations

import asyncio
import json
import re
import zipfile
from pathlib import Path

import pytest

from db.store import Store, open_store
from engine import checking
from engine.catalogue import list_adapters
from engine.lookup import Status
from engine.settings import Settings
from tests.fake_engine import SMALLER, FakeLookup
from tests.fake_translations import BASE_BYTES, SHAPE, FakeTranslations
from tests.made_adapters import make_adapter
from trainer.jobs.queue import Jobs
from ui.access import Access
from ui.desk import Reply
from ui.files import Files
from ui.models.list import ListDesk
from ui.services import Services
from ui.strings import STRINGS

HOSTILE = (
    None,
    5,
    [],
    {"a": 1},
    "",
    "../../etc",
    "run:../1",
    "kept:..",
    "kept:",
    "x" * 9999,
    "\x00",
)
DOES = ("load", "unload", "export", "delete", "bring")


class Page:
    """A page over a store of its own; `sent` is where what it sends lies."""

    def __init__(self, store: Store, home: Path, hosted: bool = False):
        self.settings, self.sent = Settings(home=home), home.parent / "sent"
        self.sent.mkdir(exist_ok=True)
        self.written: list[str] = []
        self.translations, self.lookup = FakeTranslations(), FakeLookup()
        services = Services(
            self.settings, self.lookup, store, Access(hosted), Jobs(store, home),
            translations=self.translations,
        )  # type: ignore[arg-type]  # fmt: skip
        self.desk = ListDesk(services, Files(self.sent, self.written.append))
        self.desk._shape = SHAPE
        self.served = self.desk.served()

    def ask(self, method: str, **asked: object) -> Reply:
        async def run() -> Reply:
            reply = await self.served[method](asked)
            while "work" in reply:
                await asyncio.sleep(0.02)
                reply = await self.served["work"]({"work": reply["work"]})
            return reply

        return json.loads(json.dumps(asyncio.run(run()), allow_nan=False))

    def group(self, pair: str, task: str = "translation") -> Reply:
        groups = self.ask("models")["groups"]
        return next((one for one in groups if (one["pair"], one["task"]) == (pair, task)), {})

    def adapters(self) -> list[str]:
        return [one.version for one in list_adapters(self.settings)[0] if one.origin != "shipped"]


@pytest.fixture
def page(tmp_path: Path):
    with open_store(tmp_path / "home" / "ctx.db") as store:
        yield Page(store, tmp_path / "home")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_adapter(tmp_path / "mine", SHAPE, pair="en-fr", licence="CC BY 4.0")


def zipped(folder: Path, to: Path) -> Path:
    file = to / "mine.zip"
    with zipfile.ZipFile(file, "w") as out:
        for one in folder.iterdir():
            out.write(one, f"mine/{one.name}")
    return file


def test_brought_in_loaded_written_out_and_deleted(page: Page, folder: Path, tmp_path: Path):
    sent = zipped(folder, page.sent)
    brought = page.ask("bring", path=str(sent), called="by mail.zip")["brought"]
    assert (brought["pair"], brought["task"]) == ("en-fr", "translation") and not sent.exists()
    group = page.group("en-fr")
    (model,) = group["models"]
    assert model["name"] == brought["name"] == group["present"]["name"]
    assert (model["from"], model["licence"], model["fits"]) == ("by mail.zip", "CC BY 4.0", True)
    assert (model["memory"], model["loaded"], model["used"]) == ("free", 0, "")
    assert model["needs"] == 4 * 4 * 24
    assert page.ask("models")["memory"] == {"base": 0, "adapters": 0, "count": 0}

    assert page.ask("load", name=model["name"]) == {"loaded": model["name"]}
    (model,) = page.group("en-fr")["models"]
    assert (model["memory"], model["loaded"]) == ("loaded", model["needs"])
    assert model["used"] == "", "loaded, and asked by nobody"
    page.translations.used[model["version"]] = 1.5e9
    assert page.group("en-fr")["models"][0]["used"] == "2017-07-14T02:40:00+00:00"
    assert page.ask("models")["memory"]["base"] == BASE_BYTES
    assert page.ask("unload", name=model["name"]) == {"unloaded": True}

    out = page.ask("export", name=model["name"])
    assert out["file"] in page.written and out["bytes"] > 0
    assert Path(out["file"]).name == f"en-fr-translation-{model['version']}.zip"
    with zipfile.ZipFile(out["file"]) as archive:
        assert {Path(name).name for name in archive.namelist()} >= {"card.json"}

    assert page.ask("load", name=model["name"])["loaded"]
    assert page.ask("delete", name=model["name"]) == {"deleted": model["name"]}
    assert page.adapters() == [] and not page.translations.loaded()
    assert page.ask("delete", name=model["name"]) == {"error": "unknown_model"}


def test_what_stands_on_the_machine_is_brought_in_too(page: Page, folder: Path):
    assert page.ask("bring", source=str(folder))["brought"]["title"] == "en-fr-translation"
    assert folder.is_dir() and len(page.adapters()) == 1
    assert page.ask("bring", source=str(folder / "none"))["error"] == "adapter_gone"
    assert page.ask("bring")["error"] == "nothing_named"


def test_what_has_no_card_is_told_what_it_is(page: Page, folder: Path):
    (folder / "card.json").unlink()
    asked = {"source": str(folder)}
    assert page.ask("bring", **asked)["error"] == "adapter_no_card"
    assert page.ask("bring", **asked, pair="english", style="short")["error"] == "unknown_value"
    assert page.ask("bring", **asked, pair="en-it", style="verse")["error"] == "unknown_value"
    assert page.ask("bring", **asked, pair="en-it", style="long")["brought"]["pair"] == "en-it"


def test_a_refusal_says_why_and_leaves_nothing(page: Page, folder: Path):
    (folder / "model.py").write_text("print()")
    sent = zipped(folder, page.sent)
    reply = page.ask("bring", path=str(sent))
    assert reply["error"] == "adapter_code" and "model.py" in reply["detail"]
    assert page.adapters() == [] and not sent.exists()
    assert list((page.settings.home / "adapters").iterdir()) == []


def test_what_readers_were_given_stays(page: Page, folder: Path):
    name = page.ask("bring", source=str(folder))["brought"]["name"]
    other = make_adapter(folder.parent / "other", SHAPE, seed=2, pair="en-fr")
    second = page.ask("bring", source=str(other))["brought"]["name"]
    assert page.group("en-fr")["present"]["name"] == second  # the last that was brought in
    promoted = page.ask("promote", name=name, reason="a trial", who="Ann")["promoted"]
    assert (promoted["pair"], promoted["task"]) == ("en-fr", "translation")
    assert page.group("en-fr")["present"]["name"] == name
    assert page.ask("delete", name=name)["error"] == "adapter_kept"
    assert page.ask("delete", name="shipped")["error"] == "adapter_kept"
    assert page.ask("delete", name="base")["error"] == "adapter_none"
    back = page.ask("back", pair="en-fr", task="translation")["promoted"]
    assert back["undoes"] == promoted["id"]
    assert page.group("en-fr")["present"]["name"] == second
    assert page.ask("delete", name=name) == {"deleted": name}


def test_an_adapter_of_another_pairs_words_is_loaded_and_given_back(page: Page, tmp_path: Path):
    told = {"pair": "de-en", "task": "sense", "style": "last"}
    brought = page.ask("bring", source=str(make_adapter(tmp_path / "words", SHAPE, **told)))
    name = brought["brought"]["name"]
    (model,) = page.group("de-en", "sense")["models"]
    assert (model["memory"], model["loaded"], model["needs"]) == ("free", 0, 4 * 4 * 24)
    assert page.ask("load", name=name) == {"loaded": name}
    page.lookup.used[model["version"]] = 1.5e9
    (model,) = page.group("de-en", "sense")["models"]
    assert (model["memory"], model["loaded"]) == ("loaded", model["needs"])
    assert model["used"].startswith("2017-07-14T")
    memory = page.ask("models")["memory"]
    assert memory == {"base": BASE_BYTES, "adapters": model["needs"], "count": 1}
    assert page.ask("unload", name=name) == {"unloaded": True}
    assert page.ask("unload", name=name) == {"unloaded": False}
    assert page.ask("load", name=name)["loaded"]
    assert page.ask("delete", name=name) == {"deleted": name}
    assert not page.translations.loaded()


@pytest.mark.parametrize("task, style", [("sense", "last"), ("translation", "short")])
def test_only_what_readers_have_is_loaded(page: Page, tmp_path: Path, task: str, style: str):
    names = []
    for seed in (1, 2):
        told = {"pair": "fr-en", "task": task, "style": style, "seed": seed}
        folder = make_adapter(tmp_path / str(seed), SHAPE, **told)
        names.append(page.ask("bring", source=str(folder))["brought"]["name"])
    old, new = names
    assert page.ask("load", name=new)["loaded"]
    assert page.ask("load", name=old) == {"error": "adapter_not_readers"}
    assert page.ask("promote", name=old, reason="a trial")["promoted"]
    states = {m["name"]: m["memory"] for m in page.group("fr-en", task)["models"]}
    assert {name: states[name] for name in names} == {old: "free", new: "loaded"}
    assert page.ask("unload", name=new) == {"unloaded": True}, "it was left there"
    states = {m["name"]: m["memory"] for m in page.group("fr-en", task)["models"]}
    assert {name: states[name] for name in names} == {old: "free", new: "away"}


def test_english_chinese_words_are_merged_and_say_so(page: Page, tmp_path: Path):
    told = {"pair": "en-zh", "task": "sense", "style": "last"}
    other = page.ask("bring", source=str(make_adapter(tmp_path / "words", SHAPE, **told)))
    other = other["brought"]["name"]
    for name in ("shipped", other):
        for method in ("load", "unload"):
            assert page.ask(method, name=name) == {"error": "adapter_merged"}
    assert page.ask("load", name="base") == {"error": "adapter_none"}

    def states() -> dict:
        models = page.group("en-zh", "sense")["models"]
        return {m["name"]: m["memory"] for m in models if m["name"] != "base"}

    assert states() == {"shipped": "merged", other: "away"}
    page.lookup._status = SMALLER
    assert states() == {"shipped": "form", other: "away"}
    page.lookup._status = Status("loading", 0.4)
    assert states() == {"shipped": "away", other: "away"}


def test_folders_that_are_refused_are_shown(page: Page, folder: Path):
    page.ask("bring", source=str(folder))
    (bad,) = (page.settings.home / "adapters" / "en-fr-translation").iterdir()
    (bad / "evil.py").write_text("")
    assert page.ask("models")["refused"] == [{"name": bad.name, "reason": "code"}]


@pytest.mark.parametrize("method", DOES)
def test_no_argument_breaks_the_desk(page: Page, method: str):
    for key in ("name", "path", "source", "pair", "style", "called"):
        for value in HOSTILE:
            reply = page.ask(method, **({"name": "kept:x", "source": "/nowhere"} | {key: value}))
            assert reply.get("error") not in (None, "unexpected"), (key, value, reply)
    assert page.ask("bring", path="/etc/passwd")["error"] == "file_gone"


def test_a_hosted_app_does_nothing_of_it(tmp_path: Path):
    with open_store(tmp_path / "home" / "ctx.db") as store:
        page = Page(store, tmp_path / "home", hosted=True)
        for method in DOES:
            assert page.ask(method, name="shipped", source="/x") == {"error": "hosted_read_only"}


def test_every_refusal_has_its_words():
    documented = str(checking.AdapterError.__doc__).partition("program:")[2]
    reasons = {"changed", "no_base", "gone", "none", "merged", "not_readers"}
    reasons |= set(re.findall(r"[a-z_]+", documented))
    assert "wrong_base" in reasons
    for strings in STRINGS.values():
        assert {f"error_adapter_{reason}" for reason in reasons} <= strings.keys()
