"""Prints an error log: summed by reason, the lines of a reason with what it means, a movie's story."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from moviehouse.error_log import REASON
from moviehouse.hints import command
from moviehouse.render.formats import write_rows
from moviehouse.render.plain import SEVERITY_STYLE, log_table
from moviehouse.render.table import print_table
from moviehouse.render.terminal import open_console, print_command
from moviehouse.safe import visible
from moviehouse.steps.trace import LogLine

if TYPE_CHECKING:
    from pathlib import Path

LINE = ("severity", "reason", "file", "line", "column", "movie_id", "value", "message", "action")
_SUMMARY = ("severity", "reason", "file", "lines")


def show_summary(
    path: Path | str, rows: Sequence[dict[str, Any]], form: str, filters: str, release: Path | str
) -> None:
    """Print how many lines there are of each reason, and what the reasons mean; a text is the address of a lake."""
    if form != "table":
        write_rows(form, _SUMMARY, ([row[c] for c in _SUMMARY] for row in rows))
        return
    console = open_console()
    console.print(Text(visible(str(path)), style="bold"), soft_wrap=True)
    if not rows:
        console.print(Text(_nothing(filters)))
        return
    total = ["total", "", "", f"{sum(row['lines'] for row in rows):,}"]
    cells = [[row["severity"], row["reason"], visible(row["file"] or ""), f"{row['lines']:,}"] for row in rows]
    print_table(console, _SUMMARY, cells, _SUMMARY[:3], total if len(rows) > 1 else None)
    console.print()
    for reason in dict.fromkeys(row["reason"] for row in rows):
        meaning = REASON[reason].meaning if reason in REASON else "Of another version of Moviehouse."
        console.print(Text.assemble((visible(reason), "bold"), f"  {meaning}"))
    example = visible(rows[0]["reason"])
    lines = command(f"errors --reason {example}", release)
    print_command(console, "\nThe lines of a reason, and what to do: ", lines)


def show_lines(lines: Sequence[dict[str, Any]], form: str, limit: int, filters: str, reason: str | None = None) -> None:
    """Print lines, in a table at most `limit`; before those of one reason what it means and what to do."""
    if form != "table":
        write_rows(form, LINE, ([line[c] for c in LINE] for line in lines))
        return
    console = open_console()
    if reason is not None:
        _explain(console, reason)
    if not lines:
        console.print(Text(_nothing(filters)))
    console.print(log_table([(_about(line), _log_line(line)) for line in lines[:limit]]))
    if len(lines) > limit:
        told = f"{limit:,} of {len(lines):,} lines. --limit shows more of them, --format csv all."
        console.print(Text(told, style="dim"))


def show_movie(
    movie: tuple[int, str | None, list[dict[str, Any]]], form: str, limit: int, release: Path | str | None
) -> None:
    """Print every line about one movie, in the order in which its records were read; `release` knows more of it."""
    id_, title, lines = movie
    if form == "table":
        console = open_console()
        console.print(Text(f"{visible(title) or 'Movie'} ({id_})", style="bold"))
        if not lines:
            console.print(Text("The error log says nothing of it: it was taken as it stands."))
            return
    show_lines([line | {"movie_id": None} for line in lines] if form == "table" else lines, form, limit, "")
    if form == "table" and release is not None:
        print_command(console, "\nAll about it: ", command(f"why {id_}", release))


def _explain(console: Console, reason: str) -> None:
    known = REASON[reason]
    style = SEVERITY_STYLE.get(known.severity, "red")
    console.print(Text.assemble((reason, "bold"), "  ", (known.severity, style)))
    console.print(Text(f"What it means: {known.meaning}"))
    console.print(Text(f"What was done: {known.action}."))
    console.print(Text(f"What to do:    {known.advice}\n"))


def _about(line: dict[str, Any]) -> str:
    return "" if line["movie_id"] is None else f"movie {line['movie_id']}, "


def _log_line(line: dict[str, Any]) -> LogLine:
    return LogLine(**{key: value for key, value in line.items() if key != "movie_id"} | {"file": line["file"] or "run"})


def _nothing(filters: str) -> str:
    return f"The error log has no line of {filters}." if filters else "The error log is empty: nothing was amiss."
