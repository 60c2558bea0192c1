"""The grammar of the source's cells in words, from the declaration."""

from __future__ import annotations

import re

from moviehouse.model.grammar import Kind
from moviehouse.model.sources import Element, NestedColumn, SourceColumn, SourceFile
from moviehouse.model.tables import Column, Table
from moviehouse.render.markdown import code

Cell = SourceColumn | Element


def cell_words(cell: Cell) -> str:
    """What a cell, or an entry of a nested one, may hold."""
    words = _kind_words(cell.kind)
    if isinstance(cell, SourceColumn):
        return words + (", also written `81.0`" if cell.kind.name == "integer" else "")
    return words + (" but the empty one" if cell.required and words == "any text" else "")


def _kind_words(kind: Kind) -> str:
    span = f"from {_number(kind.low)} to {_number(kind.high)}"
    return {
        "text": "any text",
        "code": f"a code of the form {code(kind.pattern or '')}",
        "integer": f"a whole number {span}",
        "decimal": f"a number {span}, also written `1.80E-05`, kept to {_decimals(kind)} decimals",
        "half_stars": f"a number {span} in steps of one half",
        "date": "a calendar date written `yyyy-mm-dd`, from year 1",
        "boolean": "`true` or `false`, also with a capital or in capitals",
        "epoch_seconds": "whole seconds since 1970-01-01 UTC, up to the year 9999",
    }[kind.name]


def null_words(cell: Cell) -> str:
    """What is read as NULL without a word in the log."""
    if isinstance(cell, Element):
        return "" if cell.required else "`None`, `''`, left out"
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


def _number(text: str | None) -> str:
    return f"{int(text):,}" if text and text.isdigit() else str(text)


def _decimals(kind: Kind) -> str:
    return kind.type.rstrip(")").rpartition(",")[2]
