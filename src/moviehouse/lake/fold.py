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
from moviehouse.lake.compact import live_files, replace_files
from moviehouse.lake.ledger import Change, Ledger, Pin, Release
from moviehouse.lake.rows import FOLDED_KINDS, Part, create, insert, parts_of
from moviehouse.lake.runs import outgrown, runs
from moviehouse.lake.state import fold, row
from moviehouse.lake.tables import CURRENT, each, row_table
from moviehouse.model.lake import LAKE_TABLE, STAMP
from moviehouse.model.tables import MOVIE

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
    visible = frozenset(release.visible)
    fresh = visible - release.folded
    rebuild = not release.folded <= visible
    if not fresh and not rebuild:
        return 0
    touched = _touched(release, visible, fresh, rebuild=rebuild)
    pins = _write(lake, release, touched, work, memory_limit)

    def decide(newest: Release) -> Change | None:
        overtaken = newest.folded != release.folded or not visible <= set(newest.visible)
        moved = any(newest.pins.get(table) != release.pins.get(table) for table in pins)
        return None if overtaken or moved else Change("maintain", folded=visible, pins=pins)

    return len(fresh) if ledger.commit(decide).done else 0


def _touched(release: Release, visible: Collection[str], fresh: Collection[str], *, rebuild: bool) -> list[str]:
    """The tables whose current rows are to be written: those with fresh rows, or with any.

    What a reading that no longer counts has left in one has to go, even where nothing comes in its place.
    """

    def has(readings: Collection[str], table: str) -> bool:
        return any(release.readings[reading].rows.get(table) for reading in readings)

    touched = []
    for name in sorted(name for name, table in LAKE_TABLE.items() if table.kind in FOLDED_KINDS):
        written = f"{name}{CURRENT}" in release.pins
        if (written or has(visible, name)) if rebuild else has(visible if not written else fresh, name):
            touched.append(name)
    return touched


def _write(lake: Lake, release: Release, names: list[str], work: Path, memory_limit: str) -> dict[str, Pin]:
    """Write the current rows of tables: what is new, and the runs that it has outgrown."""
    folder = work / "fold"
    folder.mkdir()
    engine = DuckDB(folder / "fold.duckdb", folder, memory_limit=half(memory_limit))
    lists = {LAKE_TABLE[name].list for name in names} - {""}
    parts = parts_of(lake, release, {*names, *lists})
    try:
        for name in sorted(lists):  # all of them: which list of a movie is the greatest
            create(engine.con, f"memory.main.{row(name)}", name)
            insert(engine.con, f"memory.main.{row(name)}", parts[name], _LISTED)
        return dict(each(partial(_fold_table, engine, lake, release, parts), names))
    finally:
        engine.con.close()
        shutil.rmtree(folder, ignore_errors=True)


def _fold_table(
    engine: DuckDB, lake: Lake, release: Release, parts: dict[str, list[Part]], name: str
) -> tuple[str, Pin]:
    """Write the current rows of one table, in a schema of its own: a list may be read whole beside it."""
    table, target = LAKE_TABLE[name], row_table(lake, f"{name}{CURRENT}")
    fresh = [part for part in parts[name] if part.readings is not None]
    old = [run for part in parts[name] if part.readings is None for run in runs(target, part.snapshot_id)]
    count = sum(release.readings[reading].rows.get(name, 0) for part in fresh for reading in part.readings or ())
    anew = outgrown(old, count)
    chosen = [
        replace(part, files=frozenset(file.file_path for run in anew for file in run.files))
        for part in parts[name]
        if part.readings is None and anew
    ]
    keys = ", ".join(f'"{column}"' for column in table.table.key)
    with engine.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA memory.fold_{name}")
        cursor.execute(f"SET search_path = 'memory.fold_{name},memory.main'")
        create(cursor, f"memory.fold_{name}.{row(name)}", name)
        insert(cursor, f"memory.fold_{name}.{row(name)}", [*chosen, *fresh], [c.name for c in table.columns])
        files = write_files(cursor, f"SELECT * FROM ({fold(table)}) ORDER BY {keys}", target)
    kept = [file for run in old if run not in anew for file in run.files]
    return f"{name}{CURRENT}", _hold(target, [*kept, *files])


def _hold(table: Table, files: Sequence[DataFile]) -> Pin:
    """Have a table hold these files and no other, in one commit, which fails where another upkeep came first.

    Others may be there, and some of these not: of a fold that ended before its last step.
    """
    from pyiceberg.exceptions import CommitFailedException

    head = table.current_snapshot()
    there = {file.file_path: file for file in live_files(table)} if head else {}
    wanted = {file.file_path: file for file in files}
    if head is not None and there.keys() == wanted.keys():
        return Pin(head.snapshot_id, head.sequence_number or 0)
    pin = replace_files(
        table,
        [file for path, file in there.items() if path not in wanted],
        [file for path, file in wanted.items() if path not in there],
    )
    held = table.snapshot_by_id(pin.snapshot_id)
    # PyIceberg tries again upon what another has committed.
    if held is None or held.parent_snapshot_id != (head.snapshot_id if head else None):
        raise CommitFailedException(f"{table.name()} was changed meanwhile.")
    return pin
