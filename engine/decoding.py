"""From a view of a context to the answers for its words, valid by construction.

All words are decoded together over one shared prefix: first every word's class; then meanings are
written behind likely phrases while the words vote, and again where the votes say otherwise. Only
what can follow is ever scored: class names, words of the context, the language of meanings.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch

from engine.books import Books
from engine.branches import Branches, Runner, Task, begin, side_by_side
from engine.meanings import MeaningWriter, Request, Written
from engine.phrasebook import NO_CANDIDATES, Candidates, Known, favoured, hints, join
from engine.phrases import MemberPaths, Vote, can_matter, certainty, reconcile
from engine.prompt import SensePrompt
from engine.sense import CLASSES, Answer, Phrase, Sense
from engine.views import View

_WRITE_OUT = 0.1  # least probability of a phrase for its members to be written out
_PERSONS_LEAD = 1.0  # mean log-probability that a person's meaning has in advance of the book's
_SPELLED = {"proper noun", "numeral"}  # classes whose meaning may be the word's own spelling

Members = tuple[int, ...]


@dataclass(frozen=True)
class _Word:
    """An asked word whose class is known; `number` says which row is its."""

    number: int
    word_class: str
    class_probability: float
    ballot: _Ballot


@dataclass(frozen=True)
class _Read:
    """A view that was read: its asked words by position; rows to go on from, behind each one's
    class, and of the words that are wanted behind the bar after that, in the order of `wanted`; and
    the hidden states there, the bar's in `ended`. `brief`: of meanings only the best are wanted."""

    view: View
    words: dict[int, _Word]
    wanted: list[int]
    classed: Branches
    barred: Branches
    hidden: torch.Tensor
    ended: torch.Tensor
    brief: bool

    def votes(self) -> dict[int, Vote]:
        return {i: word.ballot.vote() for i, word in self.words.items()}


@dataclass(frozen=True)
class _Draft:
    """A word's meanings, the better first, written behind the phrase it was thought to be in, and
    the row they were written behind."""

    members: Members
    ways: list[Written]
    branch: Branches


