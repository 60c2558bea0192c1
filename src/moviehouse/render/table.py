"""Prints rows as a table that never cuts a number: where the terminal is too narrow, one value a line."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

_GAP = 2
_LEAST_TEXT = 12
_MOST_LINES = 6
"""Texts are folded, down to this width and into so many lines; anything else stays on its line."""


def print_table(
    console: Console,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    texts: Collection[str] = (),
    total: Sequence[str] | None = None,
    indent: int = 0,
) -> None:
    """Print rows of cells under their columns; those of `texts` are set left, and folded where they must be.

    `total` is a last row, set off.
    """
    width_left = console.width - indent
    every = [*rows, total] if total else list(rows)
    widest = [max((cell_len(row[i]) for row in every), default=0) for i in range(len(columns))]
    whole = [max(width, cell_len(column)) for width, column in zip(widest, columns, strict=True)]
    if _room(whole) <= width_left:
        _print(console, [columns], rows, whole, texts, total, " " * indent)
        return
    heads = [column.replace("_", "_\n").split("\n") for column in columns]
    widths = [max(width, *map(cell_len, head)) for width, head in zip(widest, heads, strict=True)]
    over = _room(widths) - width_left
    for i in sorted(range(len(columns)), key=lambda i: -widths[i]):
        if columns[i] in texts and over > 0:
            least = max(min(widths[i], _LEAST_TEXT), *map(cell_len, heads[i]))
            over, widths[i] = over - (widths[i] - least), max(least, widths[i] - over)
    if over > 0 or any(wide > _MOST_LINES * width for wide, width in zip(widest, widths, strict=True)):
        _print_apart(console, columns, rows, total, " " * indent)
        return
    lines = max(map(len, heads))
    padded = [[""] * (lines - len(head)) + head for head in heads]
    _print(console, list(zip(*padded, strict=True)), rows, widths, texts, total, " " * indent)


def _room(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _print(
    console: Console,
    heads: Sequence[Sequence[str]],
    rows: Sequence[Sequence[str]],
    widths: Sequence[int],
    texts: Collection[str],
    total: Sequence[str] | None,
    margin: str,
) -> None:
    names = ["".join(parts) for parts in zip(*heads, strict=True)]
    left = [name in texts for name in names]
    for head in heads:
        console.print(Text(margin + _line(head, widths, left), style="bold"))
    for row in rows:
        for line in _folded(console, row, widths):
            console.file.write(margin + _line(line, widths, left) + "\n")
    if total:
        console.print(Text(margin + _line(["─" * width for width in widths], widths, left), style="dim"))
        for line in _folded(console, total, widths):
            console.print(Text(margin + _line(line, widths, left), style="bold"))


def _line(cells: Sequence[str], widths: Sequence[int], left: Sequence[bool]) -> str:
    padded = []
    for cell, width, at_left in zip(cells, widths, left, strict=True):
        space = " " * (width - cell_len(cell))
        padded.append(cell + space if at_left else space + cell)
    return (" " * _GAP).join(padded).rstrip()


def _folded(console: Console, row: Sequence[str], widths: Sequence[int]) -> list[list[str]]:
    """The lines of a row: one, where every cell fits."""
    pairs = list(zip(row, widths, strict=True))
    if all(cell_len(cell) <= width for cell, width in pairs):
        return [list(row)]
    cells = [[str(line).rstrip() for line in Text(cell).wrap(console, width)] or [""] for cell, width in pairs]
    height = max(map(len, cells))
    return [[cell[i] if i < len(cell) else "" for cell in cells] for i in range(height)]


def _print_apart(
    console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]], total: Sequence[str] | None, margin: str
) -> None:
    """Each row as a block, each value on a line of its own beside its column."""
    blocks = [(row, "") for row in rows] + ([(total, "bold")] if total else [])
    width = len(margin) + max(map(cell_len, columns))
    beside = width + _GAP + _LEAST_TEXT <= console.width
    for i, (row, style) in enumerate(blocks):
        if i:
            console.print()
        for column, cell in zip(columns, row, strict=True):
            if style and not cell:
                continue
            room = console.width - (width + _GAP if beside else _GAP)
            first, *more = [str(line).rstrip() for line in Text(cell).wrap(console, room, overflow="fold")] or [""]
            lead = f"{margin}{column}".ljust(width + _GAP) if beside else f"{margin}{column}\n" + " " * _GAP
            indent = " " * (width + _GAP if beside else _GAP)
            console.print(Text.assemble((lead, "dim"), (first, style)), soft_wrap=True)
            for line in more:
                console.print(Text(indent + line, style), soft_wrap=True)
