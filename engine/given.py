"""What a lookup is given to work with: engines that answer, and a place where answers are kept,
with the key that they are kept under.

Pure: these are shapes; `engine.engine`, `engine.beside` and the store have them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from engine.phrasebook import Candidates, digest
from engine.sense import Answer
from engine.views import View


class SenseEngine(Protocol):
    """What a lookup needs of a model: all that its answers depend on, a line about it, its
    adapter's name and version, the smaller form that it is in, if any, its answers."""

    id: str
    detail: str
    title: str
    version: str
    form: str

    def answer(self, view: View, people: Candidates) -> tuple[Answer, ...]:
        """Answers for the words asked for in a view, in order, given people's phrases in it;
        always the same ones."""
        ...


class OtherEngines(Protocol):
    """The engines of further pairs. `find` loads nothing: None where that is needed first;
    `open` does, and raises QueryError where a pair has no engine."""

    def pairs(self) -> tuple[str, ...]: ...
    def find(self, pair: str) -> SenseEngine | None: ...
    def open(self, pair: str) -> SenseEngine: ...


class AnswerStore(Protocol):
    """Where answers are kept between starts. `engine` names all that they depend on beside the
    context: the engine's version, and people's phrases."""

    def get(self, engine: str, pair: str, context: str) -> dict[int, Answer]: ...
    def put(self, engine: str, pair: str, context: str, answers: dict[int, Answer]) -> None: ...
    def forget(self, contexts: Iterable[str]) -> int: ...


Key = tuple[str, str, str]  # engine with people's phrases, pair, context


def key_of(engine: SenseEngine, people: Sequence[Candidates], pair: str, context: str) -> Key:
    """What a context's answers are kept under: only people's phrases that stand in it, if any,
    change it."""
    version = f"{engine.id}/people-{digest(people)}" if any(people) else engine.id
    return version, pair, context
