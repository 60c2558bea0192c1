"""Times as people write them, in UTC as the lake has them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from moviehouse.errors import UsageError

LONGEST = timedelta(hours=12)
"""Upkeep takes the rows of an older load that the ledger does not name for those of a dead one.

A load into a stage has ended once it is noted: what is staged may wait for as long as it takes.
"""


def utc(time: str | datetime, option: str) -> datetime:
    """A time in UTC, without a zone; one that is given without a zone is in UTC. UsageError names the option."""
    if isinstance(time, str):
        try:
            time = datetime.fromisoformat(time.strip())
        except ValueError:
            message = f"{option}: {time!r} is not a time."
            raise UsageError(
                message, f"Write {option} 2026-11-24T09:00, or with a zone 2026-11-24T09:00+01:00."
            ) from None
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo is not None else time
