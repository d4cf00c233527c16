"""What another process makes, a little ahead of this one. Knows nothing of what that is.

The other process ends when this one stops listening, or dies.
"""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable, Generator, Iterator
from multiprocessing.connection import Connection
from typing import Any, TypeVar

T = TypeVar("T")
_END, _FAILED = "end", "failed"


def ahead(make: Callable[[], Iterator[T]]) -> Generator[T, None, None]:
    """What `make` yields in a process of its own, and raises there. `make` and all it gives must be
    picklable; a pipe holds as much of it as the system lets it."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(make, there), daemon=True)
    process.start()
    there.close()  # so that the end of the other process ends the pipe
    try:
        while True:
            try:
                kind, value = here.recv()
            except EOFError:
                raise RuntimeError("the process that reads ahead ended without a word") from None
            if kind == _END:
                return
            if kind == _FAILED:
                raise value
            yield value
    finally:
        here.close()
        process.terminate()
        process.join()


def _send(make: Callable[[], Iterator[Any]], there: Connection) -> None:
    try:
        for value in make():
            there.send(("", value))
        there.send((_END, None))
    except BrokenPipeError:  # nobody listens any more
        pass
    except Exception as error:
        there.send((_FAILED, _whole(error)))


def _whole(error: Exception) -> Exception:
    """The error, or one that says the same where it would not come through whole."""
    try:
        if type(pickle.loads(pickle.dumps(error))) is type(error):
            return error
    except Exception:  # it cannot be sent, its words can
        return RuntimeError(f"{type(error).__name__}: {error}")
    return RuntimeError(f"{type(error).__name__}: {error}")
