"""The command line as a process: arguments in, text and an exit status out."""

from __future__ import annotations

import io
import signal
import sys
import traceback

from cyclopts import CycloptsError
from cyclopts.exceptions import UnusedCliTokensError

from moviehouse.commands import app
from moviehouse.commands.source import must_exist
from moviehouse.errors import MoviehouseError, UsageError
from moviehouse.safe import visible, visible_lines, without_secrets

__all__ = ["app", "run"]

_INTERRUPTED, _TERMINATED, _BUG = 130, 143, 70

# The signals received: a query that one interrupts ends in an error that does not say which.
_received: list[int] = []


def _stop(number: int, _frame: object) -> None:
    _received.append(number)
    raise KeyboardInterrupt


def _settle_streams() -> None:
    """What a terminal's encoding lacks is escaped, not a failure."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _first_word(arguments: list[str]) -> None:
    if not arguments:
        raise UsageError("Give a SOURCE, for example: moviehouse ./the-movies-dataset.zip", "See moviehouse --help.")
    if not arguments[0].startswith(("-", "__")) and arguments[0] not in app:  # the shell's TAB calls __complete
        must_exist(arguments[0])


def run(arguments: list[str]) -> int:  # noqa: PLR0911  (one return for each way to end)
    """Run the command; gives the exit status."""
    _received.clear()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    debug = "--debug" in arguments
    _settle_streams()
    try:
        _first_word(arguments)
        status = app(arguments, exit_on_error=False, print_error=False)
    except UnusedCliTokensError as error:
        surplus = ", ".join(repr(token) for token in error.unused_tokens or ())
        return _fail(UsageError(f"There is one argument too many: {surplus}.", "See moviehouse --help."), debug=debug)
    except CycloptsError as error:
        return _fail(UsageError(str(error).splitlines()[0], "See moviehouse --help."), debug=debug)
    except MoviehouseError as error:
        return _fail(error, debug=debug)
    except KeyboardInterrupt:
        return _stopped(arguments)
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:  # the last resort: one line for the user, the traceback in the log
        if _received:
            return _stopped(arguments)
        if debug:
            _trace(error)
        _say(f"moviehouse: a bug: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
        logged = ", which is also in the failed run's log" if _publishes(arguments) else ""
        _say(f"  Please report it; --debug shows the traceback{logged}.")
        return _BUG
    return status if isinstance(status, int) else 0


def _publishes(arguments: list[str]) -> bool:
    return arguments[0] in ("build", "publish") or arguments[0] not in app


def _stopped(arguments: list[str]) -> int:
    print(f"moviehouse: stopped{'; nothing was published' if _publishes(arguments) else ''}.", file=sys.stderr)
    return _TERMINATED if signal.SIGTERM in _received else _INTERRUPTED


def _fail(error: MoviehouseError, *, debug: bool) -> int:
    if debug:
        _trace(error)
    _say(f"moviehouse: {error.message}")
    for line in error.detail.splitlines():
        _say(f"  {line}".rstrip())
    if error.hint:
        _say(f"  {error.hint}")
    if error.retry:
        _say("  Trying again can help.")
    if error.log is not None:
        _say(f"  Log: {error.log}")
    return error.exit_status


def _say(line: str) -> None:
    print(visible(without_secrets(line)), file=sys.stderr)


def _trace(error: BaseException) -> None:
    print(visible_lines(without_secrets("".join(traceback.format_exception(error)))), end="", file=sys.stderr)
