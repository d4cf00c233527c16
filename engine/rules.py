"""What the labelling rules ask of a sense beyond its structure. Each rule is a matter of taste in
some case, so a person may save anyway; a teacher is asked once more. Pure.
"""

from __future__ import annotations

import regex

from engine.sense import Query, Sense, phrase_words

LONGEST = 8  # characters of a meaning in Chinese
_LONGEST_SPELLED = 40  # in a language that is written with letters
_HAN = regex.compile(r"\p{Han}")
_SEVERAL = regex.compile(r"[,，、;；/|]|\s或\s")
_BRACKETS = regex.compile(r"[()（）\[\]【】]")
_ARTICLES = ("a", "an")

RULES = (
    "meaning_too_long",
    "meaning_no_chinese",
    "several_meanings",
    "meaning_has_brackets",
    "phrase_no_meaning",
    "phrase_meaning_no_chinese",
    "several_phrase_meanings",
    "phrase_with_article",
    "meaning_is_phrase",
)


def broken_rules(query: Query, sense: Sense) -> tuple[str, ...]:
    """The rules of RULES that a sense breaks, in their order."""
    meaning, phrase = sense.meaning, sense.phrase
    name = sense.word_class == "proper noun" or meaning == query.target
    chinese = query.pair.endswith("-zh")
    longest = LONGEST if chinese else _LONGEST_SPELLED
    found = {
        "meaning_too_long": len(meaning) > longest and not name,
        "meaning_no_chinese": chinese and not _HAN.search(meaning) and not name,
        "several_meanings": bool(_SEVERAL.search(meaning)),
        "meaning_has_brackets": bool(_BRACKETS.search(meaning)),
    }
    if phrase:
        words = phrase_words(query, phrase).lower().split()
        found |= {
            "phrase_no_meaning": not phrase.meaning,
            "phrase_meaning_no_chinese": (
                chinese and bool(phrase.meaning) and not _HAN.search(phrase.meaning)
            ),
            "several_phrase_meanings": bool(_SEVERAL.search(phrase.meaning)),
            "phrase_with_article": words[0] in _ARTICLES,
            "meaning_is_phrase": len(meaning) > 2 and meaning == phrase.meaning,
        }
    return tuple(rule for rule in RULES if found.get(rule))
