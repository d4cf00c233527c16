"""The public endpoints: `/lookup` for one word, `/lookup_passage` for all words of a text,
`/translate` for a whole sentence.

Every error has one shape, {"error": {"code", "message"}}; nothing is ever raised to a stranger.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

import gradio as gr

from engine.lookup import LookupFailed, level
from engine.passage import Sentence, split_passage
from engine.sense import Answer, Query, QueryError, ask, clean_context, to_wire
from ui.services import Services

MAX_PASSAGE = 20_000  # characters looked up in one request
MAX_SENTENCE = 1_000  # characters translated in one request
_AT_ONCE = {"lookup": 64, "lookup_passage": 16, "translate": 16}

Endpoint = Callable[..., Awaitable[Any]]


def build_api(services: Services) -> None:
    """Add the endpoints to the gr.Blocks at hand."""
    for name, endpoint in endpoints(services).items():
        gr.api(endpoint, api_name=name, concurrency_limit=_AT_ONCE[name])


def endpoints(services: Services) -> dict[str, Endpoint]:
    """The endpoints by name; none ever raises what is meant for people."""
    lookup, translations = services.lookup, services.translations

    @_one_shape
    async def one(context: str, target: str, idx: int = 1, pair: str = "en-zh") -> dict[str, Any]:
        """What `target` (its `idx`-th occurrence, from 1) means in `context`."""
        query = ask(context, target, idx, pair)
        return _answer(query, await lookup.answer(query))

    @_one_shape
    async def passage(passage: str, pair: str = "en-zh") -> dict[str, Any] | list[dict[str, Any]]:
        """Every sentence of a passage with its words and their answers, in order."""
        if not isinstance(passage, str):
            raise QueryError("not_text")
        if len(passage) > MAX_PASSAGE:
            raise QueryError("context_too_long", length=len(passage), limit=MAX_PASSAGE)
        if not passage.strip():
            raise QueryError("no_context")
        return [
            await _sentence(lookup, sentence, pair)
            for sentence in split_passage(passage, pair.partition("-")[0])
        ]

    @_one_shape
    async def translate(sentence: str, pair: str = "en-zh") -> dict[str, Any]:
        """The translation of one sentence, and which adapter gave it."""
        if not (isinstance(sentence, str) and isinstance(pair, str)):
            raise QueryError("not_text")
        if len(sentence) > MAX_SENTENCE:
            raise QueryError("context_too_long", length=len(sentence), limit=MAX_SENTENCE)
        if translations is None:
            raise QueryError("unknown_pair", pair=pair)
        told, by = "", {}

        def credit(name: str, version: str) -> None:
            by.update(title=name, version=version)

        async for text in translations.stream(sentence, pair, "", credit):
            told = text
        return {
            "sentence": clean_context(sentence),
            "pair": pair,
            "translation": told,
            "by": by,
        }

    return {"lookup": one, "lookup_passage": passage, "translate": translate}


def _one_shape(handler: Endpoint) -> Endpoint:
    """`handler`, with errors meant for people returned in the one shape."""

    @wraps(handler)
    async def shaped(*arguments: Any, **named: Any) -> Any:
        try:
            return await handler(*arguments, **named)
        except (QueryError, LookupFailed) as error:
            return {"error": {"code": error.code, "message": str(error)}}

    return shaped


async def _sentence(lookup, sentence: Sentence, pair: str) -> dict[str, Any]:
    context = clean_context(sentence.text)
    answers = await lookup.answers(context, pair) if sentence.words else ()
    words = [
        {"word": word.text, "start": sentence.start + word.start, "end": sentence.start + word.end}
        | _answer(Query(context, i, pair), answer)
        for i, (word, answer) in enumerate(zip(sentence.words, answers))
    ]
    return {"sentence": sentence.text, "start": sentence.start, "words": words}


def _answer(query: Query, answer: Answer) -> dict[str, Any]:
    return {
        "target": query.target,
        "idx": query.idx,
        **to_wire(query, answer.sense),
        "phrase_source": answer.sense.phrase.source if answer.sense.phrase else "",
        "second": answer.second,
        "confidence": round(answer.confidence, 4),
        "level": level(answer),
        "source": answer.source,
    }
