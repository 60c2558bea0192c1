"""Finds the one movie that an id or a title means, in the tables or in what they could not take."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from moviehouse.errors import UsageError
from moviehouse.steps.raw import MOVIES_FILE

_MOST_CANDIDATES = 10
_LEAST_SIMILAR = 0.8
_GIVE = "Give TMDB's id of the movie, IMDb's (tt and digits), or its title."
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class Found:
    """The movie meant; `rejected` has the records that name it and could not be loaded, by line."""

    movie_id: int
    notes: tuple[str, ...] = ()
    rejected: dict[int, str] = field(default_factory=dict)


def find_movie(con: duckdb.DuckDBPyConnection, asked: str) -> Found:
    """Find the movie with an id of TMDB, an id of IMDb (tt…) or a title.

    Raises UsageError with the candidates where a title is that of several, or with near ones.
    """
    asked = asked.strip()
    if not asked:
        raise UsageError("The movie's id or title is empty.", _GIVE)
    titled = _titled(con, asked)
    if re.fullmatch(r"[0-9]+", asked) and (found := _by_id(con, asked)):
        others = [row for row in titled if row[0] != found.movie_id]
        notes = (f"The title of another movie is {asked!r} too: {_list(others)}.",) if others else ()
        return Found(found.movie_id, notes, found.rejected)
    if match := re.fullmatch(r"(?i)tt([0-9]+)", asked):
        return _by_imdb_id(con, match[1])
    if len(titled) == 1:
        return Found(int(titled[0][0]))
    if match := re.match(r"(?i)tt[0-9]+", asked) if not titled else None:
        raise UsageError(f"{asked!r} is no id of IMDb: those are tt and digits.", f"Did you mean {match[0]}?")
    if titled:
        raise UsageError(f"{asked!r} is the title of {len(titled)} movies: {_list(titled)}.", "Give the id.")
    raise _nothing(con, asked)


def _titled(con: duckdb.DuckDBPyConnection, asked: str) -> list[tuple[Any, ...]]:
    """Movies of a title, in English or the original, whatever the case and accents: id, title, year."""
    rows = con.execute(
        "SELECT movie_id, title, EXTRACT(YEAR FROM release_date) FROM movie "
        "WHERE lower(strip_accents($1)) IN (lower(strip_accents(title)), lower(strip_accents(original_title))) "
        "ORDER BY popularity DESC NULLS LAST, movie_id",
        [asked],
    ).fetchall()
    own = [row for row in rows if row[1] is not None and row[1].lower() == asked.lower()]
    return own or rows


def _by_id(con: duckdb.DuckDBPyConnection, asked: str) -> Found | None:
    """The movie with the id, loaded or not: links, the log and what was rejected name it too."""
    movie_id = int(asked)
    if movie_id > _LARGEST_ID:
        return None
    named = con.execute(
        "SELECT 1 FROM movie WHERE movie_id = $1 UNION ALL SELECT 1 FROM error_log WHERE movie_id = $1 "
        "UNION ALL SELECT 1 FROM rejected_record WHERE movie_id = $1 "
        "UNION ALL SELECT 1 FROM movielens_movie WHERE tmdb_id = $1 LIMIT 1",
        [movie_id],
    ).fetchone()
    rejected = _rejected(con, rf",{movie_id},tt[0-9]+," if named else rf",{movie_id},(tt[0-9]+)?,")
    return Found(movie_id, (), rejected) if named or rejected else None


def _by_imdb_id(con: duckdb.DuckDBPyConnection, digits: str) -> Found:
    number = digits.lstrip("0") or "0"
    rows = con.execute(
        "SELECT movie_id, title, EXTRACT(YEAR FROM release_date) FROM movie "
        "WHERE ltrim(substr(imdb_id, 3), '0') = $1 ORDER BY movie_id",
        [number],
    ).fetchall()
    if not rows:
        rows = con.execute(
            "SELECT DISTINCT tmdb_id, NULL, NULL FROM movielens_movie "
            "WHERE ltrim(substr(imdb_id, 3), '0') = $1 AND tmdb_id IS NOT NULL ORDER BY 1",
            [number],
        ).fetchall()
    if len(rows) > 1:
        raise UsageError(f"tt{digits} is the IMDb id of {len(rows)} movies: {_list(rows)}.", "Give TMDB's id.")
    rejected = _rejected(con, rf",tt0*{number},")
    if rows:
        return _by_id(con, str(rows[0][0])) or Found(int(rows[0][0]), (), rejected)
    for raw in rejected.values():
        if match := re.search(rf",([0-9]+),tt0*{number},", raw):
            return Found(int(match[1]), (), rejected)
    raise UsageError(f"No movie has the IMDb id tt{digits}.", "Give TMDB's id or a title.")


def _rejected(con: duckdb.DuckDBPyConnection, pattern: str) -> dict[int, str]:
    """Rejected records of movies_metadata.csv that have the text of a pattern, by line."""
    rows = con.execute(
        "SELECT line, raw FROM rejected_record WHERE file = ? AND unit = 'record' ORDER BY line", [MOVIES_FILE]
    ).fetchall()
    found = {line: raw.decode("utf-8", "backslashreplace") for line, raw in rows}
    return {line: raw for line, raw in found.items() if re.search(pattern, raw)}


def _nothing(con: duckdb.DuckDBPyConnection, asked: str) -> UsageError:
    if asked.isdigit():
        return UsageError(f"No movie {asked} is in the release, its error log or its links.", "Give an id or a title.")
    # Few who look for a title write its article.
    near = con.execute(
        "SELECT movie_id, title, EXTRACT(YEAR FROM release_date) FROM "
        f"(SELECT *, {_bare('title')} AS bare, {_bare('$1')} AS asked FROM movie WHERE title IS NOT NULL) AS m "
        f"WHERE contains(bare, asked) OR jaro_winkler_similarity(bare, asked) >= {_LEAST_SIMILAR} "
        "ORDER BY contains(bare, asked) DESC, jaro_winkler_similarity(bare, asked) DESC, popularity DESC NULLS LAST, 1 "
        "LIMIT 5",
        [asked],
    ).fetchall()
    return UsageError(f"No movie is called {asked!r}.", f"Near: {_list(near)}." if near else _GIVE)


def _bare(title: str) -> str:
    return f"regexp_replace(lower(strip_accents({title})), '^(the|an?) ', '')"


def _list(rows: Sequence[tuple[Any, ...]]) -> str:
    shown = [
        f"{row[1]} ({row[0]}, {row[2]})" if row[2] else f"{row[1] or 'no title'} ({row[0]})"
        for row in rows[:_MOST_CANDIDATES]
    ]
    return ", ".join(shown) + (", …" if len(rows) > _MOST_CANDIDATES else "")
