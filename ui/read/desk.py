"""What the Read page may ask of the app. Every argument comes from a stranger.

The desk keeps the last passage of each open page and splits it itself, so a page names words by
number only. Replies are plain JSON; a refusal is {"error": code, …}. Knows no gradio.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from engine.language import find_language
from engine.lookup import LookupFailed, level
from engine.passage import Sentence, split_passage
from engine.sense import Answer, Phrase, Query, QueryError, clean_context
from engine.settings import SMALL
from ui.desk import Bad, Reply, guarded, is_index, number_of, text_of
from ui.pairs import list_pairs, read_pair, source_of
from ui.read.shape import to_card, to_pages, to_pieces
from ui.read.translating import Translating
from ui.services import Services

_MOST_OPEN = 500  # passages of open pages; a page whose passage was dropped opens it again
_MOST_OPEN_CHARACTERS = 50_000_000
_MOST_SPLITTING = 2
_MOST_AHEAD = 40  # sentences of one look-ahead
_LONGEST_WAIT = 120.0  # seconds for one answer


@dataclass(frozen=True)
class Opened:
    """The passage of one page, read in a pair; `version` tells it from the page's earlier ones."""

    version: str
    pair: str
    sentences: tuple[Sentence, ...]
    characters: int

    def query(self, sentence: object, word: object) -> Query:
        """The query for a word by its numbers; Bad where there is no such word."""
        found = self.sentence(sentence)
        if not is_index(word, len(found.words)):
            raise Bad("no_such_word")
        return Query(clean_context(found.text), word, self.pair)

    def sentence(self, number: object) -> Sentence:
        if not is_index(number, len(self.sentences)):
            raise Bad("no_such_word")
        return self.sentences[number]

    def contexts(self) -> list[str]:
        return [clean_context(s.text) for s in self.sentences if s.words]


