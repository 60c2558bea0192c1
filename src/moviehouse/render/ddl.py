"""The DDL of the model, in DuckDB's dialect: what schema.sql holds and the released database is told."""

from __future__ import annotations

import re
from collections.abc import Iterable

from moviehouse.model.schema import Column, Table
from moviehouse.model.tables import TABLE, TABLES

# Names of columns that SQL keeps for itself; the others stand unquoted, so that the text reads well.
RESERVED = frozenset({"column"})

_INDENT = "    "
_WIDTH = 110
_HEADER = """\
-- The model of Moviehouse, in DuckDB's dialect.
-- Rendered from the declaration in src/moviehouse/model/tables.py: change that, not this text.
-- Tables stand in an order in which every reference points backwards. NULL means unknown.
"""


def schema_sql() -> str:
    """The whole schema: every table with its keys, references, checks and comments."""
    return "\n".join([_HEADER, *map(table_sql, TABLES)])


def comments_sql(tables: Iterable[Table]) -> list[str]:
    """The COMMENT statements of some tables, without semicolons, to be run one by one."""
    return [statement for table in tables for statement in _comments(table)]


def quoted(name: str) -> str:
    """A column's name as SQL takes it."""
    return f'"{name}"' if name in RESERVED else name


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def source_words(source: str) -> str:
    """`file.csv:a, b` in words."""
    file, _, columns = source.partition(":")
    return f"{file}, {'columns' if ',' in columns else 'column'} {columns}"


def table_sql(table: Table) -> str:
    """One table with its keys, references, checks and comments."""
    comments = [f"{statement};" for statement in _aligned(_comments(table))]
    return "\n".join([_create(table), "", *comments, ""])


def _create(table: Table) -> str:
    lines = [*_column_lines(table), *_constraint_lines(table)]
    body = ",\n".join(_INDENT + line for line in lines)
    return f"CREATE TABLE {table.name} (\n{body}\n);"


def _column_lines(table: Table) -> list[str]:
    """Name, type, NOT NULL and CHECK of each column, one under the other."""
    rows = [(quoted(c.name), c.stored_type, "" if c.nullable else "NOT NULL") for c in table.columns]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = []
    for row, column in zip(rows, table.columns, strict=True):
        head = " ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        lines.append(f"{head} {_check(column, len(_INDENT + head) + 1)}".rstrip())
    return lines


def _check(column: Column, indent: int) -> str:
    """The CHECK of a column, which begins at `indent`; a long list goes on under its first value."""
    if not column.check:
        return ""
    text = f"CHECK ({column.check})"
    hang = " " * (indent + text.rfind("(") + 1)
    first, *values = re.split(r"(?<=',) ", text)
    lines = [" " * indent + first]
    for value in values:
        if len(lines[-1]) + 1 + len(value) > _WIDTH:
            lines.append(hang + value)
        else:
            lines[-1] += f" {value}"
    return "\n".join(lines).lstrip()


def _constraint_lines(table: Table) -> list[str]:
    lines = [f"PRIMARY KEY ({', '.join(map(quoted, table.key))})"] if table.key else []
    width = max((len(quoted(r.column)) for r in table.references), default=0)
    for r in table.references:
        column = f"({quoted(r.column)})".ljust(width + 2)
        lines.append(f"FOREIGN KEY {column} REFERENCES {r.table} ({TABLE[r.table].key[0]})")
    return lines


def _comments(table: Table) -> list[str]:
    return [
        f"COMMENT ON TABLE {table.name} IS {literal(table.description)}",
        *(f"COMMENT ON COLUMN {table.name}.{quoted(c.name)} IS {literal(_comment(c))}" for c in table.columns),
    ]


def _comment(column: Column) -> str:
    """A column's description with its unit and its source."""
    unit = f" Unit: {column.unit}." if column.unit else ""
    source = f" Source: {source_words(column.source)}." if column.source else ""
    return column.description + unit + source


def _aligned(comments: list[str]) -> list[str]:
    """The same statements with their texts one under the other; the spaces change nothing."""
    heads = [re.split(r" IS '", comment, maxsplit=1) for comment in comments]
    width = max(len(head) for head, _ in heads)
    return [f"{head.ljust(width)} IS '{text}" for head, text in heads]
