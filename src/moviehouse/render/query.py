"""Prints the rows of a query: as they come where all are wanted, at most so many as a table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from rich.text import Text

from moviehouse.render.formats import write_rows
from moviehouse.render.table import print_table
from moviehouse.render.terminal import open_console
from moviehouse.render.values import cell_text
from moviehouse.safe import visible, visible_lines

_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL\(.*\)|DOUBLE|FLOAT|BIGNUM")


def show_plan(rows: Iterator[Sequence[Any]]) -> None:
    """Print what EXPLAIN gives as it is drawn: each plan, behind its title where there are several."""
    plans = list(rows)
    for title, plan in plans:
        if len(plans) > 1:
            print(visible(title))
        print(visible_lines(plan).rstrip())


def show_rows(
    columns: Sequence[str], types: Sequence[str], rows: Iterator[Sequence[Any]], form: str, limit: int
) -> None:
    """Print rows as CSV or JSON, or the first `limit` of them as a table."""
    if form != "table":
        write_rows(form, columns, rows)
        return
    console = open_console()
    names = [visible(column) for column in columns]
    shown = [[cell_text(value) for value in row] for row in islice(rows, limit)]
    texts = {name for name, type_ in zip(names, types, strict=True) if not _NUMBER.fullmatch(type_)}
    print_table(console, names, shown, texts)
    if next(rows, None) is not None:
        told = f"The first {limit:,} rows; there are more. --limit shows more of them, --format csv all."
        console.print(Text(told, style="dim"))
    else:
        console.print(Text("1 row" if len(shown) == 1 else f"{len(shown):,} rows", style="dim"))
