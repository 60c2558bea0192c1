"""`moviehouse ask`: the nine questions."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

import moviehouse
from moviehouse.commands import complete
from moviehouse.commands import parameters as p

_Question = Annotated[
    str | None,
    Parameter(help="One of the nine questions; without one, they are listed.", completer=complete.questions),
]


def ask(
    question: _Question = None,
    /,
    *,
    release: p.Release = p.DEFAULT_OUT,
    lake: p.Lake = None,
    as_of: p.AsOf = None,
    stage: p.Stage = None,
    year: p.Year = None,
    genre: p.Genres = None,
    company: p.Companies = None,
    top: Annotated[int | None, Parameter(help="Only so many rows, the largest first.")] = None,
    format: p.Format = None,
    output: p.Output = None,
    show_sql: Annotated[bool, Parameter(negative="", show_default=False, help="Print the question's SQL too.")] = False,
    debug: p.Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Ask a release one of the nine questions; without a question, list them.

    A name may be written without its case, accents and punctuation, or be its beginning, or that of a word in it. Where
    several have it, they are listed with their ids. The options may be repeated to compare genres or companies.

    ```
    moviehouse ask
    moviehouse ask genre-revenue-by-year --year 1995
    moviehouse ask company-profit-by-year --company "Pixar Animation Studios"
    moviehouse ask genre-budget-by-year --genre war --genre 35 --year 1990:1999
    moviehouse ask company-revenue-by-year --top 10 --show-sql
    moviehouse ask genre-profit-by-year --output profit.parquet
    moviehouse ask genre-most-popular-by-year --format csv > popular.csv
    moviehouse ask genre-revenue-by-year --lake ./lake --as-of 2026-11-24T09:00
    moviehouse ask genre-revenue-by-year --lake ./lake --stage logic-2
    ```
    """
    from moviehouse.render import answer as render
    from moviehouse.render.formats import chosen, send_file, written_to

    if question is None:
        render.show_questions(release)
        return 0
    form = chosen(format, output)
    with p.opened(release, lake, as_of, wanted(question, lake), stage) as place:
        answer = moviehouse.ask(question, place, years=p.years(year), genre=genre, company=company, top=top)
        if show_sql:
            render.show_sql(answer, beside=form != "table" or output is not None)
        if form == "parquet":
            from moviehouse.steps.query import querying

            with querying(place, answer.sql) as query:
                send_file(query.parquet(), output, release)
            return 0
    with written_to(output, release):
        render.show_answer(answer, form)
    return 0


def wanted(question: str, lake: str | None) -> frozenset[str]:
    """What the question needs of a lake; UsageError, before one is read, where there is no such question."""
    if lake is None:
        return frozenset()
    from moviehouse.lake.needs import of_question
    from moviehouse.steps.answer import known_question

    return of_question(known_question(question))
