"""Makes readings with hypothesis, dense with collisions, and runs the state's SQL over them on DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
from hypothesis import strategies as st
from lake_oracle import ID, NAMED, Row

from moviehouse.lake.state import fold, row, views
from moviehouse.model.lake import LAKE_TABLE, LAKE_TABLES, OBSERVED, READING
from moviehouse.model.schema import Column
from moviehouse.model.tables import TABLE, TABLES
from moviehouse.sql.text import literal

Readings = list[Row]
Rows = dict[str, dict[str, list[Row]]]
TIMES = [datetime(2024, 1, 1, hour) for hour in range(3)]
CODES = {1: "AA", 2: "BB", 3: "CC"}
# Columns that a relation of the state has beside those of the model and the stamp.
EXTRA = {
    "movie": ("credits_drop_id", "keywords_drop_id", "retired"),
    "movielens_movie": ("links_drop_id", "links_small_drop_id"),
}
STATE = (*(table.name for table in TABLES), "movie_observation")

_listed = st.lists(st.sampled_from([1, 2, 3]), max_size=3, unique=True)
_movie = st.tuples(st.sampled_from([None, "s", "t"]), st.sampled_from([None, 1, 2]), _listed, _listed)
_credit = st.lists(st.tuples(st.sampled_from("pqr"), st.sampled_from([1, 2])), max_size=3, unique_by=lambda c: c[0])
_link = st.tuples(st.sampled_from([None, "7", "12345678"]), st.sampled_from([None, 1, 2, 3]))
_ids = st.sampled_from([1, 2, 3])
_content = st.fixed_dictionaries(
    {
        "movies": st.dictionaries(_ids, _movie, max_size=3),
        "credits": st.dictionaries(_ids, _credit, max_size=3),
        "keywords": st.dictionaries(_ids, _listed, max_size=3),
        "links": st.dictionaries(_ids, _link, max_size=2),
        "links_small": st.dictionaries(_ids, _link, max_size=2),
        "ratings": st.dictionaries(st.tuples(st.sampled_from(["full", "small"]), _ids), _ids, max_size=2),
        "names": st.lists(st.sampled_from([None, "x", "y"]), min_size=3, max_size=3),
        "genders": st.lists(st.sampled_from([None, 0, 1, 2]), min_size=3, max_size=3),
        "pictures": st.lists(st.sampled_from([None, "/a", "/b"]), min_size=3, max_size=3),
    }
)
_reading = st.tuples(st.sampled_from(TIMES), st.sampled_from("ab"), st.sampled_from([1, 2]), st.booleans(), _content)


def _lake(made: list[tuple[Any, ...]]) -> tuple[Readings, Rows]:
    readings, rows = [], {}
    for number, (observed_at, drop_id, logic, full, content) in enumerate(made):
        reading = {"reading_id": f"r{number}", "drop_id": drop_id, "observed_at": observed_at, "logic": logic}
        readings.append(reading | {"full": full})
        stamp = {c: reading[c] for c in ("observed_at", "drop_id", "reading_id")}
        rows[reading["reading_id"]] = {
            table: [_blank(table) | row | stamp for row in listed] for table, listed in _tables(content).items()
        }
    return readings, rows


def _blank(table: str) -> Row:
    return {column.name: None for column in LAKE_TABLE[table].table.columns}


def _tables(content: dict[str, Any]) -> dict[str, list[Row]]:
    """The rows of a reading, by table."""
    found: dict[str, list[Row]] = {table.name: [] for table in LAKE_TABLES}
    for line, (movie, (title, known, genres, companies)) in enumerate(content["movies"].items(), 2):
        amount = known and known * 1000
        observed = dict.fromkeys(OBSERVED, amount) | {"popularity": known and Decimal(known), "vote_count": known}
        observed["vote_average"] = known and Decimal(known)
        found["movie_observation"].append({"movie_id": movie} | observed)
        found["movie"].append(
            {"movie_id": movie, "title": title, "collection_id": known, "original_language": title and "cc",
             "release_date": date(2000, 1, 1), "source_file": "movies_metadata.csv", "source_line": line} | observed
        )  # fmt: skip
        _list(found["movie_genre"], movie, "genre_id", genres)
        _list(found["movie_company"], movie, "company_id", companies)
        _list(found["movie_country"], movie, "country_code", [CODES[g] for g in genres])
        _list(found["movie_language"], movie, "language_code", [CODES[c].lower() for c in companies])
    for line, (movie, credits) in enumerate(content["credits"].items(), 2):
        found["credit_list"].append({"movie_id": movie, "source_line": line})
        for table, order in (("cast_credit", credits), ("crew_credit", credits[::-1])):
            found[table] += [
                {"credit_id": id_, "movie_id": movie, "person_id": person, "position": place, "source_line": line}
                for place, (id_, person) in enumerate(order, 1)
            ]
    for line, (movie, keywords) in enumerate(content["keywords"].items(), 2):
        found["keyword_list"].append({"movie_id": movie, "source_line": line})
        _list(found["movie_keyword"], movie, "keyword_id", keywords)
    for table, file in (("link", "links"), ("link_small", "links_small")):
        for line, (id_, (imdb, tmdb)) in enumerate(content[file].items(), 2):
            found[table].append({"movielens_id": id_, "imdb_id": imdb, "tmdb_id": tmdb, "line": line})
    for line, ((edition, id_), stars) in enumerate(content["ratings"].items(), 2):
        found["rating"].append(
            {"edition": edition, "user_id": 1, "movielens_id": id_, "rating": Decimal(stars), "source_line": line}
        )
    found["error_log"].append({"run_id": "run", "severity": "warning", "reason": "r", "message": "m", "action": "a"})
    _add_names(found, content)
    return found


def _list(rows: list[Row], movie: int, column: str, ids: list[Any]) -> None:
    rows += [{"movie_id": movie, column: id_, "position": place} for place, id_ in enumerate(ids, 1)]


def _add_names(found: dict[str, list[Row]], content: dict[str, Any]) -> None:
    """A name, known or not, for everything that the reading mentions."""
    for table in NAMED:
        mentions = {
            r[reference.column]
            for other in TABLES
            for reference in other.references
            if reference.table == table
            for r in found[other.name]
        }
        for id_ in sorted(mentions - {None}):
            place = ("", "A", "B", "C").index(id_[0].upper()) - 1 if isinstance(id_, str) else id_ - 1
            name, picture = content["names"][place], content["pictures"][place]
            pictures = {"profile_path": picture, "poster_path": picture, "backdrop_path": picture}
            thing = {ID[table]: id_, "name": name, "gender": content["genders"][place]} | pictures
            columns = {column.name for column in LAKE_TABLE[table].table.columns}
            found[table].append({c: v for c, v in thing.items() if c in columns})


lakes = st.lists(_reading, min_size=1, max_size=6).map(_lake)


def database() -> duckdb.DuckDBPyConnection:
    """A DuckDB with the inputs of the state, empty, and its views."""
    con = duckdb.connect(config={"threads": 1})
    for table in LAKE_TABLES:
        _create(con, row(table.name), table.columns)
    _create(con, "reading", READING)
    for name, select in views():
        con.execute(f"CREATE VIEW {name} AS {select}")
    return con


def _create(con: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[Column]) -> None:
    con.execute(f"CREATE TABLE {relation} ({', '.join(_quoted(c.name) + ' ' + c.type for c in columns)})")


def _quoted(name: str) -> str:
    return f'"{name}"'


def insert(con: duckdb.DuckDBPyConnection, relation: str, rows: list[Row]) -> None:
    """Insert rows, which have the relation's columns in its order."""
    if rows:
        names = list(rows[0])
        values = ", ".join(f"({', '.join(_sql(r[c]) for c in names)})" for r in rows)
        con.execute(f"INSERT INTO {relation} ({', '.join(map(_quoted, names))}) VALUES {values}")


