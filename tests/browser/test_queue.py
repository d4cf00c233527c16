"""Reviewing in a browser: thirty queries by keyboard alone, drafts, conflicts, a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from db.dataset.importing import bring
from db.store import Filter, Origin
from engine.sense import Answer, Query, Sense
from tests.browser.reviewing import (
    BACK,
    CALL,
    CONTEXT,
    PAIR,
    PHRASE,
    line,
    look,
    open_queue,
    teach,
)


def test_thirty_queries_by_keyboard_alone(tmp_path, begin, page) -> None:
    def fill(store) -> None:
        for number in range(35):
            context = f"Dogs number{chr(97 + number % 26)}{chr(97 + number // 26)} bark."
            teach(
                store,
                Query(context, 0),
                Sense("noun", "狗狗狗狗狗狗狗狗狗狗" if number % 5 == 0 else "狗"),
            )

    app = begin(fill)
    open_queue(page, app)
    seen = []
    for number in range(30):
        seen.append(line(page))
        if number % 3 == 0:  # corrected
            page.keyboard.press("e")
            page.keyboard.type("犬")
            page.keyboard.press("Enter")
            page.wait_for_function(
                "a => document.querySelector('.ctx-line').innerText !== a", arg=seen[-1]
            )
            assert page.evaluate("document.activeElement === document.body")  # keys are commands
            continue
        if number % 7 == 1:
            page.keyboard.press("r")
        else:
            page.keyboard.press("a")
            page.wait_for_function(
                "a => document.querySelector('.ctx-line').innerText !== a"
                " || document.querySelector('.ctx-broken li')", arg=seen[-1],
            )  # fmt: skip
            if page.locator(".ctx-broken li").count():  # too long: a matter of taste
                page.keyboard.press("a")
        page.wait_for_function(
            "a => document.querySelector('.ctx-line').innerText !== a", arg=seen[-1]
        )
    assert len(set(seen)) == 30
    states = look(tmp_path, lambda store: store.browse.states(PAIR))
    assert states["open"] == 5 and states["accepted"] + states["rejected"] == 30
    assert states["rejected"] >= 2
    corrected = look(tmp_path, lambda store: store.browse.count(PAIR, Filter(corrected=True)))
    assert corrected == 10


def test_a_phrase_is_built_with_the_arrows_and_goes_to_its_other_word(
    tmp_path, begin, page
) -> None:
    def fill(store) -> None:
        teach(store, BACK, Sense("adverb", "回"))
        teach(store, CALL, Sense("verb", "打电话"))
        store.feedback.add_feedback(BACK, Answer(Sense("adverb", "回"), "", 0.5, "model", "m"))

    app = begin(fill)
    open_queue(page, app)
    expect(page.locator(".ctx-flag")).to_contain_text("A reader says")
    page.keyboard.press("w")
    for key in ("ArrowLeft", "ArrowLeft", "Space"):
        page.keyboard.press(key)
    expect(page.locator(".ctx-chosen-phrase")).to_have_text("call back")
    expect(page.locator(".ctx-also")).to_contain_text("call")
    page.keyboard.press("m")
    page.keyboard.type("回电话")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.ctx-target')?.innerText === 'call'")
    expect(page.locator(".ctx-chosen-phrase")).to_have_text("call back")
    accepted = look(tmp_path, lambda store: store.labels.accepted(PAIR, CONTEXT))
    assert accepted[4].sense.phrase.members == (2, 4)
    assert 2 not in accepted  # offered, not decided unseen


def test_a_draft_survives_a_reload_and_undo_opens_the_query_again(tmp_path, begin, page) -> None:
    app = begin(lambda store: teach(store, BACK, Sense("noun", "背")))
    open_queue(page, app)
    page.locator(".ctx-queue [name=meaning]").fill("回来")
    page.reload()
    page.wait_for_selector(".ctx-queue[data-state=item]")
    expect(page.locator(".ctx-queue [name=meaning]")).to_have_value("回来")
    page.keyboard.press("a")
    page.wait_for_selector(".ctx-queue[data-state=empty]")
    page.keyboard.press("u")
    page.wait_for_selector(".ctx-queue[data-state=item]")
    expect(page.locator(".ctx-queue [name=meaning]")).to_have_value("背")
    assert look(tmp_path, lambda store: store.labels.accepted(PAIR, CONTEXT)) == {}
    page.locator(".ctx-queue .ctx-history summary").click()
    expect(page.locator(".ctx-queue .ctx-history")).to_contain_text("(taken back)")


def test_somebody_elses_decision_is_shown_and_the_form_kept(tmp_path, begin, page) -> None:
    ids = []
    app = begin(lambda store: ids.append(teach(store, BACK, Sense("noun", "背"))))
    open_queue(page, app)
    page.locator(".ctx-queue [name=meaning]").fill("回去")
    other = Sense("adverb", "回来")
    look(tmp_path, lambda store: store.review.decide("Bob", "edit", ids[0], other))
    page.locator(".ctx-queue [data-do=save]").click()
    expect(page.locator(".ctx-queue .ctx-answers")).to_contain_text("Bob")
    expect(page.locator(".ctx-queue [name=meaning]")).to_have_value("回去")
    page.locator(".ctx-queue [data-do=save]").click()
    page.wait_for_selector(".ctx-queue[data-state=empty]")
    accepted = look(tmp_path, lambda store: store.labels.accepted(PAIR, CONTEXT))
    assert accepted[4].sense.meaning == "回去"


def test_the_models_answer_fills_a_query_that_has_none(tmp_path, begin, page) -> None:
    def fill(store) -> None:
        text = tmp_path / "text.txt"
        text.write_text("The bank was unkind.")
        bring(store, text, Origin("text", ""), most_words=1)

    app = begin(fill)
    open_queue(page, app)
    expect(page.locator(".ctx-queue [name=meaning]")).to_have_value("银行")
    expect(page.locator(".ctx-queue .ctx-answers")).to_contain_text("model")
    page.keyboard.press("a")
    page.wait_for_selector(".ctx-queue[data-state=empty]")
    labels = look(tmp_path, lambda store: store.labels.history(Query("The bank was unkind.", 1)))
    assert [(label.source, label.status) for label in labels] == [
        ("model", "proposed"), ("person", "accepted"),
    ]  # fmt: skip
    assert labels[0].confidence == pytest.approx(0.99)


def test_keys_can_be_changed(begin, page) -> None:
    def fill(store) -> None:
        teach(store, BACK, Sense("adverb", "回"))
        teach(store, CALL, Sense("verb", "打"))

    app = begin(fill)
    open_queue(page, app)
    page.keyboard.press("?")
    page.locator(".ctx-queue [data-key=save]").click()
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    expect(page.locator(".ctx-queue [data-do=save] kbd")).to_have_text("J")
    before = line(page)
    page.keyboard.press("j")
    expect(page.locator(".ctx-left")).to_have_text("1 to review")
    assert before


def test_the_table_decides_many_and_takes_it_back(tmp_path, begin, page) -> None:
    def fill(store) -> None:
        for number in range(3):
            teach(store, Query(f"Dogs {'abc'[number]} bark.", 0), Sense("noun", "狗"))
        teach(store, Query("Cats sleep.", 0), Sense("noun", "猫"))

    app = begin(fill)
    open_queue(page, app)
    page.goto(app.url + "/#label/table")
    expect(page.locator(".ctx-table-row")).to_have_count(4)
    page.locator(".ctx-table [name=text]").fill("狗")
    expect(page.locator(".ctx-table-row")).to_have_count(3)
    page.locator(".ctx-all input").check()
    page.locator(".ctx-table [data-do=accept]").click()
    expect(page.locator(".ctx-table .ctx-toast")).to_contain_text("3 accepted")
    assert look(tmp_path, lambda store: store.browse.states(PAIR))["accepted"] == 3
    page.locator(".ctx-table .ctx-toast [data-do=undo]").click()
    expect(page.locator(".ctx-table-state").first).to_contain_text("to review")
    assert look(tmp_path, lambda store: store.browse.states(PAIR))["accepted"] == 0
    page.locator(".ctx-open").first.click()
    page.wait_for_selector(".ctx-queue[data-state=item]")


def test_a_hosted_app_does_not_review(start_app, page) -> None:
    app = start_app("--hosted")
    page.goto(app.url + "/#label/queue")
    page.wait_for_selector(".ctx-queue[data-state=empty]")
    expect(page.locator(".ctx-queue .ctx-empty")).to_contain_text("switched off")
    expect(page.locator("#label-views .ctx-who")).to_be_hidden()


@pytest.mark.parametrize("view", ["queue", "table"])
def test_nothing_is_wider_than_a_phone(begin, new_context, view) -> None:
    app = begin(lambda store: teach(store, BACK, Sense("adverb", "回", PHRASE)))
    page = new_context(viewport={"width": 390, "height": 800}, has_touch=True).new_page()
    open_queue(page, app)
    page.goto(f"{app.url}/#label/{view}")
    page.wait_for_timeout(800)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    if view == "queue":
        page.locator(".ctx-line [data-w='2']").tap()
        expect(page.locator(".ctx-chosen-phrase")).to_have_text("none")


def test_a_held_key_decides_once(tmp_path, begin, page) -> None:
    def fill(store) -> None:
        for number in range(6):
            teach(store, Query(f"Dogs {chr(98 + number)} bark.", 0), Sense("noun", "狗"))

    app = begin(fill)
    open_queue(page, app)
    for _ in range(12):
        page.keyboard.down("a")
        page.wait_for_timeout(60)
    page.keyboard.up("a")
    expect(page.locator(".ctx-left")).to_have_text("5 to review")
    assert look(tmp_path, lambda store: store.browse.states(PAIR))["accepted"] == 1


def test_drafts_survive_undoing_another(begin, page) -> None:
    def fill(store) -> None:
        teach(store, BACK, Sense("adverb", "回"))
        teach(store, CALL, Sense("verb", "打"))

    app = begin(fill)
    open_queue(page, app)
    page.keyboard.press("a")
    page.wait_for_function("document.querySelector('.ctx-left').innerText.startsWith('1 ')")
    page.locator(".ctx-queue [name=meaning]").fill("叫")
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    page.wait_for_function("document.querySelector('.ctx-left').innerText.startsWith('2 ')")
    page.keyboard.press("a")
    page.wait_for_function("document.querySelector('.ctx-left').innerText.startsWith('1 ')")
    expect(page.locator(".ctx-queue [name=meaning]")).to_have_value("叫")
