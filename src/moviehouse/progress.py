"""How a run reports its progress: bars on a terminal, plain lines in a pipe, or nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Step(Protocol):
    """One step under way."""

    def advance(self, amount: int) -> None:
        """Say that `amount` more of the step's total is done; safe from any thread."""


class Progress(Protocol):
    """Where steps are shown."""

    def step(self, name: str, total: int | None = None) -> AbstractContextManager[Step]:
        """Show a step while the context lasts; `total` is in bytes, None: not known."""


class _Silent:
    def advance(self, amount: int) -> None:
        pass


class Quiet:
    """Shows nothing."""

    @contextmanager
    def step(self, name: str, total: int | None = None) -> Iterator[Step]:  # noqa: ARG002
        """Run the step unseen."""
        yield _Silent()


class Lines:
    """One line on standard error as each step ends, for pipes and logs."""

    @contextmanager
    def step(self, name: str, total: int | None = None) -> Iterator[Step]:  # noqa: ARG002
        """Run the step, then print its name and seconds."""
        start = time.monotonic()
        yield _Silent()
        print(f"{name} ({time.monotonic() - start:.1f} s)", file=sys.stderr, flush=True)


class _Task:
    def __init__(self, bars: object, task: object) -> None:
        self._bars, self._task = bars, task

    def advance(self, amount: int) -> None:
        self._bars.advance(self._task, amount)  # type: ignore[attr-defined]


class Bars:
    """Live bars on a terminal's standard error."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
        )
        from rich.progress import Progress as RichProgress

        self._bars = RichProgress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            DownloadColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._open = 0

    @contextmanager
    def step(self, name: str, total: int | None = None) -> Iterator[Step]:
        """Run the step under a bar; without a total the bar only pulses."""
        if not self._open:
            self._bars.start()
        self._open += 1
        task = self._bars.add_task(name, total=total)
        try:
            yield _Task(self._bars, task)
            done = self._bars.tasks[task].completed or 1
            self._bars.update(task, total=done, completed=done)
        finally:
            self._open -= 1
            if not self._open:
                self._bars.stop()


def for_stream(*, quiet: bool) -> Progress:
    """Choose how to show progress on this process's standard error."""
    if quiet:
        return Quiet()
    return Bars() if sys.stderr.isatty() else Lines()
