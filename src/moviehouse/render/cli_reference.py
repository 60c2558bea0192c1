"""The reference of the commands: what `--help` says of each, as a page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from cyclopts import App
from rich.console import Console

from moviehouse import cli

_WIDTH = 100


def cli_md() -> str:
    """docs/cli.md: the help of the command and of every subcommand."""
    parts = ["# Commands", "", f"Rendered from the code: this is what `--help` prints at {_WIDTH} columns.", ""]
    for words in ((), *commands(cli.app)):
        heading = "##" if len(words) < 2 else "###"
        parts += [" ".join((heading, "moviehouse", *words)), "", "```text", _help(words), "```", ""]
    return "\n".join(parts)


def commands(app: App, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command, those of a command that has commands of its own after it."""
    for name in app:
        if not name.startswith("-"):
            yield (*before, name)
            yield from commands(app[name], (*before, name))


def _help(words: tuple[str, ...]) -> str:
    out = io.StringIO()
    console = Console(file=out, width=_WIDTH, color_system=None, force_terminal=False)
    cli.app([*words, "--help"], console=console, exit_on_error=False)
    return re.sub(r"[ \t]+$", "", out.getvalue(), flags=re.MULTILINE).strip()
