"""The state of the lake: the model's tables as a function of the set of readings.

Inputs are a relation `<table>_row` for each table of the lake, with the rows of the readings that count (see
`counting`), and the relation `reading`. `views` gives the state from them; `fold` the rows of one table that
the state still needs. The law that lets upkeep fold at any time, for rows a and b of different readings:

    state(a and b) = state(fold(a) and b)

All of it is SELECTs in DuckDB's dialect that another engine can have: windows, joins and aggregates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from moviehouse.model.lake import LAKE_TABLE, LAKE_TABLES, OBSERVED, STAMP, TOKEN, LakeTable, Part
from moviehouse.model.tables import MOVIE, TABLE, TABLES
from moviehouse.sql import statement
from moviehouse.sql.text import literal, name

_NEWEST = ", ".join(f"t.{column.name} DESC" for column in TOKEN)
_OLDEST = ", ".join(f"t.{column.name}" for column in TOKEN)


class Reading(Protocol):
    """What is asked of a reading: its token, the version of its logic, whether its drop is a whole snapshot."""

    @property
    def reading_id(self) -> str: ...  # noqa: D102
    @property
    def drop_id(self) -> str: ...  # noqa: D102
    @property
    def observed_at(self) -> datetime: ...  # noqa: D102
    @property
    def logic(self) -> int: ...  # noqa: D102
    @property
    def full(self) -> bool: ...  # noqa: D102


R = TypeVar("R", bound=Reading)


def counting(readings: Iterable[R]) -> list[R]:
    """The readings that count: of each drop the one by the newest logic. Sorted by token.

    A drop is its token: the same bytes observed at two times are two drops. Where one logic read a drop twice,
    as a part and as a whole, the whole counts.
    """
    newest: dict[tuple[datetime, str], R] = {}
    for reading in sorted(readings, key=lambda r: (r.logic, r.full, r.reading_id)):
        newest[reading.observed_at, reading.drop_id] = reading
    return [newest[token] for token in sorted(newest)]


def row(table: str) -> str:
    """The name of the input relation with a table's rows."""
    return f"{table}_row"


def _columns(table: LakeTable, alias: str = "") -> str:
    return ", ".join(f"{alias}{name(column.name)}" for column in table.columns)


def _keys(columns: Sequence[str]) -> str:
    return ", ".join(f"t.{name(column)}" for column in columns)


def fold(table: LakeTable, settled: datetime | None = None) -> str:
    """The SELECT of the rows of `<table>_row` that the state still needs, all columns.

    Of a set it also reads the rows of the table that lists its movies, of all readings that count, also where only some
    rows of the set are given. History is folded up to `settled`
    alone, before which no other drop is expected to have been observed; without it not at all. Logs are kept.
    """
    if table.kind == "set":
        return _listed(table)
    if table.kind == "named":
        return _known(table)
    if table.kind == "history" and settled is not None:
        moment = settled.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        return _changes(table, f"observed_at >= CAST({literal(moment)} AS TIMESTAMP)")
    if table.kind == "keyed":
        return _latest(table, _columns(table))
    return f"SELECT {_columns(table)} FROM {row(table.name)}"


def _latest(table: LakeTable, columns: str) -> str:
    """Of each key the row of the greatest token."""
    return (
        f"SELECT {columns} FROM (SELECT t.*, ROW_NUMBER() OVER (PARTITION BY {_keys(table.table.key)} "
        f"ORDER BY {_NEWEST}) AS place FROM {row(table.name)} AS t) AS placed WHERE place = 1"
    )


def _listed(table: LakeTable) -> str:
    """Of each movie the rows of its greatest list."""
    owner = LAKE_TABLE[table.list]
    same = " AND ".join(f"l.{c} = t.{c}" for c in (*owner.table.key, *(column.name for column in TOKEN)))
    lists = _latest(owner, ", ".join((*owner.table.key, *(column.name for column in TOKEN))))
    return f"SELECT {_columns(table, 't.')} FROM {row(table.name)} AS t JOIN ({lists}) AS l ON {same}"


def _places(table: LakeTable) -> str:
    """The rows of a named thing, with the place of each for each part: first the greatest token that has it."""
    windows = []
    for number, part in enumerate(table.parts):
        windows.append(
            f"ROW_NUMBER() OVER (PARTITION BY {_keys(table.table.key)} ORDER BY {_rank(part)}, {_NEWEST}) "
            f"AS place_{number}"
        )
    return f"SELECT t.*, {', '.join(windows)} FROM {row(table.name)} AS t"


