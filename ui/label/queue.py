"""The review queue: one query at a time, decided with a key. Every argument comes from a stranger.

The desk knows no gradio; `build_queue` puts its page part (assets/html/label/queue.html) in place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import gradio as gr

from db.dataset.visible import visible
from db.store import DecisionTable, Filter, Opened
from db.store.browse import EVERYTHING
from db.store.decisions import MAX_WHY
from engine.lookup import LookupFailed
from engine.rules import broken_rules
from engine.sense import CLASSES, Phrase, Query, QueryError, Sense
from ui.desk import Bad, Reply, Served, guarded, is_index, number_of, text_of
from ui.label.evaluated import EvaluatedRows
from ui.label.filters import people_of, read_filter
from ui.label.shape import to_item, to_proposal
from ui.page import read_page, read_script
from ui.pairs import work_pair
from ui.services import Services
from ui.strings import STRINGS

_SCRIPTS = (
    "language", "part", "pair", "label/part", "label/filter", "label/why", "label/queue/item",
    "label/queue/adjudicate", "label/queue/form", "label/queue/ask", "label/queue/waits",
    "label/queue/keys", "label/queue/start",
)  # fmt: skip
_LONGEST_WAIT = 60.0  # seconds for an answer of the model


def build_queue(services: Services) -> None:
    """The view, inside the Blocks at hand."""
    gr.HTML(
        html_template=read_page("label/queue"),
        js_on_load=read_script(*_SCRIPTS),
        apply_default_css=False,
        elem_id="label-queue",
        elem_classes="ctx-view",
        server_functions=list(QueueDesk(services).served().values()),
        strings=STRINGS,
        classes=list(CLASSES),
        limits={"hosted": services.access.hosted, "why": MAX_WHY},
    )


class QueueDesk:
    """One method for each thing the queue's page may ask."""

    def __init__(self, services: Services):
        self._access = services.access
        self._review = services.store.review
        self._browse = services.store.browse
        self._store = services.store
        self._decisions = services.store.decisions
        self._lookup = services.lookup
        self._rows = EvaluatedRows(services)

    def served(self) -> dict[str, Served]:
        """What pages may call, by name: each takes hostile JSON and never raises."""
        methods = (
            self.next, self.open, self.open_row, self.decide, self.why, self.undo, self.propose,
            self.overlap, self.people,
        )  # fmt: skip
        return {method.__name__: guarded(method) for method in methods}

    async def next(self, asked: Reply) -> Reply:
        """The next query for this person, with how many are left."""
        self._access.check_write()
        return await asyncio.to_thread(self._next, asked)

    async def open(self, asked: Reply) -> Reply:
        """One query, chosen from a list or opened again."""
        self._access.check_write()
        return await asyncio.to_thread(self._opened, number_of(asked, "id"), asked)

    async def open_row(self, asked: Reply) -> Reply:
        """The query of an evaluation's row, which is brought in where the store has it not."""
        self._access.check_write()
        who, job_id = text_of(asked, "who"), number_of(asked, "evaluation")
        row = number_of(asked, "row")
        if not who:
            raise Bad("not_understood")

        def run() -> Reply:
            return self._opened(self._rows.find(job_id, row, who), asked)

        return await asyncio.to_thread(run)

    async def decide(self, asked: Reply) -> Reply:
        """Keeps a decision and gives the next query; or says which rules it breaks."""
        self._access.check_write()
        return await asyncio.to_thread(self._decide, asked)

    async def undo(self, asked: Reply) -> Reply:
        """Takes this person's last decision back and opens what it was about."""
        self._access.check_write()
        who = text_of(asked, "who")

        def run() -> Reply:
            _, kind, queries = self._review.undo(who)
            if len(queries) == 1:
                self._review.hold(queries[0], who)
            item = self._item(queries[0], who)
            told = {"item": item, "kind": kind, "count": len(queries), "left": self._left(asked)}
            return told | self._more(asked)

        return await asyncio.to_thread(run)

    async def why(self, asked: Reply) -> Reply:
        """Keeps what this person says of a decision of theirs: why they flagged."""
        self._access.check_write()
        return await keep_why(self._decisions, asked)

    async def propose(self, asked: Reply) -> Reply:
        """What the readers' model answers to a query."""
        self._access.check_write()
        query_id = number_of(asked, "id")
        opened = await asyncio.to_thread(self._review.open, query_id, text_of(asked, "who"))
        try:
            answer = await asyncio.wait_for(self._lookup.answer(opened.query), _LONGEST_WAIT)
        except TimeoutError:
            raise LookupFailed("busy") from None
        return {"id": query_id, "proposal": to_proposal(answer)}

    async def overlap(self, asked: Reply) -> Reply:
        """How many people decide each query; with `people`, from now on so many."""
        if asked.get("people") is not None:
            self._access.check_write()
            await asyncio.to_thread(self._review.set_overlap, number_of(asked, "people"))
        return {"people": await asyncio.to_thread(self._review.overlap)}

    async def people(self, asked: Reply) -> Reply:
        """Who can be chosen as the one who decided."""
        self._access.check_write()
        return await people_of(self._store, work_pair(asked))

    def _opened(self, query_id: int, asked: Reply) -> Reply:
        who = text_of(asked, "who")
        self._review.hold(query_id, who)
        return {"item": self._item(query_id, who), "left": self._left(asked), **self._more(asked)}

    def _next(self, asked: Reply) -> Reply:
        who, chosen = text_of(asked, "who"), read_filter(asked.get("filter"))
        pair, after = work_pair(asked), asked.get("after")
        query_id = self._review.next(pair, who, chosen, after if is_index(after, 2**53) else None)
        item = self._item(query_id, who) if query_id else None
        return {"item": item, "left": self._left(asked, chosen), **self._more(asked)}

    def _more(self, asked: Reply) -> Reply:
        """What else waits for this person, and how often they decided since their day began."""
        who, since = text_of(asked, "who"), read_moment(asked, "since")
        told: Reply = {"waits": asdict(self._review.waiting(work_pair(asked), who))}
        if since:
            told["today"] = self._decisions.count_since(who, since)
        return told

    def _left(self, asked: Reply, chosen: Filter = EVERYTHING) -> int:
        """How many there are to review in the pair, of those chosen."""
        which = chosen if chosen.status else replace(chosen, status="open")
        return self._browse.count(work_pair(asked), which)

    def _item(self, query_id: int, who: str) -> Reply:
        opened = self._review.open(query_id, who)
        item = to_item(opened, self._review.siblings(opened.query))
        if not opened.translation:
            query = opened.query
            for one in self._store.synthetic.translations(query.pair, query.context)[:1]:
                item |= {"translation": visible(one.text), "translator": visible(one.who)}
        return item

    def _decide(self, asked: Reply) -> Reply:
        who, kind, query_id = text_of(asked, "who"), text_of(asked, "kind"), number_of(asked, "id")
        read_filter(asked.get("filter"))  # before anything is kept
        read_moment(asked, "since")
        work_pair(asked)
        sense = proposed = None
        rejected = False
        if kind in ("save", "reject"):
            opened = self._review.open(query_id, who)
            sense = read_sense(asked, opened.query)
            if kind == "reject" and not sense.meaning and opened.sides:
                sense = opened.sides[0].sense  # what is rejected where nothing was filled in
            if not sense.meaning:
                raise Bad("no_text")
            if not sense.word_class:
                raise Bad("no_class")
            if sense.phrase and not sense.phrase.meaning:
                raise Bad("phrase_no_meaning")
            broken = broken_rules(opened.query, sense)
            if kind == "save" and broken and asked.get("anyway") is not True:
                return {"rules": list(broken)}
            rejected = kind == "reject"
            kind = _kind(kind, opened, sense)
            proposed = self._proposed(opened)
        decision = self._review.decide(
            who,
            kind,
            query_id,
            sense,
            rejected=rejected,
            seen=number_of(asked, "seen") if sense else None,
            also=_ids(asked.get("also", [])),
            proposed=proposed,
            note=text_of(asked, "note"),
            token=text_of(asked, "token")[:64] or None,
        )
        return {"decided": kind, "decision": decision, **self._next(asked | {"after": query_id})}

    def _proposed(self, opened: Opened) -> tuple[Sense, str, float] | None:
        """The model's answer, where it is at hand and not among the labels yet."""
        query = opened.query
        try:
            kept = self._lookup.kept(query.context, query.pair)
        except QueryError:
            return None
        answer = kept[query.position] if kept else None
        if answer is None or answer.source != "model":
            return None
        known = any(x.source == "model" and x.who == answer.engine for x in opened.labels)
        return None if known else (answer.sense, answer.engine, answer.confidence)


