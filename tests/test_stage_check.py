"""The check of a stage: what its drops give together with production, before anybody sees it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from shutil import copyfile

import duckdb
import pytest
from lake_pool import expected, pool, put, state_of

import moviehouse
from moviehouse import cli
from moviehouse.errors import GateError, UsageError
from moviehouse.lake import stage_check
from moviehouse.lake.catalog import open_lake
from moviehouse.lake.ledger import Ledger, Pin
from moviehouse.lake.stages import STAGED
from moviehouse.lake.tables import present
from moviehouse.model.lake import LAKE_TABLES
from moviehouse.steps.check import checks


@pytest.fixture(scope="module")
def drops(tmp_path_factory):
    return pool(tmp_path_factory.mktemp("drops"), 3, seed=4)


@pytest.fixture
def lake(tmp_path, drops):
    """A lake with a drop, and another one in a stage."""
    lake = str(tmp_path / "lake")
    put(lake, drops[0], 0)
    put(lake, drops[1], 1, stage="fix")
    return lake


def broken(drop, place, change):
    """The drop observed later than any other, with rows that no reading gives."""
    copyfile(drop.database, place)
    with duckdb.connect(str(place)) as con:
        con.execute(change)
    return replace(drop, database=place, observed_at=datetime(2025, 1, 1))


def told(capsys, lake, *options):
    """The exit status of the command, and what it printed."""
    status = cli.run(["stage", "check", "fix", "--lake", lake, *options])
    said = capsys.readouterr()
    return status, " ".join(said.out.split()), said.err


def test_a_sound_stage_passes_every_check_and_nothing_is_changed(lake, drops, capsys):
    found = moviehouse.stages(lake).check("fix")
    assert (found.stage, found.status, found.readings, found.release) == ("fix", "staged", 1, 1)
    names = {outcome.check for outcome in found.outcomes}
    assert names == {check.name for check in checks()} - {"balance_closes"} | {"rows_as_counted"}
    assert all(outcome.passed for outcome in found.outcomes)
    found.refuse()
    assert told(capsys, lake, "-q") == (0, "", "")
    status, out, _ = told(capsys, lake)
    assert status == 0
    assert f"on top of release 1 of {lake}: {len(names)} of {len(names)} checks passed." in out
    assert f"moviehouse stage publish fix --lake {lake}" in out
    assert moviehouse.stages(lake).show("fix").status == "staged"
    assert state_of(lake) == expected(drops[:1])


def test_a_published_stage_is_in_the_release_that_is_checked(lake, capsys):
    moviehouse.stages(lake).publish("fix")
    moviehouse.maintain(lake)  # its rows are folded, and counted where they were appended
    status, out, _ = told(capsys, lake)
    assert status == 0
    assert "Stage fix is in release" in out
    assert "stage publish" not in out


def test_a_reference_that_only_the_state_shows_broken_fails(lake, drops, tmp_path, capsys):
    put(lake, broken(drops[2], tmp_path / "broken.duckdb", "UPDATE movie_genre SET genre_id = 99"), 2, stage="fix")
    with pytest.raises(GateError, match=r"movie_genre\.genre_id") as caught:
        moviehouse.stages(lake).check("fix").refuse()
    assert "--stage fix" in caught.value.hint
    status, out, err = told(capsys, lake)
    assert status == 3
    assert "movie_genre.genre_id: 1 offending row movie_genre.genre_id is a key of genre. genre_id 99" in out
    assert "stage publish" not in out
    assert "movie_genre.genre_id (1 offending row)" in err
    status, out, _ = told(capsys, lake, "--json", "-q")
    assert status == 3
    failed = {o["check"]: o for o in json.loads(out)["outcomes"] if o["offending"]}
    assert failed["movie_genre.genre_id"]["examples"] == [[99]]
    assert failed["movie_genre.genre_id"]["columns"] == ["genre_id"]


def test_what_fails_without_the_stage_as_well_is_not_the_stages_fault(lake, drops, tmp_path, capsys):
    put(lake, broken(drops[2], tmp_path / "broken.duckdb", "UPDATE movie SET vote_average = 99"), 2)
    found = moviehouse.stages(lake).check("fix")
    assert found.before["movie.domains"] > 0
    assert not found.failed
    status, out, _ = told(capsys, lake)
    assert status == 0
    assert "without the stage" in out
    assert "99.000" in out


@pytest.mark.parametrize("change", ["lost", "doubled"])
def test_rows_that_are_lost_or_doubled_on_the_way_are_missed(lake, change, capsys):
    table = present(open_lake(lake), "cast_credit")
    (reading,) = moviehouse.stages(lake).show("fix").staged
    before = dict(reading.rows)["cast_credit"]
    rows = table.scan(row_filter=f"reading_id = '{reading.reading_id}'").to_arrow()
    assert len(rows) == before
    if change == "lost":
        table.delete(f"reading_id = '{reading.reading_id}'")
    else:
        table.append(rows)
    repin(lake, "fix")
    status, out, _ = told(capsys, lake, "--json", "-q")
    failed = {o["check"]: o for o in json.loads(out)["outcomes"] if o["offending"]}
    assert status == 3
    after = 0 if change == "lost" else 2 * before
    assert failed["rows_as_counted"]["examples"] == [["cast_credit", reading.reading_id, before, after]]


def repin(lake, stage):
    """Have the stage's note name the newest snapshots, as one does that a load has just written."""
    ledger = Ledger(open_lake(lake))
    readings = moviehouse.stages(lake).show(stage).staged
    heads = {t.name: there.current_snapshot() for t in LAKE_TABLES if (there := present(open_lake(lake), t.name))}
    pins = {table: Pin(head.snapshot_id, head.sequence_number) for table, head in heads.items()}
    ledger.note(readings, STAGED, pins=pins)


def test_a_stage_that_would_leave_no_movie_fails(tmp_path, drops):
    lake = str(tmp_path / "lake")
    put(lake, drops[1], 0, stage="fix", tables={"link", "rating"})
    found = moviehouse.stages(lake).check("fix")
    assert [outcome.check for outcome in found.failed] == ["some_movie_is_loaded"]
    assert found.release == 0


def test_what_cannot_be_checked_is_told(lake, capsys):
    with pytest.raises(UsageError, match="has no stage 'fux'"):
        moviehouse.stages(lake).check("fux")
    with pytest.raises(UsageError, match="'much' is not an amount of memory"):
        moviehouse.stages(lake).check("fix", memory_limit="much")
    status, _, err = told(capsys, lake, "--memory-limit", "2MB")
    assert status == 4
    assert "out of memory at --memory-limit 2MB" in err
    moviehouse.stages(lake).discard("fix")
    with pytest.raises(UsageError, match="was discarded"):
        moviehouse.stages(lake).check("fix")


def test_what_is_loaded_meanwhile_is_checked_too(lake, drops, tmp_path, monkeypatch):
    """The rows are counted, another drop is loaded, the release is read: that is not one release."""
    real, done = stage_check._count, []

    def count(*arguments):
        counted = real(*arguments)
        if not done:
            done.append(put(lake, broken(drops[2], tmp_path / "b.duckdb", "UPDATE movie SET vote_average = 99"), 2))
        return counted

    monkeypatch.setattr(stage_check, "_count", count)
    found = moviehouse.stages(lake).check("fix")
    assert found.release == 2
    assert found.before["movie.domains"] > 0
    assert not found.failed