def _rank(part: Part) -> str:
    column = f"t.{name(part.columns[0])}"
    unset = f" WHEN {column} = {part.unset} THEN 1" if part.unset else ""
    return f"CASE WHEN {column} IS NULL THEN 2{unset} ELSE 0 END"


def _known(table: LakeTable) -> str:
    """The rows of a named thing that any part is taken from."""
    first = " OR ".join(f"place_{number} = 1" for number in range(len(table.parts)))
    return f"SELECT {_columns(table)} FROM ({_places(table)}) AS placed WHERE {first}"


def _changes(table: LakeTable, unless: str = "") -> str:
    """The observations that differ from the one before, and those `unless` which are kept anyway."""
    window = f"OVER (PARTITION BY {_keys(table.table.key)} ORDER BY {_OLDEST})"
    before = ", ".join(f"LAG(t.{c}) {window} AS before_{c}" for c in OBSERVED)
    changed = " OR ".join(f"{c} IS DISTINCT FROM before_{c}" for c in OBSERVED)
    kept = f" OR {unless}" if unless else ""
    return (
        f"SELECT {_columns(table)} FROM (SELECT t.*, ROW_NUMBER() {window} AS place, {before} "
        f"FROM {row(table.name)} AS t) AS placed WHERE place = 1 OR {changed}{kept}"
    )


def views() -> Iterator[tuple[str, str]]:
    """The relations of the state, in an order in which each needs only those before it: name, SELECT.

    Every table of the model is among them, with its columns and the stamp of its rows, and `movie_observation`.
    `movie` has `retired` too. Those named `…_now`, and a few more, are steps on the way.
    """
    for table in LAKE_TABLES:
        if table.kind in ("keyed", "set"):
            yield f"{table.name}_now", fold(table)
    yield "newest_full", statement("lake", "newest_full")
    yield MOVIE.name, statement("lake", "movie")
    yield from _movielens()
    by_kind = {kind: [t for t in LAKE_TABLES if t.kind == kind] for kind in ("set", "named", "history", "log")}
    for table in by_kind["set"]:
        yield table.name, _set(table)
    for table in by_kind["named"]:
        yield table.name, _named(table)
    for table in by_kind["history"]:
        yield table.name, _changes(table)
    for table in by_kind["log"]:
        yield table.name, f"SELECT {_columns(table)} FROM {row(table.name)}"


def _movielens() -> Iterator[tuple[str, str]]:
    """MovieLens's movies by the SELECT of a build, from the current links, and the current ratings."""
    yield "known_movie", "SELECT movie_id FROM movie_now"
    yield "loaded_link", "SELECT * FROM link_now"
    yield "loaded_link_small", "SELECT * FROM link_small_now"
    yield "rated_movie", f"SELECT movielens_id FROM {row('rating')}"
    yield "linked_movie", statement("conform", "movielens_movie")
    yield "movielens_movie", statement("lake", "movielens_movie")
    yield "rating", "SELECT * FROM rating_now"


def _set(table: LakeTable) -> str:
    """The current sets of the movies that are known. Of what is in two movies' sets the later one is kept."""
    later = [f"t.{c} DESC" for c in ("source_line", "position") if c in {column.name for column in table.columns}]
    known = "" if table.list == MOVIE.name else " WHERE t.movie_id IN (SELECT movie_id FROM known_movie)"
    return (
        f"SELECT {_columns(table)} FROM (SELECT t.*, ROW_NUMBER() OVER (PARTITION BY {_keys(TABLE[table.name].key)} "
        f"ORDER BY {', '.join((_NEWEST, *later))}) AS place FROM {table.name}_now AS t{known}) AS placed "
        "WHERE place = 1"
    )


def _named(table: LakeTable) -> str:
    """Named things that something of the state refers to; each part from the greatest token that has it."""
    key = table.table.key[0]
    columns = [f"MAX({name(key)}) AS {name(key)}"]
    for number, part in enumerate(table.parts):
        columns += [f"MAX(CASE WHEN place_{number} = 1 THEN {name(c)} END) AS {name(c)}" for c in part.columns]
    columns += [f"MAX(CASE WHEN place_0 = 1 THEN {c.name} END) AS {c.name}" for c in STAMP]
    mentions = " UNION ".join(
        f"SELECT {name(reference.column)} FROM {name(other.name)}"
        for other in TABLES
        for reference in other.references
        if reference.table == table.name
    )
    return (
        f"SELECT {', '.join(columns)} FROM ({_places(table)}) AS placed "
        f"WHERE {name(key)} IN ({mentions}) GROUP BY {name(key)}"
    )
