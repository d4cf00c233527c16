"""Asks a running app what its pages ask it, over HTTP and without a browser."""

from __future__ import annotations

import json
import urllib.request


class Part:
    """A part of the app's page, by its `elem_id`."""

    def __init__(self, url: str, elem_id: str):
        with urllib.request.urlopen(f"{url}/config", timeout=60) as reply:
            components = json.load(reply)["components"]
        self._url = url
        self._id = next(c["id"] for c in components if c["props"].get("elem_id") == elem_id)

    def ask(self, name: str, who: str = "", **data: object) -> dict:
        """The reply, which must be no error."""
        asked = {"session_hash": who or "a page", "component_id": self._id, "fn_name": name}
        request = urllib.request.Request(
            f"{self._url}/gradio_api/component_server",
            json.dumps(asked | {"data": {"who": who} | data}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            reply = json.load(answer)
        assert "error" not in reply, reply
        return reply
