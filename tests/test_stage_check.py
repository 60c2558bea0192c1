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
from moviehouse.lake.stage_check import what_must_hold


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


def test_a_sound_stage_passes_every_check_and_nothing_is_changed(lake, drops, capsys):
    found = moviehouse.stages(lake).check("fix")
    assert (found.stage, found.release) == ("fix", 1)
    assert {o.check for o in found.outcomes} == {c.name for c in what_must_hold()}
    assert {"genre_amounts_add_up", "cast_credit.movie_id", "rating.key"} <= {o.check for o in found.outcomes}
    assert all(outcome.passed for outcome in found.outcomes)
    found.refuse()
    assert cli.run(["stage", "check", "fix", "--lake", lake, "-q"]) == 0
    assert capsys.readouterr() == ("", "")
    assert cli.run(["stage", "check", "fix", "--lake", lake]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"{len(found.outcomes)} of {len(found.outcomes)} checks passed" in said
    assert f"moviehouse stage publish fix --lake {lake}" in said
    assert moviehouse.stages(lake).show("fix").status == "staged"
    assert state_of(lake) == expected(drops[:1])


def test_rows_that_break_a_gate_are_shown_and_the_status_is_that_of_a_gate(lake, drops, tmp_path, capsys):
    put(lake, broken(drops[2], tmp_path / "broken.duckdb", "UPDATE movie SET vote_average = 99"), 2, stage="fix")
    with pytest.raises(GateError, match=r"movie\.domains") as caught:
        moviehouse.stages(lake).check("fix").refuse()
    assert "--stage fix" in caught.value.hint
    assert cli.run(["stage", "check", "fix", "--lake", lake]) == 3
    said = capsys.readouterr()
    assert "movie.domains:" in said.out
    assert "99" in said.out
    assert "stage publish" not in said.out
    assert "movie.domains" in said.err
    assert cli.run(["stage", "check", "fix", "--lake", lake, "--json", "-q"]) == 3
    outcomes = json.loads(capsys.readouterr().out)["outcomes"]
    assert [o["check"] for o in outcomes if o["offending"]] == ["movie.domains"]


def test_a_stage_that_would_leave_no_movie_fails(tmp_path, drops):
    lake = str(tmp_path / "lake")
    put(lake, drops[1], 0, stage="fix", tables={"link", "rating"})
    failed = [o.check for o in moviehouse.stages(lake).check("fix").outcomes if not o.passed]
    assert failed == ["some_movie_is_loaded"]


def test_a_stage_that_is_not_there_is_told(lake):
    with pytest.raises(UsageError, match="has no stage 'fux'"):
        moviehouse.stages(lake).check("fux")
