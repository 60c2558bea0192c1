"""Makes the model's tables from the raw relations: set-level work, one SELECT for each table."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from moviehouse.engines.duckdb import DuckDB
from moviehouse.model.tables import TABLE, TABLES
from moviehouse.progress import Progress
from moviehouse.sql import statement

# Which records are loaded comes first; then the tables, in the order they are declared in.
WORK = (
    "loaded_movie",
    "loaded_credit",
    "loaded_keyword_list",
    "loaded_link",
    "loaded_link_small",
    "repeated_rating",
    "merged_rating",
)
# Where a relation has few rows, a table is made whole, and then some rows are taken out again: no join of
# 26 million rows, and they keep the order of their files. Table, relation, SELECT, DELETE.
SHORTCUTS = {"rating": ("merged_rating", "rating_unrepeated", "rating_unmerged")}
_FEW = 10_000
CONFORMED = tuple(table.name for table in TABLES if table.conformed)


def conform(engine: DuckDB, progress: Progress) -> None:
    """Create every table of the model that has a SELECT in sql/conform; the long ones beside the others."""
    with progress.step("conform"):
        for relation in WORK:
            engine.create_works({relation: statement("conform", relation)})
        with engine.beside(lambda con: _conform_all(engine, con, SHORTCUTS)):
            _conform_all(engine, engine.con, [table for table in CONFORMED if table not in SHORTCUTS])


def _conform_all(engine: DuckDB, con: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> None:
    for table in tables:
        _conform(engine, con, table)


def _conform(engine: DuckDB, con: duckdb.DuckDBPyConnection, table: str) -> None:
    relation, whole, merged = SHORTCUTS.get(table, ("", "", ""))
    count = engine.scalar(f"SELECT count(*) FROM {relation}", con) if relation else _FEW
    if count >= _FEW:
        engine.create_table(TABLE[table], statement("conform", table), con)
        return
    engine.create_table(TABLE[table], statement("conform", whole), con)
    if count:
        con.execute(statement("conform", merged))
