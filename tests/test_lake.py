"""The lake: drops in any order, any number of times, and what its readers see."""

import json
import random
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import small
from conftest import first
from lake_pool import expected, pool, put, state_of

import moviehouse
from moviehouse.errors import GateError, SourceError, TargetError, UsageError
from moviehouse.lake import load as loads
from moviehouse.lake.catalog import open_lake
from moviehouse.lake.ledger import Ledger
from moviehouse.lake.read import reading_lake
from moviehouse.lake.tables import present
from moviehouse.model.lake import LAKE_TABLES, LOGIC
from moviehouse.sql import QUESTIONS
from moviehouse.steps.query import querying

TIME = datetime(2024, 1, 1)
SEQUENCES = {"directory": 20, "rest": 4}


@pytest.fixture(scope="module")
def drops(tmp_path_factory):
    return pool(tmp_path_factory.mktemp("drops"), 7)


def set_of(drops):
    return list({drop.drop_id: drop for drop in drops}.values())


@pytest.mark.parametrize(
    ("lake", "seed"),
    [one for kind, count in SEQUENCES.items() for one in first((kind, seed) for seed in range(count))],
    indirect=["lake"],
)
def test_any_order_any_number_of_times_and_upkeep_at_any_moment(drops, lake, seed):
    rng = random.Random(seed)
    chosen = rng.sample(drops, rng.randint(2, 4))
    sequence = chosen + rng.choices(chosen, k=1)
    rng.shuffle(sequence)
    upkeep = rng.randrange(1, len(sequence) + 1)
    for number, drop in enumerate(sequence, 1):
        put(lake, drop, number)
        if number == upkeep:
            done = moviehouse.maintain(lake, grace_hours=rng.choice([0, 24]), keep_days=rng.choice([0, 7]))
            assert done.folded == len({d.drop_id for d in sequence[:number]})
            if seed % 4 == 0:
                assert state_of(lake) == expected(set_of(sequence[:number]))
    assert state_of(lake) == expected(chosen)
    assert Ledger(open_lake(lake)).newest().number == len(chosen) + 1


def test_the_answers_are_those_of_a_build(lake, tmp_path):
    sample = moviehouse.sample(tmp_path / "sample.zip", movies=200, ratings=500)
    release = moviehouse.build(sample.path, tmp_path / "out", report=False)
    loaded = moviehouse.load(sample.path, lake, max_rejects=0.2)
    assert (loaded.status, loaded.release, loaded.conflicts) == ("loaded", 1, 0)
    assert loaded.reading.read == loaded.reading.loaded + loaded.reading.merged + loaded.reading.rejected
    written = datetime.fromtimestamp(int(sample.path.stat().st_mtime), UTC)
    assert loaded.reading.observed_at == written.replace(tzinfo=None)
    for folded in (1, 0):
        with reading_lake(lake, QUESTIONS) as place:
            for question in QUESTIONS:
                rows = moviehouse.ask(question, place).rows
                assert rows
                assert rows == release.ask(question).rows
        assert moviehouse.maintain(lake).folded == folded
    assert moviehouse.ask(QUESTIONS[0], lake=lake).rows == release.ask(QUESTIONS[0]).rows
    traced = moviehouse.trace("genre_revenue_by_year", lake=lake, genre="Drama")
    built = release.trace("genre_revenue_by_year", genre="Drama")
    assert traced.adds_up
    assert [c.measures for c in traced.cells] == [c.measures for c in built.cells]
    movie = traced.cells[0].movies[0]
    assert movie.source_file.startswith(f"movies_metadata.csv of {sample.path} (")
    assert [m.source_line for m in traced.cells[0].movies] == [m.source_line for m in built.cells[0].movies]


