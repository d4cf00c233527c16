"""What one form of a model takes and answers, measured in a process of its own, so that its memory
is nobody else's; and how fast several are, taking turns in one.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil
import torch

from engine.bench.sides import Case, spread
from engine.books import books_for
from engine.branches import Runner, begin
from engine.checking import Card
from engine.decoding import SenseDecoder
from engine.forms import load_form
from engine.memory import give_back
from engine.models import load_tokenizer
from engine.prompt import SensePrompt
from engine.sense import Query, Sense
from engine.views import AT_ONCE, views
from trainer.evaluate import answer_contexts, by_context
from trainer.examples import Example

_PREFIX, _STEPS = 40, 24  # tokens before those whose time is taken, and those
_WARM = 10  # sentences that are answered before memory is read


@dataclass(frozen=True)
class Served:
    """A form that can answer: its folder, that of its tokenizer, and its model's card."""

    folder: Path
    source: str
    card: Card


@dataclass(frozen=True)
class Answered:
    """A form's answers to the examples, in their order, and the megabytes its process held."""

    senses: tuple[Sense, ...]
    resident_mb: float


def answer_apart(
    served: Served, examples: Sequence[Example], so_far: Callable[[int], None]
) -> Answered:
    """`answer` in a process of its own, which waits while `so_far` hears how many rows it has
    answered, and ends where that raises. RuntimeError where it fails."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_answer_to, args=(theirs, served, tuple(examples)))
    process.start()
    theirs.close()
    try:
        while isinstance(found := mine.recv(), int):
            so_far(found)
            mine.send(None)
    except (EOFError, ConnectionError):
        raise RuntimeError("the process that answered has ended before it was done") from None
    finally:
        process.kill()
        process.join()
        mine.close()
    if isinstance(found, str):
        raise RuntimeError(found)
    return found


def _answer_to(pipe: Connection, served: Served, examples: Sequence[Example]) -> None:
    """Answer for whoever is at the other end, as long as somebody is; an error is told as text."""

    def so_far(done: int) -> None:
        pipe.send(done)
        pipe.recv()

    found: Answered | str
    try:
        found = answer(served, examples, so_far)
    except (EOFError, ConnectionError):
        return
    except Exception as error:
        traceback.print_exc()
        found = str(error) or type(error).__name__
    pipe.send(found)


def answer(
    served: Served, examples: Sequence[Example], so_far: Callable[[int], None] = lambda done: None
) -> Answered:
    """Load the form, answer the examples: some sentences one by one, then its memory is read, then
    the others some at a time."""
    decoder = decoder_of(served)
    asked = [
        (context, pair, [e.query.position for e in mine])
        for (pair, context), mine in by_context(examples).items()
    ]
    found: dict[Query, Sense] = {}

    def take(some: Sequence[tuple[str, str, list[int]]]) -> None:
        for (context, pair, _), mine in zip(some, answer_contexts(decoder, some), strict=True):
            for position, one in mine.items():
                found[Query(context, position, pair)] = one.sense
        so_far(len(found))

    for one in asked[:_WARM]:
        take([one])
    give_back()
    resident = psutil.Process().memory_info().rss / 1e6
    for start in range(_WARM, len(asked), AT_ONCE):
        take(asked[start : start + AT_ONCE])
    return Answered(tuple(found[e.query] for e in examples), round(resident, 1))


def decoder_of(served: Served) -> SenseDecoder:
    """What answers with the form, as readers would get it."""
    card = served.card
    prompt = SensePrompt(load_tokenizer(served.source), card.style, card.pair.partition("-")[2])
    runner = Runner(load_form(served.folder))
    return SenseDecoder(
        runner, prompt, books_for(card.pair), card.phrase_threshold, card.phrase_favour
    )


def speeds(
    forms: Mapping[str, Served], cases: Sequence[Case], rounds: int, look: Callable[[], None]
) -> dict[str, dict[str, Any]]:
    """Milliseconds of a cold click and of a token for each form; they take turns at every sentence,
    so that a machine that slows down slows them all. `cpu_ms`: of all threads, which tells beside
    other work, too. `look` may raise between two of them."""
    decoders = {}
    for name, served in forms.items():
        look()
        decoders[name] = decoder_of(served)
    give_back()
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in decoders}
    for round_number in range(rounds + 1):
        for case in cases if round_number else cases[:1]:  # each answers one before it counts
            look()
            for name, decoder in decoders.items():
                taken[name].append(_click(decoder, case))
    tokens: dict[str, list[float]] = {name: [] for name in decoders}
    for _ in range(rounds + 1):
        look()
        for name, decoder in decoders.items():
            tokens[name].append(token_ms(decoder))
    return {
        name: {
            "click": spread([wall for wall, _ in mine[1:]])
            | {"cpu_ms": round(1000 * statistics.median(cpu for _, cpu in mine[1:]), 1)},
            "token_ms": round(statistics.median(tokens[name][1:]), 2),
        }
        for name, mine in taken.items()
    }


def _click(decoder: SenseDecoder, case: Case) -> tuple[float, float]:
    """Seconds of one cold click, and of the processor's."""
    query = case.query
    view = next(v for v in views(query.context, query.pair) if query.position in v.asked)
    start, worked = time.perf_counter(), time.process_time()
    decoder.answer(view)
    return time.perf_counter() - start, time.process_time() - worked


@torch.inference_mode()
def token_ms(decoder: SenseDecoder) -> float:
    """Milliseconds of the processor that one more token of one row takes, body and Chinese rows of
    the head: the median of some."""
    runner, ids = decoder.runner, decoder.prompt.meaning_tokens
    score = runner.scorer(ids)

    def task():
        _, branches, hidden = yield from begin(ids[:_PREFIX], [ids[:1]])
        times = []
        for step in range(_STEPS):
            start = time.process_time()
            score(hidden)
            hidden = yield from branches.feed([[ids[step]]])
            times.append(time.process_time() - start)
        return times

    return 1000 * statistics.median(runner.run(task()))
