"""Adjudication in a browser: side by side, one key takes over, nothing has a start; what waits."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from engine.sense import Answer, Query, Sense
from tests.browser.reviewing import BACK, CALL, PAIR, PHRASE, look, open_queue, teach

SIDES = {"Ann": Sense("noun", "背"), "Bob": Sense("adverb", "回", PHRASE)}


def conflict(store, query: Query, **sides: Sense) -> int:
    store.review.set_overlap(2)
    query_id = teach(store, query, Sense("noun", "背"))
    for who, sense in (sides or SIDES).items():
        store.review.decide(who, "edit", query_id, sense)
    return query_id


def open_conflicts(page, app, who: str = "Cid") -> None:
    open_queue(page, app, who, state="empty")
    page.locator(".ctx-elsewhere .ctx-wait[data-kind=conflicts]").click()
    page.wait_for_selector(".ctx-queue[data-state=item]")


def test_answers_stand_side_by_side_and_one_key_takes_one_over(tmp_path, begin, page) -> None:
    def fill(store) -> None:
        conflict(store, BACK)
        conflict(store, CALL, Ann=Sense("verb", "打"), Bob=Sense("verb", "叫"))

    app = begin(fill)
    open_conflicts(page, app)
    assert page.url.endswith("#label/queue/conflicts")
    expect(page.locator(".ctx-waits .ctx-wait")).to_have_text("2 conflicts")
    expect(page.locator(".ctx-conflicts-left")).to_have_text("2 left to settle")
    sides = page.locator(".ctx-sides")
    expect(sides.locator("thead th")).to_have_text(["Ann", "Bob"])
    row = sides.locator("[data-field=field_phrase]")
    expect(row.locator("td")).to_have_text(["none", "call back"])
    differing = ["field_meaning", "field_class", "field_phrase", "phrase_meaning"]
    shown = sides.locator(".ctx-differs")
    assert shown.evaluate_all("rows => rows.map((row) => row.dataset.field)") == differing
    expect(page.locator(".ctx-queue [name=meaning]")).to_have_value("")
    expect(page.locator(".ctx-fields [name=class]")).to_have_value("")
    expect(page.locator(".ctx-queue .ctx-answers li")).to_have_count(1)  # the teacher's
    page.locator(".ctx-queue [data-do=save]").click()
    expect(page.locator(".ctx-queue .ctx-toast")).to_have_text("Choose the part of speech.")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("2")
    expect(page.locator(".ctx-queue [name=meaning]")).to_have_value("回")
    expect(page.locator(".ctx-chosen-phrase")).to_have_text("call back")
    expect(sides.locator("[data-take='1']")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("a")
    expect(page.locator(".ctx-conflicts-left")).to_have_text("1 left to settle")
    expect(sides.locator("[data-field=field_class]")).not_to_have_class("ctx-differs")
    page.keyboard.press("1")
    page.keyboard.press("a")
    page.wait_for_selector(".ctx-queue[data-state=empty]")
    expect(page.locator(".ctx-today")).to_have_text("2 decided by you today")
    rows = look(tmp_path, lambda store: list(store.exports.answered(PAIR)))
    assert {(row.who, row.sense.meaning) for row in rows} == {("Cid", "回"), ("Cid", "打")}


def test_a_conflict_can_be_settled_by_rejecting(tmp_path, begin, page) -> None:
    def fill(store) -> None:
        query_id = conflict(store, BACK, Ann=SIDES["Ann"])
        store.review.decide("Bob", "reject", query_id, SIDES["Ann"])

    app = begin(fill)
    open_conflicts(page, app)
    expect(page.locator("[data-field=side_decision] td")).to_have_text(["accepted", "rejected"])
    page.keyboard.press("2")  # Bob has no answer to take over
    expect(page.locator(".ctx-queue [name=meaning]")).to_have_value("")
    page.keyboard.press("r")
    page.wait_for_selector(".ctx-queue[data-state=empty]")
    assert look(tmp_path, lambda store: store.browse.states(PAIR))["rejected"] == 1
    page.keyboard.press("u")
    page.wait_for_selector(".ctx-queue[data-state=item][data-mode=adjudicate]")


def test_an_empty_queue_says_what_waits_elsewhere(begin, page) -> None:
    def fill(store) -> None:
        conflict(store, BACK)
        flagged = teach(store, Query("Dogs bark.", 0), Sense("noun", "狗"))
        store.review.decide("Ann", "flag", flagged)
        reported = Query("Banks lend.", 0)
        teach(store, reported, Sense("noun", "岸"))
        store.feedback.add_feedback(reported, Answer(Sense("noun", "岸"), "", 0.5, "model", "m"))
        text = Query("Cats sleep.", 0)
        for who in ("Cid", "Dan"):
            store.review.decide(
                who, "accept", teach(store, text, Sense("noun", "猫")), Sense("noun", "猫")
            )

    app = begin(fill)
    page.goto(app.url + "/#label/table")
    open_queue(page, app, "Cid")
    page.locator(".ctx-queue .ctx-filter summary").click()
    page.locator(".ctx-queue [name=text]").fill("nothing like that")
    page.wait_for_selector(".ctx-queue[data-state=empty]")
    links = page.locator(".ctx-elsewhere .ctx-wait")
    expect(links).to_have_text(["1 conflict", "1 flagged", "1 reported by a reader"])
    expect(page.locator(".ctx-today")).to_have_text("1 decided by you today")
    links.nth(1).click()
    expect(page.locator(".ctx-queue .ctx-flag")).to_contain_text("Flagged.")
    page.locator(".ctx-waits .ctx-wait[data-kind=flagged]").click()  # back to the queue
    expect(page.locator(".ctx-queue .ctx-flag")).to_contain_text("A reader says")
    page.goto(app.url + "/#label/queue/conflicts")
    expect(page.locator(".ctx-adjudicate")).to_be_visible()


def test_nobody_is_sent_to_a_conflict_of_their_own(begin, page) -> None:
    app = begin(lambda store: conflict(store, BACK))
    open_queue(page, app, "Ann", state="empty")
    expect(page.locator(".ctx-elsewhere")).to_be_hidden()
    expect(page.locator(".ctx-waits .ctx-wait")).to_have_count(0)


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_nothing_is_wider_than_a_phone(begin, new_context, locale) -> None:
    long = "长" * 60
    app = begin(
        lambda store: conflict(store, BACK, Ann=Sense("noun", long), **{"B" * 60: SIDES["Bob"]})
    )
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = new_context(locale=locale, **phone).new_page()
    open_conflicts(page, app)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator(".ctx-sides [data-take='1']").tap()
    expect(page.locator(".ctx-queue [name=meaning]")).to_have_value("回")
