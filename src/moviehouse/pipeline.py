"""The main job: a source becomes a release, step by step, or a log that says why not."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from moviehouse.engines.duckdb import DuckDB, opened
from moviehouse.errors import GateError, TargetError
from moviehouse.model.sources import SOURCES
from moviehouse.model.tables import TABLES
from moviehouse.progress import Progress
from moviehouse.render.ddl import comments_sql, schema_sql
from moviehouse.run import RunRecord
from moviehouse.steps import balance, check, conform, failure, log, publish, read, summary
from moviehouse.steps.answer import create_views
from moviehouse.steps.encoding import to_utf8
from moviehouse.steps.extract import Extracted, extract
from moviehouse.steps.fetch import Fetched, default_cache, fetch
from moviehouse.steps.publish import DATABASE, writing

FORMATS = ("parquet", "csv")


@dataclass(frozen=True)
class Options:
    """How a run is done; the defaults are those of the command.

    `max_bytes` limits what an archive may extract to; `memory_limit` is DuckDB's.
    """

    format: str = "parquet"
    sign: bool = True
    encoding: str = "utf-8"
    cache: Path | None = None
    memory_limit: str = "2GiB"
    threads: int | None = None
    max_bytes: int = 64 << 30


@dataclass
class Run:
    """One run under way: what each step takes and leaves to the next."""

    source: str
    options: Options
    progress: Progress
    record: RunRecord
    work: Path
    staging: Path
    fetched: Fetched | None = None
    extracted: Extracted = field(default_factory=Extracted)
    engine: DuckDB | None = None
    readings: list[read.Reading] = field(default_factory=list)
    balances: list[balance.Balance] = field(default_factory=list)
    outcomes: list[check.Outcome] = field(default_factory=list)

    @property
    def database(self) -> Path:
        """The database of the release to be."""
        return self.staging / DATABASE

    @property
    def running(self) -> DuckDB:
        """The engine, which the step read starts."""
        assert self.engine is not None
        return self.engine


def _fetch(run: Run) -> None:
    cache = run.options.cache or default_cache()
    run.fetched = fetched = fetch(run.source, cache, sign=run.options.sign, progress=run.progress)
    run.record.source = {
        "address": fetched.address,
        "kind": fetched.kind,
        "bytes": fetched.size,
        "etag": fetched.etag,
        "sha256": fetched.sha256,
        "last_modified": fetched.last_modified,
        "downloaded": fetched.downloaded,
    }


def _extract(run: Run) -> None:
    assert run.fetched is not None
    members = run.work / "members"
    run.extracted = found = extract(
        run.fetched.path, run.fetched.kind, members, run.progress, max_bytes=run.options.max_bytes
    )
    run.record.missing_files = [s.name for s in SOURCES if s.name not in found.members]
    run.record.ignored_files = found.unknown
    for name, member in sorted(found.members.items()):
        run.record.files[name] = {"bytes": member.bytes, "sha256": member.sha256, "edition": member.edition}


def _read(run: Run) -> None:
    options = run.options
    run.engine = DuckDB(run.database, run.work, memory_limit=options.memory_limit, threads=options.threads)
    con = run.engine.con
    read.prepare(con)
    read.note_files(con, run.record.missing_files, run.record.ignored_files)
    for source in SOURCES:
        member = run.extracted.members.get(source.name)
        if member is None:
            run.readings.append(read.read_absent(con, source))
            continue
        with run.progress.step(f"read {source.name}", member.bytes) as step:
            path = to_utf8(member.path, options.encoding, run.work)
            reading = read.read_member(con, source, path, run.work, step.advance)
        run.readings.append(reading)
        run.record.files[source.name]["null_tokens"] = reading.null_tokens


def _conform(run: Run) -> None:
    conform.conform(run.running, run.progress)
    files = {name: member.path for name, member in run.extracted.members.items()}
    with run.progress.step("log"):
        log.gather(run.running, files, run.record.run_id, run.work)
        run.balances = balance.strike(run.running, run.readings)
    run.running.close()
    run.engine = None


def _check(run: Run) -> None:
    with opened(run.database, read_only=False, memory_limit=run.options.memory_limit) as con:
        for comment in comments_sql(TABLES):
            con.execute(comment)
        create_views(con)
        balance.show(con, run.balances)
        run.outcomes = check.run_checks(con, run.progress)
        summary.record_figures(con, run.record, run.balances, run.outcomes)
    failed = [o for o in run.outcomes if o.gate and not o.passed]
    if failed:
        raise GateError(
            f"{len(failed)} quality gate(s) failed: "
            + "; ".join(f"{o.check} ({o.offending:,} offending rows)" for o in failed[:5])
            + ".",
            "Nothing was published; the log shows the first offending rows of each.",
        )


def _write(run: Run) -> None:
    with opened(run.database, memory_limit=run.options.memory_limit) as con, writing(run.staging):
        publish.write_release(con, run.staging, run.options.format, run.progress)
        run.record.rows = publish.verify(con, run.staging, run.options.format, run.balances)
        (run.staging / "schema.sql").write_text(schema_sql(), encoding="utf-8")


Step = tuple[str, Callable[[Run], None]]

READING: tuple[Step, ...] = (
    ("fetch", _fetch),
    ("extract", _extract),
    ("read", _read),
    ("conform", _conform),
    ("check", _check),
)
BUILDING: tuple[Step, ...] = (*READING, ("write", _write))


def _take(steps: tuple[Step, ...], run: Run) -> None:
    try:
        for name, step in steps:
            with run.record.timed(name), writing(run.work):
                step(run)
    except BaseException:
        if run.engine is not None:
            run.engine.abandon(run.work / "failed.jsonl")
        raise


def build(source: str, out: Path, options: Options, progress: Progress) -> tuple[Path, RunRecord]:
    """Build a release of the source in `out`; gives its directory and its record.

    Raises SourceError, GateError or TargetError; nothing is published then, and the log is under
    out/failed.
    """
    record = RunRecord.begin(format=options.format, encoding=options.encoding, memory_limit=options.memory_limit)
    with publish.locked(out, record.run_id) as target:
        run = Run(source, options, progress, record, target.work, target.staging)
        try:
            _take(BUILDING, run)
            record.status = "published"
            with progress.step("publish"), writing(out):
                record.write(target.staging / "run.json")
                release = publish.make_current(target)
        except BaseException as error:
            record.status = "failed"
            failure.keep(error, run.outcomes, record, target, run.database)
            raise
    return release, record


def check_only(source: str, options: Options, progress: Progress) -> tuple[RunRecord, list[dict[str, object]]]:
    """Do all of a build but publish it, in a temporary place; gives the record and the log's lines."""
    record = RunRecord.begin(format=options.format, encoding=options.encoding, memory_limit=options.memory_limit)
    try:
        place = Path(tempfile.mkdtemp(prefix="moviehouse-"))
    except OSError as error:
        raise TargetError(f"No temporary directory: {error}.", "Set TMPDIR to a directory with room.") from error
    try:
        run = Run(source, options, progress, record, place / "work", place)
        run.work.mkdir()
        _take(READING, run)
        record.status = "checked"
        with opened(run.database) as con:
            cursor = con.execute("SELECT * FROM error_log")
            names = [c[0] for c in cursor.description or ()]
            lines: list[dict[str, object]] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return record, lines
    finally:
        shutil.rmtree(place, ignore_errors=True)
