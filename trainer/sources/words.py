"""What the sources share about single words: lemmas, words with a grammatical job, usable Chinese.

Pure: no files, no model.
"""

from __future__ import annotations

import re

import regex

from engine.lemma import lemma
from engine.sense import CLASSES

LONGEST_MEANING = 8  # characters, by the labelling rules
ARTICLES = frozenset({"a", "an", "the"})
SLOTS = frozenset(
    [
        "someone",
        "somebody",
        "something",
        "one's",
        "oneself",
        "someone's",
        "somebody's",
        "my",
        "your",
        "his",
        "her",
        "its",
        "our",
        "their",
        "myself",
        "yourself",
        "himself",
        "herself",
        "itself",
        "ourselves",
        "yourselves",
        "themselves",
    ]
)
# Words that mostly hold sentences together, with the class they mostly have. Dictionaries of
# content words are no authority on their class, and alignments none on their meaning.
FUNCTION_CLASSES: dict[str, str] = {
    word: word_class
    for word_class, words in {
        "determiner": "a an the this that these those my your his its our their some any no every"
        " each either neither all both half many much few little several such another other what"
        " which whose enough more most less least same own",
        "pronoun": "i me you he him she her it we us they them who whom myself yourself himself"
        " herself itself ourselves yourselves themselves mine yours hers ours theirs someone"
        " somebody something anyone anybody anything everyone everybody everything nobody nothing"
        " none one's there here",
        "preposition": "of at from with without by for in on to into onto upon about above across"
        " after against along among around before behind below beneath beside between beyond"
        " despite during except inside like near outside over past since through throughout"
        " toward towards under until up down off out as than per via",
        "conjunction": "and or but nor so yet if because although though while unless whether when"
        " whenever where wherever",
        "auxiliary": "be am is are was were been being do does did have has had having can could"
        " will would shall should may might must ought cannot",
        "adverb": "not very too also just only even still again ever never how why then now away"
        " back well quite rather almost else",
        "numeral": "one two three four five six seven eight nine ten eleven twelve twenty thirty"
        " forty fifty sixty seventy eighty ninety hundred thousand million billion first second"
        " third",
        "interjection": "yes oh hello hi please",
    }.items()
    for word in words.split()
}
_HAN = regex.compile(r"[\p{Han}·]+")
_LIST = re.compile(r"[,，;；、/|]")

assert set(FUNCTION_CLASSES.values()) <= set(CLASSES)


def forms(word: str) -> frozenset[str]:
    """What a dictionary may list `word` under: itself and its lemma."""
    return frozenset({word.lower().replace("’", "'"), lemma(word)})


def is_chinese(text: str) -> bool:
    """Whether `text` is a Chinese word or phrase as the model can write it."""
    return _HAN.fullmatch(text) is not None


def usable_meaning(text: str, target: str) -> bool:
    """Whether `text` can stand as a meaning: one short Chinese sense, or the name itself."""
    if text == target:
        return True
    return is_chinese(text) and len(text) <= LONGEST_MEANING and not _LIST.search(text)