class SenseDecoder:
    """Decodes with one runner's model and one prompt style. `threshold` is the least vote for a
    phrase, `favour` what a phrase of the phrasebook has in advance."""

    def __init__(
        self,
        runner: Runner,
        prompt: SensePrompt,
        books: Books,
        threshold: float = 0.5,
        favour: float = 0.0,
    ):
        if prompt.style == "marked":
            raise ValueError("words that share one prefix cannot be marked in it")
        self.runner, self.prompt, self.books = runner, prompt, books
        self.threshold, self.favour = threshold, favour
        self._writer = MeaningWriter(runner, prompt)
        self._class_starts = [prompt.classes[name][0] for name in CLASSES]

    @torch.inference_mode()
    def answer(self, view: View, people: Candidates = NO_CANDIDATES) -> tuple[Answer, ...]:
        """The answers for the words asked for, in order; `people` gave the meanings of phrases in
        the view. Confidence is the product of the probabilities of class, phrase or none, and
        meaning; not calibrated."""
        found = self.runner.run(self._answer(view, self.known(view, people), view.asked))
        return tuple(found.values())

    @torch.inference_mode()
    def answer_many(
        self, asking: Sequence[tuple[View, Collection[int]]], brief: bool = False
    ) -> list[dict[int, Answer]]:
        """For each view the answers for some of its asked words, by their positions in the context;
        all views at once, and nothing written for words that nobody wants. What `answer` gives, but
        for the last digits of its sums. `brief`: without second-best meanings, and with as few
        tokens as that takes; one alone would be slower so, many are faster."""
        return self.runner.run_all(
            [self._answer(view, self.known(view), mine, brief) for view, mine in asking]
        )

    @torch.inference_mode()
    def votes(self, view: View) -> dict[int, Vote]:
        """Each asked word's vote alone, by its position in the view."""
        return self.runner.run(self._votes(view, self.known(view)))

    def known(self, view: View, people: Candidates = NO_CANDIDATES) -> Candidates:
        """People's and the book's candidates among the asked words, by positions in the view."""
        found = join(people, self.books.phrases.find(view.words))
        return {m: told for m, told in found.items() if view.first <= m[0] and m[-1] < view.last}

    def _answer(
        self, view: View, known: Candidates, wanted: Collection[int], brief: bool = False
    ) -> Task[dict[int, Answer]]:
        """The answers for the wanted positions of the context. Meanings are written while words
        still vote, behind the phrases that their first tokens make likely; where the votes then say
        otherwise, they are written again. `brief`: they wait for the votes."""
        mine = [i for i in range(view.first, view.last) if i + view.offset in wanted]
        read = yield from self._read(view, hints(known), mine, brief)
        words = {i: read.words[i] for i in mine}
        voting = self._take(read.hidden, read.words)
        likely = {} if brief else self._reconcile(read, known)
        drafts, _ = yield from side_by_side(
            self._drafts(read, {i: likely[i] for i in words if i in likely}),
            self._vote(read, self._hopeful(read, voting, known), known),
        )
        given, votes = self._reconcile(read, known), read.votes()
        tellers = {given[i]: _surest(given, i, votes) for i in words if given[i]}
        missing = {
            i: given[i]
            for i in {*words, *tellers.values()}
            if i not in drafts or drafts[i].members != given[i]
        }
        drafts |= yield from self._drafts(read, dict(sorted(missing.items())))
        phrases = yield from self._phrases(
            {members: drafts[i] for members, i in tellers.items()}, known
        )
        answers = {}
        for i, word in words.items():
            sure = word.class_probability * certainty(i, given[i], votes)
            phrase = phrases[given[i]].shifted(view.offset) if given[i] else None
            answers[i + view.offset] = _answer(word.word_class, drafts[i].ways, phrase, sure)
        return answers

    def _votes(self, view: View, known: Candidates) -> Task[dict[int, Vote]]:
        read = yield from self._read(view, hints(known), [], brief=False)
        yield from self._vote(read, self._take(read.hidden, read.words), known)
        return read.votes()

    def _hopeful(self, read: _Read, voting: Mapping[int, int], known: Candidates) -> dict[int, int]:
        """Of the words that would go on voting those whose members can still matter."""
        hopeful = can_matter(read.votes(), self.threshold, favoured(known), self.favour)
        return {i: token for i, token in voting.items() if i in hopeful}

    def _reconcile(self, read: _Read, known: Candidates) -> dict[int, Members]:
        return reconcile(read.votes(), self.threshold, favoured(known), self.favour)

    def _read(
        self, view: View, hint: Mapping[int, Members], wanted: list[int], brief: bool
    ) -> Task[_Read]:
        """Every asked word's class. The bar that says "no phrase" is run at once with the classes
        of wanted words, as most have none."""
        asked = range(view.first, view.last)
        asking = [self.prompt.question(view.words, i, hint.get(i, ())) for i in asked]
        _, classed, hidden = yield from begin(self.prompt.prefix(view.text), asking)
        starts = self.runner.head[torch.tensor(self._class_starts, device=hidden.device)]
        best = self.runner.logits(hidden, starts).softmax(-1).max(-1)
        names = [CLASSES[i] for i in best.indices.tolist()]
        spelled_classes = [self.prompt.classes[name] for name in names]
        rows = [i - view.first for i in wanted]
        hidden, barred, ended = yield from classed.feed_twice(
            spelled_classes, [self.prompt.bar], rows
        )
        spelled = [self.prompt.member(word) for word in view.words]
        words = {}
        for number, i in enumerate(asked):
            paths = MemberPaths(spelled, i, view.first, view.last)
            ballot = _Ballot(paths, self.prompt.bar)
            words[i] = _Word(number, names[number], float(best.values[number]), ballot)
        return _Read(view, words, wanted, classed, barred, hidden, ended, brief)

    def _vote(self, read: _Read, voting: dict[int, int], known: Candidates) -> Task[None]:
        """Let every word that votes write its members out until none goes on; `voting`: position →
        the token to go on with. Tokens that are likely to follow are run at once with it, and count
        where they are those that follow."""
        spelled = [self._spelled(read.view, members)[:-1] for members in known]
        branches = read.classed.chosen([read.words[i].number for i in voting])
        while voting:
            paths = {
                i: [token, *read.words[i].ballot.guess(spelled)] for i, token in voting.items()
            }
            found = yield from branches.feed_along([[[t] for t in path] for path in paths.values()])
            at = dict(zip(voting, found))
            voting, ahead, step = {}, list[Branches](), 0
            while at:
                hidden = torch.stack([states[step] for _, states in at.values()])
                taken = self._take(hidden, {i: read.words[i] for i in at})
                guessed = {
                    i for i, token in taken.items() if paths[i][step + 1 : step + 2] == [token]
                }
                for i in taken.keys() - guessed:
                    ahead.append(at[i][0].chosen([step]))
                    voting[i] = taken[i]
                at = {i: at[i] for i in at if i in guessed}
                step += 1
            branches = Branches.joined(ahead)

    def _take(self, hidden: torch.Tensor, words: Mapping[int, _Word]) -> dict[int, int]:
        """What each word's ballot takes next, given its hidden state: position → token, of those
        that go on."""
        options = {i: word.ballot.options() for i, word in words.items()}
        ids = sorted({token for mine in options.values() for token in mine})
        column = {token: n for n, token in enumerate(ids)}
        head = self.runner.head[torch.tensor(ids, device=hidden.device)]
        logits = self.runner.logits(hidden, head)
        taken = {}
        for row, (i, mine) in enumerate(options.items()):
            shares = logits[row, [column[token] for token in mine]].softmax(-1).tolist()
            token = words[i].ballot.take(mine, shares)
            if token is not None:
                taken[i] = token
        return taken

    def _drafts(self, read: _Read, given: Mapping[int, Members]) -> Task[dict[int, _Draft]]:
        """The meanings of words that are thought to be in these phrases, or in none: ()."""
        told = [i for i, members in given.items() if members]
        plain = [i for i, members in given.items() if not members]
        numbers = [read.wanted.index(i) for i in plain]
        found = yield from side_by_side(
            self._write(read, plain, given, read.barred.chosen(numbers), read.ended[numbers]),
            self._write_told(read, told, given),
        )
        return found[0] | found[1]

    def _write_told(self, read: _Read, told: list[int], given) -> Task[dict[int, _Draft]]:
        if not told:
            return {}
        branches = read.classed.chosen([read.words[i].number for i in told])
        hidden = yield from branches.feed([self._spelled(read.view, given[i]) for i in told])
        return (yield from self._write(read, told, given, branches, hidden))

    def _write(
        self, read: _Read, positions: list[int], given, branches: Branches, hidden: torch.Tensor
    ) -> Task[dict[int, _Draft]]:
        requests = [self._request(read, i, in_phrase=bool(given[i])) for i in positions]
        longest = self.prompt.script.longest
        found = yield from self._writer.write(branches, hidden, requests, longest, 2, read.brief)
        return {
            i: _Draft(given[i], ways, branches.chosen([row]))
            for row, (i, ways) in enumerate(zip(positions, found))
        }

    def _phrases(
        self, told: Mapping[Members, _Draft], known: Candidates
    ) -> Task[dict[Members, Phrase]]:
        """Each phrase with its meaning, told behind the draft of one of its members."""
        found = yield from side_by_side(*(
            self._phrase(draft, known.get(members, ())) for members, draft in told.items()
        ))  # fmt: skip
        return dict(zip(told, found))

    def _phrase(self, draft: _Draft, known: Sequence[Known]) -> Task[Phrase]:
        """A phrase with its meaning: a known one, or else written by the model behind a member's
        meaning."""
        tokens = (*self.prompt.ids(draft.ways[0].text), self.prompt.bar)
        if known:
            chosen = yield from self._choose(draft.branch, tokens, known)
            return Phrase(draft.members, chosen.meaning, chosen.source)
        branch = draft.branch.chosen([0])
        hidden = yield from branch.feed([tokens])
        ((best,),) = yield from self._writer.write(
            branch, hidden, [Request(self.prompt.end)], self.prompt.script.longest_phrase, ways=1
        )
        return Phrase(draft.members, best.text)

    def _choose(
        self, branch: Branches, tokens: Sequence[int], known: Sequence[Known]
    ) -> Task[Known]:
        """Of a known phrase's meanings the one the model finds likeliest here, a person's before
        the book's where it is a close thing. Long ones are weighed by their beginning."""
        if len(known) == 1:
            return known[0]
        script = self.prompt.script  # the model never writes strays
        options = [
            self.prompt.ids(script.stray.sub("", one.meaning))[: script.longest_phrase]
            for one in known
        ]
        leads = [_PERSONS_LEAD if one.source == "person" else 0.0 for one in known]
        weights = yield from self._writer.weigh(branch, tokens, self.prompt.end, options)
        scores = [a + b for a, b in zip(leads, weights)]
        return known[max(range(len(known)), key=scores.__getitem__)]

    def _request(self, read: _Read, position: int, in_phrase: bool) -> Request:
        """What may be written as the meaning of an asked word."""
        word, text = read.words[position], read.view.words[position].text
        spelling = text if word.word_class in _SPELLED else ""
        start = self.prompt.ids(spelling)[0] if spelling else 0
        known = self.books.words.find(text, word.word_class)
        end = self.prompt.bar if in_phrase else self.prompt.end
        return Request(end, spelling, start, known)

    def _spelled(self, view: View, members: Members) -> tuple[int, ...]:
        """A phrase as tokens: what stands between a word's class and its meaning."""
        tokens = [token for i in members for token in self.prompt.member(view.words[i])]
        return (*tokens, self.prompt.bar)


