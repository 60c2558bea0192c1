"""Sets a drop aside: its error log goes beside the ledger, and the ledger says why."""

from __future__ import annotations

from pathlib import Path

from moviehouse.errors import MoviehouseError
from moviehouse.lake.ledger import Ledger, Reading

FOLDER = "set-aside"
"""Where the logs lie, in the location of the table `reading`."""


def keep_log(ledger: Ledger, reading: Reading, error: MoviehouseError, folder: Path) -> str:
    """Keep the log and the run record of a failed load, and note the reading; where the log is then."""
    table = ledger.notes()
    place = f"{table.location()}/{FOLDER}/{reading.reading_id}"
    for name in ("errors.jsonl", "run.json"):
        path = folder / name
        if path.exists():
            with table.io.new_output(f"{place}/{name}").create(overwrite=True) as out:
                out.write(path.read_bytes())
    log = f"{place}/errors.jsonl"
    ledger.note(reading, "set_aside", str(error), log)
    return log.removeprefix("file://")
