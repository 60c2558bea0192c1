"""Traces a cell of an answer back to the movies behind it: what each adds, what is unknown, where it comes from."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from moviehouse.engines.duckdb import opened
from moviehouse.errors import UsageError
from moviehouse.hints import DEFAULT_OUT
from moviehouse.run import RunRecord
from moviehouse.sql import statement
from moviehouse.steps.answer import Filters, conditions, known_question, own_order
from moviehouse.steps.find_release import find_release
from moviehouse.steps.names import named
from moviehouse.steps.raw import RawRecords
from moviehouse.steps.target import DATABASE
from moviehouse.steps.unknown import Unknown

KEYS = ("year", "genre_id", "genre", "company_id", "company")
_NEAR = 5


@dataclass(frozen=True)
class LogLine:
    """A line of the error log that is about a movie; `value` is cut as it is there."""

    severity: str
    reason: str
    file: str
    line: int | None
    column: str | None
    value: str | None
    message: str
    action: str


@dataclass(frozen=True)
class Contribution:
    """What one movie adds to a cell.

    `adds` has a value for each measure of the question: full and allocated amounts in US dollars, a
    popularity, or 1 for a movie that is counted. None is unknown, and `unknown` says why. `shared_by`
    is how many genres or companies share the allocated amount. `source_line` is from 1.
    """

    movie_id: int
    title: str | None
    adds: dict[str, Any]
    unknown: str | None
    shared_by: int | None
    source_file: str
    source_line: int
    log: tuple[LogLine, ...] = ()


@dataclass(frozen=True)
class Cell:
    """A row of an answer: its keys, its measures, and the movies behind it, the largest amount first."""

    keys: dict[str, Any]
    measures: dict[str, Any]
    movies: tuple[Contribution, ...]

    @property
    def sums(self) -> dict[str, Any]:
        """What the movies add up to, by measure."""
        return {measure: add_up(measure, [m.adds[measure] for m in self.movies]) for measure in self.measures}

    @property
    def adds_up(self) -> bool:
        """Whether the movies add up to the cell in every measure: exactly, a mean to the last bit of a double."""
        return all(equal(value, self.sums[measure]) for measure, value in self.measures.items())


@dataclass(frozen=True)
class Trace:
    """The cells that were asked for, in the answer's order, and the SQL that gives the movies behind them."""

    question: str
    cells: tuple[Cell, ...]
    sql: str

    @property
    def adds_up(self) -> bool:
        """Whether every cell is what its movies add up to."""
        return all(cell.adds_up for cell in self.cells)


def trace(release: Path, question: str, filters: Filters) -> Trace:
    """Trace the cells of a question that the filters choose: those of one genre or company, in a year or in all.

    Raises UsageError where the genre or company is not given or not there, or no cell is chosen.
    """
    folder = find_release(release)
    stem = known_question(question)
    with opened(folder / DATABASE) as con:
        columns = columns_of(con, stem)
        _require(stem, columns, filters)
        found = trace_cells(con, RunRecord.read(folder / "run.json"), stem, filters, release)
        if not found.cells:
            raise _no_cell(con, stem, columns, filters)
    return found


def trace_cells(
    con: duckdb.DuckDBPyConnection, run: RunRecord, stem: str, filters: Filters, release: Path = DEFAULT_OUT
) -> Trace:
    """Trace every cell of a question that the filters choose; without filters all of them."""
    columns = columns_of(con, stem)
    where, parameters, _ = conditions(con, columns, filters, release)
    chosen = f"SELECT * FROM {stem}" + (f" WHERE {' AND '.join(where)}" if where else "")
    cells = dicts(con, f"{chosen} ORDER BY {own_order(columns)}", parameters)
    keys = [c for c in columns if c == "year" or c.endswith("_id")]
    behind = contributions(columns)
    joined = " AND ".join(f"q.{key} = c.{key}" for key in keys)
    sql = f"SELECT c.* FROM (\n{behind}) AS c\nJOIN ({chosen}) AS q ON {joined}"
    log = logs(con, f"SELECT movie_id FROM ({sql}) AS traced", parameters)
    rows: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in dicts(con, f"{sql}\nORDER BY {_largest(columns)}c.movie_id", parameters):
        rows[tuple(row[key] for key in keys)].append(row)
    unknown = Unknown(run, lambda: RawRecords(con, run))
    made = []
    for cell in cells:
        own = {c: v for c, v in cell.items() if c in KEYS}
        measures = {c: v for c, v in cell.items() if c not in KEYS}
        movies = rows[tuple(cell[key] for key in keys)]
        made.append(
            Cell(own, measures, tuple(contribution(row, measures, unknown, log[row["movie_id"]]) for row in movies))
        )
    return Trace(stem, tuple(made), sql)


def columns_of(con: duckdb.DuckDBPyConnection, stem: str) -> tuple[str, ...]:
    """The columns of a question's answer."""
    return tuple(c[0] for c in con.execute(f"SELECT * FROM {stem} LIMIT 0").description or ())


def contributions(columns: Sequence[str]) -> str:
    """The SELECT of what every movie adds to the cells of an answer with these columns."""
    things = [thing for thing in ("company", "genre") if f"{thing}_id" in columns]
    return statement("trace", "_".join([*things, "movie"]))


