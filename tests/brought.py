"""What tests of adapters and translators that are brought in share: a zip, and a refusal."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from engine.bringing import bring_adapter
from engine.catalogue import HOME_FOLDER
from engine.checking import AdapterError


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
