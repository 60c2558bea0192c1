"""What a load into a lake costs, against the size of the lake, over many hours, and beside another loader.

    .venv/bin/python bench/lake.py [growth] [hours] [loaders] [--into docs/benchmarks.md]

The lake is on a real S3 server with an Iceberg REST catalog on this machine (SeaweedFS). Each load is a process of
its own, start included.

growth: two lakes, one ten times as large as the other. The same drop is loaded into both; so is an empty one. The drop
has 1% of the rows of the larger lake. What a MERGE would cost instead is the time to read some of the tables, replace
the drop's rows by key and write them again, in this process: what a copy-on-write MERGE does to all files with a match.
hours: 48 hourly drops in a row, with `maintain` after every twelfth. The slope is that of a line through the seconds
of the partial loads, as a share of their mean.
loaders: the partial drops of a day, loaded by one loader, then by two at once into another lake.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
from measure import Used, machine, mib, put, run, table
from pyiceberg.catalog import Catalog, load_catalog

import moviehouse
from moviehouse.model.tables import TABLE

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import s3_server

SMALL, TIMES = (4_500, 2_600_000), 10
HOURLY = (4_500, 260_000)
DROP_SHARE = 100
RUNS = 3
HOURS, UPKEEP_EVERY = 48, 12
LOADED_HOURS = 24
MOVIEHOUSE = str(Path(sys.executable).with_name("moviehouse"))
MERGED = ("movie", "cast_credit", "rating")


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


def load(path: Path, lake: str, *more: str) -> Load:
    """Load a drop in a process of its own."""
    used = run([MOVIEHOUSE, "load", str(path), "--lake", lake, "--json", *more])
    print(f"{lake}: {path.name} {used.wall:.2f} s, CPU {used.cpu:.2f} s", file=sys.stderr, flush=True)
    return Load(used, json.loads(used.stdout))


def main() -> None:
    """Measure what is asked for; by default everything."""
    measures = {"growth": growth, "hours": hours, "loaders": loaders}
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
            done = run([MOVIEHOUSE, "maintain", "--lake", lake, "--json", "--keep-days", "0", "--grace-hours", "0"])
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
