"""The balance: of every file, records read = loaded + merged + rejected; of every list, its elements too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import duckdb

from moviehouse.engines import Engine
from moviehouse.engines.duckdb import DuckDB
from moviehouse.engines.repeats import find_suspects, repeated
from moviehouse.model.sources import SOURCES
from moviehouse.sql.text import literal, name
from moviehouse.steps.read import Reading

# Of millions of whole numbers, how many are distinct, as marks in words of 60 bits: rows that are in the order of their
# lines are one group for 60 of them, where COUNT(DISTINCT …) would have an engine hold, or send around, each.
_DISTINCT_LINES = (
    "SELECT COALESCE(SUM(BIT_COUNT(marks)), 0) AS n FROM ("
    "SELECT BIT_OR(CAST(1 AS BIGINT) << CAST(source_line % 60 AS INTEGER)) AS marks "
    "FROM {{rating}} WHERE edition = '{edition}' GROUP BY source_line - source_line % 60) AS marked"
)
# Where the records of a file can be found again in the model: one line each.
LOADED = {
    "movies_metadata.csv": "SELECT COUNT(DISTINCT source_line) AS n FROM {movie}",
    "credits.csv": "SELECT COUNT(DISTINCT credits_line) AS n FROM {movie}",
    "keywords.csv": "SELECT COUNT(DISTINCT keywords_line) AS n FROM {movie}",
    "links.csv": "SELECT COUNT(DISTINCT links_line) AS n FROM {movielens_movie}",
    "links_small.csv": "SELECT COUNT(DISTINCT links_small_line) AS n FROM {movielens_movie}",
    "ratings.csv": _DISTINCT_LINES.format(edition="full"),
    "ratings_small.csv": _DISTINCT_LINES.format(edition="small"),
}
_TABLES = {"movie": "movie", "movielens_movie": "movielens_movie", "rating": "rating"}
# The table that a nested column's elements are loaded into.
_LISTS = {
    "genres": "movie_genre",
    "production_companies": "movie_company",
    "production_countries": "movie_country",
    "spoken_languages": "movie_language",
    "keywords": "movie_keyword",
    "cast": "cast_credit",
    "crew": "crew_credit",
}


@dataclass(frozen=True)
class Balance:
    """Of one file (`column` empty) or one list: what became of its records or elements.

    `mended` and `warned` count loaded records with at least one such note.
    """

    file: str
    column: str
    read: int
    loaded: int
    merged: int
    rejected: int
    mended: int = 0
    warned: int = 0


def show(con: duckdb.DuckDBPyConnection, balances: list[Balance]) -> None:
    """Make the balance a temporary table, for the checks."""
    con.execute(f"CREATE TEMP TABLE balance AS {select(balances)}")


def select(balances: list[Balance]) -> str:
    """The balance as a SELECT."""
    counts = ("read", "loaded", "merged", "rejected")
    values = ", ".join(
        f"({literal(b.file)}, {literal(b.column)}, {', '.join(str(getattr(b, c)) for c in counts)})" for b in balances
    )
    columns = ", ".join(f"CAST({c} AS BIGINT) AS {c}" for c in counts)
    return f'SELECT file, "column", {columns} FROM (VALUES {values}) AS b (file, "column", {", ".join(counts)})'


def strike(
    engine: Engine,
    readings: list[Reading],
    loaded_ratings: dict[str, int] | None = None,
    places: Mapping[str, str] = LOADED,
) -> list[Balance]:
    """Count what was read, loaded, merged and rejected, each from a place of its own.

    `loaded_ratings` are the distinct lines by edition, where the engine has counted them already; `places` select
    the loaded records of each file.
    """
    counts = _counts(engine, readings, loaded_ratings, places)
    merged = dict(engine.rows("SELECT file, COUNT(*) FROM merged_record GROUP BY file"))
    rejected = dict(engine.rows("SELECT file, COUNT(*) FROM rejected_record WHERE unit = 'record' GROUP BY file"))
    noted = {
        (file, severity): count
        for file, severity, count in engine.rows(
            "SELECT file, severity, COUNT(DISTINCT line) FROM error_log "
            "WHERE severity IN ('mended', 'warning') AND line > 1 GROUP BY file, severity"
        )
    }
    balances = []
    for reading in readings:
        file = reading.file
        balances.append(
            Balance(
                file, "", reading.records, counts[file, "", "loaded"], merged.get(file, 0), rejected.get(file, 0),
                noted.get((file, "mended"), 0), noted.get((file, "warning"), 0),
            )
        )  # fmt: skip
    for reading in readings:
        for column in (column for column in reading.elements if column in _LISTS):
            loaded, merged_, refused = (counts[reading.file, column, fate] for fate in ("loaded", "merged", "rejected"))
            balances.append(Balance(reading.file, column, reading.elements[column], loaded, merged_, refused))
    return balances


def _counts(
    engine: Engine, readings: list[Reading], loaded_ratings: dict[str, int] | None, places: Mapping[str, str]
) -> Counter[tuple[str, str, str]]:
    """What can be counted, by file, list (or none) and fate, in one query: engines start slowly on each."""
    edition = {source.name: source.constants.get("edition", "") for source in SOURCES}
    counts: Counter[tuple[str, str, str]] = Counter()
    queries = [*_FALLEN]
    for reading in readings:
        file = reading.file
        if loaded_ratings is not None and edition[file] in loaded_ratings:
            counts[file, "", "loaded"] = loaded_ratings[edition[file]]
        else:
            queries.append(_labelled(file, "", "'loaded'", places[file].format(**_TABLES)))
        for column in (column for column in reading.elements if column in _LISTS):
            queries += _list_counts(file, column)
    for file, column, fate, count in engine.rows(" UNION ALL ".join(queries)):
        counts[file, column, fate] += count
    return counts


# Records that are not loaded, and what became of them.
_GONE = (
    "(SELECT file, ordinal, 'merged' AS fate FROM merged_record "
    "UNION ALL SELECT file, ordinal, 'rejected' AS fate FROM rejected_reference)"
)
# Elements that fell out of their lists, of all files: with their record after they had been rejected, or alone.
_FALLEN = (
    'SELECT t.file, t."column", g.fate, COUNT(*) AS n FROM swept_element AS t '
    f'JOIN {_GONE} AS g ON g.file = t.file AND g.ordinal = t.ordinal GROUP BY t.file, t."column", g.fate',
    'SELECT file, "column", \'merged\' AS fate, COUNT(*) AS n FROM merged_element GROUP BY file, "column"',
    "SELECT file, \"column\", 'rejected' AS fate, COUNT(*) AS n FROM rejected_record WHERE unit = 'element' "
    'GROUP BY file, "column"',
)


def _labelled(file: str, column: str, fate: str, query: str) -> str:
    return f'SELECT {literal(file)} AS file, {literal(column)} AS "column", {fate} AS fate, n FROM ({query}) AS counted'


def _list_counts(file: str, column: str) -> Iterator[str]:
    """What became of a list's elements: they stand in loaded, merged or rejected records."""
    source = next(s for s in SOURCES if s.name == file)
    relation = name(next(c.relation for c in source.nested if c.name == column) or "")
    yield _labelled(file, column, "'loaded'", f"SELECT COUNT(*) AS n FROM {_LISTS[column]}")
    gone = f"{_GONE} AS g ON g.file = {literal(file)} AND g.ordinal = t.ordinal"
    elements = f"SELECT g.fate, COUNT(*) AS n FROM {relation} AS t JOIN {gone} GROUP BY g.fate"
    yield _labelled(file, column, "fate", elements)


def loaded_ratings(engine: DuckDB) -> dict[str, int]:
    """By edition, the distinct lines that ratings come from, without a hash of all of them."""
    lines = ("edition", "source_line")
    find_suspects(engine.con, "rating", lines, "suspect")
    surplus = dict(
        engine.rows(f"SELECT edition, sum(rows - 1) FROM ({repeated('rating', lines, 'suspect')}) GROUP BY edition")
    )
    engine.con.execute("DROP TABLE suspect")
    rows = engine.rows("SELECT edition, count(source_line) FROM rating GROUP BY edition")
    return {edition: known - int(surplus.get(edition, 0)) for edition, known in rows}
