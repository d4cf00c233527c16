"""Small files written whole: after a kill at any moment there is the old one or the new one."""

from __future__ import annotations

import os
import threading
from pathlib import Path


def write_whole(file: Path, text: str) -> None:
    """Put `text` in the place of the file's; on the disk when this returns. OSError where the disk
    does not take it: then the old text stays."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}.{threading.get_ident()}.new")
    try:
        with fresh.open("w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        os.replace(fresh, file)
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Let a rename in the folder reach the disk, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
