"""Our own engine behind OpenAI's chat protocol: a real server with a real model, in a process of
its own, that can be killed. It answers questions in the form of `assets/teacher/sense-1.md`.

python -m tests.openai_server --port N --log FILE [--delay SECONDS] [--plan JSON]

A plan says what happens to the n-th different question, from 1, the first time it is asked:
{"3": "429", "5": "500", "7": "garbage", "9": "never good", "11": "slow"}. The log has a line for
each request when it comes and one when it is answered, and outlives the server.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.engine import load_engine
from engine.lookup import Lookup
from engine.sense import ask, to_wire
from engine.settings import read_settings

MODEL = "gemma-3-270m-en-zh-sense"
RETRY_AFTER = 2.0


class Server:
    """The endpoints, with what went wrong on purpose so far."""

    def __init__(self, lookup: Lookup, log: Path, delay: float, plan: dict[str, str]):
        self._lookup, self._log, self._delay, self._plan = lookup, log, delay, plan
        lines = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
        before = [json.loads(line) for line in lines]
        # In the order of coming, whichever life of this server they came in.
        self._seen = dict.fromkeys(row["question"] for row in before)

    async def models(self, request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    async def chat(self, request: Request) -> Response:
        body = await request.json()
        if body.get("model") != MODEL:
            return _error(404, "no such model")
        question, again = _question(body["messages"])
        first = question not in self._seen
        self._seen.setdefault(question)
        number = list(self._seen).index(question) + 1
        fate = self._plan.get(str(number), "")
        self._note("asked", question, again=again)
        await asyncio.sleep(self._delay)
        response = await self._respond(question, again, fate if first or again else "")
        self._note("answered", question, status=response.status_code, again=again)
        return response

    async def _respond(self, question: str, again: bool, fate: str) -> Response:
        if fate == "never good" or (fate == "garbage" and not again):
            return _completion("I would say that it means 回.", 40)
        if fate == "429" and not again:
            return _error(429, "slow down", {"Retry-After": str(RETRY_AFTER)})
        if fate == "500" and not again:
            return _error(500, "out of order")
        if fate == "slow":
            await asyncio.sleep(3 * self._delay)
        asked = json.loads(question)
        query = ask(asked["context"], asked["target"], asked["idx"])
        answer = await self._lookup.answer(query)
        return _completion(json.dumps(to_wire(query, answer.sense), ensure_ascii=False), 400)

    def _note(self, what: str, question: str, **more: Any) -> None:
        row = {"at": time.time(), "what": what, "question": question, **more}
        with self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(row, ensure_ascii=False) + "\n")


def _question(messages: list[dict[str, str]]) -> tuple[str, bool]:
    """The question of a conversation, and whether it is asked once more."""
    *_, last = (one["content"] for one in messages if one["role"] == "user")
    if last.startswith("{"):
        return last, False
    return messages[-3]["content"], True


def _completion(text: str, tokens_in: int) -> Response:
    choice = {"index": 0, "finish_reason": "stop"}
    return JSONResponse({
        "id": "1", "object": "chat.completion", "created": int(time.time()), "model": MODEL,
        "choices": [choice | {"message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": tokens_in, "completion_tokens": 10, "total_tokens": 0},
    })  # fmt: skip


def _error(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": {"message": text}}, status, headers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--plan", type=json.loads, default={})
    arguments = parser.parse_args()
    engine = load_engine(read_settings())
    lookup = Lookup(lambda progress: engine)
    server = Server(lookup, arguments.log, arguments.delay, arguments.plan)

    @asynccontextmanager
    async def life(app: Starlette):
        lookup.start()
        yield
        lookup.close()

    routes = [
        Route("/v1/models", server.models),
        Route("/v1/chat/completions", server.chat, methods=["POST"]),
    ]
    uvicorn.run(Starlette(routes=routes, lifespan=life), port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
