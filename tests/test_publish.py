"""Publishing: one atomic step, the release before kept, a failed run's log left."""

import fcntl
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import duckdb
import pytest
from small import built, movies, told, write

import moviehouse
from moviehouse import pipeline
from moviehouse.errors import GateError, SourceError, TargetError
from moviehouse.model.tables import TABLES
from moviehouse.steps import check


def releases(out: Path) -> list[str]:
    return sorted(p.name for p in (out / "releases").iterdir())


def hidden(out: Path) -> set[str]:
    return {p.name for p in out.iterdir() if p.name.startswith(".")}


def test_the_release_before_is_kept_and_older_ones_go(tmp_path):
    folder, out = write(tmp_path / "in"), tmp_path / "out"
    made = [moviehouse.build(str(folder), out) for _ in range(3)]
    assert releases(out) == sorted(r.path.name for r in made[1:])
    assert (out / "current").readlink() == Path("releases") / made[2].path.name
    assert json.loads((out / "run.json").read_text())["run_id"] == made[2].run.run_id
    assert hidden(out) == {".lock"}


def test_what_was_current_is_kept_even_after_a_step_back_and_a_kill(tmp_path):
    folder, out = write(tmp_path / "in"), tmp_path / "out"
    good, bad = (moviehouse.build(str(folder), out) for _ in range(2))
    (out / "current").unlink()
    (out / "current").symlink_to(Path("releases") / good.path.name)
    (out / "releases" / "99991231T000000Z-never-current").mkdir()
    new = moviehouse.build(str(folder), out)
    assert releases(out) == sorted([good.path.name, new.path.name])
    assert not bad.path.exists()


def test_a_reader_that_opened_a_release_keeps_reading_it(tmp_path):
    folder, out = write(tmp_path / "in"), tmp_path / "out"
    moviehouse.build(str(folder), out)
    with duckdb.connect(str(out / "moviehouse.duckdb"), read_only=True) as con:
        write(folder, movies_metadata=movies({}, {}))
        for _ in range(3):
            moviehouse.build(str(folder), out)
        assert con.execute("SELECT count(*) FROM movie").fetchone() == (1,)
    with duckdb.connect(str(out / "moviehouse.duckdb"), read_only=True) as con:
        assert con.execute("SELECT count(*) FROM movie").fetchone() == (2,)


def test_the_database_opens_from_anywhere(tmp_path, monkeypatch):
    release = moviehouse.build(str(write(tmp_path / "in")), tmp_path / "out")
    moved = release.database.rename(tmp_path / "moved.duckdb")
    monkeypatch.chdir("/")
    with duckdb.connect(str(moved), read_only=True) as con:
        assert con.execute("SELECT title FROM movie").fetchall() == [("A",)]
        assert con.execute("SELECT year FROM genre_revenue_by_year").fetchall() == []


def test_a_broken_source_leaves_the_release_and_a_log(tmp_path):
    folder, out = write(tmp_path / "in"), tmp_path / "out"
    good = moviehouse.build(str(folder), out)
    (folder / "links.csv").write_bytes(b"movieId\n1\n")
    with pytest.raises(SourceError):
        moviehouse.build(str(folder), out)
    assert (out / "current").resolve() == good.path.resolve()
    (failed,) = (out / "failed").iterdir()
    lines = [json.loads(x) for x in (failed / "errors.jsonl").read_text().splitlines()]
    assert lines[-1]["reason"] == "source_unusable"
    assert "required column tmdbId is missing" in lines[-1]["message"]
    assert json.loads((failed / "run.json").read_text())["status"] == "failed"
    assert hidden(out) == {".lock"}


def test_a_failed_run_keeps_the_lines_it_had_gathered(tmp_path):
    folder = write(tmp_path / "in", movies_metadata=movies({"budget": "oops"}), links=b"movieId\n1\n")
    with pytest.raises(SourceError):
        moviehouse.build(str(folder), tmp_path / "out")
    (failed,) = (tmp_path / "out" / "failed").iterdir()
    reasons = [json.loads(x)["reason"] for x in (failed / "errors.jsonl").read_text().splitlines()]
    assert "invalid_integer" in reasons
    assert reasons[-1] == "source_unusable"


def test_a_failed_gate_publishes_nothing_and_names_the_rows(tmp_path, monkeypatch):
    gates = (
        *check.checks(),
        check.Check("impossible", "No movie is called A.", "SELECT movie_id FROM movie WHERE title = 'A'"),
    )
    monkeypatch.setattr(check, "checks", lambda: gates)
    out = tmp_path / "out"
    with pytest.raises(GateError, match=r"1 quality gate\(s\) failed: impossible \(1 offending row\)"):
        moviehouse.build(str(write(tmp_path / "in")), out)
    assert not (out / "current").exists()
    (failed,) = (out / "failed").iterdir()
    last = json.loads((failed / "errors.jsonl").read_text().splitlines()[-1])
    assert (last["reason"], last["value"]) == ("gate_failed", "(1,)")


