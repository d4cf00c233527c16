"""The table: looking through all queries, and deciding about many at once. Every argument comes
from a stranger. The desk knows no gradio; `build_table` puts its page part in place.
"""

from __future__ import annotations

import asyncio

import gradio as gr

from db.dataset.running import Settling
from db.store.decisions import MAX_WHY
from db.store.review import MOST_AT_ONCE
from engine.sense import CLASSES
from ui.desk import Bad, Reply, Served, guarded, is_index, number_of, text_of
from ui.label.filters import people_of, read_filter
from ui.label.queue import keep_why
from ui.label.shape import preparing, to_row
from ui.page import read_page, read_script
from ui.pairs import work_pair
from ui.services import Services
from ui.strings import STRINGS

ROWS = 50  # of a page
_SCRIPTS = (
    "language", "part", "pair", "label/part", "label/filter", "label/why", "label/table",
)  # fmt: skip


def build_table(services: Services) -> None:
    """The view, inside the Blocks at hand."""
    gr.HTML(
        html_template=read_page("label/table"),
        js_on_load=read_script(*_SCRIPTS),
        apply_default_css=False,
        elem_id="label-table",
        elem_classes="ctx-view",
        server_functions=list(TableDesk(services).served().values()),
        strings=STRINGS,
        classes=list(CLASSES),
        limits={"hosted": services.access.hosted, "why": MAX_WHY},
    )


class TableDesk:
    """One method for each thing the table's page may ask."""

    def __init__(self, services: Services):
        self._access = services.access
        self._review = services.store.review
        self._browse = services.store.browse
        self._settling = Settling(services.store)
        self._store = services.store
        self._decisions = services.store.decisions

    def served(self) -> dict[str, Served]:
        """What pages may call, by name: each takes hostile JSON and never raises."""
        methods = (self.rows, self.decide_many, self.why, self.undo_many, self.people)
        return {method.__name__: guarded(method) for method in methods}

    async def rows(self, asked: Reply) -> Reply:
        """The rows after the one with the number `after`, and how many there are."""
        self._access.check_write()  # other people's texts stand here
        chosen, after = read_filter(asked.get("filter")), number_of(asked, "after")
        pair = work_pair(asked)

        def run() -> Reply:
            if far := self._settling.look():
                return preparing(far)
            blind_for = text_of(asked, "who") if self._review.overlap() > 1 else None
            rows = self._browse.page(pair, chosen, after, ROWS + 1, blind_for)
            return {
                "rows": [to_row(row) for row in rows[:ROWS]],
                "more": len(rows) > ROWS,
                "count": self._browse.count(pair, chosen),
            }

        return await asyncio.to_thread(run)

    async def decide_many(self, asked: Reply) -> Reply:
        """One decision about the chosen rows."""
        self._access.check_write()
        ids = asked.get("ids")
        if not isinstance(ids, list) or not 0 < len(ids) <= MOST_AT_ONCE:
            raise Bad("not_understood")
        if not all(is_index(one, 2**53) for one in ids):
            raise Bad("not_understood")
        who, kind = text_of(asked, "who"), text_of(asked, "kind")
        token = text_of(asked, "token")[:64] or None
        decided, count = await asyncio.to_thread(self._review.decide_many, who, kind, ids, token)
        return {"decision": decided, "count": count}

    async def why(self, asked: Reply) -> Reply:
        """Keeps what this person says of a decision of theirs: why they flagged."""
        self._access.check_write()
        return await keep_why(self._decisions, asked)

    async def undo_many(self, asked: Reply) -> Reply:
        """Takes a decision about many rows back."""
        self._access.check_write()
        who, decision = text_of(asked, "who"), number_of(asked, "decision")
        _, kind, queries = await asyncio.to_thread(self._review.undo, who, decision)
        return {"kind": kind, "count": len(queries)}

    async def people(self, asked: Reply) -> Reply:
        """Who can be chosen as the one who decided."""
        self._access.check_write()
        return await people_of(self._store, work_pair(asked))
