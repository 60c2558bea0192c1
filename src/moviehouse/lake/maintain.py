"""Upkeep: folds, compacts, expires, and removes what dead loads left. No reader sees any of it.

Every step is a commit of its own to one table, after which the lake is as good as before it: a kill loses the work
of a step, never more. Loaders append meanwhile; a step that another upkeep gets in the way of is left to the next.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from moviehouse.engines.duckdb import half, within
from moviehouse.errors import UsageError
from moviehouse.lake.catalog import Lake, open_lake, told
from moviehouse.lake.compact import DEAD, LEFT, compact
from moviehouse.lake.expire import expire, remove_orphans
from moviehouse.lake.fold import fold_readings
from moviehouse.lake.ledger import READING, RELEASE, Change, Ledger, Pin, Release, now
from moviehouse.lake.read import newest_release
from moviehouse.lake.set_aside import LOG
from moviehouse.lake.stages import newest_pins, noted_stages, waiting
from moviehouse.lake.tables import CURRENT, each, present
from moviehouse.lake.times import LONGEST
from moviehouse.model.lake import LAKE_TABLES
from moviehouse.progress import Progress

if TYPE_CHECKING:
    from pyiceberg.table import Table

_LEDGER_FEW = 20


@dataclass(frozen=True)
class UpkeepOptions:
    """How long releases are kept for readers, and after what time an unfinished load is a dead one."""

    keep: timedelta = timedelta(days=7)
    grace: timedelta = timedelta(hours=24)
    memory_limit: str = "2GiB"

    def __post_init__(self) -> None:
        half(self.memory_limit)
        if self.keep < timedelta(0) or self.grace < timedelta(0):
            raise UsageError("--keep-days and --grace-hours must be 0 or more.")
        if timedelta(0) < self.grace < LONGEST:
            hours = LONGEST.total_seconds() / 3600
            raise UsageError(
                f"--grace-hours must be at least {hours:g}: a load may take as long.",
                "Or 0, while nobody loads or reads.",
            )


@dataclass
class Upkeep:
    """What upkeep did: `files` and `bytes` are those of the newest snapshots, before and after."""

    lake: str
    release: int = 0
    folded: int = 0
    compacted: list[str] = field(default_factory=list)
    expired: int = 0
    orphans: int = 0
    orphan_bytes: int = 0
    files_before: int = 0
    files_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    left: list[str] = field(default_factory=list)


def maintain(address: str, options: UpkeepOptions, progress: Progress) -> Upkeep:
    """Do the upkeep of a lake. Raises SourceError where there is none, TargetError where it cannot be written."""
    lake = open_lake(address)
    done = Upkeep(lake.name)
    work = Path(tempfile.mkdtemp(prefix="moviehouse-"))
    try:
        with within(options.memory_limit), told(lake.name, writing=True):
            _maintain(lake, options, progress, done, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return done


def _maintain(lake: Lake, options: UpkeepOptions, progress: Progress, done: Upkeep, work: Path) -> None:
    ledger = Ledger(lake)
    if not noted_stages(ledger.noted()):  # a lake may begin with a backfill
        newest_release(lake)  # says so where there is none
    done.files_before, done.bytes_before = _size(lake)
    with progress.step("fold"):
        _unless_overtaken(done, "fold", lambda: _fold(lake, ledger, done, work, options.memory_limit))
    with progress.step("compact"):
        _compact(lake, ledger, done, now() - options.grace)
    with progress.step("expire"):
        _expire(lake, ledger, done, options)
    with progress.step("remove orphans"):
        for table in _tables(lake).values():
            files, size = remove_orphans(table, now() - options.grace)
            done.orphans, done.orphan_bytes = done.orphans + files, done.orphan_bytes + size
    done.files_after, done.bytes_after = _size(lake)
    done.release = (ledger.newest() or Release()).number


def _unless_overtaken(done: Upkeep, step: str, work: Callable[[], None]) -> None:
    """Do a step; where another upkeep does the same at the moment, say that it was left to it."""
    from pyiceberg.exceptions import CommitFailedException, ValidationException

    try:
        work()
    except (CommitFailedException, ValidationException):
        done.left.append(step)


def _tables(lake: Lake) -> dict[str, Table]:
    """The lake's tables that are there, the ledger's too."""
    rows = [table.name for table in LAKE_TABLES]
    names = [*rows, *(f"{name}{CURRENT}" for name in rows), RELEASE, READING, LOG]
    found = zip(names, each(lambda name: present(lake, name), names), strict=True)
    return {name: table for name, table in found if table is not None}


def _size(lake: Lake) -> tuple[int, int]:
    """Files and bytes of the newest snapshots, as they count themselves."""
    files = size = 0
    for table in _tables(lake).values():
        snapshot = table.current_snapshot()
        if snapshot is not None and snapshot.summary is not None:
            totals = snapshot.summary.additional_properties
            files += int(totals.get("total-data-files", 0))
            size += int(totals.get("total-files-size", 0))
    return files, size


def _fold(lake: Lake, ledger: Ledger, done: Upkeep, work: Path, memory_limit: str) -> None:
    release = ledger.newest()
    if release is not None:
        done.folded = fold_readings(lake, ledger, release, work, memory_limit)


def _compact(lake: Lake, ledger: Ledger, done: Upkeep, before: datetime) -> None:
    """Compact the tables of rows, without those of dead loads and discarded stages, then the ledger."""
    fate, pins = _fates(ledger, before), dict[str, Pin]()
    tables = _tables(lake)
    for name in [table.name for table in LAKE_TABLES if table.name in tables]:
        step = partial(_compact_rows, tables[name], name, done, pins, fate)
        _unless_overtaken(done, f"compact {name}", step)
    if pins:
        ledger.commit(lambda newest: Change("maintain", pins=pins) if newest.number else None)
    for name in (RELEASE, READING, LOG):
        if name in tables:
            table = tables[name].refresh()
            _unless_overtaken(done, f"compact {name}", partial(_compact_ledger, table, name, done))


def _fates(ledger: Ledger, before: datetime) -> Callable[[str], str]:
    """What is to become of the rows of a reading: those that a release ever had stay, and so does what is staged.

    The rows of a stage share no file with others, so that they can go without a rewrite of what stays. What was
    discarded after `before` is left alone, as is a load that began after it: somebody may be at work on it.
    """
    notes = noted_stages(ledger.noted())
    shown = {reading for release in ledger.releases() for reading in release.readings}
    staged = {id_: f"stage {note.reading.stage}" for id_, note in waiting(notes, shown).items()}
    young = {id_ for id_, note in notes.items() if note.discarded_at is not None and note.discarded_at >= before}
    born = f"{before:%Y%m%dT%H%M%SZ}"  # reading ids begin with the time of the load

    def fate(reading: str) -> str:
        if reading in shown:
            return "shown"
        return staged.get(reading) or (LEFT if reading >= born or reading in young else DEAD)

    return fate


def _compact_rows(table: Table, name: str, done: Upkeep, pins: dict[str, Pin], fate: Callable[[str], str]) -> None:
    pin = compact(table, fate)
    if pin is not None:
        pins[name] = pin
        done.compacted.append(name)


def _compact_ledger(table: Table, name: str, done: Upkeep) -> None:
    if compact(table, few=_LEDGER_FEW) is not None:
        done.compacted.append(name)


def _expire(lake: Lake, ledger: Ledger, done: Upkeep, options: UpkeepOptions) -> None:
    """Expire what no kept release has (those since `keep` ago, and the one that was the newest then), nor a stage."""
    releases, oldest = ledger.releases(), now() - options.keep
    first = max((i for i, r in enumerate(releases) if r.created_at is not None and r.created_at <= oldest), default=0)
    kept: dict[str, set[int]] = {}
    for release in _kept(releases, first):
        for table, pin in release.pins.items():
            kept.setdefault(table, set()).add(pin.snapshot_id)
    shown = {reading for release in releases for reading in release.readings}
    for pins in newest_pins(waiting(noted_stages(ledger.noted()), shown).values()).values():
        for table, pin in pins.items():
            kept.setdefault(table, set()).add(pin.snapshot_id)
    before = now() - options.grace
    counts = each(lambda item: expire(item[1], kept.get(item[0], ()), before), list(_tables(lake).items()))
    done.expired = sum(counts)


def _kept(releases: list[Release], first: int) -> list[Release]:
    return releases[first:] or releases[-1:]
