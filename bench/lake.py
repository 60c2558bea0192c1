"""What a load into a lake costs, against the size of the lake, over many hours, and beside another loader.

    .venv/bin/python bench/lake.py [growth] [folds] [many] [hours] [loaders] [--into docs/benchmarks.md]

The lake is on a real S3 server with an Iceberg REST catalog on this machine (SeaweedFS). Each load is a process of
its own, start included, of the environment that a user has: with the extra `lake` and nothing else. PyArrow imports
pandas wherever it is installed, which every process pays for.

growth: two lakes, one ten times as large as the other. The same drop is loaded into both; so is an empty one. The drop
has 1% of the rows of the larger lake. What a MERGE would cost instead is the time to read some of the tables, replace
the drop's rows by key and write them again, in this process: what a copy-on-write MERGE does to all files with a match.
folds: the larger of those lakes is folded, then the drop is loaded and folded, a few times as it is done and once with
all current rows written anew. What a year of folds writes and leaves is counted.
many: hourly drops, each in a command of its own, then in one command for all of them.
hours: 48 hourly drops in a row, with `maintain` after every twelfth. The slope is that of a line through the seconds
of the partial loads, as a share of their mean.
loaders: the partial drops of a day, loaded by one loader, then by two at once into another lake.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest.mock import patch

import duckdb
from measure import Used, machine, mib, put, run, table
from pyiceberg.catalog import Catalog, load_catalog

import moviehouse
from moviehouse.lake import runs
from moviehouse.lake.runs import Run
from moviehouse.model.tables import TABLE

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import s3_server

SMALL, TIMES = (4_500, 2_600_000), 10
HOURLY = (4_500, 260_000)
DROP_SHARE = 100
RUNS = 3
HOURS, UPKEEP_EVERY = 48, 12
LOADED_HOURS = 24
ROOT = Path(__file__).parents[1]
USERS = ROOT / "build" / "users-environment"
MERGED = ("movie", "cast_credit", "rating")
# As if every run were outgrown.
WHOLE = "from moviehouse.lake import runs; runs.SHORT = 1 << 62"


@dataclass(frozen=True)
class Load:
    """One load: what the process took, and what it said."""

    used: Used
    said: dict[str, object]


@contextmanager
def lakes() -> Iterator[S3Lakes]:
    """A server for lakes, as long as the block runs."""
    with s3_server.serve() as server:
        yield S3Lakes(server)


class S3Lakes:
    """Lakes on the server, each in a table bucket of its own, known to processes by a name of PyIceberg's."""

    def __init__(self, server: s3_server.S3Server) -> None:
        self.server = server
        self.properties: dict[str, dict[str, str]] = {}

    def make(self, name: str) -> str:
        self.properties[name] = self.server.table_bucket(name)
        for key, value in self.properties[name].items():
            os.environ[f"PYICEBERG_CATALOG__{name.upper()}__{key.upper().replace('.', '__').replace('-', '_')}"] = value
        return name

    def size(self, name: str) -> tuple[int, int]:
        """Objects and bytes of a lake, everything that the store holds of it."""
        pages = self.server.client.get_paginator("list_objects_v2").paginate(Bucket=name)
        sizes = [item["Size"] for page in pages for item in page.get("Contents", [])]
        return len(sizes), sum(sizes)


@cache
def users(program: str) -> str:
    """A program of the environment that a user has, which is made when first asked for."""
    if not USERS.exists():
        venv.create(USERS, with_pip=True)
    install = ["pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", "--editable", f"{ROOT}[lake]"]
    subprocess.run([USERS / "bin" / "python", "-m", *install], check=True)
    return str(USERS / "bin" / program)


def load(path: Path, lake: str, *more: str) -> Load:
    """Load a drop in a process of its own."""
    used = run([users("moviehouse"), "load", str(path), "--lake", lake, "--json", *more])
    print(f"{lake}: {path.name} {used.wall:.2f} s, CPU {used.cpu:.2f} s", file=sys.stderr, flush=True)
    return Load(used, json.loads(used.stdout))


