"""Word links between the lines of an English ⇥ Chinese file, by eflomal. A build step:

    python -m trainer.sources.align tatoeba-eng-cmn.tsv tatoeba-links.tsv

eflomal draws its random numbers from the system, so two runs differ a little: it runs several
times, and each link says in how many runs both directions agreed on it. The links are then data
like any other, kept with their hash; training needs neither eflomal nor a Chinese segmenter.
Writes `line ⇥ word ⇥ English ⇥ Chinese ⇥ runs`: line and word counted from 0, Chinese simplified;
words that hold sentences together are left out.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from engine.sense import context_words
from trainer.examples import hash_files
from trainer.sources.words import FUNCTION_CLASSES, forms, is_chinese, lemma

RUNS = 9
FEWEST_RUNS = 6  # a link that fewer runs agree on is not written
HEADER = "# links of"
_NEEDS = "aligning needs more packages: pip install -r trainer/sources/align.txt"

Link = tuple[int, int, int]  # line, word of the English, word of the Chinese


def main(arguments: Sequence[str]) -> None:
    """Align the first file's lines into the second."""
    pairs, out = map(Path, arguments)
    lines = [line.split("\t")[:2] for line in pairs.read_text(encoding="utf-8").splitlines()]
    english = [[word.text for word in context_words(line[0].strip())] for line in lines]
    chinese = segment([line[1] for line in lines])
    votes = vote([[lemma(word) for word in words] for words in english], chinese)
    rows = [f"{HEADER} {hash_files([pairs])} by eflomal, {RUNS} runs"]
    for (n, i, j), runs in sorted(votes.items()):
        word, text = english[n][i], chinese[n][j]
        if runs >= FEWEST_RUNS and is_chinese(text) and not forms(word) & FUNCTION_CLASSES.keys():
            rows.append(f"{n}\t{i}\t{word}\t{text}\t{runs}")
    out.write_text("\n".join(rows) + "\n", encoding="utf-8")


def segment(texts: Sequence[str]) -> list[list[str]]:
    """Each Chinese text as simplified words, punctuation left out."""
    try:
        import opencc
        import rjieba
    except ImportError as error:
        raise SystemExit(_NEEDS) from error
    simplified = opencc.OpenCC("t2s")
    cut = (rjieba.cut(simplified.convert(text), False) for text in texts)
    return [[word for word in words if word.isalnum()] for words in cut]


def vote(english: list[list[str]], chinese: list[list[str]]) -> Counter[Link]:
    """Each link that both directions agree on, with the number of runs that found it."""
    try:
        from eflomal import Aligner
    except ImportError as error:
        raise SystemExit(_NEEDS) from error
    kept = [n for n, words in enumerate(english) if words and chinese[n]]
    texts = [[" ".join(side[n]) for n in kept] for side in (english, chinese)]
    votes: Counter[Link] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        forward, backward = Path(folder, "forward"), Path(folder, "backward")
        for _ in range(RUNS):
            Aligner().align(
                *texts, links_filename_fwd=str(forward), links_filename_rev=str(backward)
            )
            both = zip(kept, _read_links(forward), _read_links(backward))
            votes.update((n, i, j) for n, one, other in both for i, j in one & other)
    return votes


def _read_links(file: Path) -> list[set[tuple[int, int]]]:
    """Per line its links `i-j`: English word i, Chinese word j, in both directions' files."""
    return [
        {(int(i), int(j)) for i, _, j in (link.partition("-") for link in line.split())}
        for line in file.read_text().splitlines()
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
