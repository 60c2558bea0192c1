"""Engines: where SQL runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from moviehouse.model.schema import Table


class Engine(Protocol):
    """What steps need of an engine. SQL is DuckDB's dialect; unqualified names find every relation."""

    def create_works(self, selects: Mapping[str, str]) -> None:
        """Create relations that are no part of the release, by name; none may need another of them."""

    def create_passing(self, relation: str, select: str) -> None:
        """Create a relation that one later statement needs, and no other."""

    def create_table(self, table: Table, select: str) -> None:
        """Create a table of the model from a SELECT, with the declared columns and types."""

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a query, which are few."""
