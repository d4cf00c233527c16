"""Evaluations: what figures count, what a stopped one keeps, and a whole one without a model."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import torch

from db.dataset.importing import bring
from db.store import Origin, Refused
from engine.models import Base, Choice
from engine.sense import Phrase, Sense, ask
from engine.settings import Settings
from tests.fake_server import FakeServer, Said
from tests.fake_workbench import FakeWorkbench
from tests.tiny import tiny_model, tiny_tokenizer
from trainer.catalogue import Model, ModelError
from trainer.evaluation.answering import Local, Told
from trainer.evaluation.figures import (
    Sums,
    free_terms,
    is_split,
    repeats,
    terms_of,
)
from trainer.evaluation.rows import Rows, band, sorts_of
from trainer.evaluation.stored import FIGURES, ROWS, Kept, row_of
from trainer.evaluation.translators import Written
from trainer.examples import Example
from trainer.jobs import evaluate, translating
from trainer.jobs.kinds import JobError

CALL = ask("They will call you back.", "call")
SPLIT = Sense("verb", "打电话", Phrase((2, 4), "回电话"))
PLAIN = Sense("verb", "打电话、叫", None)


def example(sense=SPLIT, **more) -> Example:
    return Example(CALL, sense, "test", **more)


def figures(*rows):
    """Of answers to examples, each in a sentence of its own."""
    terms = [terms_of(one, sense, 2.0) for one, sense in rows]
    return Sums([str(n) for n in range(len(rows))], [terms]).figures(0)


def values(found):
    return {name: one["value"] for name, one in found.items()}


def test_every_figure_counts_what_it_says():
    together = Sense("verb", "打", Phrase((2, 3), "打给你"))
    found = values(figures(
        (example(), SPLIT),  # all right
        (example(), Sense("noun", "叫", None)),  # all wrong, no phrase found
        (example(PLAIN), Sense("verb", "叫", None)),  # one of the accepted meanings
        (example(PLAIN), together),  # a phrase where there is none
        (example(), None),  # no answer
    ))  # fmt: skip
    assert found["answered"] == 0.8 and found["ms"] == 2.0
    assert found["right"] == found["meaning_match"] == 0.4
    assert found["meaning_exact"] == 0.2
    assert found["class_accuracy"] == 0.6
    assert (found["phrase_precision"], found["phrase_recall"]) == (0.5, 0.3333)
    assert found["phrase_f1"] == 0.4
    assert found["phrase_where_not"] == 0.5
    assert found["split_phrase_recall"] == found["split_phrase_exact"] == 0.3333
    assert found["phrase_meaning_chrf"] == 0.3333


def test_fields_that_a_row_does_not_know_count_nowhere():
    found = figures((example(fields=("class",)), SPLIT))
    assert set(found) == {"answered", "characters", "ms", "class_accuracy"}


def test_differences_are_paired_and_intervals_hold_the_value():
    rows = [(example(), SPLIT if n % 3 else None) for n in range(60)]
    worse = [(one, sense if n % 2 else None) for n, (one, sense) in enumerate(rows)]
    both = [[terms_of(e, sense, 1.0) for e, sense in mine] for mine in (rows, rows, worse)]
    sums = Sums([str(n // 2) for n in range(60)], both)
    for name, one in sums.differences(0, 1).items():
        assert (one["value"], one["interval"]) == (0.0, [0.0, 0.0]), name
    told = sums.differences(0, 2)["right"]
    assert told["value"] == pytest.approx(-1 / 3, abs=1e-3) and told["interval"][1] < 0
    for one in sums.figures(2).values():
        assert one["interval"][0] <= one["value"] <= one["interval"][1]


@pytest.mark.parametrize(
    "text, again",
    [("noun|银行", False), ("a\nb\na\nb\na", True), ("", False), ("abcdefgh" * 3, True)],
)
def test_a_text_that_repeats_itself_is_noticed(text, again):
    assert repeats(text) == again
    assert free_terms(True, True, 3, 0, text)["repeats"] == (float(again), 1.0)


def test_split_phrases_and_usual_words():
    assert is_split(SPLIT) and not is_split(PLAIN)
    assert not is_split(Sense("verb", "x", Phrase((1, 2, 3), "x")))
    assert (band("the", "en"), band("defenestrate", "en")) == ("very common", "rare")
    assert (band("und", "de"), band("und", "en")) == ("very common", "less common")


@pytest.mark.parametrize(("pair", "often"), [("de-en", "common"), ("zh-en", None), ("xx-en", None)])
def test_words_are_as_usual_as_they_are_in_their_own_language(pair, often):
    query = ask("Das Haus ist alt.", "Haus", pair=pair)
    (sorts,) = sorts_of([Example(query, PLAIN, "test")])
    assert sorts.get("frequency") == often and "length" in sorts


def test_answers_are_kept_up_to_where_they_were_cut_off(tmp_path):
    asked = [(f"sentence {n}", (2,)) for n in range(3)]
    kept = Kept(tmp_path, 0, "v1")
    answers = [{2: Told(SPLIT, 0.5, 1.0)}, {}, {2: Told(PLAIN, None, 1.0)}]
    kept.add(asked, answers)
    assert Kept(tmp_path, 0, "v1").answers == answers
    file = tmp_path / "model-0.jsonl"
    file.write_bytes(file.read_bytes()[:-10])
    again = Kept(tmp_path, 0, "v1")
    assert again.answers == answers[:2]
    again.add(asked[2:], answers[2:])
    assert Kept(tmp_path, 0, "v1").answers == answers
    assert Kept(tmp_path, 0, "v2").answers == []


class Work:
    """A job as its kind sees it; it is asked to stop after so many reports."""

    def __init__(self, store, folder, stop_after=10**6, **recipe):
        whole = evaluate.prepare(recipe).recipe
        self.job, self.store, self.folder = SimpleNamespace(recipe=whole), store, folder
        self.settings, self.left, self.told = Settings(home=folder.parent), stop_after, []

    def wish(self):
        return "" if len(self.told) < self.left else "stop"

    def set_paused(self, paused):
        pass

    def report(self, done, total, figures):
        self.told.append((done, total, figures))


ASKED = {"models": ["base", "shipped"], "dataset": "en-zh-gold", "rows": 30, "free": 4}


def test_stopped_and_resumed_it_comes_to_the_same(store, tmp_path, monkeypatch):
    benches = []

    def bench(settings, busy):
        benches.append(FakeWorkbench())
        return benches[-1]

    monkeypatch.setattr(evaluate, "Workbench", bench)
    monkeypatch.setattr(Local, "at_once", 4)
    for name in ("once", "twice"):
        (tmp_path / name).mkdir()
    whole = Work(store, tmp_path / "once", **ASKED)
    assert evaluate.run(whole)
    first = Work(store, tmp_path / "twice", stop_after=4, **ASKED)
    assert not evaluate.run(first) and not (tmp_path / "twice" / FIGURES).exists()
    second = Work(store, tmp_path / "twice", **ASKED)
    assert evaluate.run(second)
    assert second.told[0][0] == first.told[-1][0] > 0
    texts = [(tmp_path / name / ROWS).read_text() for name in ("once", "twice")]
    assert texts[0] == texts[1]
    found = json.loads((tmp_path / "twice" / FIGURES).read_text())
    assert [one["name"] for one in found["models"]] == ["base", "shipped"]
    assert found["split"]["rows"] >= 30 and found["models"][1]["figures"]["ended"]["value"] == 1
    assert all(one["figures"]["tokens"]["value"] > 0 for one in found["models"])
    done, total, figures = second.told[-1]
    assert done == total == 2 * found["split"]["rows"] + 4
    assert figures["models"] == ["base", "shipped"] and len(figures["scores"]) == 2
    asked = [c for bench in benches[1:] for call in bench.asked if call[0] == "answers"
             for c in call[2]]  # fmt: skip
    assert len(asked) == 2 * found["split"]["sentences"], "nothing is asked twice"


def test_better_and_worse_count_what_the_lists_of_rows_show():
    closer = Sense("noun", "打电话", None)  # of three fields one is right, as none was
    wrong = Sense("noun", "叫", None)
    answers = [(wrong, closer), (closer, wrong), (SPLIT, closer), (wrong, wrong)]
    examples = [example() for _ in answers]
    terms = [[terms_of(example(), pair[n], 1.0) for pair in answers] for n in (0, 1)]
    lines = [row_of(example(), [Told(one, None, 1.0) for one in pair]) for pair in answers]
    recipe = evaluate.parse(evaluate.EvaluateRecipe, ASKED)
    models = [Model(name, name) for name in ("base", "shipped")]
    found = evaluate.make_figures(recipe, Rows(tuple(examples), ""), models, terms, lines)
    (pair,) = found["pairs"]
    assert (pair["better"], pair["worse"], pair["same"]) == (1, 2, 1)


def test_the_base_alone_is_let_write_freely_too(store, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluate, "Workbench", lambda settings, busy: FakeWorkbench())
    monkeypatch.setattr(Local, "at_once", 4)
    (tmp_path / "job").mkdir()
    assert evaluate.run(Work(store, tmp_path / "job", **ASKED | {"models": ["base"]}))
    (told,) = json.loads((tmp_path / "job" / FIGURES).read_text())["models"]
    assert told["figures"]["valid"]["n"] == 4
    assert {"ended", "tokens_after_answer"} <= set(told["figures"])


def test_a_model_is_loaded_before_its_time_is_taken(monkeypatch):
    clock, bench = [0.0], FakeWorkbench()
    monkeypatch.setattr("trainer.evaluation.answering.time.perf_counter", lambda: clock[0])

    def takes(seconds, name):
        act = getattr(bench, name)

        def slow(*asked):
            clock[0] += seconds
            return act(*asked)

        monkeypatch.setattr(bench, name, slow)

    takes(60.0, "load")
    takes(0.5, "answers")
    ((told,),) = [
        found.values()
        for found in Local(Model("base", "base"), "en-zh", bench).answer([("call", (0,))])
    ]
    assert told.ms == 500.0 and told.tokens > 0


def test_what_is_asked_of_servers_alone_waits_for_the_network():
    servers = {"models": ["server:a", "teacher:b"], "dataset": "x", "url": "http://127.0.0.1:1"}
    assert evaluate.prepare(servers).slot == "network"
    assert evaluate.prepare(servers | {"task": "translation"}).slot == "compute"
    assert evaluate.prepare(servers | {"models": ["server:a", "base"]}).slot == "compute"


@pytest.mark.parametrize(
    "wrong",
    [
        {"models": []},
        {"models": ["../../etc"]},
        {"models": ["base", "base"]},
        {"models": "base"},
        {"split": "all"},
        {"dataset": ""},
        {"rows": -1},
        {"task": "x"},
        {"nothing": 1},
    ],
)
def test_recipes_that_are_none_are_refused(wrong):
    with pytest.raises(JobError):
        evaluate.prepare(ASKED | wrong)


def test_a_split_without_rows_is_said(store, tmp_path):
    with pytest.raises(JobError, match="no rows"):
        evaluate.find_rows("en-zh-gold", "nothing", 0, 1, "en-zh", store, Settings(home=tmp_path))


def test_whole_sentences_are_set_beside_the_translations_they_came_with(
    store, tmp_path, monkeypatch
):
    file = tmp_path / "pairs.tsv"
    pairs = [(f"The {word} was late.", f"{word}迟到了。") for word in "abcdefghijklmnopqrst"]
    file.write_text("".join(f"{a}\t{b}\tCC-BY\n" for a, b in pairs), encoding="utf-8")
    bring(store, file, Origin("pairs", ""))
    monkeypatch.setattr("trainer.jobs.translating.load_base", lambda settings: None)
    monkeypatch.setattr(
        "trainer.jobs.translating.base_vectors",
        lambda base: lambda text: [[float(ord(c) % 7), 1.0] for c in text],
    )

    def answer(asked, n):
        text = json.loads(asked.last)["context"]
        return Said(json.dumps({"translation": dict(pairs)[text] if "good" in said else "不对"}))

    said = ["good"]
    (tmp_path / "job").mkdir()
    recipe = {"dataset": "translations", "task": "translation", "split": "train"}
    with FakeServer(answer) as server:
        asked = recipe | {"models": ["server:good", "teacher:nobody"], "url": server.url}
        work = Work(store, tmp_path / "job", **asked)
        assert evaluate.run(work)
        count = len(server.asked)
        assert evaluate.run(work) and len(server.asked) == count, "nothing is asked twice"
    lines = (tmp_path / "job" / "model-0.jsonl").read_text().splitlines()
    assert all(json.loads(line)["context"] in dict(pairs) for line in lines)
    found = json.loads((tmp_path / "job" / FIGURES).read_text())
    good, nobody = (one["figures"] for one in found["models"])
    assert found["split"]["rows"] == count > 5
    assert (good["bleu"]["value"], good["ter"]["value"], good["rouge_l"]["value"]) == (100, 0, 1)
    assert nobody["chrf"]["value"] == 0 and good["base_embedding_f1"]["value"] == 1
    assert good["bleu"]["signature"] and found["pairs"][0]["differences"]["chrf"]["value"] < 0
    assert found["pairs"][0]["worse"] == count
    (row, *_) = map(json.loads, (tmp_path / "job" / ROWS).read_text().splitlines())
    assert row["answers"][0]["right"] and row["answers"][1]["text"] == ""
    for models in (["shipped"], ["base", "shipped"]):
        with pytest.raises(ModelError, match="translates no sentences"):
            evaluate.run(Work(store, tmp_path / "job", **recipe | {"models": models}))


def bring_sentences(store, folder, words, name):
    file = folder / f"{name}.tsv"
    lines = [f"The {word} was late.\t{word}迟到了。\tCC-BY\n" for word in words]
    file.write_text("".join(lines), encoding="utf-8")
    bring(store, file, Origin(name, ""))


class Echo:
    """Translates a sentence into itself; `count` says nothing."""

    def __init__(self, name):
        self.model = Model(name, name, version=name, task="translation")

    def translate(self, contexts):
        return [Written(f"{context} 的译文", 3) for context in contexts]

    def count(self, text):
        return 0

    def close(self):
        pass


@pytest.fixture
def echoes(monkeypatch):
    found = "trainer.jobs.translating.find_translators"
    monkeypatch.setattr(found, lambda names, *_: [Echo(name) for name in names])
    monkeypatch.setattr("trainer.jobs.translating.load_base", lambda settings: None)
    monkeypatch.setattr("trainer.jobs.translating.base_vectors", lambda base: lambda text: [[1.0]])


def test_sentences_that_come_in_while_it_rests_change_nothing(store, tmp_path, echoes):
    bring_sentences(store, tmp_path, "abcdefghijklmnopqrstuvwxyz", "first")
    folder = tmp_path / "job"
    folder.mkdir()
    recipe = {"models": ["teacher:a", "teacher:b"], "dataset": "translations", "split": "train"}
    recipe |= {"task": "translation", "rows": 12}
    assert not evaluate.run(Work(store, folder, stop_after=1, **recipe))
    bring_sentences(store, tmp_path, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "second")
    assert evaluate.run(Work(store, folder, **recipe))
    rows = [json.loads(line) for line in (folder / ROWS).read_text().splitlines()]
    assert len(rows) == 12
    for row in rows:
        assert {one["text"] for one in row["answers"]} == {f"{row['context']} 的译文"}
    assert not any(row["context"][4].isupper() for row in rows)


def test_texts_of_other_sentences_are_written_anew(tmp_path):
    file, texts = tmp_path / "model-0.jsonl", [Written(f"text {n}") for n in range(3)]
    kept = translating._Kept(file, "m", ["one", "two", "three"])
    kept.add(texts[:2])
    kept.add(texts[2:])
    assert translating._Kept(file, "m", ["one", "two", "three"]).texts == texts
    assert translating._Kept(file, "m", ["one", "other", "three"]).texts == texts[:1]
    assert len(file.read_text().splitlines()) == 1, "what is dropped is cut off"


def test_a_frozen_set_of_sentences_is_evaluated_as_it_was_frozen(store, tmp_path, echoes):
    bring_sentences(store, tmp_path, "abcdefghijklmnopqrst", "first")
    store.sentence_sets.freeze("mine", "en-zh")
    bring_sentences(store, tmp_path, "ABCDEFGHIJKLMNOPQRST", "second")
    (tmp_path / "job").mkdir()
    recipe = {"models": ["teacher:a"], "task": "translation", "split": "train"}
    assert evaluate.run(Work(store, tmp_path / "job", **recipe | {"dataset": "mine"}))
    split = json.loads((tmp_path / "job" / FIGURES).read_text())["split"]
    assert (split["dataset"], split["rows"]) == (
        "mine", store.sentence_sets.get("mine").splits["train"],
    )  # fmt: skip
    found = evaluate.parse(evaluate.EvaluateRecipe, recipe | {"dataset": "en-zh-gold"})
    with pytest.raises(Refused):
        translating.find_sentences(store, found)


def test_the_base_translates_sentences_and_what_it_writes_too_much_is_a_figure(
    store, tmp_path, monkeypatch
):
    file = tmp_path / "pairs.tsv"
    lines = [f"{word} was late.\t{word}了。\tCC-BY\n" for word in "abcdefghijklmnopqrst"]
    file.write_text("".join(lines), encoding="utf-8")
    bring(store, file, Origin("pairs", ""))
    tokenizer = tiny_tokenizer()
    tokenizer.add_special_tokens({"eos_token": "<eos>"})
    choice = Choice("cpu", torch.float32, "a test")
    base = Base(tiny_model(len(tokenizer)), tokenizer, "tiny", "0", choice)
    monkeypatch.setattr("trainer.jobs.translating.load_base", lambda settings: base)
    (tmp_path / "job").mkdir()
    recipe = {"dataset": "translations", "task": "translation", "split": "train", "rows": 5}
    assert evaluate.run(Work(store, tmp_path / "job", **recipe | {"models": ["base"]}))
    (told,) = json.loads((tmp_path / "job" / FIGURES).read_text())["models"]
    assert (told["name"], told["version"]) == ("base", "base")
    assert {"stopped", "ended", "tokens_after_answer"} <= set(told["figures"])
    assert told["figures"]["written_per_needed"]["value"] > 1
