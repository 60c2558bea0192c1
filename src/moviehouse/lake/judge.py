"""Judges a reading before its rows are appended: gates, columns that vanished, rejected records; on any engine."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from moviehouse.errors import GateError, SourceError
from moviehouse.lake.ledger import Reading
from moviehouse.lake.reading import gates
from moviehouse.model.lake import LAKE_TABLES
from moviehouse.pipeline import Run
from moviehouse.sql.text import literal, name
from moviehouse.steps import check, summary
from moviehouse.steps.balance import Balance
from moviehouse.steps.check import Check, Outcome, Rows, checks


def what_must_hold(*, full: bool) -> list[Check]:
    """What must hold of one drop, a `full` snapshot or not; that answers add up is a matter of the state."""
    return [*gates(), *(checks((), ("some_movie_is_loaded",)) if full else ())]


def judge(
    run: Run, rows: Rows, outcomes: list[Outcome], *, max_rejects: float = 1, accepted: Collection[str] = ()
) -> None:
    """Put what the checks found into the run, and raise what sets the drop aside; `rows` gives those of a query.

    That is a gate that failed (GateError), a column that is missing but for those `accepted`, written FILE:COLUMN
    (SourceError), or a share of rejected records above `max_rejects` (GateError).
    """
    run.outcomes = outcomes
    summary.record_counts(rows, run.record, run.balances, outcomes)
    counts = (f"SELECT {literal(t.name)} AS name, COUNT(*) AS n FROM {name(t.name)}" for t in LAKE_TABLES)
    found: dict[str, int] = dict(rows(" UNION ALL ".join(counts)))
    run.record.rows = {table.name: found[table.name] for table in LAKE_TABLES}
    _refuse_vanished(rows, accepted)
    check.refuse_failed(outcomes, "The drop was set aside; the log shows the first offending rows of each.")
    _refuse_rejects(run.balances, max_rejects)


def _refuse_vanished(rows: Rows, accepted: Collection[str]) -> None:
    query = "SELECT file, \"column\" FROM error_log WHERE reason = 'missing_column'"
    gone = sorted((file, column) for file, column in rows(query) if f"{file}:{column}" not in accepted)
    if gone:
        file, column = gone[0]
        more = f" (and {len(gone) - 1} more)" if len(gone) > 1 else ""
        accept = " ".join(f"--accept-missing-column {f}:{c}" for f, c in gone[:3])
        raise SourceError(
            f"{file} has no column {column}{more}: the values that the lake has would become unknown.",
            f"If that is meant: {accept}",
            file=file,
            line=1,
            column=column,
        )


def _refuse_rejects(balances: Sequence[Balance], max_rejects: float) -> None:
    records = [b for b in balances if not b.column]
    read, rejected = sum(b.read for b in records), sum(b.rejected for b in records)
    if rejected > max_rejects * read:
        raise GateError(
            f"{rejected:,} of {read:,} records were rejected, more than --max-rejects {max_rejects:g} allows.",
            "The drop was set aside; the log says why each was rejected.",
        )


def counted(reading: Reading, run: Run) -> Reading:
    """The reading with what is known of its size."""
    records = [b for b in run.balances if not b.column]
    totals = {k: sum(getattr(b, k) for b in records) for k in ("read", "loaded", "merged", "rejected")}
    return replace(reading, rows={t: n for t, n in run.record.rows.items() if n}, **totals)
