"""Describes the views and the questions: the columns that they have, whatever is in the tables."""

from __future__ import annotations

from moviehouse.connect import connected
from moviehouse.sql import QUESTIONS, VIEWS
from moviehouse.steps.answer import create_views


def view_columns(schema: str) -> dict[str, list[tuple[str, str]]]:
    """Name and type of each column of every view and question, on empty tables made by the DDL `schema`."""
    with connected() as con:
        con.execute(schema)
        create_views(con)
        return {name: [row[:2] for row in con.execute(f"DESCRIBE {name}").fetchall()] for name in (*VIEWS, *QUESTIONS)}
