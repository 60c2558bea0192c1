"""The disk full at any moment: exit 4, one sentence, the release before untouched, nothing left behind."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import disk
import forks
import pytest
import whole
from small import movies, write

import moviehouse
from moviehouse.errors import SourceError, TargetError
from moviehouse.steps.storage import reading, writing

FULL = re.compile(
    r"moviehouse: (The disk of \S+ is full: (no more files fit|[\d,]+ bytes are left)"
    r"(, the run has taken [\d,]+ bytes and needs more)?\.\n  Make room there, or give another --out\.|"
    r"Extracting takes [\d,]+ bytes; \S+ has [\d,]+ left, of which [\d,]+ must stay free\.\n"
    r"  Make room, or give another --out\.)\n"
    r"  Trying again can help\.\n(  Log: \S+\n)?"
)

needs_mount = pytest.mark.skipif(not disk.may_mount(), reason="no user namespaces here; root needs none")


@pytest.fixture
def small(tmp_path):
    with disk.small_disk(tmp_path / "disk") as made:
        yield made


def failing_steps(small: disk.SmallDisk, source: Path, rooms: list[dict[str, int]]) -> list[str | None]:
    """Run with so much room each; gives the step in which each failed, None for one that published."""
    server, out = small.server, small.path / "out"
    found: list[str | None] = []
    for room in rooms:
        small.room()
        server.shell("rm", "-rf", out / "failed")
        before = server.call("whole:look", str(out))
        small.room(**room)
        run = server.run(source, "--out", out, "-q", "--threads", 1)
        after = server.call("whole:look", str(out))
        assert after["flaws"] == []
        assert after["hidden"] == [".lock"], room
        if run.status == 0:
            assert after["current"] != before["current"]
            found.append(None)
            continue
        assert run.status == 4, (room, run.stderr)
        assert FULL.fullmatch(run.stderr), (room, run.stderr)
        assert {k: after[k] for k in ("current", "sha256", "releases")} == {
            k: before[k] for k in ("current", "sha256", "releases")
        }
        assert ("Log:" in run.stderr) == bool(after["failed"])
        step = "before any"
        for log in after["failed"].values():
            assert log["last"]["reason"] == "target_unwritable"
            assert log["last"]["message"] in run.stderr.replace("\n  ", " ")
            step = log["steps"][-1]
            if step in ("conform", "check"):
                assert log["lines"] > 1, ("what was known by then is kept", room)
        found.append(step)
    return found


@pytest.mark.long
@needs_mount
@pytest.mark.parametrize("modules", [(), ("held",)], ids=["held in memory", "held in a file"])
def test_a_disk_that_fills_up_in_any_step(tmp_path, modules):
    with disk.small_disk(tmp_path / "disk", *modules) as small:
        _fill_up_in_any_step(small, tmp_path)


def _fill_up_in_any_step(small, tmp_path):
    made = moviehouse.sample(tmp_path / "s.zip", movies=600, ratings=1000, seed=2)
    assert small.server.run(made.path, "--out", small.path / "out", "-q").status == 0
    order = ["before any", "extract", "read", "conform", "check", None]

    def reached(kilobytes: int) -> int:
        return order.index(failing_steps(small, made.path, [{"kilobytes": kilobytes}])[0])

    rooms = [0, 20, 500, 1000, 2000, 3000, 4000, 5000, 7000, 9000, 11_000, 14_000, 20_000, 30_000]
    steps = [reached(room) for room in rooms]
    assert steps == sorted(steps), ("more room, further on", steps)
    assert steps[-1] == len(order) - 1
    # What a step takes differs between machines: one that is skipped here is looked for between the rooms around it.
    for step in range(order.index("conform") + 1):
        low = max(room for room, at in zip(rooms, steps, strict=True) if at <= step)
        high = min(room for room, at in zip(rooms, steps, strict=True) if at >= step)
        while low < high and (at := reached(middle := (low + high) // 2)) != step:
            assert high - low > 8, (order[step], steps)
            low, high = (middle, high) if at < step else (low, middle)


@pytest.mark.long
@needs_mount
def test_a_disk_that_takes_no_more_files_down_to_the_link(small, tmp_path):
    """Each file, directory and link that a run makes is the one that does not fit any more."""
    source = write(tmp_path / "in", movies_metadata=movies({}))
    out = small.path / "out"
    assert small.server.run(source, "--out", out, "-q").status == 0
    release = len(small.server.call("disk:listed", str(out / "current")))
    assert failing_steps(small, source, [{"files": n} for n in (0, 1)]) == ["before any"] * 2
    assert failing_steps(small, source, [{"files": n} for n in (5, 20)]) == ["read", "check"]
    edge = next(n for n in range(release, release + 10) if failing_steps(small, source, [{"files": n}]) == [None])
    small.room(files=edge - 1)
    run = small.server.run(source, "--out", out, "-q", "--debug")
    assert run.status == 4
    assert ".current.new" in run.stderr, "the link that would be current is the last that has to fit"
    seen = small.server.call("whole:look", str(out))
    assert (seen["flaws"], seen["hidden"]) == ([], [".lock"])
    assert len(seen["releases"]) == 2


@needs_mount
def test_what_duckdb_spills_to_a_full_disk(small):
    small.room(kilobytes=4000)
    told = small.server.call("disk:spill", str(small.path))
    assert told.startswith("TargetError: The disk of ")


@needs_mount
def test_a_file_system_that_is_read_only(small, tmp_path):
    source = write(tmp_path / "in")
    out = small.path / "out"
    assert small.server.run(source, "--out", out, "-q").status == 0
    small.server.shell("mount", "-o", "remount,ro", "tmpfs", small.path)
    for place in (out, small.path / "new"):
        run = small.server.run(source, "--out", place, "-q")
        assert run.status == 4
        assert run.stderr == f"moviehouse: {place} is on a file system that is read-only.\n  Give another --out.\n"
    assert small.server.call("whole:look", str(out))["flaws"] == []
    asked = small.server.run("ask", "genre-revenue-by-year", "--release", out)
    assert asked.status == 0, "asking writes nothing"


@pytest.mark.long
@pytest.mark.parametrize("limit", [1000, 12 << 10, 200 << 10, 1 << 20])
def test_a_file_that_may_not_grow(tmp_path, limit):
    """ulimit -f, which needs no privilege: every write of any step can hit it."""
    made = moviehouse.sample(tmp_path / "s.zip", movies=60, ratings=30_000, seed=2)
    out = tmp_path / "out"
    good = moviehouse.build(made.path, out)
    run = subprocess.run(
        [sys.executable, "-m", "moviehouse", str(made.path), "--out", str(out), "-q"], check=False,
        capture_output=True, text=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert run.returncode == 4, run.stderr
    assert run.stderr.startswith(f"moviehouse: A file in {out} would be larger than the process or the file system")
    seen = whole.look(out)
    assert (seen["current"], seen["flaws"], seen["hidden"]) == (good.path.name, [], [".lock"])


@pytest.mark.parametrize("error", ["python", "duckdb"])
def test_a_source_that_cannot_be_read_is_not_the_output(tmp_path, error):
    import duckdb

    lost = tmp_path / "in" / "ratings.csv"
    with pytest.raises(SourceError, match=rf"{lost} cannot be read: "), reading():  # noqa: SIM117
        with writing(tmp_path / "out"):
            if error == "python":
                lost.open()
            else:
                duckdb.connect().execute(f"SELECT * FROM read_csv('{lost}')")


def test_a_member_that_vanishes_while_a_run_reads_it(tmp_path):
    """From outside, with a real run: the source's directory loses a file after it was looked at."""
    source = write(tmp_path / "in", movies_metadata=movies({}), ratings=b"userId,movieId,rating,timestamp\n1,1,4.0,9\n")
    with forks.forks() as server:
        run = server.call("disk:losing", str(source), str(tmp_path / "out"))
    assert run["status"] == 1
    assert f"{source / 'ratings.csv'} cannot be read" in run["stderr"]


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can become somebody else")
def test_an_output_without_permission():
    # The usual directories for temporary files may be closed to others, as pytest's own are.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, forks.forks() as server:
        Path(folder).chmod(0o755)
        source, out = write(Path(folder) / "in"), Path(folder) / "out"
        out.mkdir()
        run = server.call("disk:as_nobody", str(source), str(out))
        assert run["status"] == 4
        assert run["stderr"].startswith(
            f"moviehouse: Cannot write to {out}: {out}/.lock: Permission denied.\n  Get the"
        )
        # A lock that another user made in a shared directory can be held all the same.
        out.chmod(0o777)
        (out / ".lock").touch(0o644)
        run = server.call("disk:as_nobody", str(source), str(out))
        assert run["stderr"] == ""
        assert run["status"] == 0
        (out / ".lock").chmod(0o600)
        run = server.call("disk:as_nobody", str(source), str(out))
        assert run["status"] == 4
        assert f"{out}/.lock: Permission denied" in run["stderr"]
        # Nor can what lies in a directory that may not be entered even be looked at.
        out.chmod(0o700)
        run = server.call("disk:as_nobody", str(source), str(out / "below"))
        assert run["status"] == 4
        assert run["stderr"].startswith(f"moviehouse: Cannot write to {out}/below: {out}/below: Permission denied.")


def test_an_error_that_names_no_file_is_not_guessed(tmp_path):
    with pytest.raises(OSError, match="Input/output error"), reading(), writing(tmp_path):
        raise OSError(5, "Input/output error")
    with pytest.raises(TargetError, match="is full"), writing(tmp_path):
        raise OSError(28, "No space left on device")
