"""What can go wrong, one class for each exit status, and whether trying again can help."""

from __future__ import annotations

from pathlib import Path


class MoviehouseError(Exception):
    """The root. `hint` says what to do; `retry` whether the same command may work later.

    `detail` has lines that belong under the message. `file`, `line` and `column` say where in the source, where
    that is known; `log` is where the failed run's log is, once it is written.
    """

    exit_status = 70
    retry = False

    log: Path | str | None = None

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        detail: str = "",
        retry: bool | None = None,
        file: str | None = None,
        line: int | None = None,
        column: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail
        self.file, self.line, self.column = file, line, column
        if retry is not None:
            self.retry = retry

    def __str__(self) -> str:
        between = f"\n{self.detail}\n" if self.detail else " "
        return f"{self.message}{between}{self.hint}".strip()


class SourceError(MoviehouseError):
    """The source could not be used: missing, forbidden, not a zip, a required column absent."""

    exit_status = 1


class UsageError(MoviehouseError):
    """The command was given wrongly."""

    exit_status = 2


class GateError(MoviehouseError):
    """A quality gate failed; nothing was published and the error log says why."""

    exit_status = 3


class TargetError(MoviehouseError):
    """The output could not be written: busy, full, not allowed."""

    exit_status = 4
    retry = True
