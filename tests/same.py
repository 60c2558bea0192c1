"""Whether two releases are one: every table and every answer, row for row, whatever the order."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb

from moviehouse.model.tables import TABLES
from moviehouse.sql import QUESTIONS, VIEWS


def fingerprints(release: Path) -> dict[str, tuple[int, list[str], str]]:
    """Of each table, view and answer: its rows, its columns with their types, the hash of its sorted rows."""
    found = {}
    with duckdb.connect(str(release / "moviehouse.duckdb"), read_only=True) as con:
        for relation in (*(t.name for t in TABLES), *VIEWS, *QUESTIONS):
            found[relation] = _fingerprint(con, f"SELECT * FROM {relation}")
        for table in TABLES:
            found[f"{table.name}.parquet"] = _fingerprint(con, f"SELECT * FROM '{release}/tables/{table.name}.parquet'")
        for question in QUESTIONS:
            path = release / "answers" / f"{question}.parquet"
            found[f"{question}.parquet"] = _fingerprint(con, f"SELECT * FROM '{path}'")
            text = (release / "answers" / f"{question}.csv").read_text(encoding="utf-8")
            found[f"{question}.csv"] = (text.count("\n"), [], hashlib.sha256(text.encode()).hexdigest())
    return found


def _fingerprint(con: duckdb.DuckDBPyConnection, query: str) -> tuple[int, list[str], str]:
    described = con.execute(f"DESCRIBE {query}").fetchall()
    kept = ", ".join(f'"{name}"' for name, *_ in described if name != "run_id")
    digest, rows = hashlib.sha256(), 0
    cursor = con.execute(f"SELECT {kept} FROM ({query}) ORDER BY ALL")
    while batch := cursor.fetchmany(10_000):
        rows += len(batch)
        for row in batch:
            digest.update(repr(row).encode("utf-8", "surrogatepass") + b"\n")
    return rows, [f"{name} {type_}" for name, type_, *_ in described], digest.hexdigest()
