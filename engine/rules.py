"""What the labelling rules ask of a sense beyond its structure. Each rule is a matter of taste in
some case, so a person may save anyway; a teacher is asked once more. Pure.
"""

from __future__ import annotations

import regex

from engine.script import is_written, script_of
from engine.sense import Query, Sense, phrase_words

CHINESE = script_of("zh")
_ANY = script_of("en")  # its lengths hold for languages of which nothing is known
_SEVERAL = regex.compile(r"[,，、;；/|]|\s或\s")
_BRACKETS = regex.compile(r"[()（）\[\]【】]")
_ARTICLES = {  # by source language, those that a phrase does not begin with
    "en": ("a", "an"),
    "de": ("ein", "eine", "einen", "einem", "einer", "eines"),
    "es": ("un", "una"),
}
_NOT_IN = {"zh": "no_chinese"}  # what a meaning is called that is not in its language

RULES = (
    "meaning_too_long",
    "meaning_no_chinese",
    "meaning_other_script",
    "several_meanings",
    "meaning_has_brackets",
    "phrase_no_meaning",
    "phrase_meaning_no_chinese",
    "phrase_meaning_other_script",
    "several_phrase_meanings",
    "phrase_with_article",
    "meaning_is_phrase",
)


def broken_rules(query: Query, sense: Sense) -> tuple[str, ...]:
    """The rules of RULES that a sense breaks, in their order."""
    meaning, phrase = sense.meaning, sense.phrase
    name = sense.word_class == "proper noun" or meaning == query.target
    source, _, target = query.pair.partition("-")
    script = script_of(target) if is_written(query.pair) else None
    longest, foreign = (script or _ANY).longest, _NOT_IN.get(target, "other_script")

    def is_foreign(text: str) -> bool:
        return script is not None and not script.letter.search(text)

    found = {
        "meaning_too_long": len(meaning) > longest and not name,
        f"meaning_{foreign}": is_foreign(meaning) and not name,
        "several_meanings": bool(_SEVERAL.search(meaning)),
        "meaning_has_brackets": bool(_BRACKETS.search(meaning)),
    }
    if phrase:
        words = phrase_words(query, phrase).lower().split()
        found |= {
            "phrase_no_meaning": not phrase.meaning,
            f"phrase_meaning_{foreign}": bool(phrase.meaning) and is_foreign(phrase.meaning),
            "several_phrase_meanings": bool(_SEVERAL.search(phrase.meaning)),
            "phrase_with_article": words[0] in _ARTICLES.get(source, ()),
            "meaning_is_phrase": len(meaning) > 2 and meaning == phrase.meaning,
        }
    return tuple(rule for rule in RULES if found.get(rule))
