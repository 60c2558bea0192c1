"""The page of the questions: what each one means, its columns, its SQL, and the views it stands on."""

from __future__ import annotations

import re

from moviehouse.render.ddl import schema_sql
from moviehouse.render.markdown import code, table
from moviehouse.sql import QUESTIONS, VIEWS, header, statement
from moviehouse.steps.describe import view_columns

_INTRO = """\
# The questions

<!-- Rendered from src/moviehouse/sql by `python -m moviehouse.render`: change that, not this page. -->

Nine questions, each one SELECT. Every release has their answers as `answers/<question>.csv` and `.parquet`, and as
views of `moviehouse.duckdb`. `moviehouse ask` asks one, and `moviehouse trace` shows the movies behind a cell.

"""

_WORDS = """\
## What the words mean

- A **release** is a movie with a release date and a status of `Released` or none. Its year is the release date's.
  Other movies are in no answer; every run says how many they are, and how many dollars.
- **movies** counts the releases of a genre or company in a year, whether or not anything else is known of them.
- **Known amounts**: the source writes 0 for an amount nobody entered, so 0 is unknown, and unknown is NULL. A sum runs
  over the known amounts only, and the column beside it (`movies_with_revenue`) says over how many movies. If none
  is known, the sum is NULL.
- **Profit** is revenue minus budget, movie by movie, over the movies for which both are known. It is never the
  difference of two sums, which would be over different movies.
- **Full credit** (`revenue_usd`): the whole amount counts for each genre and each company of a movie. Never add
  these rows up: a movie of three genres is in three of them.
- **Allocated** (`revenue_usd_allocated`): the amount is divided evenly among the movie's genres, or its companies, in
  whole cents; the first in the list gets the odd cents. These rows add up to the total of all releases, once those
  without a genre or company are added. The view [unattributed_by_year](#unattributed_by_year) has them.
  [The data model](data-model.md#full-and-allocated-credit) has a worked example.
- **Popularity** is TMDB's score when the source was published, not in the year of release.
- **Amounts** are US dollars as published, not adjusted for inflation.
- Genres and companies are identified by **id**. Two companies of one name are two companies.
"""


def questions_md() -> str:
    """The page docs/questions.md."""
    kinds = view_columns(schema_sql())
    rows = [(f"[{q.replace('_', '-')}](#{q})", _told(q)[0]) for q in QUESTIONS]
    parts = [_INTRO + table(("Question", "Answers"), rows) + "\n", _WORDS]
    parts += [_section("questions", q, kinds) for q in QUESTIONS]
    parts += ["## The views they stand on\n"]
    parts += [_section("views", v, kinds, level="###") for v in VIEWS]
    return "\n".join(parts)


def _section(folder: str, name: str, kinds: dict[str, list[tuple[str, str]]], level: str = "##") -> str:
    told, *more = _told(name, folder)
    columns = ", ".join(f"{code(column)} {kind}" for column, kind in kinds[name])
    parts = [f"{level} {name}", told, *more, f"Columns: {columns}.", f"```sql\n{_without_header(folder, name)}\n```"]
    if folder == "questions":
        parts.append(f"```sh\nmoviehouse ask {name.replace('_', '-')}\n```")
    return "\n\n".join(parts) + "\n"


def _told(name: str, folder: str = "questions") -> list[str]:
    """The paragraphs of a statement's header, names of columns and views as code."""
    return [re.sub(r"\b\w+_\w+\b", r"`\g<0>`", part.replace("\n", " ")) for part in header(folder, name).split("\n\n")]


def _without_header(folder: str, name: str) -> str:
    lines = statement(folder, name).strip().splitlines()
    while lines[0].startswith("--"):
        lines.pop(0)
    return "\n".join(lines)
