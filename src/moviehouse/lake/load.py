"""Loads a drop: reads and checks it, appends its rows to the tables of the lake, and makes them visible in one commit.

A killed load leaves rows that no release names, which nobody sees and upkeep removes. A drop that is broken is
set aside: its error log is kept, the ledger says why, and the tables are untouched.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from moviehouse import pipeline
from moviehouse.engines.duckdb import opened
from moviehouse.errors import GateError, SourceError, TargetError, UsageError
from moviehouse.lake.append import READING_PROPERTY, add_files, rows_of, write_files
from moviehouse.lake.catalog import Lake, open_lake, told
from moviehouse.lake.ledger import Change, Ledger, Outcome, Pin, Reading, Release, now
from moviehouse.lake.reading import PLACES, conform, gates, stamped, text
from moviehouse.lake.set_aside import set_aside
from moviehouse.lake.stages import STAGED, checked_name, staged_already
from moviehouse.lake.tables import each, row_table
from moviehouse.model.lake import LAKE_TABLES, LOGIC
from moviehouse.model.sources import SOURCES
from moviehouse.progress import Progress
from moviehouse.run import RunRecord
from moviehouse.sql.text import name
from moviehouse.steps import balance, check, failure, log, summary
from moviehouse.steps.fetch import Fetched, there
from moviehouse.steps.fetch.cache import digest
from moviehouse.steps.target import Target

LONGEST = timedelta(hours=12)
"""Upkeep takes the rows of an older load that the ledger does not name for those of a dead one.

A load into a stage has ended once it is noted: what is staged may wait for as long as it takes.
"""


@dataclass(frozen=True)
class LoadOptions:
    """How a drop is loaded.

    `reading` is how it is read. `observed_at` (UTC) is the source's own time unless given. `full` says that the drop
    is a whole snapshot. More than the share `max_rejects` of rejected records sets it aside, and so does a column that
    is not there, but for those `accepted`, written FILE:COLUMN. With a `stage` no release shows it yet.
    """

    reading: pipeline.Options
    observed_at: datetime | None = None
    full: bool = True
    max_rejects: float = 0.5
    accepted: frozenset[str] = frozenset()
    stage: str | None = None

    def __post_init__(self) -> None:
        if self.stage is not None:
            checked_name(self.stage)
        if not 0 <= self.max_rejects <= 1:
            raise UsageError("--max-rejects must be a share from 0 to 1.", "For example: --max-rejects 0.01")
        known = {f"{source.name}:{column.name}" for source in SOURCES for column in source.columns}
        for column in self.accepted - known:
            raise UsageError(f"{column!r} is no column of the dataset.", "Write movies_metadata.csv:homepage.")


@dataclass(frozen=True)
class Loaded:
    """What a load did.

    `status` is "loaded" or "staged", or "already" where the lake or the stage had the drop. `release` is the number of
    the release that shows it (0: none, it is staged), `conflicts` how often another commit to the ledger came first.
    """

    lake: str
    status: str
    reading: Reading
    release: int
    conflicts: int
    run: RunRecord


def load(source: str, address: str, options: LoadOptions, progress: Progress) -> Loaded:
    """Load a drop into the lake at an address.

    Raises SourceError or GateError where the drop is set aside or cannot be fetched, TargetError where the lake
    cannot be written. Nothing of the drop is visible then.
    """
    there(source)
    record = RunRecord.begin(encoding=options.reading.encoding, memory_limit=options.reading.memory_limit)
    lake = open_lake(address, create=True)
    with told(lake.name, writing=True):
        ledger = Ledger(lake, create=True)
    place = _scratch()
    try:
        return _load(source, lake, ledger, options, progress, Target(place, record.run_id), record)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _scratch() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="moviehouse-"))
    except OSError as error:
        raise TargetError(f"No temporary directory: {error}.", "Set TMPDIR to a directory with room.") from error


def _load(
    source: str,
    lake: Lake,
    ledger: Ledger,
    options: LoadOptions,
    progress: Progress,
    target: Target,
    record: RunRecord,
) -> Loaded:
    elsewhere = "set TMPDIR to a directory with room"
    run = pipeline.Run(
        source, options.reading, progress, record, target.work, target.staging, elsewhere, whole=options.full
    )
    run.work.mkdir()
    run.staging.mkdir()
    pipeline.take(pipeline.FETCHING, run)
    assert run.fetched is not None
    reading = _reading(run.fetched, options, record)
    with told(lake.name, writing=True):
        newest = ledger.newest() or Release()
        there_already = newest.shows(reading) or staged_already(ledger, reading)
    if there_already:
        record.status = "already"
        return Loaded(lake.name, "already", there_already, 0 if there_already.stage else newest.number, 0, record)
    try:
        pipeline.take((*pipeline.READING, ("conform", _conform), ("check", lambda run: _check(run, options))), run)
    except (SourceError, GateError) as error:
        record.status = "set_aside"
        failure.keep(error, run.outcomes, record, target, run.database)
        with told(lake.name, writing=True):
            error.log = set_aside(ledger, lake, _counted(reading, run), error, target.failed / "errors.jsonl")
        raise
    with told(lake.name, writing=True):
        return _publish(lake, ledger, reading, run, progress)


def _reading(fetched: Fetched, options: LoadOptions, record: RunRecord) -> Reading:
    """What the drop is, before it is read."""
    drop_id = fetched.sha256 or _digest(fetched.path)
    observed_at = options.observed_at or _own_time(fetched)
    return Reading(
        f"{record.run_id}-{drop_id[:8]}", drop_id, observed_at, LOGIC, options.full,
        source=fetched.address, bytes=fetched.size or 0, begun_at=now(), stage=options.stage or "",
    )  # fmt: skip


def _digest(folder: Path) -> str:
    """The id of a drop that is a directory: one over the names and contents of its files."""
    files = sorted((path.name, path) for path in folder.rglob("*.csv") if path.is_file())
    return hashlib.sha256("".join(f"{n} {digest(p)['sha256']}\n" for n, p in files).encode()).hexdigest()


def _own_time(fetched: Fetched) -> datetime:
    """When the source was written, in UTC: S3's or the server's word for it, or the file's."""
    if fetched.kind == "directory":
        times = [path.stat().st_mtime for path in fetched.path.rglob("*.csv") if path.is_file()]
        if times:
            return datetime.fromtimestamp(max(times), UTC).replace(tzinfo=None)
    if fetched.last_modified is None:
        raise UsageError(f"{fetched.address} does not say when it was written.", "Say when it was: --observed-at TIME.")
    return datetime.fromisoformat(fetched.last_modified).astimezone(UTC).replace(tzinfo=None)


