"""Measures the lake: what a load costs however small the drop is, and what two loaders do beside one.

    .venv/bin/python bench/lake.py [--drops 12] [--movies 2000] [--ratings 100000]

Makes hourly drops of a sample, and loads them into lakes in a temporary directory. Wall seconds on an otherwise idle
machine; CPU seconds are those of the loading processes.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import moviehouse
from moviehouse.lake.load import Loaded

# Loads drops one after the other in a process of its own; prints the tries that another loader's commit cost.
LOADER = """
import sys, moviehouse
conflicts = 0
for path in sys.argv[2:]:
    loaded = moviehouse.load(path, sys.argv[1], full=False)
    conflicts += loaded.conflicts
print(conflicts)
"""


def timed(path: Path, lake: Path, *, full: bool = False) -> tuple[Loaded, float, float]:
    wall, cpu = time.monotonic(), time.process_time()
    loaded = moviehouse.load(path, lake, full=full)
    return loaded, time.monotonic() - wall, time.process_time() - cpu


def loaders(lake: Path, shares: list[list[Path]]) -> tuple[float, int]:
    """Wall seconds and conflicts of several loaders at once, each with its share of the drops."""
    start = time.monotonic()
    running = [
        subprocess.Popen([sys.executable, "-c", LOADER, lake, *share], stdout=subprocess.PIPE, text=True)
        for share in shares
    ]
    conflicts = sum(int(process.communicate()[0]) for process in running)
    return time.monotonic() - start, conflicts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drops", type=int, default=12)
    parser.add_argument("--movies", type=int, default=2000)
    parser.add_argument("--ratings", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-lake-") as folder:
        measure(Path(folder), asked)


def measure(folder: Path, asked: argparse.Namespace) -> None:
    made = moviehouse.sample_drops(
        folder / "drops", drops=asked.drops, movies=asked.movies, ratings=asked.ratings, seed=3
    )
    lines = [json.loads(line) for line in made.manifest.read_text().splitlines()]
    good = [line for line in lines if not line["broken"] and not line["repeated"]]
    base, hourly = made.path / good[0]["file"], [made.path / line["file"] for line in good[1:]]
    lakes = [folder / name for name in ("one", "two")]
    print("| Load | Records | Tables | Wall s | CPU s | Append s | Publish s |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for number, path in enumerate([base, *hourly]):
        loaded, wall, cpu = timed(path, lakes[0], full=number == 0)
        spent, rows = loaded.run.seconds, loaded.reading
        print(
            f"| {'whole' if number == 0 else 'hourly'} | {rows.read:,} | {len(rows.rows)} | {wall:.2f} | {cpu:.2f} | "
            f"{spent['append']:.2f} | {spent['publish']:.2f} |"
        )
    _, wall, cpu = timed(hourly[-1], lakes[0])
    print(f"| again | 0 | 0 | {wall:.2f} | {cpu:.2f} | | |")
    for state in ("before upkeep", "after upkeep"):
        wall, cpu = time.monotonic(), time.process_time()
        moviehouse.ask("genre_revenue_by_year", lake=lakes[0])
        print(f"ask, {state}: {time.monotonic() - wall:.2f} s, CPU {time.process_time() - cpu:.2f} s")
        if state == "before upkeep":
            wall, cpu = time.monotonic(), time.process_time()
            print(moviehouse.maintain(lakes[0], grace_hours=0, keep_days=0))
            print(f"maintain: {time.monotonic() - wall:.2f} s, CPU {time.process_time() - cpu:.2f} s")
    moviehouse.load(base, lakes[1])
    one, _ = loaders(folder / "one", [[]])
    alone, _ = loaders(lakes[1], [hourly])
    moviehouse.load(base, folder / "three")
    both, conflicts = loaders(folder / "three", [hourly[::2], hourly[1::2]])
    print(
        f"{len(hourly)} hourly drops: one loader {alone:.1f} s, two at once {both:.1f} s with {conflicts} conflicts "
        f"on the ledger; starting Python takes {one:.1f} s of each"
    )
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
