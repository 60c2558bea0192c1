"""A process that has everything imported and forks a run at each order: a kill costs no start of Python.

Each run is a real process that writes real files, is killed by a real SIGKILL and shares nothing with the
next. An order says at which rename, symlink or fsync, or after how many seconds, it dies. The server
itself never opens DuckDB, whose threads a fork would leave behind.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MODULES = "FORKS_MODULES"
KINDS = ("rename", "replace", "symlink", "link", "fsync")


@dataclass(frozen=True)
class Run:
    """How a run ended: its exit status (None: killed), what it printed, how long it took, its points."""

    status: int | None
    stderr: str
    seconds: float
    points: list[str]


class Forks:
    """The server's client. `prefix` starts it in another namespace; it imports `modules` beside its own."""

    def __init__(self, prefix: tuple[str, ...] = (), modules: tuple[str, ...] = ()) -> None:
        self._process = subprocess.Popen(
            [*prefix, sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, _MODULES: " ".join(modules)},
        )
        self.pid = self._process.pid

    def run(
        self,
        *arguments: object,
        point: int | None = None,
        when: str = "before",
        by: signal.Signals = signal.SIGKILL,
        after: float | None = None,
    ) -> Run:
        """Run the command; signal it at a point, before or after its call, or kill it after some seconds."""
        answer = self._order(arguments=[str(a) for a in arguments], point=point, when=when, by=by, after=after)
        return Run(answer["status"], answer["stderr"], answer["seconds"], answer["points"])

    def call(self, function: str, *arguments: object) -> Any:
        """Call "module:function" of the tests in a fork, in the server's namespace; gives its result."""
        return self._order(function=function, arguments=arguments)["result"]

    def shell(self, *command: object) -> None:
        """Run a command in the server's namespace."""
        answer = self._order(shell=[str(word) for word in command])
        assert answer["status"] == 0, answer

    def _order(self, **order: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the server ended with status {self._process.wait()}"
        return json.loads(line)

    def close(self) -> None:
        """End the server."""
        self._process.communicate()


@contextlib.contextmanager
def forks(*prefix: str, modules: tuple[str, ...] = ()) -> Iterator[Forks]:
    server = Forks(prefix, modules)
    try:
        yield server
    finally:
        server.close()


def die_at(point: int | None, when: str, log: Path, by: int = signal.SIGKILL) -> None:
    """Patch the calls of KINDS to write themselves down, and one to signal the process."""
    count = 0

    def patched(kind: str, call: Any) -> Any:
        def counted(*args: Any, **named: Any) -> Any:
            nonlocal count
            mine, count = count, count + 1
            names = [Path(f"/proc/self/fd/{args[0]}").readlink()] if kind == "fsync" else args[:2]
            with log.open("a") as file:
                file.write(" ".join([kind, *map(str, names)]) + "\n")
            if mine == point and when == "before":
                os.kill(os.getpid(), by)
            result = call(*args, **named)
            if mine == point and when == "after":
                os.kill(os.getpid(), by)
            return result

        return counted

    for kind in KINDS:
        setattr(os, kind, patched(kind, getattr(os, kind)))
    for name in ("sql.SqlCatalog", "rest.RestCatalog"):  # where a lake is used: every commit
        module, _, catalog = f"pyiceberg.catalog.{name}".rpartition(".")
        if module in sys.modules:
            class_ = getattr(sys.modules[module], catalog)
            class_.commit_table = _commit(patched, class_.commit_table)


def _commit(patched: Any, call: Any) -> Any:
    def commit_table(self: Any, table: Any, *rest: Any) -> Any:
        named = ".".join(table.name())
        return patched("commit", lambda *_: call(self, table, *rest))(named)

    return commit_table


def child(order: dict[str, Any], scratch: Path) -> int:
    """What a fork does; gives its exit status."""
    with (scratch / "stderr").open("w") as file:
        os.dup2(file.fileno(), 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if "function" in order:
        module, _, function = order["function"].partition(":")
        with (scratch / "result").open("w") as file:  # opened while this may be done
            json.dump(getattr(importlib.import_module(module), function)(*order["arguments"]), file)
        return 0
    from moviehouse.cli import run

    die_at(order["point"], order["when"], scratch / "points", order["by"])
    status = run(order["arguments"])
    sys.stderr.flush()
    return status


def obey(order: dict[str, Any]) -> dict[str, Any]:
    if "shell" in order:
        done = subprocess.run(order["shell"], capture_output=True, text=True, check=False)
        return {"status": done.returncode, "stderr": done.stderr}
    with tempfile.TemporaryDirectory(prefix="forks-") as name:
        scratch = Path(name)
        start = time.monotonic()
        pid = os.fork()
        if not pid:
            status = 70
            try:
                status = child(order, scratch)
            except BaseException:
                import traceback

                traceback.print_exc()
            finally:
                os._exit(status)
        if order.get("after") is not None:
            watched = os.pidfd_open(pid)
            select.select([watched], [], [], order["after"])  # no longer than the run itself
            os.close(watched)
            os.kill(pid, signal.SIGKILL)  # a run that has ended is a zombie still: no other process is hit
        _, ended = os.waitpid(pid, 0)
        seconds = time.monotonic() - start
        status = os.waitstatus_to_exitcode(ended)
        stderr, points, result = (scratch / n for n in ("stderr", "points", "result"))
        if "function" in order:
            assert not status, stderr.read_text()
        return {
            "status": None if status == -signal.SIGKILL else status,
            "stderr": stderr.read_text() if stderr.exists() else "",
            "points": points.read_text().splitlines() if points.exists() else [],
            "result": json.loads(result.read_text()) if result.exists() else None,
            "seconds": seconds,
        }


def serve() -> None:
    sys.path.insert(0, str(Path(__file__).parent))
    for module in ("moviehouse.cli", "moviehouse.pipeline", "moviehouse.render.terminal", "whole", "disk"):
        importlib.import_module(module)
    for module in os.environ.get(_MODULES, "").split():
        importlib.import_module(module)
    for line in sys.stdin:
        print(json.dumps(obey(json.loads(line))), flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:  # one run in a process of its own: POINT WHEN LOG ARGUMENTS…
        die_at(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
        from moviehouse.__main__ import main

        sys.argv[1:] = sys.argv[4:]
        main()
    else:
        serve()
