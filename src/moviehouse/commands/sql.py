"""`moviehouse sql`: any question, in SQL."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from moviehouse.commands import parameters as p
from moviehouse.errors import SourceError, UsageError

# A query may begin with a comment: --
_Query = Annotated[
    str | None,
    Parameter(help="A statement in DuckDB's SQL; - reads it from standard input.", allow_leading_hyphen=True),
]


def sql(
    query: _Query = None,
    /,
    *,
    file: Annotated[Path | None, Parameter(name=["--file", "-f"], help="A file to read the query from.")] = None,
    release: p.Release = p.DEFAULT_OUT,
    lake: p.Lake = None,
    as_of: p.AsOf = None,
    stage: p.Stage = None,
    format: p.Format = None,
    output: p.Output = None,
    limit: p.Limit = 1000,
    memory_limit: p.QueryMemory = "2GiB",
    threads: p.QueryThreads = None,
    debug: p.Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Run a query on a release: its tables, and the questions as views.

    The query only reads. It has no access to other files, to the network, to extensions or to settings. CSV, JSON and
    Parquet hold every row. `moviehouse schema` shows the tables and their columns.

    ```
    moviehouse sql "FROM movie SELECT title, revenue_usd ORDER BY 2 DESC LIMIT 10"
    moviehouse sql "DESCRIBE rating"
    moviehouse sql "FROM genre_revenue_by_year WHERE year = 1995" -o 1995.csv
    moviehouse sql --file query.sql --output rows.parquet
    echo "SELECT count(*) FROM rating" | moviehouse sql - --format json
    moviehouse sql "FROM movie_observation WHERE movie_id = 862" --lake ./lake
    ```
    """
    from moviehouse.render.formats import chosen, send_file, written_to
    from moviehouse.render.query import show_plan, show_rows
    from moviehouse.steps.query import querying

    if limit < 1:
        raise UsageError("--limit must be at least 1.")
    form = chosen(format, output)
    text = _text(query, file)
    with (
        _opened(text, release, lake, as_of, stage) as place,
        querying(place, text, memory_limit, threads) as asked,
    ):
        if form == "parquet":
            send_file(asked.parquet(), output, release)
            return 0
        result = asked.run()
        with written_to(output, release):
            if result.plan and form == "table":
                show_plan(result.rows)
            else:
                show_rows(result.columns, result.types, result.rows, form, limit)
    return 0


def _opened(
    text: str, release: Path, lake: str | None, as_of: str | None, stage: str | None
) -> AbstractContextManager[Path]:
    """The release that is meant, with what the query needs of it."""
    if lake is None:
        return p.opened(release, lake, as_of, (), stage)
    from moviehouse.lake.needs import of_query

    need = of_query(text)
    return p.opened(release, lake, as_of, need.relations, stage, rows=need.rows)


def _text(query: str | None, file: Path | None) -> str:
    if (query is None) == (file is None):
        raise UsageError("Give one query, or one --file.", 'For example: moviehouse sql "FROM movie LIMIT 5"')
    if query is not None:
        return sys.stdin.read() if query == "-" else query
    assert file is not None
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SourceError(f"{file} cannot be read: {said}.") from None
