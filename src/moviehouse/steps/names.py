"""Finds the one genre or company that a name or an id means, however it is written."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from moviehouse.engines.duckdb import opened
from moviehouse.errors import UsageError
from moviehouse.hints import DEFAULT_OUT, LEAST_LETTERS, command
from moviehouse.safe import visible
from moviehouse.steps.find_release import find_release
from moviehouse.steps.target import DATABASE

THINGS = {"genre": "genres", "company": "companies"}
_MOST_CANDIDATES = 20
_NEAR = 5
_LEAST_SIMILAR = 0.8
# Letters that Unicode does not take apart into a base and an accent.
_BASES = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "\u0131": "i", "æ": "ae", "œ": "oe", "&": " and "})


@dataclass(frozen=True)
class Named:
    """A genre or company: its id, its name, and a note where what was asked for is only a part of the name."""

    id: int
    name: str | None
    note: str | None = None


def words(text: str | None) -> tuple[str, ...]:
    """The words of a name without case, accents and punctuation: `L'Étoile & Cie.` is letoile, and, cie."""
    apart = unicodedata.normalize("NFKD", (text or "").casefold().translate(_BASES))
    bare = "".join(c for c in apart if not unicodedata.combining(c) and c not in "'\u2019.")
    return tuple("".join(c if c.isalnum() else " " for c in bare).split())


def identify(con: duckdb.DuckDBPyConnection, thing: str, asked: str, release: Path = DEFAULT_OUT) -> Named:
    """Find the genre or company with this id; else with this name, or with a name that begins so or has these words.

    An exact name wins over one written otherwise, and that over a part of a name. Raises UsageError with the
    candidates where several are left, with near names where none is.
    """
    asked = asked.strip()
    known: list[tuple[int, str | None]] = con.execute(f"SELECT {thing}_id, name FROM {thing} ORDER BY 1").fetchall()
    if asked.isdecimal() and (same := [row for row in known if row[0] == int(asked)]):
        return Named(*same[0])
    own = words(asked)
    spelled = [(row, words(row[1])) for row in known]
    for found in (
        [row for row in known if row[1] == asked],
        [row for row, theirs in spelled if own and "".join(theirs) == "".join(own)],
    ):
        if len(found) == 1:
            return Named(*found[0])
        if found:
            raise _ambiguous(con, thing, f"{asked!r} is the name of {len(found)} {THINGS[thing]}.", found)
    part = [row for row, theirs in spelled if own and _has(theirs, own)]
    if len(part) == 1:
        return Named(*part[0], note=f"{asked!r} was read as {part[0][1]} ({part[0][0]}).")
    if part:
        raise _ambiguous(con, thing, f"{asked!r} is a part of the names of {len(part)} {THINGS[thing]}.", part)
    raise _nothing(con, thing, asked, release)


def named(con: duckdb.DuckDBPyConnection, thing: str, asked: str) -> str:
    """The name and id of a genre or company named by either."""
    found = identify(con, thing, asked)
    return f"{found.name or 'no name'} ({found.id})"


def _has(theirs: Sequence[str], own: Sequence[str]) -> bool:
    """Whether every word asked for begins a word of the name, or all of them the name."""
    if len("".join(own).encode()) < LEAST_LETTERS:  # in bytes: one character of some scripts says as much as a word
        return all(asked in theirs for asked in own)
    begins = all(any(word.startswith(asked) for word in theirs) for asked in own)
    return begins or "".join(theirs).startswith("".join(own))


def _ambiguous(
    con: duckdb.DuckDBPyConnection, thing: str, message: str, found: Sequence[tuple[int, str | None]]
) -> UsageError:
    """List the candidates: their ids, how many releases each has, and from when to when: what the answers count."""
    rows = con.execute(
        f"SELECT t.{thing}_id, t.name, COUNT(r.movie_id), MIN(r.year), MAX(r.year) FROM {thing} AS t "
        f"LEFT JOIN movie_{thing} AS j ON j.{thing}_id = t.{thing}_id "
        "LEFT JOIN release AS r ON r.movie_id = j.movie_id "
        f"WHERE t.{thing}_id IN ({', '.join(str(id_) for id_, _ in found)}) GROUP BY ALL ORDER BY 3 DESC, 1",
    ).fetchall()
    lines = [f"{'id':>8}  {'releases':>8}  {'years':<9}  name", *map(_candidate, rows[:_MOST_CANDIDATES])]
    if len(rows) > _MOST_CANDIDATES:
        lines.append(f"and {len(rows) - _MOST_CANDIDATES} more: write more of the name")
    hint = f"Give the id of one, for example --{thing} {rows[0][0]}."
    return UsageError(message, hint, detail="\n".join(lines))


def _candidate(row: tuple[Any, ...]) -> str:
    id_, name, releases, first, last = row
    years = "" if first is None else str(first) if first == last else f"{first}-{last}"
    return f"{id_:>8}  {releases:>8,}  {years:<9}  {visible(name) or 'no name'}"


def _nothing(con: duckdb.DuckDBPyConnection, thing: str, asked: str, release: Path) -> UsageError:
    near = con.execute(
        f"SELECT {thing}_id, name, jaro_winkler_similarity(lower(strip_accents(name)), lower(strip_accents($1))) AS s "
        f"FROM {thing} WHERE name IS NOT NULL AND s >= {_LEAST_SIMILAR} ORDER BY s DESC, 1 LIMIT {_NEAR}",
        [asked],
    ).fetchall()
    hint = f"Near: {', '.join(f'{name_} ({id_})' for id_, name_, _ in near)}." if near else _listing(thing, release)
    return UsageError(f"The release has no {thing} {asked!r}.", hint)


def _listing(thing: str, release: Path) -> str:
    query = f'sql "FROM {thing} ORDER BY name"'
    return f"See all of them: {command(query, release)}"


def beginning(release: Path, thing: str, start: str, most: int) -> list[tuple[str, str]]:
    """The names of a release that begin so, whatever the case: with the number of movies, the most first."""
    with opened(find_release(release) / DATABASE) as con:
        rows = con.execute(
            f"SELECT t.name, COUNT(*) FROM {thing} AS t JOIN movie_{thing} AS j ON j.{thing}_id = t.{thing}_id "
            "WHERE starts_with(lower(t.name), lower($1)) GROUP BY t.name ORDER BY 2 DESC, 1 LIMIT $2",
            [start, most],
        ).fetchall()
    return [(name, "1 movie" if count == 1 else f"{count:,} movies") for name, count in rows]
