"""The lake's tables in the catalog: made where there are none, and given the columns that the model has got since."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from moviehouse.lake.catalog import Lake
from moviehouse.model.lake import LAKE_TABLES
from moviehouse.model.schema import Column

if TYPE_CHECKING:
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table
    from pyiceberg.types import IcebergType

CURRENT = "_current"
"""What the name of a table of current rows ends in."""
THREADS = 4
PROPERTIES = {
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    # What upkeep rewrites are files, never meanings: rows that others append meanwhile are no conflict.
    "write.update.isolation-level": "snapshot",
    "write.delete.isolation-level": "snapshot",
    # Which readings a file has is known without opening it.
    "write.metadata.metrics.column.reading_id": "full",
    "write.metadata.previous-versions-max": "20",
    # Short waits: a loader's own patience is what counts, and Iceberg's would be half an hour.
    "commit.retry.num-retries": "10",
    "commit.retry.min-wait-ms": "50",
    "commit.retry.max-wait-ms": "1000",
    "commit.manifest-merge.enabled": "true",
    "commit.manifest.min-count-to-merge": "50",
}
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_T = TypeVar("_T")
_S = TypeVar("_S")


def iceberg_type(type_: str) -> IcebergType:
    """Iceberg's type for one of the model's."""
    from pyiceberg import types

    if decimal := _DECIMAL.fullmatch(type_):
        return types.DecimalType(int(decimal[1]), int(decimal[2]))
    simple: dict[str, IcebergType] = {
        "BIGINT": types.LongType(),
        "INTEGER": types.IntegerType(),
        "BOOLEAN": types.BooleanType(),
        "DATE": types.DateType(),
        "TIMESTAMP": types.TimestampType(),
        "VARCHAR": types.StringType(),
        "BLOB": types.BinaryType(),
        "DOUBLE": types.DoubleType(),
    }
    return simple[type_]


def schema_of(columns: Iterable[Column]) -> Schema:
    """The schema of a table with these columns. None is required: what an old row lacks is NULL."""
    from pyiceberg.schema import Schema
    from pyiceberg.types import NestedField

    fields = (
        NestedField(i, c.name, iceberg_type(c.type), required=False, doc=c.description)
        for i, c in enumerate(columns, 1)
    )
    return Schema(*fields)


def each(work: Callable[[_S], _T], things: Sequence[_S], stop: Callable[[], object] = lambda: None) -> list[_T]:
    """Do something for each thing on a few threads, since most of it is waiting; the first error is raised.

    `stop` is then called, to end what is still being done.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(work, thing) for thing in things]
        try:
            return [future.result() for future in futures]
        except BaseException:
            for future in futures:
                future.cancel()
            stop()
            raise


def ensure(lake: Lake, name: str, schema: Callable[[], Schema], properties: dict[str, str]) -> Table:
    """Load a table; one that is not there is made, which another process may do at the same moment."""
    from pyiceberg.exceptions import NoSuchTableError, TableAlreadyExistsError

    identifier = lake.identifier(name)
    try:
        return lake.catalog.load_table(identifier)
    except NoSuchTableError:
        try:
            return lake.catalog.create_table(identifier, schema(), properties=properties)
        except TableAlreadyExistsError:
            return lake.catalog.load_table(identifier)


def ensure_namespace(lake: Lake) -> None:
    """Make the namespace, unless it is there."""
    if lake.catalog.namespace_exists(lake.namespace):
        return
    from pyiceberg.exceptions import NamespaceAlreadyExistsError
    from sqlalchemy.exc import IntegrityError  # slow to import, and needed once in a lake's life

    with suppress(NamespaceAlreadyExistsError, IntegrityError):
        lake.catalog.create_namespace(lake.namespace)


def row_table(lake: Lake, name: str) -> Table:
    """The table of a name in the lake, with at least the columns that the model gives it now."""
    columns = _columns(name)
    table = ensure(lake, name, lambda: schema_of(columns), PROPERTIES)
    return evolved(table, columns)


def _columns(name: str) -> tuple[Column, ...]:
    return next(t.columns for t in LAKE_TABLES if t.name == name.removesuffix(CURRENT))


def evolved(table: Table, columns: Sequence[Column]) -> Table:
    """The table with at least these columns: those that came later are added, and rows from before have NULL there."""
    from pyiceberg.exceptions import CommitFailedException

    for _ in range(10):
        known = set(table.schema().column_names)
        added = [c for c in columns if c.name not in known]
        if not added:
            break
        try:
            with table.update_schema() as update:
                for column in added:
                    update.add_column(column.name, iceberg_type(column.type), doc=column.description)
        except CommitFailedException:  # another loader adds them, or has just appended
            pass
        table = table.refresh()
    return table


def present(lake: Lake, name: str) -> Table | None:
    """A table of the lake as it is; None where it is not there."""
    from pyiceberg.exceptions import NoSuchTableError

    try:
        return lake.catalog.load_table(lake.identifier(name))
    except NoSuchTableError:
        return None
