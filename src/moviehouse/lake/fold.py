"""Folds readings into the tables of current rows, so that a reader need not read every row there ever was."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from moviehouse.engines.duckdb import DuckDB, half
from moviehouse.lake.append import write_files
from moviehouse.lake.catalog import Lake
from moviehouse.lake.compact import live_files
from moviehouse.lake.ledger import Change, Ledger, Pin, Release
from moviehouse.lake.replace import replace_files
from moviehouse.lake.rows import FOLDED_KINDS, Part, create, insert, parts_of
from moviehouse.lake.runs import outgrown, runs
from moviehouse.lake.state import fold, row
from moviehouse.lake.tables import CURRENT, each, row_table
from moviehouse.model.lake import LAKE_TABLE, STAMP, LakeTable
from moviehouse.model.tables import MOVIE
from moviehouse.sql.text import name

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table

# What of a list of movies tells which one is the greatest.
_LISTED = (*MOVIE.key, *(column.name for column in STAMP))


def fold_readings(lake: Lake, ledger: Ledger, release: Release, work: Path, memory_limit: str) -> int:
    """Fold what is visible and not folded yet; how many readings that were.

    The tables of current rows are written first. Readers go on with the snapshots of theirs until the last step, a
    commit to the ledger, names the new ones. Where another upkeep was faster, or a folded reading no longer counts,
    nothing changes.
    """
    from pyiceberg.exceptions import CommitFailedException

    visible = frozenset(release.visible)
    fresh = release.fresh
    rebuild = not release.folded <= visible
    if not fresh and not rebuild:
        return 0
    touched = _touched(release, visible, fresh, rebuild=rebuild)
    try:
        pins = _write(lake, release, touched, work, memory_limit)
    except FileNotFoundError as error:
        if not any(later.kind == "maintain" and later.number > release.number for later in ledger.releases()):
            raise
        raise CommitFailedException("Another upkeep has let go of what this one reads.") from error

    def decide(newest: Release) -> Change | None:
        overtaken = newest.folded != release.folded or not visible <= set(newest.visible)
        moved = any(newest.pins.get(table) != release.pins.get(table) for table in pins)
        return None if overtaken or moved else Change("maintain", folded=visible, pins=pins)

    return len(fresh) if ledger.commit(decide).done else 0


def _touched(release: Release, visible: Collection[str], fresh: Collection[str], *, rebuild: bool) -> list[str]:
    """The tables whose current rows are to be written: those with fresh rows, or with any.

    What a reading that no longer counts has left in one has to go, even where nothing comes in its place. An empty
    list supersedes rows of a set and has none.
    """

    def has(readings: Collection[str], *tables: str) -> bool:
        return any(release.readings[reading].rows.get(table) for reading in readings for table in tables)

    touched = []
    for table in (table for table in LAKE_TABLE.values() if table.kind in FOLDED_KINDS):
        written = f"{table.name}{CURRENT}" in release.pins
        if (rebuild or has(fresh, table.name, table.list)) if written else has(visible, table.name):
            touched.append(table.name)
    return sorted(touched)


def _write(lake: Lake, release: Release, names: list[str], work: Path, memory_limit: str) -> dict[str, Pin]:
    """Write the current rows of tables: what is new, and the runs that it has outgrown."""
    folder = work / "fold"
    folder.mkdir()
    engine = DuckDB(folder / "fold.duckdb", folder, memory_limit=half(memory_limit))
    lists = {LAKE_TABLE[table].list for table in names} - {""}
    parts = parts_of(lake, release, {*names, *lists})
    try:
        for of in sorted(lists):  # all rows: which list of a movie is the greatest
            create(engine.con, f"memory.main.{name(row(of))}", of)
            insert(engine.con, f"memory.main.{name(row(of))}", parts[of], _LISTED)
        return dict(each(partial(_fold_table, engine, lake, release, parts), names))
    finally:
        engine.con.close()
        shutil.rmtree(folder, ignore_errors=True)


def _fold_table(
    engine: DuckDB, lake: Lake, release: Release, parts: dict[str, list[Part]], table_name: str
) -> tuple[str, Pin]:
    """Write the current rows of one table, in a schema of its own: a list may be read whole beside it."""
    table, target = LAKE_TABLE[table_name], row_table(lake, f"{table_name}{CURRENT}")
    folded = [part for part in parts[table_name] if part.readings is None]
    fresh = [part for part in parts[table_name] if part.readings is not None]
    old = [run for part in folded for run in runs(part.table, part.snapshot_id)]
    anew = outgrown(old, _behind(release, table))
    if anew:
        files = frozenset(file.file_path for run in anew for file in run.files)
        fresh = [*(replace(part, files=files) for part in folded), *fresh]
    schema, keys = name(f"fold_{table_name}"), ", ".join(name(column) for column in table.table.key)
    rows = f"memory.{schema}.{name(row(table_name))}"
    with engine.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA memory.{schema}")
        cursor.execute(f"SET search_path = 'memory.{schema},memory.main'")
        create(cursor, rows, table_name)
        insert(cursor, rows, fresh, [column.name for column in table.columns])
        added = write_files(cursor, f"SELECT * FROM ({fold(table)}) ORDER BY {keys}", target)
        cursor.execute(f"DROP TABLE {rows}")
    kept = [file for run in old if run not in anew for file in run.files]
    return f"{table_name}{CURRENT}", _hold(target, [*kept, *added])


def _behind(release: Release, table: LakeTable) -> int:
    """How many rows fresh readings have to supersede others with: of a set, its lists do."""
    rows = (release.readings[reading].rows for reading in release.fresh)
    return sum(of.get(table.name, 0) + of.get(table.list, 0) for of in rows)


def _hold(table: Table, files: Sequence[DataFile]) -> Pin:
    """Have a table hold these files and no other, in one commit, which fails where another upkeep came first.

    Others may be there, and some of these not: of a fold that ended before its last step. What is added again is of an
    age with the new files, and so one run with them.
    """
    head = table.current_snapshot()
    there = {file.file_path: file for file in live_files(table)} if head else {}
    wanted = {file.file_path: file for file in files}
    if head is not None and there.keys() == wanted.keys():
        return Pin(head.snapshot_id, head.sequence_number or 0)
    old = [file for path, file in there.items() if path not in wanted]
    new = [file for path, file in wanted.items() if path not in there]
    return replace_files(table, old, new, alone=True)
