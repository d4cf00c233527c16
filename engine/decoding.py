"""From a view of a context to the answers for its words, valid by construction.

All words are decoded together over one shared prefix: first class and phrase of every word,
then, once the phrases are reconciled, the meanings. Only what can follow is ever scored: class
names, words of the context, Chinese.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import regex
import torch
from transformers import PreTrainedModel

from engine.books import Books
from engine.branches import Branches, Prefix, Runner
from engine.meanings import MeaningWriter, Request, Written
from engine.phrasebook import NO_CANDIDATES, Candidates, Known, favoured, hints, join
from engine.phrases import MemberPaths, Vote, certainty, reconcile
from engine.prompt import SensePrompt
from engine.sense import CLASSES, Answer, Phrase, Sense
from engine.views import View

_LONGEST_MEANING, _LONGEST_PHRASE_MEANING = 8, 12  # characters
_WRITE_OUT = 0.1  # least probability of a phrase for its members to be written out
_PERSONS_LEAD = 1.0  # mean log-probability that a person's meaning has in advance of the book's
_NEVER_WRITTEN = regex.compile(r"[^\p{Han}…·]|…(?=…)")  # in a meaning, by the model
_SPELLED = {"proper noun", "numeral"}  # classes whose meaning may be the word's own spelling

Members = tuple[int, ...]


@dataclass(frozen=True)
class Reading:
    """What the model says of one word before phrases are reconciled; positions are the view's."""

    word_class: str
    class_probability: float
    vote: Vote


@dataclass(frozen=True)
class _Read:
    """A view that was read: what the model said of each asked word, and branches to go on from,
    behind its class and behind the bar after that, with the hidden states there."""

    readings: dict[int, Reading]
    prefix: Prefix
    classed: Branches
    barred: Branches
    ended: torch.Tensor