def _conform(run: pipeline.Run) -> None:
    conform(run.running, run.progress)
    with run.progress.step("log"):
        engine = run.running
        log.gather(engine, run.record.run_id, partial(log.reject_references, engine, run.paths, run.work), text)
        run.balances = balance.strike(engine, run.readings, balance.loaded_ratings(engine), PLACES)
    run.running.close()
    run.engine = None


def _check(run: pipeline.Run, options: LoadOptions) -> None:
    """Check what must hold of one drop; that answers add up is a matter of the state."""
    with opened(run.database, options.reading.memory_limit, options.reading.threads, read_only=False) as con:
        balance.show(con, run.balances)
        which = [*gates(), *(c for c in check.checks((), ("some_movie_is_loaded",)) if options.full)]
        run.outcomes = check.run_checks(con, run.progress, which)
        summary.record_counts(con, run.record, run.balances, run.outcomes)
        run.record.rows = {table.name: rows_of(con, name(table.name)) for table in LAKE_TABLES}
        _refuse_vanished(con, options)
    failed = [o for o in run.outcomes if o.gate and not o.passed]
    if failed:
        raise GateError(
            f"{len(failed)} quality gate(s) failed: "
            + "; ".join(f"{o.check} ({o.offending:,} offending rows)" for o in failed[:5])
            + ".",
            "The drop was set aside; the log shows the first offending rows of each.",
        )
    _refuse_rejects(run, options)


