"""Who answers queries for a job: a teacher behind a server, or an engine of ours. Neither knows of
jobs: a query goes in; its sense, or why there is none, comes out with what it took.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol, TypeVar

from db.store import Outcome
from engine.names import languages
from engine.sense import Query, Sense
from engine.settings import Settings
from engine.teacher import Reply, Teacher, TeacherError
from engine.teaching import BadAnswer, Message, Template, read_sense, sense_schema, to_question
from trainer.jobs.line import Line

T = TypeVar("T")
TRIES = 2  # how often a teacher is asked until its answer keeps the rules


@dataclass(frozen=True)
class Found:
    """A sense with how sure its giver is, or the reason why there is none; and what it took."""

    outcome: Outcome
    sense: Sense | None = None
    reason: str = ""
    confidence: float | None = None


class Answerer(Protocol):
    """Who answers; `source` and `who` are what its labels say."""

    source: str
    who: str

    async def answer(self, query: Query, line: Line) -> Found: ...
    async def close(self) -> None: ...


@dataclass
class Talk:
    """A conversation with a teacher until an answer can be read, and what it took so far."""

    teacher: Teacher
    template: Template
    line: Line
    max_tokens: int
    texts: list[str] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        replies = self.replies
        return Outcome(
            max(1, len(replies)),
            tuple(self.texts),
            sum(reply.tokens_in for reply in replies),
            sum(reply.tokens_out for reply in replies),
            round(sum(reply.seconds for reply in replies), 3),
        )

    async def until_read(
        self, messages: list[Message], schema: dict, read: Callable[[str], T]
    ) -> T:
        """What `read` makes of the answer, or of the second one where it raised BadAnswer for the
        first; TeacherError where none came."""
        for left in reversed(range(TRIES)):
            send = partial(self.teacher.complete, messages, schema, self.max_tokens)
            reply = await self.line.call(send)
            self.replies.append(reply)
            self.texts.append(reply.text)
            try:
                return read(reply.text)  # some go on behind a good answer
            except BadAnswer as error:
                reason = str(error) if reply.whole else "the answer is too long and was cut off"
                if not left:
                    raise BadAnswer(reason) from error
                messages = [*messages, *self.template.once_more(reply.text, reason)]
        raise AssertionError("the last try returns or raises")


class TeacherAnswerer:
    """A teacher behind a server; an answer that breaks the rules is asked for once more."""

    source = "teacher"

    def __init__(self, teacher: Teacher, template: Template, max_tokens: int):
        self.who = teacher.model
        self._teacher, self._template, self._max_tokens = teacher, template, max_tokens

    async def answer(self, query: Query, line: Line) -> Found:
        talk = Talk(self._teacher, self._template, line, self._max_tokens)
        source, target = languages(query.pair)
        messages = self._template.messages(
            question=to_question(query), source=source, target=target
        )
        schema = sense_schema(query.pair)
        try:
            sense = await talk.until_read(messages, schema, partial(read_sense, query))
        except BadAnswer as error:
            return Found(talk.outcome, reason=str(error))
        except TeacherError as error:
            if error.fatal:
                raise
            return Found(talk.outcome, reason=f"{error.code}: {error}")
        return Found(talk.outcome, sense)

    async def close(self) -> None:
        await self._teacher.close()


class EngineAnswerer:
    """The base or an adapter of ours, through the same lookup as readers' clicks."""

    source = "model"

    def __init__(self, settings: Settings, engine: str):
        from engine.engine import load_engine
        from engine.lookup import Lookup

        names = {"base": "none", "shipped": "shipped"}
        loaded = load_engine(replace(settings, adapter=names.get(engine, engine)))
        self.who = loaded.id
        self._lookup = Lookup(lambda progress: loaded)
        self._lookup.start()

    async def answer(self, query: Query, line: Line) -> Found:
        async def ask() -> Found:
            start = time.monotonic()
            answer = await self._lookup.answer(query)
            outcome = Outcome(seconds=round(time.monotonic() - start, 3))
            return Found(outcome, answer.sense, confidence=answer.confidence)

        return await line.call(ask)

    async def close(self) -> None:
        self._lookup.close()
