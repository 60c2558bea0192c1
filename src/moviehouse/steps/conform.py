"""Makes the model's tables from the raw relations: set-level work, one SELECT for each table.

The ratings need nothing of the quoted files, and are most of the rows: they are conformed once the flat
files are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import duckdb

from moviehouse.engines.duckdb import DuckDB
from moviehouse.model.schema import Table
from moviehouse.model.tables import TABLES
from moviehouse.progress import Progress
from moviehouse.sql import statement
from moviehouse.steps.balance import LOADED

# Which records are loaded comes first, in steps that need nothing of a later one; then the tables, in the order they
# are declared in.
WORK = (
    ("loaded_movie", "loaded_link", "loaded_link_small"),
    ("known_movie",),
    ("loaded_credit", "loaded_keyword_list"),
)
RATINGS_WORK = (("repeated_rating", "rated_movie"), ("merged_rating",))
# Where a relation has few rows, a table is made whole, and then some rows are taken out again: no join of
# 26 million rows, and they keep the order of their files. Table, relation, SELECT, DELETE.
SHORTCUTS = {"rating": ("merged_rating", "rating_unrepeated", "rating_unmerged")}
_FEW = 10_000
CONFORMED = tuple(table for table in TABLES if table.conformed)
RATINGS = tuple(table for table in CONFORMED if table.name in SHORTCUTS)
# Gives the SQL of a folder and a name.
Text = Callable[[str, str], str]


@dataclass(frozen=True)
class Layout:
    """What the raw relations become: the tables, the SQL of them and of the log, and where records are found again."""

    tables: tuple[Table, ...] = CONFORMED
    text: Text = statement
    places: Mapping[str, str] = field(default_factory=lambda: LOADED)


BUILD = Layout()


def conform(engine: DuckDB, progress: Progress, layout: Layout = BUILD) -> None:
    """Create the tables but those of ratings."""
    with progress.step("conform"):
        for relations in WORK:
            engine.create_works({relation: layout.text("conform", relation) for relation in relations})
        for table in layout.tables:
            if table.name not in SHORTCUTS:
                engine.create_table(table, layout.text("conform", table.name))


def conform_ratings(engine: DuckDB, con: duckdb.DuckDBPyConnection, progress: Progress, layout: Layout = BUILD) -> None:
    """Create the tables of ratings on a connection of the engine, once their files are read."""
    with progress.step("conform ratings"):
        for relations in RATINGS_WORK:
            engine.create_works({relation: layout.text("conform", relation) for relation in relations}, con)
        for table in RATINGS:
            _conform_ratings(engine, con, table, layout.text)


def _conform_ratings(engine: DuckDB, con: duckdb.DuckDBPyConnection, table: Table, text: Text) -> None:
    relation, whole, merged = SHORTCUTS[table.name]
    count = engine.scalar(f"SELECT count(*) FROM {relation}", con)
    if count >= _FEW:
        engine.create_table(table, text("conform", table.name), con)
        return
    engine.create_table(table, text("conform", whole), con)
    if count:
        con.execute(text("conform", merged))
