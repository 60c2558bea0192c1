"""Measures the main job: `moviehouse build` on generated samples, each run in a process of its own.

    .venv/bin/python bench/build.py                                  a tenth of the published size, and all of it
    .venv/bin/python bench/build.py --movies 4500 --ratings 2600000  another size
    .venv/bin/python bench/build.py --into docs/benchmarks.md        puts the tables into the page

The run with the shortest wall time is shown, with the longest time below it. A sample is made once and kept
in the cache directory. Two kinds are measured: `plain` has no oddities, so the flat files take the fast path, as the
published ratings do; `planted` has every oddity in every file, so that some ratings are split record by record. The
published data is in between.
"""

from __future__ import annotations

import argparse
import json
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

SIZES = {(4_500, 2_600_000): "tenth", (45_000, 26_000_000): "full"}
KINDS = ("plain", "planted")
_MAKE = "import sys, moviehouse; moviehouse.sample({out!r}, movies={movies}, ratings={ratings}, oddities={oddities})"
_LINE = re.compile(r"(read \S+) \((\d+\.\d+) s\)")
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass
class Case:
    """A sample to be built."""

    movies: int
    ratings: int
    kind: str
    path: Path

    @property
    def title(self) -> str:
        """The head of its column."""
        return f"{self.size}, {self.kind}"

    @property
    def size(self) -> str:
        """The name of its size."""
        return SIZES.get((self.movies, self.ratings), "given")


@dataclass
class Run:
    """What one build took; sizes are in bytes."""

    wall: float
    cpu: float
    rss: int
    disk: int
    release: int
    tables: int
    database: int
    record: dict
    files: dict[str, float]


def main() -> None:
    """Measure what the arguments say and print it as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--movies", type=int)
    parser.add_argument("--ratings", type=int)
    parser.add_argument("--kind", choices=KINDS, action="append", help="only this kind of sample (default: both)")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="runs of each case (default: 3)")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "moviehouse-bench")
    parser.add_argument("--into", type=Path, metavar="PAGE", help="put the tables between the page's markers")
    parser.add_argument("build", nargs="*", help="further options of moviehouse build, after --")
    arguments = parser.parse_args()
    if (arguments.movies is None) != (arguments.ratings is None):
        parser.error("give both --movies and --ratings, or neither")
    sizes = tuple(SIZES) if arguments.movies is None else ((arguments.movies, arguments.ratings),)
    cases = [sample(m, r, kind, arguments.cache) for m, r in sizes for kind in arguments.kind or KINDS]
    measured = []
    for case in cases:
        # Flush the page cache first, so that one run does not pay for the writes of another.
        runs = []
        for number in range(arguments.repeat):
            os.sync()
            runs.append(build(case.path, arguments.cache, arguments.build))
            print(f"{case.title}, run {number + 1}: {runs[-1].wall:.1f} s", file=sys.stderr, flush=True)
        measured.append((case, runs))
    text = page(measured, arguments.repeat)
    if arguments.into:
        put(arguments.into, text)
    print(text)


def sample(movies: int, ratings: int, kind: str, cache: Path) -> Case:
    """Make a sample, unless it is in the cache. In another process: its memory would count as the build's."""
    path = cache / f"{movies}-{ratings}-{kind}.zip"
    if not path.exists():
        print(f"Making {path}", file=sys.stderr, flush=True)
        cache.mkdir(parents=True, exist_ok=True)
        code = _MAKE.format(out=str(path), movies=movies, ratings=ratings, oddities=kind == "planted")
        subprocess.run([sys.executable, "-c", code], check=True)
    return Case(movies, ratings, kind, path)


def build(source: Path, cache: Path, options: list[str]) -> Run:
    """Build a release in a new directory and a new process, and remove it."""
    out = Path(tempfile.mkdtemp(prefix="out-", dir=cache))
    errors = out.with_suffix(".stderr")
    command = [sys.executable, "-m", "moviehouse", "build", str(source), "--out", str(out), *options]
    try:
        with errors.open("w") as stderr, Disk(out) as disk:
            start = time.perf_counter()
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr)
            _, status, used = os.wait4(process.pid, 0)  # of this child alone, where getrusage adds up all
            wall = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
        said = errors.read_text()
        if process.returncode:
            raise SystemExit(f"{' '.join(command)}\nfailed with {process.returncode}:\n{said}")
        release = (out / "current").resolve()
        return Run(
            wall=wall,
            cpu=used.ru_utime + used.ru_stime,
            rss=used.ru_maxrss * _RSS_UNIT,
            disk=disk.peak,
            release=size(release),
            tables=size(release / "tables"),
            database=(release / "moviehouse.duckdb").stat().st_size,
            record=json.loads((release / "run.json").read_text()),
            files={name: float(seconds) for name, seconds in _LINE.findall(said)},
        )
    finally:
        shutil.rmtree(out, ignore_errors=True)
        errors.unlink(missing_ok=True)


