"""Answer queries from a file, through the same lookup as readers' clicks.

Queries in, senses out, one JSON object a line in the same order; a line that cannot be asked
gets {"error": reason} in its place.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from engine.beside import PairEngines
from engine.engine import load_engine
from engine.lookup import Lookup, LookupFailed
from engine.sense import Query, QueryError, ask, to_wire
from engine.settings import Settings

_AT_ONCE = 64  # lines that wait in the queue together


def answer_one(settings: Settings, query: Query) -> dict[str, str]:
    """The wire format answer to one query; BaseError or AdapterError where there is no model."""
    with _answering(settings) as lookup:
        return to_wire(query, asyncio.run(lookup.answer(query)).sense)


def predict_file(settings: Settings, source: Path, target: Path) -> None:
    """Answer `source` line by line into `target`, which appears when it is whole."""
    lines = _read_lines(source)
    fresh = target.with_name(target.name + ".part")
    with _answering(settings) as lookup, fresh.open("w", encoding="utf-8") as out:
        asyncio.run(_answer_lines(lookup, lines, out))
    os.replace(fresh, target)


def _read_lines(source: Path) -> list[str]:
    """The file's lines as files have them: a separator inside of a text ends none."""
    with source.open(encoding="utf-8") as text:
        return [line.removesuffix("\n") for line in text]


@contextmanager
def _answering(settings: Settings) -> Iterator[Lookup]:
    """A lookup whose engine is loaded already, so that what is missing is said at once."""
    engine = load_engine(settings)
    lookup = Lookup(lambda progress: engine)
    lookup.also(PairEngines(settings))
    lookup.start()
    try:
        yield lookup
    finally:
        lookup.close()


async def _answer_lines(lookup: Lookup, lines: list[str], out) -> None:
    for start in tqdm(range(0, len(lines), _AT_ONCE), unit_scale=_AT_ONCE, unit="row"):
        some = lines[start : start + _AT_ONCE]
        for answer in await asyncio.gather(*(_answer_line(lookup, line) for line in some)):
            out.write(json.dumps(answer, ensure_ascii=False) + "\n")


async def _answer_line(lookup: Lookup, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
        if "prompt" in row and "context" not in row:
            row = json.loads(row["prompt"])
        query = ask(row["context"], row["target"], row.get("idx", 1), row.get("pair", "en-zh"))
        answer = await lookup.answer(query)
    except (QueryError, LookupFailed) as error:
        return {"error": str(error), "code": error.code}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return {"error": f"no query: {error!r}"}
    return to_wire(query, answer.sense)