def _refuse_vanished(con: duckdb.DuckDBPyConnection, options: LoadOptions) -> None:
    query = "SELECT file, \"column\" FROM error_log WHERE reason = 'missing_column' ORDER BY ALL"
    gone = [(file, column) for file, column in con.execute(query).fetchall()]
    gone = [(file, column) for file, column in gone if f"{file}:{column}" not in options.accepted]
    if gone:
        file, column = gone[0]
        more = f" (and {len(gone) - 1} more)" if len(gone) > 1 else ""
        accept = " ".join(f"--accept-missing-column {f}:{c}" for f, c in gone[:3])
        raise SourceError(
            f"{file} has no column {column}{more}: the values that the lake has would become unknown.",
            f"If that is meant: {accept}",
            file=file,
            line=1,
            column=column,
        )


def _refuse_rejects(run: pipeline.Run, options: LoadOptions) -> None:
    records = [b for b in run.balances if not b.column]
    read, rejected = sum(b.read for b in records), sum(b.rejected for b in records)
    if rejected > options.max_rejects * read:
        raise GateError(
            f"{rejected:,} of {read:,} records were rejected, more than --max-rejects {options.max_rejects:g} allows.",
            "The drop was set aside; the log says why each was rejected.",
        )


def _counted(reading: Reading, run: pipeline.Run) -> Reading:
    """The reading with what is known of its size."""
    records = [b for b in run.balances if not b.column]
    totals = {k: sum(getattr(b, k) for b in records) for k in ("read", "loaded", "merged", "rejected")}
    return replace(reading, rows={t: n for t, n in run.record.rows.items() if n}, **totals)


def _publish(lake: Lake, ledger: Ledger, reading: Reading, run: pipeline.Run, progress: Progress) -> Loaded:
    reading, record = _counted(reading, run), run.record
    with record.timed("append"), progress.step("append"):
        pins = append_reading(lake, run.database, reading, run.options)
    with record.timed("publish"), progress.step("publish"):
        outcome = publish(ledger, reading, pins)
    status = ("staged" if reading.stage else "loaded") if outcome.done else "already"
    record.status = "published" if status == "loaded" else status
    return Loaded(lake.name, status, reading, outcome.release.number, outcome.conflicts, record)


def publish(ledger: Ledger, reading: Reading, pins: Mapping[str, Pin]) -> Outcome:
    """Add an appended reading to a new release, the last step of a load; not where another loader was faster.

    One with a stage is noted instead, and nothing is visible of it.
    """
    begun = reading.begun_at or now()
    if reading.stage:
        _refuse_late(begun)
        ledger.note(reading, STAGED, pins=pins)
        return Outcome(Release(), True)

    def decide(newest: Release) -> Change | None:
        _refuse_late(begun)
        return None if newest.shows(reading) else Change("load", (reading,), pins=pins)

    return ledger.commit(decide)


def _refuse_late(begun: datetime) -> None:
    if now() - begun > LONGEST:
        hours = LONGEST.total_seconds() / 3600
        raise TargetError(
            f"The load took longer than {hours:g} hours: upkeep may have taken it for dead.",
            "Load the drop again, in smaller parts if it is that large.",
        )


def append_reading(lake: Lake, database: Path, reading: Reading, options: pipeline.Options) -> dict[str, Pin]:
    """Append the rows of a conformed reading, a few tables at a time; a table without rows gets no commit."""
    observed_at = reading.observed_at.replace(tzinfo=UTC)
    with opened(database, options.memory_limit, options.threads) as con:

        def append(table: str) -> tuple[str, Pin]:
            target = row_table(lake, table)
            query = stamped(table, observed_at, reading.drop_id, reading.reading_id)
            with con.cursor() as cursor:
                files = write_files(cursor, query, target)
            return table, add_files(lake, target, files, **{READING_PROPERTY: reading.reading_id})

        largest = sorted(reading.rows, key=lambda table: -reading.rows[table])
        return dict(each(append, largest))


def as_json(loaded: Loaded) -> dict[str, Any]:
    """What a load did, as an object."""
    reading = asdict(loaded.reading)
    return {
        "status": loaded.status,
        "lake": loaded.lake,
        "release": loaded.release,
        "conflicts": loaded.conflicts,
        "reading": reading,
        "run": asdict(loaded.run),
    }
