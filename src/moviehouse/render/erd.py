"""The entity-relationship diagram: as Mermaid for a page, as SVG for anything that shows pictures."""

from __future__ import annotations

from moviehouse.model.schema import Column, Reference, Table
from moviehouse.model.tables import TABLES
from moviehouse.render.diagram import svg

__all__ = ["mermaid", "svg"]


def mermaid() -> str:
    """All tables, columns and relationships in Mermaid's language, as a fenced block."""
    lines = ["erDiagram"]
    lines += [_relationship(t, r) for t in TABLES for r in t.references]
    lines += [line for t in TABLES for line in _entity(t)]
    return "\n".join(["```mermaid", *lines, "```"])


def _relationship(t: Table, r: Reference) -> str:
    """One parent (or none, where the column may be NULL) has any number of children."""
    parent = "|o" if t.column(r.column).nullable else "||"
    return f'    {r.table} {parent}--o{{ {t.name} : "{r.column}"'


def _entity(t: Table) -> list[str]:
    width = max(len(_type(c)) for c in t.columns)
    return [f"    {t.name} {{", *(f"        {_attribute(t, c, width)}" for c in t.columns), "    }"]


def _attribute(t: Table, c: Column, width: int) -> str:
    keys = ["PK"] * (c.name in t.key) + ["FK"] * any(r.column == c.name for r in t.references)
    note = "" if _type(c) == c.type else f'"{c.type}"'
    return " ".join([_type(c).ljust(width), c.name, ", ".join(keys), note]).replace('  "', ' "').rstrip()


def _type(c: Column) -> str:
    """Mermaid's types have no comma; the whole type stands behind as a note."""
    return c.type.partition("(")[0]
