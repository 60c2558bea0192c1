"""What the measuring scripts share: samples, runs in a process of their own, and pages with marked blocks."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

MOVIES, RATINGS = 45_000, 26_000_000
"""The published size."""
KINDS = ("plain", "planted")
"""`plain` has no oddities, so the flat files take the fast path; `planted` has every oddity in every file."""
CACHE = Path(tempfile.gettempdir()) / "moviehouse-bench"
_MAKE = "import sys, moviehouse; moviehouse.sample({out!r}, movies={movies}, ratings={ratings}, oddities={oddities})"
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass
class Used:
    """What one process took: seconds of wall time and of CPU, bytes of memory and of disk; what it said."""

    wall: float
    cpu: float
    rss: int
    disk: int
    stdout: str
    stderr: str


def sample(movies: int, ratings: int, kind: str, cache: Path) -> Path:
    """Make a sample, unless it is in the cache. In another process: its memory would count as the run's."""
    path = cache / f"{movies}-{ratings}-{kind}.zip"
    if not path.exists():
        print(f"Making {path}", file=sys.stderr, flush=True)
        cache.mkdir(parents=True, exist_ok=True)
        code = _MAKE.format(out=str(path), movies=movies, ratings=ratings, oddities=kind == "planted")
        subprocess.run([sys.executable, "-c", code], check=True)
    return path


def run(command: list[str], folder: Path | None = None) -> Used:
    """Run a command in a process of its own; the disk is that below `folder`, sampled.

    The page cache is flushed first, so that one run does not pay for the writes of another.
    """
    os.sync()
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr, Disk(folder) as disk:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=stdout, stderr=stderr)
        _, status, used = os.wait4(process.pid, 0)  # of this child alone, where getrusage adds up all
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        said = []
        for stream in (stdout, stderr):
            stream.seek(0)
            said.append(stream.read().decode(errors="replace"))
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}\nfailed with {process.returncode}:\n{said[1]}")
    return Used(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * _RSS_UNIT, disk.peak, *said)


class Fresh:
    """A new directory for one run's output, removed afterwards."""

    def __init__(self, cache: Path) -> None:
        cache.mkdir(parents=True, exist_ok=True)
        self.path = Path(tempfile.mkdtemp(prefix="out-", dir=cache))

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


class Disk:
    """Samples how much room a directory takes, a few times a second, and keeps the largest."""

    def __init__(self, folder: Path | None) -> None:
        self.folder, self.peak = folder, 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Disk:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while self.folder is not None and not self._end.wait(0.25):
            self.peak = max(self.peak, size(self.folder))


def size(folder: Path) -> int:
    """The bytes on disk of all files below a folder; a file that vanishes meanwhile counts as nothing."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(Path(root) / name).st_blocks * 512
            except OSError:
                continue
    return total


def machine(command: str, note: str, *packages: str) -> str:
    """When and how it was measured, on what, with which versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = "".join(f", {name} {version(name)}" for name in packages)
    parts = [
        f"{datetime.now(UTC):%Y-%m-%d}, `{command}`, {note}. {processor()}, {cores} cores, ",
        f"{memory / (1 << 30):.0f} GiB memory, {platform.system()}; Python {platform.python_version()}, ",
        f"DuckDB {version('duckdb')}, Moviehouse {version('moviehouse')}{versions}. ",
        f"Load average at the end: {os.getloadavg()[0]:.1f} (the measured run included).",
    ]
    return "".join(parts)


def processor() -> str:
    """The processor's name where the system tells it."""
    try:
        found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.machine()


def mib(count: float) -> str:
    """Bytes as MiB."""
    return f"{count / (1 << 20):,.0f}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; all but the first column are figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def put(path: Path, block: str, text: str) -> None:
    """Replace what is between the page's markers of a block; the other blocks stay."""
    begin, end = f"<!-- begin: {block} -->\n", f"<!-- end: {block} -->"
    old = path.read_text(encoding="utf-8")
    before, found, rest = old.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{path} lacks the markers {begin.strip()} and {end}.")
    path.write_text(before + begin + text + "\n" + end + after, encoding="utf-8")
