"""Span corruption as in T5: a text loses some spans, and to give them back is learnt. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random


def corrupt(
    tokens: Sequence[int], holes: Sequence[int], random: Random, share: float, mean: float
) -> tuple[list[int], list[int]]:
    """The text with a hole in place of each lost span, and the answer: each hole with its span.

    `share` of the tokens are lost, in spans of `mean` tokens on average, none beside another; a
    text of n tokens always loses as many. At least two tokens are needed.
    """
    lost = min(max(1, round(len(tokens) * share)), len(tokens) - 1)
    spans = min(max(1, round(lost / mean)), lost, len(tokens) - lost + 1, len(holes))
    gone = _split(lost, spans, random)
    kept = _split(len(tokens) - lost + 2, spans + 1, random)
    kept[0], kept[-1] = kept[0] - 1, kept[-1] - 1  # nothing need stand before the first or last
    text, answer, at = list(tokens[: kept[0]]), list[int](), kept[0]
    for hole, size, after in zip(holes, gone, kept[1:]):
        answer += [hole, *tokens[at : at + size]]
        at += size
        text += [hole, *tokens[at : at + after]]
        at += after
    return text, answer


def _split(total: int, parts: int, random: Random) -> list[int]:
    """`total` as a sum of so many whole numbers from 1 on, each such sum as likely."""
    cuts = [0, *sorted(random.sample(range(1, total), parts - 1)), total]
    return [right - left for left, right in zip(cuts, cuts[1:])]
