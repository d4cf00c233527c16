"""One app per folder: a lock that the operating system gives back when its process dies."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from db.store.errors import AlreadyRunning


class HomeLock:
    """The lock on a folder, held until `release` or the end of the process."""

    def __init__(self, home: Path):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Released by whichever thread stops the app.
        self._lock = FileLock(home / "instance.lock", thread_local=False)
        # In a file of its own: on Windows nobody else can read a locked file.
        self._owner = home / "instance.pid"
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise AlreadyRunning("already_running", home=home, pid=self._owner_pid()) from None
        self._owner.write_text(str(os.getpid()), encoding="ascii")

    def release(self) -> None:
        """Gives the folder back. Can be called again."""
        if self._lock.is_locked:
            self._owner.unlink(missing_ok=True)
            self._lock.release()

    def _owner_pid(self) -> int | str:
        try:
            return int(self._owner.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return "unknown"

    def __enter__(self) -> HomeLock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.release()


def lock_home(home: Path) -> HomeLock:
    """The lock on `home`; AlreadyRunning where another app has it."""
    return HomeLock(home)
