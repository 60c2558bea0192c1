"""The columns of the ledger's two tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from moviehouse.lake.tables import iceberg_type
from moviehouse.model.schema import Column

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.schema import Schema

_READING_COLUMNS = (
    Column("reading_id", "VARCHAR", "The reading; rows of the lake name it."),
    Column("drop_id", "VARCHAR", "The drop: the SHA-256 of its source."),
    Column("observed_at", "TIMESTAMP", "When the drop was observed, UTC."),
    Column("logic", "INTEGER", "The version of the logic."),
    Column("full", "BOOLEAN", "Whether the drop is a whole snapshot."),
    Column("engine", "VARCHAR", "What read it."),
    Column("source", "VARCHAR", "Where it came from."),
    Column("bytes", "BIGINT", "Its size."),
    Column("read", "BIGINT", "Records read."),
    Column("loaded", "BIGINT", "Records loaded."),
    Column("merged", "BIGINT", "Records merged."),
    Column("rejected", "BIGINT", "Records rejected."),
    Column("rows", "VARCHAR", "Rows by table, as JSON."),
    Column("begun_at", "TIMESTAMP", "When the load began, UTC."),
)
NOTED = (
    *_READING_COLUMNS,
    Column("status", "VARCHAR", "staged, discarded or set_aside."),
    Column("why", "VARCHAR", "Why it was set aside."),
    Column("noted_at", "TIMESTAMP", "When this was written, UTC."),
    Column("stage", "VARCHAR", "The stage, if it was loaded into one."),
    Column("snapshots", "VARCHAR", "Of what is staged: the snapshots that have its rows, by table, as JSON."),
)
_PIN_COLUMNS = (
    Column("table", "VARCHAR", "A table of the lake."),
    Column("snapshot_id", "BIGINT", "Its snapshot in this release."),
    Column("sequence", "BIGINT", "The snapshot's sequence number."),
)
RELEASES: tuple[Column | tuple[str, tuple[Column, ...] | None, str], ...] = (
    Column("number", "BIGINT", "From 1, without a gap."),
    Column("release_id", "VARCHAR", "Unlike that of any other commit."),
    Column("created_at", "TIMESTAMP", "When it was committed, UTC."),
    Column("kind", "VARCHAR", "What made it: load, maintain, publish or undo."),
    Column("base", "BOOLEAN", "Whether `added` has all readings, and not only those since the release before."),
    ("added", _READING_COLUMNS, "Readings that it shows and the release before does not."),
    ("removed", None, "Readings that the release before shows and it does not."),
    ("folded", None, "Readings that the tables of current rows hold; NULL: as in the release before."),
    ("snapshots", _PIN_COLUMNS, "The snapshot of each table."),
)


def schema(columns: Iterable[Column | tuple[str, tuple[Column, ...] | None, str]]) -> Schema:
    """The schema of a ledger's table; a tuple is a list of structs or, without columns, of texts."""
    from itertools import count

    from pyiceberg.schema import Schema
    from pyiceberg.types import ListType, NestedField, StringType, StructType

    ids, made = count(1), []
    for column in columns:
        if isinstance(column, Column):
            type_ = iceberg_type(column.type)
            made.append(NestedField(next(ids), column.name, type_, required=False, doc=column.description))
            continue
        name, inner, doc = column
        outer, element = next(ids), next(ids)
        item = StructType(
            *(NestedField(next(ids), c.name, iceberg_type(c.type), required=False, doc=c.description) for c in inner)
        ) if inner else StringType()  # fmt: skip
        made.append(NestedField(outer, name, ListType(element, item, element_required=False), required=False, doc=doc))
    return Schema(*made)


def arrow(rows: list[dict[str, Any]], of: Schema) -> pa.Table:
    """Rows as Arrow has them."""
    import pyarrow as pa
    from pyiceberg.io.pyarrow import schema_to_pyarrow

    return pa.Table.from_pylist(rows, schema=schema_to_pyarrow(of, include_field_ids=False))