def test_a_bug_leaves_its_traceback_in_the_log(tmp_path, monkeypatch):
    def explode(_: object) -> None:
        raise ZeroDivisionError("boom")

    steps = tuple((n, explode if n == "conform" else s) for n, s in pipeline.READING)
    monkeypatch.setattr(pipeline, "READING", steps)
    with pytest.raises(ZeroDivisionError):
        moviehouse.build(str(write(tmp_path / "in")), tmp_path / "out")
    (failed,) = (tmp_path / "out" / "failed").iterdir()
    last = json.loads((failed / "errors.jsonl").read_text().splitlines()[-1])
    assert last["reason"] == "bug"
    assert last["value"].rstrip().endswith("ZeroDivisionError: boom")


def test_two_runs_into_one_directory_do_not_mix(tmp_path):
    folder, out = write(tmp_path / "in"), tmp_path / "out"
    out.mkdir()
    with (out / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(TargetError, match="Another run is writing to") as caught:
            moviehouse.build(str(folder), out)
    assert caught.value.retry
    moviehouse.build(str(folder), out)


@pytest.mark.parametrize(
    "place", ["/proc/moviehouse", "/proc/moviehouse/out", "/dev/null/out", "{}/in.csv/out", "{}/" + "a" * 300]
)
def test_what_can_be_no_output_is_not_worth_another_try(tmp_path, place):
    (tmp_path / "in.csv").touch()
    with pytest.raises(TargetError) as caught:
        moviehouse.build(write(tmp_path / "in"), place.format(tmp_path))
    assert not caught.value.retry
    assert caught.value.hint == "Give another --out."


def test_scratch_of_a_killed_run_is_cleared(tmp_path):
    out = tmp_path / "out"
    (out / ".staging-old" / "tables").mkdir(parents=True)
    (out / ".work-old").mkdir()
    moviehouse.build(str(write(tmp_path / "in")), out)
    assert hidden(out) == {".lock"}


def test_files_in_the_way_are_never_replaced(tmp_path):
    out = tmp_path / "out"
    (out / "tables").mkdir(parents=True)
    (out / "tables" / "mine.txt").write_text("mine")
    with pytest.raises(TargetError, match="in the way"):
        moviehouse.build(str(write(tmp_path / "in")), out)
    assert (out / "tables" / "mine.txt").read_text() == "mine"
    assert not (out / "current").exists()


def test_an_output_that_is_a_file(tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(TargetError, match="is a file, not a directory"):
        moviehouse.build(str(write(tmp_path / "in")), tmp_path / "out")


def test_a_kill_leaves_the_release_before(tmp_path):
    """SIGKILL in the middle of a run, from outside; the next run cleans up and succeeds."""
    made = moviehouse.sample(tmp_path / "s.zip", movies=3000, ratings=200_000, seed=3)
    out = tmp_path / "out"
    good = moviehouse.build(str(made.path), out)
    run = subprocess.Popen(
        [sys.executable, "-m", "moviehouse", str(made.path), "--out", str(out)],
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    for line in run.stderr:
        if line.startswith("conform"):
            run.kill()
            break
    run.wait()
    run.stderr.close()
    assert (out / "current").resolve() == good.path.resolve()
    assert any(n.startswith(".staging-") for n in hidden(out))
    moviehouse.build(str(made.path), out)
    assert hidden(out) == {".lock"}


@pytest.mark.parametrize("broken", [b"", b"no zip at all", b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_zip_is_one_clear_sentence(tmp_path, broken):
    path = tmp_path / "broken.zip"
    path.write_bytes(broken)
    with pytest.raises(SourceError, match=r"broken\.zip (is empty|is not a zip archive|has no movies_metadata)"):
        moviehouse.build(str(path), tmp_path / "out")


def test_a_damaged_member_is_noticed(tmp_path):
    folder = write(tmp_path / "in")
    path = tmp_path / "d.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "movies_metadata.csv", "movies_metadata.csv")
    raw = bytearray(path.read_bytes())
    raw[60] ^= 0xFF
    path.write_bytes(raw)
    with pytest.raises(SourceError, match="damaged|movies_metadata"):
        moviehouse.build(str(path), tmp_path / "out")


def test_members_that_are_unknown_or_missing_are_reported(tmp_path):
    result = built(write(tmp_path / "in", notes=b"hello"))
    assert told(result, "severity", "reason", "file", "line") == [("warning", "unknown_file", "notes.csv", None)]
    assert result.run.ignored_files == ["notes.csv"]
    assert len(result.run.missing_files) == 6
    assert result.run.rows["rating"] == 0


def test_every_table_is_written_even_when_empty(tmp_path):
    result = built(write(tmp_path / "in"))
    assert {p.stem for p in (result.release.path / "tables").iterdir()} == {t.name for t in TABLES}
