"""Sentences with translations that a teacher wrote, in any pair: looked at as a corpus' rows are,
marked as synthetic, and taken as training pairs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.dataset.exporting import export_sentences
from db.dataset.importing import bring
from db.store import Origin, Store, open_store
from engine.settings import Settings
from engine.teaching import BadAnswer, load_template
from tests.fake_server import FakeServer, Said
from trainer.jobs.frozen import place_corpus
from trainer.jobs.kinds import JobError
from trainer.jobs.process import this_process
from trainer.jobs.translations import TranslationsRecipe, checking, prepare, run
from trainer.jobs.work import Work
from trainer.scratch.corpus.checks import prepare as make_ready
from trainer.scratch.corpus.recipe import CorpusRecipe
from trainer.scratch.corpus.run import make_corpus

PAIR = "de-en"
SAID = {
    "Der Zug nach Ulm fährt um 10 Uhr 30 ab.": "The train to Ulm leaves at 10:30.",
    "Kommst du heute Abend auch zum Essen?": "Are you coming to dinner tonight, too?",
    "Wir haben 25 Stühle in die Halle getragen.": "We carried 52 chairs into the hall.",
}
GOOD = list(SAID.items())[:2]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    text = tmp_path / "clean.txt"
    text.write_text("\n".join(SAID), encoding="utf-8")
    with open_store(tmp_path / "ctx.db") as store:
        bring(store, text, Origin("clean.txt", "", PAIR), 0)
        yield store


def translate(store: Store, home: Path) -> tuple[Work, FakeServer]:
    def write(asked, n):
        context = json.loads(
            next(m for m in asked.body["messages"] if m["role"] == "user")["content"]
        )
        return Said(json.dumps({"translation": SAID[context["context"]]}))

    with FakeServer(write) as server:
        recipe = prepare({"url": server.url, "model": "big", "pair": PAIR}).recipe
        job_id = store.jobs.add("translations", "network", dict(recipe))
        job = store.jobs.take(job_id, this_process(), None)
        work = Work(job, this_process(), store, Settings(home=home))
        assert run(work)
    return work, server


def test_a_teachers_translations_pass_the_corpus_checks_and_are_marked(store, tmp_path):
    work, server = translate(store, tmp_path)
    system = server.asked[0].body["messages"][0]["content"]
    assert "from German to English" in system and "{" not in system.replace('{"translation"', "")
    (aside,) = store.requests.list_requests(work.job.id, "set_aside")
    assert aside.asked["context"].startswith("Wir haben 25") and "other numbers" in aside.reason
    assert len(server.asked) == 4, "what is refused is asked for once more"
    (made, *_) = store.imports.list_imports()
    assert made.origin == "synthetic: big, template translation-2"

    assert store.sentence_sets.count(PAIR) == {"train": 0, "dev": 0, "test": 0}
    frozen = store.sentence_sets.freeze("taught", PAIR, "big")
    assert (frozen.rows, frozen.synthetic) == (2, 2)
    assert store.sentence_sets.marked("taught") == [(*pair, "big") for pair in GOOD]
    export_sentences(store, tmp_path / "rows.jsonl", "taught")
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert [row["synthetic"] for row in rows] == ["big", "big"]

    recipe = CorpusRecipe(languages=PAIR, sources=("dataset:taught",), held_out=False, index_mb=1)
    found = place_corpus(recipe, store, tmp_path)
    assert "2 of 2 translations synthetic (big)" in found.origin
    make_corpus(make_ready(found), tmp_path / "out", lambda _: None, lambda: False)
    lines = [
        (tmp_path / "out" / f"train.{code}.txt").read_text(encoding="utf-8").splitlines()
        for code in ("de", "en")
    ]
    assert list(zip(*lines)) == GOOD
    with pytest.raises(JobError, match="de-en"):
        place_corpus(CorpusRecipe(languages="en-de", sources=("dataset:taught",)), store, tmp_path)


def test_what_people_brought_is_not_marked(store, tmp_path):
    file = tmp_path / "pairs.tsv"
    file.write_text("Noch ein Satz kam dazu.\tOne more sentence came.\n", encoding="utf-8")
    bring(store, file, Origin("pairs.tsv", "", PAIR), 0)
    frozen = store.sentence_sets.freeze("mine", PAIR)
    assert (frozen.rows, frozen.synthetic) == (1, 0)
    assert store.sentence_sets.marked("mine")[0][2] == ""


@pytest.mark.parametrize(
    "context, text, rule",
    [
        ("Kommst du?", "You come.", "question"),
        ("Er las ein altes Buch.", "Er las ein altes Buch.", "the same"),
        ("Er las ein altes Buch.", "He read https://example.org", "an address"),
        ("Er las ein altes Buch.", "He read read read read read read read read", "again and again"),
    ],
)
def test_a_pair_that_a_corpus_would_drop_is_refused(context, text, rule):
    with pytest.raises(BadAnswer, match=rule):
        checking(PAIR, ())(context, text)
    assert checking(PAIR, ())("Ja.", "Yes.") == "Yes.", "a short one is no fault here"


def test_known_translations_say_how_long_one_may_be():
    known = [("Das ist gut so, wie es ist.", "That is good as it is.")] * 50
    long = "It is true, and yet there was so much more to tell that it takes two lines."
    assert checking(PAIR, ())("Das ist wahr.", long)
    with pytest.raises(BadAnswer, match="too long"):
        checking(PAIR, known)("Das ist wahr.", long)


def test_each_pair_has_its_template_and_unknown_ones_are_refused():
    assert prepare({"url": "http://x/v1", "model": "m"}).recipe["template"] == "translation-1"
    for pair in ("de-de", "en-xx", "english"):
        with pytest.raises(JobError):
            TranslationsRecipe(url="http://x/v1", model="m", pair=pair)
    messages = load_template("translation-2").messages(
        question="{}", source="Hindi", target="Tamil"
    )
    assert "from Hindi to Tamil" in messages[0]["content"]
