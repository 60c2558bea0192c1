"""The command line as a process: arguments in, text and an exit status out."""

from __future__ import annotations

import errno
import io
import os
import select
import signal
import sys
from contextlib import suppress
from typing import TextIO

from cyclopts import CycloptsError
from cyclopts.exceptions import UnknownOptionError, UnusedCliTokensError

from moviehouse.commands import app
from moviehouse.commands.failure import fail, say, trace
from moviehouse.commands.source import must_exist
from moviehouse.errors import MoviehouseError, TargetError, UsageError
from moviehouse.hints import did_you_mean

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


def _nobody_reads(stream: TextIO) -> bool:
    """Whether a stream is a pipe whose other end is closed: head has read enough, which is no failure."""
    with suppress(OSError, ValueError):  # a stream of a test, or one that is closed
        poll = select.poll()
        poll.register(stream.fileno(), 0)  # errors are told of anyway
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
    return False


def run(arguments: list[str]) -> int:
    """Run the command; gives the exit status. What nobody reads any more is dropped without a word."""
    status = _run(arguments)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # or Python tries again as it ends
            status = status if isinstance(error, BrokenPipeError) else fail(_unwritten(error), debug=False)
    return status


def _unwritten(error: OSError) -> TargetError:
    return TargetError(f"What was printed cannot be written: {error.strerror}.", "Make room, or print it elsewhere.")


def _run(arguments: list[str]) -> int:  # noqa: PLR0911  (one return for each way to end)
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
        several = "Name all sources before the options." if arguments[:1] == ["load"] else "See moviehouse --help."
        return fail(UsageError(f"There is one argument too many: {surplus}.", several), debug=debug)
    except CycloptsError as error:
        return fail(_misused(error), debug=debug)
    except MoviehouseError as error:
        return fail(error, debug=debug)
    except KeyboardInterrupt:
        return _stopped(arguments)
    except SystemExit:  # Rich's word for a broken pipe
        return 0
    except Exception as error:
        if _received:
            return _stopped(arguments)
        if isinstance(error, BrokenPipeError) and (_nobody_reads(sys.stdout) or _nobody_reads(sys.stderr)):
            return 0
        if isinstance(error, OSError) and error.errno == errno.ENOSPC and error.filename is None:
            return fail(_unwritten(error), debug=debug)
        return _bug(error, arguments, debug=debug)
    return status if isinstance(status, int) else 0


def _misused(error: CycloptsError) -> UsageError:
    said = str(error).splitlines()[0]
    if isinstance(error, UnknownOptionError) and len(letter := error.token.keyword or error.token.value) == 2:
        names = [n for a in error.argument_collection for n in a.names if n.startswith(f"-{letter.lower()}")]
        said = f"{said} {did_you_mean(names, '')}".rstrip()
    return UsageError(said, f"See {' '.join(['moviehouse', *(error.command_chain or ()), '--help'])}.")


def _bug(error: Exception, arguments: list[str], *, debug: bool) -> int:
    """The last resort: one line for the user, the traceback in the log."""
    if debug:
        trace(error)
    say(f"moviehouse: a bug: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
    logged = ", which is also in the failed run's log" if _publishes(arguments) else ""
    say(f"  Please report it; --debug shows the traceback{logged}.")
    return _BUG


def _publishes(arguments: list[str]) -> bool:
    return arguments[0] in ("build", "publish") or arguments[0] not in app


def _stopped(arguments: list[str]) -> int:
    say(f"moviehouse: stopped{'; nothing was published' if _publishes(arguments) else ''}.")
    return _TERMINATED if signal.SIGTERM in _received else _INTERRUPTED
