"""Filters as pages send them: plain JSON from strangers, read into the store's Filter."""

from __future__ import annotations

import asyncio

from db.store import Filter, Store
from db.store.browse import PHRASES, STATES
from engine.sense import CLASSES
from ui.desk import Bad, Reply, is_index, text_of

_LONGEST = 200  # characters of a search
_CHOICES = {"status": STATES, "word_class": CLASSES, "shape": PHRASES}
_NAMES = {"status": "status", "word_class": "class", "shape": "phrase"}


async def people_of(store: Store, pair: str) -> Reply:
    """Who can be chosen as the one who decided, and how often they did."""
    found = await asyncio.to_thread(store.browse.people, pair)
    return {"people": [{"who": who, "n": count} for who, count in found]}


def read_filter(asked: object) -> Filter:
    """The filter that a page asks for; Bad where it asks for what nobody can choose."""
    if asked is None:
        return Filter()
    if not isinstance(asked, dict):
        raise Bad("not_understood")
    chosen = {field: text_of(asked, name) for field, name in _NAMES.items()}
    for field, value in chosen.items():
        if value and value not in _CHOICES[field]:
            raise Bad("not_understood")
    import_id = asked.get("import")
    if import_id not in (None, "") and not is_index(import_id, 2**53):
        raise Bad("not_understood")
    return Filter(
        **chosen,
        who=text_of(asked, "who")[:_LONGEST],
        text=text_of(asked, "text")[:_LONGEST],
        import_id=import_id if is_index(import_id, 2**53) else None,
        **{name: asked.get(name) is True for name in ("corrected", "differs", "reported")},
    )
