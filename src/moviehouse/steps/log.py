"""Gathers the error log and the rejected records from what reading and conforming left behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from moviehouse.engines.duckdb import DuckDB
from moviehouse.error_log import REASONS, VALUE_LIMIT
from moviehouse.model.sources import SOURCES
from moviehouse.model.tables import ERROR_LOG, REJECTED_RECORD
from moviehouse.sql import statement
from moviehouse.sql.text import literal
from moviehouse.steps.conform import Text
from moviehouse.steps.records import slices
from moviehouse.steps.rows import NOTE, insert

_WORK = (
    "rejected_reference",
    "merged_record",
    "merged_element",
    "name_conflict",
    "link_warning",
    "unknown_movielens_id",
)
_FILE_ORDER = " ".join(f"WHEN {literal(s.name)} THEN {i}" for i, s in enumerate(SOURCES))


def gather(engine: DuckDB, paths: dict[str, Path], run_id: str, work: Path, text: Text | None = None) -> None:
    """Create the tables rejected_record and error_log; `paths` are the files by name."""
    for relation in _WORK:
        engine.create_work(relation, (text or statement)("log", relation))
    _reject_references(engine, paths, work)
    _drop_notes_of_unloaded(engine)
    engine.create_table(
        REJECTED_RECORD,
        f'SELECT * FROM reject ORDER BY CASE file {_FILE_ORDER} END, line, unit DESC, "column", position',
    )
    engine.create_work("log_line", f"SELECT * FROM (SELECT {_columns(NOTE)} FROM note LIMIT 0)")
    for query in _lines():
        engine.con.execute(f"INSERT INTO log_line {query}")
    engine.create_table(ERROR_LOG, _log_sql(run_id))


def _columns(declared: str) -> str:
    return ", ".join(part.strip().split(" ")[0] for part in declared.split(","))


def _reject_references(engine: DuckDB, paths: dict[str, Path], work: Path) -> None:
    """Reject credits and keywords of unknown movies, with their bytes from the files."""
    for file in ("credits.csv", "keywords.csv"):
        rows = engine.rows(
            "SELECT ordinal, line, movie_id, byte_offset, byte_length FROM rejected_reference "
            "WHERE file = ? ORDER BY ordinal",
            [file],
        )
        if rows:
            insert(engine.con, "reject", _with_bytes(file, rows, paths[file]), work)


def _with_bytes(file: str, rows: list[tuple[Any, ...]], path: Path) -> Iterator[dict[str, Any]]:
    raws = slices(path, ((row[-2], row[-1]) for row in rows))
    for (ordinal, line, movie_id, _, _), raw in zip(rows, raws, strict=True):
        yield {
            "file": file, "ordinal": ordinal, "line": line, "unit": "record", "column": "id",
            "reason": "unknown_movie", "movie_id": movie_id, "value": str(movie_id),
            "message": f"movies_metadata.csv has no movie {movie_id}.", "raw": raw,
        }  # fmt: skip


def _drop_notes_of_unloaded(engine: DuckDB) -> None:
    """A record that was merged or rejected has one line in the log, which says so."""
    gone = "SELECT 1 FROM {} AS g WHERE g.file = t.file AND g.ordinal = t.ordinal"
    engine.con.execute(f"DELETE FROM note AS t WHERE EXISTS ({gone.format('merged_record')})")
    engine.con.execute(f"DELETE FROM note AS t WHERE EXISTS ({gone.format('rejected_reference')})")
    # An entry that elements have and the model does not know is told once, at the first loaded record.
    engine.con.execute(
        "DELETE FROM note AS t WHERE reason = 'unknown_column' AND ordinal > (SELECT min(n.ordinal) FROM note AS n "
        'WHERE n.reason = t.reason AND n.file = t.file AND n."column" = t."column" AND n.value = t.value)'
    )
    swept = (
        f"FROM reject AS t WHERE unit = 'element' AND (EXISTS ({gone.format('merged_record')}) "
        f"OR EXISTS ({gone.format('rejected_reference')}))"
    )
    engine.create_work("swept_element", f'SELECT file, ordinal, "column" {swept}')
    engine.con.execute(f"DELETE {swept}")


def _lines() -> Iterator[str]:
    """The queries that give the log's lines in the shape of a note."""
    yield f"SELECT {_columns(NOTE)} FROM note"
    yield f"SELECT {_columns(NOTE)} FROM reject"
    yield (
        "SELECT file, ordinal, line, 'duplicate_record', \"column\", movie_id, value, "
        "'The record on line ' || later_line || ' has the same key.' FROM merged_record"
    )
    yield (
        "SELECT file, NULL, line, 'duplicate_element', \"column\", movie_id, value, "
        "'A later element has the same key.' FROM merged_element"
    )
    yield (
        "SELECT file, NULL, line, 'name_conflict', \"column\", movie_id, name || ' | ' || kept, "
        "'Id ' || id || ' is called ' || name || ' here, and ' || kept || ' later.' FROM name_conflict"
    )
    yield 'SELECT file, NULL, line, reason, "column", movie_id, value, message FROM link_warning'
    yield (
        "SELECT file, NULL, line, 'unknown_movielens_id', 'movieId', NULL, movielens_id::VARCHAR, "
        "'No links file has MovieLens id ' || movielens_id || '; ' || ratings || ' rating(s) name it.' "
        "FROM unknown_movielens_id"
    )


def _reasons_join() -> str:
    reasons = ", ".join(f"({literal(r.code)}, {literal(r.severity)}, {literal(r.action)})" for r in REASONS)
    return f"JOIN (VALUES {reasons}) AS r (code, severity, action) ON r.code = n.reason"


def _log_sql(run_id: str) -> str:
    return (
        f'SELECT {literal(run_id)} AS run_id, r.severity, n.reason, n.file, n.line, n."column", n.movie_id, '
        f"{cut_sql('n.value')} AS value, n.message, r.action "
        f"FROM log_line AS n {_reasons_join()} "
        f'ORDER BY CASE n.file {_FILE_ORDER} ELSE 99 END, n.file, n.line NULLS FIRST, n."column" NULLS FIRST, '
        "n.reason, n.value"
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
