"""Prints the model: as DDL, as a dictionary or a diagram for a terminal, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

from rich.console import Console
from rich.text import Text

from moviehouse.model.schema import Column, Table
from moviehouse.model.tables import TABLES
from moviehouse.render.ddl import schema_sql, table_sql
from moviehouse.render.erd import mermaid, svg
from moviehouse.render.table import print_table
from moviehouse.render.terminal import open_console

_INDENT = "  "


def show_schema(form: str, tables: Sequence[Table]) -> None:
    """Print the tables in a form; SVG and Mermaid always have all of them."""
    if form == "svg":
        print(svg())
    elif form == "mermaid":
        print(mermaid().removeprefix("```mermaid\n").removesuffix("\n```"))
    elif form == "ddl":
        print(schema_sql().rstrip() if len(tables) == len(TABLES) else "\n".join(map(table_sql, tables)).rstrip())
    else:
        console = open_console()
        for i, table in enumerate(tables):
            if i:
                console.print()
            (_dictionary if form == "dictionary" else _relations)(console, table)


def _dictionary(console: Console, table: Table) -> None:
    """A table's columns: what each holds, in what unit, and where it comes from."""
    console.print(Text(table.name, style="bold"))
    console.print(Text(table.description))
    rows = [(c.name, c.type, "" if c.nullable else "not null", _told(table, c)) for c in table.columns]
    print_table(console, ("column", "type", "null", "description"), rows, ("column", "type", "null", "description"))


def _told(table: Table, column: Column) -> str:
    refers = [f"Refers to {r.table}." for r in table.references if r.column == column.name]
    unit = [f"Unit: {column.unit}."] if column.unit else []
    source = [f"Source: {column.source}."] if column.source else []
    key = ["Key."] if column.name in table.key else []
    return " ".join([*key, column.description, *unit, *refers, *source])


def _relations(console: Console, table: Table) -> None:
    """A table's key, what it refers to, and what refers to it."""
    console.print(Text.assemble((table.name, "bold"), f" ({', '.join(table.key) or 'no key'})"))
    for reference in table.references:
        optional = ", or none" if table.column(reference.column).nullable else ""
        console.print(Text(f"{_INDENT}{reference.column} → {reference.table}{optional}"))
    users = [f"{t.name}.{r.column}" for t in TABLES for r in t.references if r.table == table.name]
    if users:
        told = fill(", ".join(users), console.width, initial_indent=f"{_INDENT}← ", subsequent_indent=_INDENT * 2)
        console.print(Text(told, style="dim"))
