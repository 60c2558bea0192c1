"""Reads drops into the lake's tables, through the reader itself, and keeps their rows as the lake would."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from moviehouse.engines.duckdb import DuckDB
from moviehouse.lake import reading
from moviehouse.model.lake import LAKE_TABLES
from moviehouse.model.sources import SOURCES
from moviehouse.progress import Quiet
from moviehouse.steps import balance, log, read
from moviehouse.steps.check import run_checks


def read_drop(folder: Path, work: Path) -> DuckDB:
    """A DuckDB that has the lake's tables of one drop, a directory; its gates have passed."""
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
    reading.conform(engine, Quiet())
    log.gather(engine, paths, "run", work, reading.text)
    balance.show(engine.con, balance.strike(engine, readings, reading.PLACES))
    failed = [outcome for outcome in run_checks(engine.con, Quiet(), reading.gates()) if not outcome.passed]
    assert not failed, failed
    return engine


def rows_of(engine: DuckDB, observed_at: datetime, drop_id: str, reading_id: str) -> dict[str, list[dict]]:
    """The rows of a reading, stamped, by table."""
    found = {}
    for table in LAKE_TABLES:
        cursor = engine.con.execute(reading.stamped(table.name, observed_at, drop_id, reading_id))
        names = [column[0] for column in cursor.description]
        assert names == [column.name for column in table.columns]
        found[table.name] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return found
