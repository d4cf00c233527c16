"""The Train tab over runs that the test makes up: the form, a run's page while it tells more, the
table of all runs. No model is trained.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from db.store import Store, open_store
from tests.browser.pages import App
from tests.told_runs import add_run, freeze, leave_files, tell, tell_steps, whole_run

NAME = "<img src=x onerror=alert(1)>"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "ctx.db")) as store:
        yield store


@pytest.fixture
def start(tmp_path: Path, start_app: Callable[..., App]) -> Callable[..., App]:
    return lambda *options: start_app("--home", str(tmp_path), *options)


def open_view(page: Page, app: App, view: str) -> None:
    page.goto(f"{app.url}/#train/{view}")
    name = view.split("/")[0]
    expect(page.locator(f"#train-{name} .ctx-work")).to_have_attribute("data-state", "shown")


def test_three_clicks_start_a_run(store, start, page, tmp_path):
    add_run(store, tmp_path, (), "running")  # so that the new one waits
    freeze(store, tmp_path, "mine", 40)
    freeze(store, tmp_path, "yours", 40)
    open_view(page, start(), "new")
    go = page.locator("#train-new .ctx-go [type=submit]")
    expect(go).to_be_disabled()
    page.locator(".ctx-data-tiles .ctx-tile", has_text="mine").click()
    page.locator(".ctx-preset-tiles .ctx-tile", has_text="A laptop tonight").click()
    go.click()
    expect(page.locator(".ctx-run-head h2")).to_have_text("Run 2: en-zh-sense")
    expect(page.locator(".ctx-run-state")).to_have_text(
        "Queued #1. It starts when what stands before it is done."
    )
    recipe = store.jobs.get(2).recipe
    assert [source["path"] for source in recipe["sources"]] == ["en-zh-gold", "mine"]
    assert (recipe["start"], recipe["replay"], recipe["epochs"]) == ("present", 0.3, 2.0)


def test_the_form_says_what_does_not_fit_and_outlives_a_reload(store, start, page, tmp_path):
    freeze(store, tmp_path, "mine", 40)
    open_view(page, start(), "new")
    assert page.locator(".ctx-field").count() > 25
    page.locator(".ctx-preset-tiles .ctx-tile", has_text="QLoRA").click()
    expect(page.locator("[name=quantised]")).to_be_checked()
    page.locator("#train-new .ctx-field [name=rank]").fill("many")
    page.locator("#train-new .ctx-more summary").click()
    page.locator("#train-new .ctx-field [name=warmup]").fill("3")
    page.locator("#train-new .ctx-go [type=submit]").click()
    rank = page.locator("[data-field=rank]")
    expect(rank.locator(".ctx-field-wrong")).to_have_text("A whole number from 1 to 512.")
    expect(rank.locator("input")).to_be_focused()
    expect(page.locator("[data-field=warmup] .ctx-field-wrong")).not_to_be_empty()
    page.get_by_role("button", name="中文").click()
    expect(rank.locator("label span")).to_have_text("秩")
    expect(rank.locator(".ctx-field-help")).to_have_text("LoRA 的秩")
    page.reload()
    expect(page.locator("#train-new .ctx-field [name=rank]")).to_have_value("many")
    expect(page.locator(".ctx-new-changed")).to_contain_text("秩")
    page.locator("#train-new [data-do=back]").click()
    expect(page.locator("#train-new .ctx-field [name=rank]")).to_have_value("16")
    assert store.jobs.list_jobs() == ()


def test_a_look_before_and_rows_as_the_model_sees_them(store, start, page, tmp_path, models_home):
    (tmp_path / "models").symlink_to(models_home / "models")
    freeze(store, tmp_path, "mine", 60)
    open_view(page, start(), "new")
    page.locator("#train-new [data-do=check]").click()
    steps = page.locator("#train-new [data-figure=steps] dd")
    expect(steps).to_have_text(re.compile(r"[1-9]\d*"))  # whether it fits depends on the machine
    page.locator("#train-new [data-do=preview]").click()
    rows = page.locator(".ctx-preview li")
    expect(rows).to_have_count(10)
    counted = "".join(rows.first.locator("mark").all_inner_texts())
    assert "|" in counted and counted.endswith("⏎") and "<bos>" not in counted  # the answer alone
    page.locator("#train-new .ctx-field [name=batch]").fill(
        "8"
    )  # what was looked at no longer goes with it
    expect(page.locator(".ctx-plan")).to_be_hidden()


def test_without_a_dataset_the_way_to_one_is_shown(start, page):
    open_view(page, start(), "new")
    expect(page.locator(".ctx-new-none")).to_contain_text("There is no dataset yet.")
    page.locator(".ctx-new-none a").click()
    expect(page.locator(".ctx-data")).to_be_visible()


def test_a_run_goes_on_from_what_readers_have_where_they_have_something(app, page):
    page.goto(app.url + "/#train/new")
    goes_on_from = page.locator("#train-new [name=start]")
    expect(goes_on_from).to_have_value("present")
    page.locator("#train-views select.ctx-pair").select_option("en-es")
    expect(goes_on_from).to_have_value("")
    page.locator("#train-new [name=task][value=translation]").check()
    expect(goes_on_from).to_have_value("present")


def test_a_run_is_watched_while_it_tells_more(store, start, page, tmp_path):
    freeze(store, tmp_path, "mine")
    job = add_run(store, tmp_path, tell_steps(0, 100), "running")
    open_view(page, start(), f"run/{job.id}")
    state = page.locator(".ctx-run-state")
    expect(state).to_have_text("Training: step 100 of 400.")
    expect(page.locator(".ctx-run-far")).to_contain_text("about 4 min left")
    expect(page.locator("#train-run .ctx-curve-plot")).to_have_count(6)
    tell(store, job.id, whole_run()[22:30])
    marks = page.locator("[data-plot=loss] .ctx-mark-name")
    expect(marks.filter(has_text="back to step 150")).to_be_visible()
    expect(page.locator(".ctx-run-marks li")).to_have_attribute("data-mark", "rollback")
    page.locator("#train-run [data-do=stop]").click()
    expect(state).to_have_text("Saving, then it stops…")
    assert store.jobs.get(job.id).asked == "stop"
    tell(store, job.id, [{"event": "stopped", "step": 250}])
    store.jobs.end(job.id, store.jobs.get(job.id).process, "stopped")
    expect(state).to_contain_text("It can go on from where it was.")
    expect(page.locator(".ctx-run-actions button")).to_have_text(
        ["Go on", "New run like this", "Remove"]
    )


def test_curves_have_values_and_a_legend_that_switches(store, start, page, tmp_path):
    freeze(store, tmp_path, "mine")
    job = add_run(store, tmp_path, whole_run())
    open_view(page, start(), f"run/{job.id}")
    dev = page.locator("[data-plot=dev]")
    expect(dev.locator("svg[role=img]")).to_have_attribute(
        "aria-label", "Answers to rows it does not learn"
    )
    expect(dev.locator("polyline")).to_have_count(4)
    expect(dev.locator(".ctx-ring")).to_have_count(4)
    expect(dev.locator("[data-curve=valid]")).to_have_text("well-formed, n = 16")
    dev.locator("[data-curve=valid]").click()
    expect(dev.locator("polyline")).to_have_count(5)
    dev.locator(".ctx-drawing").hover(position={"x": 60, "y": 100})
    expect(dev.locator(".ctx-readout")).to_contain_text("step 0 · score 0.55")
    dev.locator("summary").click()
    expect(dev.locator(".ctx-is-best th")).to_have_text("300")
    expect(dev.locator("tr")).to_have_count(10)


def test_a_finished_runs_page(store, start, page, tmp_path):
    freeze(store, tmp_path, "mine")
    job = add_run(store, tmp_path, whole_run(), name="first-try")
    leave_files(tmp_path, job.id, spoil="checkpoint")
    open_view(page, start(), f"run/{job.id}")
    expect(page.locator("#train-run .ctx-verdict")).to_contain_text("Not fit to promote")
    expect(page.locator("#train-run .ctx-verdict")).to_contain_text("It keeps 83.3 % of the score")
    meaning = page.locator("#train-run .ctx-score [data-figure=meaning_match] td").first
    expect(meaning).to_have_text("0.620")
    expect(page.locator("[data-checkpoint=best]")).to_contain_text("verified")
    expect(page.locator("[data-checkpoint=checkpoint]")).to_contain_text("damaged")
    expect(page.locator(".ctx-run-data")).to_contain_text("abababababab")
    expect(page.locator(".ctx-run-data")).to_contain_text("3 more that could not be used")
    page.locator("#train-run [data-do=copy_command]").click()
    command = f"python -m trainer run {tmp_path}/jobs/{job.id}/recipe.json"
    assert page.evaluate("navigator.clipboard.readText()") == command
    page.locator(".ctx-run-log summary").click()
    expect(page.locator(".ctx-run .ctx-log")).to_contain_text("loading <b>data</b>")
    for form in ("md", "json"):
        with page.expect_download() as kept:
            page.locator(f"#train-run [data-do=save_{form}]").click()
        assert kept.value.suggested_filename == f"run-{job.id}.{form}"
    with page.context.expect_page() as opened:
        page.locator("#train-run [data-do=open_report]").click()
    expect(opened.value.locator("h1")).to_have_text(f"Run {job.id}: first-try")
    expect(opened.value.locator("figure")).to_have_count(5)
    opened.value.close()
    page.locator("#train-run [data-do=again]").click()
    expect(page.locator("#train-new .ctx-field [name=name]")).to_have_value("first-try")
    expect(page.locator("#train-new .ctx-field [name=epochs]")).to_have_value("8")
    expect(page.locator("#train-new .ctx-go p")).to_have_text("“mine” · own settings")


def test_a_failure_is_said_in_plain_words_with_advice(store, start, page, tmp_path):
    freeze(store, tmp_path, "mine")
    job = add_run(store, tmp_path, tell_steps(0, 50), "failed", "out_of_memory", NAME)
    odd = add_run(store, tmp_path, (), "failed", "never_heard_of", "KeyError: 'x'")
    app = start()
    open_view(page, app, f"run/{job.id}")
    told = page.locator("#train-run .ctx-trouble-told")
    expect(told).to_contain_text("The memory did not suffice.")
    expect(told).to_contain_text(NAME)
    open_view(page, app, f"run/{odd.id}")
    expect(told).to_contain_text("KeyError: 'x'")
    page.goto(app.url + "/#train/run/99")
    expect(page.locator(".ctx-run-gone")).to_be_visible()


def test_what_people_type_is_text_everywhere(store, start, page, tmp_path):
    freeze(store, tmp_path, NAME.replace("/", ""), 40)
    job = add_run(store, tmp_path, whole_run(), name=NAME, sources=[{"name": NAME, "path": NAME}])
    app = start()
    open_view(page, app, f"run/{job.id}")
    note = page.locator(".ctx-run-note textarea")
    note.fill(NAME)
    note.blur()
    expect(page.locator(".ctx-run .ctx-toast")).to_have_text("The note is kept.")
    page.reload()
    expect(note).to_have_value(NAME)
    page.locator("#train-views [data-view=runs]").click()
    expect(page.locator(f"[data-run='{job.id}'] .ctx-col-note")).to_have_text(NAME)
    page.locator("#train-views [data-view=new]").click()
    expect(page.locator(".ctx-data-tiles b")).to_contain_text("<img")
    assert page.locator(".ctx-work img").count() == 0


def test_cancel_and_remove_ask_first(store, start, page, tmp_path):
    freeze(store, tmp_path, "mine")
    job = add_run(store, tmp_path, tell_steps(0, 50), "running")
    open_view(page, start(), f"run/{job.id}")
    dialog = page.locator("#train-run dialog")
    page.locator("#train-run [data-do=cancel]").click()
    expect(dialog).to_contain_text("What it has learnt is discarded.")
    dialog.get_by_role("button", name="Keep it").click()
    assert store.jobs.get(job.id).asked == ""
    page.locator("#train-run [data-do=cancel]").click()
    dialog.get_by_role("button", name="Cancel the run").click()
    expect(page.locator(".ctx-run-state")).to_have_text("Cancelling…")
    store.jobs.end(job.id, store.jobs.get(job.id).process, "cancelled")
    page.locator("#train-run [data-do=remove]").click()
    dialog.get_by_role("button", name="Remove with its files").click()
    expect(page.locator(".ctx-runs-none")).to_be_visible()
    assert store.jobs.list_jobs() == ()


def test_runs_are_sorted_searched_compared_and_removed(store, start, page, tmp_path):
    freeze(store, tmp_path, "mine")
    for number in range(1, 7):
        events = tell_steps(0, 50 * number)
        add_run(store, tmp_path, events, "stopped" if number % 2 else "done", name=f"try-{number}")
    store.jobs.write_note(3, "half the rate")
    open_view(page, start(), "runs")
    rows = page.locator(".ctx-runs tbody tr")
    links = rows.locator("a")
    expect(links).to_have_text([f"{n} · try-{n}" for n in range(6, 0, -1)])
    page.locator("[data-by=score]").click()
    page.locator("[data-by=score]").click()
    expect(page.locator(".ctx-col-score[aria-sort]")).to_have_attribute("aria-sort", "ascending")
    expect(links.first).to_have_text("1 · try-1")
    search = page.locator(".ctx-runs-search input")
    search.fill("half stopped")
    expect(links).to_have_text(["3 · try-3"])
    search.fill("")
    for number in range(1, 7):
        page.locator(f"[data-run='{number}'] input").check()
    plot = page.locator("[data-plot=compare]")
    expect(plot.locator("polyline")).to_have_count(5)
    expect(page.locator(".ctx-compare-told")).to_have_text("The first 5 that are ticked are shown.")
    page.locator(".ctx-compare select").select_option("loss")
    expect(plot.locator("figcaption")).to_have_text("training loss")
    expect(plot.locator(".ctx-curve-name").first).to_have_text("1 · try-1")
    page.locator(".ctx-runs-chosen [data-do=remove]").click()
    page.locator("#train-runs dialog [value=yes]").click()
    expect(page.locator(".ctx-runs-none")).to_be_visible()


def test_the_queue_is_put_in_another_order(store, start, page, tmp_path):
    freeze(store, tmp_path, "mine")
    add_run(store, tmp_path, tell_steps(0, 50), "running")
    first, second = (add_run(store, tmp_path, (), "queued", name=name) for name in ("one", "two"))
    open_view(page, start(), "runs")
    row = page.locator(f"[data-run='{second.id}']")
    expect(row.locator(".ctx-run-is")).to_have_text("queued #2")
    row.locator("[data-do=up]").click()
    expect(row.locator(".ctx-run-is")).to_have_text("queued #1")
    assert store.jobs.get(first.id).place == 2
    expect(row.locator("[data-do=up]")).to_be_disabled()


def test_nothing_is_asked_while_nobody_looks(store, start, page, tmp_path):
    freeze(store, tmp_path, "mine")
    job = add_run(store, tmp_path, tell_steps(0, 50), "running")
    over = add_run(store, tmp_path, (), "queued")
    store.jobs.ask(over.id, "cancel")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.post_data or ""))

    def watches(during: int = 4500) -> int:
        asked.clear()
        page.wait_for_timeout(during)
        return sum('"watch"' in one for one in asked)

    def answered():
        return page.expect_response(lambda one: '"watch"' in (one.request.post_data or ""))

    app = start()
    with answered():
        open_view(page, app, f"run/{job.id}")
    with answered():
        pass  # asked again by itself
    page.locator("[data-tab=read]").click()
    expect(page.locator(".ctx-read")).to_be_visible()
    assert watches() == 0
    with answered():
        open_view(page, app, f"run/{over.id}")
    expect(page.locator(".ctx-run-state")).to_contain_text("Cancelled")
    assert watches() == 0


@pytest.mark.parametrize("view", ["new", "runs", "run/1"])
def test_nothing_hangs_over_the_edge_of_a_phone(store, start, new_context, tmp_path, view):
    freeze(store, tmp_path, "a-name-without-end-" * 6, 40)
    long = "a-run-with-a-very-long-name-" * 2 + "x"
    job = add_run(store, tmp_path, whole_run(), name=long)
    leave_files(tmp_path, job.id)
    store.jobs.write_note(job.id, "w" * 200)
    page = new_context(**PHONE).new_page()
    open_view(page, start(), view)
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert json.loads(page.evaluate("JSON.stringify(document.body.dataset)"))["tab"] == "train"


def test_a_hosted_app_trains_nothing(start_app, page):
    app = start_app("--hosted")
    for view in ("new", "runs", "run/1"):
        page.goto(f"{app.url}/#train/{view}")
        part = page.locator(f"#train-{view.split('/')[0]}")
        expect(part.locator(".ctx-work-closed")).to_be_visible()
        assert part.locator("button:visible, input:visible").count() == 0
