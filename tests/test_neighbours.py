"""Several runs into one directory, readers that hold a release, and people who move things about."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest
import whole
from small import movies, write

import moviehouse
from moviehouse.errors import TargetError, UsageError
from moviehouse.steps.answer import find_release
from moviehouse.steps.target import LINKS


def started(source: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "moviehouse", str(source), "--out", str(out), "--threads", "1", *options],
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip


def ended(runs: list[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    return [(run.returncode, err) for run in runs for err in (run.communicate()[1],)]


def test_two_runs_at_once(tmp_path):
    """One wins; the other says so, or waits for its turn if it was told to."""
    source, out = write(tmp_path / "in"), tmp_path / "out"
    out.mkdir()
    for options, allowed in (((), {0, 4}), (("--wait", "120"), {0})):
        outcomes = ended([started(source, out, "-q", *options) for _ in range(2)])
        assert {status for status, _ in outcomes} <= allowed
        assert 0 in {status for status, _ in outcomes}
        for status, told in outcomes:
            assert status == 0 or told.startswith(f"moviehouse: Another run is writing to {out}.\n  Wait for it")
        seen = whole.look(out)
        assert (seen["flaws"], seen["hidden"], seen["failed"]) == ([], [".lock"], {})


def test_sixteen_runs_at_once(tmp_path):
    """Of different sources, half of them waiting: each release is of one run, and two are kept."""
    sources = [write(tmp_path / f"in-{n}", movies_metadata=movies(*[{}] * n)) for n in range(1, 17)]
    out = tmp_path / "out"
    outcomes = ended([started(s, out, "-q", *(("--wait", "300") if i % 2 else ())) for i, s in enumerate(sources)])
    assert {status for status, _ in outcomes[1::2]} == {0}
    assert {status for status, _ in outcomes} <= {0, 4}
    seen = whole.look(out)
    assert (seen["hidden"], seen["failed"]) == ([".lock"], {})
    assert len(seen["releases"]) == 2
    for name in seen["releases"]:
        assert whole.flaws(out / "releases" / name) == []


def test_waiting_says_so_and_ends(tmp_path):
    source, out = write(tmp_path / "in"), tmp_path / "out"
    out.mkdir()
    holder = subprocess.Popen(["flock", str(out / ".lock"), "cat"], stdin=subprocess.PIPE)
    while subprocess.run(["flock", "-n", str(out / ".lock"), "true"], check=False).returncode == 0:
        time.sleep(0.02)
    with pytest.raises(TargetError, match=r"Another run is writing to .* after 0\.3 seconds of waiting\.") as caught:
        moviehouse.build(source, out, wait=0.3)
    assert caught.value.retry
    waiting = started(source, out, "--wait", "60")
    opened = Path(f"/proc/{waiting.pid}/fd")
    while out / ".lock" not in [fd.readlink() for fd in opened.iterdir() if fd.is_symlink()]:
        time.sleep(0.02)
    time.sleep(1)
    holder.send_signal(signal.SIGKILL)  # whatever ends the holder frees the directory
    holder.wait()
    holder.stdin.close()
    _, told = waiting.communicate()
    assert waiting.returncode == 0
    assert told.startswith(f"wait for the other run that is writing to {out} (")


@pytest.mark.parametrize("wait", [-1, float("nan"), float("inf")])
def test_a_wait_that_is_no_time(tmp_path, wait):
    with pytest.raises(UsageError, match="--wait must be a number of seconds"):
        moviehouse.build(write(tmp_path / "in"), tmp_path / "out", wait=wait)


def test_a_killed_holder_frees_the_directory(tmp_path):
    source, out = write(tmp_path / "in"), tmp_path / "out"
    out.mkdir()
    run = started(source, out)
    run.stderr.readline()  # it is past its first step, so it holds the directory
    run.kill()
    run.wait()
    run.stderr.close()
    moviehouse.build(source, out)
    assert whole.look(out)["hidden"] == [".lock"]


def test_an_output_that_is_a_link(tmp_path):
    source, real, link = write(tmp_path / "in"), tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    release = moviehouse.build(source, link)
    assert release.out == link
    assert release.path.resolve() == find_release(real)
    assert whole.look(real)["flaws"] == []
    link.unlink()
    link.symlink_to(tmp_path / "nowhere")
    moviehouse.build(source, link)
    assert whole.look(tmp_path / "nowhere")["flaws"] == []


@pytest.mark.parametrize("name", ["current", "tables", "run.json", "releases", "failed"])
def test_what_a_person_put_in_the_way(tmp_path, name):
    """It is told before any work, and never touched."""
    source, out = write(tmp_path / "in"), tmp_path / "out"
    moviehouse.build(source, out)
    path = out / name
    if path.exists() or path.is_symlink():
        path.rename(tmp_path / "aside")
    if name in ("releases", "failed"):
        path.write_text("mine")
    else:
        path.mkdir()
        (path / "mine").write_text("mine")
    with pytest.raises(TargetError, match=rf"{path} is in the way: it is not") as caught:
        moviehouse.build(source, out)
    assert not caught.value.retry
    assert caught.value.log is None
    assert (path if path.is_file() else path / "mine").read_text() == "mine"
    assert {p.name for p in out.iterdir() if p.name.startswith(".")} == {".lock"}


def test_links_of_a_person_are_never_replaced(tmp_path):
    source, out = write(tmp_path / "in"), tmp_path / "out"
    out.mkdir()
    (out / "answers").symlink_to(tmp_path / "mine")
    with pytest.raises(TargetError, match="answers is in the way"):
        moviehouse.build(source, out)
    assert (out / "answers").readlink() == tmp_path / "mine"


def test_an_output_that_is_gone_in_the_middle(tmp_path):
    source, out = write(tmp_path / "in"), tmp_path / "out"
    moviehouse.build(source, out)
    run = started(source, out)
    run.stderr.readline()
    out.rename(tmp_path / "moved")
    _, told = run.communicate()
    assert run.returncode == 4, told
    assert f"moviehouse: Cannot write to {out}: " in told
    assert whole.look(tmp_path / "moved")["flaws"] == []


def test_a_reader_that_opened_a_release_keeps_it_whole(tmp_path):
    """All that is open stays readable while two releases come; below a resolved path, while one comes."""
    source, out = write(tmp_path / "in", movies_metadata=movies({}, {})), tmp_path / "out"
    first = moviehouse.build(source, out)
    pinned = (out / "current").resolve()
    with (
        duckdb.connect(str(out / "moviehouse.duckdb"), read_only=True) as con,
        (out / "tables" / "movie.parquet").open("rb") as file,
    ):
        write(source, movies_metadata=movies({}))
        moviehouse.build(source, out)
        assert whole.flaws(pinned) == []
        assert con.execute(f"SELECT count(*) FROM '{pinned}/tables/*.parquet'").fetchone() is not None
        moviehouse.build(source, out)
        assert not pinned.exists()
        assert con.execute("SELECT count(*) FROM movie").fetchone() == (2,)
        assert con.execute("SELECT count(*) FROM error_log").fetchone() == (first.run.rows["error_log"],)
        copy = tmp_path / "copy.parquet"
        copy.write_bytes(file.read())
        assert con.execute(f"SELECT count(*) FROM '{copy}'").fetchone() == (2,)


def test_our_readers_follow_the_link_once(tmp_path):
    source, out = write(tmp_path / "in"), tmp_path / "out"
    first = moviehouse.build(source, out)
    for place in (out, out / "current", first.path):
        assert find_release(place) == first.path.resolve()
    second = moviehouse.build(source, out)
    assert find_release(out) == second.path.resolve()
    assert find_release(first.path) == first.path.resolve()
    assert first.ask("genre_revenue_by_year").rows == ()  # the release before is kept
    for link in LINKS:
        assert (out / link).resolve().is_relative_to(second.path.resolve())
