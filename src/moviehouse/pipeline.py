"""The main job: a source becomes a release, step by step, or a log that says why not."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from pathlib import Path
from threading import Event

import duckdb

from moviehouse.engines.duckdb import DuckDB, half, opened, side_by_side, within
from moviehouse.errors import SourceError, TargetError, UsageError
from moviehouse.model.sources import SOURCES, SourceFile
from moviehouse.model.tables import TABLES
from moviehouse.progress import Progress
from moviehouse.progress import Step as ProgressStep
from moviehouse.render.ddl import comments_sql, schema_sql
from moviehouse.render.report import write_report
from moviehouse.run import RunRecord
from moviehouse.steps import balance, check, conform, failure, flat, log, publish, read, summary
from moviehouse.steps.answer import create_views, use_answers, work_out
from moviehouse.steps.archive import Limits
from moviehouse.steps.encoding import codec_of, to_utf8
from moviehouse.steps.extract import Extraction, extract
from moviehouse.steps.fetch import Fetched, default_cache, fetch, there
from moviehouse.steps.storage import ELSEWHERE, let_go, reading, writing
from moviehouse.steps.target import DATABASE, current, locked

FORMATS = ("parquet", "csv")
ENGINES = ("duckdb", "spark")
_POLL = 0.1


@dataclass(frozen=True)
class Options:
    """How a run is done; the defaults are those of the command.

    `memory_limit` is the process's, of which DuckDB gets half: the rest is for what it does not count. Of an
    archive, `max_bytes` limits what it may extract to, `max_members` how many members it may have, and
    `max_ratio` how many times larger inflating may make one.
    `wait` is how many seconds to wait for another run to leave the output.
    `report` is whether report.html is written.
    `engine` is where the work is done. Of Spark, `spark_master` is the master's address, `spark_conf` further
    settings, `spark_staging` the URI of a directory that this machine and all executors see.
    """

    format: str = "parquet"
    sign: bool = True
    encoding: str = "utf-8"
    cache: Path | None = None
    memory_limit: str = "2GiB"
    threads: int | None = None
    max_bytes: int = 64 << 30
    max_members: int = 1000
    max_ratio: int = 200
    wait: float = 0
    report: bool = True
    engine: str = "duckdb"
    spark_master: str | None = None
    spark_conf: tuple[tuple[str, str], ...] = ()
    spark_staging: str | None = None

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise UsageError(f"There is no engine {self.engine!r}.", f"Choose {' or '.join(ENGINES)}.")
        if self.engine != "spark" and (self.spark_master or self.spark_conf or self.spark_staging):
            raise UsageError("--spark-… options are for --engine spark.", "Add it, or leave them out.")
        if self.format not in FORMATS:
            raise UsageError(f"There is no format {self.format!r}.", f"Choose {' or '.join(FORMATS)}.")
        half(self.memory_limit)
        if self.threads is not None and self.threads < 1:
            raise UsageError("--threads must be at least 1.")
        codec_of(self.encoding)
        for option in ("max_bytes", "max_members", "max_ratio"):
            if getattr(self, option) < 1:
                raise UsageError(f"--{option.replace('_', '-')} must be at least 1.")
        if not 0 <= self.wait < float("inf"):
            raise UsageError("--wait must be a number of seconds, 0 or more.")

    @property
    def engine_limit(self) -> str:
        """DuckDB's part of the memory."""
        return half(self.memory_limit)

    @property
    def limits(self) -> Limits:
        """What an archive may claim."""
        return Limits(self.max_bytes, self.max_members, self.max_ratio)


# Splitting quoted files is Python's work, reading flat ones DuckDB's: side by side they fill two cores. The ratings
# come first, being the most, and are conformed at the end of their lane.
_LANES = (
    sorted((s for s in SOURCES if s.flat), key=lambda s: not s.suspects),
    [s for s in SOURCES if not s.flat],
)


@dataclass
class Run:
    """One run under way: what each step takes and leaves to the next.

    A `whole` source has the indispensable files; `layout` is what it becomes.
    """

    source: str
    options: Options
    progress: Progress
    record: RunRecord
    work: Path
    staging: Path
    elsewhere: str = ELSEWHERE
    whole: bool = True
    layout: conform.Layout = conform.BUILD
    fetched: Fetched | None = None
    extraction: Extraction | None = None
    paths: dict[str, Path] = field(default_factory=dict)
    engine: DuckDB | None = None
    readings: list[read.Reading] = field(default_factory=list)
    balances: list[balance.Balance] = field(default_factory=list)
    outcomes: list[check.Outcome] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    closing: ExitStack = field(default_factory=ExitStack)

    def note_source(self, fetched: Fetched) -> None:
        """Note what was fetched, in the run record too."""
        self.fetched = fetched
        facts = ("kind", "etag", "sha256", "last_modified", "downloaded")
        self.record.source = {"address": fetched.address, "bytes": fetched.size} | {
            fact: getattr(fetched, fact) for fact in facts
        }

    @property
    def database(self) -> Path:
        """The database of the release to be."""
        return self.staging / DATABASE

    @property
    def threads(self) -> int | None:
        """How many threads DuckDB may use; None: one per core."""
        small = self.extraction is not None and self.extraction.small
        return self.options.threads or (1 if small else None)

    @property
    def running(self) -> DuckDB:
        """The engine, which the step read starts."""
        assert self.engine is not None
        return self.engine


