"""What became of rows: how many came and stayed, and of those dropped, by stage and rule, how many
and some of them. Tallies of pieces add up to that of the whole, samples too. Pure.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SAMPLES = 5  # rows that are shown of each rule
_LONGEST = 300  # characters of a sample


@dataclass
class Counted:
    """How many rows a rule dropped, and those of them whose hashes are the smallest: drawn as if by
    chance, and the same whatever the pieces."""

    count: int = 0
    samples: list[tuple[int, str]] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.count += 1
        text = text[:_LONGEST]
        key = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big")
        if len(self.samples) < SAMPLES or key < self.samples[-1][0]:
            self._keep([*self.samples, (key, text)])

    def merge(self, other: Counted) -> None:
        self.count += other.count
        self._keep([*self.samples, *other.samples])

    def _keep(self, samples: list[tuple[int, str]]) -> None:
        self.samples = heapq.nsmallest(SAMPLES, dict.fromkeys(samples))


@dataclass
class Tally:
    """Rows that came, those that were mended and kept, the characters of these, and what was
    dropped: by stage, then by rule."""

    rows: int = 0
    mended: int = 0
    kept: int = 0
    characters: int = 0
    dropped: dict[str, dict[str, Counted]] = field(default_factory=dict)

    def drop(self, stage: str, rule: str, text: str) -> None:
        """Count a row that a stage dropped."""
        self.dropped.setdefault(stage, {}).setdefault(rule, Counted()).add(text)

    def merge(self, other: Tally) -> None:
        """Add what became of other rows."""
        for name in ("rows", "mended", "kept", "characters"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for stage, rules in other.dropped.items():
            mine = self.dropped.setdefault(stage, {})
            for rule, counted in rules.items():
                mine.setdefault(rule, Counted()).merge(counted)

    def dropped_by(self, stage: str) -> int:
        """How many rows a stage dropped."""
        return sum(one.count for one in self.dropped.get(stage, {}).values())

    def plain(self) -> dict[str, Any]:
        """The tally as JSON has it; `read_tally` reads it back equal."""
        return {
            "rows": self.rows, "mended": self.mended, "kept": self.kept,
            "characters": self.characters,
            "dropped": {
                stage: {rule: {"count": c.count, "samples": c.samples} for rule, c in rules.items()}
                for stage, rules in self.dropped.items()
            },
        }  # fmt: skip


def read_tally(data: Mapping[str, Any]) -> Tally:
    """The tally in plain JSON data."""
    dropped = {
        stage: {
            rule: Counted(one["count"], [(key, text) for key, text in one["samples"]])
            for rule, one in rules.items()
        }
        for stage, rules in data["dropped"].items()
    }
    counts = {name: data[name] for name in ("rows", "mended", "kept", "characters")}
    return Tally(**counts, dropped=dropped)
