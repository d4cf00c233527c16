"""A corpus made: sources read as a stream, each row put through the stages, each piece written when
it is judged, so that a run that ends anywhere goes on where it was. Memory stays what one piece and
the index of lines seen need, however long the sources are.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from engine.split import SPLITS, split_of, split_of_translation
from trainer.scratch.corpus.checks import Ready
from trainer.scratch.corpus.duplicates import Seen
from trainer.scratch.corpus.reading import CorpusError, kind_of
from trainer.scratch.corpus.recipe import CorpusRecipe, plain
from trainer.scratch.corpus.report import write_report
from trainer.scratch.corpus.shards import (
    Piece,
    Shard,
    join,
    keep_only,
    key_of,
    others_files,
    read_piece,
    write_piece,
)
from trainer.scratch.corpus.stages import Row, put_through
from trainer.scratch.corpus.tally import Tally

VERSION = 1  # of what the stages do: pieces made by another are made anew
EXACT, NEAR = "exact duplicates", "near duplicates"
_FREE = ("name", "sources", "columns", "origin", "licence")  # fields that change no row
Tell = Callable[[Mapping[str, Any]], None]


def make_corpus(
    ready: Ready, folder: Path, tell: Tell, stopped: Callable[[], bool]
) -> dict[str, Any] | None:
    """Make the corpus in the folder, or go on with it; its report, or None where it was stopped
    before its end. CorpusError where the folder holds files of somebody's own, a source breaks off,
    or nothing is kept."""
    for file in others_files(folder):
        raise CorpusError("others_files", f"{file} is no corpus' file: choose another folder")
    recipe, began = ready.recipe, time.monotonic()
    seen, total, key = Seen(recipe.similar, recipe.index_mb), Tally(), ""
    settings, new = _settings(ready), 0
    shards: list[Shard] = []
    tell({"event": "plan", "rows": ready.total, "steps": ready.total})
    for number, rows in enumerate(_pieces(ready.rows(), recipe.shard_rows)):
        if stopped():
            return None
        key = key_of(rows, settings, key)
        piece = read_piece(folder, number, key)
        if piece is None:
            piece = _make(ready, seen, rows, folder, number, key)
            new += piece.tally.rows
        else:
            seen.remember(piece.keys)
        shards.append(piece.shard)
        total.merge(piece.tally)
        tell(_step(ready, total, piece.tally, new, time.monotonic() - began))
    return _finish(ready, folder, total, shards, seen, tell)


def _make(
    ready: Ready, seen: Seen, rows: Sequence[Row], folder: Path, number: int, key: str
) -> Piece:
    tally, kept = Tally(rows=len(rows)), []
    for row in rows:
        found, stage, dropped = put_through(ready.stages, row)
        if stage is None or dropped is None:
            kept.append((found, found != row))
        else:
            tally.drop(stage.name, dropped.rule, "  ⇥  ".join(found))
    texts = ["\t".join(row) for row, _ in kept]
    judged = seen.judge(texts)
    new = []
    found_as = zip(kept, texts, judged.seen, judged.twin, strict=True)
    for (row, mended), text, what, twin in found_as:
        if not what:
            new.append(row)
            tally.mended += mended
        elif what == "exact":
            tally.drop(EXACT, "seen before", text)
        else:
            beside = "" if twin is None else f"  ≈  {texts[twin]}"
            tally.drop(NEAR, "much like one seen before", text + beside)
    tally.kept, tally.characters = len(new), sum(len(text) for row in new for text in row)
    splits = [_split(row, ready.recipe) for row in new]
    return write_piece(folder, number, key, new, splits, judged.keys, tally)


def _split(row: Row, recipe: CorpusRecipe) -> str:
    """Which of train, dev and test a row is in."""
    if not recipe.held_out:
        return SPLITS[0]
    if len(row) == 1:
        return split_of(row[0])
    return split_of_translation(row[0], row[1], recipe.languages)


def _finish(
    ready: Ready, folder: Path, total: Tally, shards: Sequence[Shard], seen: Seen, tell: Tell
) -> dict[str, Any]:
    if not total.rows:
        raise CorpusError("empty_corpus", "the sources hold no row")
    keep_only(folder, [shard.file for shard in shards])
    report = {
        "recipe": plain(ready.recipe),
        "usual_ratio": ready.usual_ratio,
        "false_rate": seen.false_rate(),
        "stages": [
            {"name": name, "why": why, "dropped": total.dropped_by(name)}
            for name, why in stage_texts(ready)
        ],
        **total.plain(),
        "files": join(folder, shards, ready.recipe),
    }
    write_report(folder, report)
    if not total.kept:
        raise CorpusError("nothing_left", f"all {total.rows:,} rows were dropped: {_most(total)}")
    return report


def stage_texts(ready: Ready) -> list[tuple[str, str]]:
    """Every stage with its reason, in order."""
    told = [(stage.name, stage.why) for stage in ready.stages]
    told.append((EXACT, "a line learnt twice counts twice, and may be in test and train"))
    if ready.recipe.similar:
        told.append((NEAR, "lines that differ in a word or mark only teach little, and leak alike"))
    return told


def _most(total: Tally) -> str:
    """The rules that dropped the most, in words."""
    rules = [(c.count, rule) for rules in total.dropped.values() for rule, c in rules.items()]
    return ", ".join(f"{rule} {count:,}" for count, rule in sorted(rules, reverse=True)[:3])


def _settings(ready: Ready) -> str:
    """All that a row's fate depends on but the rows."""
    told = {k: v for k, v in plain(ready.recipe).items() if k not in _FREE}
    told |= {"version": VERSION, "usual": ready.usual_ratio, "tokenizer": ready.tokenizer_hash}
    return json.dumps(told, sort_keys=True)


def _pieces(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    rows = iter(rows)
    while piece := list(itertools.islice(rows, size)):
        yield piece


def _step(ready: Ready, total: Tally, last: Tally, new: int, seconds: float) -> dict[str, Any]:
    speed = new / seconds if new and seconds else None
    left = ready.total - total.rows if ready.total else None
    return {
        "event": "step",
        "step": total.rows,
        "steps": ready.total,
        "kept": total.kept,
        "kept_share": last.kept / last.rows,
        "rows_per_second": speed,
        "left_seconds": left / speed if left is not None and speed else None,
        "memory_gb": psutil.Process().memory_info().rss / 1e9,
        **{
            f"dropped_{name.replace(' ', '_')}": last.dropped_by(name) / last.rows
            for name, _ in stage_texts(ready)
        },
    }


def placed(recipe: CorpusRecipe, *folders: Path | None) -> CorpusRecipe:
    """The recipe with whole paths in place of those that are found in one of the folders."""

    def whole(path: str) -> str:
        found = (one / path for one in folders if one and path and (one / path).exists())
        return str(next(found, Path(path)).resolve()) if path and kind_of(path) != "hub" else path

    sources = tuple(map(whole, recipe.sources))
    return replace(recipe, sources=sources, tokenizer=whole(recipe.tokenizer))
