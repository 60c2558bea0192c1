"""The inputs of the state: the rows that a release shows, table by table.

They come from the snapshots that the release names. Where upkeep has folded readings into the tables of
current rows, those stand for them, and of the tables of rows only what was not folded is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from moviehouse.engines.duckdb import DuckDB
from moviehouse.lake.catalog import Lake
from moviehouse.lake.ledger import Pin, Reading, Release
from moviehouse.lake.state import row
from moviehouse.lake.tables import CURRENT, each, present
from moviehouse.model.lake import LAKE_TABLE, READING
from moviehouse.sql.text import literal, name

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.table import Table

FOLDED_KINDS = ("keyed", "set", "named")
"""The kinds of tables that have one of current rows; the others need every row."""


@dataclass(frozen=True)
class Part:
    """Rows to read: of a table at a snapshot, those of some readings (None: all), in some files (None: all)."""

    table: Table
    snapshot_id: int
    readings: frozenset[str] | None = None
    files: frozenset[str] | None = None


def shape(engine: DuckDB, release: Release, tables: set[str]) -> None:
    """Make the inputs of the state: the relation `reading`, and for these tables those by `row(table)`, still empty."""
    _readings(engine.con, release.visible)
    for table in tables:
        create(engine.con, f"memory.main.{name(row(table))}", table)


def fill(engine: DuckDB, lake: Lake, release: Release, tables: set[str], *, slim: bool = False) -> None:
    """Read the rows of a release into the inputs of the state.

    `slim` reads of the ratings only which movies were rated: for MovieLens's movies, where no ratings are wanted.
    """
    parts = parts_of(lake, release, tables)

    def read(table: str) -> None:
        columns = [c.name for c in LAKE_TABLE[table].columns]
        few = slim and table == "rating"
        if few:
            columns = ["edition", "movielens_id", "reading_id"]
        with engine.cursor() as cursor:
            insert(cursor, f"memory.main.{name(row(table))}", parts[table], columns, distinct=few)

    each(read, sorted(tables))


def parts_of(lake: Lake, release: Release, tables: set[str]) -> dict[str, list[Part]]:
    """What is to be read of each table for its rows in a release."""
    there = dict(each(lambda n: (n, present(lake, n)), sorted(_names(release, tables))))
    return _parts(release, release.visible, tables, there)


def create(con: duckdb.DuckDBPyConnection, relation: str, table: str) -> None:
    """Create an empty relation for the rows of a table of the lake."""
    declared = ", ".join(f"{name(c.name)} {c.type}" for c in LAKE_TABLE[table].columns)
    con.execute(f"CREATE TABLE {relation} ({declared})")


def insert(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    parts: Iterable[Part],
    columns: Sequence[str],
    *,
    distinct: bool = False,
) -> None:
    """Stream the rows of parts into a relation; columns that a snapshot does not have yet stay NULL.

    Raises what reading a file raises: FileNotFoundError where upkeep has removed it.
    """
    what = f"{'DISTINCT ' if distinct else ''}*"
    for part in parts:
        condition = ""
        if part.readings is not None:
            con.execute("CREATE OR REPLACE TEMP TABLE reading_chosen (reading_id VARCHAR)")
            con.executemany("INSERT INTO reading_chosen VALUES (?)", [[reading] for reading in sorted(part.readings)])
            condition = " WHERE reading_id IN (SELECT reading_id FROM reading_chosen)"
        with streamed(con, part, columns) as rows:
            con.execute(f"INSERT INTO {relation} BY NAME SELECT {what} FROM {rows}{condition}")


@contextmanager
def streamed(con: duckdb.DuckDBPyConnection, part: Part, columns: Sequence[str]) -> Iterator[str]:
    """Have the rows of a part, for one statement, as the relation that is given; it raises what `insert` does."""
    problems: list[Exception] = []
    con.register("arrow_rows", _stream(part, columns, problems))
    try:
        yield "arrow_rows"
    except duckdb.Error as error:  # of a stream that fails it says that one did
        raise (problems or [error])[0] from None
    finally:
        con.unregister("arrow_rows")


def _readings(con: duckdb.DuckDBPyConnection, visible: Mapping[str, Reading]) -> None:
    declared = ", ".join(f"{name(c.name)} {c.type}" for c in READING)
    con.execute(f"CREATE TABLE memory.main.reading ({declared})")
    if visible:
        values = [[getattr(reading, c.name) for c in READING] for reading in visible.values()]
        con.executemany(f"INSERT INTO memory.main.reading VALUES ({', '.join('?' * len(READING))})", values)


def _names(release: Release, tables: Iterable[str]) -> set[str]:
    """The tables of the lake to open: those of rows, and of current rows where there are any."""
    folds = {f"{table}{CURRENT}" for table in tables if LAKE_TABLE[table].kind in FOLDED_KINDS}
    return {table for table in {*tables, *folds} if table in release.pins}


def _parts(
    release: Release, visible: Mapping[str, Reading], tables: set[str], there: Mapping[str, Table | None]
) -> dict[str, list[Part]]:
    """What is read of each table. Current rows are used where all readings that they hold count, and all are there."""
    folds = [n for n in there if n.endswith(CURRENT)]
    usable = release.folded <= set(visible) and all(_has(there[n], release.pins[n]) for n in folds)
    folded = release.folded if usable else frozenset()
    parts: dict[str, list[Part]] = {table: [] for table in tables}
    for table in tables:
        current = there.get(f"{table}{CURRENT}")
        done = folded if LAKE_TABLE[table].kind in FOLDED_KINDS else frozenset[str]()
        if done and current is not None:
            parts[table].append(Part(current, release.pins[f"{table}{CURRENT}"].snapshot_id, None))
        rest = frozenset(r for r in visible if r not in done and visible[r].rows.get(table))
        rows = there.get(table)
        if rest and rows is not None:
            pin, newest = release.pins[table], rows.current_snapshot()
            # The snapshot of an old release may be gone; every later one has its rows too.
            kept = pin.snapshot_id if _has(rows, pin) or newest is None else newest.snapshot_id
            parts[table].append(Part(rows, kept, rest))
    return parts


def _has(table: Table | None, pin: Pin) -> bool:
    return table is not None and table.snapshot_by_id(pin.snapshot_id) is not None


def _stream(part: Part, columns: Sequence[str], problems: list[Exception]) -> pa.RecordBatchReader:
    """The rows of a part; what fails on the way is added to the problems."""
    import pyarrow as pa
    from pyiceberg.io.pyarrow import ArrowScan, schema_to_pyarrow

    options: dict[str, Any] = {"snapshot_id": part.snapshot_id}
    if part.readings is not None:  # reading ids grow with time: files of readings before or after these are left out
        first, last = literal(min(part.readings)), literal(max(part.readings))
        options["row_filter"] = f"reading_id >= {first} and reading_id <= {last}"
    scan = part.table.scan(**options)
    known = set(scan.projection().column_names)
    scan = scan.select(*(c for c in columns if c in known))
    tasks = [task for task in scan.plan_files() if part.files is None or task.file.file_path in part.files]
    schema = schema_to_pyarrow(scan.projection())
    files = ArrowScan(scan.table_metadata, scan.io, scan.projection(), scan.row_filter)

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            for task in tasks:  # of several PyIceberg holds all rows in memory
                yield from files.to_record_batches([task])
        except Exception as error:
            problems.append(error)
            raise

    return pa.RecordBatchReader.from_batches(schema, batches()).cast(schema)
