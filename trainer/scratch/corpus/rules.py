"""Patterns that running text does not hold: what a page or a program has around its sentences. Each
has a name by which the report counts it. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

import regex

from trainer.scratch.corpus.stages import Dropped


@dataclass(frozen=True)
class Rule:
    """A pattern whose lines are dropped."""

    name: str
    pattern: regex.Pattern[str]


def _rule(name: str, pattern: str) -> Rule:
    return Rule(name, regex.compile(pattern, regex.IGNORECASE))


RULES = (
    _rule("an address", r"https?://|\bwww\.\w|\b[\w.+-]+@[\w-]+\.\w{2,}"),
    _rule("markup", r"</?[a-z][^<>]{0,80}>|\{\{|\}\}|\[\[|\]\]|\[/?[a-z]{1,6}\]"),
    _rule("code", r"[{}]|;\s*$|\w\(\)|\b(?:function|return|import)\b.*[=(;]|[=!]=|=>|::|\\[nrt]\b"),
    _rule(
        "a page's notice",
        r"©|\ball rights reserved\b|\balle rechte vorbehalten\b|\blorem ipsum\b|\bjavascript\b"
        r"|\b(?:privacy|cookie) policy\b|\bdatenschutzerklärung\b|\bterms of (?:use|service)\b"
        r"|\bclick here\b|\bhier klicken\b|版权所有|点击这里",
    ),
    _rule("a ruled line", r"\.{4,}|…{2,}|([-–—_=*#~|·•])\1{3,}|(?:\. ){4,}"),
    _rule("a path", r"(?:^|\s)(?:[a-z]:\\|/(?:\w+/){2,})"),
)


def find_pattern(text: str) -> str | Dropped:
    """The text, where it holds none of RULES."""
    for rule in RULES:
        if rule.pattern.search(text):
            return Dropped(rule.name)
    return text
