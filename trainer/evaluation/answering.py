"""Who is evaluated: the base or an adapter, what teachers answered before, a model behind a server.
Each answers some contexts at a time, and says what it took.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from db.store import Store
from engine.sense import Query, Sense
from engine.settings import Settings
from engine.teacher import Teacher, read_key
from engine.teaching import load_template, usual_template
from engine.views import AT_ONCE
from engine.workbench import Workbench
from trainer.catalogue import Model, ModelError, find_model
from trainer.jobs.answerers import TeacherAnswerer
from trainer.jobs.line import Line

TEACHER, SERVER = "teacher:", "server:"
_MOST_TOKENS = 512  # of a server's answer
_AT_ONCE = 8  # requests to a server

Asked = Sequence[tuple[str, tuple[int, ...]]]
"""Contexts with the positions that are asked for."""


@dataclass(frozen=True)
class Told:
    """One answer: what it says, how sure its giver is of it (None: not known), and what it took:
    milliseconds, and tokens (0: not known)."""

    sense: Sense
    confidence: float | None
    ms: float
    tokens: int = 0


Answers = list[dict[int, Told]]
"""For each context the answers by position; a position without one has no answer."""


class Answerer(Protocol):
    """A model under evaluation."""

    model: Model

    @property
    def at_once(self) -> int:
        """Contexts that are best asked together."""
        ...

    def answer(self, asked: Asked) -> Answers: ...


def is_remote(name: str) -> bool:
    """Whether nothing is computed here for it."""
    return name.startswith((TEACHER, SERVER))


def find_answerer(
    name: str, pair: str, url: str, bench: Workbench, store: Store, settings: Settings
) -> Answerer:
    """The answerer of a model's name; ModelError, AdapterError or TeacherError where there is none
    or it cannot be had."""
    if name.startswith(TEACHER):
        return Stored(name.removeprefix(TEACHER), pair, store)
    if name.startswith(SERVER):
        return Remote(name.removeprefix(SERVER), pair, url)
    return Local(find_model(name, store, settings), pair, bench)


class Local:
    """A model of the catalogue, on the workbench; answered as readers would get it. Its time is
    that of many answers at once, over all cores; loading it is no part of that."""

    def __init__(self, model: Model, pair: str, bench: Workbench):
        self.model, self._pair, self._bench = model, pair, bench

    @property
    def at_once(self) -> int:
        return AT_ONCE * self._bench.at_once

    def answer(self, asked: Asked) -> Answers:
        folder, pair = self.model.folder, self._pair
        self._bench.load([folder], pair)
        began = time.perf_counter()
        (found,) = self._bench.answers([folder], asked, pair)
        ms = 1000 * (time.perf_counter() - began) / sum(len(wanted) for _, wanted in asked)
        said = [
            (Query(context, i, pair), answer.sense)
            for (context, _), one in zip(asked, found, strict=True)
            for i, answer in one.items()
        ]
        tokens = iter(self._bench.count_tokens(folder, said, pair))
        return [
            {i: Told(a.sense, a.confidence, ms, next(tokens)) for i, a in one.items()}
            for one in found
        ]


class Stored:
    """What a teacher answered before, as the store has it: the last answer to each query."""

    at_once = 50

    def __init__(self, who: str, pair: str, store: Store):
        self.model = Model(f"{TEACHER}{who}", who, version=f"{TEACHER}{who}", pair=pair)
        self._who, self._pair, self._store = who, pair, store

    def answer(self, asked: Asked) -> Answers:
        return [
            {i: told for i in wanted if (told := self._find(Query(context, i, self._pair)))}
            for context, wanted in asked
        ]

    def _find(self, query: Query) -> Told | None:
        for label in reversed(self._store.labels.history(query)):
            if (label.source, label.who) == ("teacher", self._who):
                return Told(label.sense, label.confidence, 0.0)
        return None


class Remote:
    """A model behind an OpenAI-compatible server. A question that it cannot answer by the rules,
    twice, has no answer."""

    at_once = 8

    def __init__(self, name: str, pair: str, url: str):
        if not url:
            raise ModelError("no_server", f"{SERVER}{name} needs a server's address")
        self.model = Model(f"{SERVER}{name}", name, version=f"{SERVER}{name}", pair=pair)
        self._name, self._pair, self._url, self._key = name, pair, url, read_key(url)

    def answer(self, asked: Asked) -> Answers:
        return asyncio.run(self._answer(asked))

    async def _answer(self, asked: Asked) -> Answers:
        teacher = Teacher(self._url, self._name, self._key)
        answerer = TeacherAnswerer(
            teacher, load_template(usual_template("sense", self._pair)), _MOST_TOKENS
        )
        line, turns = Line(), asyncio.Semaphore(_AT_ONCE)

        async def ask(query: Query) -> Told | None:
            async with turns:
                found = await answerer.answer(query, line)
            if found.sense is None:
                return None
            took = found.outcome
            return Told(found.sense, None, 1000 * took.seconds, took.tokens_out)

        queries = [Query(context, i, self._pair) for context, wanted in asked for i in wanted]
        try:
            found = dict(zip(queries, await asyncio.gather(*map(ask, queries))))
        finally:
            await answerer.close()
        return [
            {i: told for i in wanted if (told := found[Query(context, i, self._pair)])}
            for context, wanted in asked
        ]


def titled(models: Sequence[Model]) -> list[Model]:
    """The models under titles that tell them apart."""
    titles = [model.title for model in models]
    return [
        replace(m, title=f"{m.title} ({m.name})") if titles.count(m.title) > 1 else m
        for m in models
    ]
