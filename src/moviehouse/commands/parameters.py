"""The parameters that commands share: each is declared once, and means the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from moviehouse import hints
from moviehouse.commands import complete
from moviehouse.errors import UsageError

DEFAULT_OUT = hints.DEFAULT_OUT

Source = Annotated[str, Parameter(help="s3://bucket/key, https://…, file://…, a zip, or a directory of CSV files.")]
Sources = Annotated[
    list[str],
    Parameter(
        name="SOURCE",
        negative="",
        help="s3://bucket/key, https://…, file://…, a zip, or a directory of CSV files; or several.",
    ),
]
Out = Annotated[Path, Parameter(help="Directory to write the release into.")]
NoSign = Annotated[
    bool, Parameter(negative="", show_default=False, help="Read S3 without credentials, even if there are some.")
]
Encoding = Annotated[str, Parameter(help="Encoding of the CSV files.")]
Cache = Annotated[
    Path | None,
    Parameter(help="Where downloads are kept [default: $MOVIEHOUSE_CACHE or ~/.cache/moviehouse]."),
]
Memory = Annotated[str, Parameter(help="How much memory to take; DuckDB gets half, and spills to disk beyond.")]
QueryMemory = Annotated[str, Parameter(name="--memory-limit", help="How much memory DuckDB may use.")]
Threads = Annotated[
    int | None, Parameter(help="How many threads DuckDB may use [default: one per core; one for up to 64 MiB of CSV].")
]
QueryThreads = Annotated[
    int | None, Parameter(name="--threads", help="How many threads DuckDB may use [default: one per core].")
]
MaxBytes = Annotated[
    int, Parameter(help="How many bytes an archive may extract to [default: 64 GiB].", show_default=False)
]
MaxMembers = Annotated[int, Parameter(help="How many members an archive may have.")]
MaxRatio = Annotated[int, Parameter(help="How many times larger a member of an archive may become.")]
Engine = Annotated[
    Literal["duckdb", "spark"], Parameter(help="What reads and conforms: this machine, or a cluster of Spark.")
]
SparkMaster = Annotated[
    str | None, Parameter(help="spark://host:7077, yarn, … [default: $SPARK_MASTER, Spark's settings, this machine].")
]
SparkConf = Annotated[
    list[str] | None, Parameter(negative="", help="A setting of Spark: spark.executor.memory=8g. May be repeated.")
]
SparkStaging = Annotated[
    str | None,
    Parameter(help="URI of a directory that all executors see: s3a://bucket/prefix [default: in OUT, or $TMPDIR]."),
]
Quiet = Annotated[
    bool, Parameter(name=["--quiet", "-q"], negative="", show_default=False, help="Print nothing but errors.")
]
AsJson = Annotated[
    bool, Parameter(name="--json", negative="", show_default=False, help="Print the run record as JSON.")
]
ResultAsJson = Annotated[
    bool, Parameter(name="--json", negative="", show_default=False, help="Print the result as JSON.")
]
Debug = Annotated[bool, Parameter(negative="", show_default=False, help="Show a traceback with an error.")]

Release = Annotated[
    Path, Parameter(help="A release: its directory, its database, or the output directory that holds it.")
]
Lake = Annotated[
    str | None,
    Parameter(
        help="Read a lake, and no release: its directory, the http(s) address of an Iceberg REST catalog, or the name "
        "of a catalog configured for PyIceberg."
    ),
]
TargetLake = Annotated[
    str,
    Parameter(
        help="The lake: a directory, the http(s) address of an Iceberg REST catalog, or the name of a catalog "
        "configured for PyIceberg."
    ),
]
AsOf = Annotated[
    str | None,
    Parameter(help="With --lake: what was visible at this time, in UTC unless it has a zone [default: now]."),
]
Stage = Annotated[
    str | None, Parameter(help="With --lake: as it would be with this stage published; see moviehouse stage.")
]
Year = Annotated[str | None, Parameter(help="A year, or a range such as 1990:1999.")]
Genre = Annotated[str | None, Parameter(help="A genre's name or id.", completer=complete.genres)]
Company = Annotated[str | None, Parameter(help="A production company's name or id.", completer=complete.companies)]
Genres = Annotated[list[str] | None, Parameter(help="A genre's name or id.", negative="", completer=complete.genres)]
Companies = Annotated[
    list[str] | None,
    Parameter(help="A production company's name or id.", negative="", completer=complete.companies),
]
Format = Annotated[
    Literal["table", "csv", "json", "parquet"] | None,
    Parameter(help="How to print it [default: as --output ends, or a table]."),
]
Form = Annotated[Literal["table", "csv", "json"], Parameter(help="How to print it.")]
Output = Annotated[Path | None, Parameter(name=["--output", "-o"], help="A file to write instead of standard output.")]
Limit = Annotated[int, Parameter(help="In a table, how many rows to show at most.")]


@contextmanager
def opened(
    release: Path,
    lake: str | None,
    as_of: str | None,
    wanted: Iterable[str],
    stage: str | None = None,
    *,
    rows: bool = True,
    traced: bool = False,
    drops: bool = False,
) -> Iterator[Path]:
    """The release that is meant: the one given or, with a lake, its newest one with the relations wanted.

    `rows`, `traced` and `drops` are those of `reading_lake`.
    """
    if lake is None:
        of_a_lake(as_of, stage)
        yield release
        return
    from moviehouse.lake.read import reading_lake
    from moviehouse.lake.times import utc

    time = None if as_of is None else utc(as_of, "--as-of")
    with reading_lake(lake, wanted, time, rows=rows, traced=traced, drops=drops, stage=stage) as place:
        yield place


def of_a_lake(as_of: str | None, stage: str | None) -> None:
    """UsageError where what is said of a lake is said without one."""
    for option, value in (("--as-of", as_of), ("--stage", stage)):
        if value is not None:
            raise UsageError(f"{option} is about a lake.", "Say which: --lake LAKE.")


@Parameter(name="*")
@dataclass(frozen=True)
class Reading:
    """How a source is read."""

    no_sign_request: NoSign = False
    encoding: Encoding = "utf-8"
    cache: Cache = None
    memory_limit: Memory = "2GiB"
    threads: Threads = None
    max_bytes: MaxBytes = 64 << 30
    max_members: MaxMembers = 1000
    max_ratio: MaxRatio = 200

    @property
    def options(self) -> dict[str, Any]:
        """The same as `moviehouse.build` and `moviehouse.check` take it."""
        named = vars(self) | {"sign": not self.no_sign_request}
        del named["no_sign_request"]
        return named


AS_USUAL = Reading()


def years(text: str | None) -> tuple[int, int] | None:
    """A year or a range of years, either end of which may be left out; UsageError if it is neither."""
    if text is None:
        return None
    first, colon, last = text.partition(":")
    try:
        span = (int(first or 0), int(last or 9999)) if colon else (int(first), int(first))
    except ValueError:
        message = f"{text!r} is not a year or a range of years."
        raise UsageError(message, "Write --year 1995, --year 1990:1999 or --year 1990: for all since.") from None
    if span[0] > span[1]:
        raise UsageError(f"The range {text} runs backwards.", f"Write --year {span[1]}:{span[0]}.")
    return span


def where(engine: str, master: str | None, conf: list[str] | None, staging: str | None) -> dict[str, Any]:
    """Where the work is done, as `moviehouse.build` and `load` take it; UsageError for a setting that is none."""
    settings = {}
    for text in conf or ():
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"{text!r} is not a setting.", "Write --spark-conf spark.executor.memory=8g.")
        settings[key.strip()] = value.strip()
    return {"engine": engine, "spark_master": master, "spark_conf": settings, "spark_staging": staging}
