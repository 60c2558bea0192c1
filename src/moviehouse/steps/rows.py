"""Rows that go from Python into DuckDB."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import get_ident
from typing import Any

import duckdb

from moviehouse.sql.text import literal, name

NOTE = (
    'file VARCHAR, ordinal BIGINT, line BIGINT, reason VARCHAR, "column" VARCHAR, movie_id BIGINT, '
    "value VARCHAR, message VARCHAR"
)
REJECT = (
    'file VARCHAR, ordinal BIGINT, line BIGINT, unit VARCHAR, "column" VARCHAR, "position" INTEGER, '
    "reason VARCHAR, movie_id BIGINT, value VARCHAR, message VARCHAR, raw BLOB"
)


def insert(
    con: duckdb.DuckDBPyConnection,
    table: str,
    rows: Iterable[Mapping[str, Any]],
    work: Path,
    create: str | None = None,
) -> int:
    """Insert rows by name, whatever their number, through a file of JSON lines; gives how many.

    Bytes go into BLOB columns; absent names are NULL. `create` declares the table's columns where
    the table is to be made first.
    """
    if create is not None:
        con.execute(f"CREATE TABLE {table} ({create})")
    work.mkdir(parents=True, exist_ok=True)
    path = work / f"{table}-{get_ident()}.jsonl"  # files are read side by side
    count = longest = 0
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            text = json.dumps({k: base64.b64encode(v).decode() if isinstance(v, bytes) else v for k, v in row.items()})
            count += 1
            longest = max(longest, len(text))
            file.write(text + "\n")
    if count:
        columns = [row[:2] for row in con.execute(f"DESCRIBE {table}").fetchall()]
        types = ", ".join(f"{literal(c)}: {literal('VARCHAR' if t == 'BLOB' else t)}" for c, t in columns)
        values = ", ".join(f"from_base64({name(c)})" if t == "BLOB" else name(c) for c, t in columns)
        con.execute(
            f"INSERT INTO {table} SELECT {values} FROM read_json({literal(str(path))}, "
            f"format='newline_delimited', hive_partitioning=false, columns={{{types}}}, "
            f"maximum_object_size={max(longest * 2, 16 << 20)})"
        )
    path.unlink()
    return count
