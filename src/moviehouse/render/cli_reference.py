"""The reference of the commands: what `--help` says of each, as a page."""

from __future__ import annotations

import io
import re

from rich.console import Console

from moviehouse import cli

_WIDTH = 100


def cli_md() -> str:
    """docs/cli.md: the help of the command and of every subcommand."""
    parts = ["# Commands", "", f"Rendered from the code: this is what `--help` prints at {_WIDTH} columns.", ""]
    commands = ["", *(name for name in cli.app if not name.startswith("-"))]
    for command in commands:
        parts += [f"## moviehouse {command}".rstrip(), "", "```text", _help(command), "```", ""]
    return "\n".join(parts)


def _help(command: str) -> str:
    out = io.StringIO()
    console = Console(file=out, width=_WIDTH, color_system=None, force_terminal=False)
    cli.app([*([command] if command else []), "--help"], console=console, exit_on_error=False)
    return re.sub(r"[ \t]+$", "", out.getvalue(), flags=re.MULTILINE).strip()
