"""How far people agree who decided the same queries, field by field.

Percent is the share of pairs of answers that are equal. Cohen's kappa is that of each two people,
averaged; Krippendorff's alpha takes all of them at once. Both are 1 where people always agree and 0
where they agree as often as by chance. They say most where people decided without seeing what
others had decided (the queue's overlap).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from db.store import Decided, Store

MOST = 2000  # newest queries that are compared: both measures grow with the square of the values

Values = dict[str, Hashable]
"""What each person said about one query; who said nothing is not in it."""


@dataclass(frozen=True)
class Agreement:
    """Of one field: how many queries two or more people answered, the share of equal pairs (0 to
    1), and both measures; None where nothing can be compared."""

    field: str
    queries: int
    equal: float | None
    kappa: float | None
    alpha: float | None


def measure(store: Store, pair: str) -> tuple[Agreement, ...]:
    """How far people agree in each field, about the newest queries that several decided."""
    decided = list(store.agreement.decided_by_several(pair, MOST))
    return tuple(
        agreement_of(name, [_values(people, value) for people in decided])
        for name, value in FIELDS.items()
    )


def agreement_of(field: str, units: Iterable[Values]) -> Agreement:
    """The agreement in one field over queries, each with what people said."""
    compared = [values for values in units if len(values) > 1]
    if not compared:
        return Agreement(field, 0, None, None, None)
    pairs = [a == b for values in compared for a, b in itertools.combinations(values.values(), 2)]
    return Agreement(
        field, len(compared), sum(pairs) / len(pairs), _kappa(compared), _alpha(compared)
    )


def _kappa(units: Sequence[Values]) -> float:
    """The mean over all two people who share a query; each two are compared on those alone."""
    people = sorted({who for values in units for who in values})
    found = []
    for a, b in itertools.combinations(people, 2):
        shared = [{a: values[a], b: values[b]} for values in units if a in values and b in values]
        if shared:
            found.append(_task(shared).kappa())
    return float(sum(found) / len(found))


def _alpha(units: Sequence[Values]) -> float:
    return float(_task(units).alpha())


def _task(units: Sequence[Values]):
    from nltk.metrics.agreement import AnnotationTask  # takes half a second

    triples = [
        (who, str(number), value)
        for number, values in enumerate(units)
        for who, value in values.items()
    ]
    return AnnotationTask(triples)


def _values(people: Sequence[Decided], value: Callable[[Decided], Hashable]) -> Values:
    told = {one.who: value(one) for one in people}
    return {who: said for who, said in told.items() if said is not None}


def _accepted(value: Callable[[Decided], Hashable]) -> Callable[[Decided], Hashable]:
    """A rejected question has no answer to compare."""
    return lambda one: value(one) if one.status == "accepted" else None


FIELDS: dict[str, Callable[[Decided], Hashable]] = {
    "decision": lambda one: one.status,
    "class": _accepted(lambda one: one.sense.word_class),
    "meaning": _accepted(lambda one: one.sense.meaning),
    "members": _accepted(lambda one: tuple(one.sense.phrase.members) if one.sense.phrase else ()),
    "phrase_meaning": _accepted(lambda one: one.sense.phrase.meaning if one.sense.phrase else None),
}
"""What is compared; the meaning of a phrase only between those who see one."""
