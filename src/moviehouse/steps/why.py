"""Tells everything about one movie: its raw record, what was done to it, its rows, its part in every answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from moviehouse.engines.duckdb import opened
from moviehouse.model.schema import Table
from moviehouse.model.tables import TABLE, TABLES
from moviehouse.run import RunRecord
from moviehouse.sql import QUESTIONS, statement
from moviehouse.sql.text import name
from moviehouse.steps.find_movie import Found, find_movie
from moviehouse.steps.find_release import find_release
from moviehouse.steps.raw import MOVIES_FILE, RawRecords
from moviehouse.steps.target import DATABASE
from moviehouse.steps.trace import KEYS, LogLine, columns_of, contribution, contributions, dicts, logs
from moviehouse.steps.unknown import Unknown


@dataclass(frozen=True)
class Record:
    """A record of movies_metadata.csv about the movie: its line, from 1, and what became of it.

    `outcome` is loaded, merged or rejected. `raw` is the record as it stands in the file, without its
    line end; None where the source is not at hand. A rejected one is always kept by the release.
    """

    file: str
    line: int
    outcome: str
    raw: str | None


@dataclass(frozen=True)
class Part:
    """The movie's part in one cell: what it adds to each measure, and the measures of the cell."""

    question: str
    keys: dict[str, Any]
    adds: dict[str, Any]
    measures: dict[str, Any]
    unknown: str | None


@dataclass(frozen=True)
class Why:
    """One movie, in a release or only in its source.

    `tables` has its rows by table, each with the names its ids stand for; `ratings` has for each
    MovieLens id and edition the number and the mean. `left_out` says why the answers by year do not
    count it, None where they do. `source` is where the source was, `at_hand` whether it still is.
    """

    movie_id: int
    title: str | None
    loaded: bool
    left_out: str | None
    source: str
    at_hand: bool
    records: tuple[Record, ...]
    log: tuple[LogLine, ...]
    tables: dict[str, tuple[dict[str, Any], ...]]
    ratings: tuple[dict[str, Any], ...]
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = field(default=())


def why(release: Path, asked: str, cache: Path | None = None) -> Why:
    """Tell about the movie with an id of TMDB or IMDb, or a title; `cache` is where downloads are.

    Raises UsageError where nothing or more than one movie is meant.
    """
    folder = find_release(release)
    run = RunRecord.read(folder / "run.json")
    with opened(folder / DATABASE) as con:
        found = find_movie(con, asked)
        raw = RawRecords(con, run, cache)
        log = (*_log_of(con, found.rejected), *logs(con, "SELECT CAST(? AS BIGINT)", [found.movie_id])[found.movie_id])
        tables = {t.name: tuple(_rows(con, t, found.movie_id)) for t in TABLES if _is_about_movies(t)}
        links = [row["movielens_id"] for row in tables["movielens_movie"]]
        movie = next(iter(tables["movie"]), None)
        left_out = _left_out(con, movie, log) if movie else "no record of it was loaded"
        return Why(
            found.movie_id,
            movie["title"] if movie else None,
            movie is not None,
            left_out,
            raw.place,
            raw.at_hand,
            tuple(_records(found, movie, log, raw)),
            log,
            tables,
            tuple(_ratings(con, links)),
            () if left_out else tuple(_parts(con, found.movie_id, Unknown(run, lambda: raw), log)),
            found.notes,
        )


def _log_of(con: duckdb.DuckDBPyConnection, rejected: Iterable[int]) -> Iterator[LogLine]:
    """What the log says of rejected records, whose movie it does not know."""
    for line in rejected:
        query = (
            'SELECT severity, reason, file, line, "column", value, message, action FROM error_log '
            "WHERE file = ? AND line = ? AND severity = 'rejected' AND movie_id IS NULL"
        )
        yield from (LogLine(**row) for row in dicts(con, query, [MOVIES_FILE, line]))


def _is_about_movies(table: Table) -> bool:
    return table.name != "error_log" and any(c.name == "movie_id" for c in table.columns)