class Disk:
    """Samples how much room a directory takes, a few times a second, and keeps the largest."""

    def __init__(self, folder: Path) -> None:
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
        while not self._end.wait(0.25):
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


def page(measured: list[tuple[Case, list[Run]]], repeat: int) -> str:
    """The tables and what they were measured on."""
    best = [(case, min(runs, key=lambda r: r.wall), max(r.wall for r in runs)) for case, runs in measured]
    head = ["Measure", *(case.title for case, _, _ in best)]
    sizes = dict.fromkeys(f"{c.size} is {c.movies:,} movies and {c.ratings:,} ratings" for c, _, _ in best)
    extracted = [sum(f["bytes"] for f in run.record["files"].values() if "bytes" in f) for _, run, _ in best]
    rows = [
        ["Wall time, shortest run", *(f"**{run.wall:.1f} s**" for _, run, _ in best)],
        ["Wall time, longest run", *(f"{longest:.1f} s" for _, _, longest in best)],
        ["CPU, user + system", *(f"{run.cpu:.1f} s" for _, run, _ in best)],
        ["Peak memory (RSS)", *(f"{mib(run.rss)} MiB" for _, run, _ in best)],
        ["Peak disk under OUT", *(f"{mib(run.disk)} MiB" for _, run, _ in best)],
        ["Source zip", *(f"{mib(case.path.stat().st_size)} MiB" for case, _, _ in best)],
        ["CSV in it", *(f"{mib(b)} MiB" for b in extracted)],
        ["Release", *(f"{mib(run.release)} MiB" for _, run, _ in best)],
        ["of it tables/*.parquet", *(f"{mib(run.tables)} MiB" for _, run, _ in best)],
        ["of it moviehouse.duckdb", *(f"{mib(run.database)} MiB" for _, run, _ in best)],
        ["Rows in all tables", *(f"{sum(run.record['rows'].values()):,}" for _, run, _ in best)],
        ["Lines of the error log", *(f"{run.record['rows']['error_log']:,}" for _, run, _ in best)],
    ]
    steps = [[step, *(f"{run.record['seconds'].get(step, 0):.1f}" for _, run, _ in best)]
             for step in best[0][1].record["seconds"]]  # fmt: skip
    steps.append(
        ["start, publish, end", *(f"{run.wall - sum(run.record['seconds'].values()):.1f}" for _, run, _ in best)]
    )
    files = [[name, *(f"{run.files.get(name, 0):.1f}" for _, run, _ in best)] for name in best[0][1].files]
    return "\n\n".join(
        [
            machine(repeat),
            f"Sizes: {'; '.join(sizes)}.",
            table(head, rows),
            "Seconds by step, from `run.json`; the rest of the wall time is starting Python and publishing:",
            table(["Step", *head[1:]], steps),
            "The step `read` by file, from the lines that the command prints:",
            table(["File", *head[1:]], files),
        ]
    )


def machine(repeat: int) -> str:
    """What it was measured on, and when."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, `.venv/bin/python bench/build.py`, shortest of {repeat}. "
        f"{processor()}, {cores} cores, "
        f"{memory / (1 << 30):.0f} GiB memory, {platform.system()}; Python {platform.python_version()}, "
        f"DuckDB {version('duckdb')}, Moviehouse {version('moviehouse')}. "
        f"Load average at the end: {os.getloadavg()[0]:.1f} (the measured run included)."
    )


def processor() -> str:
    """The processor's name where the system tells it."""
    try:
        found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.machine()


def mib(count: int) -> str:
    """Bytes as MiB."""
    return f"{count / (1 << 20):,.0f}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; all but the first column are figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def put(path: Path, text: str) -> None:
    """Replace what is between the page's markers."""
    begin, end = "<!-- begin: bench/build.py -->\n", "\n<!-- end: bench/build.py -->"
    old = path.read_text(encoding="utf-8")
    before, found, rest = old.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{path} lacks the markers {begin.strip()} and {end.strip()}.")
    path.write_text(before + begin + text + end + after, encoding="utf-8")


if __name__ == "__main__":
    main()
