"""The balance: of every file, records read = loaded + merged + rejected; of every list, its elements too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from moviehouse.engines import Engine
from moviehouse.engines.duckdb import DuckDB
from moviehouse.engines.repeats import find_suspects, repeated
from moviehouse.model.sources import SOURCES
from moviehouse.sql.text import literal, name
from moviehouse.steps.read import Reading

# Where the records of a file can be found again in the model: one line each.
LOADED = {
    "movies_metadata.csv": "SELECT COUNT(DISTINCT source_line) AS n FROM {movie}",
    "credits.csv": "SELECT COUNT(DISTINCT credits_line) AS n FROM {movie}",
    "keywords.csv": "SELECT COUNT(DISTINCT keywords_line) AS n FROM {movie}",
    "links.csv": "SELECT COUNT(DISTINCT links_line) AS n FROM {movielens_movie}",
    "links_small.csv": "SELECT COUNT(DISTINCT links_small_line) AS n FROM {movielens_movie}",
    "ratings.csv": "SELECT COUNT(DISTINCT source_line) AS n FROM {rating} WHERE edition = 'full'",
    "ratings_small.csv": "SELECT COUNT(DISTINCT source_line) AS n FROM {rating} WHERE edition = 'small'",
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
    con.execute(
        'CREATE TEMP TABLE balance (file VARCHAR, "column" VARCHAR, read BIGINT, loaded BIGINT, merged BIGINT, '
        "rejected BIGINT)"
    )
    for b in balances:
        row = [b.file, b.column, b.read, b.loaded, b.merged, b.rejected]
        con.execute("INSERT INTO balance VALUES (?, ?, ?, ?, ?, ?)", row)


def strike(engine: Engine, readings: list[Reading], loaded_ratings: dict[str, int] | None = None) -> list[Balance]:
    """Count what was read, loaded, merged and rejected, each from a place of its own.

    `loaded_ratings` are the distinct lines by edition, where the engine has counted them already.
    """
    counts = _counts(engine, readings, loaded_ratings)
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
    engine: Engine, readings: list[Reading], loaded_ratings: dict[str, int] | None
) -> dict[tuple[str, str, str], int]:
    """What can be counted, by file, list (or none) and fate, in one query: engines start slowly on each."""
    edition = {source.name: source.constants.get("edition", "") for source in SOURCES}
    counts: Counter[tuple[str, str, str]] = Counter()
    queries: list[tuple[tuple[str, str, str], str]] = []
    for reading in readings:
        file = reading.file
        if loaded_ratings is not None and edition[file] in loaded_ratings:
            counts[file, "", "loaded"] = loaded_ratings[edition[file]]
        else:
            queries.append(((file, "", "loaded"), LOADED[file].format(**_TABLES)))
        for column in (column for column in reading.elements if column in _LISTS):
            queries += [((file, column, fate), query) for fate, query in _list_counts(file, column)]
    numbered = " UNION ALL ".join(
        f"SELECT {i} AS place, n FROM ({query}) AS q{i}" for i, (_, query) in enumerate(queries)
    )
    for place, count in engine.rows(numbered):
        counts[queries[place][0]] += count
    return counts


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


def _list_counts(file: str, column: str) -> Iterator[tuple[str, str]]:
    """What became of a list's elements: they stand in loaded, merged or rejected records, or fell out alone."""
    source = next(s for s in SOURCES if s.name == file)
    relation = name(next(c.relation for c in source.nested if c.name == column) or "")
    here = f't.file = {literal(file)} AND t."column" = {literal(column)}'
    yield "loaded", f"SELECT COUNT(*) AS n FROM {_LISTS[column]}"
    for fate, gone in (("merged", "merged_record"), ("rejected", "rejected_reference")):
        records = f"SELECT 1 FROM {gone} AS g WHERE g.file = {literal(file)} AND g.ordinal = t.ordinal"
        yield fate, f"SELECT COUNT(*) AS n FROM {relation} AS t WHERE EXISTS ({records})"
        yield fate, f"SELECT COUNT(*) AS n FROM swept_element AS t WHERE {here} AND EXISTS ({records})"
    yield "merged", f"SELECT COUNT(*) AS n FROM merged_element AS t WHERE {here}"
    yield "rejected", f"SELECT COUNT(*) AS n FROM rejected_record AS t WHERE t.unit = 'element' AND {here}"
