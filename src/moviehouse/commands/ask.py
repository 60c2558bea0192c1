"""`moviehouse ask`: the nine questions."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

import moviehouse
from moviehouse.commands import parameters as p


def ask(
    question: Annotated[str | None, Parameter(help="One of the nine questions; none: list them.")] = None,
    /,
    *,
    release: p.Release = p.DEFAULT_OUT,
    year: p.Year = None,
    genre: p.Genre = None,
    company: p.Company = None,
    top: Annotated[int | None, Parameter(help="Only so many rows, the largest first.")] = None,
    format: p.Form = "table",
    show_sql: Annotated[bool, Parameter(negative="", show_default=False, help="Print the question's SQL too.")] = False,
    debug: p.Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Ask a release one of the nine questions.

    ```
    moviehouse ask genre-revenue-by-year --year 1995
    moviehouse ask company-profit-by-year --company "Pixar Animation Studios" --format csv
    ```
    """
    from moviehouse.render.terminal import show_answer, show_questions

    if question is None:
        show_questions()
        return 0
    answer = moviehouse.ask(question, release, years=p.years(year), genre=genre, company=company, top=top)
    show_answer(answer, format, show_sql=show_sql)
    return 0
