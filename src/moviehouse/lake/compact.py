"""Puts many small files of a table together into few, and leaves out the rows of dead loads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from moviehouse.lake.append import portions, write_rows
from moviehouse.lake.ledger import Pin

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import FileScanTask, Table

SMALL = 32 << 20
"""A file below this is worth putting together with others."""
FEW = 6
"""So many small files are left as they are."""


def live_files(table: Table) -> list[DataFile]:
    """The files of the table's newest snapshot."""
    return [task.file for task in table.scan().plan_files()]


def compact(
    table: Table, keep: Callable[[str], bool] | None = None, skip: Callable[[str], bool] | None = None, few: int = FEW
) -> Pin | None:
    """Rewrite a table's small files where there are more than a `few`, and those with dead rows; None: nothing to do.

    `keep` says whether the rows of a reading stay. `skip` says that a reading may belong to a load under way, whose
    files are left alone. What others append meanwhile stays; that another upkeep rewrites the same files is a
    conflict, which raises.
    """
    tasks = [task for task in table.scan().plan_files() if skip is None or not skip(_last(table, task.file))]
    dead = [t for t in tasks if keep is not None and not (keep(_first(table, t.file)) and keep(_last(table, t.file)))]
    small = [t for t in tasks if t.file.file_size_in_bytes < SMALL and t not in dead]
    chosen = dead + (small if len(small) > few else [])
    if not chosen:
        return None
    files: list[DataFile] = []
    for rows in portions(_rows(table, chosen, keep)):
        files += write_rows(rows, table)
    properties = dict(_own_properties(table))
    return replace_files(table, [task.file for task in chosen], files, **properties)


def replace_files(table: Table, old: Iterable[DataFile], new: Sequence[DataFile], **properties: str) -> Pin:
    """Replace files of a table in one commit, which fails where another has replaced one of them."""
    with table.transaction() as transaction:
        overwrite = transaction.update_snapshot(snapshot_properties=properties).overwrite()
        for file in old:
            overwrite.delete_data_file(file)
        for file in new:
            overwrite.append_data_file(file)
        overwrite.commit()
    snapshot = table.snapshot_by_id(overwrite.snapshot_id)
    assert snapshot is not None
    return Pin(snapshot.snapshot_id, snapshot.sequence_number or 0)


def _own_properties(table: Table) -> Iterator[tuple[str, str]]:
    """What our commits say about a snapshot beside Iceberg's own figures: the ledger's place in its numbers."""
    snapshot = table.current_snapshot()
    if snapshot is not None and snapshot.summary is not None:
        for key, value in snapshot.summary.additional_properties.items():
            if key in ("moviehouse.base", "moviehouse.release"):
                yield key, value


def _rows(table: Table, tasks: list[FileScanTask], keep: Callable[[str], bool] | None) -> Iterator[pa.RecordBatch]:
    """The rows of some files, those of the same reading together."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyiceberg.expressions import AlwaysTrue
    from pyiceberg.io.pyarrow import ArrowScan

    scan = ArrowScan(table.metadata, table.io, table.schema(), AlwaysTrue())
    for task in sorted(tasks, key=lambda task: _first(table, task.file)):
        for batch in scan.to_record_batches([task]):
            if keep is not None:
                of = batch["reading_id"]
                kept = pa.array([reading for reading in pc.unique(of).to_pylist() if keep(reading)], of.type)
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
