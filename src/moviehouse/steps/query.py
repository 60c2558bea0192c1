"""Runs a query that somebody wrote on a release: one statement, which only reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from moviehouse.engines.sandbox import sandboxed
from moviehouse.errors import UsageError
from moviehouse.sql.text import name
from moviehouse.steps.find_release import find_release
from moviehouse.steps.target import DATABASE

# DESCRIBE, SHOW and SUMMARIZE are SELECT to DuckDB, PIVOT is MULTI.
_READS = ("SELECT", "EXPLAIN", "MULTI")
_READING = "Write SELECT, FROM, WITH, VALUES, DESCRIBE, SHOW, SUMMARIZE, PIVOT or EXPLAIN."
_BATCH = 2048
_ZONED = re.compile(r"TIME ZONE|TZ")


@dataclass(frozen=True)
class Result:
    """What a query gave: its columns, their types as DuckDB names them, and the rows as they come.

    `plan` is whether it is an EXPLAIN, whose rows have a title and a drawing of many lines each.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]
    plan: bool


class Query:
    """A query that is known to read only; it runs when its result is asked for."""

    def __init__(self, con: duckdb.DuckDBPyConnection, sql: str, kind: str, scratch: Path) -> None:
        self._con, self._sql, self._kind, self._scratch = con, sql, kind, scratch

    def run(self) -> Result:
        """Run it. Times with a time zone come as texts: Python would need a library for them."""
        with told():
            described = self._con.execute(self._sql).description or ()
            columns = tuple(column[0] for column in described)
            types = tuple(str(column[1]) for column in described)
            if any(map(_ZONED.search, types)):
                pairs = zip(map(name, columns), types, strict=True)
                cells = (f"CAST({c} AS VARCHAR) AS {c}" if _ZONED.search(type_) else c for c, type_ in pairs)
                self._con.execute(self._con.sql(self._sql).project(", ".join(cells)).sql_query())
        return Result(columns, types, _fetched(self._con), self._kind == "EXPLAIN")

    def parquet(self) -> Path:
        """Write the rows to a Parquet file in the scratch directory; its path."""
        path = self._scratch / "rows.parquet"
        with told():
            self._con.sql(self._sql).write_parquet(str(path), compression="zstd")
        return path


@contextmanager
def querying(release: Path, sql: str, memory_limit: str = "2GiB", threads: int | None = None) -> Iterator[Query]:
    """Make a query ready to run on a release.

    Raises UsageError where it is not one statement that only reads, or DuckDB refuses it.
    """
    with sandboxed(find_release(release) / DATABASE, memory_limit, threads) as (con, scratch):
        with told():
            kind = _one_that_reads(con, sql)
        yield Query(con, sql, kind, scratch)


def _fetched(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while True:
        with told():
            batch = con.fetchmany(_BATCH)
        if not batch:
            return
        yield from batch


def _one_that_reads(con: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The kind of the one statement there is."""
    kinds = [statement.type.name for statement in con.extract_statements(sql)]
    if not kinds:
        raise UsageError("There is no query.", 'For example: moviehouse sql "FROM movie LIMIT 5"')
    for kind in kinds:
        if kind not in _READS:
            raise UsageError(f"A query may only read: {kind} is not allowed.", _READING)
    if len(kinds) > 1:
        raise UsageError(f"There are {len(kinds)} statements; moviehouse sql runs one.", "Run them one at a time.")
    return kinds[0]


@contextmanager
def told() -> Iterator[None]:
    """DuckDB's errors as ours: what it says, with the line and the place that it points at."""
    try:
        yield
    except duckdb.PermissionException as error:
        message = "A query may not use files, the network, extensions or secrets."
        raise UsageError(message, "It reads the release's tables: moviehouse schema", detail=str(error)) from None
    except duckdb.OutOfMemoryException as error:
        said = str(error).splitlines()[0]
        hint = "Select less, or give more with --memory-limit."
        raise UsageError("The query needs more memory or scratch than it may use.", hint, detail=said) from None
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except duckdb.Error as error:
        first, *rest = str(error).splitlines()
        kind, colon, said = first.partition(": ")
        hint = "The tables and their columns: moviehouse schema" if _unknown(error) else ""
        raise UsageError(said if colon else kind, hint, detail="\n".join(rest).strip("\n")) from None


def _unknown(error: duckdb.Error) -> bool:
    """Whether a table or column was named that is not there."""
    named = re.search(r"Table with name|Referenced (table|column)|does not have a column", str(error))
    return isinstance(error, duckdb.CatalogException | duckdb.BinderException) and named is not None