def _fetch(run: Run) -> None:
    cache = run.options.cache or default_cache()
    run.note_source(fetch(run.source, cache, sign=run.options.sign, progress=run.progress))


def _extract(run: Run) -> None:
    assert run.fetched is not None
    members = run.work / "members"
    fetched, order = run.fetched, [source.name for pair in zip_longest(*_LANES) for source in pair if source]
    run.extraction = begun = extract(
        fetched.path, fetched.kind, members, run.progress, run.options.limits, order,
        whole=run.whole, elsewhere=run.elsewhere,
    )  # fmt: skip
    run.record.missing_files = [s.name for s in SOURCES if s.name not in begun.names]
    run.record.ignored_files = begun.unknown
    run.record.files = {name: {} for name in sorted(begun.names)}


def _read(run: Run) -> None:
    options = run.options
    assert run.extraction is not None
    limit, size = options.engine_limit, run.extraction.size
    run.engine = DuckDB(run.database, run.work, memory_limit=limit, threads=run.threads, holding=size)
    con = run.engine.con
    read.prepare(con)
    read.note_files(con, run.record.missing_files, run.record.ignored_files)
    cursors = [run.engine.cursor() for _ in _LANES]
    stop, unusable = Event(), Event()
    with ThreadPoolExecutor(len(_LANES)) as pool:
        lanes = zip(cursors, _LANES, strict=True)
        futures = [pool.submit(_take_lane, run, con, lane, stop, unusable) for con, lane in lanes]
        try:
            # A file that cannot be used lets the other lane go on: the log tells what is wrong with its files too.
            for future in as_completed(futures):
                if not isinstance(future.exception(), SourceError):
                    future.result()
            readings = [reading for future in futures for reading in future.result()]
        except BaseException:
            stop.set()
            run.extraction.close()  # or a lane goes on waiting for its next member
            while wait(futures, timeout=_POLL).not_done:  # a lane may be between two queries
                for cursor in cursors:
                    cursor.interrupt()
            raise
    order = [source.name for source in SOURCES]
    run.readings = sorted(readings, key=lambda reading: order.index(reading.file))
    run.extraction.close()
    run.record.seconds["extract"] = run.extraction.seconds


def _take_lane(
    run: Run, con: duckdb.DuckDBPyConnection, sources: list[SourceFile], stop: Event, unusable: Event
) -> list[read.Reading]:
    """Read a lane's files; conform the ratings at the end of theirs, unless a file was `unusable`."""
    try:
        readings = _read_lane(run, con, sources, stop)
    except SourceError:
        unusable.set()
        raise
    if sources is _LANES[0] and not unusable.is_set():
        conform.conform_ratings(run.running, con, run.progress, run.layout)
        for source in (source for source in sources if source.suspects):
            flat.forget(con, source)
    return readings


def _read_lane(run: Run, con: duckdb.DuckDBPyConnection, sources: list[SourceFile], stop: Event) -> list[read.Reading]:
    """Read files one after the other, each as soon as it is extracted, until another lane has failed."""
    assert run.extraction is not None
    readings = []
    for source in sources:
        if source.name not in run.extraction.names:
            readings.append(read.read_absent(con, source))
            continue
        member = run.extraction.member(source.name)
        about = {"bytes": member.bytes, "sha256": member.sha256, "edition": member.edition}
        run.record.files[source.name].update(about)
        with run.progress.step(f"read {source.name}", member.bytes) as step:

            def advance(amount: int, step: ProgressStep = step) -> None:
                if stop.is_set():
                    raise InterruptedError("another file could not be read")
                step.advance(amount)

            path = run.paths[source.name] = to_utf8(member.path, run.options.encoding, run.work)
            if path != member.path:
                let_go(run.work, member.path)
            readings.append(read.read_member(con, source, path, run.work, advance))
        if source.name not in log.REFERRING:  # whose records may be needed again
            let_go(run.work, path)
        run.record.files[source.name]["null_tokens"] = readings[-1].null_tokens
    return readings


def _conform(run: Run) -> None:
    conform.conform(run.running, run.progress, run.layout)
    with run.progress.step("log"):
        engine = run.running
        reject = partial(log.reject_references, engine, run.paths, run.work)
        log.gather(engine, run.record.run_id, reject, run.layout.text)
        run.balances = balance.strike(engine, run.readings, balance.loaded_ratings(engine), run.layout.places)
    run.running.close()
    run.engine = None
    let_go(run.work, *run.paths.values())


def _check(run: Run) -> None:
    with _finished(run) as con:
        _examine(run, con)


