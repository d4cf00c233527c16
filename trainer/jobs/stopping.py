"""Whether someone has asked this process to stop, by a signal."""

from __future__ import annotations

import signal
from collections.abc import Callable


def watch_signals() -> Callable[[], bool]:
    """Says whether a signal came, from now on; the first one no longer ends the process."""
    asked: list[bool] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.append(True))
    return lambda: bool(asked)
