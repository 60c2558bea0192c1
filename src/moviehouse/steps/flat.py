"""Reads the plain lines of a flat file (ratings, links) at the speed of DuckDB's own parser.

Every block is proven plain by its skeleton first; DuckDB then reads typed columns. Rows keep the
file's order, so that a row's number tells its record. A line that is not plain, or has a value out
of its range, is left to the exact reader.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from moviehouse.model.sources import SourceColumn, SourceFile
from moviehouse.sql.text import literal, name
from moviehouse.steps.cells import value_sql
from moviehouse.steps.header import Header
from moviehouse.steps.records import PlainRun

_BLOCK = 4 << 20
_LONGEST = 1 << 20
# Above so many odd lines the exact reader takes the whole file.
MOST_RUNS = 10_000
_MOST_WRONG = 10_000


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


@dataclass
class Plain:
    """A table of typed plain rows: its name, how many, the empty cells by column, the rows out of range."""

    table: str
    rows: int
    empty: dict[str, int]
    wrong: list[int]


def load(
    con: duckdb.DuckDBPyConnection, source: SourceFile, header: Header, path: Path, skip: int, count: int
) -> Plain | None:
    """Load `count` plain lines behind `skip` others; None where more rows are wrong than is worth the while.

    `wrong` are the numbers of the rows, from 0, that the exact reader would not take without a note.
    DuckDB parses typed columns where it can; if a value defeats it, the texts are checked one by one.
    """
    columns = [c for c in header.columns if isinstance(c, SourceColumn)]
    table = f"flat_{source.relation}"
    con.execute(f"DROP TABLE IF EXISTS {table}")
    try:
        con.execute(f"CREATE TABLE {table} AS {_typed(columns, _csv(path, skip, columns, _parsed_type))}")
    except (duckdb.ConversionException, duckdb.InvalidInputException):
        try:
            con.execute(f"CREATE TABLE {table} AS {_checked(columns, _csv(path, skip, columns, lambda _: 'VARCHAR'))}")
        except (duckdb.ConversionException, duckdb.InvalidInputException):
            return None
    known = ", ".join(f"count({name(c.target)})" for c in columns)
    row = con.execute(f"SELECT count(*), count(*) FILTER (WHERE wrong), {known} FROM {table}").fetchone()
    assert row is not None
    if row[0] != count or row[1] > _MOST_WRONG:
        return None
    wrong = con.execute(f"SELECT rowid FROM {table} WHERE wrong ORDER BY rowid").fetchall() if row[1] else []
    empty = {c.name: count - n for c, n in zip(columns, row[2:], strict=True) if n < count}
    return Plain(table, count, empty, [number for (number,) in wrong])


def _csv(path: Path, skip: int, columns: list[SourceColumn], type_of: Callable[[SourceColumn], str]) -> str:
    types = ", ".join(f"{literal(c.target)}: {literal(type_of(c))}" for c in columns)
    return (
        f"read_csv({literal(str(path))}, auto_detect = false, header = false, skip = {skip}, delim = ',', quote = '', "
        f"escape = '', hive_partitioning = false, columns = {{{types}}})"
    )


def _typed(columns: list[SourceColumn], csv: str) -> str:
    """Selects the values of cells that DuckDB has parsed, and whether one is out of its range."""
    bad = " OR ".join(f"NOT coalesce({_good(c)}, false)" for c in columns)
    return f"SELECT {', '.join(f'{_value(c)} AS {name(c.target)}' for c in columns)}, {bad} AS wrong FROM {csv}"


def _checked(columns: list[SourceColumn], csv: str) -> str:
    """Selects the values of cells as the exact reader takes them, and whether one is not taken."""
    values = {c.target: value_sql(c, name(c.target)) for c in columns}
    bad = " OR ".join(
        f"({values[c.target]}) IS NULL" + ("" if c.key else f" AND {name(c.target)} IS NOT NULL") for c in columns
    )
    return f"SELECT {', '.join(f'{v} AS {name(t)}' for t, v in values.items())}, {bad} AS wrong FROM {csv}"


def select(source: SourceFile, header: Header, plain: Plain, runs: list[PlainRun]) -> str:
    """Selects the plain rows as the file's relation; `runs` say which records they are."""
    there = {c.target for c in header.columns if isinstance(c, SourceColumn)}
    chosen = ", ".join(
        f"{name(c.target) if c.target in there else f'CAST(NULL AS {c.kind.type})'} AS {name(c.target)}"
        for c in source.cells
    )
    ordinal = _shifted([(run.row, run.ordinal - run.row) for run in runs])
    line = _shifted([(run.row, run.line - run.row) for run in runs])
    return (
        f"SELECT {ordinal} AS ordinal, {line} AS line, CAST(NULL AS BIGINT) AS byte_offset, "
        f"CAST(NULL AS BIGINT) AS byte_length, {chosen} FROM {plain.table}"
    )


def _shifted(shifts: list[tuple[int, int]]) -> str:
    """The row's number, shifted by what its run is shifted by: a tree of comparisons."""
    if len(shifts) == 1:
        return f"rowid + {shifts[0][1]}"
    middle = len(shifts) // 2
    return (
        f"CASE WHEN rowid < {shifts[middle][0]} THEN {_shifted(shifts[:middle])} ELSE {_shifted(shifts[middle:])} END"
    )


_HALF_STARS = "ENUM(" + ", ".join(f"'{n / 2}'" for n in range(1, 11)) + ")"


def _parsed_type(column: SourceColumn) -> str:
    """What DuckDB parses a cell as; a rating is one of ten texts, so that none is rounded to another."""
    types = {"half_stars": _HALF_STARS, "code": "VARCHAR", "epoch_seconds": "BIGINT"}
    return types.get(column.kind.name, column.kind.type)


def _value(column: SourceColumn) -> str:
    cell = name(column.target)
    if column.kind.name == "half_stars":
        return f"CAST((enum_code({cell}) + 1) * 0.5 AS {column.kind.type})"
    if column.kind.name == "epoch_seconds":
        return f"CASE WHEN {cell} < 1000000000000 THEN make_timestamp({cell} * 1000000) END"
    return f"CAST({cell} AS {column.kind.type})"


def _good(column: SourceColumn) -> str:
    """Whether a parsed value is what the exact reader would have taken without a note."""
    cell, kind = name(column.target), column.kind
    if kind.name == "half_stars":
        good = "true"
    elif kind.name == "code":
        good = f"regexp_full_match({cell}, {literal(kind.pattern or '')})"
    elif kind.name == "epoch_seconds":
        good = f"{cell} BETWEEN 0 AND epoch({kind.high})"
    else:
        good = f"{cell} BETWEEN {kind.low} AND {kind.high}"
    return f"({good})" if column.key else f"({cell} IS NULL OR {good})"