async def keep_why(decisions: DecisionTable, asked: Reply) -> Reply:
    """Keeps what somebody says of a decision of theirs."""
    who, decision, note = text_of(asked, "who"), number_of(asked, "decision"), text_of(asked, "why")
    await asyncio.to_thread(decisions.add_note, who, decision, note)
    return {"decision": decision}


def read_moment(asked: Reply, key: str) -> str:
    """A moment with its zone, in UTC as the store has it; "" where none is said."""
    text = text_of(asked, key)
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC).isoformat(timespec="microseconds")
    except (ValueError, OverflowError, OSError):
        raise Bad("not_understood") from None


def read_sense(asked: Mapping[str, Any], query: Query) -> Sense:
    """The sense that the form's fields say; Bad where they cannot say one."""
    members = asked.get("members", [])
    if not isinstance(members, list) or not all(is_index(m, len(query.words)) for m in members):
        raise Bad("no_such_word")
    chosen = tuple(sorted(set(members)))
    if chosen and (len(chosen) < 2 or query.position not in chosen):
        raise Bad("phrase_needs_two")
    phrase = Phrase(chosen, text_of(dict(asked), "phraseMeaning")) if chosen else None
    return Sense(text_of(dict(asked), "class"), text_of(dict(asked), "meaning"), phrase)


def _kind(kind: str, opened: Opened, sense: Sense) -> str:
    if opened.status == "conflict":
        return "settle"
    if kind == "reject":
        return kind
    standing = opened.standing
    same = standing is not None and _said(standing.sense) == _said(sense)
    return "accept" if same else "edit"


def _said(sense: Sense) -> tuple[Any, ...]:
    phrase = sense.phrase
    return (sense.word_class, sense.meaning, phrase and (tuple(phrase.members), phrase.meaning))


def _ids(value: object) -> list[int]:
    if not isinstance(value, list) or len(value) > 100:
        raise Bad("not_understood")
    if not all(is_index(one, 2**53) for one in value):
        raise Bad("not_understood")
    return value
