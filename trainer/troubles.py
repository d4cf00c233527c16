"""What a machine lacks when an error says so: memory, or room on its disk."""

from __future__ import annotations

import errno

_ADVICE = {
    "out_of_memory": "There is not enough memory: halve `batch` and double `accumulation`, or set"
    " `checkpointing`; a run of fewer or smaller matrices needs less, too.",
    "disk_full": "The disk is full: make room, then resume.",
}
_NAMES = {"MemoryError": "out_of_memory", "OutOfMemoryError": "out_of_memory"}  # torch's, too
_TEXTS = {"allocate memory": "out_of_memory", "No space left": "disk_full"}  # of other libraries


def name_trouble(error: Exception) -> tuple[str, str]:
    """The code of what is lacking and what to do about it; "" and "" for any other error."""
    code = _NAMES.get(type(error).__name__, "")
    if isinstance(error, OSError):
        code = "disk_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
    elif not code:
        code = next((code for text, code in _TEXTS.items() if text in str(error)), "")
    return code, _ADVICE.get(code, "")
