"""How a run reports its progress: bars on a terminal, plain lines in a pipe, or nothing."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from moviehouse.safe import visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


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
        with suppress(BrokenPipeError):  # nobody reads on: no reason to stop
            print(f"{visible(name)} ({time.monotonic() - start:.1f} s)", file=sys.stderr, flush=True)


class _Task:
    def __init__(self, bars: RichProgress, task: TaskID) -> None:
        self._bars, self._task = bars, task

    def advance(self, amount: int) -> None:
        self._bars.advance(self._task, amount)


class Bars:
    """On a terminal: live bars for the steps under way, a line for each that has ended."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)
        self._bars: RichProgress | None = None
        self._open = 0
        self._lock = Lock()

    @contextmanager
    def step(self, name: str, total: int | None = None) -> Iterator[Step]:
        """Run the step under a bar; without a total it only pulses."""
        from rich.text import Text

        start = time.monotonic()
        with self._lock:
            if self._bars is None:
                self._bars = _live(self._console)
                self._bars.start()
            self._open += 1
            bars = self._bars
            task = bars.add_task(visible(name), total=total or None)
        done = False
        try:
            yield _Task(bars, task)
            done = True
        finally:
            with self._lock:
                bars.remove_task(task)
                if done:
                    took = f"{time.monotonic() - start:.1f} s"
                    bars.console.print(Text.assemble(("✓ ", "green"), visible(name), " ", (took, "dim")))
                self._open -= 1
                if not self._open:
                    bars.stop()
                    self._bars = None


def _live(console: Console) -> RichProgress:
    from rich.progress import BarColumn, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    return RichProgress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


def for_stream(*, quiet: bool) -> Progress:
    """Choose how to show progress on this process's standard error."""
    if quiet:
        return Quiet()
    live = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    return Bars() if live else Lines()