def _check_and_write(run: Run) -> None:
    """Write the files while the tables are checked: nothing is published unless both end well."""

    def write(con: duckdb.DuckDBPyConnection) -> None:
        use_answers(con)
        with run.record.timed("write"):
            publish.write_release(con, run.staging, run.options.format, run.progress, run.answers)

    with _finished(run) as con:
        with side_by_side(con.cursor(), write):
            _examine(run, con)
        run.record.rows = publish.verify(con, run.staging, run.options.format, run.balances)
        if run.options.report:
            with run.progress.step("report"):
                write_report(lambda query: con.execute(query).fetchall(), run.staging, run.record)
    (run.staging / "schema.sql").write_text(schema_sql(), encoding="utf-8")


@contextmanager
def _finished(run: Run) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the release's database, with its comments and views; nothing changes it any more."""
    with opened(run.database, run.options.engine_limit, run.threads, read_only=False) as con:
        for comment in comments_sql(TABLES):
            con.execute(comment)
        create_views(con)
        con.execute("CHECKPOINT")  # closing does it too, and tells nobody when it fails
        work_out(con)
        yield con


def _examine(run: Run, con: duckdb.DuckDBPyConnection) -> None:
    balance.show(con, run.balances)
    run.outcomes = check.run_checks(con, run.progress)
    summary.record_figures(con, run.record, run.balances, run.outcomes)
    check.refuse_failed(run.outcomes, "Nothing was published; the log shows the first offending rows of each.")


Step = tuple[str, Callable[[Run], None]]

FETCHING: tuple[Step, ...] = (("fetch", _fetch),)
READING: tuple[Step, ...] = (("extract", _extract), ("read", _read), ("conform", _conform))


def _conforming(run: Run) -> tuple[Step, ...]:
    """The steps up to the finished database, on the engine that the options name."""
    if run.options.engine == "duckdb":
        return (*FETCHING, *READING)
    from moviehouse.cluster import Cluster

    cluster = Cluster(run)
    return (
        ("start", cluster.start), ("fetch", cluster.fetch), ("read", cluster.read), ("conform", cluster.conform),
        ("collect", cluster.finish),
    )  # fmt: skip


def _take_all(last: Step, run: Run) -> None:
    """Take all steps, the last one on the finished database."""
    with run.closing:
        take((*_conforming(run), last), run)


def take(steps: tuple[Step, ...], run: Run) -> None:
    """Take steps one after the other; what a failing one leaves is tidied, its log saved."""
    try:
        for name, step in steps:
            scratch = (run.work, run.staging)
            with run.record.timed(name), reading(), writing(run.work.parent, scratch, run.elsewhere):
                step(run)
    except BaseException:
        if run.extraction is not None:
            run.extraction.close()
        shutil.rmtree(run.work / "members", ignore_errors=True)  # room for the log
        if run.engine is not None:
            log.save_unfinished(run.engine, run.record.run_id, run.work / "failed.jsonl")
            run.engine.con.close()
        with within(run.options.memory_limit):
            raise


def _begin(options: Options) -> RunRecord:
    told = ("format", "encoding", "memory_limit", "engine")
    return RunRecord.begin(**{option: getattr(options, option) for option in told})


def build(source: str, out: Path, options: Options, progress: Progress) -> tuple[Path, RunRecord]:
    """Build a release of the source in `out`; gives its directory and its record.

    Raises SourceError, GateError or TargetError; nothing is published then, and the log is under
    out/failed.
    """
    there(source)
    record = _begin(options)
    with locked(out, record.run_id, progress, options.wait) as target:
        run = Run(source, options, progress, record, target.work, target.staging)
        before = current(target.out)
        try:
            _take_all(("check", _check_and_write), run)
            record.status = "published"
            with progress.step("publish"), writing(target.out, (target.staging,)):
                record.write(target.staging / "run.json")
                publish.make_current(target)
        except BaseException as error:
            # A signal that comes after the flip is too late to stop anything.
            if not (isinstance(error, KeyboardInterrupt) and target.published):
                record.status = "failed"
                failure.keep(error, run.outcomes, record, target, run.database)
                raise
        with suppress(KeyboardInterrupt):
            publish.drop_others(target.out, {record.run_id, before})
    return out / target.release.relative_to(target.out), record


def check_only(source: str, options: Options, progress: Progress) -> tuple[RunRecord, list[dict[str, object]]]:
    """Do all of a build but publish it, in a temporary place; gives the record and the log's lines."""
    record = _begin(options)
    try:
        place = Path(tempfile.mkdtemp(prefix="moviehouse-"))
    except OSError as error:
        raise TargetError(f"No temporary directory: {error}.", "Set TMPDIR to a directory with room.") from error
    try:
        run = Run(source, options, progress, record, place / "work", place, "set TMPDIR to a directory with room")
        run.work.mkdir()
        _take_all(("check", _check), run)
        record.status = "checked"
        with opened(run.database) as con:
            cursor = con.execute("SELECT * FROM error_log")
            names = [c[0] for c in cursor.description or ()]
            lines: list[dict[str, object]] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return record, lines
    finally:
        shutil.rmtree(place, ignore_errors=True)
