"""Tatoeba's sentence pairs, word by word: what an English word was translated as here.

Reads tatoeba-eng-cmn.tsv (manythings.org / Tatoeba, CC BY 2.0 FR). Its references: the links that
trainer/sources/align.py made of that very file (*links.tsv), a phrase list (other *.tsv), labelled
rows (*.jsonl), Chinese Open Wordnet (.tab) and WordNet. Gives meanings only; the class is known
where WordNet knows just one, the phrase never.
Refused: Chinese grammar words; Chinese of over four characters, or with more than the word's own
translation (一首歌 for *song*); links that neither a dictionary nor repetition confirms; words
inside a known phrase, whose Chinese is rather the phrase's; words without a class; more of a pair
than MOST_OF_PAIR.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.sense import Query, QueryError, Sense, check_context
from trainer.examples import Example, Refusal, hash_files, held_out
from trainer.metrics import normal
from trainer.recipe import RecipeError, Source
from trainer.sources.align import FEWEST_RUNS, HEADER
from trainer.sources.classes import guess
from trainer.sources.lexicon import CLASS_OF, Index, read_chinese
from trainer.sources.phrases import Finder, read_phrases, wordnet_phrases
from trainer.sources.usual import UsualMeanings, read_rows
from trainer.sources.words import lemma

LONGEST = 4  # characters of the Chinese word
REPEATED = 3  # a pair that no dictionary has must be seen so often,
SHARE = 0.1  # and be such a share of all links of its English and of its Chinese word
MOST_OF_PAIR = 12  # rows that one English word with one translation may give
NAMES = 3  # the same for a name
GRAMMAR = frozenset(
    "的了着过得地吗呢吧呀啊是不没在就都也和跟与把被让个们"
)  # no content word's meaning


@dataclass(frozen=True)
class _Link:
    line: int
    position: int
    english: str
    chinese: str
    runs: int

    @property
    def pair(self) -> tuple[str, str]:
        return lemma(self.english), normal(self.chinese)


def read(source: Source, files: Sequence[Path], pair: str) -> Iterator[Example | Refusal]:
    """The links that hold, in order of line and word."""
    links = _read_links(files)
    lists = [file for file in files[1:] if not file.name.endswith("links.tsv")]
    finder = Finder(read_phrases(lists) | wordnet_phrases(lists))
    judge = _Judge(links, lists, pair)
    lines = [line.partition("\t")[0] for line in files[0].read_text(encoding="utf-8").splitlines()]
    taken: Counter[tuple[str, str]] = Counter()
    inside: dict[int, frozenset[int]] = {}
    for link in links:
        reason = judge.refusal(link)
        try:
            query = Query(check_context(lines[link.line]), link.position, pair)
        except QueryError as error:
            reason = reason or error.code
        if reason:
            yield Refusal(reason)
            continue
        if link.line not in inside:
            inside[link.line] = finder.members([word.text for word in query.words])
        sense, known = judge.sense(link, query)
        most = NAMES if sense.word_class == "proper noun" else MOST_OF_PAIR
        if query.target != link.english:
            raise RecipeError(f"source {source.name}: the links do not fit {files[0].name}")
        if link.position in inside[link.line]:
            yield Refusal("in_known_phrase")
        elif not sense.word_class:
            yield Refusal("no_class")
        elif taken[link.pair] >= most:
            yield Refusal("seen_often")
        elif held_out(query.context):
            yield Refusal("held_out")
        else:
            taken[link.pair] += 1
            fields = tuple(name for name in source.fields if name in known)
            yield Example(query, sense, source.name, source.weight, fields)


def _read_links(files: Sequence[Path]) -> list[_Link]:
    file = next((file for file in files if file.name.endswith("links.tsv")), None)
    if file is None:
        raise RecipeError(
            "a tatoeba source needs links.tsv among its references; see sources/align"
        )
    header, *rows = file.read_text(encoding="utf-8").splitlines()
    if not header.startswith(f"{HEADER} {hash_files([files[0]])}"):
        raise RecipeError(f"{file.name} was not made of {files[0].name}: run sources/align again")
    columns = (row.split("\t") for row in rows)
    links = [_Link(int(n), int(i), english, zh, int(runs)) for n, i, english, zh, runs in columns]
    return [link for link in links if link.runs >= FEWEST_RUNS]


class _Judge:
    """Says which links hold, and what sense they give."""

    def __init__(self, links: Sequence[_Link], files: Sequence[Path], pair: str):
        self._pairs = Counter(link.pair for link in links)
        self._english = Counter(link.pair[0] for link in links)
        self._chinese = Counter(link.pair[1] for link in links)
        self._index = Index(files)
        self._usual = UsualMeanings(read_rows(files, pair))
        self._classes = _dictionary(self._index, read_chinese(files), self._english)

    def refusal(self, link: _Link) -> str:
        """Why the link gives no row; "" where it may."""
        word, meaning = link.pair
        if len(link.chinese) > LONGEST:
            return "long_chinese"
        if link.chinese in GRAMMAR:
            return "grammar_word"
        if self._confirmed(word, meaning):
            return ""
        cuts = range(1, len(meaning))
        parts = (part for cut in cuts for part in (meaning[:cut], meaning[cut:]))
        if any(self._confirmed(word, part) for part in parts):
            return "wider_chinese"
        seen = self._pairs[link.pair]
        most = max(self._english[word], self._chinese[meaning])
        return "" if seen >= REPEATED and seen / most >= SHARE else "unconfirmed"

    def _confirmed(self, word: str, meaning: str) -> bool:
        return (word, meaning) in self._classes or self._usual.count(word, meaning) > 0

    def sense(self, link: _Link, query: Query) -> tuple[Sense, tuple[str, ...]]:
        """The sense, and the fields of it that are known."""
        word_class, sure = guess(self._index, query, self._classes.get(link.pair, ()))
        text = link.chinese
        if word_class == "adjective" and not text.endswith("的"):
            text += "的"  # its dictionary form
        return Sense(word_class, text), ("class", "meaning") if sure else ("meaning",)


def _dictionary(
    index: Index, chinese: dict[str, tuple[str, ...]], words: Iterable[str]
) -> dict[tuple[str, str], set[str]]:
    """(lemma, Chinese) pairs of Chinese Open Wordnet, with the classes of the senses they share."""
    pairs: dict[tuple[str, str], set[str]] = defaultdict(set)
    for word in words:
        for pos, entry in index.entries.get(word, {}).items():
            for synset in entry.synsets:
                for text in chinese.get(synset, ()):
                    pairs[word, normal(text.replace("+", ""))].add(CLASS_OF[pos])
    return dict(pairs)
