r"""Rows from a release's DuckDB into PostgreSQL's COPY, as bytes that DuckDB writes and nobody looks at.

DuckDB writes COPY's text format into a pipe: one line a row, tabs between the columns, \N for NULL. What means
something in that format is escaped by SQL.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

import duckdb

from moviehouse.errors import GateError
from moviehouse.model.schema import Column, Table
from moviehouse.sql.text import name

if TYPE_CHECKING:
    import psycopg

NUL_SHOWN = "\u2400"
"""What stands for NUL, which no PostgreSQL text can hold."""

_CHUNK = 1 << 20
_FORMAT = "FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR '\\N', USE_TMP_FILE false"
_ESCAPES = (("chr(92)", "chr(92) || chr(92)"), ("chr(9)", "'\\t'"), ("chr(10)", "'\\n'"), ("chr(13)", "'\\r'"))


def load(source: duckdb.DuckDBPyConnection, target: psycopg.Cursor, table: Table, done: Callable[[int], None]) -> int:
    """Copy a table's rows into the table of that name in the search path; gives their number.

    The rows are frozen: whoever can see the table sees them all, whatever the age of his snapshot. That needs a
    table made in the same transaction. `done` is told of rows as they go. Raises GateError if rows are missing.
    """
    columns = ", ".join(name(c.name) for c in table.columns)
    select = f"SELECT {', '.join(map(_field, table.columns))} FROM {name(table.name)}"
    into = f"COPY {name(table.name)} ({columns}) FROM STDIN (FORMAT text, FREEZE)".encode()
    with _written(source, select) as (reader, written), target.copy(into) as copy:
        while chunk := os.read(reader, _CHUNK):
            copy.write(chunk)
            done(chunk.count(b"\n"))
        rows = written()
    if target.rowcount != rows:
        raise GateError(f"PostgreSQL took {target.rowcount:,} of {rows:,} rows of {table.name}.", "Run again.")
    return rows


@contextmanager
def _written(source: duckdb.DuckDBPyConnection, select: str) -> Iterator[tuple[int, Callable[[], int]]]:
    """Have a thread write the rows into a pipe; gives its end, and what waits for the rows' number or the error."""
    reader, writer = os.pipe()
    _widen(writer)
    cursor = source.cursor()
    outcome: list[int | BaseException] = []

    def write() -> None:
        try:
            row = cursor.execute(f"COPY ({select}) TO '/dev/fd/{writer}' ({_FORMAT})").fetchone()
            outcome.append(int(row[0]) if row else 0)
        except BaseException as error:  # told in the other thread
            outcome.append(error)
        finally:
            os.close(writer)

    thread = Thread(target=write, daemon=True)

    def written() -> int:
        thread.join()
        if isinstance(outcome[0], BaseException):
            raise outcome[0]
        return outcome[0]

    thread.start()
    try:
        yield reader, written
    finally:
        os.close(reader)  # a writer that is not done gets a broken pipe
        cursor.interrupt()
        thread.join()
        cursor.close()


def _widen(pipe: int) -> None:
    """A pipe of a megabyte where the system has such pipes: fewer changes between the threads."""
    import fcntl

    if hasattr(fcntl, "F_SETPIPE_SZ"):
        try:
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _CHUNK)
        except OSError:
            return


def _field(column: Column) -> str:
    """A column as COPY's text format has it."""
    field = name(column.name)
    if column.type == "BLOB":
        return f"'\\\\x' || lower(hex({field}))"
    if column.type != "VARCHAR" or column.values:
        return field
    for found, written in _ESCAPES:
        field = f"replace({field}, {found}, {written})"
    return f"replace({field}, chr(0), '{NUL_SHOWN}') AS {name(column.name)}"


def texts_with_nul(source: duckdb.DuckDBPyConnection, table: Table) -> int:
    """How many texts of a table hold the character NUL."""
    counts = [
        f"count(*) FILTER (contains({name(c.name)}, chr(0)))"
        for c in table.columns
        if c.type == "VARCHAR" and not c.values
    ]
    if not counts:
        return 0
    row = source.execute(f"SELECT {' + '.join(counts)} FROM {name(table.name)}").fetchone()
    return int(row[0]) if row else 0
