"""What `moviehouse publish` prints: what is where now, and a query to try."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from moviehouse.render.terminal import open_console
from moviehouse.safe import visible
from moviehouse.sql import QUESTIONS, VIEWS
from moviehouse.sql.text import name

if TYPE_CHECKING:
    from moviehouse.postgres.publish import Publication


def show_publication(done: Publication) -> None:
    """Print the summary of a publish."""
    console = open_console()
    where = f"schema {done.schema} of database {done.database} at {done.server}"
    if done.unchanged:
        console.print(Text(visible(f"Release {done.run_id} is in {where} already; nothing was done."), style="bold"))
    else:
        took = sum(done.seconds.values())
        console.print()
        console.print(Text(visible(f"Release {done.run_id} is in {where}, after {took:.1f} s"), style="bold"))
        console.print(_what(done))
    console.print(Text("\nNext", style="bold"))
    schema = done.schema if done.schema.isidentifier() and done.schema.islower() else name(done.schema)
    query = f"SELECT * FROM {schema}.genre_revenue_by_year ORDER BY revenue_usd DESC NULLS LAST LIMIT 5"
    host, _, port = done.server.rpartition(":")
    at = f"-h {shlex.quote(host)} " if host != "local" else ""
    at += f"-p {port} -U {shlex.quote(done.user)} -d {shlex.quote(done.database)}"
    command = f"psql {at} -c {shlex.quote(query)}"
    console.print(Text(visible(command)), soft_wrap=True)


def _what(done: Publication) -> Table:
    lines = Table.grid(padding=(0, 2), pad_edge=False)
    lines.add_row("tables", f"{len(done.rows)}, {sum(done.rows.values()):,} rows")
    lines.add_row("views", f"{len(QUESTIONS)} questions, {len(VIEWS)} they stand on")
    lines.add_row("seconds", ", ".join(f"{step} {seconds:.1f}" for step, seconds in done.seconds.items()))
    lines.add_row("before", visible(f"release {done.replaced}, dropped" if done.replaced else "nothing"))
    if done.views:
        lines.add_row("led over", visible(", ".join(done.views)))
    if done.nul_texts:
        lines.add_row("changed", f"{done.nul_texts:,} texts held the character NUL, which became \u2400 (U+2400)")
    return lines