@pytest.mark.long
def test_hourly_drops_late_repeated_and_broken_ones(tmp_path):
    """As they are delivered, and the other way round without the broken ones: the same state."""
    made = moviehouse.sample_drops(tmp_path / "drops", drops=7, movies=40, ratings=100, seed=3)
    lines = [json.loads(line) for line in made.manifest.read_text().splitlines()]
    assert {"late", "broken"} <= {kind for line in lines for kind in ("late", "broken") if line[kind]}
    delivered, backwards = tmp_path / "delivered", tmp_path / "backwards"
    for line in lines:
        path = made.path / line["file"]
        if line["broken"]:
            with pytest.raises(SourceError):
                moviehouse.load(path, delivered, full=line["full"])
            continue
        loaded = moviehouse.load(path, delivered, full=line["full"])  # observed when the file was written
        assert loaded.reading.observed_at == datetime.fromisoformat(line["observed_at"]).replace(tzinfo=None)
        assert (loaded.status == "already") == line["repeated"]
    for line in reversed(lines):
        if not line["broken"]:
            moviehouse.load(made.path / line["file"], backwards, full=line["full"])
    assert state_of(str(delivered)) == state_of(str(backwards))
    assert len(Ledger(open_lake(str(delivered))).noted()) == sum(bool(line["broken"]) for line in lines)


def test_loading_again_changes_nothing(lake, drops):
    first = moviehouse.load(drops[0].path, lake, observed_at=drops[0].observed_at, full=drops[0].full)
    tables = {t.name: present(open_lake(lake), t.name) for t in LAKE_TABLES}
    again = moviehouse.load(drops[0].path, lake, observed_at=drops[0].observed_at, full=drops[0].full)
    assert (again.status, again.release, again.reading) == ("already", 1, first.reading)
    assert "read" not in again.run.seconds, "it was read before the ledger was asked"
    for name, table in tables.items():
        now_ = present(open_lake(lake), name)
        assert (now_ and now_.current_snapshot()) == (table and table.current_snapshot())
    # The same bytes observed later are another drop.
    later = moviehouse.load(drops[0].path, lake, observed_at=TIME + timedelta(days=1), full=drops[0].full)
    assert (later.status, later.release) == ("loaded", 2)


@pytest.mark.long
def test_a_past_release_can_be_read_also_once_its_snapshots_are_gone(lake, drops):
    states, times = [], []
    for number, drop in enumerate(drops[:3]):
        put(lake, drop, number)
        states.append(expected(drops[: number + 1]))
        times.append(Ledger(open_lake(lake)).newest().created_at)
    assert [state_of(lake, as_of=time) for time in times] == states
    assert moviehouse.maintain(lake, keep_days=0, grace_hours=0).expired
    assert [state_of(lake, as_of=time) for time in times] == states
    with pytest.raises(SourceError, match="had no release yet at"):
        moviehouse.ask("genre_revenue_by_year", lake=lake, as_of=times[0] - timedelta(seconds=1))


@pytest.mark.long
def test_newer_logic_supersedes_a_reading_also_a_folded_one(lake, drops):
    put(lake, drops[0], 0)
    put(lake, drops[1], 1)
    moviehouse.maintain(lake)
    # The newer logic reads of the first drop what is in the third.
    newer = replace(drops[2], drop_id=drops[0].drop_id, observed_at=drops[0].observed_at, full=drops[0].full)
    put(lake, newer, 2, logic=LOGIC + 1)
    for table in newer.rows.values():
        for row in table:
            row["drop_id"], row["observed_at"] = newer.drop_id, newer.observed_at
    want = expected([newer, drops[1]])
    assert state_of(lake) == want
    assert moviehouse.maintain(lake).folded
    assert state_of(lake) == want


