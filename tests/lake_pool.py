"""A few small drops in which everything collides, and the state that any set of them must give."""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

import lake_oracle
import small
from lake_drops import read_drop, rows_of
from lake_states import STATE, columns

from moviehouse.lake import needs, read
from moviehouse.lake.catalog import open_lake
from moviehouse.lake.ledger import Ledger, Reading, Release, now
from moviehouse.lake.load import append_reading, publish
from moviehouse.lake.stages import staged_already
from moviehouse.lake.tables import present
from moviehouse.model.lake import LAKE_TABLES, LOGIC

# Differ from load to load, and mean nothing.
IDS = {"reading_id", "run_id"}
COLUMNS = {table: [c for c in columns(table) if c not in IDS] for table in STATE}


@dataclass(frozen=True)
class Drop:
    """A drop as a zip; `database` has its tables as they are read, `rows` the rows that these give."""

    path: Path
    observed_at: datetime
    full: bool
    drop_id: str
    database: Path
    rows: dict[str, list[dict[str, Any]]]

    @property
    def arguments(self) -> list[object]:
        """The drop on the command line."""
        return [self.path, "--observed-at", self.observed_at.isoformat(), *([] if self.full else ["--partial"])]


def pool(folder: Path, count: int, seed: int = 1) -> list[Drop]:
    """Make drops by chance. Some are observed at the same time, half of them have only some of the files."""
    from moviehouse.steps.fetch.cache import digest

    made = []
    for number in range(count):
        rng = random.Random(seed * 1000 + number)
        full = rng.random() < 0.5
        source = small.write(folder / f"drop-{number}", **_files(rng, number))
        if not full:
            for file in ("credits", "keywords", "links", "ratings_small"):
                if rng.random() < 0.4:
                    (source / f"{file}.csv").unlink()
        path = folder / f"drop-{number}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(source.glob("*.csv")):
                archive.write(file, file.name)
        observed_at, drop_id = datetime(2024, 1, 1, rng.randrange(4)), digest(path)["sha256"]
        engine = read_drop(source, folder / f"work-{number}")
        rows = rows_of(engine, observed_at.astimezone(), drop_id, "")
        for listed in rows.values():
            for row in listed:
                row["observed_at"] = observed_at
        engine.close()
        made.append(Drop(path, observed_at, full, drop_id, folder / f"work-{number}" / "reading.duckdb", rows))
    return made


def _files(rng: random.Random, number: int) -> dict[str, Any]:
    def things(key: str, ids: Iterable[Any]) -> str:
        return repr([{key: i, "name": rng.choice([None, f"n{i}", f"m{i}"])} for i in ids if rng.random() < 0.6])

    def credit(movie: int, kind: str) -> str:
        ids = [f"{kind}{rng.randrange(movie, movie + 3)}" for _ in range(rng.randrange(3))]
        more = {"cast_id": 1, "character": "x", "order": 0} if kind == "k" else {"department": "d", "job": "j"}
        return repr(
            [
                {"credit_id": i, "id": rng.randrange(1, 5), "name": rng.choice(["p", "q"]), "gender": rng.randrange(3),
                 "profile_path": rng.choice([None, "/a"]), **more}
                for i in dict.fromkeys(ids)
            ]
        )  # fmt: skip

    some = [movie for movie in range(1, 9) if rng.random() < 0.6] or [1]
    movies = [
        {
            "id": str(movie), "title": rng.choice("ABC"), "budget": str(rng.choice([0, 5000, 7000])),
            "revenue": str(rng.choice([0, 9000])), "popularity": str(rng.randrange(1, 4)),
            "genres": things("id", [12, 14, 16]), "production_companies": things("id", range(1, 4)),
            "production_countries": things("iso_3166_1", ["US", "FR"]),
            "spoken_languages": things("iso_639_1", ["en", "fr"]),
        }
        for movie in some
    ]  # fmt: skip
    listed = [movie for movie in range(1, 10) if rng.random() < 0.6]
    return {
        "movies_metadata": [small.MOVIE | movie for movie in movies],
        "credits": [{"id": str(m), "cast": credit(m, "k"), "crew": credit(m, "w")} for m in listed],
        "keywords": [{"id": str(m), "keywords": things("id", range(5, 9))} for m in listed if rng.random() < 0.7],
        "links": [{"movieId": str(m), "imdbId": f"{m:07}", "tmdbId": rng.choice(["", str(m)])} for m in listed],
        "ratings_small": (
            "userId,movieId,rating,timestamp\n"
            + "".join(f"{u},{m},{rng.choice(['3.5', '4.0'])},12607591{number}{u}\n" for u in (1, 2) for m in listed)
        ).encode(),
    }


