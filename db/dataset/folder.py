"""A folder that Hugging Face `datasets` loads: a Parquet file for each split, and a card. Streams.

    README.md  data/train.parquet  data/dev.parquet  data/test.parquet

Beside the six columns each row has the kind of answerer (`source`) and its sentence's attribution,
which licences ask for; names of people are left out.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from db.dataset.card import About, SplitCounts, write_card
from db.dataset.rows import COLUMNS, ParquetRows, flat
from db.store import Answered
from engine.split import SPLITS, split_of

_COLUMNS = (*COLUMNS, "source", "attribution")


def write_folder(rows: Iterable[Answered], folder: Path, about: About) -> dict[str, int]:
    """Write rows as a folder that appears when it is whole; how many in all and of each split.
    FileExistsError where something is there already."""
    if folder.exists():
        raise FileExistsError(f"{folder} exists already")
    fresh = Path(tempfile.mkdtemp(dir=folder.absolute().parent, prefix=f".{folder.name}."))
    try:
        counts = _write_splits(rows, fresh / "data")
        card = write_card(about, counts)
        (fresh / "README.md").write_text(card, encoding="utf-8")
        fresh.chmod(0o755)
        os.replace(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    splits = {split: counts[split].rows for split in SPLITS if split in counts}
    return {"written": sum(splits.values()), **splits}


def zip_folder(folder: Path, file: Path) -> None:
    """Write a folder's files into one zip file; Parquet is compressed already."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as out:
        for one in sorted(path for path in folder.rglob("*") if path.is_file()):
            out.write(one, one.relative_to(folder))


def _write_splits(rows: Iterable[Answered], folder: Path) -> dict[str, SplitCounts]:
    folder.mkdir()
    counts: dict[str, SplitCounts] = {}
    files: dict[str, ParquetRows] = {}
    with ExitStack() as stack:
        for row in rows:
            split = split_of(row.query.context, row.query.pair)
            if split not in files:  # a split without rows has no file
                file = ParquetRows(folder / f"{split}.parquet", _COLUMNS)
                files[split] = stack.enter_context(file)
                counts[split] = SplitCounts()
            files[split].add(flat(row) | {"source": row.source, "attribution": row.attribution})
            counts[split].add(row.sense)
    return {split: counts[split] for split in SPLITS if split in counts}
