"""The kinds of jobs there are. A kind says what its recipe must be and does the work; it knows
nothing of queues and processes. A new kind is a module of its own and a line in MODULES.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainer.jobs.work import Work

# Imported when asked for, as some need torch.
MODULES = {
    "teacher": "trainer.jobs.teacher",
    "train": "trainer.jobs.train",
    "sentences": "trainer.jobs.sentences",
    "translations": "trainer.jobs.translations",
    "evaluate": "trainer.jobs.evaluate",
    "corpus": "trainer.jobs.corpus",
    "scratch": "trainer.jobs.scratch",
    "quantise": "trainer.jobs.quantise",
}


class JobError(RuntimeError):
    """A job that cannot be made, or has failed for a reason that people can do something about.
    `code` names it; screens translate it."""

    def __init__(self, code: str, text: str):
        self.code = code
        super().__init__(text)


@dataclass(frozen=True)
class Prepared:
    """A recipe made whole, and the slot it needs."""

    recipe: Mapping[str, Any]
    slot: str


@dataclass(frozen=True)
class Kind:
    """A kind of work. `recipe` is the dataclass of its recipes; `prepare` checks one from anywhere
    (JobError says what is wrong with it); `run` does the work and returns whether all of it is
    done: False where it was asked to end. What it raises is why the job failed."""

    recipe: type
    prepare: Callable[[Mapping[str, Any]], Prepared]
    run: Callable[[Work], bool]


def find_kind(name: str) -> Kind:
    """The kind of this name; JobError where there is none."""
    if name not in MODULES:
        raise JobError("unknown_kind", f"there are no jobs of the kind {name!r}")
    return import_module(MODULES[name]).KIND
