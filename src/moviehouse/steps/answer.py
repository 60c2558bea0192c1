"""Answers the questions: makes them views of a release, and asks one of a release."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from moviehouse.engines.duckdb import opened
from moviehouse.errors import UsageError
from moviehouse.hints import DEFAULT_OUT, did_you_mean, near
from moviehouse.sql import QUESTIONS, VIEWS, header, statement
from moviehouse.sql.text import literal, name
from moviehouse.steps.find_release import find_release
from moviehouse.steps.names import identify
from moviehouse.steps.target import DATABASE
from moviehouse.steps.totals import no_total, totals

_NOTED_ROWS = 5
_ANSWERED = "answered"


def create_views(con: duckdb.DuckDBPyConnection, which: Container[str] = (*VIEWS, *QUESTIONS)) -> None:
    """Create the views the questions stand on, and the questions, each with its comment; `which` is some of them."""
    for folder, stems in (("views", VIEWS), ("questions", QUESTIONS)):
        for stem in (s for s in stems if s in which):
            con.execute(f"CREATE VIEW {name(stem)} AS {statement(folder, stem)}")
            con.execute(f"COMMENT ON VIEW {name(stem)} IS {literal(header(folder, stem))}")


def work_out(con: duckdb.DuckDBPyConnection) -> None:
    """Work the views and the questions out once, for checks, files and report alike; `use_answers` finds them."""
    con.execute(f"ATTACH ':memory:' AS {_ANSWERED}")
    use_answers(con)
    for folder, stems in (("views", VIEWS), ("questions", QUESTIONS)):
        for stem in stems:
            con.execute(f"CREATE TABLE {_ANSWERED}.main.{name(stem)} AS {statement(folder, stem)}")


def use_answers(con: duckdb.DuckDBPyConnection) -> None:
    """Let a connection find what was worked out under the names of the views."""
    (database,) = con.execute("SELECT current_database()").fetchall()[0]
    con.execute(f"SET search_path = {literal(f'{_ANSWERED}.main,{name(database)}.main')}")


@dataclass(frozen=True)
class Answer:
    """An answer: its columns, its rows, the SQL asked (it runs as it is), and what is to be known about it.

    `totals` has the sum of each column whose rows may be added up; `matching` is how many rows there are
    without `top`.
    """

    question: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    sql: str
    notes: tuple[str, ...] = ()
    totals: dict[str, Any] = field(default_factory=dict)
    matching: int = 0


@dataclass(frozen=True)
class Filters:
    """What part of an answer is asked for; None: all of it. Years are inclusive; of several names any will do."""

    years: tuple[int, int] | None = None
    genre: str | Sequence[str] | None = None
    company: str | Sequence[str] | None = None
    top: int | None = None


class Conditions(NamedTuple):
    """The conditions that choose rows of an answer, their parameters, and how names were read."""

    where: list[str]
    parameters: list[int]
    notes: list[str]


def ask(release: Path, question: str, filters: Filters = Filters()) -> Answer:
    """Ask one of the nine questions of a release.

    Raises UsageError for a question, genre or company that the release does not have.
    """
    stem = known_question(question)
    if filters.top is not None and filters.top < 1:
        raise UsageError("--top must be at least 1.")
    with opened(find_release(release) / DATABASE) as con:
        columns = tuple(c[0] for c in con.execute(f"SELECT * FROM {stem} LIMIT 0").description or ())
        where, parameters, notes = conditions(con, columns, filters, release)
        chosen = f"FROM {stem}" + (f" WHERE {' AND '.join(where)}" if where else "")
        for number in parameters:  # all of them are whole numbers
            chosen = chosen.replace("?", str(number), 1)
        sql = f"SELECT * {chosen} ORDER BY {_order(columns, filters)}"
        sql += f" LIMIT {filters.top}" if filters.top else ""
        rows = tuple(con.execute(sql).fetchall())
        matching = con.execute(f"SELECT COUNT(*) {chosen}").fetchall()[0][0] if filters.top else len(rows)
        if not rows:
            notes.append(_nothing(con, stem, columns, filters))
    notes += [*_notes(columns, rows), *no_total(columns, rows)]
    return Answer(stem, columns, rows, sql, tuple(notes), totals(columns, rows), matching)


def known_question(question: str) -> str:
    """The name of a question's view, given its name with hyphens or underscores; UsageError if there is none."""
    stem = question.replace("-", "_")
    if stem in QUESTIONS:
        return stem
    known = [q.replace("_", "-") for q in QUESTIONS]
    hint = did_you_mean(near(question, known), f"Ask one of: {', '.join(known)}.")
    raise UsageError(f"There is no question {question!r}.", hint)


