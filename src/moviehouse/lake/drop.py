"""What a drop is before it is read: its id, and the time that its source says it was written at."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from moviehouse.steps.fetch import Fetched
from moviehouse.steps.fetch.cache import digest


@dataclass(frozen=True)
class Drop:
    """A source that was fetched: `drop_id` is its SHA-256, `written` the time in UTC, where that is known."""

    drop_id: str
    written: datetime | None


def identify(fetched: Fetched) -> Drop:
    """What a fetched source is, where it is: S3's or the server's word for its time, or the file's.

    The id of a directory is one over the names and contents of its files, its time that of the newest.
    """
    if fetched.kind != "directory":
        known = fetched.last_modified
        written = None if known is None else datetime.fromisoformat(known).astimezone(UTC).replace(tzinfo=None)
        return Drop(fetched.sha256 or "", written)
    files = sorted((path.name, path) for path in fetched.path.rglob("*.csv") if path.is_file())
    drop_id = hashlib.sha256("".join(f"{n} {digest(p)['sha256']}\n" for n, p in files).encode()).hexdigest()
    times = [path.stat().st_mtime for _, path in files]
    return Drop(drop_id, datetime.fromtimestamp(max(times), UTC).replace(tzinfo=None) if times else None)
