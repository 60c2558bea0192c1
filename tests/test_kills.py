"""SIGKILL at every point of publishing and at random moments, while readers poll."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import forks
import pytest
import whole
from small import movies, write

from moviehouse.steps.target import LINKS

SHARDS = 4
MOMENTS = 200
VERIFIED: dict[Path, list[tuple[str, int, int]]] = {}
PAYING = {"budget": "5", "revenue": "9", "genres": "[{'id': 18, 'name': 'Drama'}]"}
RATINGS = b"userId,movieId,rating,timestamp\n1,1,4.0,1260759144\n"


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> list[Path]:
    """Two sources that differ in every count, so that a mixture of two releases shows."""
    folder = tmp_path_factory.mktemp("sources")
    return [
        write(folder / "one", movies_metadata=movies(PAYING, {"budget": "oops"})),
        write(folder / "other", movies_metadata=movies(PAYING, PAYING, {}), ratings_small=RATINGS),
    ]


@contextmanager
def watched(out: Path) -> Iterator[list[str]]:
    """Readers in another process poll all the while; gives where to note which runs may have been current."""
    allowed: list[str] = []
    readers = subprocess.Popen(
        [sys.executable, whole.__file__, str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield allowed
    finally:
        told, _ = readers.communicate()
    for reader in json.loads(told):
        assert reader["wrong"] == [], reader
        assert reader["polls"] >= 10
        # Each release once, in the order of publishing: never the new one, the old one, the new one.
        order = [allowed.index(run) for run in reader["runs"]]
        assert order == sorted(set(order)), reader


def run_of(points: list[str]) -> str | None:
    """The run's id, from the points that it passed."""
    return next((p.rpartition("/.staging-")[2].split("/")[0] for p in points if "/.staging-" in p), None)


