"""Databases that several tests here begin with; a test file may have its own by the same name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.dataset.importing import bring
from db.store import Origin, Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "ctx.db") as store:
        yield store


@pytest.fixture
def filled(store: Store, tmp_path: Path) -> Store:
    """Twenty sentences of three queries each."""
    file = tmp_path / "text.txt"
    file.write_text("".join(f"Dogs chase cats{chr(97 + n)}.\n" for n in range(20)))
    bring(store, file, Origin("text", ""))
    return store
