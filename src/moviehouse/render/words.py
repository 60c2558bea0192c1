"""The grammar of the source's cells in words, from the declaration."""

from __future__ import annotations

import re

from moviehouse.model.schema import Column, Table
from moviehouse.model.sources import Element, NestedColumn, SourceColumn, SourceFile
from moviehouse.render.markdown import code

Cell = SourceColumn | Element


# In a table cell, shorter than in a message ("title is not a text").
_SHORT = {"a text": "text"}
# What the grammar's own words leave out: other spellings of the same value in a cell of its own.
_SPELLINGS = {
    "integer": ", also written `81.0`",
    "decimal": ", also written `1.80E-05`; more decimal places are rounded",
}


def cell_words(cell: Cell) -> str:
    """What a cell, or an entry of a nested cell, may hold."""
    words = _SHORT.get(cell.kind.words, cell.kind.words).replace(f"{2**53:,}", "2^53")
    if cell.kind.pattern:
        words = words.replace(cell.kind.pattern, code(cell.kind.pattern))
    if isinstance(cell, SourceColumn):
        return words + _SPELLINGS.get(cell.kind.name, "")
    return words + (", not empty" if cell.required and cell.kind.pattern is None else "")


def null_words(cell: Cell) -> str:
    """What is read as NULL without a line in the log."""
    if isinstance(cell, Element):
        return "" if cell.required else "empty in the list"
    if cell.key:
        return ""
    words = ["empty"]
    if cell.null_tokens:
        # The patterns name spellings of nought; any other pattern is shown as it is.
        zero = re.fullmatch(cell.null_tokens, "0")
        words.append("`0`" if zero else f"the form {code(cell.null_tokens)}")
    if cell.null_if_zero:
        words.append(f"any value where {code(cell.null_if_zero)} is 0")
    return ", ".join(words)


def source_cells(table: Table, column: Column, sources: dict[str, SourceFile]) -> list[Cell]:
    """The cells of the source files that a column of the model is made from."""
    file, _, names = column.source.partition(":")
    found: list[Cell] = []
    for name in filter(None, names.split(", ")):
        source = next(c for c in sources[file].columns if c.name == name)
        found += [_element(source, table, column)] if isinstance(source, NestedColumn) else [source]
    return found


def _element(nested: NestedColumn, table: Table, column: Column) -> Element:
    targets = (column.name, f"{table.name}_{column.name}")
    return next(e for e in nested.elements if e.target in targets)
