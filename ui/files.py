"""Files between pages and the app, by gradio's own routes: those that pages have sent, and those
that are written for a page to fetch. Every path that a page names comes from a stranger.
"""

from __future__ import annotations

import errno
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from ui.desk import Bad, Reply


class Files:
    """`folder` is where gradio keeps what pages send and serves files from; `written` hears of each
    file there, to have it deleted in time."""

    def __init__(self, folder: Path, written: Callable[[str], None]):
        self._folder, self._written = folder, written

    def find(self, path: str) -> Path:
        """The file at `path`, which must be one that was sent; Bad where it is not."""
        try:
            file, folder = Path(path).resolve(strict=True), self._folder.resolve()
        except (OSError, ValueError, RuntimeError):  # gone, or no path at all
            raise Bad("file_gone") from None
        if not (file.is_relative_to(folder) and file.is_file()):
            raise Bad("file_gone")
        return file

    def write(self, name: str, write: Callable[[Path], Reply]) -> Reply:
        """What `write` says of the file that it wrote, and where gradio serves it. `name` is never
        a stranger's."""
        folder = self._folder / "ctx-written" / secrets.token_hex(16)
        folder.mkdir(mode=0o700, parents=True)
        file = folder / name
        try:
            reply = write(file)
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, OSError):
                full = error.errno == errno.ENOSPC
                raise Bad("disk_full" if full else "disk_failed") from error
            raise
        self._written(str(file))
        return {"file": file.as_posix(), "bytes": file.stat().st_size, **reply}