def expected(drops: Iterable[Drop]) -> dict[str, list[tuple[Any, ...]]]:
    """The state that these drops give by the second computation."""
    readings = [
        {"reading_id": f"r{i}", "drop_id": d.drop_id, "observed_at": d.observed_at, "logic": LOGIC, "full": d.full}
        for i, d in enumerate(drops)
    ]
    rows = {f"r{i}": drop.rows for i, drop in enumerate(drops)}
    return comparable(lake_oracle.state(readings, rows))


def comparable(state: dict[str, list[dict[str, Any]]]) -> dict[str, list[tuple[Any, ...]]]:
    """Rows without what differs from load to load, sorted."""
    return {t: sorted((tuple(row[c] for c in COLUMNS[t]) for row in state[t]), key=repr) for t in STATE}


def state_of(lake: str, *, told: bool = False, **options: Any) -> Any:
    """The state of a lake as its readers see it; with `told` the number of the release too."""
    from moviehouse.engines.duckdb import opened

    with read.reading_lake(lake, needs.STATE, **options) as place, opened(place / "moviehouse.duckdb") as con:
        found = {}
        for table in STATE:
            names = ", ".join(f'"{c}"' for c in COLUMNS[table])
            # That a file is missing is noted where the drop is opened, before it is read.
            which = " WHERE reason <> 'missing_file'" if table == "error_log" else ""
            found[table] = sorted(con.execute(f"SELECT {names} FROM {table}{which}").fetchall(), key=repr)
        release = json.loads((place / "run.json").read_text())["source"]["release"]
        return (found, release) if told else found


def put(lake: str, drop: Drop, number: int, logic: int = LOGIC, stage: str = "", tables: Iterable[str] = ()) -> Any:
    """Append and publish a drop that is read already, or stage it: a load but for its first half.

    None where there is nothing to do. With `tables` the reading has only these.
    """
    rows = {table: len(listed) for table, listed in drop.rows.items() if listed and (not tables or table in tables)}
    started = f"{now():%Y%m%dT%H%M%SZ}-{number:06}"
    reading = Reading(started, drop.drop_id, drop.observed_at, logic, drop.full, rows=rows, begun_at=now(), stage=stage)
    opened = open_lake(lake, create=True)
    ledger = Ledger(opened, create=True)
    newest = ledger.newest() or Release()
    if newest.shows(reading) or staged_already(ledger, reading):
        return None
    return publish(ledger, reading, append_reading(opened, drop.database, reading, "1GiB"))


def shown(lake: str, drops: list[Drop]) -> list[int]:
    """Which of the drops the newest release shows."""
    newest = Ledger(open_lake(lake)).newest()
    tokens = {reading.token for reading in newest.visible.values()} if newest else set()
    return [number for number, drop in enumerate(drops) if (drop.observed_at, drop.drop_id) in tokens]


def rows_in(lake: str) -> dict[str, dict[str, int]]:
    """How many rows each table of the lake has of each reading, visible or not."""
    found: dict[str, dict[str, int]] = {}
    for table in LAKE_TABLES:
        there = present(open_lake(lake), table.name)
        for row in there.scan(selected_fields=("reading_id",)).to_arrow().to_pylist() if there else ():
            counts = found.setdefault(table.name, {})
            counts[row["reading_id"]] = counts.get(row["reading_id"], 0) + 1
    return found


def is_exact(lake: str) -> None:
    """Of every reading that is visible each table has just the rows that the ledger says."""
    found = rows_in(lake)
    for reading in Ledger(open_lake(lake)).newest().visible.values():
        there = {table: counts[reading.reading_id] for table, counts in found.items() if reading.reading_id in counts}
        assert there == dict(reading.rows)


class Watch:
    """A reader that polls: everything it sees is the state of the release that it was told."""

    def __init__(self, lake: str, drops: list[Drop]) -> None:
        self.lake, self.drops, self.seen = lake, drops, []

    def look(self) -> None:
        state, release = state_of(self.lake, told=True)
        readings = next(r for r in Ledger(open_lake(self.lake)).releases() if r.number == release).visible.values()
        tokens = {reading.token for reading in readings}
        assert state == expected([d for d in self.drops if (d.observed_at, d.drop_id) in tokens])
        self.seen.append(release)

    def poll(self, stop: Event) -> None:
        while not stop.is_set():
            if Path(self.lake, "catalog.db").exists() and Ledger(open_lake(self.lake)).newest() is not None:
                self.look()
