"""Values, titles and lines of the error log as text that a terminal only shows."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from moviehouse.safe import visible, visible_json

if TYPE_CHECKING:
    from moviehouse.steps.trace import LogLine

SEVERITY_STYLE = {"rejected": "red", "mended": "yellow", "merged": "cyan", "warning": "dim"}
_LONGEST_VALUE = 160


def cut(text: str | None, longest: int = _LONGEST_VALUE) -> str:
    """A text, visible, and cut where it is long."""
    shown = visible(text)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def texts(*values: str) -> list[Text]:
    """Cells of a table that are text and no markup: titles have brackets and colons."""
    return [Text(value) for value in values]


def number(value: Any) -> str:
    """A number in full: cents where it has them, every decimal place of a score, a mean to three."""
    if value is None:
        return "unknown"
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        return f"{value:,}" if exponent == -2 else f"{value.normalize():,f}"
    return f"{value:,.3f}" if isinstance(value, float) else f"{value:,}"


def movies(count: int) -> str:
    """How many movies, in words."""
    return "1 movie" if count == 1 else f"{count:,} movies"


def log_table(entries: list[tuple[str, LogLine]]) -> Table:
    """Lines of the error log, each under its own heading: what it is about, what and where, what was done."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for about, entry in entries:
        head = Text(entry.severity, style=SEVERITY_STYLE.get(entry.severity, ""))
        where = f"{entry.file} line {entry.line}" if entry.line else entry.file
        where += f", {entry.column}" if entry.column else ""
        told = Text.assemble(
            (entry.reason, "bold"),
            f"  {visible(about)}{visible(where)}{f': {cut(entry.value)}' if entry.value else ''}\n",
            (f"{visible(entry.message)} Done: {entry.action}.", "dim"),
        )
        table.add_row(head, told)
    return table


def print_json(value: dict[str, Any]) -> None:
    """Print an object as JSON; decimals as numbers, dates in ISO 8601."""
    print(visible_json(json.dumps(value, ensure_ascii=False, indent=1, default=_json_value)))


def _json_value(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value)
