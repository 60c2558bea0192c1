"""Moviehouse: a zip of messy CSV files about movies becomes a relational model that answers questions.

    import moviehouse

    source = "s3://com.guild.us-west-2.public-data/project-data/the-movies-dataset.zip"
    release = moviehouse.build(source)
    answer = release.ask("genre-revenue-by-year", years=(1995, 1999), genre="Animation")

`build`, `check`, `load`, `maintain`, `ask`, `trace`, `why`, `publish` and `sample` do what the commands of the same
names do, and return typed results; `stages` has what `moviehouse stage` does. Every error is a `MoviehouseError`; its
`retry` says whether the same call may work later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moviehouse.errors import GateError, MoviehouseError, SourceError, TargetError, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from moviehouse.generator import Sample
    from moviehouse.generator.drops import Drops
    from moviehouse.lake.load import Loaded
    from moviehouse.lake.maintain import Upkeep
    from moviehouse.lake.publish import Stages
    from moviehouse.postgres.publish import Publication
    from moviehouse.progress import Progress
    from moviehouse.run import RunRecord
    from moviehouse.steps.answer import Answer
    from moviehouse.steps.trace import Trace
    from moviehouse.steps.why import Why

__version__ = "0.1.0"

__all__ = [
    "Checked",
    "GateError",
    "MoviehouseError",
    "Release",
    "SourceError",
    "TargetError",
    "UsageError",
    "ask",
    "build",
    "check",
    "load",
    "maintain",
    "publish",
    "sample",
    "sample_drops",
    "stages",
    "trace",
    "why",
]


@dataclass(frozen=True)
class Release:
    """A published release: its directory, the output directory it is current in, and its run record.

    `ask` and `trace` take the filters of `moviehouse.ask` and `moviehouse.trace`.
    """

    path: Path
    out: Path
    run: RunRecord

    @property
    def database(self) -> Path:
        """The DuckDB database with every table and the questions as views."""
        return self.path / "moviehouse.duckdb"

    @property
    def error_log(self) -> Path:
        """The error log, one JSON object per line."""
        return self.path / "errors.jsonl"

    def ask(self, question: str, **filters: Any) -> Answer:
        """Ask this release a question; see `moviehouse.ask`."""
        return ask(question, self.path, **filters)

    def trace(self, question: str, **filters: Any) -> Trace:
        """Trace the cells of a question to the movies behind them; see `moviehouse.trace`."""
        return trace(question, self.path, **filters)

    def why(self, movie: str | int) -> Why:
        """Everything this release holds about one movie, and why; see `moviehouse.why`."""
        return why(movie, self.path)


@dataclass(frozen=True)
class Checked:
    """What reading a source told: the run record, and the lines of the error log."""

    run: RunRecord
    log: list[dict[str, Any]]


def build(
    source: str | Path,
    out: str | Path = "moviehouse-out",
    *,
    format: str = "parquet",
    sign: bool = True,
    encoding: str = "utf-8",
    cache: Path | None = None,
    memory_limit: str = "2GiB",
    threads: int | None = None,
    max_bytes: int = 64 << 30,
    max_members: int = 1000,
    max_ratio: int = 200,
    wait: float = 0,
    report: bool = True,
    engine: str = "duckdb",
    spark_master: str | None = None,
    spark_conf: Mapping[str, str] | None = None,
    spark_staging: str | None = None,
    progress: Progress | None = None,
) -> Release:
    """Turn a source into a release in `out`.

    `source` is s3://, https://, file://, the path of a zip, or a directory of CSV files. `format` is
    that of tables/, parquet or csv; `sign=False` reads S3 without credentials; `cache` is where
    downloads are kept; DuckDB gets half of `memory_limit`, and `threads` threads, by default one per core, or
    one for up to 64 MiB of CSV; `max_bytes` limits what an archive may extract to, `max_members` how many
    members it may have, `max_ratio` how many times larger inflating may make one; `wait` is how many seconds
    to wait for another run that writes to `out`;
    `report=False` leaves report.html out. `engine` is duckdb, or spark (the extra `spark`): its `spark_master`,
    further settings in `spark_conf`, and `spark_staging`, the URI of a directory that this machine and all
    executors see; where an application of Spark runs in this process already, it is used. Raises SourceError
    where the source cannot be used, GateError where a check of the result fails, TargetError where `out` cannot
    be written or Spark cannot be had; the previous release, if any, stays current then.
    """
    from moviehouse import pipeline
    from moviehouse.progress import Quiet

    options = pipeline.Options(
        format, sign, encoding, cache, memory_limit, threads, max_bytes, max_members, max_ratio, wait, report,
        engine, spark_master, tuple((spark_conf or {}).items()), spark_staging,
    )  # fmt: skip
    path, record = pipeline.build(str(source), Path(out), options, progress or Quiet())
    return Release(path, Path(out), record)


def check(
    source: str | Path,
    *,
    sign: bool = True,
    encoding: str = "utf-8",
    cache: Path | None = None,
    memory_limit: str = "2GiB",
    threads: int | None = None,
    max_bytes: int = 64 << 30,
    max_members: int = 1000,
    max_ratio: int = 200,
    progress: Progress | None = None,
) -> Checked:
    """Read and check a source as `build` does, and write nothing."""
    from moviehouse import pipeline
    from moviehouse.progress import Quiet

    options = pipeline.Options(
        "parquet", sign, encoding, cache, memory_limit, threads, max_bytes, max_members, max_ratio
    )
    record, lines = pipeline.check_only(str(source), options, progress or Quiet())
    return Checked(record, lines)


def load(
    source: str | Path,
    lake: str | Path,
    *,
    observed_at: str | datetime | None = None,
    full: bool = True,
    max_rejects: float = 0.5,
    accept_missing_columns: Sequence[str] = (),
    stage: str | None = None,
    sign: bool = True,
    encoding: str = "utf-8",
    cache: Path | None = None,
    memory_limit: str = "2GiB",
    threads: int | None = None,
    max_bytes: int = 64 << 30,
    max_members: int = 1000,
    max_ratio: int = 200,
    engine: str = "duckdb",
    spark_master: str | None = None,
    spark_conf: Mapping[str, str] | None = None,
    spark_staging: str | None = None,
    progress: Progress | None = None,
) -> Loaded:
    """Add a drop, a source as it was observed at a time, to a lake of Apache Iceberg tables.

    `lake` is a directory, the http(s) address of an Iceberg REST catalog, or the name of a catalog configured for
    PyIceberg. `observed_at` (UTC unless it has a zone) is when the source was written unless given; `full` says that
    it is a whole snapshot. A share of rejected records above `max_rejects`, or a column that is missing but for
    `accept_missing_columns` (FILE:COLUMN), sets the drop aside, as do the errors of a build; the other options are
    those of `build`; with the engine spark the cluster's executors append the rows (the extras `lake` and `spark`).
    With a `stage` nothing is visible until `stages(lake).publish(stage)`. A drop that the lake or the stage has already
    changes nothing. Needs the extra `lake`. Raises SourceError or GateError where the drop is set aside, TargetError
    where the lake cannot be written.
    """
    from moviehouse import pipeline
    from moviehouse.lake.load import LoadOptions
    from moviehouse.lake.load import load as put
    from moviehouse.lake.times import utc
    from moviehouse.progress import Quiet

    reading = pipeline.Options(
        "parquet", sign, encoding, cache, memory_limit, threads, max_bytes, max_members, max_ratio,
        engine=engine, spark_master=spark_master, spark_conf=tuple((spark_conf or {}).items()),
        spark_staging=spark_staging,
    )  # fmt: skip
    time = None if observed_at is None else utc(observed_at, "--observed-at")
    options = LoadOptions(reading, time, full, max_rejects, frozenset(accept_missing_columns), stage)
    return put(str(source), str(lake), options, progress or Quiet())


def stages(lake: str | Path) -> Stages:
    """The stages of a lake, to list, check, publish, undo and discard: what came by `load(…, stage=NAME)`."""
    from moviehouse.lake.publish import Stages

    return Stages(lake)


def maintain(
    lake: str | Path,
    *,
    keep_days: float = 7,
    grace_hours: float = 24,
    memory_limit: str = "2GiB",
    progress: Progress | None = None,
) -> Upkeep:
    """Do the upkeep of a lake: fold, compact, expire, and remove what dead loads left; nobody else notices.

    Releases are kept for `keep_days`. A load that has not ended after `grace_hours` is a dead one: 0 is safe only
    while nobody loads or reads. Raises SourceError where there is no lake, TargetError where it cannot be written.
    """
    from datetime import timedelta

    from moviehouse.lake import maintain as upkeep
    from moviehouse.progress import Quiet

    options = upkeep.UpkeepOptions(timedelta(days=keep_days), timedelta(hours=grace_hours), memory_limit)
    return upkeep.maintain(str(lake), options, progress or Quiet())


def ask(
    question: str,
    release: str | Path = "moviehouse-out",
    *,
    lake: str | Path | None = None,
    as_of: str | datetime | None = None,
    stage: str | None = None,
    years: int | tuple[int, int] | None = None,
    genre: str | int | Sequence[str | int] | None = None,
    company: str | int | Sequence[str | int] | None = None,
    top: int | None = None,
) -> Answer:
    """Ask one of the nine questions of a release (its directory, or the output directory).

    `years` is a year or an inclusive range; `genre` and `company` are names or ids, or several of
    them; `top` keeps the largest amounts. With `lake` the newest release of a lake is asked, or the one that was the
    newest at the time `as_of`, or the newest as it would be with a `stage` published.
    Raises UsageError for a question, genre, company or stage that is not there.
    """
    from moviehouse.steps.answer import Filters
    from moviehouse.steps.answer import ask as answer

    span = (years, years) if isinstance(years, int) else years
    filters = Filters(span, _names(genre), _names(company), top)
    if lake is None:
        return answer(Path(release), question, filters)
    from moviehouse.lake.answers import ask as ask_lake

    return ask_lake(str(lake), question, filters, as_of, stage)


def _names(things: str | int | Sequence[str | int] | None) -> list[str] | None:
    several = [things] if isinstance(things, str | int) else things
    return None if several is None else [str(thing) for thing in several]


def trace(
    question: str,
    release: str | Path = "moviehouse-out",
    *,
    lake: str | Path | None = None,
    as_of: str | datetime | None = None,
    stage: str | None = None,
    years: int | tuple[int, int] | None = None,
    genre: str | int | None = None,
    company: str | int | None = None,
) -> Trace:
    """Trace the cells of a question to the movies behind them: what each adds, and where it comes from.

    The filters, `lake`, `as_of` and `stage` are those of `ask`; without `years` every year is traced. What the movies
    add is exact, and adds up to the cell. Raises UsageError where the genre or company is not given or not there, or
    has no such cell.
    """
    from moviehouse.steps.answer import Filters
    from moviehouse.steps.trace import trace as follow

    text = [None if thing is None else str(thing) for thing in (genre, company)]
    span = (years, years) if isinstance(years, int) else years
    filters = Filters(span, text[0], text[1])
    if lake is None:
        return follow(Path(release), question, filters)
    from moviehouse.lake.answers import trace as trace_lake

    return trace_lake(str(lake), question, filters, as_of, stage)


def why(
    movie: str | int,
    release: str | Path = "moviehouse-out",
    *,
    lake: str | Path | None = None,
    as_of: str | datetime | None = None,
    stage: str | None = None,
    cache: Path | None = None,
) -> Why:
    """Tell everything about one movie: its raw record, what was done to it, its rows, its part in every answer.

    `movie` is TMDB's id, IMDb's (tt0114709) or a title; `cache` is where downloads are kept, in which the raw record
    is looked up. `lake`, `as_of` and `stage` are those of `ask`; a lake has no raw records. Raises UsageError where no
    record or several movies are meant.
    """
    if lake is not None:
        from moviehouse.lake.answers import why as why_lake

        return why_lake(str(lake), str(movie), as_of, stage)
    from moviehouse.steps.why import why as explain

    return explain(Path(release), str(movie), cache)


def publish(
    release: str | Path,
    target: str,
    *,
    schema: str = "moviehouse",
    wait: float = 60,
    force: bool = False,
    progress: Progress | None = None,
) -> Publication:
    """Put a release into PostgreSQL, with keys, references, checks, comments and views.

    `target` is a postgresql:// address; passwords and TLS are libpq's matter (PGPASSWORD, ~/.pgpass, sslmode).
    `schema` is replaced as a whole, in one transaction; `wait` is how many seconds another publish, or readers of
    the old release, are waited for. A release that is there already is left alone unless `force`. Needs the extra
    `postgres`. Raises TargetError where the server or the schema cannot be used; what was there stays then.
    """
    from moviehouse.postgres.publish import publish as put

    return put(Path(release), target, schema, wait=wait, force=force, progress=progress)


def sample(
    out: str | Path,
    *,
    movies: int = 1000,
    ratings: int = 20_000,
    seed: int = 1,
    oddities: bool = True,
    progress: Progress | None = None,
) -> Sample:
    """Write a generated zip in the source's format, and the list of what was planted in it."""
    from moviehouse.generator import sample as generate

    return generate(Path(out), movies=movies, ratings=ratings, seed=seed, oddities=oddities, progress=progress)


def sample_drops(
    out: str | Path,
    *,
    drops: int,
    every: str = "1h",
    movies: int = 1000,
    ratings: int = 20_000,
    parts: int = 1,
    seed: int = 1,
    progress: Progress | None = None,
) -> Drops:
    """Make a directory with drops of a generated dataset, and a manifest of what comes when.

    The first of the `drops` is a whole snapshot of `movies` and `ratings`, in `parts` zips; the next one is observed
    `every` so long later ("30m", "1h", "1d").
    """
    from moviehouse.generator import drops as generator

    return generator.sample_drops(
        Path(out), drops=drops, every=every, movies=movies, ratings=ratings, parts=parts, seed=seed, progress=progress
    )