def conditions(
    con: duckdb.DuckDBPyConnection, columns: Sequence[str], filters: Filters, release: Path = DEFAULT_OUT
) -> Conditions:
    """The conditions that choose rows of an answer with these columns; `release` is what a hint names."""
    where: list[str] = []
    parameters: list[int] = []
    notes: list[str] = []
    if filters.years:
        where.append("year BETWEEN ? AND ?")
        parameters += filters.years
    for thing in ("genre", "company"):
        asked = getattr(filters, thing)
        if not asked:
            continue
        if f"{thing}_id" not in columns:
            raise UsageError(f"This question has no {thing}.", f"Leave --{thing} out.")
        found = [identify(con, thing, one, release) for one in ((asked,) if isinstance(asked, str) else asked)]
        where.append(f"{thing}_id = ?" if len(found) == 1 else f"{thing}_id IN ({', '.join('?' * len(found))})")
        parameters += [one.id for one in found]
        notes += [one.note for one in found if one.note]
    return Conditions(where, parameters, notes)


def _order(columns: Sequence[str], filters: Filters) -> str:
    """The answer's own order; with a top, the largest amounts first."""
    leading = own_order(columns)
    if filters.top:
        amount = next(
            c for c in columns if c.endswith("_usd") or c in ("releases", "popularity_total", "popularity_mean")
        )
        return f"{amount} DESC NULLS LAST, {leading}"
    return leading


def own_order(columns: Sequence[str]) -> str:
    """The leading columns that an answer is ordered by."""
    return ", ".join(c for c in columns if c.endswith("_id") or c == "year")


def _nothing(con: duckdb.DuckDBPyConnection, stem: str, columns: Sequence[str], filters: Filters) -> str:
    """Say why there is no row: which years there are, where the years are what leaves none."""
    where, parameters, _ = conditions(con, columns, Filters(None, filters.genre, filters.company))
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    first, last = con.execute(f"SELECT MIN(year), MAX(year) FROM {stem}{condition}", parameters).fetchall()[0]
    if first is None:
        return "No rows: none of the movies is a release, one with a date whose status is Released or none."
    span = f"is {first}" if first == last else f"are from {first} to {last}"
    return f"No rows: no release matches. The years that have some {span}."


def _notes(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> list[str]:
    """What is known of the amounts shown, so that a gap is not read as a zero."""
    counted = next((c for c in columns if c.startswith("movies_with_")), None)
    if counted is None:
        return []
    amount = counted.removeprefix("movies_with_")
    what = "genre" if "genre" in columns else "company"
    place = {c: i for i, c in enumerate(columns)}
    if len(rows) <= _NOTED_ROWS:
        return [
            f"{row[place['year']]} {row[place[what]]}: {_known(row[place[counted]], row[place['movies']], amount)}"
            for row in rows
        ]
    movies = sum(row[place["movies"]] for row in rows)
    known = sum(row[place[counted]] for row in rows)
    return [
        f"Of {movies:,} movies, each counted once for each of its {'genres' if what == 'genre' else 'companies'}, "
        f"{known:,} ({known / movies:.0%}) have a known {amount}."
    ]


def _known(known: int, movies: int, amount: str) -> str:
    if movies == 1:
        return f"its one movie has {'a' if known else 'no'} known {amount}."
    return f"{known:,} of {movies:,} movies have a known {amount}."
