"""What the model reads of a context: nearly always all of it, else windows. Pure.

All words of a view are answered at once; a view is the unit of work everywhere, so that answers
never depend on which word was asked first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.passage import Word
from engine.sense import context_words

AT_ONCE = 32  # views that are best answered together, where many are asked for
_RUN = 40  # words asked for at once
_MARGIN_WORDS = 24  # seen on either side of a run
_MARGIN_CHARS = 400
_WORD_CHARS = 100  # of one word that the model reads
_CLAUSE_ENDS = set(",;:.!?—()")


@dataclass(frozen=True)
class View:
    """The part of a context that the model reads, and which of its words are asked for."""

    text: str
    words: tuple[Word, ...]
    first: int  # words first … last-1 of `words` are asked for
    last: int
    offset: int  # position of words[0] among the context's words

    @property
    def asked(self) -> range:
        """The asked words' positions in the context."""
        return range(self.offset + self.first, self.offset + self.last)


def views(context: str, pair: str) -> tuple[View, ...]:
    """The views that together ask for every word of a context once, in order."""
    words = context_words(context, pair)
    return tuple(_view(context, words, *run) for run in _runs(words, context))


def _runs(words: Sequence[Word], context: str) -> Iterator[tuple[int, int]]:
    """Cut words into runs [first, last). Nearly every sentence is one; a longer one is cut behind
    the end of a clause where there is one in the run's second half. Phrases do not cross a cut."""
    first = 0
    while len(words) - first > _RUN:
        half, whole = first + _RUN // 2, first + _RUN
        ends = (
            i + 1
            for i in range(whole - 1, half, -1)
            if _CLAUSE_ENDS & set(context[words[i].end : words[i + 1].start])
        )
        last = next(ends, whole)
        yield first, last
        first = last
    if first < len(words):
        yield first, len(words)


def _view(context: str, words: tuple[Word, ...], first: int, last: int) -> View:
    low, high = max(0, first - _MARGIN_WORDS), min(len(words), last + _MARGIN_WORDS)
    while low < first and words[first].start - words[low].start > _MARGIN_CHARS:
        low += 1
    while high > last and words[high - 1].end - words[last - 1].end > _MARGIN_CHARS:
        high -= 1
    # The marks around the words belong to the view where it reaches the context's end.
    start = max(0, words[0].start - _MARGIN_CHARS) if low == 0 else words[low].start
    end = words[high - 1].end
    if high == len(words):
        end = min(len(context), end + _MARGIN_CHARS)
    text, shown = _clip(context[start:end], start, words[low:high])
    return View(text, shown, first - low, last - low, low)


def _clip(text: str, start: int, words: Sequence[Word]) -> tuple[str, tuple[Word, ...]]:
    """The text with overlong words cut short, and where its words stand then."""
    shown, parts, at = [], [], 0
    length = 0
    for word in words:
        before, kept = text[at : word.start - start], word.text[:_WORD_CHARS]
        length += len(before)
        shown.append(Word(kept, length, length + len(kept)))
        length += len(kept)
        parts += [before, kept]
        at = word.end - start
    return "".join([*parts, text[at:]]), tuple(shown)
