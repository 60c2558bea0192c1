"""Small pieces of SQL text."""

from __future__ import annotations


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def name(identifier: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'
