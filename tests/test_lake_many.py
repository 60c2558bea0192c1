"""Several drops in one command: what one command each gives, and a broken one keeps no other out."""

from __future__ import annotations

import json
import sys

import pytest
import small
from lake_pool import expected, pool, state_of

from moviehouse import cli
from moviehouse.lake.catalog import open_lake
from moviehouse.lake.ledger import Ledger


@pytest.fixture(scope="module")
def drops(tmp_path_factory):
    """Drops observed at one time, all of them whole or all of them parts."""
    alike = {}
    for drop in pool(tmp_path_factory.mktemp("drops"), 12, seed=4):
        alike.setdefault((drop.observed_at, drop.full), []).append(drop)
    return max(alike.values(), key=len)


@pytest.fixture
def run(capsys):
    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        status = cli.run([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run


def options(drop, lake):
    return [*drop.arguments[1:], "--lake", lake, "--json", "-q"]


@pytest.mark.long
def test_each_has_a_release_of_its_own_in_the_order_given(lake, drops, run):
    paths = [drop.path for drop in reversed(drops)]
    status, out, err = run("load", *paths, *options(drops[0], lake))
    assert (status, err) == (0, "")
    told = [json.loads(line) for line in out.splitlines()]
    assert [line["reading"]["source"] for line in told] == [str(path) for path in paths]
    assert [line["release"] for line in told] == list(range(1, len(paths) + 1))
    assert state_of(lake) == expected(drops)
    status, out, _ = run("load", *paths, *options(drops[0], lake))
    assert {json.loads(line)["status"] for line in out.splitlines()} == {"already"}
    assert Ledger(open_lake(lake)).newest().number == len(paths)


def test_a_broken_one_is_told_of_and_the_others_are_loaded(tmp_path, drops, run):
    lake, bad = str(tmp_path / "lake"), tmp_path / "bad.zip"
    bad.write_text("no zip")
    status, out, err = run("load", drops[0].path, bad, drops[1].path, *options(drops[0], lake))
    assert status == 1
    assert [json.loads(line)["reading"]["source"] for line in out.splitlines()] == [str(d.path) for d in drops[:2]]
    said = [line for line in err.splitlines() if line.startswith("moviehouse: ")]
    assert [line.split(": ")[1] for line in said] == [str(bad)]
    assert state_of(lake) == expected(drops[:2])
    assert [row["source"] for row in Ledger(open_lake(lake)).noted()] == [str(bad)]


def test_the_status_is_the_highest(tmp_path, run):
    lake, bad = str(tmp_path / "lake"), tmp_path / "bad.zip"
    bad.write_text("no zip")
    empty = small.write(tmp_path / "empty", movies_metadata=[])
    status, _, err = run("load", empty, bad, "--lake", lake, "-q")
    assert "some_movie_is_loaded" in err
    assert status == 3


def test_nothing_more_is_tried_where_the_lake_cannot_be_written(tmp_path, drops, run):
    lake = tmp_path / "lake"
    assert run("load", drops[0].path, *options(drops[0], lake))[0] == 0
    (lake / "catalog.db").write_bytes(b"no database" * 1000)
    status, out, err = run("load", *(drop.path for drop in drops), *options(drops[0], lake))
    assert (status, out) == (4, "")
    assert err.count("cannot be used") == 1
    assert err.splitlines()[-1].endswith(f"not tried any more: {', '.join(str(d.path) for d in drops[1:])}")


def test_a_word_that_is_no_source_stops_it_before_the_first(tmp_path, drops, run):
    lake = tmp_path / "lake"
    status, _, err = run("load", drops[0].path, "nothing", *options(drops[0], lake))
    assert status == 2
    assert "'nothing'" in err
    assert not lake.exists()
    assert run("load", "--lake", lake)[0] == 2


@pytest.mark.parametrize("word", ["09:00", "0.5", "gone.zip"])
def test_a_word_that_is_no_file_is_no_source(word, tmp_path, drops, run):
    """A time without quotes, say: the drop beside it would be loaded as of another time."""
    lake = tmp_path / "lake"
    status, _, err = run("load", word, drops[0].path, *options(drops[0], lake))
    assert (status, lake.exists()) == (1, False)
    assert word in err


def test_where_nobody_listens_every_drop_is_loaded(tmp_path, drops, run, monkeypatch):
    def gone(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(sys.modules["moviehouse.commands.load"], "_tell", gone)
    lake = str(tmp_path / "lake")
    assert run("load", *(drop.path for drop in drops), *options(drops[0], lake))[0] == 0
    assert state_of(lake) == expected(drops)


def test_sources_stand_before_the_options(tmp_path, drops, run):
    status, _, err = run("load", drops[0].path, "--lake", tmp_path / "lake", drops[1].path)
    assert status == 2
    assert "Name all sources before the options." in err
