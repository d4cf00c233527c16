"""Queries and labels in the form the labelling pages get them: plain JSON, to be set as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from db.dataset.visible import visible
from db.store import Complaint, Event, Listed, Opened
from engine.sense import Answer, Phrase, Query, Sense, phrase_words

Json = dict[str, Any]


def to_pieces(query: Query) -> list[str]:
    """The context as gap, word, gap, word, …, gap; unseen characters are spelled out, or one could
    turn the sentence round. Words have none."""
    pieces, at = [], 0
    for word in query.words:
        pieces += [visible(query.context[at : word.start]), word.text]
        at = word.end
    return [*pieces, visible(query.context[at:])]


def to_fields(sense: Sense) -> Json:
    """A sense as the form's fields."""
    phrase = sense.phrase
    return {
        "class": sense.word_class,
        "meaning": sense.meaning,
        "members": list(phrase.members) if phrase else [],
        "phraseMeaning": phrase.meaning if phrase else "",
    }


def to_item(opened: Opened, siblings: Mapping[int, int]) -> Json:
    """A query as it lies before a person. `told`: a reader says what it means, as nothing did."""
    standing = opened.standing
    return {
        "id": opened.id,
        "pair": opened.query.pair,
        "pieces": to_pieces(opened.query),
        "position": opened.query.position,
        "status": opened.status,
        "blind": opened.blind,
        "seen": opened.seen,
        "translation": visible(opened.translation),
        "attribution": visible(opened.attribution),
        "standing": to_fields(standing.sense) if standing else None,
        "answers": to_answers(opened),
        "sides": [
            {**to_fields(side.sense), "who": visible(side.who), "status": side.status}
            for side in opened.sides
        ],
        "siblings": {str(position): query_id for position, query_id in siblings.items()},
        "history": to_history(opened),
        "flag": _flag(opened),
        "told": bool(opened.complaints) and all(c.shown is None for c in opened.complaints),
    }


def _flag(opened: Opened) -> Json | None:
    """Who flagged it, and why, where that may be seen."""
    flags = [one for one in opened.events if one.kind == "flag" and not one.undone]
    if opened.status != "flagged" or not flags:
        return None
    return {"who": visible(flags[-1].who), "why": visible(flags[-1].note)}


def to_answers(opened: Opened) -> list[Json]:
    """The different answers there are, newest first, each with everybody who gave it."""
    found: list[tuple[Sense, list[Json]]] = []
    for label in reversed(opened.labels):
        by = {"source": label.source, "who": visible(label.who), "status": label.status}
        _join(found, _plain(label.sense), by)
    for complaint in reversed(opened.complaints):
        if complaint.meaning or complaint.phrase:
            by = {"source": "reader", "who": "", "status": "proposed"}
            _join(found, _mended(complaint), by)
    for complaint in reversed(opened.complaints):
        if complaint.shown is None:
            continue
        source = complaint.source if complaint.source == "person" else "model"
        by = {"source": source, "who": complaint.engine, "status": "proposed"}
        _join(found, _plain(complaint.shown), by)
    return [{**to_fields(sense), "by": by} for sense, by in found]


def _join(found: list[tuple[Sense, list[Json]]], sense: Sense, by: Json) -> None:
    for other, names in found:
        if other == sense:
            if by not in names:
                names.append(by)
            return
    found.append((sense, [by]))


def _plain(sense: Sense) -> Sense:
    """Without whose meaning the phrase has: answers that say the same are the same."""
    phrase = sense.phrase
    return Sense(
        sense.word_class,
        sense.meaning,
        Phrase(phrase.members, phrase.meaning) if phrase else None,
    )


def _mended(complaint: Complaint) -> Sense:
    """The answer that the reader saw, with what they say instead. Where they saw none, no class."""
    shown = _plain(complaint.shown or Sense("", ""))
    phrase = complaint.phrase or shown.phrase
    return Sense(
        shown.word_class,
        complaint.meaning or shown.meaning,
        Phrase(phrase.members, phrase.meaning) if phrase else None,
    )


def to_history(opened: Opened) -> list[Json]:
    """What happened to a query, oldest first: answers, complaints, decisions."""
    events: list[Json] = [
        {
            "when": label.created,
            "kind": f"label_{label.status}",
            "source": label.source,
            "who": visible(label.who),
            "text": visible(to_text(opened.query, label.sense)),
        }
        for label in opened.labels
    ]
    events += [
        {"when": one.created, "kind": "complaint" if one.shown else "told", "source": "reader",
         "who": "",
         "text": visible(" · ".join(filter(None, (one.meaning, one.note))))}
        for one in opened.complaints
    ]  # fmt: skip
    events += [
        {"when": one.created, "kind": f"decision_{one.kind}", "source": "person",
         "who": visible(one.who),
         "text": visible(" · ".join(filter(None, (one.note, _told(opened, one))))),
         "undone": one.undone or ""}
        for one in opened.events
        if one.undone or one.kind in ("skip", "flag", "unflag", "settle")
    ]  # fmt: skip
    return sorted(events, key=lambda event: event["when"])


def to_text(query: Query, sense: Sense) -> str:
    """An answer on one line."""
    told = f"{sense.word_class} · {sense.meaning}"
    if sense.phrase:
        told += f" · {phrase_words(query, sense.phrase)} | {sense.phrase.meaning}"
    return told


def _told(opened: Opened, event: Event) -> str:
    return to_text(opened.query, event.sense) if event.sense and event.undone else ""


def preparing(far: tuple[int, int]) -> Json:
    """What a page gets while the queue is made ready: how many items are, of how many."""
    return {"preparing": {"done": far[0], "total": far[1]}}


def to_row(listed: Listed) -> Json:
    """A line of the table."""
    return {
        "id": listed.id,
        "pieces": to_pieces(listed.query),
        "position": listed.query.position,
        "status": listed.status,
        "answer": to_fields(listed.sense) if listed.sense else None,
        "source": listed.source,
        "who": visible(listed.who),
        "reported": listed.reported,
        "differs": listed.differs,
        "why": visible(listed.why),
    }


def to_proposal(answer: Answer) -> Json:
    """An answer of the model that readers have."""
    return {
        **to_fields(answer.sense),
        "second": answer.second,
        "confidence": round(answer.confidence, 3),
        "by": [{"source": answer.source, "who": answer.engine, "status": "proposed"}],
    }
