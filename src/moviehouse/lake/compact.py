"""Puts many small files of a table together into few, and leaves out the rows of dead loads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from moviehouse.lake.append import portions, write_rows
from moviehouse.lake.ledger import Pin
from moviehouse.lake.replace import replace_files

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import FileScanTask, Table

SMALL, SHORT_FILE = 32 << 20, 250_000
"""A file with fewer bytes and fewer rows is worth putting together with others.

A file is written of so much memory, whatever it compresses to: by its bytes alone, one of narrow rows would always be
small, and be written anew for ever.
"""
FEW = 6
"""So many small files are left as they are."""
DEAD, LEFT = "dead", "left"
"""What is to become of a reading's rows: they are left out, or their files are left alone."""


def live_files(table: Table) -> list[DataFile]:
    """The files of the table's newest snapshot."""
    return [task.file for task in table.scan().plan_files()]


def compact(table: Table, fate: Callable[[str], str] | None = None, few: int = FEW) -> Pin | None:
    """Rewrite a table's small files where there are more than a `few`, and those with dead rows; None: nothing to do.

    `fate` says what is to become of a reading: DEAD, LEFT (it may belong to a load under way), or the group of
    readings whose rows it may share a file with. What others append meanwhile stays; that another upkeep rewrites the
    same files is a conflict, which raises.
    """
    of = fate or (lambda _: "")
    tasks = [task for task in table.scan().plan_files() if of(_last(table, task.file)) != LEFT]
    dead: list[FileScanTask] = []
    small: dict[str, list[FileScanTask]] = {}
    for task in tasks:
        first = of(_first(table, task.file))
        if DEAD in (first, of(_last(table, task.file))):
            dead.append(task)
        elif task.file.file_size_in_bytes < SMALL and task.file.record_count < SHORT_FILE:
            small.setdefault(first, []).append(task)
    chosen = [tasks for tasks in (dead, *(some for some in small.values() if len(some) > few)) if tasks]
    if not chosen:
        return None
    files: list[DataFile] = []
    for together in chosen:
        for rows in portions(_rows(table, together, fate)):
            files += write_rows(rows, table)
    return replace_files(table, [task.file for tasks in chosen for task in tasks], files, dict(_own_properties(table)))


def _own_properties(table: Table) -> Iterator[tuple[str, str]]:
    """What our commits say about a snapshot beside Iceberg's own figures: the ledger's place in its numbers."""
    snapshot = table.current_snapshot()
    if snapshot is not None and snapshot.summary is not None:
        for key, value in snapshot.summary.additional_properties.items():
            if key in ("moviehouse.base", "moviehouse.release"):
                yield key, value


def _rows(table: Table, tasks: list[FileScanTask], fate: Callable[[str], str] | None) -> Iterator[pa.RecordBatch]:
    """The rows of some files without the dead ones, those of the same reading together."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyiceberg.expressions import AlwaysTrue
    from pyiceberg.io.pyarrow import ArrowScan

    scan = ArrowScan(table.metadata, table.io, table.schema(), AlwaysTrue())
    for task in sorted(tasks, key=lambda task: _first(table, task.file)):
        for batch in scan.to_record_batches([task]):
            if fate is not None:
                of = batch["reading_id"]
                kept = pa.array([r for r in pc.unique(of).to_pylist() if fate(r) != DEAD], of.type)
                yield batch.filter(pc.is_in(of, kept))
            else:
                yield batch


def _first(table: Table, file: DataFile) -> str:
    return _bound(table, file.lower_bounds)


def _last(table: Table, file: DataFile) -> str:
    return _bound(table, file.upper_bounds)


def _bound(table: Table, bounds: dict[int, bytes] | None) -> str:
    """The first or last reading of a file, by its statistics; empty where there are none."""
    names: dict[str, int] = {field.name: field.field_id for field in table.schema().fields}
    return (bounds or {}).get(names.get("reading_id", -1), b"").decode("utf-8", "replace")