def _rows(con: duckdb.DuckDBPyConnection, table: Table, movie_id: int) -> Iterator[dict[str, Any]]:
    """The movie's rows of a table, with the name of each thing that an id stands for."""
    columns, joins = ["t.*"], ""
    for reference in table.references:
        target = TABLE[reference.table]
        if target.name != "movie" and any(c.name == "name" for c in target.columns):
            columns.append(f"{name(target.name)}.name AS {name(target.name)}")
            key = f"{name(target.name)}.{name(target.key[0])}"
            joins += f" LEFT JOIN {name(target.name)} ON {key} = t.{name(reference.column)}"
    # A link is followed by the id that it gives: its movie may not be loaded.
    movie = "tmdb_id" if table.name == "movielens_movie" else "movie_id"
    order = "position" if any(c.name == "position" for c in table.columns) else table.columns[0].name
    for row in dicts(
        con,
        f"SELECT {', '.join(columns)} FROM {name(table.name)} AS t{joins} WHERE t.{movie} = ? ORDER BY t.{name(order)}",
        [movie_id],
    ):
        yield {c: v.decode("utf-8", "backslashreplace") if isinstance(v, bytes) else v for c, v in row.items()}


def _ratings(con: duckdb.DuckDBPyConnection, links: list[int]) -> Iterator[dict[str, Any]]:
    if links:
        ids = ", ".join(str(int(link)) for link in links)
        query = f"SELECT * FROM ({statement('trace', 'movielens_rating')}) AS r WHERE movielens_id IN ({ids})"
        yield from dicts(con, f"{query} ORDER BY edition, movielens_id")


def _left_out(con: duckdb.DuckDBPyConnection, movie: Mapping[str, Any], log: tuple[LogLine, ...]) -> str | None:
    """Why a loaded movie is no release; None if it is one."""
    if con.execute("SELECT 1 FROM release WHERE movie_id = ?", [movie["movie_id"]]).fetchone():
        return None
    if movie["release_date"] is not None:
        return f"its status is {movie['status']}"
    bad = [e.value for e in log if e.column == "release_date" and e.file == MOVIES_FILE and e.severity == "warning"]
    return f"its release_date is not valid: {bad[0]!r}" if bad else "it has no release_date"


def _records(
    found: Found,
    movie: Mapping[str, Any] | None,
    log: tuple[LogLine, ...],
    raw: RawRecords,
) -> Iterator[Record]:
    """The records of movies_metadata.csv that are the movie's, as they follow in the file."""
    lines = {int(movie["source_line"])} if movie else set()
    lines |= {e.line for e in log if e.file == MOVIES_FILE and e.reason == "duplicate_record" and e.line}
    for line in sorted({*lines, *found.rejected}):
        kept = found.rejected.get(line)
        outcome = "loaded" if movie and line == movie["source_line"] else "merged" if kept is None else "rejected"
        yield Record(MOVIES_FILE, line, outcome, raw.text(line) if kept is None else kept)


def _parts(con: duckdb.DuckDBPyConnection, movie_id: int, unknown: Unknown, log: tuple[LogLine, ...]) -> Iterator[Part]:
    """The movie's part in every cell of every answer, by the same SQL as a trace."""
    for stem in QUESTIONS:
        columns = columns_of(con, stem)
        keys = [c for c in columns if c == "year" or c.endswith("_id")]
        measures = [c for c in columns if c not in KEYS]
        cell = ", ".join(f"q.{m} AS {name('cell_' + m)}" for m in measures)
        joined = " AND ".join(f"q.{key} = c.{key}" for key in keys)
        query = (
            f"SELECT c.*, {cell} FROM (\n{contributions(columns)}) AS c JOIN {stem} AS q ON {joined} "
            f"WHERE c.movie_id = ? ORDER BY {', '.join('c.' + key for key in keys)}"
        )
        for row in dicts(con, query, [movie_id]):
            mine = contribution(row, measures, unknown, log)
            own = {c: row[c] for c in columns if c in KEYS}
            yield Part(stem, own, mine.adds, {m: row[f"cell_{m}"] for m in measures}, mine.unknown)
