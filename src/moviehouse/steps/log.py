"""Gathers the error log and the rejected records from what reading and conforming left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from moviehouse.engines import Engine
from moviehouse.engines.duckdb import DuckDB
from moviehouse.error_log import REASONS, VALUE_LIMIT
from moviehouse.model.sources import SOURCES
from moviehouse.model.tables import ERROR_LOG, REJECTED_RECORD
from moviehouse.sql import statement
from moviehouse.sql.text import literal
from moviehouse.steps.conform import Text
from moviehouse.steps.records import slices
from moviehouse.steps.rows import NOTE, insert

_WORK = ("rejected_reference", "merged_record", "merged_element")
# What one statement needs, once; the last of them gathers the lines.
_PASSING = ("swept_element", "name_conflict", "link_warning", "unknown_movielens_id", "kept_note", "log_line")
REFERRING = ("credits.csv", "keywords.csv")
REFERENCE = "ordinal, line, movie_id, byte_offset, byte_length"
_FILE_ORDER = " ".join(f"WHEN {literal(s.name)} THEN {i}" for i, s in enumerate(SOURCES))
REJECTED_ORDER = f'CASE file {_FILE_ORDER} END, line, unit DESC, "column", position'
LOG_ORDER = f'CASE file {_FILE_ORDER} ELSE 99 END, file, line NULLS FIRST, "column" NULLS FIRST, reason, value'


def gather(engine: Engine, run_id: str, reject_references: Callable[[], None], text: Text = statement) -> None:
    """Create the tables rejected_record and error_log; `text` gives the SQL.

    `reject_references` adds the records that rejected_reference.sql selects to the relation `reject`, with
    their bytes, which no SQL can read.
    """
    engine.create_works({relation: text("log", relation) for relation in _WORK})
    reject_references()
    engine.create_works({"kept_reject": text("log", "kept_reject")})
    for relation in _PASSING:
        engine.create_passing(relation, text("log", relation))
    engine.create_table(REJECTED_RECORD, f"SELECT * FROM kept_reject ORDER BY {REJECTED_ORDER}")
    engine.create_table(ERROR_LOG, f"{_log_sql(run_id)} ORDER BY {LOG_ORDER}")


def reject_references(engine: DuckDB, paths: dict[str, Path], work: Path) -> None:
    """Reject credits and keywords of unknown movies, with their bytes from the files; `paths` are those by name."""
    for file in REFERRING:
        rows = engine.rows(f"SELECT {REFERENCE} FROM rejected_reference WHERE file = {literal(file)} ORDER BY ordinal")
        insert_references(engine.con, file, rows, paths[file] if rows else Path(), work)


def insert_references(
    con: duckdb.DuckDBPyConnection, file: str, rows: list[tuple[Any, ...]], path: Path, work: Path
) -> None:
    """Add records of a file, as `REFERENCE` has them, to the relation `reject`."""
    if rows:
        insert(con, "reject", _with_bytes(file, rows, path), work)


def _columns(declared: str) -> str:
    return ", ".join(part.strip().split(" ")[0] for part in declared.split(","))


def _with_bytes(file: str, rows: list[tuple[Any, ...]], path: Path) -> Iterator[dict[str, Any]]:
    raws = slices(path, ((row[-2], row[-1]) for row in rows))
    for (ordinal, line, movie_id, _, _), raw in zip(rows, raws, strict=True):
        yield {
            "file": file, "ordinal": ordinal, "line": line, "unit": "record", "column": "id",
            "reason": "unknown_movie", "movie_id": movie_id, "value": str(movie_id),
            "message": f"movies_metadata.csv has no movie {movie_id}.", "raw": raw,
        }  # fmt: skip


def _reasons_join() -> str:
    reasons = ", ".join(f"({literal(r.code)}, {literal(r.severity)}, {literal(r.action)})" for r in REASONS)
    return f"JOIN (VALUES {reasons}) AS r (code, severity, action) ON r.code = n.reason"


def _log_sql(run_id: str) -> str:
    return (
        f'SELECT {literal(run_id)} AS run_id, r.severity, n.reason, n.file, n.line, n."column", n.movie_id, '
        f"{cut_sql('n.value')} AS value, n.message, r.action "
        f"FROM log_line AS n {_reasons_join()}"
    )


def save_unfinished(engine: DuckDB, run_id: str, path: Path) -> None:
    """Write the lines that a failing run has gathered so far; nothing where even that fails."""
    lines = f"SELECT {_columns(NOTE)} FROM "
    with suppress(duckdb.Error):
        engine.con.rollback()
    with suppress(duckdb.Error):
        engine.con.execute(
            f'COPY (SELECT {literal(run_id)} AS run_id, r.severity, n.reason, n.file, n.line, n."column", n.movie_id, '
            f"{cut_sql('n.value')} AS value, n.message, 'nothing published' AS action "
            f"FROM ({lines} note UNION ALL {lines} reject) AS n {_reasons_join()} ORDER BY n.file, n.line) "
            f"TO {literal(str(path))} (FORMAT json)"
        )


def cut_sql(value: str) -> str:
    """The value at most 1 KiB long in UTF-8, a cut marked with its full length."""
    mark = f"' … [' || strlen({value}) || ' bytes]'"
    room = VALUE_LIMIT - 32
    cut = (
        f"CASE WHEN strlen(left({value}, {room})) <= {room} THEN left({value}, {room}) "
        f"ELSE left({value}, {room // 4}) END"
    )
    return f"CASE WHEN strlen({value}) <= {VALUE_LIMIT} THEN {value} ELSE {cut} || {mark} END"
