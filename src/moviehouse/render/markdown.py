"""The little Markdown that the rendered pages need."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a pipe in a cell does not end it."""
    return "\n".join([_row(head), _row(["---"] * len(head)), *map(_row, rows)])


def table_of_filled(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table without the columns that are empty in every row."""
    kept = [i for i in range(len(head)) if any(row[i] for row in rows)]
    return table([head[i] for i in kept], [[row[i] for i in kept] for row in rows])


def code(text: str) -> str:
    """Text as code, even if it has backticks."""
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " if fence != "`" else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def codes(texts: Iterable[str]) -> str:
    """Several texts as code, separated by commas."""
    return ", ".join(map(code, texts))


def link(anchor: str) -> str:
    """A link to a heading of the same page that is one word."""
    return f"[{anchor}](#{anchor.replace('.', '')})"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(_cell, cells)) + " |"


def _cell(text: str) -> str:
    """A cell; what escapes a pipe in code differs from reader to reader, but an entity is a pipe to all."""
    return re.sub("`([^`]*[|][^`]*)`", lambda found: f"<code>{escape(found[1], quote=False)}</code>", text).replace(
        "|", "&#124;"
    )