def main() -> None:
    """Measure what is asked for; by default everything."""
    measures = {"growth": growth, "folds": folds, "many": many, "hours": hours, "loaders": loaders}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*measures, []], default=list(measures))
    parser.add_argument("--into", type=Path, metavar="PAGE", help="put the tables between the page's markers")
    arguments = parser.parse_args()
    for part in arguments.parts:
        with tempfile.TemporaryDirectory() as folder, lakes() as store:
            text = measures[part](store, Path(folder))
        note = machine(f"bench/lake.py {part}", "SeaweedFS on the same machine", "pyiceberg", "pyarrow")
        print(f"{note}\n\n{text}\n", flush=True)
        if arguments.into:
            put(arguments.into, f"bench/lake.py {part}", f"{note}\n\n{text}")


def growth(store: S3Lakes, folder: Path) -> str:
    """The same drops on a lake and on one ten times as large."""
    movies, ratings = SMALL
    drop = folder / "drop.zip"
    moviehouse.sample(drop, movies=movies * TIMES // DROP_SHARE, ratings=ratings * TIMES // DROP_SHARE, seed=2)
    empty = empty_drop(drop, folder / "empty.zip")
    rows = []
    for times in (1, TIMES):
        base = folder / f"base-{times}.zip"
        moviehouse.sample(base, movies=movies * times, ratings=ratings * times)
        lake = store.make(f"growth{times}")
        first = load(base, lake, "--observed-at", "2024-01-01")
        drops = [load(drop, lake, "--partial", "--observed-at", f"2024-02-{day:02}") for day in range(1, RUNS + 1)]
        nothing = [load(empty, lake, "--partial", "--observed-at", f"2024-03-{day:02}") for day in range(1, RUNS + 1)]
        rows.append([f"{movies * times:,} movies, {ratings * times:,} ratings", first, *map(middle, (drops, nothing))])
        rows[-1].append(merge_seconds(load_catalog(lake, **store.properties[lake]), drop, folder / f"merge-{times}"))
    lines = [
        [title, f"{a.used.wall:.1f} s, {a.used.cpu:.1f} s", f"{b.used.wall:.2f} s, {b.used.cpu:.2f} s",
         f"{c.used.wall:.2f} s, {c.used.cpu:.2f} s", f"{merge:.1f} s"]
        for title, a, b, c, merge in rows
    ]  # fmt: skip
    (_, _, b1, _, m1), (_, full, b10, e10, m10) = rows
    head = ["the lake (wall, CPU)", "full load", "drop", "empty drop", "MERGE of the drop"]
    return table(head, lines) + (
        f"\n\nThe same drop costs {b10.used.wall / b1.used.wall:.2f} times as much on the larger lake "
        f"(CPU {b10.used.cpu / b1.used.cpu:.2f}; aim 1.5), and {b10.used.wall / full.used.wall:.0%} of the full load "
        f"there (CPU {b10.used.cpu / full.used.cpu:.0%}; aim 10%), of which an empty drop is "
        f"{e10.used.wall / full.used.wall:.0%}. A MERGE into "
        f"{', '.join(MERGED)} alone costs {m10 / m1:.1f} times as much."
    )


def middle(loads: list[Load]) -> Load:
    """The load whose time is the median."""
    return sorted(loads, key=lambda one: one.used.wall)[len(loads) // 2]


def empty_drop(drop: Path, path: Path) -> Path:
    """A drop that has every file and no record."""
    with zipfile.ZipFile(drop) as archive, zipfile.ZipFile(path, "w") as empty:
        for name in archive.namelist():
            with archive.open(name) as file:
                empty.writestr(name, file.readline())
    return path


def merge_seconds(catalog: Catalog, drop: Path, out: Path) -> float:
    """What a MERGE of the drop's rows into some tables takes at least, where keys are all over the files.

    Copies of the lake's tables with one row a key are read, their rows replaced by key, and written again.
    """
    release, seconds = moviehouse.build(str(drop), out, report=False), 0.0
    for name in MERGED:
        source = catalog.load_table(("moviehouse", name))
        columns = [f'"{c.name}"' for c in TABLE[name].columns if c.name in source.schema().column_names]
        newest = (
            f"SELECT {', '.join(columns)} FROM rows "
            f"QUALIFY row_number() OVER (PARTITION BY {', '.join(TABLE[name].key)} ORDER BY priority) = 1"
        )
        scan = source.scan(row_filter="observed_at < '2024-01-02T00:00:00'")
        with duckdb.connect() as con:
            con.register("held", scan.to_arrow())
            con.execute("CREATE VIEW rows AS SELECT *, 0 AS priority FROM held")
            copy_rows = con.sql(newest).to_arrow_table()
        copy = catalog.create_table(("moviehouse", f"{name}_merged"), copy_rows.schema)
        copy.append(copy_rows)
        more = str(release.path / "tables" / f"{name}.parquet")
        start = time.perf_counter()
        with duckdb.connect() as con:
            con.register("held", copy.scan().to_arrow())
            con.execute(
                f"CREATE VIEW rows AS SELECT {', '.join(columns)}, 1 AS priority FROM held "
                f"UNION ALL SELECT {', '.join(columns)}, 0 AS priority FROM read_parquet('{more}')"
            )
            copy.overwrite(con.sql(newest).to_arrow_table())
        seconds += time.perf_counter() - start
        catalog.drop_table(("moviehouse", f"{name}_merged"))
    return seconds


def folds(store: S3Lakes, folder: Path) -> str:
    """What folding a drop costs where the lake has a hundred times as many rows."""
    movies, ratings = (count * TIMES for count in SMALL)
    base, drop, lake = folder / "base.zip", folder / "drop.zip", store.make("folds")
    moviehouse.sample(base, movies=movies, ratings=ratings)
    moviehouse.sample(drop, movies=movies // DROP_SHARE, ratings=ratings // DROP_SHARE, seed=2)
    load(base, lake, "--observed-at", "2024-01-01")
    rows = [["the whole lake, for the first time", upkeep(lake)]]
    for day in range(2, 2 + RUNS):
        load(drop, lake, "--partial", "--observed-at", f"2024-01-{day:02}")
        rows.append([f"a drop of 1% ({day - 1})", upkeep(lake)])
    load(drop, lake, "--partial", "--observed-at", "2024-02-01")
    rows.append(["the same drop, all current rows written anew", upkeep(lake, WHOLE)])
    lines = [[title, f"{used.wall:.1f} s", f"{used.cpu:.1f} s", f"{mib(used.rss)} MiB"] for title, used in rows]
    once = min((used for _, used in rows[1:-1]), key=lambda used: used.wall)
    return table(["fold of", "Wall", "CPU", "Memory"], lines) + (
        f"\n\nTo write all current rows anew takes {rows[-1][1].wall / once.wall:.1f} times as long "
        f"(CPU {rows[-1][1].cpu / once.cpu:.1f}).\n\n" + year_of_folds()
    )


def year_of_folds() -> str:
    """What folds of a hundredth each write and leave over a year, for some shares at which a run is written anew."""
    base, lines = 100, []
    for share in (0, 1, 4, 16):
        held, written, most, runs_there = [Run((), base * runs.SHORT)], [], 0, 0
        with patch.object(runs, "SHARE", share or 1 << 62):
            for _ in range(365):
                anew = runs.outgrown(held, runs.SHORT)
                held = [*held[: len(held) - len(anew)], Run((), runs.SHORT + sum(run.rows for run in anew))]
                written.append(held[-1].rows / runs.SHORT)
                most = max(most, sum(run.rows for run in held[1:]) / held[0].rows)
                runs_there = max(runs_there, len(held))
        title = f"behind it come to 1/{share} of it" if share else "always"
        lines.append([title, f"{statistics.fmean(written):.1f}%", f"{most:.0%}", f"{runs_there}"])
    head = [
        "a run is written anew once the rows",
        "a fold writes, of the base",
        "rows behind the base, at most",
        "runs",
    ]
    return table(head, lines)


def upkeep(lake: str, before: str = "") -> Used:
    """Do the upkeep in a process of its own: the fold, and the other steps, which are counted too."""
    code = f"import moviehouse\n{before}\nmoviehouse.maintain({lake!r})"
    used = run([users("python"), "-c", code])
    print(f"{lake}: maintain {used.wall:.2f} s, CPU {used.cpu:.2f} s", file=sys.stderr, flush=True)
    return used


def many(store: S3Lakes, folder: Path) -> str:
    """The partial drops of a day, a command for each, then one command for all; observed when they were written."""
    drops = [path for path, how in deliveries(folder / "many", LOADED_HOURS) if "--partial" in how]
    rows = []
    for title, commands in (
        ("a command for each", [[path] for path in drops]),
        ("one command", [drops]),
    ):
        lake = store.make(f"many{len(commands)}")
        done = [
            run([users("moviehouse"), "load", *map(str, paths), "--lake", lake, "--partial", "-q"])
            for paths in commands
        ]
        rows.append([title, sum(used.wall for used in done), sum(used.cpu for used in done)])
    lines = [
        [title, f"{wall:.1f} s", f"{cpu:.1f} s", f"{wall / len(drops):.2f} s, {cpu / len(drops):.2f} s"]
        for title, wall, cpu in rows
    ]
    return table([f"{len(drops)} partial drops", "Wall", "CPU", "a drop"], lines) + (
        f"\n\nOne command takes {rows[1][1] / rows[0][1]:.0%} of the time and {rows[1][2] / rows[0][2]:.0%} of the CPU."
    )


def deliveries(folder: Path, hours: int) -> list[tuple[Path, list[str]]]:
    """Hourly drops in the order they come, without the broken ones: the zip, and how it is loaded."""
    made = moviehouse.sample_drops(folder, drops=hours, movies=HOURLY[0], ratings=HOURLY[1])
    found = []
    for line in map(json.loads, made.manifest.read_text().splitlines()):
        if not line["broken"] and not line["repeated"]:
            how = ["--observed-at", line["observed_at"], *([] if line["full"] else ["--partial"])]
            found.append((made.path / line["file"], how))
    return found


def hours(store: S3Lakes, folder: Path) -> str:
    """Two days of hourly drops, with upkeep."""
    lake, seconds, rows, upkeep = store.make("hours"), [], [], []
    for number, (path, how) in enumerate(deliveries(folder / "hours", HOURS), 1):
        loaded = load(path, lake, *how)
        if "--partial" in how:
            seconds.append((number, loaded.used.wall))
        if number % UPKEEP_EVERY == 0:
            before = store.size(lake)
            done = run(
                [users("moviehouse"), "maintain", "--lake", lake, "--json", "--keep-days", "0", "--grace-hours", "0"]
            )
            upkeep.append(done.wall)
            recent = [wall for at, wall in seconds if at > number - UPKEEP_EVERY]
            files = [f"{count:,} objects, {mib(size)} MiB" for count, size in (before, store.size(lake))]
            rows.append([f"{number}", f"{statistics.median(recent):.2f} s", *files, f"{done.wall:.1f} s"])
    mean = statistics.fmean(wall for _, wall in seconds)
    slope = statistics.linear_regression(*zip(*seconds, strict=True)).slope / mean
    head = ["after drop", "a partial load (median)", "before upkeep", "after upkeep", "upkeep took"]
    return table(head, rows) + (
        f"\n\n{len(seconds)} partial loads, {mean:.2f} s on average; the time changes by {slope:+.2%} of that from "
        f"drop to drop (aim: at most 0.5%)."
    )


def loaders(store: S3Lakes, folder: Path) -> str:
    """One loader, then two at once."""
    drops = [d for d in deliveries(folder / "loaders", LOADED_HOURS) if "--partial" in d[1]]
    rows = []
    for count in (1, 2):
        lake = store.make(f"loaders{count}")
        start = time.perf_counter()
        with ThreadPoolExecutor(count) as pool:
            done = list(pool.map(lambda drop, lake=lake: load(drop[0], lake, *drop[1]), drops))
        wall = time.perf_counter() - start
        conflicts = sum(int(str(one.said["conflicts"])) for one in done)
        rows.append([count, wall, conflicts, sum(one.used.cpu for one in done)])
    lines = [
        [str(count), f"{wall:.0f} s", f"{60 * len(drops) / wall:.1f}", f"{conflicts}", f"{cpu:.0f} s"]
        for count, wall, conflicts, cpu in rows
    ]
    head = ["loaders", f"{len(drops)} partial drops", "drops a minute", "tries again at the ledger", "CPU"]
    return table(head, lines) + f"\n\nTwo loaders get {rows[0][1] / rows[1][1]:.2f} times as much done."


if __name__ == "__main__":
    main()
