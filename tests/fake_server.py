"""A small server that speaks OpenAI's chat protocol, in a thread of the test: it answers what a
test tells it to and keeps what it was asked. No model, no library of ours.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GOOD = '{"class": "noun", "zh": "银行", "phrase": ""}'


@dataclass
class Said:
    """One response: a chat completion with `text`, or `body` as it is."""

    text: str = GOOD
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    finish: str = "stop"
    delay: float = 0.0
    usage: bool = True


@dataclass
class Asked:
    """One request as it came."""

    at: float
    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def last(self) -> str:
        return self.body["messages"][-1]["content"]


Answer = Callable[[Asked, int], Said]
"""What is answered to a request that comes as the n-th, from 0."""


class FakeServer:
    """Use it in a `with`; `url` is its address up to /v1. `held`: so many requests are answered,
    and those behind them wait until `let_go`."""

    def __init__(
        self,
        answer: Answer = lambda asked, n: Said(),
        port: int = 0,
        held: int | None = None,
    ):
        self.answer = answer
        self._free = threading.Event()
        self.asked: list[Asked] = []
        self._lock = threading.Lock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers.get("content-length", 0))
                body = json.loads(self.rfile.read(size) or b"{}")
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(time.monotonic(), self.path, headers, body)
                with fake._lock:
                    fake.asked.append(asked)
                    number = len(fake.asked) - 1
                if held is not None and number >= held:
                    fake._free.wait()
                fake._respond(self, fake.answer(asked, number))

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True)

    def let_go(self) -> None:
        """Answer those that are held, and hold none from now on."""
        self._free.set()

    def _respond(self, handler: BaseHTTPRequestHandler, said: Said) -> None:
        time.sleep(said.delay)
        body = said.body if said.body is not None else _completion(said)
        headers = {"Content-Type": "application/json", **said.headers}
        try:
            handler.send_response(said.status)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):  # whoever asked did not wait
            pass

    def __enter__(self) -> FakeServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()
        self._server.shutdown()
        self._server.server_close()


def _completion(said: Said) -> bytes:
    choice = {
        "index": 0,
        "finish_reason": said.finish,
        "message": {"role": "assistant", "content": said.text},
    }
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    found = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}
    found |= {"choices": [choice]} | ({"usage": usage} if said.usage else {})
    return json.dumps(found).encode()
