"""Loaders and upkeep at the same time, killed at any moment, answers that are lost: readers see whole releases."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import forks
import pytest
from lake_pool import Watch, expected, is_exact, pool, rows_in, shown, state_of
from test_lake_runs import current

import moviehouse
from moviehouse.errors import TargetError
from moviehouse.lake import append, ledger, tables
from moviehouse.lake.catalog import open_lake
from moviehouse.lake.ledger import Ledger, Reading, now
from moviehouse.lake.load import append_reading, publish
from moviehouse.model.lake import LOGIC

MODULES = ("moviehouse.lake.load", "moviehouse.lake.maintain", "pyiceberg.catalog.sql", "pyiceberg.catalog.rest",
           "pyiceberg.io.pyarrow", "pyiceberg.expressions.parser")  # fmt: skip
RUNS = {"anew": MODULES, "kept": (*MODULES, "runs_kept")}
"""What a fold does with the runs of earlier ones; of so few rows it writes all anew, if nothing else is said."""
TIME = datetime(2024, 1, 1)


pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def drops(tmp_path_factory):
    return pool(tmp_path_factory.mktemp("drops"), 6, seed=2)


def until_done(server: forks.Forks, chance: random.Random, lasts: float, *arguments: object) -> int:
    """Run a command, killed at a random moment now and then, until it ends by itself; how often it was killed."""
    killed = 0
    while True:
        after = chance.uniform(0.1, lasts) if killed < 2 and chance.random() < 0.6 else None
        done = server.run(*arguments, after=after)
        if done.status == 0:
            return killed
        assert done.status is None, done.stderr
        killed += 1


@pytest.mark.parametrize(("seed", "runs"), [(0, "anew"), (1, "kept"), (2, "kept")])
def test_two_loaders_and_upkeep_killed_at_random_moments_while_readers_poll(drops, tmp_path, seed, runs):
    lake, chance = str(tmp_path / "lake"), random.Random(seed)
    watch, stop = Watch(lake, drops), Event()

    def loader(number: int) -> int:
        own = random.Random(10 * seed + number)
        shuffled = own.sample(drops, len(drops))[:4] if number else drops
        own.shuffle(shuffled := list(shuffled))
        with forks.forks(modules=MODULES) as server:
            return sum(until_done(server, own, 2.0, "load", *drop.arguments, "--lake", lake, "-q") for drop in shuffled)

    def upkeep() -> int:
        killed = 0
        with forks.forks(modules=RUNS[runs]) as server:
            while not stop.wait(0.5):
                if Path(lake, "catalog.db").exists():
                    done = server.run(
                        "maintain", "--lake", lake, "-q", "--keep-days", "0", after=chance.uniform(0.2, 4)
                    )
                    assert done.status in (None, 0, 1), done.stderr
                    killed += done.status is None
        return killed

    with ThreadPoolExecutor(4) as threads:
        background = [threads.submit(upkeep), threads.submit(watch.poll, stop)]
        loaders = [threads.submit(loader, number) for number in range(2)]
        try:
            killed = sum(work.result() for work in loaders)
        finally:
            stop.set()
        killed += background[0].result()
        background[1].result()
    assert killed, "nothing was killed"
    assert watch.seen == sorted(watch.seen)
    assert state_of(lake) == expected(drops)
    is_exact(lake)
    releases = Ledger(open_lake(lake)).releases()
    assert [r.number for r in releases] == list(range(1, len(releases) + 1))
    assert sum(r.kind == "load" for r in releases) == len(drops)


def points(server: forks.Forks, *arguments: object) -> list[str]:
    done = server.run(*arguments, point=-1)
    assert done.status == 0, done.stderr
    return done.points


def commits(found: list[str]) -> list[int]:
    return [n for n, point in enumerate(found) if point.startswith("commit ")]


def test_a_kill_at_any_commit_of_a_load(drops, tmp_path):
    lake, drop = str(tmp_path / "lake"), max(drops[1:], key=lambda d: sum(map(len, d.rows.values())))
    with forks.forks(modules=MODULES) as server:
        command = ["load", *drop.arguments, "-q", "--threads", "1", "--lake"]
        assert server.run("load", *drops[0].arguments, "--lake", tmp_path / "counted", "-q").status == 0
        found = points(server, *command, tmp_path / "counted")
        assert found[-1] == "commit moviehouse.release"
        assert len(commits(found)) == sum(bool(rows) for rows in drop.rows.values()) + 1
        assert server.run("load", *drops[0].arguments, "--lake", lake, "-q").status == 0
        for place in commits(found)[::4]:
            for when in ("before", "after"):
                if place == len(found) - 1 and when == "after":
                    continue
                assert server.run(*command, lake, point=place, when=when).status is None
                assert shown(lake, drops) == [0]
        assert state_of(lake) == expected([drops[0]])
        killed = server.run(*command, lake, point=len(found) - 1, when="after")
        assert killed.status is None
        assert shown(lake, drops) == [0, drops.index(drop)]
        assert server.run(*command, lake).status == 0
        assert Ledger(open_lake(lake)).newest().number == 2
    want = expected([drops[0], drop])
    assert state_of(lake) == want
    dead = sum(len(counts) for counts in rows_in(lake).values())
    done = moviehouse.maintain(lake, grace_hours=0, keep_days=0)
    assert done.orphans
    assert sum(len(counts) for counts in rows_in(lake).values()) < dead
    assert {r for counts in rows_in(lake).values() for r in counts} == set(Ledger(open_lake(lake)).newest().visible)
    is_exact(lake)
    assert state_of(lake) == want
    again = moviehouse.maintain(lake, grace_hours=0, keep_days=0)
    assert (again.folded, again.compacted) == (0, [])


@pytest.mark.parametrize("runs", RUNS)
def test_a_kill_at_any_commit_of_upkeep(drops, tmp_path, runs):
    command = ["maintain", "-q", "--grace-hours", "0", "--keep-days", "0", "--lake"]

    def lake_at(name: str) -> str:
        lake = str(tmp_path / name)
        for drop in drops[:3]:
            if runs == "kept" and drop is drops[2]:
                assert server.run(*command, lake).status == 0
            moviehouse.load(drop.path, lake, observed_at=drop.observed_at, full=drop.full)
        return lake

    want = expected(drops[:3])
    with forks.forks(modules=RUNS[runs]) as server:
        found = commits(points(server, *command, lake_at("counted")))
        tables = ("movie", "cast_credit", "crew_credit", "rating")
        kept = any(len(current(str(tmp_path / "counted"), table)) > 1 for table in tables)
        assert kept == (runs == "kept")
        assert len(found) > 30
        lake = lake_at("lake")
        for place in found[:: len(found) // 5]:
            for when in ("before", "after"):
                server.run(*command, lake, point=place, when=when)
                assert shown(lake, drops) == [0, 1, 2]
            assert state_of(lake) == want
        assert server.run(*command, lake).status == 0
    assert state_of(lake) == want
    is_exact(lake)


def lossy(monkeypatch, lose: Callable[[int], str]) -> list[str]:
    """Have commits lose their answer: `lose` says "before" or "after" they took place, or nothing."""
    from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException
    from pyiceberg.table import Table

    real, done = Table._do_commit, []

    def commit(self, updates, requirements):
        what = lose(len(done))
        done.append(what)
        if what == "before":
            raise CommitStateUnknownException("lost")
        if what == "conflict":
            raise CommitFailedException("another one was first")
        real(self, updates, requirements)
        if what == "after":
            raise CommitStateUnknownException("lost")

    monkeypatch.setattr(Table, "_do_commit", commit)
    return done


def test_lost_answers_and_conflicts_lose_and_repeat_nothing(drops, lake, monkeypatch):
    chance = random.Random(5)
    with monkeypatch.context() as patched:
        done = lossy(patched, lambda _: chance.choice(["before", "after", "conflict", "", "", ""]))
        for drop in drops[:2]:
            moviehouse.load(drop.path, lake, observed_at=drop.observed_at, full=drop.full)
    assert {"before", "after", "conflict"} <= set(done)
    assert state_of(lake) == expected(drops[:2])
    is_exact(lake)
    assert [r.number for r in Ledger(open_lake(lake)).releases()] == [1, 2]


def test_a_loader_that_cannot_win_says_so_and_shows_nothing(drops, tmp_path, monkeypatch):
    lake = str(tmp_path / "lake")
    monkeypatch.setitem(tables.PROPERTIES, "commit.retry.num-retries", "1")
    moviehouse.load(drops[0].path, lake, observed_at=drops[0].observed_at, full=drops[0].full)
    monkeypatch.setattr(ledger, "PATIENCE", 0.2)
    monkeypatch.setattr(append, "PATIENCE", 0.2)
    with monkeypatch.context() as patched:
        lossy(patched, lambda _: "conflict")
        with pytest.raises(TargetError, match="Others kept writing") as caught:
            moviehouse.load(drops[1].path, lake, observed_at=drops[1].observed_at, full=drops[1].full)
    assert caught.value.retry
    assert Ledger(open_lake(lake)).newest().number == 1
    assert state_of(lake) == expected(drops[:1])


def test_upkeep_in_the_middle_of_a_load_does_it_no_harm(drops, lake):
    first, second, third = drops[:3]
    for drop in (first, second):
        moviehouse.load(drop.path, lake, observed_at=drop.observed_at, full=drop.full)
    opened = open_lake(lake)
    rows = {table: len(listed) for table, listed in third.rows.items() if listed}
    reading = Reading(
        f"{now():%Y%m%dT%H%M%SZ}-000001", third.drop_id, third.observed_at, LOGIC, third.full, rows=rows, begun_at=now()
    )
    pins = append_reading(opened, third.database, reading, "1GiB")
    moviehouse.maintain(lake, keep_days=0)
    assert state_of(lake) == expected([first, second])
    publish(Ledger(opened), reading, pins)
    assert state_of(lake) == expected([first, second, third])
    late = Reading(
        "20200101T000000Z-000001", "another", TIME, LOGIC, True, begun_at=now() - timedelta(hours=13)
    )  # a load that upkeep takes for dead may not end
    with pytest.raises(TargetError, match="took longer"):
        publish(Ledger(opened), late, {})
