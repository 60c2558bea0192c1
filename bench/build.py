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
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import measure
from measure import CACHE, KINDS, Fresh, Used, mib, size, table

SIZES = {(4_500, 2_600_000): "tenth", (measure.MOVIES, measure.RATINGS): "full"}
_LINE = re.compile(r"(read \S+) \((\d+\.\d+) s\)")


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

    used: Used
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
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--into", type=Path, metavar="PAGE", help="put the tables between the page's markers")
    parser.add_argument("build", nargs="*", help="further options of moviehouse build, after --")
    arguments = parser.parse_args()
    if (arguments.movies is None) != (arguments.ratings is None):
        parser.error("give both --movies and --ratings, or neither")
    sizes = tuple(SIZES) if arguments.movies is None else ((arguments.movies, arguments.ratings),)
    cases = [
        Case(movies, ratings, kind, measure.sample(movies, ratings, kind, arguments.cache))
        for movies, ratings in sizes
        for kind in arguments.kind or KINDS
    ]
    measured = []
    for case in cases:
        runs = []
        for number in range(arguments.repeat):
            runs.append(build(case.path, arguments.cache, arguments.build))
            print(f"{case.title}, run {number + 1}: {runs[-1].used.wall:.1f} s", file=sys.stderr, flush=True)
        measured.append((case, runs))
    text = page(measured, arguments.repeat)
    if arguments.into:
        measure.put(arguments.into, "bench/build.py", text)
    print(text)


def build(source: Path, cache: Path, options: list[str]) -> Run:
    """Build a release in a new directory and a new process, and remove it."""
    with Fresh(cache) as out:
        command = [sys.executable, "-m", "moviehouse", "build", str(source), "--out", str(out), *options]
        used = measure.run(command, out)
        release = (out / "current").resolve()
        return Run(
            used=used,
            release=size(release),
            tables=size(release / "tables"),
            database=(release / "moviehouse.duckdb").stat().st_size,
            record=json.loads((release / "run.json").read_text()),
            files={name: float(seconds) for name, seconds in _LINE.findall(used.stderr)},
        )


def page(measured: list[tuple[Case, list[Run]]], repeat: int) -> str:
    """The tables and what they were measured on."""
    best = [(case, min(runs, key=lambda r: r.used.wall), max(r.used.wall for r in runs)) for case, runs in measured]
    head = ["Measure", *(case.title for case, _, _ in best)]
    sizes = dict.fromkeys(f"{c.size} is {c.movies:,} movies and {c.ratings:,} ratings" for c, _, _ in best)
    extracted = [sum(f["bytes"] for f in run.record["files"].values() if "bytes" in f) for _, run, _ in best]
    rows = [
        ["Wall time, shortest run", *(f"**{run.used.wall:.1f} s**" for _, run, _ in best)],
        ["Wall time, longest run", *(f"{longest:.1f} s" for _, _, longest in best)],
        ["CPU, user + system", *(f"{run.used.cpu:.1f} s" for _, run, _ in best)],
        ["Peak memory (RSS)", *(f"{mib(run.used.rss)} MiB" for _, run, _ in best)],
        ["Peak disk under OUT", *(f"{mib(run.used.disk)} MiB" for _, run, _ in best)],
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
        ["start, publish, end", *(f"{run.used.wall - run.record['seconds']['total']:.1f}" for _, run, _ in best)]
    )
    files = [[name, *(f"{run.files.get(name, 0):.1f}" for _, run, _ in best)] for name in best[0][1].files]
    return "\n\n".join(
        [
            measure.machine(".venv/bin/python bench/build.py", f"shortest of {repeat}"),
            f"Sizes: {'; '.join(sizes)}.",
            table(head, rows),
            "Seconds by step, from `run.json`; the rest of the wall time is starting Python and publishing:",
            table(["Step", *head[1:]], steps),
            "The step `read` by file, from the lines that the command prints:",
            table(["File", *head[1:]], files),
        ]
    )


if __name__ == "__main__":
    main()
