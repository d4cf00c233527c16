"""Processes that stand in for one that answers rows: each tells a number and waits to be heard."""

from __future__ import annotations

from multiprocessing.connection import Connection
from typing import Any


def count(pipe: Connection, served: Any, examples: Any) -> None:
    """Counts up to 3, then says what it was given."""
    for n in range(1, 4):
        pipe.send(n)
        pipe.recv()
    pipe.send(("answered", served, examples))


def fail(pipe: Connection, served: Any, examples: Any) -> None:
    pipe.send("no such unit")


def die(pipe: Connection, served: Any, examples: Any) -> None:
    pipe.send(1)
