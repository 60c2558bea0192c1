"""Checks the finished tables: each check is a query that selects the rows that break it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from moviehouse.engines.repeats import find_suspects, repeated
from moviehouse.errors import GateError
from moviehouse.model.schema import Table
from moviehouse.model.tables import TABLES
from moviehouse.progress import Progress
from moviehouse.sql import header, names, statement
from moviehouse.sql.text import literal, name

_SHOWN = 5
_LONG = 1_000_000
# So many checks are one query where an engine starts slowly on each.
_TOGETHER = 16
# Gives the rows of a query, which are few, on any engine.
Rows = Callable[[str], list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Check:
    """One check: its query selects offending rows; a `gate` must find none, the others warn.

    `table` is the one that the offending rows are of, where one is enough: it need not be asked where it has none.
    `unique` says that the check is about its key: a long table is not grouped as a whole.
    """

    name: str
    meaning: str
    query: str
    gate: bool = True
    table: Table | None = None
    unique: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a check found: how many offending rows, and the first of them.

    `columns` are those of the examples, where the engine tells.
    """

    check: str
    meaning: str
    gate: bool
    offending: int
    examples: tuple[tuple[Any, ...], ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no row breaks the check."""
        return not self.offending


def checks(tables: Sequence[Table] = TABLES, stems: Sequence[str] = ()) -> tuple[Check, ...]:
    """The checks: those that the tables' declaration implies, and those of sql/checks, by default all."""
    declared = [check for table in tables for check in _declared(table)]
    written = []
    for stem in stems or names("checks"):
        first, _, rest = header("checks", stem).partition("\n")
        written.append(Check(stem, f"{first} {rest}".replace("\n", " ").strip(), statement("checks", stem)))
    return (*declared, *written)


def _declared(table: Table) -> list[Check]:
    found = []
    required = [c.name for c in table.columns if not c.nullable]
    found.append(
        Check(
            f"{table.name}.required",
            f"No required column of {table.name} is NULL.",
            f"SELECT * FROM {name(table.name)} WHERE {' OR '.join(f'{name(c)} IS NULL' for c in required)}",
            table=table,
        )
    )
    if table.key:
        keys = ", ".join(name(k) for k in table.key)
        found.append(
            Check(
                f"{table.name}.key",
                f"Rows of {table.name} are unique by {', '.join(table.key)}.",
                f"SELECT {keys}, count(*) AS rows FROM {name(table.name)} GROUP BY {keys} HAVING count(*) > 1",
                table=table,
                unique=True,
            )
        )
    for reference in table.references:
        column = name(reference.column)
        target = next(t for t in TABLES if t.name == reference.table)
        found.append(
            Check(
                f"{table.name}.{reference.column}",
                f"{table.name}.{reference.column} is a key of {target.name}.",
                f"SELECT {column} FROM (SELECT DISTINCT {column} FROM {name(table.name)}) AS t "
                f"WHERE {column} IS NOT NULL AND NOT EXISTS "
                f"(SELECT 1 FROM {name(target.name)} AS r WHERE r.{name(target.key[0])} = t.{column})",
                table=table,
            )
        )
    ruled = [c.check for c in table.columns if c.check]
    if ruled:
        broken = " OR ".join(f"NOT coalesce({rule}, true)" for rule in ruled)
        found.append(
            Check(
                f"{table.name}.domains",
                f"Every value of {table.name} is in its column's domain.",
                f"SELECT * FROM {name(table.name)} WHERE {broken}",
                table=table,
            )
        )
    return found


def run_checks(
    con: duckdb.DuckDBPyConnection, progress: Progress, which: Sequence[Check] | None = None
) -> list[Outcome]:
    """Run checks, by default all of them, on a release's database."""
    with progress.step("check"):
        chosen = checks() if which is None else which
        tables = {check.table.name for check in chosen if check.table is not None}
        counts = (f"SELECT {literal(table)} AS name, count(*) AS n FROM {name(table)}" for table in tables)
        rows = dict(con.execute(" UNION ALL ".join(counts)).fetchall()) if tables else {}
        return [_run(con, check, rows) for check in chosen]


def run_together(rows: Rows, progress: Progress, which: Sequence[Check]) -> list[Outcome]:
    """Run checks on an engine that starts slowly on a query: many of them are one."""
    counts: dict[int, int] = {}
    with progress.step("check"):
        for first in range(0, len(which), _TOGETHER):
            queries = [
                f"SELECT {number} AS number, COUNT(*) AS offending FROM ({check.query}) AS broken"
                for number, check in enumerate(which[first : first + _TOGETHER], first)
            ]
            counts |= dict(rows(" UNION ALL ".join(queries)))
        return [_outcome(rows, check, counts[number]) for number, check in enumerate(which)]


def refuse_failed(outcomes: Sequence[Outcome], hint: str) -> None:
    """Raise GateError where gates failed, naming the first of them."""
    failed = [o for o in outcomes if o.gate and not o.passed]
    if failed:
        named = "; ".join(f"{o.check} ({offending(o)})" for o in failed[:_SHOWN])
        raise GateError(f"{len(failed)} quality gate(s) failed: {named}.", hint)


def offending(outcome: Outcome) -> str:
    """How many rows break a check, in words."""
    return "1 offending row" if outcome.offending == 1 else f"{outcome.offending:,} offending rows"


def _outcome(rows: Rows, check: Check, offending: int) -> Outcome:
    examples = rows(f"SELECT * FROM ({check.query}) AS broken LIMIT {_SHOWN}") if offending else ()
    return Outcome(check.name, check.meaning, check.gate, offending, tuple(examples))


def _run(con: duckdb.DuckDBPyConnection, check: Check, rows: Mapping[str, int]) -> Outcome:
    if check.table is not None and not rows[check.table.name]:
        return Outcome(check.name, check.meaning, check.gate, 0)
    query = _shorter(con, check, rows)
    count = _count(con, query)
    if not count:
        return Outcome(check.name, check.meaning, check.gate, 0)
    examples = con.execute(f"SELECT * FROM ({query}) LIMIT {_SHOWN}")
    columns = tuple(column[0] for column in examples.description or ())
    return Outcome(check.name, check.meaning, check.gate, count, tuple(examples.fetchall()), columns)


def _shorter(con: duckdb.DuckDBPyConnection, check: Check, rows: Mapping[str, int]) -> str:
    """The check's query, or one that selects the same rows of a long table sooner."""
    if check.table is None or not check.unique or rows[check.table.name] < _LONG:
        return check.query
    find_suspects(con, name(check.table.name), check.table.key, "suspect")
    return repeated(name(check.table.name), check.table.key, "suspect")


def _count(con: duckdb.DuckDBPyConnection, query: str) -> int:
    row = con.execute(f"SELECT count(*) FROM ({query})").fetchone()
    assert row is not None
    return int(row[0])
