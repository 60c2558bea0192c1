"""Sets a drop aside: its error log goes into a table of its own, and the ledger says why."""

from __future__ import annotations

from pathlib import Path

from moviehouse.connect import connected
from moviehouse.errors import MoviehouseError
from moviehouse.lake.append import READING_PROPERTY, add_files, write_files
from moviehouse.lake.catalog import Lake
from moviehouse.lake.ledger import Ledger, Reading
from moviehouse.lake.tables import PROPERTIES, ensure, schema_of
from moviehouse.model.schema import Column
from moviehouse.model.tables import ERROR_LOG
from moviehouse.sql.text import literal, name

LOG = "set_aside_log"
"""The table with the error logs of the drops that were set aside; no release is about it."""
COLUMNS = (Column("reading_id", "VARCHAR", "The reading that was set aside."), *ERROR_LOG.columns)


def set_aside(ledger: Ledger, lake: Lake, reading: Reading, error: MoviehouseError, log: Path) -> str:
    """Keep the log of a failed load and note the reading; the command that shows the log."""
    table = ensure(lake, LOG, lambda: schema_of(COLUMNS), PROPERTIES)
    types = ", ".join(f"{literal(c.name)}: {literal(c.type)}" for c in ERROR_LOG.columns)
    columns = ", ".join(name(c.name) for c in ERROR_LOG.columns)
    if log.exists():
        with connected() as con:
            query = (
                f"SELECT {literal(reading.reading_id)} AS reading_id, {columns} FROM read_json({literal(str(log))}, "
                f"format = 'newline_delimited', columns = {{{types}}}, maximum_object_size = {64 << 20})"
            )
            files = write_files(con, query, table)
        add_files(lake, table, files, **{READING_PROPERTY: reading.reading_id})
    ledger.note(reading, "set_aside", str(error))
    return f"moviehouse sql \"FROM {LOG} WHERE reading_id = '{reading.reading_id}'\" --lake {lake.name}"
