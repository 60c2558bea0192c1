"""Turns the SQL, which is written once in DuckDB's dialect, into Spark's."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import sqlglot
from sqlglot import exp

# Functions that DuckDB has under a name of its own, and sqlglot does not know.
_RENAMED = {"STRLEN": "OCTET_LENGTH"}


@cache
def to_spark(query: str) -> str:
    """A query in Spark's dialect, without the order of its rows, which no relation has.

    Implicit orders of NULLs are made explicit. Raises sqlglot's error where something has no equivalent.
    """
    tree = sqlglot.parse_one(query, dialect="duckdb")
    tree.set("order", None)
    for call in tree.find_all(exp.Anonymous):
        if renamed := _RENAMED.get(str(call.this).upper()):
            call.set("this", renamed)
    return tree.sql(dialect="spark", unsupported_level=sqlglot.ErrorLevel.RAISE, comments=False)


def columns_to_spark(columns: Iterable[tuple[str, str]]) -> str:
    """Columns, as names and DuckDB's types, as Spark declares them."""
    types = [(name, exp.DataType.build(type_, dialect="duckdb").sql(dialect="spark")) for name, type_ in columns]
    return ", ".join(f"{exp.to_identifier(name, quoted=True).sql(dialect='spark')} {type_}" for name, type_ in types)


def order_of(query: str) -> str:
    """The terms of a query's ORDER BY, in DuckDB's dialect; empty where it has none."""
    order = sqlglot.parse_one(query, dialect="duckdb").args.get("order")
    return ", ".join(term.sql(dialect="duckdb") for term in order.expressions) if order else ""
