"""Blind votes, asked for by strangers: on words and on sentences, of an evaluation or one's own."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.compare_page import BOTH, CALL, french, opened
from tests.stored_evaluations import add_evaluation, add_sentences
from trainer.jobs.process import job_folder


@pytest.fixture
def page(tmp_path):
    with opened(tmp_path / "home") as page:
        yield page


def test_translations_are_voted_on_blind_and_counted_apart_from_words(page, tmp_path):
    model = french(page, tmp_path)
    both = {"left": "base", "right": model, "pair": "en-fr", "task": "translation"}
    sitting = page.ask("vote.paste", text="Dogs chase cats. Cats chase dogs.", **both)
    session = sitting["session"]
    assert sitting["count"] == 2
    for number in range(2):
        ballot = page.ask("vote.ballot", session=session, number=number)
        assert ballot["position"] is None and "".join(ballot["pieces"]).endswith(".")
        assert all(set(one) == {"text", "parts"} for one in ballot["answers"]), (
            "nothing tells whose"
        )
        texts = [one["text"] for one in ballot["answers"]]
        better = "first" if len(texts[0]) > len(texts[1]) else "second"
        page.ask("vote.choose", session=session, number=number, choice=better, who="Ann")
    told = page.ask("vote.reveal", session=session)
    assert told["counts"] == {"left": 0, "right": 2, "both": 0, "neither": 0}
    votes = page.store.votes.list_votes("en-fr", "translation")
    assert {(vote.context, vote.position) for vote in votes} == {
        ("Dogs chase cats.", None), ("Cats chase dogs.", None)
    }  # fmt: skip
    asked = {"pair": "en-fr"}
    assert len(page.ask("vote.choices", task="translation", **asked)["standings"]) == 1
    assert page.ask("vote.choices", task="sense", **asked)["standings"] == []


def test_translations_of_an_evaluation_are_voted_on(page):
    job = add_sentences(page.store, page.home)
    told = page.ask("vote.choices", pair="en-fr", task="translation")
    assert told["tasks"] == ["translation"]
    assert [one["id"] for one in told["evaluations"]] == [job.id]
    sitting = page.ask("vote.sit_down", id=job.id, left=0, right=1)
    assert sitting["count"] == 45
    ballot = page.ask("vote.ballot", session=sitting["session"], number=0)
    assert all(set(one) == {"text", "parts"} for one in ballot["answers"])
    painted = [any(differs for _, differs in one["parts"]) for one in ballot["answers"]]
    assert any(painted)
    page.ask("vote.choose", session=sitting["session"], number=0, choice="both")
    (vote,) = page.store.votes.list_votes("en-fr", "translation")
    assert vote.choice == "both"


def test_votes_are_blind_until_the_end_and_stored_for_the_right_side(page):
    job = add_evaluation(page.store, page.home)
    sitting = page.ask("vote.sit_down", id=job.id, left=0, right=1)
    assert set(sitting) == {"session", "count", "differ"} and sitting["count"] == 90
    session, first = sitting["session"], Counter()
    for number in range(30):
        ballot = page.ask("vote.ballot", session=session, number=number)
        assert set(ballot["answers"][0]) == {"class", "zh", "members", "phrase", "phrase_zh"}
        wrong = [answer["zh"] == "东西" for answer in ballot["answers"]]
        choice = "second" if wrong[0] and not wrong[1] else "first"
        assert page.ask("vote.choose", session=session, number=number, choice=choice, who="Ann")[
            "given"
        ]
        first[choice] += 1
    assert min(first.values()) >= 4  # the sides are shuffled
    again = page.ask("vote.choose", session=session, number=3, choice="both")
    assert again["error"] == "voted_already"
    told = page.ask("vote.reveal", session=session)
    assert (told["left"]["name"], told["right"]["name"]) == ("base", "shipped")
    votes = page.store.votes.list_votes()
    assert len(votes) == 30 and {vote.who for vote in votes} == {"Ann"}
    assert {vote.shown_first for vote in votes} == {"left", "right"}
    assert Counter(vote.choice for vote in votes) == Counter(told["counts"]) - Counter()
    rows = {(row["context"], row["position"]): row for row in _rows(page, job.id)}
    for vote in votes:
        chosen = rows[vote.context, vote.position]["answers"][vote.choice == "right"]
        assert chosen["zh"] != "东西"
    assert told["rate"]["decided"] == 30 and told["rate"]["needed"]
    late = page.ask("vote.choose", session=session, number=31, choice="both")
    assert late["error"] == "vote_over" and len(page.store.votes.list_votes()) == 30
    assert page.ask("vote.ballot", session="none", number=0)["error"] == "vote_gone"


def _rows(page, job_id):
    text = (job_folder(page.home, job_id) / "answers.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_own_sentences_are_voted_on_where_models_differ(page):
    sitting = page.ask("vote.paste", text=f"{CALL} It was.", **BOTH)
    assert sitting["count"] == 3  # meant, call, back
    asked = [page.ask("vote.ballot", session=sitting["session"], number=n) for n in range(3)]
    assert sorted(ballot["position"] for ballot in asked) == [1, 3, 5]
    assert page.ask("vote.paste", text="It was.", **BOTH)["error"] == "nothing_differs"
    assert page.ask("vote.paste", text="It was. " * 21, **BOTH)["error"] == "too_many_sentences"