def is_sound(out: Path, before: str | None, run: str | None) -> str | None:
    """After a kill all releases are whole, the killed run's or the one before is current; gives its id."""
    now = whole.current(out)
    assert now in (before, run)
    kept = out / "releases"
    folders = list(kept.iterdir()) if kept.exists() else []
    assert now is None or kept / now in folders
    for folder in folders:
        files = sorted((str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in folder.rglob("*"))
        if VERIFIED.get(folder) != files:
            assert whole.flaws(folder) == []
            VERIFIED[folder] = files
    return now


def instants(points: list[str]) -> list[tuple[int, str]]:
    """Before and after every point; after a staged file's fsync is before the next one's: one instant."""
    found = [(n, when) for n in range(len(points)) for when in ("before", "after")]
    staged = [p.startswith("fsync") and "/.staging-" in p for p in points]
    return [(n, when) for n, when in found if when == "after" or not (n and staged[n] and staged[n - 1])]


def succeeds(server: forks.Forks, source: Path, out: Path) -> str:
    """A run after kills publishes, and leaves nothing but what belongs there."""
    run = server.run(source, "--out", out, "-q", "--threads", 1)
    assert run.status == 0, run.stderr
    seen = whole.look(out)
    assert seen["flaws"] == []
    assert seen["hidden"] == [".lock"]
    assert seen["current"] in seen["releases"]
    assert len(seen["releases"]) <= 2
    return str(seen["current"])


def points_of(server: forks.Forks, source: Path, out: Path) -> list[str]:
    run = server.run(source, "--out", out, "-q", "--threads", 1)
    assert run.status == 0, run.stderr
    return run.points


@pytest.mark.long
@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_kill_at_any_point_of_publishing_over_a_release(sources, tmp_path, shard):
    """Each run clears what the kill before it left, and is killed itself one point further."""
    out = tmp_path / "out"
    with forks.forks() as server:
        first = server.run(sources[0], "--out", out, "-q", "--threads", 1)
        points = points_of(server, sources[0], out)
        kinds = [p.split(" ")[0] for p in points]
        assert first.status == 0
        assert kinds.count("fsync") > 40
        assert len(points) == kinds.count("fsync") + 3
        assert kinds[-6:] == ["symlink", "fsync", "rename", "fsync", "rename", "fsync"]
        flip = (len(points) - 2, "after")
        now = whole.current(out)
        with watched(out) as allowed:
            allowed.append(now)
            for i, (n, when) in enumerate(instants(points)[shard::SHARDS]):
                killed = server.run(sources[i % 2], "--out", out, "-q", "--threads", 1, point=n, when=when)
                assert killed.status is None, "the point was missed"
                run = run_of(killed.points)
                flipped = is_sound(out, now, run) == run
                assert flipped == (n > flip[0] or (n, when) == flip)
                if flipped:
                    allowed.append(now := run)
                if i % 8 == 7 or n >= flip[0] - 4:  # else clearing would be a point of the next run
                    allowed.append(now := succeeds(server, sources[i % 2], out))


@pytest.mark.long
def test_a_kill_at_any_point_of_dropping_an_old_release(sources, tmp_path):
    """The release before the one before goes by a rename, then file by file."""
    out = tmp_path / "out"
    with forks.forks() as server:
        for source in (*sources, sources[0]):
            before = succeeds(server, source, out)
        points = points_of(server, sources[0], out)
        assert points[-1].split(" ")[0] == "rename"
        assert "/.dropped-" in points[-1]
        for when in ("before", "after"):
            before = whole.current(out)
            killed = server.run(sources[1], "--out", out, "-q", "--threads", 1, point=len(points) - 1, when=when)
            assert killed.status is None
            assert is_sound(out, before, run_of(killed.points)) != before
            seen = whole.look(out)
            assert before in seen["releases"]
            assert len(seen["releases"]) == (3 if when == "before" else 2)
            succeeds(server, sources[0], out)


@pytest.mark.long
def test_a_kill_at_any_point_of_the_first_publication(sources, tmp_path):
    with forks.forks() as server:
        points = points_of(server, sources[0], tmp_path / "counted")
        own = [n for n, p in enumerate(points) if not p.startswith("fsync") or "/.staging-" not in p]
        assert len(own) == len(LINKS) * 2 + 7  # the links, and what is done for any release
        # No step between two of these points touches a file: before one is after the one before it.
        for i, (n, when) in enumerate([(own[0], "before"), *((n, "after") for n in own)]):
            out = tmp_path / f"out-{n}-{when}"
            killed = server.run(sources[0], "--out", out, "-q", "--threads", 1, point=n, when=when)
            assert killed.status is None
            now = is_sound(out, None, run_of(killed.points))
            assert (now is not None) == (n >= own[-2])
            if i % 4 == 3 or n >= own[-4]:
                succeeds(server, sources[1], out)


@pytest.mark.long
@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_kill_at_any_moment_of_a_run(sources, tmp_path, shard):
    out = tmp_path / "out"
    chance = random.Random(20 + shard)
    with forks.forks() as server:
        lasts = [server.run(source, "--out", out, "-q", "--threads", 1).seconds for source in sources]
        now = whole.current(out)
        with watched(out) as allowed:
            allowed.append(now)
            hit = 0
            for i in range(MOMENTS // SHARDS):
                delay = chance.uniform(0, lasts[i % 2])
                killed = server.run(sources[i % 2], "--out", out, "-q", "--threads", 1, after=delay)
                assert killed.status in (None, 0), killed.stderr
                hit += killed.status is None
                # The machine's pace changes: a run that was over before its moment tells how long one takes now.
                lasts[i % 2] = lasts[i % 2] * 1.02 if killed.status is None else killed.seconds
                if (current := is_sound(out, now, run_of(killed.points))) != now:
                    allowed.append(now := current)
                if i % 10 == 9:
                    allowed.append(now := succeeds(server, sources[i % 2], out))
            assert hit > MOMENTS // SHARDS * 0.6, "most kills must hit a run under way"


@pytest.mark.long
def test_a_signal_at_any_point_of_publishing_over_a_release(sources, tmp_path):
    """One that can be caught leaves nothing to the next run; after the flip it is too late to stop anything."""
    out = tmp_path / "out"
    with forks.forks() as server:
        succeeds(server, sources[0], out)
        points = points_of(server, sources[0], out)
        for n in range(len(points) - 6, len(points)):
            now = whole.current(out)
            run = server.run(sources[1], "--out", out, "--threads", 1, point=n, when="after", by=signal.SIGTERM)
            seen = whole.look(out)
            assert (seen["flaws"], seen["hidden"], len(seen["releases"])) == ([], [".lock"], 2)
            if n >= len(points) - 2:
                assert (run.status, seen["current"]) == (0, run_of(run.points))
            else:
                assert (run.status, seen["current"]) == (143, now)
                assert run.stderr.endswith("moviehouse: stopped; nothing was published.\n")
                assert seen["failed"][run_of(run.points)]["last"]["reason"] == "stopped"


def test_a_killed_command_in_a_process_of_its_own(sources, tmp_path):
    """The same with the whole command, started as people start it."""
    out, log = tmp_path / "out", tmp_path / "points"

    def command(point: int, when: str) -> int:
        arguments = [str(sources[0]), "--out", str(out), "-q"]
        done = subprocess.run([sys.executable, forks.__file__, str(point), when, str(log), *arguments], check=False)
        return done.returncode

    assert command(-1, "before") == 0
    log.unlink()
    assert command(-1, "before") == 0
    points, now = log.read_text().splitlines(), whole.current(out)
    flip = max(n for n, p in enumerate(points) if p.endswith("/current"))
    assert command(flip, "before") == -signal.SIGKILL
    assert whole.current(out) == now
    assert (out / ".current.new").readlink().name in whole.look(out)["releases"]
    assert command(-1, "before") == 0
    now = whole.current(out)
    assert command(flip, "after") == -signal.SIGKILL
    assert whole.current(out) != now
    assert whole.look(out)["flaws"] == []
    assert command(-1, "before") == 0
    assert whole.look(out)["hidden"] == [".lock"]
