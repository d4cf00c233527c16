"""Which phrases a context has, from what each of its words says alone. Pure.

Each word votes: how likely it is to stand in a phrase, and in which. A phrase that its members
agree on is given to all of them, so any member that is clicked gives the same answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from itertools import accumulate

from engine.sense import Answer, Phrase

LONGEST = 10  # members of one phrase
WIDEST_GAP = 9  # words between two members
_EDGE = 1e-9  # of a sum in another order


@dataclass(frozen=True)
class Vote:
    """What one word says: the probability that it stands in a phrase, and in which one."""

    probability: float
    members: tuple[int, ...] = ()  # positions; empty where no phrase was written out


def reconcile(
    votes: Mapping[int, Vote],
    threshold: float,
    known: Collection[tuple[int, ...]] = (),
    favour: float = 0.0,
) -> dict[int, tuple[int, ...]]:
    """For each voting position the phrase it is given: member positions, or () for none.

    A phrase's score is the mean of its members' votes for it, and `favour` more where it is
    known; the best come first, the longer of equals, and no word stands in two.
    """
    scored = {vote.members: score(vote.members, votes) for vote in votes.values() if vote.members}
    scored |= {members: score(members, votes) + favour for members in known}
    given: dict[int, tuple[int, ...]] = dict.fromkeys(votes, ())
    for members in sorted(scored, key=lambda m: (-round(scored[m], 4), -len(m), m)):
        if scored[members] >= threshold and not any(given[i] for i in members):
            given |= dict.fromkeys(members, members)
    return given


def can_matter(
    votes: Mapping[int, Vote],
    threshold: float,
    known: Collection[tuple[int, ...]] = (),
    favour: float = 0.0,
) -> set[int]:
    """Before members are written: the positions of words that can be given a phrase at all. No
    phrase scores above the mean of its members' probabilities, so what the others would write
    changes nothing that `reconcile` gives."""
    hopeful = {
        i
        for members in known
        if score(members, votes) + favour >= threshold - _EDGE
        for i in members
    }
    ranked = sorted(votes, key=lambda i: -votes[i].probability)
    for i, vote in votes.items():
        others = [votes[j].probability for j in ranked[:LONGEST] if j != i][: LONGEST - 1]
        sums = accumulate(others, initial=vote.probability)
        means = (total / count for count, total in enumerate(sums, 1) if count > 1)
        if max(means, default=0.0) >= threshold - _EDGE:
            hopeful.add(i)
    return hopeful


def score(members: tuple[int, ...], votes: Mapping[int, Vote]) -> float:
    """The mean of the members' votes: in full for this phrase, in part for one that overlaps it."""
    total = 0.0
    for i in members:
        own = set(votes[i].members) or set(members)
        total += votes[i].probability * len(own & set(members)) / len(own | set(members))
    return total / len(members)


def certainty(position: int, given: tuple[int, ...], votes: Mapping[int, Vote]) -> float:
    """How probable it is that a word stands in the phrase it is given, or in none."""
    return score(given, votes) if given else 1 - votes[position].probability


@dataclass(frozen=True)
class _Path:
    """Members so far, and how many tokens of the last one are written."""

    members: tuple[int, ...]
    written: int


class MemberPaths:
    """All ways to go on writing a phrase's members: words of the context in order, the target among
    them, none too far from the one before. `allowed` gives the next tokens, `write` takes one."""

    def __init__(self, spelled: Sequence[tuple[int, ...]], target: int, first: int, last: int):
        """`spelled`: each word's tokens as a member; only words first … last-1 can be members."""
        self._spelled, self._target, self._last = spelled, target, last
        self._reach = range(max(first, target - 3 * WIDEST_GAP), target + 1)
        self._paths: list[_Path] = []

    def allowed(self) -> dict[int | None, list[_Path]]:
        """Next token → where it leads; None stands for the end of the members."""
        options: dict[int | None, list[_Path]] = {}
        for path in self._paths:
            here = self._spelled[path.members[-1]]
            if path.written < len(here):
                options.setdefault(here[path.written], []).append(
                    replace(path, written=path.written + 1)
                )
                continue
            if self._target in path.members and len(path.members) > 1:
                options.setdefault(None, []).append(path)
            self._add_next(path, options)
        if not self._paths:
            for i in self._reach:
                if i == self._last - 1:  # nothing could follow
                    continue
                options.setdefault(self._spelled[i][0], []).append(_Path((i,), 1))
        return options

    def _add_next(self, path: _Path, options: dict[int | None, list[_Path]]) -> None:
        at = path.members[-1]
        if len(path.members) == LONGEST:
            return
        last = self._target if at < self._target else self._last - 1  # never past the target
        room = (LONGEST - len(path.members) - 1) * (WIDEST_GAP + 1)  # words the rest can span
        for i in range(at + 1, min(at + 1 + WIDEST_GAP, last) + 1):
            if self._target - i > room:
                continue
            options.setdefault(self._spelled[i][0], []).append(_Path((*path.members, i), 1))

    def write(self, token: int) -> None:
        """Go on with `token`, one of `allowed`."""
        self._paths = _narrowest(self.allowed()[token])

    def forced(self) -> list[int]:
        """The tokens that must follow, one by one, up to where there is a choice."""
        ahead, tokens = copy(self), []
        while len(options := list(ahead.allowed())) == 1 and options[0] is not None:
            tokens.append(options[0])
            ahead.write(options[0])
        return tokens

    def members(self) -> tuple[int, ...]:
        """The members written, once the end is chosen: the narrowest reading."""
        done = self.allowed().get(None, [])
        return min((path.members for path in done), key=_width, default=())


def _width(members: tuple[int, ...]) -> int:
    return members[-1] - members[0]


def _narrowest(paths: list[_Path]) -> list[_Path]:
    """Of the paths that end at one place, only the narrowest: the others can never win."""
    best: dict[tuple[int, int], _Path] = {}
    for path in paths:
        key = (path.members[-1], path.written)
        if key not in best or _width(path.members) < _width(best[key].members):
            best[key] = path
    return list(best.values())


def overlay(answers: Mapping[int, Answer], accepted: Mapping[int, Answer]) -> dict[int, Answer]:
    """The model's answers by position, with people's accepted corrections in place of them.

    The other members of a corrected phrase get it too; a phrase of the model's that meets a
    corrected word is dropped from its other members unless the correction keeps it.
    """
    shown = dict(answers) | {i: accepted[i] for i in accepted if i in answers}
    for i in answers.keys() - accepted.keys():
        own = answers[i].sense
        phrase = _corrected_phrase(i, own.phrase, accepted)
        if phrase != own.phrase:
            shown[i] = replace(answers[i], sense=replace(own, phrase=phrase))
    return shown


def _corrected_phrase(
    position: int, own: Phrase | None, accepted: Mapping[int, Answer]
) -> Phrase | None:
    for answer in accepted.values():
        if answer.sense.phrase and position in answer.sense.phrase.members:
            return answer.sense.phrase
    if own and any(accepted[i].sense.phrase != own for i in own.members if i in accepted):
        return None
    return own