@pytest.mark.long
def test_a_column_that_the_model_has_got_appears_by_itself(lake, drops):
    put(lake, drops[0], 0)
    table = present(open_lake(lake), "movie")
    with table.update_schema(allow_incompatible_changes=True) as update:
        update.delete_column("tagline")
        update.delete_column("title")
    put(lake, drops[1], 1)
    assert {"tagline", "title"} <= set(present(open_lake(lake), "movie").schema().column_names)
    rows = state_of(lake)["movie"]
    assert rows
    table = present(open_lake(lake), "movie").scan().to_arrow().to_pylist()
    old = [row["title"] for row in table if row["drop_id"] == drops[0].drop_id]
    new = [row["title"] for row in table if row["drop_id"] == drops[1].drop_id]
    assert old
    assert set(old) == {None}
    assert set(new) & set("ABC")


def zipped(folder: Path, **files) -> Path:
    return Path(shutil.make_archive(str(folder), "zip", small.write(folder, **files)))


def broken(kind: str, folder: Path) -> tuple[Path, dict, type, str]:
    """A drop that is broken, options, the error and what it says."""
    good = zipped(folder / "good")
    if kind == "no zip":
        (folder / "drop.zip").write_text("<html>not found</html>")
        return folder / "drop.zip", {}, SourceError, "zip"
    if kind == "cut":
        (folder / "cut.zip").write_bytes(good.read_bytes()[: good.stat().st_size // 2])
        return folder / "cut.zip", {}, SourceError, "zip"
    if kind == "wrong columns":
        return zipped(folder / "w", movies_metadata=b"a,b,c\n1,2,3\n"), {}, SourceError, "required column"
    if kind == "vanished column":
        header = [c for c in small.HEADERS["movies_metadata.csv"] if c != "homepage"]
        rows = [{k: v for k, v in small.movies({})[0].items() if k != "homepage"}]
        return (
            zipped(folder / "v", movies_metadata=small.text("movies_metadata.csv", rows, header)),
            {}, SourceError, "no column homepage",
        )  # fmt: skip
    if kind == "rejects":
        return (
            zipped(folder / "r", movies_metadata=small.movies({}, {"id": "x"})),
            {"max_rejects": 0.4},
            GateError,
            "1 of 2",
        )
    if kind == "no movie in a whole snapshot":
        return zipped(folder / "m", movies_metadata=[]), {}, GateError, "some_movie_is_loaded"
    assert kind == "nothing of the dataset"
    (folder / "x").mkdir()
    (folder / "x" / "readme.txt").touch()
    return Path(shutil.make_archive(str(folder / "x"), "zip", folder / "x")), {"full": False}, SourceError, "none of"


KINDS = [
    "no zip", "cut", "wrong columns", "vanished column", "rejects", "no movie in a whole snapshot",
    "nothing of the dataset",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_drop_is_set_aside(lake, tmp_path, kind):
    path, options, error, said = broken(kind, tmp_path)
    moviehouse.load(zipped(tmp_path / "before"), lake, observed_at=TIME)
    tables = {t.name: present(open_lake(lake), t.name) for t in LAKE_TABLES}
    with pytest.raises(error, match=said) as caught:
        moviehouse.load(path, lake, observed_at=TIME + timedelta(hours=1), **options)
    assert not caught.value.retry
    for name, table in tables.items():
        now_ = present(open_lake(lake), name)
        assert (now_ and now_.current_snapshot()) == (table and table.current_snapshot())
    (row,) = Ledger(open_lake(lake)).noted()
    assert row["status"] == "set_aside"
    assert row["observed_at"] == TIME + timedelta(hours=1)
    assert said in row["why"]
    log = set_aside_log(lake)
    assert {line["reading_id"] for line in log} == {row["reading_id"]}
    assert log[-1]["severity"] == "failed"
    assert row["reading_id"] in str(caught.value.log)
    # The next drop loads; upkeep keeps the log.
    assert moviehouse.load(zipped(tmp_path / "after"), lake, observed_at=TIME + timedelta(hours=2)).release == 2
    moviehouse.maintain(lake, grace_hours=0, keep_days=0)
    assert set_aside_log(lake) == log


def set_aside_log(lake: str) -> list[dict]:
    with reading_lake(lake, {"set_aside_log"}) as place, querying(place, "FROM set_aside_log") as query:
        result = query.run()
        return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


def test_a_balance_that_does_not_close_sets_the_drop_aside(tmp_path, monkeypatch):
    strike = loads.balance.strike

    def lossy(*arguments):
        first, *rest = strike(*arguments)
        return [replace(first, loaded=first.loaded - 1), *rest]

    monkeypatch.setattr(loads.balance, "strike", lossy)
    lake = str(tmp_path / "lake")
    with pytest.raises(GateError, match="balance_closes"):
        moviehouse.load(zipped(tmp_path / "drop"), lake)
    assert Ledger(open_lake(lake)).newest() is None


def test_what_is_broken_may_be_accepted(tmp_path):
    lake = str(tmp_path / "lake")
    path, *_ = broken("vanished column", tmp_path)
    loaded = moviehouse.load(path, lake, accept_missing_columns=["movies_metadata.csv:homepage"])
    assert loaded.status == "loaded"
    path, *_ = broken("rejects", tmp_path)
    assert moviehouse.load(path, lake, max_rejects=0.5).reading.rejected == 1
    with pytest.raises(UsageError, match="is no column"):
        moviehouse.load(path, lake, accept_missing_columns=["movies_metadata.csv:homepages"])


def test_a_drop_that_cannot_be_fetched_is_no_broken_one(tmp_path):
    lake = str(tmp_path / "lake")
    with pytest.raises(SourceError):
        moviehouse.load("http://127.0.0.1:9/drop.zip", lake)
    with pytest.raises(SourceError, match="no such file"):
        moviehouse.load(tmp_path / "none.zip", lake)
    assert Ledger(open_lake(lake)).noted() == []


def test_a_lake_that_cannot_be_written(tmp_path, drops):
    lake = tmp_path / "lake"
    moviehouse.load(drops[0].path, lake, observed_at=TIME)
    (lake / "catalog.db").write_bytes(b"no database" * 1000)
    with pytest.raises(TargetError, match="cannot be used"):
        moviehouse.load(drops[1].path, lake, observed_at=TIME)
    with pytest.raises(SourceError, match="cannot be used"):
        moviehouse.ask("genre_revenue_by_year", lake=lake)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "moviehouse", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.long
def test_the_commands(tmp_path, drops):
    lake, drop = tmp_path / "lake", drops[3]
    done = run("load", *drop.arguments, "--lake", lake, "--json", "-q")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["status"], told["release"], told["reading"]["drop_id"]) == ("loaded", 1, drop.drop_id)
    done = run("load", *drop.arguments, "--lake", lake)
    assert "has this drop already" in done.stdout
    done = run("maintain", "--lake", lake)
    assert "Folded 1 readings" in done.stdout
    done = run("sql", "SELECT count(*) AS n, bool_or(retired) AS r FROM movie", "--lake", lake, "--format", "csv")
    assert done.stdout.split() == ["n,r", f"{len(drop.rows['movie'])},False"]
    done = run("ask", "genre-revenue-by-year", "--lake", lake, "--as-of", "2100-01-01", "--format", "json")
    assert json.loads(done.stdout) is not None
    done = run("trace", "genre-revenue-by-year", "--lake", lake, "--genre", "12")
    assert "It adds up" in done.stdout
    (tmp_path / "bad.zip").write_text("bad")
    done = run("load", tmp_path / "bad.zip", "--lake", lake)
    assert done.returncode == 1
    command = shlex.split(done.stderr.rpartition("Log: moviehouse ")[2])
    assert "source_unusable" in run(*command).stdout
    assert "bad.zip" in run("sql", "SELECT source, why FROM set_aside", "--lake", lake).stdout
    assert run("ask", "genre-revenue-by-year", "--lake", tmp_path / "none").returncode == 1
    assert run("ask", "genre-revenue-by-year", "--as-of", "2020-01-01").returncode == 2
    assert run("load", drop.path, "--lake", lake, "--observed-at", "yesterday").returncode == 2
