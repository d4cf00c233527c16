"""What the Compare tab may ask, asked by strangers: sentences, evaluations, the board."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from db.dataset.importing import bring
from db.store import Origin
from engine.bringing import bring_adapter
from engine.sense import Phrase, Query, Sense
from tests.compare_page import BOTH, CALL, Page, french, opened
from tests.fake_translations import SHAPE
from tests.made_adapters import make_adapter
from tests.stored_evaluations import SHA256, add_evaluation, add_sentences
from tests.told_runs import STUDENT, add_run, freeze
from trainer.jobs.process import job_folder
from ui.compare.part import MOST_CONTEXTS, MOST_TEXT

HOSTILE = (None, True, 2**70, [], {}, "../../etc; DROP TABLE vote")
GOOD = {
    "id": 1, "page": 0, "shown": "all", "order": "file", "text": CALL, "contexts": [CALL],
    "queries": [{"context": CALL, "position": 0}], "models": ["base", "shipped"], "form": "html",
    "wish": "stop", "number": 0, **BOTH,
}  # fmt: skip
OTHERS = ("task", "pair", "dataset", "split", "rows", "session", "choice", "who")


@pytest.fixture
def page(tmp_path):
    with opened(tmp_path / "home") as page:
        yield page


def test_no_argument_breaks_a_desk(page):
    add_evaluation(page.store, page.home, 12)
    for name, method in page.served.items():
        if name.endswith(".work"):
            continue
        for asked in HOSTILE:
            assert isinstance(asyncio.run(method(asked)), dict)
        for key in (*GOOD, *OTHERS):
            for hostile in HOSTILE:
                if name == "split.remove" and key != "id":
                    continue
                reply = page.ask_raw(name, GOOD | {key: hostile})
                assert reply.get("error") != "unexpected", (name, key, hostile)


def test_a_hosted_app_compares_nothing(page):
    add_evaluation(page.store, page.home, 12)
    hosted = Page(page.store, page.home, hosted=True)
    for name in hosted.served:
        assert hosted.ask_raw(name, GOOD)["error"] == "hosted_read_only", name
    assert not hosted.bench.asked and not page.store.votes.tallies()


def test_a_text_is_cut_into_its_sentences(page):
    reply = page.ask("side.cut", text=f"{CALL} It rained.\n\nThe bank was unkind.")
    assert [one["context"] for one in reply["sentences"]] == [
        CALL, "It rained.", "The bank was unkind.",
    ]  # fmt: skip
    assert reply["sentences"][1]["pieces"] == ["", "It", " ", "rained", "."]
    many = page.ask("side.cut", text="It rained. " * (MOST_CONTEXTS + 7))
    assert (len(many["sentences"]), many["left_out"]) == (MOST_CONTEXTS, 7)
    assert page.ask("side.cut", text="a " * MOST_TEXT)["error"] == "text_too_long"
    assert page.ask("side.cut", text=" … ")["error"] == "no_context"


def test_two_answers_stand_beside_each_other_and_a_label_says_who_is_right(page):
    sense = Sense("verb", "打电话", Phrase((3, 5), "回电话"))
    page.store.labels.add_label(Query(CALL, 3), sense, "person", "Ann", "accepted")
    (rows,) = page.ask("side.answers", contexts=[CALL], **BOTH)["answers"]
    assert [row["position"] for row in rows] == list(range(6))
    left, right = rows[3]["answers"]
    assert (left["zh"], left["members"], left["right"]) == ("东西", [], False)
    assert (right["zh"], right["phrase"], right["right"]) == ("打电话", "call back", True)
    assert rows[3]["label"]["phrase_zh"] == "回电话"
    assert rows[0]["label"] is None and "right" not in rows[0]["answers"][0]
    ((_, folders, _),) = page.bench.asked
    assert folders[0] is None and folders[1].name == "en-zh-sense"


@pytest.mark.parametrize(
    "asked, error",
    [
        ({"right": "base"}, "same_model"),
        ({"right": "run:9"}, "unknown_model"),
        ({"right": "/etc/passwd"}, "unknown_model"),
        ({"contexts": ["a"] * 5}, "not_understood"),
        ({"contexts": ["…"]}, "no_context"),
        ({"contexts": ["a \x07 b"]}, "control_characters"),
    ],
)
def test_what_cannot_be_compared_is_refused(page, asked, error):
    assert page.ask("side.answers", **{"contexts": [CALL], **BOTH, **asked})["error"] == error
    assert not page.bench.asked


def test_what_is_written_unheld_is_cut_where_it_should_have_stopped(page):
    queries = [{"context": CALL, "position": 1}, {"context": CALL, "position": 2}]
    reply = page.ask("side.raw", queries=queries, **BOTH)["raw"]
    (rambles, stops), (never, _) = reply
    assert (rambles["answer"], rambles["ended"], rambles["over"]) == (" noun|东西", False, 91)
    assert rambles["rest"].startswith(" is a word") and stops["ended"] and not stops["rest"]
    assert never["answer"] == ""
    wrong = page.ask("side.raw", queries=[{"context": CALL, "position": 6}], **BOTH)
    assert wrong["error"] == "no_such_word"


def test_an_evaluation_is_begun_as_a_job(page, tmp_path):
    freeze(page.store, tmp_path, "mine")
    asked = {"models": ["base", "shipped"], "dataset": "mine", "split": "dev", "rows": 200}
    made = page.ask("split.begin", who="Ann", **asked)["evaluation"]
    job = page.store.jobs.get(made["id"])
    assert (job.kind, job.who, job.recipe["rows"]) == ("evaluate", "Ann", 200)
    assert job.recipe["models"] == ["base", "shipped"] and job.recipe["pair"] == "en-zh"
    assert page.ask("split.watch", id=made["id"])["evaluation"]["state"] == "queued"
    assert (
        page.ask("split.wish", id=made["id"], wish="cancel")["evaluation"]["state"] == "cancelled"
    )
    for change, error in (
        ({"dataset": "../mine"}, "no_dataset"),
        ({"split": "all"}, "not_understood"),
        ({"models": ["base", "base"]}, "same_model"),
        ({"models": ["shipped"] * 5}, "not_understood"),
        ({"models": ["run:1"]}, "unknown_model"),
        ({"models": ["teacher:"]}, "unknown_model"),
        ({"models": ["teacher:A", "teacher:A"]}, "same_model"),
        ({"rows": -5}, "not_understood"),
    ):
        assert page.ask("split.begin", **(asked | change))["error"] == error
    assert len(page.store.jobs.list_jobs()) == 1
    names = ["base", "teacher:gemma-3-27b", "server:gemma3"]
    made = page.ask("split.begin", **(asked | {"models": names, "url": "http://127.0.0.1:1"}))
    recipe = page.store.jobs.get(made["evaluation"]["id"]).recipe
    assert recipe["models"] == names and recipe["url"] == "http://127.0.0.1:1"


def test_whole_sentences_are_evaluated_by_what_translates_them(page, tmp_path):
    folder = make_adapter(tmp_path / "made", SHAPE, pair="en-fr")
    model = f"kept:{bring_adapter(folder, page.home, SHAPE).version}"
    file = tmp_path / "pairs.tsv"
    file.write_text("".join(f"Dogs chase cats{chr(97 + n)}.\tOui {n}.\n" for n in range(20)))
    bring(page.store, file, Origin("pairs", "", "en-fr"))
    told = page.ask("split.choices")
    assert told["pairs"][-1] == "en-fr"
    (mine,) = [one for one in told["models"] if one["name"] == model]
    assert (mine["pair"], mine["task"], mine["present"]) == ("en-fr", "translation", True)
    sources = page.ask("split.sources", task="translation", pair="en-fr")
    assert sources["teachers"] == [] and sum(sources["splits"].values()) == 20
    assert page.ask("split.sources", task="verse", pair="en-fr")["error"] == "unknown_value"
    asked = {"models": ["base", model], "split": "dev", "task": "translation", "pair": "en-fr"}
    made = page.ask("split.begin", **asked)["evaluation"]
    assert (made["task"], made["pair"], made["dataset"]) == ("translation", "en-fr", "translations")
    recipe = page.store.jobs.get(made["id"]).recipe
    assert (recipe["task"], recipe["pair"]) == ("translation", "en-fr")
    for change, error in (
        ({"pair": "en-hi"}, "model_task"),
        ({"models": ["base", "shipped"]}, "model_task"),
        ({"task": "sense"}, "model_style"),
        ({"pair": "english"}, "unknown_value"),
        ({"models": ["base", "base"]}, "same_model"),
    ):
        assert page.ask("split.begin", **(asked | change))["error"] == error


def test_own_sentences_are_translated_side_by_side(page, tmp_path):
    both = {"left": "base", "right": french(page, tmp_path), "pair": "en-fr"}
    texts = ["Dogs chase cats.", "Cats chase dogs.", "no " * 41]
    told = page.ask("side.translations", contexts=texts, **both)["answers"]
    ((first,), (second,), (long,)) = told
    assert first["position"] is None and first["label"]["text"] == "Les chiens chassent."
    left, right = first["answers"]
    assert left["text"] == "Voici : chase cats." and right["text"] == "Voici : Dogs chase cats."
    assert [part for part, differs in right["parts"] if differs] == ["Dogs"]
    assert not any(differs for _, differs in left["parts"])
    assert (left["ended"], left["over"], left["tokens"]) == (False, 30, 33)
    assert left["rest"].startswith("\nEnglish: No.")
    assert (right["ended"], right["over"], right["rest"]) == (True, 0, "")
    assert second["label"] is None
    assert [one["tokens"] for one in long["answers"]] == [0, 0]
    for change, error in (
        ({"pair": "en-es"}, "model_task"),
        ({"right": "shipped"}, "model_task"),
        ({"right": "base"}, "same_model"),
        ({"contexts": texts * 2}, "not_understood"),
        ({"contexts": ["…"]}, "no_context"),
    ):
        asked = {"contexts": texts, **both, **change}
        assert page.ask("side.translations", **asked)["error"] == error


def test_teachers_that_answered_before_are_offered(page):
    for n, who in enumerate(("gemma-3-27b", "gemma-3-27b", "qwen")):
        page.store.labels.add_label(Query(CALL, n), Sense("verb", "x"), "teacher", who, "proposed")
    page.store.labels.add_label(Query(CALL, 3), Sense("verb", "x"), "person", "Ann", "accepted")
    told = page.ask("split.sources", task="sense", pair="en-zh")["teachers"]
    assert told == [{"name": "gemma-3-27b", "count": 2}, {"name": "qwen", "count": 1}]
    assert page.ask("split.sources", task="sense", pair="en-es")["teachers"] == []


def test_sentences_have_more_than_one_right_translation(page):
    job = add_sentences(page.store, page.home)
    assert page.ask("split.result", id=job.id)["counts"] == {"all": 60, "differ": 45}
    asked = {"id": job.id, "page": 0, "order": "best"}
    (first, *_) = page.ask("split.rows", **asked, shown="differ")["rows"]
    assert first["answers"][1]["text"] == first["reference"]["text"]
    assert page.ask("split.rows", **asked, shown="left")["error"] == "not_understood"
    assert page.ask("vote.choices")["evaluations"] == []
    (split,) = page.ask("board.board")["splits"]
    assert (split["task"], split["pair"]) == ("translation", "en-fr")
    assert split["models"][0]["score"] == 0.48
    assert split["models"][0]["interval"] == pytest.approx([0.456, 0.504])


def test_words_of_another_pair_are_compared_in_it(page, tmp_path):
    folder = make_adapter(tmp_path / "made", SHAPE, pair="de-en", task="sense", style="last")
    model = f"kept:{bring_adapter(folder, page.home, SHAPE).version}"
    freeze(page.store, tmp_path, "german", pair="de-en")
    both = {"left": "base", "right": model, "pair": "de-en"}
    context = "Bettina war im Bett."
    (mine,) = [one for one in page.ask("side.models")["models"] if one["name"] == model]
    assert (mine["pair"], mine["task"], mine["present"]) == ("de-en", "sense", True)
    cut = page.ask("side.cut", text=f"{context} Es war am 3. Mai.", pair="de-en")
    assert [one["context"] for one in cut["sentences"]] == [context, "Es war am 3. Mai."]
    (rows,) = page.ask("side.answers", contexts=[context], **both)["answers"]
    assert [row["position"] for row in rows] == list(range(4))
    assert page.bench.pairs == ["de-en"]
    for asked in ({"pair": "en-zh"}, {"right": "shipped"}):
        told = page.ask("side.answers", contexts=[context], **(both | asked))
        assert told["error"] == "model_style"
    asked = {"models": ["base", model], "split": "dev", "pair": "de-en"}
    made = page.ask("split.begin", dataset="german", **asked)["evaluation"]
    assert page.store.jobs.get(made["id"]).recipe["pair"] == "de-en"
    freeze(page.store, tmp_path, "mine")
    assert page.ask("split.begin", dataset="mine", **asked)["error"] == "no_dataset"
    sitting = page.ask("vote.paste", text=context, **both)
    page.ask("vote.choose", session=sitting["session"], number=0, choice="first")
    assert len(page.store.votes.list_votes("de-en")) == 1
    assert len(page.ask("vote.choices", pair="de-en")["standings"]) == 1
    assert page.ask("vote.choices", pair="en-zh")["standings"] == []


def test_rows_are_filtered_sorted_and_paged(page):
    job = add_evaluation(page.store, page.home)
    counts = page.ask("split.result", id=job.id)["counts"]
    assert counts["all"] == 120 and counts["wrong"] == 0
    assert counts["differ"] == counts["left"] + counts["right"] > 60
    seen = []
    for number in range(3):
        reply = page.ask("split.rows", id=job.id, page=number, shown="all", order="worst")
        assert reply["count"] == 120
        seen += reply["rows"]
    assert Counter(row["number"] for row in seen) == Counter(range(120))
    assert [row["answers"][0]["right"] for row in seen[:10]] == [True] * 10
    assert not any(row["answers"][1]["right"] for row in seen[:10])
    gains = [row["answers"][1]["worth"] - row["answers"][0]["worth"] for row in seen]
    assert gains == sorted(gains)
    best = page.ask("split.rows", id=job.id, page=0, shown="right", order="best")["rows"]
    assert len(best) == 50 and all(row["answers"][1]["right"] for row in best)
    turned = page.ask("split.rows", id=job.id, page=0, shown="left", order="best", left=1, right=0)
    assert turned["count"] == counts["right"]
    assert turned["rows"][0]["pieces"][2 * turned["rows"][0]["position"] + 1]


def test_files_that_are_gone_or_broken_are_told(page):
    job = add_evaluation(page.store, page.home, 12)
    folder = job_folder(page.home, job.id)
    assert page.ask("split.report", id=job.id, form="html")["text"].startswith("<!doctype html>")
    assert page.ask("split.report", id=job.id, form="../ctx.db")["error"] == "not_understood"
    (folder / "answers.jsonl").write_text('{"answers": []}\n')
    (folder / "evaluation.json").touch()
    assert page.ask("split.result", id=job.id)["error"] == "no_evaluation"
    page.ask("split.remove", id=job.id)
    assert page.ask("split.result", id=job.id)["error"] == "unknown_value"


def test_only_jobs_that_evaluate_are_shown(page):
    job_id = page.store.jobs.add_done("train", "compute", {}, {}, [])
    for name in ("watch", "wish", "remove", "result", "report"):
        asked = {"id": job_id, "wish": "cancel", "form": "json"}
        assert page.ask(f"split.{name}", **asked)["error"] == "unknown_value"
    assert page.store.jobs.get(job_id)


def test_the_board_has_what_was_made_smaller(page):
    told = page.ask("board.board")["smaller"]
    assert told["forms"][0]["forms"][0]["name"] == "bf16" and told["students"] == []
    job = add_run(page.store, page.home, STUDENT, distil={"teacher": "present"}, name="tiny")
    add_run(page.store, page.home)
    (student,) = page.ask("board.board")["smaller"]["students"]
    assert (student["name"], student["title"], student["pair"]) == (
        f"run:{job.id}",
        "tiny",
        "en-zh",
    )
    assert (student["kept"], student["reason"]) == (0.85, "failed_gate")


def test_the_board_has_each_models_latest_evaluation(page):
    add_evaluation(page.store, page.home, 30)
    newest = add_evaluation(page.store, page.home, 60, ("shipped", "run:7"))
    add_evaluation(page.store, page.home, 30, split="test")
    dev = next(one for one in page.ask("board.board")["splits"] if one["split"] == "dev")
    assert (dev["dataset"], dev["sha256"]) == ("en-zh-gold", SHA256)
    lines = {line["name"]: line for line in dev["models"]}
    assert set(lines) == {"base", "shipped", "run:7"}
    scores = [line["score"] for line in dev["models"]]
    assert scores == sorted(scores, reverse=True)
    assert lines["run:7"]["job"] == newest.id and lines["run:7"]["interval"]
    assert lines["run:7"]["rows"] == 60 and lines["base"]["rows"] == 30
