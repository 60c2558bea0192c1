"""Prints the questions and their answers: amounts with their units, totals where they mean something, notes."""

from __future__ import annotations

import sys
from decimal import Decimal
from textwrap import fill
from typing import TYPE_CHECKING, Any

from rich.text import Text

from moviehouse.hints import command
from moviehouse.render.formats import write_rows
from moviehouse.render.table import print_table
from moviehouse.render.terminal import open_console, print_command
from moviehouse.safe import visible
from moviehouse.sql import QUESTIONS, header, statement

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from moviehouse.steps.answer import Answer

_TEXTS = ("genre", "company")


def show_questions(release: Path) -> None:
    """List the questions, one per line, and how to ask one."""
    console = open_console()
    width = max(map(len, QUESTIONS)) + 2
    sentences = {question: header("questions", question).splitlines()[0] for question in QUESTIONS}
    beside = width + max(map(len, sentences.values())) <= console.width
    for question, told in sentences.items():
        name = question.replace("_", "-")
        console.print(Text.assemble((name.ljust(width) if beside else name, "bold"), told if beside else ""))
        if not beside:
            console.print(Text(fill(told, console.width, initial_indent="  ", subsequent_indent="  ")))
    print_command(console, "\nFor example: ", command("ask genre-revenue-by-year --year 1995", release))


def show_sql(answer: Answer, *, beside: bool) -> None:
    """Print the question's SQL and the query asked of it; `beside` puts them on standard error."""
    text = f"{statement('questions', answer.question).rstrip()};\n\n-- Asked of the view of that name:\n{answer.sql};\n"
    print(text, file=sys.stderr if beside else sys.stdout)


def show_answer(answer: Answer, form: str) -> None:
    """Print an answer to standard output; its notes go there too in a table, else to standard error."""
    if form == "table":
        _show_table(answer)
        return
    write_rows(form, answer.columns, answer.rows)
    for note in answer.notes:
        print(visible(note), file=sys.stderr)


def _show_table(answer: Answer) -> None:
    console = open_console()
    console.print(Text(header("questions", answer.question).splitlines()[0] + "\n", style="bold"))
    if answer.rows:
        rows = [[_shown(c, v) for c, v in zip(answer.columns, row, strict=True)] for row in answer.rows]
        print_table(console, answer.columns, rows, _TEXTS, _total(answer))
        console.print()
    if answer.matching > len(answer.rows):
        line = f"The {len(answer.rows):,} largest of {answer.matching:,} rows" + (
            "; the total is theirs alone." if answer.totals else "."
        )
        console.print(Text(line, style="dim"))
    for note in answer.notes:
        console.print(Text(visible(note), style="dim"))
    _show_units(console, answer)


def _total(answer: Answer) -> list[str] | None:
    if not answer.totals:
        return None
    cells = [_shown(c, answer.totals[c]) if c in answer.totals else "" for c in answer.columns]
    return ["total", *cells[1:]]


def _show_units(console: Console, answer: Answer) -> None:
    """What the numbers count in."""
    if not answer.rows:
        return
    for column in answer.columns:
        if column.endswith("_allocated"):
            things = "genres" if "genre" in answer.columns else "companies"
            told = "US dollars as published, not adjusted for inflation; _allocated divides each movie's amount"
            console.print(Text(f"Unit: {told} evenly over its {things}.", style="dim"))
        elif column == "popularity_mean":
            console.print(Text("Unit: TMDB's popularity score when the source was published.", style="dim"))
        elif column == "releases":
            console.print(Text("Unit: releases, movies with a date whose status is Released or none.", style="dim"))


def _shown(column: str, value: Any) -> str:
    if value is None:
        return "unknown" if column.endswith(("_usd", "_allocated")) else ""
    if isinstance(value, float):
        return f"{value:,.3f}"
    if isinstance(value, Decimal):
        return f"{value:,.2f}" if column.endswith("_allocated") else f"{value:,.3f}"
    if isinstance(value, int) and not column.endswith("_id") and column != "year":
        return f"{value:,}"
    return visible(str(value))