class SenseDecoder:
    """Decodes with one model and prompt style. `threshold` is the least vote for a phrase, `favour`
    what a phrase of the phrasebook has in advance."""

    def __init__(
        self,
        model: PreTrainedModel,
        prompt: SensePrompt,
        books: Books,
        threshold: float = 0.5,
        favour: float = 0.0,
    ):
        self._prompt, self._books = prompt, books
        self._threshold, self._favour = threshold, favour
        self._runner = Runner(model)
        self._writer = MeaningWriter(self._runner, prompt)
        self._class_starts = [prompt.classes[name][0] for name in CLASSES]

    @torch.inference_mode()
    def answer(self, view: View, people: Candidates = NO_CANDIDATES) -> tuple[Answer, ...]:
        """The answers for the words asked for, in order; `people` gave the meanings of phrases in
        the view. Confidence is the product of the probabilities of class, phrase or none, and
        meaning; not calibrated."""
        known = self.known(view, people)
        read = self._read(view, hints(known))
        readings = read.readings
        votes = {i: reading.vote for i, reading in readings.items()}
        given = reconcile(votes, self._threshold, favoured(known), self._favour)
        meanings = self._meanings(read, view, given)
        rows = self._told(view, readings, given, meanings, hints(known))
        phrases = self._phrases(read.prefix, rows, known)
        answers = []
        for i, reading in readings.items():
            phrase = phrases[given[i]].shifted(view.offset) if given[i] else None
            sure = reading.class_probability * certainty(i, given[i], votes)
            answers.append(_answer(reading.word_class, meanings[i], phrase, sure))
        return tuple(answers)

    @torch.inference_mode()
    def votes(self, view: View) -> dict[int, Vote]:
        """Each asked word's vote alone, by its position in the view."""
        readings = self._read(view, hints(self.known(view))).readings
        return {i: reading.vote for i, reading in readings.items()}

    def known(self, view: View, people: Candidates = NO_CANDIDATES) -> Candidates:
        """People's and the book's candidates among the asked words, by positions in the view."""
        found = join(people, self._books.phrases.find(view.words))
        return {m: told for m, told in found.items() if view.first <= m[0] and m[-1] < view.last}

    def _read(self, view: View, hint: Mapping[int, Members]) -> _Read:
        """What the model says of all asked words before phrases are reconciled. The bar that says
        "no phrase" is run at once with each class, as most words have none."""
        asked = range(view.first, view.last)
        asking = [self._prompt.question(view.words, i, hint.get(i, ())) for i in asked]
        prefix, classed, hidden = self._runner.begin(self._prompt.prefix(view.text), asking)
        starts = self._runner.head[torch.tensor(self._class_starts, device=hidden.device)]
        best = self._runner.logits(hidden, starts).softmax(-1).max(-1)
        names = [CLASSES[i] for i in best.indices.tolist()]
        spelled_classes = [self._prompt.classes[name] for name in names]
        hidden, barred, ended = classed.feed_twice(spelled_classes, [self._prompt.bar])
        spelled = [self._prompt.member(word) for word in view.words]
        ballots = [
            _Ballot(MemberPaths(spelled, i, view.first, view.last), self._prompt.bar) for i in asked
        ]
        self._vote(classed.copy(), hidden, ballots)
        readings = {
            i: Reading(name, sure, ballot.vote())
            for i, name, sure, ballot in zip(asked, names, best.values.tolist(), ballots)
        }
        return _Read(readings, prefix, classed, barred, ended)

    def _vote(self, branches: Branches, hidden: torch.Tensor, ballots: list[_Ballot]) -> None:
        """Let every ballot write its members out, token by token, until none goes on."""
        going = ballots
        while True:
            written = self._next_tokens(hidden, going)
            kept = [row for row, token in enumerate(written) if token is not None]
            if not kept:
                return
            branches.select(kept)
            going = [going[row] for row in kept]
            hidden = branches.feed([[token] for token in written if token is not None])

    def _next_tokens(self, hidden: torch.Tensor, ballots: Sequence[_Ballot]) -> list[int | None]:
        options = [ballot.options() for ballot in ballots]
        ids = sorted({token for row in options for token in row})
        column = {token: i for i, token in enumerate(ids)}
        head = self._runner.head[torch.tensor(ids, device=hidden.device)]
        logits = self._runner.logits(hidden, head)
        return [
            ballot.take(row, logits[i, [column[token] for token in row]].softmax(-1).tolist())
            for i, (ballot, row) in enumerate(zip(ballots, options))
        ]

    def _spelled(self, view: View, members: Members) -> tuple[int, ...]:
        """A phrase, or none, as tokens: what stands between a word's class and its meaning."""
        tokens = [token for i in members for token in self._prompt.member(view.words[i])]
        return (*tokens, self._prompt.bar)

    def _meanings(self, read: _Read, view: View, given) -> dict[int, list[Written]]:
        """One or two meanings of each asked word, the better first."""
        requests = []
        for i, reading in read.readings.items():
            end = self._prompt.bar if given[i] else self._prompt.end
            word = view.words[i].text
            spelling = word if reading.word_class in _SPELLED else ""
            start = self._prompt.ids(spelling)[0] if spelling else 0
            known = self._books.words.find(word, reading.word_class)
            requests.append(Request(end, spelling, start, known))
        branches, hidden = read.barred, read.ended
        in_phrase = [number for number, i in enumerate(read.readings) if given[i]]
        if in_phrase:
            told = read.classed.copy()
            told.select(in_phrase)
            spelled = [self._spelled(view, given[view.first + number]) for number in in_phrase]
            hidden[in_phrase] = told.feed(spelled)
            branches.put(in_phrase, told)
        found = self._writer.write(branches, hidden, requests, _LONGEST_MEANING, ways=2)
        return dict(zip(read.readings, found))

    def _told(self, view: View, readings, given, meanings, hint) -> dict[Members, tuple[int, ...]]:
        """For each given phrase the answer of the member that was surest of it: all that stands
        between the context and the phrase's meaning."""
        prompt = self._prompt
        told: dict[Members, tuple[int, ...]] = {}
        for i in sorted(readings, key=lambda i: readings[i].vote.probability):
            if given[i]:
                question = prompt.question(view.words, i, hint.get(i, ()))
                word_class = prompt.classes[readings[i].word_class]
                meaning = prompt.ids(meanings[i][0].text)
                spelled = self._spelled(view, given[i])
                told[given[i]] = (*question, *word_class, *spelled, *meaning, prompt.bar)
        return told

    def _phrases(self, prefix, rows, known) -> dict[Members, Phrase]:
        """Each given phrase with its meaning: a known one, or else written once by the model
        behind the tokens in `rows`."""
        phrases = {}
        for members in [m for m in rows if m in known]:
            chosen = self._choose(prefix, rows[members], known[members])
            phrases[members] = Phrase(members, chosen.meaning, chosen.source)
        rest = [members for members in rows if members not in known]
        if rest:
            branches = self._runner.branch(prefix, len(rest))
            hidden = branches.feed([rows[members] for members in rest])
            requests = [Request(self._prompt.end)] * len(rest)
            found = self._writer.write(branches, hidden, requests, _LONGEST_PHRASE_MEANING, ways=1)
            phrases |= {m: Phrase(m, ways[0].text) for m, ways in zip(rest, found)}
        return phrases

    def _choose(self, prefix: Prefix, row: Sequence[int], known: Sequence[Known]) -> Known:
        """Of a known phrase's meanings the one the model finds likeliest here, a person's before
        the book's where it is a close thing. Long ones are weighed by their beginning."""
        if len(known) == 1:
            return known[0]
        options = [
            self._prompt.ids(_NEVER_WRITTEN.sub("", one.meaning))[:_LONGEST_PHRASE_MEANING]
            for one in known
        ]
        leads = [_PERSONS_LEAD if one.source == "person" else 0.0 for one in known]
        weights = self._writer.weigh(prefix, row, self._prompt.end, options)
        scores = [a + b for a, b in zip(leads, weights)]
        return known[max(range(len(known)), key=scores.__getitem__)]


class _Ballot:
    """One word's vote while it is cast: none, or the members of its phrase one token at a time."""

    def __init__(self, paths: MemberPaths, bar: int):
        self._paths, self._bar = paths, bar
        self._none: float | None = None  # probability of no phrase, once known
        self._members: Members = ()

    def options(self) -> list[int]:
        """The tokens that can follow; the bar stands for the end, or at first for no phrase."""
        allowed = self._paths.allowed()
        tokens = [token for token in allowed if token is not None]
        return [self._bar, *tokens] if self._none is None or None in allowed else tokens

    def take(self, options: list[int], shares: list[float]) -> int | None:
        """Take the likeliest option; the token to go on with, or None where the vote is cast."""
        if self._none is None:
            self._none = shares[0]
            if 1 - shares[0] < _WRITE_OUT or len(options) == 1:
                return None
            shares = [0.0, *shares[1:]]
        best = max(range(len(shares)), key=shares.__getitem__)
        if options[best] == self._bar:
            self._members = self._paths.members()
            return None
        self._paths.write(options[best])
        return options[best]

    def vote(self) -> Vote:
        return Vote(1 - (1.0 if self._none is None else self._none), self._members)


def _answer(word_class: str, meanings: list[Written], phrase: Phrase | None, sure: float) -> Answer:
    """The answer with its best meaning; `sure` is the probability of all but the meaning."""
    best, second = meanings[0], meanings[1].text if len(meanings) > 1 else ""
    return Answer(Sense(word_class, best.text, phrase), second, sure * best.probability)
