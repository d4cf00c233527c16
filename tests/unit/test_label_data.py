"""What the Datasets view may ask, asked by strangers: counts, freezing, files to fetch."""

from __future__ import annotations

import asyncio
import errno
import json
import re
import threading
from pathlib import Path

import pytest

from db.dataset.importing import bring
from db.store import Origin, Store, open_store
from engine.rules import RULES
from engine.settings import Settings
from ui.access import Access
from ui.label.data import ENDINGS, DataDesk
from ui.services import Services
from ui.strings import STRINGS
from ui.works import _AT_ONCE, Works

COLUMNS = ("context", "target", "idx", "class", "zh", "phrase")
ROWS = [
    ("Call me back.", "back", 1, "adverb", "回", "Call back|回电话"),
    ("The bank is closed.", "bank", 1, "noun", "银行、岸", ""),
]


class Page:
    """A page, the folder that files are fetched from, and the files that will be deleted."""

    def __init__(self, store: Store, folder: Path, hosted: bool = False):
        services = Services(Settings(hosted=hosted), None, store, Access(hosted))  # type: ignore[arg-type]
        self.written: list[str] = []
        self.folder = folder
        self.served = DataDesk(services, folder, self.written.append).served()

    def ask(self, name: str, /, **question: object) -> dict:
        async def run() -> dict:
            reply = await self.served[name]({"who": "Ann", **question})
            while "work" in reply:
                await asyncio.sleep(0.05)
                reply = await self.served["work"]({"work": reply["work"]})
            return reply

        return json.loads(json.dumps(asyncio.run(run())))


@pytest.fixture
def page(tmp_path: Path):
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(json.dumps(dict(zip(COLUMNS, row))) for row in ROWS))
    with open_store(tmp_path / "home" / "ctx.db") as store:
        bring(store, file, Origin("rows", "", who="T"))
        yield Page(store, tmp_path / "cache")


def freeze(page: Page, name: str, **more: object) -> dict:
    return page.ask("freeze", name=name, proposals=True, **more)


def test_a_refused_set_names_its_rows_and_can_be_frozen_without(page: Page) -> None:
    assert page.ask("count", proposals=True) == {"count": 2}
    assert page.ask("count") == {"count": 0}
    refused = freeze(page, "all")
    assert (refused["invalid"], refused["good"]) == (1, 1)
    assert refused["reasons"] == {"several_meanings": 1}
    (row,) = refused["rows"]
    assert row["pieces"][2 * row["position"] + 1] == "bank"
    made = freeze(page, "all", without=True, about="for a try")["dataset"]
    assert (made["rows"], made["leftOut"], made["who"]) == (1, {"several_meanings": 1}, "Ann")
    assert page.ask("datasets")["datasets"] == [made]
    assert freeze(page, "all", without=True) == {"error": "name_taken"}
    assert freeze(page, "", without=True) == {"error": "no_text"}
    assert page.ask("freeze", name="none") == {"error": "no_rows"}


def test_files_have_names_of_our_own_in_folders_nobody_can_guess(page: Page) -> None:
    freeze(page, "../../etc/passwd\u202e", without=True)
    seen = set()
    for form, ending in ENDINGS.items():
        reply = page.ask("export", id=1, form=form)
        file = Path(reply["file"])
        assert re.fullmatch(r"[0-9a-f]{32}", file.parent.name) and file.name == f"dataset-1{ending}"
        assert file.parent.parent == page.folder / "ctx-written"
        assert reply["told"]["written"] == 1 and reply["bytes"] == file.stat().st_size
        assert file.parent.stat().st_mode & 0o077 == 0
        assert [one.name for one in file.parent.iterdir()] == [file.name]
        seen.add(file.parent)
    assert len(seen) == len(ENDINGS)
    assert len(page.written) == len(ENDINGS), "all of them are deleted in time"
    backup = Path(page.ask("backup")["file"])
    assert backup.name == "ctx-backup.db" and backup.stat().st_size > 10_000


def test_what_fails_leaves_no_file(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    freeze(page, "all", without=True)

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr("ui.label.data.zip_folder", fail)
    assert page.ask("export", id=1, form="hf") == {"error": "disk_full"}
    assert list((page.folder / "ctx-written").iterdir()) == [] and page.written == []


@pytest.mark.parametrize(
    "name, question, error",
    [
        ("export", {"id": 1, "form": "../x"}, "not_understood"),
        ("export", {"id": 1, "form": ["flat"]}, "not_understood"),
        ("export", {"id": "1; DROP", "form": "flat"}, "not_understood"),
        ("export", {"id": 99, "form": "flat"}, "unknown_value"),
        ("freeze", {"name": ["x"]}, "not_understood"),
        ("freeze", {"name": "x" * 201, "proposals": True}, "too_long"),
        ("freeze", {"name": "x\x00y", "proposals": True}, "control_characters"),
        ("freeze", {"name": "x", "about": "y" * 501}, "too_long"),
        ("freeze", {"name": "x", "filter": "all"}, "not_understood"),
        ("count", {"filter": {"class": "bogus"}}, "not_understood"),
        ("work", {"work": "x"}, "work_gone"),
        ("work", {"work": 1}, "not_understood"),
        ("push", {"id": 99, "repo": "a/b"}, "unknown_value"),
    ],
)
def test_strangers_questions_are_refused(page: Page, name: str, question: dict, error: str) -> None:
    assert page.ask(name, **question)["error"] == error


def test_without_a_token_nothing_is_pushed(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    freeze(page, "all", without=True)
    assert page.ask("push", id=1, repo="ann/words") == {"error": "unknown_value"}
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setattr("huggingface_hub.HfApi", lambda token: None)  # all of it fails
    assert page.ask("push", id=1, repo="ann/words") == {"error": "push_failed"}


def test_a_hosted_app_refuses_all_of_it(page: Page, tmp_path: Path) -> None:
    with open_store(tmp_path / "hosted.db") as store:
        hosted = Page(store, tmp_path / "other", hosted=True)
        for name in hosted.served:
            assert hosted.ask(name, id=1, form="flat", name="x") == {"error": "hosted_read_only"}
    assert not (tmp_path / "other").exists()


def test_statistics_and_agreement(page: Page) -> None:
    counted = page.ask("statistics")
    assert counted["states"]["open"] == 2 and counted["progress"] == []
    assert counted["spread"]["phrase"] == [["none", 0], ["joined", 0], ["split", 0]]
    assert {one["queries"] for one in page.ask("agreement")["fields"]} == {0}


def test_work_says_how_far_it_is_and_there_is_only_so_much_of_it() -> None:
    works, go = Works(), threading.Event()

    def act(work) -> dict:
        work.tick(5)
        go.wait(20)
        return {"end": True}

    async def run() -> None:
        begun = [await works.start(act, 10) for _ in range(_AT_ONCE)]
        assert begun[0] == {"work": begun[0]["work"], "done": 5, "total": 10}
        with pytest.raises(Exception, match="busy"):
            await works.start(act)
        go.set()
        while "work" in (reply := works.ask(begun[0]["work"])):
            await asyncio.sleep(0.01)
        assert reply == {"end": True}

    asyncio.run(run())


def test_every_reason_to_refuse_a_row_is_said_in_both_languages() -> None:
    said = {f"rule_{rule}" for rule in RULES} | {
        f"broken_{code}"
        for code in ("answer_does_not_fit", "bad_members", "no_such_word", "no_text")
    }
    for strings in STRINGS.values():
        assert said <= strings.keys()
