"""The Compare tab over a stored evaluation and a workbench without models: own sentences, figures,
rows by filter and page, blind votes by keyboard, the board.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from db.dataset.importing import bring
from db.store import Origin, open_store
from engine.bringing import bring_adapter
from tests.browser.keyboard import tab_to
from tests.browser.pages import App
from tests.fake_translations import SHAPE
from tests.made_adapters import make_adapter
from tests.stored_evaluations import add_evaluation, add_sentences
from tests.told_runs import STUDENT, add_run

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
TEXT = "She meant to call them back. The bank was <b>unkind</b>."
VIEWS = ("side", "split", "split/1", "split/3", "vote", "board")


@pytest.fixture(scope="module")
def app(tmp_path_factory) -> Iterator[App]:
    """The app over two stored evaluations; only one test here votes to the end."""
    home = tmp_path_factory.mktemp("compared")
    with closing(open_store(home / "ctx.db")) as store:
        add_evaluation(store, home)
        add_evaluation(store, home, 60, ("shipped", "run:7"))
        file = home / "pairs.tsv"
        file.write_text("".join(f"Dogs chase cats{chr(97 + n)}.\tOui {n}.\n" for n in range(20)))
        for pair in ("en-fr", "en-it"):
            bring(store, file, Origin("pairs", "", pair))
        entry = bring_adapter(make_adapter(home / "made", SHAPE, pair="en-fr"), home, SHAPE)
        add_sentences(store, home, models=("base", f"kept:{entry.version}"))
        german = make_adapter(home / "german", SHAPE, pair="de-en", task="sense", style="last")
        bring_adapter(german, home, SHAPE)
        add_run(store, home, STUDENT, distil={"teacher": "present"})
    app = App("--home", str(home))
    yield app
    app.close()


def open_view(page: Page, app: App, view: str) -> None:
    page.goto(f"{app.url}/#compare/{view}")
    page.wait_for_selector(f"#compare-{view.split('/')[0]} .ctx-work:not([data-state=loading])")


def choose_pair(page: Page, pair: str) -> None:
    page.locator("#compare-views select.ctx-pair").select_option(pair)


def test_what_two_models_answer_to_own_sentences(page, app):
    open_view(page, app, "side")
    side = page.locator("#compare-side")
    expect(side.locator("select[name=right]")).to_have_value("shipped")
    side.locator("textarea").fill(TEXT)
    side.get_by_role("button", name="Compare").click()
    expect(side.locator("h2[role=status]")).to_have_text("4 of 12 words differ")
    shown = side.locator(".ctx-sentences .ctx-pair-word")
    expect(shown).to_have_text(["meant", "call", "back", "unkind"])
    pair = side.locator(".ctx-sentences .ctx-pair").nth(1)
    expect(pair.locator("[data-side=left] .ctx-differs")).to_have_text(["东西", "no phrase"])
    marked = pair.locator("[data-side=right] .ctx-differs")
    expect(marked).to_have_text(["打电话", "call back", "回电话"])
    side.get_by_role("button", name="bank").click()
    expect(shown).to_have_text(["meant", "call", "back", "bank", "unkind"])
    expect(side.locator(".ctx-same b").first).to_have_text("银行")
    side.get_by_role("button", name="bank").click()
    side.get_by_role("button", name="Write 4 words freely").click()
    told = side.locator(".ctx-raw-told div")
    expect(told.nth(0)).to_contain_text("stopped by itself in 0 of 4, 96 tokens")
    expect(told.nth(1)).to_contain_text("stopped by itself in 4 of 4, 7 tokens")
    expect(side.locator(".ctx-raw-rest").first).to_contain_text("is a word that")
    side.get_by_role("button", name="Swap").click()
    expect(side.locator("select[name=left]")).to_have_value("shipped")


def test_how_two_models_translate_own_sentences(page, app):
    open_view(page, app, "side")
    choose_pair(page, "en-fr")
    side = page.locator("#compare-side")
    expect(side.locator("select[name=task]")).to_have_value("translation")
    side.locator("textarea").fill("Dogs chase catsb. The bank was <b>unkind</b>.")
    side.get_by_role("button", name="Compare").click()
    expect(side.locator("h2[role=status]")).to_have_text("2 of 2 sentences differ")
    rows = side.locator(".ctx-sentences > li")
    expect(rows.nth(0)).to_contain_text("Reference: Oui 1.")
    left, right = (rows.nth(1).locator(f"[data-side={name}]") for name in ("left", "right"))
    expect(right.locator(".ctx-differs")).to_have_text(["The"])
    expect(right.locator(".ctx-is-text")).to_have_attribute("lang", "fr")
    expect(left.locator(".ctx-raw-rest")).to_contain_text("English: No.")
    expect(left).to_contain_text("34 tokens, 30 of them behind the translation")
    expect(right).to_contain_text("4 tokens, stopped by itself")
    expect(side.locator(".ctx-raw")).to_be_hidden()
    choose_pair(page, "en-zh")
    expect(side.locator("select[name=task] option")).to_have_count(2)


def test_translations_are_voted_on_blind(page, app):
    open_view(page, app, "vote")
    choose_pair(page, "en-fr")
    vote = page.locator("#compare-vote")
    expect(vote.locator("select[name=task]")).to_have_value("translation")
    expect(vote.locator("select[name=evaluation] option")).to_have_count(1)
    vote.get_by_text("my own sentences").click()
    vote.locator("textarea").fill("Dogs chase cats. The bank was closed.")
    vote.get_by_role("button", name="Begin").click()
    expect(vote.locator(".ctx-ballot-line")).to_contain_text(".")
    expect(vote.locator(".ctx-ballot-answers .ctx-is-text")).to_have_count(2)
    expect(vote.locator(".ctx-ballot-answers .ctx-differs")).not_to_have_count(0)
    page.keyboard.press("ArrowUp")
    expect(vote.locator(".ctx-ballot-far")).to_have_text("2 of 2")
    page.keyboard.press("ArrowDown")
    expect(vote.locator(".ctx-vote-over h2")).to_contain_text("base against kept")
    expect(vote.locator(".ctx-standings")).to_contain_text("1 / 1")


def test_an_evaluations_figures_and_rows(page, app):
    open_view(page, app, "split")
    split = page.locator("#compare-split")
    split.get_by_role("link", name="base · shipped adapter").click()
    right = split.locator("[data-figure=right]")
    expect(right).to_contain_text("+58.3 %")
    expect(right.locator(".ctx-difference")).to_have_attribute("data-clear", "better")
    ms = split.locator("[data-figure=ms]")
    expect(ms).to_contain_text("lower is better")
    expect(ms.locator(".ctx-difference")).to_have_attribute("data-clear", "better")
    rows, pages = split.locator(".ctx-sentences > li"), split.locator(".ctx-pages [role=status]")
    expect(pages).to_have_text("page 1 of 2, 90 rows")
    expect(rows.first.locator("[data-side=right] [role=img]")).to_have_attribute(
        "aria-label", "wrong"
    )
    split.get_by_role("button", name="On", exact=True).click()
    expect(pages).to_have_text("page 2 of 2, 90 rows")
    expect(rows).to_have_count(40)
    split.get_by_role("button", name="Left is right").click()
    expect(rows).to_have_count(10)
    split.locator(".ctx-order").select_option("best")
    split.get_by_role("button", name="Right is right").click()
    expect(rows.first.locator("[data-side=right] [role=img]")).to_have_attribute(
        "aria-label", "right"
    )
    split.get_by_role("button", name="Swap").click()
    expect(right).to_contain_text("−58.3 %")
    expect(right.locator(".ctx-difference")).to_have_attribute("data-clear", "worse")
    with page.expect_download() as saved:
        split.get_by_role("button", name="Save as JSON").click()
    assert saved.value.suggested_filename == "comparison-1.json"
    with page.expect_popup() as popup:
        split.locator("[data-form=html]").click()
    expect(popup.value.locator("p")).to_have_text("Made up.")


def test_whole_sentences(page, app):
    open_view(page, app, "split")
    split = page.locator("#compare-split")
    choose_pair(page, "en-fr")
    split.locator("select[name=task]").select_option("translation")
    expect(split.locator("select[name=dataset]")).to_be_hidden()
    split.locator(".ctx-split-others summary").click()
    for name in ("server", "url"):  # a server is asked for any pair
        expect(split.locator(f"input[name={name}]")).to_be_visible()
    models = split.locator(".ctx-split-models select")
    expect(models.nth(0).locator("option")).to_have_count(2)
    expect(split.locator("select[name=split] option").first).to_contain_text("(")
    expect(split.get_by_role("button", name="Evaluate")).to_be_enabled()
    link = split.locator(".ctx-split-earlier a").first
    expect(split.locator(".ctx-evaluation").first).to_contain_text("English → French")
    link.click()
    chrf = split.locator("[data-figure=chrf]")
    expect(chrf).to_contain_text("18")
    expect(chrf).to_contain_text("+30")
    expect(chrf.locator(".ctx-difference")).to_have_attribute("data-clear", "better")
    for name in ("ter", "tokens_after_answer", "written_per_needed"):
        row = split.locator(f"[data-figure={name}]")
        expect(row).to_contain_text("lower is better")
        expect(row.locator(".ctx-difference")).to_have_attribute("data-clear", "better")
    rows = split.locator(".ctx-sentences > li")
    expect(rows.first.locator(".ctx-side-line")).to_contain_text("is asleep")
    texts = rows.first.locator(".ctx-is-text")
    expect(texts).to_have_count(3)
    expect(texts.first).to_have_attribute("lang", "fr")
    expect(rows.first).to_contain_text("Reference:")
    expect(split.locator(".ctx-split-rows .ctx-show button")).to_have_count(2)


def test_an_evaluation_by_keyboard(page, app):
    open_view(page, app, "split")
    split, press = page.locator("#compare-split"), page.keyboard.press
    tab_to(page, split.locator("select[name=task]"))
    press("w")  # whole sentences
    expect(split.locator("select[name=dataset]")).to_be_hidden()
    tab_to(page, split.locator(".ctx-split-models select").first)
    tab_to(page, split.locator(".ctx-split-earlier a").last)
    press("Enter")
    tab_to(page, split.get_by_role("button", name="Swap left and right"))
    press("Enter")
    right = split.locator("[data-figure=right]")
    expect(right).to_contain_text("−58.3 %")
    expect(split.get_by_role("button", name="Swap left and right")).to_be_focused()
    tab_to(page, split.locator("[data-show=left]"))
    press("Space")
    expect(split.locator("[data-show=left]")).to_have_attribute("aria-pressed", "true")
    expect(split.locator("[data-show=left]")).to_be_focused()
    tab_to(page, split.locator(".ctx-sentences a").first)
    tab_to(page, split.get_by_role("button", name="Save as JSON"))
    with page.expect_download():
        press("Enter")


def test_votes_by_keyboard(page, app):
    open_view(page, app, "vote")
    vote = page.locator("#compare-vote")
    vote.locator("select[name=evaluation]").select_option("1")
    vote.get_by_role("button", name="Begin").click()
    far = vote.locator(".ctx-ballot-far")
    for number in range(1, 13):
        expect(far).to_have_text(f"{number} of 90")
        assert "base" not in vote.inner_text() and "shipped" not in vote.inner_text()
        wrong = "东西" in vote.locator("[data-place=first]").inner_text()
        if number == 11:
            page.keyboard.press("3")
        elif number == 12:
            vote.locator("summary", has_text="Keys").click()
            vote.locator("[data-key=neither]").click()
            page.keyboard.press("n")
            expect(vote.locator("[data-choice=neither] kbd")).to_have_text("N")
            vote.locator(".ctx-ballot-line").focus()
            page.keyboard.press("n")
        elif number % 2:
            page.keyboard.press("2" if wrong else "1")
        else:
            page.keyboard.press("ArrowRight" if wrong else "ArrowLeft")
    expect(far).to_have_text("13 of 90")
    vote.get_by_role("button", name="Stop and see").click()
    expect(vote.locator("h2[role=status]")).to_have_text("base against shipped adapter")
    told = vote.locator(".ctx-vote-over .ctx-figures div")
    expect(told.nth(2)).to_have_text(re.compile("^1both"))
    expect(told.nth(3)).to_have_text(re.compile("^1neither"))
    expect(vote.locator(".ctx-vote-rate")).to_contain_text("of 10:")
    expect(vote.locator(".ctx-standings tbody tr")).to_have_count(1)
    page.keyboard.press("1")  # nothing lies there to vote on
    vote.get_by_role("button", name="Vote again").click()
    expect(vote.locator(".ctx-vote-ask")).to_be_visible()


def test_own_sentences_are_voted_on(page, app):
    open_view(page, app, "vote")
    vote = page.locator("#compare-vote")
    vote.get_by_label("my own sentences").check()
    vote.locator("textarea").fill(TEXT)
    vote.get_by_role("button", name="Begin").click()
    expect(vote.locator(".ctx-ballot-far")).to_have_text("1 of 4")


def test_the_board(page, app):
    open_view(page, app, "board")
    board = page.locator("#compare-board")
    names = board.locator(".ctx-board-table tbody th a")
    expect(names).to_have_text(["run 7 first try", "shipped adapter", "base"])
    expect(names.first).to_have_attribute("href", "#models/card/run:7")
    expect(board.locator(".ctx-board-all .ctx-drawing circle")).to_have_count(3)
    choose_pair(page, "en-fr")
    expect(board.locator(".ctx-board-table thead")).to_contain_text("chrF++")
    expect(board.locator("tbody td").first).to_contain_text("48.0 45.6 – 50.4")
    choose_pair(page, "en-zh")
    board.get_by_role("link", name="120").click()
    expect(page.locator("#compare-split .ctx-split-one h2").first).to_have_text(
        "base · shipped adapter"
    )


def test_the_board_shows_what_was_made_smaller(page, app):
    open_view(page, app, "board")
    smaller = page.locator("#compare-board .ctx-smaller")
    expect(smaller.locator("tbody tr")).to_have_count(1)
    row = smaller.locator("tbody tr").first
    expect(row).to_contain_text("180.0 MB")
    expect(row).to_contain_text("85.0 % 80.0 % – 90.0 %")
    expect(row).to_contain_text("holds too little of its teacher's score")
    expect(smaller.locator("circle.ctx-open")).to_have_count(2)
    smaller.locator("select").select_option(index=1)
    expect(smaller.locator("tbody th").first).to_have_text(re.compile("bf16"))
    expect(smaller.locator(".ctx-smaller-judged")).to_contain_text("616 rows of en-zh-gold")
    expect(smaller.locator("[data-passed=false]").first).to_have_text("failed")
    smaller.locator("select").select_option("students")
    row.get_by_role("link", name="Run").click()
    run = page.locator("#train-run")
    expect(run.locator(".ctx-run-student")).to_contain_text("85.0 % (80.0 % – 90.0 %)")
    expect(run.locator(".ctx-run-student")).to_contain_text("12 of 18")
    expect(run.locator("[data-kind=wrong_sense] h3")).to_have_text("wrong meaning: 9 of 60")
    run.locator(".ctx-run-errors select").select_option("100")
    expect(run.locator("[data-kind=wrong_sense] h3")).to_have_text("wrong meaning: 12 of 60")
    unreadable = run.locator("[data-kind=unreadable] h3")
    expect(unreadable).to_have_text("ends, but is no answer: 2 of 16")
    expect(run.locator("[data-kind=wrong_sense] p")).to_contain_text("answered verb · 打")


def test_words_of_another_pair(page, app):
    open_view(page, app, "side")
    side = page.locator("#compare-side")
    choose_pair(page, "de-en")
    expect(side.locator("select[name=right]")).to_have_value(re.compile("^kept:"))
    expect(side.locator("textarea")).to_have_attribute("lang", "de")
    side.locator("textarea").fill("Bettina war im Krankenhaus.")
    side.get_by_role("button", name="Compare").click()
    expect(side.locator(".ctx-sentences .ctx-pair-word").first).to_have_attribute("lang", "de")
    expect(side.locator(".ctx-sentences .ctx-is-zh").first).to_have_attribute("lang", "en")
    choose_pair(page, "en-it")
    expect(side.locator(".ctx-alone")).to_be_visible()
    expect(side.get_by_role("button", name="Compare")).to_be_disabled()


def test_nothing_hangs_over_the_edge_of_a_phone_in_the_dark(new_context, app):
    page = new_context(**PHONE, color_scheme="dark", locale="zh-CN").new_page()
    for view in VIEWS:
        open_view(page, app, view)
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, view
    expect(page.locator(".ctx-tabs")).to_have_text(re.compile("阅读.*标注.*训练.*对比.*模型", re.S))


def test_a_hosted_app_says_that_it_compares_nothing(page, start_app):
    app = start_app("--hosted")
    for view in ("side", "split", "vote", "board"):
        open_view(page, app, view)
        closed = page.locator(f"#compare-{view} .ctx-work-closed")
        expect(closed).to_contain_text("switched off here")
        assert not page.locator(f"#compare-{view} button:visible").count()