def contribution(
    row: dict[str, Any], measures: Sequence[str] | dict[str, Any], unknown: Unknown, log: tuple[LogLine, ...]
) -> Contribution:
    """What one row of `contributions` adds to each measure of its cell."""
    adds = {measure: _adds(measure, row) for measure in measures}
    missing = [source for source in sorted({_source(m) for m in measures}) if source and row[source] is None]
    return Contribution(
        row["movie_id"],
        row["title"],
        adds,
        unknown.why(row, missing[0], log) if missing else None,
        row.get("shared_by"),
        row["source_file"],
        row["source_line"],
        log,
    )


def _source(measure: str) -> str:
    """The column of a contribution that a measure is made of; none where movies are only counted."""
    if measure.startswith("movies_with_"):
        return measure.removeprefix("movies_with_") + "_usd"
    if measure.startswith("popularity_"):
        return "popularity"
    return "" if measure in ("movies", "releases") else measure


def _adds(measure: str, row: dict[str, Any]) -> Any:
    source = _source(measure)
    if measure.startswith("movies_with_"):
        return int(row[source] is not None)
    return row[source] if source else 1


def add_up(measure: str, values: Sequence[Any]) -> Any:
    """The total of what movies add to a measure, None if nothing is known; for a mean the mean."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    total = sum(known)
    return float(total) / len(known) if measure.endswith("_mean") else total


def equal(value: Any, other: Any) -> bool:
    """Whether a measure is what was added up: exactly, a mean to the last bit of a double."""
    if isinstance(value, float) and isinstance(other, float):
        return abs(value - other) <= math.ulp(value)
    return bool(value == other)


def logs(
    con: duckdb.DuckDBPyConnection, movies: str, parameters: Sequence[Any] = ()
) -> defaultdict[int, tuple[LogLine, ...]]:
    """The lines of the error log about the movies that a query gives, by movie."""
    query = (
        f"SELECT * FROM ({statement('trace', 'movie_log')}) AS e WHERE about IN ({movies}) "
        'ORDER BY about, file, line, "column", reason, value'
    )
    found: dict[int, list[LogLine]] = defaultdict(list)
    for row in dicts(con, query, parameters):
        found[row.pop("about")].append(LogLine(**row))
    return defaultdict(tuple, {movie: tuple(lines) for movie, lines in found.items()})


def dicts(con: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] = ()) -> Iterator[dict[str, Any]]:
    """The rows of a query, each by column."""
    cursor = con.execute(query, list(parameters))
    names = [c[0] for c in cursor.description or ()]
    return iter([dict(zip(names, row, strict=True)) for row in cursor.fetchall()])


def _largest(columns: Sequence[str]) -> str:
    """Orders movies by what they add, where that is an amount."""
    amount = next((_source(c) for c in columns if c.endswith("_usd") or c.startswith("popularity_")), None)
    return f"c.{amount} DESC NULLS LAST, " if amount else ""


def _require(stem: str, columns: Sequence[str], filters: Filters) -> None:
    """A genre or company whose cells are traced; the most popular genre is the answer, and need not be given."""
    thing = "company" if "company_id" in columns else "genre"
    if getattr(filters, thing) is None and stem != "genre_most_popular_by_year":
        example = {"company": '--company "Pixar Animation Studios"', "genre": "--genre Animation"}[thing]
        raise UsageError(f"Which {thing}? A trace follows the cells of one.", f"Add for example {example}.")


def _no_cell(con: duckdb.DuckDBPyConnection, stem: str, columns: Sequence[str], filters: Filters) -> UsageError:
    """Say that there is no such cell, and which ones are near."""

    def there(column: str, **kept: Any) -> list[Any]:
        where, parameters, _ = conditions(con, columns, Filters(**kept))
        condition = f" WHERE {' AND '.join(where)}" if where else ""
        query = f"SELECT DISTINCT {column} FROM {stem}{condition} ORDER BY 1"
        return [row[0] for row in con.execute(query, parameters).fetchall()]

    years, genre, company = filters.years, filters.genre, filters.company
    span = "" if years is None else f" in {_span(years)}"
    asked = [
        named(con, thing, text) for thing, text in (("company", company), ("genre", genre)) if isinstance(text, str)
    ]
    message = f"{stem.replace('_', '-')} has no cell for {', '.join(asked) or 'any genre'}{span}."
    if stem == "genre_most_popular_by_year" and years and (genres := there("genre", years=years)):
        return UsageError(message, f"The most popular there: {_list(genres)}.")
    if years and (found := there("year", genre=genre, company=company)):
        near = sorted(sorted(found, key=lambda y: min(abs(y - years[0]), abs(y - years[1])))[:_NEAR])
        return UsageError(message, f"The nearest years that have one: {_list(near)}.")
    if company and genre and (genres := there("genre", company=company)):
        return UsageError(message, f"The genres of {asked[0]}: {_list(genres)}.")
    return UsageError(message, "None of its movies is a release: one with a date whose status is Released or none.")


def _span(years: tuple[int, int]) -> str:
    return str(years[0]) if years[0] == years[1] else f"{years[0]} to {years[1]}"


def _list(values: Sequence[Any]) -> str:
    return ", ".join(str(v) for v in values)
