"""Reads a release of the lake: into a database like that of a build, with the tables that are wanted.

The rows come from the snapshots that the release names (see `rows`).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from moviehouse.engines.duckdb import DuckDB, opened
from moviehouse.errors import SourceError, UsageError
from moviehouse.lake import needs
from moviehouse.lake.catalog import Lake, open_lake, told
from moviehouse.lake.ledger import READING as READINGS
from moviehouse.lake.ledger import Ledger, Release
from moviehouse.lake.rows import Part, fill, shape, streamed
from moviehouse.lake.stages import with_stage
from moviehouse.lake.state import row, views
from moviehouse.lake.tables import present
from moviehouse.model.lake import LAKE_TABLE, NAMESPACE
from moviehouse.model.tables import TABLE
from moviehouse.run import RunRecord
from moviehouse.sql.text import name
from moviehouse.steps.answer import create_views
from moviehouse.steps.raw import MOVIES_FILE
from moviehouse.steps.target import DATABASE

if TYPE_CHECKING:
    from pyiceberg.table import Table

_TRIES = 3


@contextmanager
def reading_lake(
    address: str,
    wanted: Iterable[str],
    as_of: datetime | None = None,
    memory_limit: str = "2GiB",
    threads: int | None = None,
    *,
    rows: bool = True,
    traced: bool = False,
    drops: bool = False,
    stage: str | None = None,
) -> Iterator[Path]:
    """A directory with the release's database and run record, removed afterwards; it holds what is `wanted`.

    `wanted` are tables of the model, views and questions. `as_of` (UTC) is the time whose newest release is read;
    `stage` reads the newest one as it would be with that stage published. Without `rows` the relations are empty.
    `traced` makes it ready for tracing: movies say which drop they are from, and the logs are about these drops alone.
    With `drops` there is a table `drop_source`, so that the lines of every drop's log can say where they are from.
    Raises SourceError where the lake cannot be read or has no release yet, UsageError where it has no such stage.
    """
    if stage is not None and as_of is not None:
        raise UsageError("--stage and --as-of exclude each other: a stage stands beside the newest release.")
    lake = open_lake(address)
    place = Path(tempfile.mkdtemp(prefix="moviehouse-"))
    try:
        with told(lake.name, writing=False):
            need = needs.Need(frozenset(wanted), rows)
            release = _read(lake, place, need, lambda: _wanted(lake, as_of, stage), memory_limit, threads)
        if traced or drops:
            with opened(place / DATABASE, memory_limit, threads, read_only=False) as con:
                _add_drops(con, release)
                if traced:
                    _name_drops(con)
        _record(lake, release, stage).write(place / "run.json")
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def newest_release(lake: Lake, as_of: datetime | None = None) -> Release:
    """The newest release of the lake, or the one that was the newest at a time; SourceError where there is none."""
    release = Ledger(lake).newest(as_of)
    if release is not None:
        return release
    if as_of is not None and Ledger(lake).newest() is not None:
        raise SourceError(f"The lake {lake.name} had no release yet at {as_of} UTC.", "Ask for a later time.")
    where = "" if lake.namespace == NAMESPACE else f" in the namespace {lake.namespace}"
    raise SourceError(
        f"The lake {lake.name} has no release yet{where}.", f"Load a drop: moviehouse load SOURCE --lake {lake.name}"
    )


def _wanted(lake: Lake, as_of: datetime | None, stage: str | None) -> Release:
    return newest_release(lake, as_of) if stage is None else with_stage(Ledger(lake), lake.name, stage)


def _read(
    lake: Lake,
    place: Path,
    need: needs.Need,
    find: Callable[[], Release],
    memory_limit: str,
    threads: int | None,
) -> Release:
    """Make the database of a release; where upkeep removes its files meanwhile, that of the one found then."""
    for tries in range(1, _TRIES + 1):
        release = find()
        try:
            _materialise(lake, release, place, need, memory_limit, threads)
            return release
        except FileNotFoundError:
            (place / DATABASE).unlink(missing_ok=True)
            if tries == _TRIES:
                raise
    raise AssertionError


def _materialise(
    lake: Lake, release: Release, place: Path, need: needs.Need, memory_limit: str, threads: int | None
) -> None:
    relations = needs.closure(need.relations)
    tables = {table for table in LAKE_TABLE if row(table) in relations}
    work = place / "work"
    engine = DuckDB(place / DATABASE, work, memory_limit=memory_limit, threads=threads)
    try:
        shape(engine, release, tables)
        if need.rows:
            fill(engine, lake, release, tables, slim="rating" not in relations)
        for relation, query in views():
            if relation in needs.STATE and relation in relations:
                engine.con.execute(f"CREATE TABLE model.main.{name(relation)} AS {query}")
            elif relation in relations:
                engine.con.execute(f"CREATE VIEW memory.main.{name(relation)} AS {query}")
        for relation, table in needs.ASIDE.items():
            there = present(lake, table) if relation in relations else None
            if there is not None:
                which = " WHERE status = 'set_aside'" if table == READINGS else ""
                _aside(engine.con, there, relation, f"SELECT * FROM {{rows}}{which}", rows=need.rows)
    finally:
        engine.close()
        shutil.rmtree(work, ignore_errors=True)
    with opened(place / DATABASE, memory_limit, threads, read_only=False) as con:
        create_views(con, relations)
        con.execute("CHECKPOINT")


def _aside(con: duckdb.DuckDBPyConnection, there: Table, relation: str, query: str, *, rows: bool) -> None:
    """A relation about the drops that were set aside, as of now: a query on `rows`."""
    from pyiceberg.io.pyarrow import schema_to_pyarrow

    head, create = there.current_snapshot(), f"CREATE TABLE model.main.{name(relation)} AS {query}"
    if head is not None and rows:
        with streamed(con, Part(there, head.snapshot_id), there.schema().column_names) as stream:
            con.execute(create.format(rows=stream))
        return
    con.register("no_rows", schema_to_pyarrow(there.schema()).empty_table())
    con.execute(create.format(rows="no_rows"))
    con.unregister("no_rows")


def _add_drops(con: duckdb.DuckDBPyConnection, release: Release) -> None:
    """Add the table `drop_source`: what is printed of the drop that a token is of."""
    con.execute("CREATE TABLE drop_source (drop_id VARCHAR, observed_at TIMESTAMP, source VARCHAR)")
    rows = [
        [r.drop_id, r.observed_at, f"{r.source} ({r.observed_at:%Y-%m-%d %H:%M} UTC)"] for r in release.visible.values()
    ]
    if rows:
        con.executemany("INSERT INTO drop_source VALUES (?, ?, ?)", rows)


def _name_drops(con: duckdb.DuckDBPyConnection) -> None:
    """Have each movie's source name its drop, and keep of the logs what is about the records that made the movie."""
    con.execute(
        "UPDATE movie AS m SET source_file = m.source_file || ' of ' || d.source FROM drop_source AS d "
        "WHERE d.drop_id = m.drop_id AND d.observed_at = m.observed_at"
    )
    for log in ("error_log", "rejected_record"):
        con.execute(
            f"DELETE FROM {log} AS e WHERE NOT EXISTS (SELECT 1 FROM movie AS m WHERE m.movie_id = e.movie_id "
            "AND e.drop_id IN (m.drop_id, m.credits_drop_id, m.keywords_drop_id))"
        )
    con.execute("DROP TABLE drop_source")
    columns = ", ".join(f"{name(c.name)} {c.type}" for c in TABLE["movielens_movie"].columns)
    con.execute(f"CREATE TABLE IF NOT EXISTS movielens_movie ({columns})")


def _record(lake: Lake, release: Release, stage: str | None) -> RunRecord:
    """A run record for the release, as the readers of releases expect one."""
    record = RunRecord.begin()
    record.run_id, record.status = release.release_id, "published"
    tokens = {"budget": ("0", "empty"), "revenue": ("0", "empty"), "popularity": ("empty",)}
    record.files = {MOVIES_FILE: {"null_tokens": {column: dict.fromkeys(of, 1) for column, of in tokens.items()}}}
    record.source = {"address": lake.name, "kind": "lake", "release": release.number}
    if stage is not None:
        record.source["stage"] = stage
    return record
