"""The declaration in PostgreSQL's dialect: tables, keys, indexes, comments, and the questions as views.

Names are unqualified: the statements run with a search path of the one schema they are for.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache

from moviehouse.model.schema import Column, Table
from moviehouse.model.tables import TABLE, TABLES
from moviehouse.render.ddl import comments_sql
from moviehouse.sql import QUESTIONS, VIEWS, header, statement
from moviehouse.sql.text import literal, name

PUBLICATION = "moviehouse_publication"
"""The table of one row that says which release a schema holds; its presence makes a schema Moviehouse's."""

PUBLICATION_COLUMNS = (
    ("run_id", "text", "The run that built the release."),
    ("rendering", "text", "SHA-256 of the statements the schema was made with."),
    ("source", "text", "Address of the release's source."),
    ("source_sha256", "text", "SHA-256 of the source, where it is one file."),
    ("built_with", "text", "Version of Moviehouse that built the release."),
    ("relations", "text[]", "Every table and view of the release; anything else in the schema is not Moviehouse's."),
    ("nul_texts", "bigint", "Texts that held the character NUL, which PostgreSQL cannot store: it became U+2400."),
    ("published_at", "timestamp with time zone", "When it was published."),
)

_TYPES = {
    "BIGINT": "bigint",
    "BLOB": "bytea",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DOUBLE": "double precision",
    "INTEGER": "integer",
    "TIMESTAMP": "timestamp without time zone",
    "VARCHAR": "text",
}

# What the views ask for beside whole tables: the releases of a year. The condition is that of the view release.
_QUESTION_INDEXES = {
    "movie": (
        "CREATE INDEX movie_release_year_idx ON movie ((CAST(EXTRACT(YEAR FROM release_date) AS integer))) "
        "WHERE release_date IS NOT NULL AND (status = 'Released' OR status IS NULL)",
    ),
}


def type_of(column: Column) -> str:
    """A declared type in PostgreSQL; an enumeration is a text with a CHECK."""
    if decimal := re.fullmatch(r"DECIMAL(\(\d+,\d+\))", column.type):
        return f"numeric{decimal[1]}"
    return _TYPES[column.type]


def check_of(column: Column) -> str:
    """The condition a column's values must meet, or nothing."""
    if column.values and not column.check:
        return f"{name(column.name)} IN ({', '.join(map(literal, column.values))})"
    return column.check


def create_table(table: Table) -> str:
    """A table with what COPY can check row by row: NOT NULL and CHECK."""
    lines = []
    for column in table.columns:
        check = check_of(column)
        lines.append(
            f"{name(column.name)} {type_of(column)}"
            + ("" if column.nullable else " NOT NULL")
            + (f" CHECK ({check})" if check else "")
        )
    return f"CREATE TABLE {name(table.name)} ({', '.join(lines)})"


def create_publication() -> str:
    """The table that says which release the schema holds."""
    columns = ", ".join(f"{name(column)} {type_}" for column, type_, _ in PUBLICATION_COLUMNS)
    return f"CREATE TABLE {name(PUBLICATION)} ({columns})"


def indexes(table: Table) -> list[str]:
    """The primary key, an index for each reference that no key begins with, and those that the questions use."""
    found = []
    if table.key:
        found.append(f"ALTER TABLE {name(table.name)} ADD PRIMARY KEY ({', '.join(map(name, table.key))})")
    for reference in table.references:
        if reference.column != (table.key or ("",))[0]:
            found.append(f"CREATE INDEX ON {name(table.name)} ({name(reference.column)})")
    return [*found, *_QUESTION_INDEXES.get(table.name, ())]


def foreign_keys(table: Table) -> list[str]:
    """The references, validated when they are added."""
    added = [
        f"ADD FOREIGN KEY ({name(r.column)}) REFERENCES {name(r.table)} ({name(TABLE[r.table].key[0])})"
        for r in table.references
    ]
    return [f"ALTER TABLE {name(table.name)} {', '.join(added)}"] if added else []


@cache
def views() -> tuple[tuple[str, str], ...]:
    """The views and the questions, each with its statement, in the order of their dependence."""
    import sqlglot

    stems = [("views", stem) for stem in VIEWS] + [("questions", stem) for stem in QUESTIONS]
    made = []
    for folder, stem in stems:
        (select,) = sqlglot.transpile(statement(folder, stem), read="duckdb", write="postgres", comments=False)
        made.append((stem, f"CREATE VIEW {name(stem)} AS {select}"))
    return tuple(made)


def comments() -> list[str]:
    """The comments on tables, columns and views."""
    folders = dict.fromkeys(VIEWS, "views") | dict.fromkeys(QUESTIONS, "questions")
    publication = [f"COMMENT ON TABLE {PUBLICATION} IS 'Which release of Moviehouse this schema holds.'"]
    publication += [f"COMMENT ON COLUMN {PUBLICATION}.{c} IS {literal(text)}" for c, _, text in PUBLICATION_COLUMNS]
    on_views = [f"COMMENT ON VIEW {name(v)} IS {literal(header(folder, v))}" for v, folder in folders.items()]
    return [*comments_sql(TABLES), *on_views, *publication]


def relations() -> list[str]:
    """Every relation of a published schema: the views first, each before what it stands on, then the tables."""
    return [*(view for view, _ in reversed(views())), PUBLICATION, *(t.name for t in TABLES)]


def rendering() -> str:
    """A fingerprint of all statements: another one means that the same release is published differently."""
    statements = [create_publication(), *comments(), *(sql for _, sql in views())]
    for table in TABLES:
        statements += [create_table(table), *indexes(table), *foreign_keys(table)]
    return hashlib.sha256("\n".join(statements).encode()).hexdigest()
