"""The balance: of every file, records read = loaded + merged + rejected; of every list, its elements too."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from moviehouse.engines.duckdb import DuckDB
from moviehouse.engines.repeats import find_suspects, repeated
from moviehouse.model.sources import SOURCES
from moviehouse.sql.text import literal, name
from moviehouse.steps.read import Reading

# Where the records of a file can be found again in the model: one line each.
LOADED = {
    "movies_metadata.csv": "SELECT count(DISTINCT source_line) FROM {movie}",
    "credits.csv": "SELECT count(DISTINCT credits_line) FROM {movie}",
    "keywords.csv": "SELECT count(DISTINCT keywords_line) FROM {movie}",
    "links.csv": "SELECT count(DISTINCT links_line) FROM {movielens_movie}",
    "links_small.csv": "SELECT count(DISTINCT links_small_line) FROM {movielens_movie}",
    "ratings.csv": "SELECT count(DISTINCT source_line) FROM {rating} WHERE edition = 'full'",
    "ratings_small.csv": "SELECT count(DISTINCT source_line) FROM {rating} WHERE edition = 'small'",
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


def strike(engine: DuckDB, readings: list[Reading], places: dict[str, str] = LOADED) -> list[Balance]:
    """Count what was read, loaded, merged and rejected, each from a place of its own.

    `places` select the loaded records of each file.
    """
    merged = dict(engine.rows("SELECT file, count(*) FROM merged_record GROUP BY file"))
    rejected = dict(engine.rows("SELECT file, count(*) FROM rejected_record WHERE unit = 'record' GROUP BY file"))
    noted = {
        (file, severity): count
        for file, severity, count in engine.rows(
            "SELECT file, severity, count(DISTINCT line) FROM error_log "
            "WHERE severity IN ('mended', 'warning') AND line > 1 GROUP BY ALL"
        )
    }
    balances = []
    ratings = _loaded_ratings(engine)
    edition = {source.name: source.constants.get("edition") for source in SOURCES}
    for reading in readings:
        file = reading.file
        loaded = ratings.get(edition[file] or "")
        if loaded is None:
            loaded = int(engine.scalar(places[file].format(**_TABLES)))
        balances.append(
            Balance(
                file, "", reading.records, loaded, merged.get(file, 0), rejected.get(file, 0),
                noted.get((file, "mended"), 0), noted.get((file, "warning"), 0),
            )
        )  # fmt: skip
    for reading in readings:
        balances += [_list_balance(engine, reading, column) for column in reading.elements if column in _LISTS]
    return balances


def _loaded_ratings(engine: DuckDB) -> dict[str, int]:
    """By edition, the distinct lines that ratings come from, without a hash of all of them."""
    lines = ("edition", "source_line")
    find_suspects(engine.con, "rating", lines, "suspect")
    surplus = dict(
        engine.rows(f"SELECT edition, sum(rows - 1) FROM ({repeated('rating', lines, 'suspect')}) GROUP BY edition")
    )
    engine.con.execute("DROP TABLE suspect")
    rows = engine.rows("SELECT edition, count(source_line) FROM rating GROUP BY edition")
    return {edition: known - int(surplus.get(edition, 0)) for edition, known in rows}


def _list_balance(engine: DuckDB, reading: Reading, column: str) -> Balance:
    """The balance of one list: its elements stand in loaded, merged or rejected records, or fell out alone."""
    source = next(s for s in SOURCES if s.name == reading.file)
    relation = next(c.relation for c in source.nested if c.name == column) or ""
    here = f'file = {literal(source.name)} AND "column" = {literal(column)}'

    def within(gone: str) -> int:
        records = f"(SELECT ordinal FROM {gone} WHERE file = $1)"
        plain = f"SELECT count(*) FROM {name(relation)} SEMI JOIN {records} USING (ordinal)"
        swept = f"SELECT count(*) FROM swept_element SEMI JOIN {gone} USING (file, ordinal) WHERE {here}"
        return int(engine.rows(plain, [source.name])[0][0] + engine.scalar(swept))

    alone = engine.scalar(f"SELECT count(*) FROM merged_element WHERE {here}")
    refused = engine.scalar(f"SELECT count(*) FROM rejected_record WHERE unit = 'element' AND {here}")
    return Balance(
        source.name,
        column,
        read=reading.elements[column],
        loaded=int(engine.scalar(f"SELECT count(*) FROM {_LISTS[column]}")),
        merged=within("merged_record") + int(alone),
        rejected=within("rejected_reference") + int(refused),
    )
