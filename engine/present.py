"""Which model readers have: a small file in the home, written by promotions, read wherever an
adapter is chosen, and watched by the app, as another process may promote.

Pure: no torch, no store. What the file says is a stranger's until checked.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from engine.files import write_whole

log = logging.getLogger(__name__)

POINTER = "present.json"
BASE, SHIPPED = "base", "shipped"
_WEIGHTS = ("adapter_model.safetensors", "model.safetensors")  # an adapter's, a translator's
_SECONDS = 1.0  # between two looks at the file
_LARGEST = 65_536  # bytes


@dataclass(frozen=True)
class Pointer:
    """The model of one pair and task: its name, its version, and its folder in the home ("" for
    what ships with the app, and for the base)."""

    model: str = SHIPPED
    version: str = ""
    folder: str = ""
    title: str = ""


def read_pointer(home: Path, pair: str = "en-zh", task: str = "sense") -> Pointer:
    """What readers have of this pair and task. The shipped adapter where nothing was promoted, and
    where what was is gone or lies elsewhere; that is logged."""
    try:
        found = _read(home / POINTER).get(f"{pair}-{task}") or Pointer()
        place = (home / found.folder).resolve()
        inside = place.is_relative_to(home.resolve())
    except FileNotFoundError:
        return Pointer()
    except (OSError, ValueError, RecursionError) as error:
        _warn(f"cannot be read: {str(error)[:200]}")
        return Pointer()
    if not found.folder:
        return found
    if not inside:
        _warn(f"names {found.folder!r}, which lies outside the home")
        return Pointer()
    if not any((place / name).is_file() for name in _WEIGHTS):
        _warn(f"names {found.folder!r}, which is gone")
        return Pointer()
    return found


@lru_cache(maxsize=64)
def _warn(text: str) -> None:
    """Said once: the file is looked at every second."""
    log.warning("%s %s; readers get the shipped adapter", POINTER, text)


def _read(file: Path) -> dict[str, Pointer]:
    with file.open(encoding="utf-8") as lines:
        text = lines.read(_LARGEST)
    data = json.loads(text)
    if not isinstance(data, dict):
        raise ValueError("it holds no object")
    return {name: _pointer(value) for name, value in data.items()}


def _pointer(value: object) -> Pointer:
    known = Pointer.__dataclass_fields__
    if not isinstance(value, dict) or not all(
        name in known and isinstance(text, str) for name, text in value.items()
    ):
        raise ValueError(f"{value!r:.60} names no model")
    return Pointer(**value)


def write_pointers(home: Path, pointers: Mapping[tuple[str, str], Pointer]) -> None:
    """Replace the file: after a kill at any moment it is the old one or the new one."""
    data = {f"{pair}-{task}": asdict(one) for (pair, task), one in pointers.items()}
    text = json.dumps(data, ensure_ascii=False, indent=2) + "\n"
    file = home / POINTER
    try:
        if file.read_text(encoding="utf-8") == text:
            return
    except (OSError, ValueError):
        pass  # none yet, or no text: written anew
    write_whole(file, text)


class Watch:
    """Calls `act` on a thread of its own each time that `look` gives something else than before.
    Ends with `close`."""

    def __init__(
        self, look: Callable[[], object], act: Callable[[], object], every: float = _SECONDS
    ):
        self._look, self._act, self._every = look, act, every
        self._last = look()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="present", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._ended.wait(self._every):
            try:
                now = self._look()
                if now != self._last:
                    self._last = now
                    self._act()
            except Exception:  # the next look may succeed; readers keep what they have
                log.exception("what readers have could not be looked at")
