"""A row of an evaluation as a query of the review queue: found in the store, or brought in with its
reference as a proposal, under an import that is called as the evaluation's dataset.
"""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from db.store import Brought, Origin
from db.store.checks import MAX_NAME
from db.store.lines import check_line
from engine.sense import Phrase, Query, Sense
from trainer.jobs.queue import Jobs
from ui.desk import Bad, Reply, is_index
from ui.services import Services

if TYPE_CHECKING:
    from ui.compare.evaluations import Evaluation

FORMAT = "evaluation"
_NEEDED = {"class", "meaning", "phrase"}  # of a reference that is a whole answer


class EvaluatedRows:
    """The rows of all evaluations here, as queries of the store."""

    def __init__(self, services: Services):
        from ui.compare.evaluations import Evaluations  # it shows words as this package does

        self._store = services.store
        self._evaluations = Evaluations(cast(Jobs, services.jobs))
        self._lock = threading.Lock()  # or two clicks would bring one row twice

    def find(self, job_id: int, number: int, who: str) -> int:
        """The id of the row's query; Bad where there is no such row, or it is of no word."""
        found = self._evaluations.get(job_id)
        if not is_index(number, len(found.rows)):
            raise Bad("unknown_value")
        row = found.rows[number]
        if row.get("position") is None:
            raise Bad("unknown_value")
        query = Query(row["context"], row["position"], found.pair)
        with self._lock:
            known = self._store.queries.find(query)
            return known if known is not None else self._bring(found, row, number, query, who)

    def _bring(self, found: Evaluation, row: Reply, number: int, query: Query, who: str) -> int:
        dataset = str(found.told["split"].get("dataset", ""))
        name = f"evaluation: {dataset}"[:MAX_NAME]
        text = f"evaluation {found.job.id}"
        origin = Origin(name, FORMAT, query.pair, text, dataset[:MAX_NAME], "teacher")
        raw = {"context": query.context, "target": query.target, "idx": query.idx}
        line = Brought(
            number + 1, 0, json.dumps(raw | {"reference": row["reference"]}, ensure_ascii=False),
            context=query.context, queries=(query,), sense=reference_of(row),
        )  # fmt: skip
        if check_line(line, query.pair).reason:  # the question stands without its answer
            line = replace(line, sense=None)
        imports = self._store.imports
        import_id = imports.find(name, text)
        if import_id is None:
            import_id = imports.begin(replace(origin, who=who or origin.who))
            imports.finish(import_id)  # it has no end that could be missing
        imports.add(import_id, origin, [line])
        query_id = self._store.queries.find(query)
        if query_id is None:
            raise Bad("unknown_value")
        return query_id


def reference_of(row: Reply) -> Sense | None:
    """The reference, where all of it is known."""
    told, known = row["reference"], set(row.get("fields", ()))
    members = tuple(told.get("members") or ())
    if not known >= (_NEEDED | {"phrase_meaning"} if members else _NEEDED):
        return None
    phrase = Phrase(members, told.get("phrase_zh", "")) if members else None
    return Sense(told["class"], told["zh"], phrase)
