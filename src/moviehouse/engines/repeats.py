"""Finds keys that stand in several rows, by the order that rows are stored in where that tells enough.

Grouping 26 million rows by their key takes many seconds. Files of ratings are sorted but for a few
rows, if any, and a row can only repeat an earlier key where it does not come behind all keys before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from moviehouse.sql.text import literal, name

# Above so many runs, or so many suspects, grouping is the faster way.
_MOST_RUNS = 200
_MOST_SUSPECTS = 1_000_000

Key = tuple[Any, ...]
# The number of a run's first row (from 1), its key, and the key of the row before.
Start = tuple[int, Key, Key]


def find_suspects(con: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str], into: str) -> None:
    """Create the temporary table `into`: keys of `relation`, among them every one that more than one row has.

    All other keys are proved unique. `relation` and `into` are SQL, `columns` names.
    """
    keys = ", ".join(name(c) for c in columns)
    starts = _starts(con, relation, columns)
    if starts is not None:
        for condition in (_late(starts, columns), _early(starts, columns)) if starts else ("false",):
            con.execute(
                f"CREATE OR REPLACE TEMP TABLE {into} AS SELECT {keys} FROM "
                f"(SELECT {keys}, row_number() OVER () AS nth FROM {relation}) WHERE {condition} "
                f"LIMIT {_MOST_SUSPECTS}"
            )
            row = con.execute(f"SELECT count(*) FROM {into}").fetchone()
            if row is not None and row[0] < _MOST_SUSPECTS:
                return
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {into} AS SELECT {keys} FROM {relation} GROUP BY {keys} HAVING count(*) > 1"
    )


def repeated(relation: str, columns: Sequence[str], suspects: str) -> str:
    """Selects the keys among the suspects that more than one row has, and in how many rows they stand."""
    keys = ", ".join(name(c) for c in columns)
    return (
        f"SELECT {keys}, count(*) AS rows FROM {relation} SEMI JOIN {suspects} USING ({keys}) "
        f"GROUP BY {keys} HAVING count(*) > 1"
    )


def _starts(con: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]) -> list[Start] | None:
    """Where rows, in the order stored, do not increase by the key; None where too often, or keys are NULL."""
    now = [name(c) for c in columns]
    before = [name(f"before_{c}") for c in columns]
    lags = ", ".join(f"lag({n}) OVER () AS {b}" for n, b in zip(now, before, strict=True))
    rows = con.execute(
        f"SELECT nth, {', '.join(now + before)} FROM "
        f"(SELECT {', '.join(now)}, row_number() OVER () AS nth, {lags} FROM {relation}) "
        f"WHERE nth > 1 AND NOT coalesce({_behind(now, before)}, false) LIMIT {_MOST_RUNS + 1}"
    ).fetchall()
    if len(rows) > _MOST_RUNS or any(value is None for row in rows for value in row):
        return None
    width = len(columns)
    return [(row[0], row[1 : 1 + width], row[1 + width :]) for row in sorted(rows)]


def _behind(one: Sequence[str], other: Sequence[str]) -> str:
    """Whether one key is behind the other; engines compare columns faster than rows of them."""
    terms = []
    for i in range(len(one)):
        equal = [f"{a} = {b}" for a, b in zip(one[:i], other[:i], strict=True)]
        terms.append("(" + " AND ".join([*equal, f"{one[i]} > {other[i]}"]) + ")")
    return "(" + " OR ".join(terms) + ")"


def _late(starts: list[Start], columns: Sequence[str]) -> str:
    """Rows that are not behind the greatest key of the runs before theirs."""
    ends = [*(nth for nth, _, _ in starts[1:]), None]
    conditions, greatest = [], None
    for (nth, _, before), end in zip(starts, ends, strict=True):
        greatest = before if greatest is None else max(greatest, before)
        late = f"NOT {_behind([name(c) for c in columns], _sql(greatest))}"
        conditions.append(f"(nth >= {nth}{'' if end is None else f' AND nth < {end}'} AND {late})")
    return " OR ".join(conditions)


def _early(starts: list[Start], columns: Sequence[str]) -> str:
    """Rows that are not before the least key of the runs behind theirs."""
    begins = [1, *(nth for nth, _, _ in starts[:-1])]
    conditions, least = [], None
    for (end, first, _), begin in zip(reversed(starts), reversed(begins), strict=True):
        least = first if least is None else min(least, first)
        early = f"NOT {_behind(_sql(least), [name(c) for c in columns])}"
        conditions.append(f"(nth >= {begin} AND nth < {end} AND {early})")
    return " OR ".join(conditions)


def _sql(key: Key) -> list[str]:
    return [literal(value) if isinstance(value, str) else str(value) for value in key]
