"""Loads a drop: reads and checks it, appends its rows to the tables of the lake, and makes them visible in one commit.

A killed load leaves rows that no release names, which nobody sees and upkeep removes. A drop that is broken is
set aside: its error log is kept, the ledger says why, and the tables are untouched.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moviehouse import pipeline
from moviehouse.engines.duckdb import opened
from moviehouse.errors import GateError, SourceError, TargetError, UsageError
from moviehouse.lake.append import READING_PROPERTY, add_files, write_files
from moviehouse.lake.catalog import Lake, open_lake, told
from moviehouse.lake.drop import Drop, identify
from moviehouse.lake.judge import counted, judge, what_must_hold
from moviehouse.lake.ledger import Change, Ledger, Outcome, Pin, Reading, Release, now
from moviehouse.lake.reading import LAYOUT, stamped
from moviehouse.lake.set_aside import set_aside
from moviehouse.lake.stages import STAGED, checked_name, shown_already, staged_already
from moviehouse.lake.tables import each, row_table
from moviehouse.lake.times import LONGEST
from moviehouse.model.lake import LOGIC
from moviehouse.model.sources import SOURCES
from moviehouse.progress import Progress
from moviehouse.run import RunRecord
from moviehouse.steps import balance, check, failure
from moviehouse.steps.fetch import there
from moviehouse.steps.target import Target

if TYPE_CHECKING:
    from moviehouse.lake.spark_load import OnSpark


_RECENT = 5.0
"""A ledger so many seconds old tells well enough what there is already: the commit asks again."""


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


class OnDuckDB:
    """A load on this machine under way: the steps of it, and what must be known between them."""

    fetching = pipeline.FETCHING

    def __init__(self, run: pipeline.Run, lake: Lake, options: LoadOptions) -> None:
        self._run, self._lake, self._options = run, lake, options
        self.reading = (*pipeline.READING, ("check", self._check))

    def drop(self) -> Drop:
        """What the fetched source is."""
        assert self._run.fetched is not None
        return identify(self._run.fetched)

    def append(self, reading: Reading) -> dict[str, Pin]:
        """Append the rows of a reading."""
        run = self._run
        return append_reading(self._lake, run.database, reading, run.options.engine_limit, run.threads)

    def _check(self, run: pipeline.Run) -> None:
        options = self._options
        with opened(run.database, run.options.engine_limit, run.threads, read_only=False) as con:
            balance.show(con, run.balances)
            outcomes = check.run_checks(con, run.progress, what_must_hold(full=options.full))
            judge(
                run, lambda query: con.execute(query).fetchall(), outcomes,
                max_rejects=options.max_rejects, accepted=options.accepted,
            )  # fmt: skip


def load(source: str, address: str, options: LoadOptions, progress: Progress) -> Loaded:
    """Load a drop into the lake at an address.

    Raises SourceError or GateError where the drop is set aside or cannot be fetched, TargetError where the lake
    cannot be written. Nothing of the drop is visible then.
    """
    there(source)
    told_of = ("encoding", "memory_limit", "engine")
    record = RunRecord.begin(**{option: getattr(options.reading, option) for option in told_of})
    lake = open_lake(address, create=True)
    with told(lake.name, writing=True):
        ledger = Ledger(lake, create=True)
    place = _scratch()
    try:
        target = Target(place, record.run_id)
        elsewhere = "set TMPDIR to a directory with room"
        run = pipeline.Run(
            source, options.reading, progress, record, target.work, target.staging, elsewhere,
            whole=options.full, layout=LAYOUT,
        )  # fmt: skip
        run.work.mkdir()
        run.staging.mkdir()
        with run.closing:
            return _load(run, lake, ledger, options, target)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _scratch() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="moviehouse-"))
    except OSError as error:
        raise TargetError(f"No temporary directory: {error}.", "Set TMPDIR to a directory with room.") from error


def _on(run: pipeline.Run, lake: Lake, options: LoadOptions) -> OnDuckDB | OnSpark:
    """The load on the engine that the options name."""
    if options.reading.engine == "duckdb":
        return OnDuckDB(run, lake, options)
    from moviehouse.lake.spark_load import OnSpark

    with told(lake.name, writing=True):
        return OnSpark(run, lake, options.max_rejects, options.accepted)


def _load(run: pipeline.Run, lake: Lake, ledger: Ledger, options: LoadOptions, target: Target) -> Loaded:
    record, work = run.record, _on(run, lake, options)
    pipeline.take(work.fetching, run)
    reading = _reading(run, work.drop(), options)
    with told(lake.name, writing=True):
        newest = ledger.newest(age=_RECENT) or Release()
        there_already = shown_already(ledger, newest, reading) or staged_already(ledger, reading)
    if there_already:
        record.status = "already"
        return Loaded(lake.name, "already", there_already, 0 if there_already.stage else newest.number, 0, record)
    try:
        pipeline.take(work.reading, run)
    except (SourceError, GateError) as error:
        record.status = "set_aside"
        failure.keep(error, run.outcomes, record, target, run.database)
        with told(lake.name, writing=True):
            error.log = set_aside(ledger, lake, counted(reading, run), error, target.failed / "errors.jsonl")
        raise
    reading = counted(reading, run)
    with told(lake.name, writing=True):
        with record.timed("append"), run.progress.step("append"):
            pins = work.append(reading)
        with record.timed("publish"), run.progress.step("publish"):
            outcome = publish(ledger, reading, pins)
    status = ("staged" if reading.stage else "loaded") if outcome.done else "already"
    record.status = "published" if status == "loaded" else status
    return Loaded(lake.name, status, reading, outcome.release.number, outcome.conflicts, record)


def _reading(run: pipeline.Run, drop: Drop, options: LoadOptions) -> Reading:
    """What the drop is, before it is read."""
    fetched = run.fetched
    assert fetched is not None
    observed_at = options.observed_at or drop.written
    if observed_at is None:
        raise UsageError(f"{fetched.address} does not say when it was written.", "Say when it was: --observed-at TIME.")
    # As the reading's id has it: by that upkeep tells the age of a load.
    begun = datetime.fromisoformat(run.record.started).astimezone(UTC).replace(tzinfo=None)
    return Reading(
        f"{run.record.run_id}-{drop.drop_id[:8]}", drop.drop_id, observed_at, LOGIC, options.full,
        engine=run.options.engine, source=fetched.address, bytes=fetched.size or 0, begun_at=begun,
        stage=options.stage or "",
    )  # fmt: skip


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
        return None if shown_already(ledger, newest, reading) else Change("load", (reading,), pins=pins)

    return ledger.commit(decide)


def _refuse_late(begun: datetime) -> None:
    if now() - begun > LONGEST:
        hours = LONGEST.total_seconds() / 3600
        raise TargetError(
            f"The load took longer than {hours:g} hours: upkeep may have taken it for dead.",
            "Load the drop again, in smaller parts if it is that large.",
        )


def append_reading(
    lake: Lake, database: Path, reading: Reading, memory_limit: str, threads: int | None = None
) -> dict[str, Pin]:
    """Append the rows of a conformed reading, a few tables at a time; a table without rows gets no commit."""
    observed_at = reading.observed_at.replace(tzinfo=UTC)
    with opened(database, memory_limit, threads) as con:

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
