"""Prints a trace: the movies behind a cell, what is unknown, what the log says, and that it adds up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from moviehouse.render.plain import log_table, movies, number, print_json
from moviehouse.render.table import print_table
from moviehouse.render.terminal import open_console, write_csv
from moviehouse.safe import visible
from moviehouse.sql import header

if TYPE_CHECKING:
    from moviehouse.steps.trace import Cell, Contribution, Trace

MOST_MOVIES = 40
_TEXTS = ("genre", "title", "why")
_Row = tuple["Cell", "Contribution"]


def show_trace(trace: Trace, form: str, top: int | None) -> None:
    """Print a trace as a table of at most `top` movies, or whole as CSV or JSON."""
    if form == "csv":
        _write_csv(trace)
    elif form == "json":
        print_json(as_json(trace))
    else:
        _show_table(trace, MOST_MOVIES if top is None else top)


def as_json(trace: Trace) -> dict[str, Any]:
    """A trace as an object: every cell with its keys, its measures, and the movies behind it."""
    cells = [
        {**cell.keys, **cell.measures, "adds_up": cell.adds_up, "behind": [asdict(m) for m in cell.movies]}
        for cell in trace.cells
    ]
    return {"question": trace.question, "adds_up": trace.adds_up, "cells": cells}


def _write_csv(trace: Trace) -> None:
    first = trace.cells[0]
    own = ["unknown", "shared_by", "source_file", "source_line", "log"]
    write_csv([*first.keys, "movie_id", "title", *first.measures, *own], map(_csv_row, _rows(trace)))


def _csv_row(row: _Row) -> list[Any]:
    cell, movie = row
    log = "; ".join(f"{e.reason} {e.file}:{e.line}" + (f" {e.column}" if e.column else "") for e in movie.log)
    own = [movie.unknown, movie.shared_by, movie.source_file, movie.source_line, log]
    return [*cell.keys.values(), movie.movie_id, movie.title, *movie.adds.values(), *own]


def _rows(trace: Trace) -> Iterator[_Row]:
    for cell in trace.cells:
        for movie in cell.movies:
            yield cell, movie


def _show_table(trace: Trace, top: int) -> None:
    console = open_console()
    console.print(Text(header("questions", trace.question).splitlines()[0] + "\n", style="bold"))
    rows = list(_rows(trace))
    amounts = _amounts(trace)
    if amounts:
        rows.sort(key=lambda row: -(row[1].adds[amounts[0]] or 0))
    known = [row for row in rows if row[1].unknown is None]
    unknown = [row for row in rows if row[1].unknown is not None]
    console.print(Text(_heading(trace)))
    _print_known(console, trace, known, amounts, top)
    if unknown:
        amount = amounts[0].removesuffix("_usd").removesuffix("_mean").removesuffix("_total")
        what = f"\n{movies(len(unknown))} of unknown {amount}: counted in movies, and in no amount"
        console.print(Text(what, style="bold"))
        _print_unknown(console, trace, unknown[:top])
        _say_more(console, len(unknown) - top)
    shown = known[:top] + unknown[:top]
    entries = [
        (f"{movie.title or 'no title'} ({movie.movie_id}), ", entry) for _, movie in shown for entry in movie.log
    ]
    if entries := list(dict.fromkeys(entries)):
        console.print(Text("\nWhat the error log says of them", style="bold"))
        console.print(log_table(entries[:top]))
        _say_more(console, len(entries) - top)
    _say_whether_it_adds_up(console, trace)


def _amounts(trace: Trace) -> list[str]:
    """The measures that a movie adds an amount to, and not only a count."""
    return [m for m in trace.cells[0].measures if m.endswith(("_usd", "_allocated")) or m.startswith("popularity_")][:2]


def _heading(trace: Trace) -> str:
    first, last = trace.cells[0].keys, trace.cells[-1].keys
    things = [
        visible(f"{first[thing] or 'no name'} ({first[f'{thing}_id']})")
        for thing in ("company", "genre")
        if thing in first and all(cell.keys[f"{thing}_id"] == first[f"{thing}_id"] for cell in trace.cells)
    ]
    if len(trace.cells) == 1:
        return f"{', '.join([*things, str(first['year'])])}: the movies behind the cell\n"
    span = f"{first['year']} to {last['year']}"
    return f"{', '.join([*things, span])}: the movies behind {len(trace.cells):,} cells\n"


def _varying(trace: Trace) -> list[str]:
    """The keys in which the cells traced differ."""
    keys = [key for key in ("year", "genre") if key in trace.cells[0].keys]
    return [key for key in keys if len({cell.keys[key] for cell in trace.cells}) > 1]


def _lead(trace: Trace, cell: Cell, movie: Contribution) -> list[str]:
    keys = [visible(str(cell.keys[key])) for key in _varying(trace)]
    return [*keys, str(movie.movie_id), visible(movie.title)]


def _print_known(console: Console, trace: Trace, known: list[_Row], amounts: list[str], top: int) -> None:
    """The movies whose amounts are known, and their sum."""
    measures = amounts or [m for m in trace.cells[0].measures if m == "releases"]
    names = [m.removesuffix("_mean").removesuffix("_total") for m in measures]
    if names[-1:] == names[:1]:  # a popularity is in both a total and a mean
        measures, names = measures[:1], names[:1]
    shared = "companies" if "company" in trace.cells[0].keys else "genres"
    allocates = [f"{shared}_sharing"] if any(m.endswith("_allocated") for m in measures) else []
    keys = _varying(trace)
    rows = []
    for cell, movie in known[:top]:
        more = [str(movie.shared_by)] if allocates else []
        adds = [number(movie.adds[m]) for m in measures]
        rows.append([*_lead(trace, cell, movie), *adds, *more, str(movie.source_line)])
    after = [""] * (len(allocates) + 1)
    if len(known) > top:
        rest = [sum(movie.adds[m] for _, movie in known[top:]) for m in measures]
        rows.append([*[""] * len(keys), "", f"{len(known) - top:,} more", *map(number, rest), *after])
    sums = [number(sum(movie.adds[m] for _, movie in known) if known else None) for m in measures]
    total = [*[""] * len(keys), "", f"sum of {len(known):,}", *sums, *after]
    print_table(console, [*keys, "movie_id", "title", *names, *allocates, "line"], rows, _TEXTS, total)


def _print_unknown(console: Console, trace: Trace, unknown: list[_Row]) -> None:
    """The movies whose amounts are unknown, and why."""
    rows = [[*_lead(trace, cell, movie), visible(movie.unknown), str(movie.source_line)] for cell, movie in unknown]
    print_table(console, [*_varying(trace), "movie_id", "title", "why", "line"], rows, _TEXTS)


def _say_more(console: Console, more: int) -> None:
    if more > 0:
        console.print(Text(f"and {more:,} more: --top says how many to show", style="dim"))


def _say_whether_it_adds_up(console: Console, trace: Trace) -> None:
    if trace.adds_up and len(trace.cells) == 1:
        cell = trace.cells[0]
        figures = ", ".join(f"{m} {number(value)}" for m, value in cell.measures.items())
        console.print(Text(f"\nIt adds up. The cell is exactly what its movies make: {figures}.", style="green"))
    elif trace.adds_up:
        cells = f"Each of the {len(trace.cells):,} cells"
        measures = ", ".join(trace.cells[0].measures)
        console.print(Text(f"\nIt adds up. {cells} is exactly what its movies make: {measures}.", style="green"))
    for cell in trace.cells:
        for measure, value in cell.measures.items():
            if not cell.adds_up and value != cell.sums[measure]:
                keys = visible(", ".join(str(k) for k in cell.keys.values()))
                made = number(cell.sums[measure])
                line = f"\nIt does NOT add up. {keys}: {measure} is {number(value)}, its movies make {made}."
                console.print(Text(line, style="bold red"))
    files = {movie.source_file for _, movie in _rows(trace)}
    console.print(Text(f"line: where the movie's record starts in {', '.join(sorted(files))}.", style="dim"))