def _sql(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"unhex('{value.hex()}')"
    return str(value) if isinstance(value, int | Decimal) else literal(str(value))


def load(con: duckdb.DuckDBPyConnection, readings: Readings, rows: Rows, also: Readings = ()) -> None:
    """Add rows of readings; `also` are readings that are known of, whose rows are elsewhere."""
    insert(con, "reading", [*readings, *also])
    for table in LAKE_TABLES:
        insert(con, row(table.name), [r for reading in readings for r in rows[reading["reading_id"]][table.name]])


def fold_all(con: duckdb.DuckDBPyConnection, settled: datetime | None) -> None:
    """Fold all rows that are there."""
    for table in reversed(LAKE_TABLES):  # what is listed before the list
        con.execute(f"CREATE OR REPLACE TABLE {row(table.name)} AS {fold(table, settled)}")


def columns(table: str) -> list[str]:
    """The columns of a relation of the state that are compared."""
    if table == "movielens_movie":
        return [*(c.name for c in TABLE[table].columns), *EXTRA[table]]
    own = TABLE[table].columns if table in TABLE else LAKE_TABLE[table].table.columns
    return [*(c.name for c in own), "observed_at", "drop_id", "reading_id", *EXTRA.get(table, ())]


def state(con: duckdb.DuckDBPyConnection) -> dict[str, list[tuple]]:
    """The rows of every relation of the state, sorted."""
    found = {}
    for table in STATE:
        names = ", ".join(map(_quoted, columns(table)))
        found[table] = sorted(con.execute(f"SELECT {names} FROM {table}").fetchall(), key=repr)
    return found


def comparable(found: dict[str, list[Row]]) -> dict[str, list[tuple]]:
    """An oracle's state in the shape of `state`."""
    return {t: sorted((tuple(r[c] for c in columns(t)) for r in found[t]), key=repr) for t in STATE}
