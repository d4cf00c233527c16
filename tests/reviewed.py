"""What tests of the review queue share: a sentence, answers to two of its words, imports."""

from __future__ import annotations

from pathlib import Path

from db.dataset.importing import bring
from db.store import Brought, Origin, Store
from engine.sense import Phrase, Query, Sense

PAIR = "en-zh"
CONTEXT = "She meant to call them back."
CALL, BACK = Query(CONTEXT, 3), Query(CONTEXT, 5)
PHRASE = Phrase((3, 5), "回电话")
RIGHT = Sense("verb", "打电话", PHRASE)
WRONG = Sense("noun", "背")
RIGHT_NOUN = Sense("noun", "钱")


def propose(store: Store, query: Query, sense: Sense, who: str = "T", source: str = "teacher"):
    """The query's id; it comes in by an import of its own, with this answer."""
    origin = Origin("row", "flat", who=who, source=source)
    row = Brought(1, 0, "raw", context=query.context, queries=(query,), sense=sense)
    store.imports.add(store.imports.begin(origin), origin, [row])
    return store.queries.find(query)


def imported(store: Store, tmp_path: Path, *contexts: str) -> None:
    """Sentences brought in as a text."""
    file = tmp_path / "more.txt"
    file.write_text("\n".join(contexts))
    bring(store, file, Origin("more", ""))
