"""A row as the six columns people exchange, and Parquet files of such rows. Streams."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

from db.store import Answered
from engine.sense import to_wire

COLUMNS = ("context", "target", "idx", "class", "zh", "phrase")
_BATCH = 10_000  # rows of a Parquet row group

Flat = dict[str, str | int]


def flat(row: Answered) -> Flat:
    """A row's six fields."""
    query = row.query
    asked: Flat = {"context": query.context, "target": query.target, "idx": query.idx}
    return asked | to_wire(query, row.sense)


class ParquetRows:
    """A Parquet file that rows are added to; never holds more than a row group of them."""

    def __init__(self, file: Path, columns: tuple[str, ...] = COLUMNS):
        from pyarrow import int64, schema, string
        from pyarrow.parquet import ParquetWriter

        self._kinds = schema([(name, int64() if name == "idx" else string()) for name in columns])
        self._out = ParquetWriter(file, self._kinds)
        self._batch: list[dict[str, Any]] = []
        self.count = 0

    def add(self, row: dict[str, Any]) -> None:
        self._batch.append(row)
        self.count += 1
        if len(self._batch) == _BATCH:
            self._flush()

    def _flush(self) -> None:
        from pyarrow import Table

        if self._batch:
            self._out.write_table(Table.from_pylist(self._batch, self._kinds))
            self._batch.clear()

    def __enter__(self) -> ParquetRows:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if error is None:
            self._flush()
        self._out.close()
