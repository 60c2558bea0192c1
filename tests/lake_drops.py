"""Reads drops into the lake's tables, through the reader itself, and keeps their rows as the lake would."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path

import duckdb
from lake_states import insert

from moviehouse.engines.duckdb import DuckDB
from moviehouse.lake import reading
from moviehouse.lake.state import row
from moviehouse.model.lake import LAKE_TABLES
from moviehouse.model.sources import SOURCES
from moviehouse.progress import Quiet
from moviehouse.steps import balance, conform, log, read
from moviehouse.steps.check import run_checks


def _read(folder: Path, work: Path, layout: conform.Layout = conform.BUILD) -> tuple[DuckDB, list[read.Reading]]:
    """A DuckDB that has the tables and the log of a directory."""
    work.mkdir()
    engine = DuckDB(work / "reading.duckdb", work)
    read.prepare(engine.con)
    paths, readings = {}, []
    for source in SOURCES:
        path = paths[source.name] = folder / source.name
        if path.exists():
            readings.append(read.read_member(engine.con, source, path, work))
        else:
            readings.append(read.read_absent(engine.con, source))
    conform.conform_ratings(engine, engine.con, Quiet(), layout)
    conform.conform(engine, Quiet(), layout)
    log.gather(engine, "run", partial(log.reject_references, engine, paths, work), layout.text)
    return engine, readings


def read_drop(folder: Path, work: Path) -> DuckDB:
    """A DuckDB that has the lake's tables of one drop, a directory; its gates have passed."""
    engine, readings = _read(folder, work, reading.LAYOUT)
    balance.show(engine.con, balance.strike(engine, readings, places=reading.LAYOUT.places))
    failed = [outcome for outcome in run_checks(engine.con, Quiet(), reading.gates()) if not outcome.passed]
    assert not failed, failed
    return engine


def build(folder: Path, work: Path) -> DuckDB:
    """A DuckDB that has the model's tables of a directory, as a build makes them."""
    return _read(folder, work)[0]


def append(con: duckdb.DuckDBPyConnection, database: Path, reading_row: dict) -> None:
    """Append the rows of a reading, whose database is closed, to a lake made by `lake_states.database`."""
    con.execute(f"ATTACH '{database}' AS one (READ_ONLY)")
    con.execute("SET search_path = 'one.main'")
    stamp = (reading_row["observed_at"], reading_row["drop_id"], reading_row["reading_id"])
    for table in LAKE_TABLES:
        con.execute(f"INSERT INTO memory.main.{row(table.name)} {reading.stamped(table.name, *stamp)}")
    con.execute("SET search_path = 'memory.main'")
    con.execute("DETACH one")
    insert(con, "reading", [reading_row])


def rows_of(engine: DuckDB, observed_at: datetime, drop_id: str, reading_id: str) -> dict[str, list[dict]]:
    """The rows of a reading, stamped, by table."""
    found = {}
    for table in LAKE_TABLES:
        cursor = engine.con.execute(reading.stamped(table.name, observed_at, drop_id, reading_id))
        names = [column[0] for column in cursor.description]
        assert names == [column.name for column in table.columns]
        found[table.name] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return found
