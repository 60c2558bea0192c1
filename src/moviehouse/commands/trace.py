"""`moviehouse trace`: from a cell of an answer to the movies behind it."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

import moviehouse
from moviehouse.commands import parameters as p
from moviehouse.errors import GateError, UsageError


def trace(
    question: Annotated[str, Parameter(help="One of the nine questions.")],
    /,
    *,
    release: p.Release = p.DEFAULT_OUT,
    lake: p.Lake = None,
    as_of: p.AsOf = None,
    stage: p.Stage = None,
    year: p.Year = None,
    genre: p.Genre = None,
    company: p.Company = None,
    top: Annotated[int | None, Parameter(help="In a table, how many movies to show [default: 40].")] = None,
    format: p.Form = "table",
    debug: p.Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Trace a cell of an answer to the movies behind it: what each adds, what is unknown, and where it comes from.

    Shows every movie with its full and its allocated amount, which amounts are unknown and why, the line of each
    movie in the source, and what the error log says of it. What the movies add makes the cell, to the cent.
    Without a year all years are traced. CSV and JSON hold every movie; JSON has the log's lines in full.

    ```
    moviehouse trace genre-revenue-by-year --genre Animation --year 1995
    moviehouse trace company-profit-by-year --company "Pixar Animation Studios"
    moviehouse trace company-releases-by-genre-by-year --company 3 --genre Family
    moviehouse trace genre-most-popular-by-year --year 1995 --format json
    moviehouse trace genre-revenue-by-year --genre Drama --year 1995 --lake lake
    ```
    """
    from moviehouse.render.trace import show_trace

    if top is not None and top < 1:
        raise UsageError("--top must be at least 1.")
    if lake is None:
        p.of_a_lake(as_of, stage)
    traced = moviehouse.trace(
        question, release, lake=lake, as_of=as_of, stage=stage, years=p.years(year), genre=genre, company=company
    )
    show_trace(traced, format, top)
    return 0 if traced.adds_up else GateError.exit_status
