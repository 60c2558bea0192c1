"""Appends rows to a table of the lake: streamed into files first, then added in one commit, exactly once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import duckdb

from moviehouse.errors import TargetError
from moviehouse.lake.catalog import Lake
from moviehouse.lake.ledger import Pin
from moviehouse.lake.retry import PATIENCE, pause, unclear_answers

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table

READING_PROPERTY = "moviehouse.reading"
_BATCH_ROWS = 100_000
_FILE_BYTES = 128 << 20
"""Of rows in memory; as Parquet they take a tenth of it or less."""


def write_files(con: duckdb.DuckDBPyConnection, query: str, table: Table) -> list[DataFile]:
    """Write the rows of a query into files of the table, which no snapshot has yet; few rows are in memory at once."""
    written: list[DataFile] = []
    for rows in portions(con.sql(query).to_arrow_reader(_BATCH_ROWS)):
        written += write_rows(rows, table)
    return written


def write_rows(rows: pa.Table, table: Table) -> list[DataFile]:
    """Write rows into a file of the table, which no snapshot has yet."""
    from pyiceberg.io.pyarrow import _dataframe_to_data_files

    return list(_dataframe_to_data_files(table.metadata, rows, table.io))


def portions(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Gather batches into tables of the size of a file."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    for batch in batches:
        if batch.num_rows:
            held.append(batch)
        if sum(b.nbytes for b in held) >= _FILE_BYTES:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def add_files(lake: Lake, table: Table, files: Sequence[DataFile], **properties: str) -> Pin:
    """Add files to a table in one commit; the snapshot that has them.

    Every try has the same snapshot id. So a commit whose answer was lost is found in the table, and no file is ever
    added twice. Raises TargetError where others keep winning for too long.
    """
    from pyiceberg.exceptions import CommitFailedException

    again: tuple[type[Exception], ...] = (CommitFailedException, *unclear_answers())
    snapshot_id, start, tries = 0, time.monotonic(), 0
    while True:
        found = table.snapshot_by_id(snapshot_id) if tries else None
        if found is not None:
            return Pin(found.snapshot_id, found.sequence_number or 0)
        try:
            with table.transaction() as transaction:
                append = transaction.update_snapshot(snapshot_properties=properties).merge_append()
                append._snapshot_id = snapshot_id = snapshot_id or append.snapshot_id
                for file in files:
                    append.append_data_file(file)
                append.commit()
            found = table.snapshot_by_id(snapshot_id)
            assert found is not None
            return Pin(snapshot_id, found.sequence_number or 0)
        except again as error:
            tries += 1
            if time.monotonic() - start > PATIENCE:
                raise TargetError(
                    f"Others kept writing to the lake {lake.name}: {tries} tries to append failed.",
                    "Nothing of this load is visible. Run again when fewer write to it.",
                ) from error
            pause(tries)
            table = refreshed(table)


def refreshed(table: Table) -> Table:
    """The table as it is now; a catalog that does not answer is asked again."""
    for tries in range(1, 6):
        try:
            return table.refresh()
        except unclear_answers():
            pause(tries)
    return table.refresh()


def pinned(table: Table) -> Pin | None:
    """The table's newest snapshot; None where it has none."""
    snapshot = table.current_snapshot()
    return Pin(snapshot.snapshot_id, snapshot.sequence_number or 0) if snapshot else None


def rows_of(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    """How many rows a relation has."""
    row: Any = con.execute(f"SELECT count(*) FROM {relation}").fetchone()
    return int(row[0])
