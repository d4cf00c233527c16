"""What lies before somebody who votes blind: pairs of answers without names, kept by the server.

A page knows the ballots of its session by their numbers, and which answer stands first, never whose
it is; which model stands first is a function of a secret and the number. Knows no gradio.
"""

from __future__ import annotations

import random
import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from db.store import Side, Vote
from trainer.voting import left_stands_first
from ui.desk import Bad, Reply

CHOICES = ("first", "second", "both", "neither")
MOST_BALLOTS = 200
_SESSIONS = 50


@dataclass(frozen=True)
class Ballot:
    """A word of a context, or all of it where `position` is None, with the left and the right
    model's answer, as pages get them."""

    context: str
    position: int | None
    left: Reply
    right: Reply


@dataclass
class Session:
    """The ballots of one sitting. `given` is what was chosen, by number; once it is over nothing is
    added, as the names are known then."""

    pair: str
    task: str
    left: Side
    right: Side
    titles: tuple[str, str]
    ballots: Sequence[Ballot]
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    seed: str = field(default_factory=lambda: secrets.token_hex(8))
    given: dict[int, str] = field(default_factory=dict)
    over: bool = False

    def shown(self, number: int) -> tuple[Reply, Reply]:
        """The answers of a ballot in the order in which they stand."""
        ballot = self.ballot(number)
        both = ballot.left, ballot.right
        return both if left_stands_first(self.seed, number) else both[::-1]

    def ballot(self, number: int) -> Ballot:
        """The ballot; Bad where there is none."""
        if not 0 <= number < len(self.ballots):
            raise Bad("unknown_value")
        return self.ballots[number]

    def vote(self, number: int, choice: str, who: str) -> Vote:
        """The choice as a vote for a side; Bad where the ballot has one or the names are known."""
        ballot = self.ballot(number)
        if choice not in CHOICES:
            raise Bad("not_understood")
        if self.over:
            raise Bad("vote_over")
        if number in self.given:
            raise Bad("voted_already")
        left_first = left_stands_first(self.seed, number)
        side = choice
        if choice in ("first", "second"):
            side = "left" if (choice == "first") == left_first else "right"
        return Vote(
            self.left, self.right, ballot.context, ballot.position, side,
            "left" if left_first else "right", self.pair, self.task, who,
        )  # fmt: skip

    def counts(self) -> dict[str, int]:
        """How often each side was chosen."""
        found = dict.fromkeys(("left", "right", "both", "neither"), 0)
        for side in self.given.values():
            found[side] += 1
        return found


class Sessions:
    """The open sessions; of too many the oldest goes. Its votes are stored already."""

    def __init__(self) -> None:
        self.lock = threading.Lock()  # around a look at what was given and its change
        self._open: OrderedDict[str, Session] = OrderedDict()

    def add(self, session: Session) -> Session:
        """Opens the session with its ballots in a random order, at most MOST_BALLOTS of them."""
        ballots = list(session.ballots)
        if not ballots:
            raise Bad("nothing_differs")
        shuffled = random.SystemRandom().sample(ballots, min(len(ballots), MOST_BALLOTS))
        opened = replace(session, ballots=shuffled)
        with self.lock:
            self._open[opened.id] = opened
            while len(self._open) > _SESSIONS:
                self._open.popitem(last=False)
        return opened

    def find(self, session_id: str) -> Session:
        """The session; Bad where it is not known any more."""
        session = self._open.get(session_id)
        if session is None:
            raise Bad("vote_gone")
        return session
