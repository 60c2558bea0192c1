"""Makes the model's tables from the raw relations: set-level work, one SELECT for each table."""

from __future__ import annotations

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
)
# Where a relation is empty, a simpler statement gives the same rows: table, relation, statement.
SHORTCUTS = {"rating": ("repeated_rating", "rating_unrepeated")}
CONFORMED = tuple(table.name for table in TABLES if table.conformed)


def conform(engine: DuckDB, progress: Progress) -> None:
    """Create every table of the model that has a SELECT in sql/conform."""
    with progress.step("conform"):
        for relation in WORK:
            engine.create_work(relation, statement("conform", relation))
        for table in CONFORMED:
            engine.create_table(TABLE[table], statement("conform", _statement(engine, table)))


def _statement(engine: DuckDB, table: str) -> str:
    relation, simpler = SHORTCUTS.get(table, ("", table))
    if relation and engine.scalar(f"SELECT count(*) FROM {relation}"):
        return table
    return simpler
