"""Jobs, their requests and how fast they ask, as the Teacher view's page says and gets them: plain
JSON, from strangers one way, to be set as text the other.
"""

from __future__ import annotations

from typing import Any

from db.dataset.visible import visible
from db.store import Job, Request
from ui.desk import Bad, Reply, is_index, number_of, text_of
from ui.pairs import work_pair


def pace_of(asked: Reply) -> dict[str, Any]:
    """How fast a server is to be asked."""
    rate = asked.get("rate", 0)
    if isinstance(rate, bool) or not isinstance(rate, int | float):
        raise Bad("not_understood")
    return {"concurrency": number_of(asked, "concurrency"), "rate": float(rate)}


def server_of(asked: Reply) -> dict[str, Any]:
    """What all recipes have that ask a model behind a server."""
    told = {
        "pair": work_pair(asked),
        "url": text_of(asked, "url"),
        "model": text_of(asked, "model"),
    }
    return told | pace_of(asked)


def to_job(job: Job) -> Reply:
    """A job as the page shows it."""
    recipe, figures = job.recipe, job.figures
    trouble = figures.get("trouble") or {}
    return {
        "id": job.id,
        "kind": job.kind,
        "name": recipe.get("model") or recipe.get("engine") or "",
        "url": recipe.get("url", ""),
        "state": job.state,
        "place": job.place,
        "asked": job.asked,
        "done": job.done,
        "total": job.total,
        "left": figures.get("left_seconds"),
        "aside": figures.get("set_aside", 0),
        "tokens": [figures.get("tokens_in", 0), figures.get("tokens_out", 0)],
        "waiting": f"{trouble['waiting']}: {trouble.get('detail', '')}"[:300]
        if trouble.get("waiting")
        else "",
        "error": job.error,
        "detail": job.detail[:300],
        "who": job.who,
        "created": job.created,
    }


def to_request(request: Request) -> Reply:
    """A request that was set aside."""
    query = request.query
    asked = request.asked or {}
    return {
        "number": request.number,
        "target": query.target if query else visible(str(asked.get("text", ""))),
        "context": visible(query.context if query else str(asked.get("context", ""))),
        "reason": visible(request.reason),
        "answers": [visible(answer) for answer in request.outcome.answers],
    }


def import_of(asked: Reply) -> int | None:
    number = asked.get("import")
    if number in (None, ""):
        return None
    if not is_index(number, 2**53):
        raise Bad("not_understood")
    return number
