"""Folds readings into the tables of current rows, so that a reader need not read every row there ever was."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

from moviehouse.engines.duckdb import DuckDB
from moviehouse.lake.append import write_files
from moviehouse.lake.catalog import Lake
from moviehouse.lake.compact import live_files, replace_files
from moviehouse.lake.ledger import Change, Ledger, Pin, Release
from moviehouse.lake.read import FOLDED_KINDS, fill
from moviehouse.lake.state import fold
from moviehouse.lake.tables import CURRENT, each, row_table
from moviehouse.model.lake import LAKE_TABLE


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
    """Write the current rows of tables in place of those that they have."""
    folder = work / "fold"
    folder.mkdir()
    engine = DuckDB(folder / "fold.duckdb", folder, memory_limit=memory_limit)

    def write(name: str) -> tuple[str, Pin]:
        table, target = LAKE_TABLE[name], row_table(lake, f"{name}{CURRENT}")
        keys = ", ".join(f'"{column}"' for column in table.table.key)
        with engine.cursor() as cursor:
            files = write_files(cursor, f"SELECT * FROM ({fold(table)}) ORDER BY {keys}", target)
        return f"{name}{CURRENT}", replace_files(target, live_files(target), files)

    try:
        fill(engine, lake, release, {*names, *(LAKE_TABLE[name].list for name in names)} - {""})
        return dict(each(write, names))
    finally:
        engine.con.close()
        shutil.rmtree(folder, ignore_errors=True)
