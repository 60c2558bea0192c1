"""Makes the model's tables from the raw relations: set-level work, one SELECT for each table."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import duckdb

from moviehouse.engines.duckdb import DuckDB
from moviehouse.model.schema import Table
from moviehouse.model.tables import TABLES
from moviehouse.progress import Progress
from moviehouse.sql import statement

# Which records are loaded comes first, in steps that need nothing of a later one; then the tables, in the order they
# are declared in.
WORK = (
    ("loaded_movie", "loaded_link", "loaded_link_small", "repeated_rating", "rated_movie"),
    ("known_movie", "merged_rating"),
    ("loaded_credit", "loaded_keyword_list"),
)
# Where a relation has few rows, a table is made whole, and then some rows are taken out again: no join of
# 26 million rows, and they keep the order of their files. Table, relation, SELECT, DELETE.
SHORTCUTS = {"rating": ("merged_rating", "rating_unrepeated", "rating_unmerged")}
_FEW = 10_000
CONFORMED = tuple(table for table in TABLES if table.conformed)
# Gives the SQL of a folder and a name.
Text = Callable[[str, str], str]


def conform(engine: DuckDB, progress: Progress, tables: Iterable[Table] = CONFORMED, text: Text | None = None) -> None:
    """Create the tables, by default all of the model that have a SELECT; the long ones beside the others."""
    text = text or statement
    long = [table for table in tables if table.name in SHORTCUTS]
    others = [table for table in tables if table.name not in SHORTCUTS]
    with progress.step("conform"):
        for relations in WORK:
            engine.create_works({relation: text("conform", relation) for relation in relations})
        with engine.beside(lambda con: _conform_all(engine, con, long, text)):
            _conform_all(engine, engine.con, others, text)


def _conform_all(engine: DuckDB, con: duckdb.DuckDBPyConnection, tables: Iterable[Table], text: Text) -> None:
    for table in tables:
        _conform(engine, con, table, text)


def _conform(engine: DuckDB, con: duckdb.DuckDBPyConnection, table: Table, text: Text) -> None:
    relation, whole, merged = SHORTCUTS.get(table.name, ("", "", ""))
    count = engine.scalar(f"SELECT count(*) FROM {relation}", con) if relation else _FEW
    if count >= _FEW:
        engine.create_table(table, text("conform", table.name), con)
        return
    engine.create_table(table, text("conform", whole), con)
    if count:
        con.execute(text("conform", merged))
