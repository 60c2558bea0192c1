"""Answers the questions: makes them views of a release, and asks one of a release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import duckdb

from moviehouse.engines.duckdb import opened
from moviehouse.errors import SourceError, UsageError
from moviehouse.sql import QUESTIONS, VIEWS, header, statement
from moviehouse.sql.text import literal, name
from moviehouse.steps.target import CURRENT, DATABASE

_NOTED_ROWS = 5


def create_views(con: duckdb.DuckDBPyConnection) -> None:
    """Create the views the questions stand on, and the questions, each with its comment."""
    for folder, stems in (("views", VIEWS), ("questions", QUESTIONS)):
        for stem in stems:
            con.execute(f"CREATE VIEW {name(stem)} AS {statement(folder, stem)}")
            con.execute(f"COMMENT ON VIEW {name(stem)} IS {literal(header(folder, stem))}")


@dataclass(frozen=True)
class Answer:
    """An answer: its columns, its rows, the SQL asked, and what is to be known about it."""

    question: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    sql: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Filters:
    """What part of an answer is asked for; None: all of it. Years are inclusive."""

    years: tuple[int, int] | None = None
    genre: str | None = None
    company: str | None = None
    top: int | None = None


def find_release(path: Path) -> Path:
    """The directory of a release, given it or the output directory that holds it.

    The link to the current one is followed once: what is read below stays one release's.
    """
    for folder in ((path / CURRENT).resolve(), path.resolve()):
        if (folder / DATABASE).exists():
            return folder
    raise SourceError(f"There is no release in {path}.", "Build one: moviehouse SOURCE --out DIRECTORY.")


def ask(release: Path, question: str, filters: Filters = Filters()) -> Answer:
    """Ask one of the nine questions of a release.

    Raises UsageError for a question, genre or company that the release does not have.
    """
    stem = known_question(question)
    if filters.top is not None and filters.top < 1:
        raise UsageError("--top must be at least 1.")
    with opened(find_release(release) / DATABASE) as con:
        columns = tuple(c[0] for c in con.execute(f"SELECT * FROM {stem} LIMIT 0").description or ())
        where, parameters = conditions(con, columns, filters)
        sql = f"SELECT * FROM {stem}" + (f" WHERE {' AND '.join(where)}" if where else "")
        sql += f" ORDER BY {_order(columns, filters)}" + (f" LIMIT {filters.top}" if filters.top else "")
        rows = tuple(con.execute(sql, parameters).fetchall())
    return Answer(stem, columns, rows, sql, tuple(_notes(columns, rows)))


def known_question(question: str) -> str:
    """The name of a question's view, given its name with hyphens or underscores; UsageError if there is none."""
    stem = question.replace("-", "_")
    if stem in QUESTIONS:
        return stem
    known = [q.replace("_", "-") for q in QUESTIONS]
    near = get_close_matches(question.replace("_", "-"), known, 3, 0.5)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Ask one of: {', '.join(known)}."
    raise UsageError(f"There is no question {question!r}.", hint)


def conditions(con: duckdb.DuckDBPyConnection, columns: Sequence[str], filters: Filters) -> tuple[list[str], list[Any]]:
    """The conditions that choose rows of an answer with these columns, and their parameters."""
    where: list[str] = []
    parameters: list[Any] = []
    if filters.years:
        where.append("year BETWEEN ? AND ?")
        parameters += filters.years
    for thing in ("genre", "company"):
        asked = getattr(filters, thing)
        if asked is None:
            continue
        if f"{thing}_id" not in columns:
            raise UsageError(f"This question has no {thing}.", f"Leave --{thing} out.")
        where.append(f"{thing}_id = ?")
        parameters.append(_identify(con, thing, asked))
    return where, parameters


def named(con: duckdb.DuckDBPyConnection, thing: str, asked: str) -> str:
    """The name and id of a genre or company named by either."""
    id_ = _identify(con, thing, asked)
    rows = con.execute(f"SELECT name FROM {thing} WHERE {thing}_id = ?", [id_]).fetchall()
    return f"{rows[0][0] or 'no name'} ({id_})"


def _identify(con: duckdb.DuckDBPyConnection, thing: str, asked: str) -> int:
    """The id of a genre or company named by id, or by name whatever the case and accents."""
    rows = con.execute(
        f"SELECT {thing}_id, name FROM {thing} WHERE CAST({thing}_id AS VARCHAR) = $1 "
        f"OR lower(strip_accents(name)) = lower(strip_accents($1)) ORDER BY 1",
        [asked],
    ).fetchall()
    if len(rows) == 1:
        return int(rows[0][0])
    if rows:
        candidates = ", ".join(f"{name_} ({id_})" for id_, name_ in rows[:10])
        things = {"genre": "genres", "company": "companies"}[thing]
        raise UsageError(f"{asked!r} is the name of {len(rows)} {things}: {candidates}.", "Give the id.")
    near = con.execute(
        f"SELECT {thing}_id, name FROM {thing} WHERE name IS NOT NULL "
        "ORDER BY contains(lower(strip_accents(name)), lower(strip_accents($1))) DESC, "
        "jaro_winkler_similarity(lower(name), lower($1)) DESC, 1 LIMIT 5",
        [asked],
    ).fetchall()
    hint = f"Near: {', '.join(f'{name_} ({id_})' for id_, name_ in near)}." if near else ""
    raise UsageError(f"The release has no {thing} {asked!r}.", hint)


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
