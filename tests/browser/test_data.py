"""The Datasets view: what there is, frozen, fetched, backed up."""

from __future__ import annotations

import io
import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pandas
import pytest
from playwright.sync_api import Download, Page, expect

from db.dataset.importing import bring
from db.store import Origin, open_store
from engine.sense import Sense
from tests.browser.pages import App

COLUMNS = ("context", "target", "idx", "class", "zh", "phrase")
ROWS = [
    ("I'll call you back.", "back", 1, "adverb", "回", "call back|回电话"),
    ("I'll call you back.", "you", 1, "pronoun", "你", ""),
    ("The old bank is closed.", "bank", 1, "noun", "银行", ""),
    ("A <b>river</b> bank is wet.", "bank", 1, "noun", "河岸、岸", ""),
]
NAME = "<img src=x onerror=alert(1)>"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a database: three good proposals and one that lists meanings; two people have
    decided about the first sentence."""
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(json.dumps(dict(zip(COLUMNS, row))) for row in ROWS))
    with open_store(tmp_path / "ctx.db") as store:
        bring(store, file, Origin("my rows", "", who="T"))
        store.review.set_overlap(2)
        store.review.work_off()
        for who, word in (("Ann", "你"), ("Bob", "你们")):
            store.review.decide(who, "accept", 2, Sense("pronoun", word))
        store.review.decide(NAME, "accept", 1, store.review.open(1, "Ann").standing.sense)
        store.review.set_overlap(1)
    return tmp_path


def open_data(page: Page, app: App) -> None:
    page.goto(app.url + "/#label/data")
    expect(page.locator(".ctx-data")).to_have_attribute("data-state", "shown")


def begin(page: Page, name: str, proposals: bool = False) -> None:
    page.locator("[data-do=begin]").click()
    page.locator(".ctx-freeze [name=name]").fill(name)
    if proposals:
        page.locator(".ctx-freeze [name=proposals]").check()


def press(page: Page, action: str) -> None:
    page.locator(f".ctx-data [data-do={action}]").click()


def frozen(page: Page, nth: int = 0):
    return page.locator(".ctx-set").nth(nth)


def fetched(page: Page, form: str) -> Download:
    with page.expect_download() as waiting:
        frozen(page).locator(f"[data-form={form}]").click()
    return waiting.value


def content(download: Download) -> bytes:
    return Path(download.path()).read_bytes()


def test_frozen_listed_and_fetched_in_every_form(page, start_app, home):
    open_data(page, start_app("--home", str(home)))
    expect(page.locator(".ctx-sets .ctx-none")).to_be_visible()
    begin(page, NAME)
    page.locator(".ctx-freeze [name=about]").fill("for a try")
    expect(page.locator(".ctx-freeze-count")).to_have_text("2 answers")
    press(page, "freeze")
    expect(page.locator(".ctx-set-name")).to_have_text(NAME)
    expect(page.locator(".ctx-set-about")).to_have_text("for a try")
    expect(page.locator(".ctx-set-rows")).to_have_text("2 rows")
    expect(page.locator(".ctx-freeze")).to_be_hidden()

    flat = fetched(page, "flat")
    assert flat.suggested_filename == "dataset-1.jsonl"
    rows = [json.loads(line) for line in content(flat).decode().splitlines()]
    assert [(row["target"], row["zh"]) for row in rows] == [("back", "回"), ("you", "你们")]
    expect(page.locator(".ctx-told")).to_contain_text("2 rows as JSON lines")
    expect(page.locator(".ctx-told")).to_contain_text("Nothing was left out.")
    assert content(fetched(page, "csv")).decode().splitlines()[0] == ",".join(COLUMNS)
    wire = json.loads(content(fetched(page, "wire")).decode().splitlines()[0])
    assert json.loads(wire["response"])["phrase"] == "call back|回电话"
    table = pandas.read_parquet(io.BytesIO(content(fetched(page, "parquet"))))
    assert list(table["zh"]) == ["回", "你们"]
    with zipfile.ZipFile(io.BytesIO(content(fetched(page, "hf")))) as folder:
        names = folder.namelist()
        assert "README.md" in names and any(name.startswith("data/") for name in names)

    page.locator(".ctx-set [data-do=copy_hash]").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert len(copied) == 64
    begin(page, NAME)
    press(page, "freeze")
    expect(page.locator(".ctx-data .ctx-toast")).to_have_text(
        "There is a dataset of that name already."
    )


def test_rows_that_break_the_rules_are_listed_and_left_out(page, start_app, home):
    open_data(page, start_app("--home", str(home)))
    begin(page, "all", proposals=True)
    expect(page.locator(".ctx-freeze-count")).to_have_text("4 answers")
    press(page, "freeze")
    refused = page.locator(".ctx-refusal")
    expect(refused.locator("p")).to_contain_text("1 of 4 answers")
    expect(refused.locator("ul li")).to_contain_text(["1 × These are several meanings"])
    expect(refused.locator(".ctx-refused-text")).to_have_text("A <b>river</b> bank is wet.")
    press(page, "without")
    expect(page.locator(".ctx-set-rows")).to_have_text("3 rows")
    expect(frozen(page)).to_contain_text("Left out: 1 × These are several meanings")
    fetched(page, "flat")
    expect(page.locator(".ctx-told")).to_contain_text("Left out: 1 × These are several meanings")


def test_a_refused_row_opens_in_the_review(page, start_app, home):
    open_data(page, start_app("--home", str(home)))
    page.locator("#label-views .ctx-who input").fill("Ann")
    page.locator("#label-views .ctx-who input").blur()
    begin(page, "all", proposals=True)
    press(page, "freeze")
    page.locator(".ctx-refused-open").click()
    expect(page.locator(".ctx-queue .ctx-line")).to_contain_text("river")


def test_freezing_by_filter(page, start_app, home):
    open_data(page, start_app("--home", str(home)))
    begin(page, "nouns", proposals=True)
    page.locator(".ctx-freeze summary").click()
    page.locator(".ctx-freeze [name=class]").select_option("noun")
    expect(page.locator(".ctx-freeze-count")).to_have_text("2 answers")
    page.locator(".ctx-freeze [name=text]").fill("closed")
    expect(page.locator(".ctx-freeze-count")).to_have_text("1 answer")
    press(page, "freeze")
    expect(page.locator(".ctx-set-rows")).to_have_text("1 row")
    expect(frozen(page)).to_contain_text("noun · “closed”")


def test_statistics_stand_as_numbers(page, start_app, home):
    open_data(page, start_app("--home", str(home)))
    figure = page.locator(".ctx-states [data-figure=accepted] dd")
    expect(figure).to_have_text("2")
    expect(page.locator("[data-plot=class] li")).to_have_text(["adverb1", "pronoun1"])
    expect(page.locator("[data-plot=phrase] .ctx-legend")).to_contain_text("1 split 50 %")
    expect(page.locator("[data-plot=length] .ctx-bar-name").first).to_have_text("1–5")
    expect(page.locator("[data-plot=source] li")).to_have_text(["my rows2"])
    field = page.locator("[data-field=class] td")
    expect(field).to_have_text(["100 %", "1.00", "1.00", "1"])
    expect(page.locator("[data-field=meaning] td").first).to_have_text("0 %")
    people = page.locator(".ctx-people > li > .ctx-bar-name")
    expect(people).to_have_text([NAME, "Ann", "Bob"])
    page.get_by_role("button", name="中文").click()
    expect(page.locator("[data-plot=class] li").first).to_have_text("副词1")


def test_a_backup_is_a_whole_database(page, start_app, home, tmp_path):
    open_data(page, start_app("--home", str(home)))
    with page.expect_download() as waiting:
        press(page, "backup")
    assert waiting.value.suggested_filename == "ctx-backup.db"
    expect(page.locator(".ctx-backup-told")).to_contain_text("A checked copy of the database")
    with closing(sqlite3.connect(waiting.value.path())) as copy:
        assert copy.execute("SELECT count(*) FROM label").fetchone()[0] == 7


@pytest.mark.parametrize("panel", ["list", "form"])
def test_nothing_hangs_over_the_edge_of_a_phone(new_context, start_app, home, panel):
    page = new_context(**PHONE).new_page()
    with open_store(home / "ctx.db") as store:
        store.datasets.freeze("a" * 200, "en-zh", description="b" * 300)
    open_data(page, start_app("--home", str(home)))
    expect(page.locator(".ctx-set")).to_be_visible()
    if panel == "form":
        begin(page, "all", proposals=True)
        page.locator(".ctx-freeze summary").click()
        press(page, "freeze")
        expect(page.locator(".ctx-refusal")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


ASK = """async ([name, question]) => {
    const found = (one) => one.props.elem_id === 'label-data';
    const component = Object.values(window.gradio_config.components).find(found);
    const reply = await fetch('/gradio_api/component_server', {
        method: 'POST', headers: {'Content-Type': 'application/json'},
        body: JSON.stringify({
            data: question, fn_name: name, component_id: component.id, session_hash: 'x',
        }),
    });
    return reply.json();
}"""


def test_a_hosted_app_shows_and_gives_nothing(page, start_app: Callable[..., App], home):
    app = start_app("--home", str(home), "--hosted")
    page.goto(app.url + "/#label/data")
    expect(page.locator(".ctx-data-closed")).to_be_visible()
    expect(page.locator(".ctx-data-head")).to_be_hidden()
    for name in ("statistics", "agreement", "datasets", "count", "freeze", "export", "push",
                 "backup", "work"):  # fmt: skip
        reply = page.evaluate(ASK, [name, {"name": "x", "id": 1, "form": "flat", "work": "x"}])
        assert reply == {"error": "hosted_read_only"}, name
