"""What tests of adapters and translators that are brought in share: a zip, a refusal, and cards
that say what none can."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from engine.bringing import bring_adapter
from engine.catalogue import HOME_FOLDER
from engine.checking import AdapterError

CARDS = {
    "a style that nobody asks in": ("unreadable", {"style": "no-such-style"}),
    "a style of the other task": ("unreadable", {"task": "sense"}),
    "a style of words for sentences": ("unreadable", {"style": "last"}),
    "languages that are none": ("unreadable", {"pair": "xx-yy"}),
    "one language twice": ("unreadable", {"pair": "en-en"}),
    "words in no known script": (
        "unreadable",
        {"task": "sense", "style": "last", "pair": "en-yy"},
    ),
    "a name of two lines": ("unreadable", {"name": "mine\nshipped"}),
    "a name that paints": ("unreadable", {"name": "\x1b[31mmine"}),
    "a name of 300,000 characters": ("unreadable", {"name": "x" * 300_000}),
    "no name": ("unreadable", {"name": " "}),
    "a base of two lines": ("unreadable", {"base": "tiny\n@1"}),
    "no base": ("wrong_base", {"base": ""}),
}
"""Why a card with these changes is refused: the reason, and the changes."""


def zipped(folder: Path, inside: str = "mine/") -> Path:
    file = folder.with_suffix(".zip")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        for one in sorted(folder.iterdir()):
            out.write(one, f"{inside}{one.name}")
    return file


def refused(source: Path, home: Path, shape, **said) -> str:
    """The reason, once it is sure that nothing was kept and no path of this machine is told."""
    with pytest.raises(AdapterError) as caught:
        bring_adapter(source, home, shape, **said)
    assert list((home / HOME_FOLDER).iterdir()) == []
    assert str(home) not in str(caught.value)
    return caught.value.reason
