"""Reads a flat file (ratings, links) that is plain throughout, at the speed of DuckDB's own parser.

Every block is proven plain by its skeleton first; DuckDB then reads typed columns, and any value out
of its range sends the whole file to the exact reader instead. Rows keep the file's order, so that a
row's number is its record's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb

from moviehouse.model.sources import SourceColumn, SourceFile
from moviehouse.steps.header import Header
from moviehouse.steps.rows import literal, name

_BLOCK = 4 << 20
_LONGEST = 1 << 20


def count_plain(path: Path, header: Header, advance: Callable[[int], None]) -> int | None:
    """The number of records if every line is plain, else None."""
    assert header.skeleton is not None
    count, rest = 0, b""
    with path.open("rb") as file:
        file.seek(header.body)
        while True:
            block = file.read(_BLOCK)
            if not block:
                break
            whole = block.rfind(b"\n") + 1
            if not whole and len(rest) > _LONGEST:
                return None
            text, rest = rest + block[:whole], block[whole:] if whole else rest + block
            if text:
                lines = header.skeleton.lines(text)
                if not lines:
                    return None
                count += lines
            advance(len(block))
    if rest:
        if not header.skeleton.lines(rest + header.skeleton.line_end):
            return None
        count += 1
    return count


def read_plain(
    con: duckdb.DuckDBPyConnection, source: SourceFile, header: Header, path: Path, count: int
) -> dict[str, dict[str, int]] | None:
    """Create the file's relation; gives the empty cells by column, or None where a value is out of range."""
    columns = [c for c in header.columns if isinstance(c, SourceColumn)]
    types = ", ".join(f"{literal(c.target)}: {literal(_parsed_type(c))}" for c in columns)
    table = f"flat_{source.relation}"
    try:
        con.execute(
            f"CREATE TABLE {table} AS SELECT * FROM read_csv({literal(str(path))}, auto_detect = false, "
            f"header = false, skip = {header.body_line - 1}, delim = ',', quote = '', escape = '', "
            f"columns = {{{types}}})"
        )
        empty = _empty_cells(con, columns, table, count)
    except (duckdb.ConversionException, duckdb.InvalidInputException):
        empty = None
    if empty is None:
        con.execute(f"DROP TABLE IF EXISTS {table}")
        return None
    values = {c.target: _value(c) for c in columns}
    chosen = ", ".join(
        f"{values.get(c.target, f'CAST(NULL AS {c.kind.type})')} AS {name(c.target)}" for c in source.cells
    )
    con.execute(
        f"CREATE VIEW {source.relation} AS SELECT rowid + 1 AS ordinal, rowid + {header.body_line} AS line, "
        f"CAST(NULL AS BIGINT) AS byte_offset, CAST(NULL AS BIGINT) AS byte_length, {chosen} FROM {table}"
    )
    return empty


def _parsed_type(column: SourceColumn) -> str:
    return {"half_stars": "DOUBLE", "code": "VARCHAR", "epoch_seconds": "BIGINT"}.get(
        column.kind.name, column.kind.type
    )


def _value(column: SourceColumn) -> str:
    cell = name(column.target)
    if column.kind.name == "epoch_seconds":
        return f"make_timestamp({cell} * 1000000)"
    return f"CAST({cell} AS {column.kind.type})"


def _good(column: SourceColumn) -> str:
    """Whether a typed value is what the exact reader would have taken without a note."""
    cell, kind = name(column.target), column.kind
    if kind.name == "half_stars":
        good = f"{cell} BETWEEN {kind.low} AND {kind.high} AND {cell} * 2 = floor({cell} * 2)"
    elif kind.name == "code":
        good = f"regexp_full_match({cell}, {literal(kind.pattern or '')})"
    elif kind.name == "epoch_seconds":
        good = f"{cell} BETWEEN 0 AND epoch({kind.high})"
    else:
        good = f"{cell} BETWEEN {kind.low} AND {kind.high}"
    return f"({good})" if column.key else f"({cell} IS NULL OR {good})"


def _empty_cells(
    con: duckdb.DuckDBPyConnection, columns: list[SourceColumn], table: str, count: int
) -> dict[str, dict[str, int]] | None:
    bad = " OR ".join(f"NOT coalesce({_good(c)}, false)" for c in columns)
    row = con.execute(
        f"SELECT count(*), count(*) FILTER (WHERE {bad}), {', '.join(f'count({name(c.target)})' for c in columns)} "
        f"FROM {table}"
    ).fetchone()
    assert row is not None
    rows, wrong, *known = row
    if rows != count or wrong:
        return None
    return {c.name: {"empty": rows - n} for c, n in zip(columns, known, strict=True) if n < rows}