class _Ballot:
    """One word's vote while it is cast: none, or the members of its phrase one token at a time."""

    def __init__(self, paths: MemberPaths, bar: int):
        self._paths, self._bar = paths, bar
        self._none: float | None = None  # probability of no phrase, once known
        self._taken: tuple[int, ...] = ()
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
        self._taken += (options[best],)
        return options[best]

    def guess(self, spelled: Sequence[tuple[int, ...]]) -> Sequence[int]:
        """What is likely to follow what was taken: the rest of a phrase among `spelled`, or else
        the tokens that must."""
        count = len(self._taken)
        likely = (tokens[count:] for tokens in spelled if tokens[:count] == self._taken)
        return next(likely, None) or self._paths.forced()

    def vote(self) -> Vote:
        return Vote(1 - (1.0 if self._none is None else self._none), self._members)


def _surest(given: Mapping[int, Members], position: int, votes: Mapping[int, Vote]) -> int:
    """Of the words with this one's phrase the surest; of equals the last."""
    mine = [i for i, members in given.items() if members == given[position]]
    return max(mine, key=lambda i: (votes[i].probability, i))


def _answer(word_class: str, meanings: list[Written], phrase: Phrase | None, sure: float) -> Answer:
    """The answer with its best meaning; `sure` is the probability of all but the meaning."""
    best, second = meanings[0], meanings[1].text if len(meanings) > 1 else ""
    return Answer(Sense(word_class, best.text, phrase), second, sure * best.probability)
