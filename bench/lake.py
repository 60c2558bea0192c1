"""What a load into a lake costs, against the size of the lake, over many hours, and beside another loader.

    .venv/bin/python bench/lake.py [growth] [hours] [loaders] [--into docs/benchmarks.md]

The lake is on a real S3 server with an Iceberg REST catalog on this machine (SeaweedFS). Each load is a process of
its own, start included.

growth: two lakes, one ten times as large as the other. The same drop is loaded into both; so is an empty one. The drop
has 1% of the rows of the larger lake. What MERGE would cost instead is measured by PyIceberg's upsert of the same rows.
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

from measure import Used, machine, mib, put, run, table

import moviehouse

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import s3_server

SMALL, TIMES = (4_500, 260_000), 10
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

    def make(self, name: str) -> str:
        for key, value in self.server.table_bucket(name).items():
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
        rows[-1].append(upsert_seconds(lake, drop, folder / f"upsert-{times}"))
    lines = [
        [title, f"{a.used.wall:.1f} s, {a.used.cpu:.1f} s", f"{b.used.wall:.2f} s, {b.used.cpu:.2f} s",
         f"{c.used.wall:.2f} s, {c.used.cpu:.2f} s", f"{merge:.1f} s"]
        for title, a, b, c, merge in rows
    ]  # fmt: skip
    (_, _, b1, _, m1), (_, full, b10, e10, m10) = rows
    head = ["the lake (wall, CPU)", "full load", "drop", "empty drop", "upsert of the drop"]
    return table(head, lines) + (
        f"\n\nThe same drop costs {b10.used.wall / b1.used.wall:.2f} times as much on the larger lake "
        f"(CPU {b10.used.cpu / b1.used.cpu:.2f}; aim 1.5), and {b10.used.wall / full.used.wall:.0%} of the full load "
        f"there (CPU {b10.used.cpu / full.used.cpu:.0%}; aim 10%), of which an empty drop is "
        f"{e10.used.wall / full.used.wall:.0%}. Upserts of {', '.join(MERGED)} alone cost {m10 / m1:.1f} times as much."
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


def upsert_seconds(lake: str, drop: Path, out: Path) -> float:
    """What it takes to upsert the drop's rows of some tables into copies of the lake's, by their keys."""
    import pyarrow.parquet as pq
    from pyiceberg.catalog import load_catalog
    from pyiceberg.io.pyarrow import schema_to_pyarrow

    from moviehouse.model.tables import TABLE

    release, catalog, seconds = moviehouse.build(str(drop), out, report=False), load_catalog(lake), 0.0
    for name in MERGED:
        source = catalog.load_table(("moviehouse", name))
        columns = [c.name for c in TABLE[name].columns if c.name in source.schema().column_names]
        rows = source.scan(selected_fields=tuple(columns)).to_arrow()
        keys = list(TABLE[name].key)
        newest = rows.group_by(keys, use_threads=False).aggregate(
            [(column, "last") for column in columns if column not in keys]
        ).rename_columns([*keys, *(c for c in columns if c not in keys)]).select(columns)  # fmt: skip
        copy = catalog.create_table(("moviehouse", f"{name}_merged"), newest.schema)
        copy.append(newest)
        wanted = schema_to_pyarrow(copy.schema(), include_field_ids=False)
        more = pq.read_table(release.path / "tables" / f"{name}.parquet").select(columns).cast(wanted)
        start = time.perf_counter()
        copy.upsert(more, join_cols=keys)
        seconds += time.perf_counter() - start
        catalog.drop_table(("moviehouse", f"{name}_merged"))
    return seconds


def deliveries(folder: Path, hours: int) -> list[tuple[Path, list[str]]]:
    """Hourly drops in the order they come, without the broken ones: the zip, and how it is loaded."""
    made = moviehouse.sample_drops(folder, drops=hours, movies=SMALL[0], ratings=SMALL[1])
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
