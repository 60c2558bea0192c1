"""How a failure is told: on standard error, without secrets or what a terminal would obey."""

from __future__ import annotations

import sys
import traceback
from contextlib import suppress

from moviehouse.errors import MoviehouseError
from moviehouse.safe import visible, visible_lines, without_secrets


def fail(error: MoviehouseError, *, debug: bool, about: str = "") -> int:
    """Tell of an error, and what it is about where several things were to be done; gives the exit status."""
    if debug:
        trace(error)
    say(f"moviehouse: {f'{about}: ' if about else ''}{error.message}")
    for line in error.detail.splitlines():
        say(f"  {line}".rstrip())
    if error.hint:
        say(f"  {error.hint}")
    if error.retry:
        say("  Trying again can help.")
    if error.log is not None:
        say(f"  Log: {error.log}")
    return error.exit_status


def say(line: str) -> None:
    """Print a line on standard error, if anybody reads it."""
    with suppress(BrokenPipeError):
        print(visible(without_secrets(line)), file=sys.stderr)


def trace(error: BaseException) -> None:
    """Print the traceback of an error."""
    with suppress(BrokenPipeError):
        print(visible_lines(without_secrets("".join(traceback.format_exception(error)))), end="", file=sys.stderr)
