"""The figures of a run: what the log says, what the release definition leaves out, what adds up."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import duckdb

from moviehouse.run import RunRecord
from moviehouse.steps.balance import Balance
from moviehouse.steps.check import Outcome, Rows


def record_counts(rows: Rows, record: RunRecord, balances: list[Balance], outcomes: list[Outcome]) -> None:
    """Put the balances, the lines of the log by reason, and what the checks found into the run record.

    `rows` gives those of a query, on any engine.
    """
    for balance in balances:
        entry = record.files.setdefault(balance.file, {})
        counts = {k: v for k, v in asdict(balance).items() if k not in ("file", "column")}
        if balance.column:
            lists = {k: v for k, v in counts.items() if k not in ("mended", "warned")}
            entry.setdefault("lists", {})[balance.column] = lists
        else:
            entry["records"] = counts
    lines = rows("SELECT severity, reason, COUNT(*) FROM error_log GROUP BY severity, reason")
    for severity, reason, count in sorted(lines, key=lambda line: (line[0], -line[2], line[1])):
        record.log.setdefault(severity, {})[reason] = count
    record.checks = {outcome.check: outcome.offending for outcome in outcomes}


def record_figures(
    con: duckdb.DuckDBPyConnection, record: RunRecord, balances: list[Balance], outcomes: list[Outcome]
) -> None:
    """Put the figures of a finished database into the run record."""
    record_counts(lambda query: con.execute(query).fetchall(), record, balances, outcomes)
    record.releases = _one(
        con,
        "SELECT count(*) AS movies, count(budget_usd) AS with_budget, count(revenue_usd) AS with_revenue, "
        "count(profit_usd) AS with_profit, CAST(sum(budget_usd) AS BIGINT) AS budget_usd, "
        "CAST(sum(revenue_usd) AS BIGINT) AS revenue_usd FROM release",
    )
    record.excluded = _all(
        con,
        "SELECT status, release_date IS NOT NULL AS dated, count(*) AS movies, "
        "CAST(sum(budget_usd) AS BIGINT) AS budget_usd, CAST(sum(revenue_usd) AS BIGINT) AS revenue_usd "
        "FROM movie WHERE movie_id NOT IN (SELECT movie_id FROM release) GROUP BY ALL ORDER BY movies DESC, status",
    )
    for row in _all(
        con,
        "SELECT dimension, CAST(sum(movies) AS BIGINT) AS movies, CAST(sum(budget_usd) AS BIGINT) AS budget_usd, "
        "CAST(sum(revenue_usd) AS BIGINT) AS revenue_usd, CAST(sum(profit_usd) AS BIGINT) AS profit_usd "
        "FROM unattributed_by_year GROUP BY dimension ORDER BY dimension",
    ):
        record.unattributed[f"without_{row.pop('dimension')}"] = row


def _all(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    cursor = con.execute(query)
    names = [c[0] for c in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _one(con: duckdb.DuckDBPyConnection, query: str) -> dict[str, Any]:
    return _all(con, query)[0]
