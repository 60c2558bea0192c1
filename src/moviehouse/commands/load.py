"""`moviehouse load`: a drop into a lake."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

import moviehouse
from moviehouse.commands import parameters as p
from moviehouse.commands.failure import fail, say
from moviehouse.commands.source import must_be_there, print_json
from moviehouse.errors import GateError, MoviehouseError, SourceError
from moviehouse.progress import for_stream

if TYPE_CHECKING:
    from moviehouse.lake.load import Loaded

_ObservedAt = Annotated[
    str | None,
    Parameter(help="When the drop was observed, in UTC unless it has a zone [default: when the source was written]."),
]
_Partial = Annotated[
    bool, Parameter(negative="", show_default=False, help="The drop has changes alone: what it lacks is not gone.")
]
_MaxRejects = Annotated[
    float, Parameter(help="The largest share of rejected records, from 0 to 1, that does not set the drop aside.")
]
_Accepted = Annotated[
    list[str] | None,
    Parameter(negative="", help="FILE:COLUMN: a column that may be missing, though its values become unknown."),
]
_Stage = Annotated[
    str | None, Parameter(help="Beside what readers see, under this name, until moviehouse stage publish NAME.")
]


def load(
    sources: p.Sources,
    /,
    *,
    lake: p.TargetLake,
    observed_at: _ObservedAt = None,
    partial: _Partial = False,
    max_rejects: _MaxRejects = 0.5,
    accept_missing_column: _Accepted = None,
    stage: _Stage = None,
    reading: p.Reading = p.AS_USUAL,
    engine: p.Engine = "duckdb",
    spark_master: p.SparkMaster = None,
    spark_conf: p.SparkConf = None,
    spark_staging: p.SparkStaging = None,
    quiet: p.Quiet = False,
    json: p.AsJson = False,
    debug: p.Debug = False,
) -> int:
    """Add a drop, a source as it was observed at a time, to a lake of Apache Iceberg tables.

    Drops may come in any order, late, again, and from several loaders at once: the state is the same as if they had
    come in the order of their observation. A drop is visible whole, or not at all. One that the lake has already
    changes nothing. A broken one is set aside with its error log; the lake stays as it is. Needs the extra:
    pip install 'moviehouse[lake]'. Where one machine is too small, a cluster of Spark does it.

    Several sources are drops of their own, loaded one after the other, which saves the start of a command for each.
    A broken one does not keep the others out; where the lake cannot be written the rest is not tried. The exit
    status is the highest of theirs.

    ```
    moviehouse load s3://bucket/drops/latest.zip --lake ./lake
    moviehouse load drop.zip --lake ./lake --partial --observed-at 2026-11-24T09
    moviehouse load drops/2024-01-*.zip --lake ./lake --partial
    moviehouse load drop.zip --lake https://catalog.example.org/iceberg
    moviehouse load drop.zip --lake production --max-rejects 0.01
    moviehouse load s3://bucket/drop.zip --lake production --engine spark
    moviehouse load 2024-01-01.zip --lake production --stage year-2024
    ```
    """
    must_be_there(sources)
    options: dict[str, Any] = {
        "observed_at": observed_at,
        "full": not partial,
        "max_rejects": max_rejects,
        "accept_missing_columns": accept_missing_column or (),
        "stage": stage,
        **reading.options,
        **p.where(engine, spark_master, spark_conf, spark_staging),
        "progress": for_stream(quiet=quiet),
    }

    def one(source: str) -> None:
        loaded = moviehouse.load(source, lake, **options)
        if json or not quiet:
            with suppress(BrokenPipeError, SystemExit):  # where nobody listens any more the rest is loaded too
                _tell(loaded, json=json)

    return _each(sources, one, debug=debug)


def _each(sources: list[str], one: Callable[[str], None], *, debug: bool) -> int:
    """Load every source, telling of those that fail; an error that is not of the drop itself ends it."""
    if len(sources) == 1:
        one(sources[0])
        return 0
    worst = 0
    for number, source in enumerate(sources, 1):
        try:
            one(source)
        except MoviehouseError as error:
            worst = max(worst, fail(error, debug=debug, about=source))
            if not isinstance(error, SourceError | GateError):
                _say_left(sources[number:])
                break
        except Exception:
            _say_left(sources[number:])
            raise
    return worst


def _say_left(sources: list[str]) -> None:
    if sources:
        say(f"moviehouse: not tried any more: {', '.join(sources)}")


def _tell(loaded: Loaded, *, json: bool) -> None:
    from moviehouse.lake.load import as_json
    from moviehouse.render.loaded import show_loaded

    if json:
        print_json(as_json(loaded))
    else:
        show_loaded(loaded)
