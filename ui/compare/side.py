"""The Side by side view: what two models answer to the words of one's own sentences, and write
unheld; and how two models translate them.

Every argument comes from a stranger. The desk knows no gradio; the page asks for a few sentences at
a time, so that it shows what is there and can stop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from db.dataset.visible import visible
from engine.passage import split_passage
from engine.sense import Query, check_context, clean_context, context_words
from ui.compare.part import (
    MOST_CONTEXTS,
    MOST_TEXT,
    TRANSLATION,
    CompareDesk,
    folders,
    to_answer,
)
from ui.compare.texts import to_written
from ui.desk import Bad, Reply, Served, guarded, is_index, named, text_of
from ui.label.shape import to_pieces
from ui.page import read_page, read_script
from ui.pairs import source_of, work_pair
from ui.services import Services
from ui.strings import STRINGS
from ui.works import Work

_SCRIPTS = (
    "language", "part", "pair", "work", "compare/part", "compare/side/rows", "compare/side/raw",
    "compare/side/start",
)  # fmt: skip
_AT_ONCE = 4  # contexts of one question
MOST_RAW = 20  # words that are written raw at once

_Rows = Callable[[Reply, list[str], str, Work], Reply]


def build_side(services: Services) -> None:
    """The view, inside the Blocks at hand."""
    gr.HTML(
        html_template=read_page("compare/side"),
        js_on_load=read_script(*_SCRIPTS),
        apply_default_css=False,
        elem_id="compare-side",
        elem_classes="ctx-view",
        server_functions=list(SideDesk(services).served().values()),
        strings=STRINGS,
        limits={
            "hosted": services.access.hosted,
            "text": MOST_TEXT,
            "sentences": MOST_CONTEXTS,
            "at_once": _AT_ONCE,
            "raw": MOST_RAW,
        },
    )


class SideDesk(CompareDesk):
    """One method for each thing the Side by side view's page may ask."""

    def served(self) -> dict[str, Served]:
        """What pages may call, by name: each takes hostile JSON and never raises."""
        methods = (
            self.models, self.cut, self.answers, self.translations, self.raw, self.work,
        )  # fmt: skip
        return {method.__name__: guarded(method) for method in methods}

    async def cut(self, asked: Reply) -> Reply:
        """The text's sentences that have words, as contexts and pieces, the first of them; how many
        there are more."""
        text, pair = text_of(asked, "text"), work_pair(asked)

        def act() -> Reply:
            contexts = cut_text(text, pair)
            kept = contexts[:MOST_CONTEXTS]
            return {
                "sentences": [
                    {"context": one, "pieces": to_pieces(Query(one, 0, pair))} for one in kept
                ],
                "left_out": len(contexts) - len(kept),
            }

        return await self._run(act)

    async def answers(self, asked: Reply) -> Reply:
        """What the two models answer to all words of a few contexts: for each context a row a word,
        with what people accepted for it."""
        return await self._of_contexts(asked, self._answers)

    def _answers(self, asked: Reply, contexts: list[str], pair: str, work: Work) -> Reply:
        sides = self._sides(asked)
        found = self._bench.answers(
            folders(*sides), [(one, None) for one in contexts], pair, progress_of(work)
        )
        return {
            "answers": [
                [
                    self._row(Query(context, i, pair), left[i], right[i], accepted.get(i))
                    for i in sorted(left)
                ]
                for context, left, right in zip(contexts, *found)
                for accepted in [self._store.labels.accepted(pair, context)]
            ]
        }

    def _row(self, query: Query, left: Any, right: Any, accepted: Any) -> Reply:
        from trainer.metrics import score

        sides = [to_answer(query, one.sense, one.confidence) for one in (left, right)]
        if accepted is not None:
            for side, one in zip(sides, (left, right)):
                side["right"] = score(query, accepted.sense, one.sense).right
        return {
            "position": query.position,
            "answers": sides,
            "label": to_answer(query, accepted.sense) if accepted else None,
        }

    async def translations(self, asked: Reply) -> Reply:
        """How the two models translate a few contexts: for each one row, with the translation that
        it came with."""
        return await self._of_contexts(asked, self._translations)

    def _translations(self, asked: Reply, contexts: list[str], pair: str, work: Work) -> Reply:
        sides = folders(*self._sides(asked, TRANSLATION))
        found = self._bench.translate(sides, contexts, pair, progress_of(work))
        return {
            "answers": [
                [
                    {
                        "position": None,
                        "answers": to_written(left, right),
                        "label": {"text": visible(told)} if told else None,
                    }
                ]
                for context, left, right in zip(contexts, *found)
                for told in [self._store.synthetic.reference(pair, context)]
            ]
        }

    async def raw(self, asked: Reply) -> Reply:
        """What the two models write to some words when nothing holds them."""
        queries = asked.get("queries")
        if not isinstance(queries, list) or not 0 < len(queries) <= MOST_RAW:
            raise Bad("not_understood")
        pair = work_pair(asked)
        checked = [_query(one, pair) for one in queries]

        def act(work: Work) -> Reply:
            def write() -> Reply:
                sides = self._sides(asked)
                both = self._bench.write(folders(*sides), checked, progress_of(work))
                return {"raw": [[to_raw(one) for one in row] for row in zip(*both)]}

            return named(write)

        return await self._start(act)

    async def _of_contexts(self, asked: Reply, rows: _Rows) -> Reply:
        pair = work_pair(asked)
        contexts = asked.get("contexts")
        if not isinstance(contexts, list) or not 0 < len(contexts) <= _AT_ONCE:
            raise Bad("not_understood")
        checked = [_context(one, pair) for one in contexts]

        def act(work: Work) -> Reply:
            return named(lambda: rows(asked, checked, pair, work))

        return await self._start(act)

    async def _start(self, act: Any) -> Reply:
        self._access.check_write()
        return await self._works.start(act, total=100)


def cut_text(text: str, pair: str) -> list[str]:
    """The contexts that a pasted text or list has: its sentences, those without words left out."""
    if len(text) > MOST_TEXT:
        raise Bad("text_too_long", limit=MOST_TEXT)
    found = [check_context(one.text) for one in split_passage(text, source_of(pair)) if one.words]
    if not found:
        raise Bad("no_context")
    return found


def to_raw(raw: Any) -> Reply:
    """A text as the page shows it: the answer, and what stands behind it."""
    return {
        "answer": visible(raw.text[: raw.answer]),
        "rest": visible(raw.text[raw.answer :]),
        "tokens": raw.tokens,
        "over": raw.over,
        "ended": raw.ended,
        "valid": raw.valid,
    }


def progress_of(work: Work) -> Any:
    """What a bench calls with how far it is, 0 to 1."""
    return lambda share: work.tick(round(100 * share))


def _context(text: object, pair: str) -> str:
    if not isinstance(text, str) or len(text) > MOST_TEXT:
        raise Bad("not_understood")
    context = check_context(text)
    if not context_words(context, pair):
        raise Bad("no_context")
    return context


def _query(asked: object, pair: str) -> Query:
    if not isinstance(asked, dict):
        raise Bad("not_understood")
    context = clean_context(_context(asked.get("context"), pair))
    position = asked.get("position")
    if not is_index(position, len(context_words(context, pair))):
        raise Bad("no_such_word")
    return Query(context, position, pair)