class Desk:
    """The open passages, and one method for each thing a page may ask."""

    def __init__(self, services: Services):
        self._services = services
        self._lookup = services.lookup
        self._opened: OrderedDict[str, Opened] = OrderedDict()
        self._translating = Translating(services.translations)
        self._splitting = asyncio.Semaphore(_MOST_SPLITTING)

    def served(self) -> dict[str, Callable[[object], Awaitable[Reply]]]:
        """What pages may call, by name: each takes hostile JSON and never raises."""
        methods = (
            self.how_far, self.open, self.answer, self.look_ahead, self.translate, self.halt,
            self.not_right, self.forget,
        )  # fmt: skip
        return {method.__name__: guarded(method) for method in methods}

    def status(self, reader: str) -> Reply:
        """How far the model is, the pairs there are, the name under which this page asks."""
        status = self._lookup.status()
        return {
            "reader": reader,
            "state": status.state,
            "progress": status.progress,
            "detail": status.detail,
            "errorCode": status.error_code,
            "error": status.error,
            "engine": status.engine,
            "pairs": list_pairs(self._services),
        }

    async def how_far(self, asked: Reply) -> Reply:
        """`status`, asked for again and again."""
        return await asyncio.to_thread(self.status, _reader(asked))

    def leave(self, reader: str) -> None:
        """The page is closed: drop its passage and its look-ahead."""
        self._opened.pop(reader, None)
        self._translating.halt(reader)
        self._lookup.leave(reader)

    async def open(self, asked: Reply) -> Reply:
        """Splits the text and keeps it for this page; the sentences and pages to show. `language`
        is what the text is in, where that is sure and not what the pair is read in."""
        reader, text = _reader(asked), asked.get("text")
        pair = await asyncio.to_thread(read_pair, asked, self._services)
        if not isinstance(text, str):
            raise Bad("no_context")
        limit = self._services.settings.max_passage
        if len(text) > limit:
            raise Bad("passage_too_long", limit=limit)
        async with self._splitting:
            sentences = await asyncio.to_thread(split_passage, _mend(text), source_of(pair))
            language = await asyncio.to_thread(find_language, text)
        opened = Opened(secrets.token_urlsafe(9), pair, sentences, len(text))
        self._translating.halt(reader)
        self._keep(reader, opened)
        return {
            "version": opened.version,
            "sentences": [to_pieces(sentence) for sentence in sentences],
            "pages": to_pages(sentences),
            "language": language if language != source_of(pair) else None,
        }

    async def answer(self, asked: Reply) -> Reply:
        """The card of one word; None where nobody answers words of this pair yet."""
        opened = self._find(asked)
        query = opened.query(asked.get("sentence"), asked.get("word"))
        answer = await self._answer(query, _reader(asked))
        return {"card": self._card(query, answer) if answer else None}

    def _card(self, query: Query, answer: Answer) -> Reply:
        """The answer as a card, and by which adapter it was given, if it still is readers'."""
        engine, by = self._lookup.engine_of(query.pair), None
        if engine and engine.version and (answer.source, answer.engine) == ("model", engine.id):
            card = SMALL if engine.form == SMALL else engine.version
            by = {"title": engine.title, "version": engine.version, "card": card}
        return to_card(query, answer, level(answer)) | {"by": by}

    async def look_ahead(self, asked: Reply) -> Reply:
        """Asks for these sentences' answers, nearest first; the cards of those known already."""
        opened, numbers = self._find(asked), asked.get("sentences")
        if not isinstance(numbers, list):
            raise Bad("no_such_word")
        return await asyncio.to_thread(self._ahead, _reader(asked), opened, numbers[:_MOST_AHEAD])

    def _ahead(self, reader: str, opened: Opened, numbers: list[object]) -> Reply:
        known: Reply = {}
        wanted, impossible = [], []
        for number in numbers:
            sentence = opened.sentence(number)
            context = clean_context(sentence.text)
            try:
                answers = self._lookup.kept(context, opened.pair) if sentence.words else ()
            except QueryError:  # no answer is possible; a click on its words says why
                impossible.append(number)
                continue
            if answers is None:
                wanted.append(context)
            else:
                known[str(number)] = [
                    self._card(Query(context, i, opened.pair), answer)
                    for i, answer in enumerate(answers)
                ]
        self._lookup.look_ahead(reader, wanted, opened.pair)
        return {"known": known, "impossible": impossible}

    async def translate(self, asked: Reply) -> Reply:
        """The translation of a sentence so far; asked again with the `step` it had, until done."""
        opened, number = self._find(asked), asked.get("sentence")
        sentence, step = opened.sentence(number), number_of(asked, "step")
        if self._services.translations is None:
            raise Bad("no_translation")
        context = clean_context(sentence.text)
        return await self._translating.follow(
            _reader(asked), opened.version, number, context, opened.pair, step
        )

    async def halt(self, asked: Reply) -> Reply:
        """Nobody looks at the translation of this sentence any more."""
        self._translating.halt(_reader(asked), (asked.get("version"), asked.get("sentence")))
        return {"halted": True}

    async def not_right(self, asked: Reply) -> Reply:
        """Keeps a reader's feedback on the answer that is shown, or what they say a word means that
        has none."""
        self._services.access.check_write()
        query = self._find(asked).query(asked.get("sentence"), asked.get("word"))
        shown = await self._answer(query, _reader(asked))
        members, note = asked.get("members"), ""
        if members is None:
            phrase = None
        elif members:
            phrase = Phrase(_members(query, members), text_of(asked, "phraseMeaning"))
        else:
            phrase, note = None, "no phrase here"
        await asyncio.to_thread(
            self._services.store.feedback.add_feedback,
            query,
            shown,
            better_meaning=text_of(asked, "meaning"),
            phrase=phrase,
            note=note,
        )
        return {"stored": True}

    async def forget(self, asked: Reply) -> Reply:
        """Drops the page's passage and what is kept about its sentences."""
        opened = self._find(asked)
        self.leave(_reader(asked))
        await asyncio.to_thread(self._lookup.forget, opened.contexts())
        if self._services.translations:
            await asyncio.to_thread(self._services.translations.forget, opened.contexts())
        return {"forgotten": True}

    async def _answer(self, query: Query, reader: str) -> Answer | None:
        """The answer; of a pair whose words nobody answers yet, what people accepted, if any."""
        if query.pair not in self._lookup.pairs():
            labels = self._services.store.labels
            told = await asyncio.to_thread(labels.accepted, query.pair, query.context)
            return told.get(query.position)
        kept = self._lookup.kept(query.context, query.pair)
        if kept is not None:
            return kept[query.position]
        if self._lookup.status().state in ("starting", "converting", "loading"):
            raise LookupFailed("not_ready")  # the page asks again; no request hangs for minutes
        try:
            return await asyncio.wait_for(self._lookup.answer(query, reader), _LONGEST_WAIT)
        except TimeoutError:
            raise LookupFailed("busy") from None

    def _find(self, asked: Reply) -> Opened:
        opened = self._opened.get(_reader(asked))
        if opened is None or opened.version != asked.get("version"):
            raise Bad("stale")  # the page opens its text again, then asks again
        self._opened.move_to_end(_reader(asked))
        return opened

    def _keep(self, reader: str, opened: Opened) -> None:
        self._opened.pop(reader, None)
        self._opened[reader] = opened
        while len(self._opened) > 1 and (
            len(self._opened) > _MOST_OPEN
            or sum(o.characters for o in self._opened.values()) > _MOST_OPEN_CHARACTERS
        ):
            self._opened.popitem(last=False)


def _reader(asked: Reply) -> str:
    reader = asked.get("reader")
    if not (isinstance(reader, str) and 0 < len(reader) <= 64):
        raise Bad("not_understood")
    return reader


def _members(query: Query, members: object) -> tuple[int, ...]:
    if not isinstance(members, list) or not all(is_index(m, len(query.words)) for m in members):
        raise Bad("no_such_word")
    chosen = tuple(sorted(set(members)))
    if len(chosen) < 2 or query.position not in chosen:
        raise Bad("phrase_needs_two")
    return chosen


def _mend(text: str) -> str:
    """`text` with halves of surrogate pairs replaced: they cannot be sent or stored."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
