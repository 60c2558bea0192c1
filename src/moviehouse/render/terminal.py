"""The console, CSV, and the summaries of a build and a check."""

from __future__ import annotations

import csv
import os
import shutil
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleDimensions
from rich.table import Table
from rich.text import Text

from moviehouse.error_log import REASON, SEVERITIES
from moviehouse.hints import command
from moviehouse.render.table import print_table
from moviehouse.safe import spreadsheet_cell, visible
from moviehouse.sql import QUESTIONS

if TYPE_CHECKING:
    from moviehouse import Checked, Release
    from moviehouse.run import RunRecord

_WIDTH_IN_A_PIPE = 120


class _Console(Console):
    """A console that ends no line in spaces: whatever reads the lines in a pipe need not strip them."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as Rich does, but for the spaces that fill a line."""
        with self.capture() as printed:
            super().print(*objects, **options)
        self.file.write("\n".join(line.rstrip(" ") for line in printed.get().split("\n")))


def open_console() -> Console:
    """A console for standard output; where that is no terminal, as wide as COLUMNS says, or of a fixed width."""
    console = _Console(highlight=False, soft_wrap=False, markup=False, emoji=False)
    if not console.is_terminal:
        if not os.environ.get("COLUMNS", "").isdigit():
            console.width = _WIDTH_IN_A_PIPE
    elif console.is_dumb_terminal:  # of which Rich believes that it has 80 columns
        console.size = ConsoleDimensions(*shutil.get_terminal_size())
    return console


def print_command(console: Console, told: str, command: str, style: str = "dim") -> None:
    """Print what a command is for, and the command, which is not broken into lines: it is there to be copied."""
    console.print(Text(told + visible(command), style=style), soft_wrap=True)


def show_release(release: Release) -> None:
    """Print the summary of a build."""
    console = open_console()
    run = release.run
    console.print(Text(f"\nRelease {run.run_id}, published in {run.seconds['total']:.1f} s", style="bold"))
    _show_run(console, run)
    out = release.out
    places = Table.grid(padding=(0, 2), pad_edge=False)
    report = [("report", str(out / "report.html"))] if (release.path / "report.html").exists() else []
    for what, path in (
        *report,
        ("tables", f"{out / 'tables'}  ({len(run.rows)} tables, {sum(run.rows.values()):,} rows)"),
        ("database", str(out / "moviehouse.duckdb")),
        ("answers", f"{out / 'answers'}  ({len(QUESTIONS)} questions)"),
        ("schema", str(out / "schema.sql")),
        ("run record", str(out / "run.json")),
        ("error log", f"{out / 'errors.jsonl'}  ({run.rows.get('error_log', 0):,} lines)"),
    ):
        places.add_row(what, Text(visible(path), style="bold" if what == "error log" else ""))
    console.print(Text("\nWhere it is", style="bold"))
    console.print(places)
    console.print(Text("\nNext", style="bold"))
    print_command(console, "", command(f"ask genre-revenue-by-year --year {_a_year(release)}", out), style="")


def _a_year(release: Release) -> int:
    """A year worth asking about: the one with most known revenue."""
    answer = release.ask("genre-revenue-by-year", top=1)
    return int(answer.rows[0][0]) if answer.rows else 1995


def show_checked(checked: Checked) -> None:
    """Print the summary of a check."""
    console = open_console()
    console.print(Text("\nChecked; nothing was written", style="bold"))
    _show_run(console, checked.run)


def _show_run(console: Console, run: RunRecord) -> None:
    size = run.source.get("bytes")
    console.print(Text(visible(f"from {run.source['address']}") + (f", {_bytes(size)}" if size else "")))
    editions = [f for f, entry in run.files.items() if entry.get("edition")]
    if editions:
        console.print(Text(f"byte for byte the published edition: {', '.join(editions)}", style="dim"))
    _show_balance(console, run)
    _show_log(console, run)
    _show_excluded(console, run)
    failed = [name for name, count in run.checks.items() if count]
    passed = len(run.checks) - len(failed)
    console.print(
        Text(f"\n{passed} of {len(run.checks)} checks passed" + (f"; not: {', '.join(failed)}" if failed else ""))
    )


def _show_balance(console: Console, run: RunRecord) -> None:
    columns = ("read", "loaded", "merged", "rejected", "mended", "warned")
    rows = []
    for file, entry in run.files.items():
        counts = entry.get("records", {})
        if not entry.get("sha256"):
            rows.append([file, "missing", *[""] * (len(columns) - 1)])
        elif counts:
            rows.append([file, *(f"{counts.get(c, 0):,}" for c in columns)])
    console.print()
    print_table(console, ("records of", *columns), rows, ("records of",))
    console.print(
        Text("read = loaded + merged + rejected; mended and warned records are among the loaded", style="dim")
    )


def _show_log(console: Console, run: RunRecord) -> None:
    if not any(run.log.values()):
        console.print(Text("\nEvery record was taken as it stands."))
        return
    rows = [
        (reason, severity, f"{count:,}", REASON[reason].meaning)
        for severity in SEVERITIES
        for reason, count in run.log.get(severity, {}).items()
    ]
    console.print()
    print_table(console, ("why", "severity", "lines", "what it means"), rows, ("why", "severity", "what it means"))


def _show_excluded(console: Console, run: RunRecord) -> None:
    movies = sum(row["movies"] for row in run.excluded)
    released = run.releases.get("movies") or 0
    line = f"\nReleases: {released:,} movies; the per-year answers leave {movies:,} out"
    console.print(Text(line, style="bold"))
    for row in run.excluded:
        what = visible(f"status {row['status']}") if row["status"] else "no status"
        what += "" if row["dated"] else ", no readable release date"
        console.print(Text(f"  {row['movies']:>6,}  {what}{_known_dollars(row)}"))
    for what, row in run.unattributed.items():
        have = "release has" if row["movies"] == 1 else "releases have"
        thing = what.removeprefix("without_")
        console.print(Text(f"{row['movies']:,} {have} no {thing}{_known_dollars(row)}", style="dim"))


def _known_dollars(row: dict[str, Any]) -> str:
    known = [f"{what} ${row[f'{what}_usd']:,}" for what in ("budget", "revenue") if row.get(f"{what}_usd")]
    return f" (known: {', '.join(known)})" if known else ""


def _bytes(size: int) -> str:
    amount = float(size)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return f"{amount:,.0f} {unit}" if unit == "bytes" else f"{amount:,.1f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} GB"


class _Rows:
    """Ends rows with a newline. To csv, CR LF must be the end, or it leaves a cell with a lone CR unquoted."""

    def write(self, row: str) -> None:
        sys.stdout.write(row.removesuffix("\r\n") + "\n")


def write_csv(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write rows as answers/*.csv has them; on a terminal, control characters are escaped too."""
    writer = csv.writer(_Rows())
    writer.writerow(columns)
    watched = sys.stdout.isatty()
    for row in rows:
        cells = [spreadsheet_cell(value) for value in row]
        writer.writerow([visible(c) if watched and isinstance(c, str) else c for c in cells])
