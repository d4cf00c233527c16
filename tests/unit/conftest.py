"""Databases that several tests here begin with; a test file may have its own by the same name. And
one thread for their tiny models: two that wait for each other take many times as long."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from db.dataset.importing import bring
from db.store import Origin, Store, open_store


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")  # of processes that tests start
        yield
    torch.set_num_threads(threads)


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
