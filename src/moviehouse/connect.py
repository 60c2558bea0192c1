"""Connects to DuckDB, which says nothing by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb


def connected(
    database: str = ":memory:", *, read_only: bool = False, config: Mapping[str, Any] | None = None
) -> duckdb.DuckDBPyConnection:
    """A connection without DuckDB's own progress bar, which it shows in notebooks and where Python has no script."""
    con = duckdb.connect(database, read_only=read_only, config=dict(config or {}))
    con.execute("SET enable_progress_bar = false")
    return con
