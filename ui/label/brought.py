"""Previews, imports and their lines in the form the Import view gets them: plain JSON, to be set
as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from db.dataset.importing import Preview
from db.dataset.running import Look, Run
from db.dataset.visible import visible
from db.store import Brought, Import
from ui.label.shape import to_fields, to_pieces

Json = dict[str, Any]
_SHOWN_RAW = 400  # characters of a refused line; the store keeps all of it


def to_look(look: Look) -> Json:
    """How far a preview is; all that it found once it is over."""
    reply: Json = {"look": look.id, "lines": look.lines, "total": look.total}
    if look.error:
        return reply | _error(look.error)
    return reply | ({"preview": to_preview(look.preview)} if look.preview else {})


def to_preview(found: Preview) -> Json:
    return {
        "format": found.format,
        "encoding": found.encoding,
        "sentences": found.sentences,
        "rows": found.rows,
        "words": sorted(found.words.items()),
        "refused": to_reasons(found.refused),
        "against": found.against,
        "broken": to_reasons(found.broken),
        "odd": to_lines(found.odd),
        "good": [_good(one) for one in found.good],
        "bad": to_lines(found.bad),
        "lines": found.lines,
        "whole": found.whole,
    }


def _good(one: Brought) -> Json:
    """A sentence with the positions of the words that can be asked, or a row with its answer."""
    return {
        "number": one.number,
        "pieces": to_pieces(one.queries[0]),
        "asked": [query.position for query in one.queries],
        "translation": visible(one.translation),
        "answer": to_fields(one.sense) if one.sense else None,
    }


def to_lines(lines: Sequence[Brought]) -> list[Json]:
    """Refused lines, or kept ones that break rules: each with why, cut to what fits on a screen."""
    return [
        {
            "number": one.number,
            "part": one.part,
            "reason": one.reason,
            "rules": [] if one.reason else one.detail.split(),
            "raw": visible(_cut((one.reason and one.context) or one.raw)),
        }
        for one in lines
    ]


def to_reasons(refused: Mapping[str, int]) -> list[tuple[str, int]]:
    """Reasons with their counts, the most frequent first."""
    return sorted(refused.items(), key=lambda item: (-item[1], item[0]))


def to_run(run: Run) -> Json:
    """How far an import is, or how it ended."""
    lines, counts = run.lines, run.counts  # in this order: no line is told that is not counted
    return {
        "number": run.number,
        "name": visible(run.name),
        "state": run.state,
        "lines": lines,
        "total": run.total,
        "ready": run.ready,
        "due": run.due,
        "seconds": round(run.seconds, 1),
        "queries": counts.queries,
        "known": counts.known,
        "labels": counts.labels,
        "similar": counts.similar,
        "refused": sum(counts.refused.values()),
        "against": counts.against,
        "broken": to_reasons(counts.broken),
        **({"failure": _error(run.error)} if run.error else {}),
    }


def to_import(one: Import, running: int | None) -> Json:
    """A line of the list; `running` is the number of the import at work."""
    state = "undone" if one.undone else "whole" if one.finished else "unfinished"
    return {
        "number": one.id,
        "name": visible(one.name),
        "format": one.format,
        "pair": one.pair,
        "origin": visible(one.origin),
        "who": visible(one.who),
        "when": one.created,
        "state": "running" if one.id == running else state,
        "lines": one.lines,
        "refused": sum(one.refused.values()),
        "reasons": to_reasons(one.refused),
        "against": one.against,
        "broken": to_reasons(one.broken),
    }


def _error(error: str) -> Json:
    code, _, number = error.partition(":")
    return {"error": code, **({"id": number} if number else {})}


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_RAW else text[:_SHOWN_RAW] + "…"
