"""Drops of the sample: an hour's worth each, and a manifest that says what comes when and what is wrong with it."""

import csv
import hashlib
import io
import json
import re
import tracemalloc
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import moviehouse
from moviehouse.cli import run
from moviehouse.errors import SourceError, UsageError
from moviehouse.generator.drops import sample_drops
from moviehouse.generator.schedule import BROKEN, deliveries

csv.field_size_limit(1 << 30)


def deliver(drops) -> list[dict]:
    return [json.loads(line) for line in drops.manifest.read_text().splitlines()]


def records(path, name: str) -> list[dict[str, str]]:
    """The records of a file of a drop; none where it has no such file."""
    with zipfile.ZipFile(path) as archive:
        if f"{name}.csv" not in archive.namelist():
            return []
        return list(csv.DictReader(io.StringIO(archive.read(f"{name}.csv").decode(), newline="")))


def by_id(path, name: str = "movies_metadata") -> dict[str, dict[str, str]]:
    return {record["id"]: record for record in records(path, name)}


@pytest.fixture(scope="module")
def two_days(tmp_path_factory):
    return sample_drops(tmp_path_factory.mktemp("drops") / "out", drops=49, movies=400, ratings=4000, seed=2)


def test_the_same_arguments_give_the_same_bytes_and_more_drops_begin_like_fewer(tmp_path):
    def made(name: str, **options) -> list[tuple]:
        drops = sample_drops(tmp_path / name, movies=50, ratings=500, **options)
        return [(line["file"], line["sha256"]) for line in deliver(drops)]

    first = made("a", drops=6)
    assert made("b", drops=6) == first
    assert made("c", drops=9)[: len(first) - 1] == first[:-1]  # the last one came late
    assert not {sha for _, sha in made("d", drops=6, seed=2)} & {sha for _, sha in first}


def test_the_manifest_tells_what_there_is(two_days):
    lines = deliver(two_days)
    assert len(lines) == two_days.lines
    assert {line["file"] for line in lines} == {path.name for path in two_days.path.glob("*.zip")}
    for line in lines:
        path = two_days.path / line["file"]
        assert line["bytes"] == path.stat().st_size
        assert line["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        moment = datetime.fromisoformat(line["observed_at"])
        assert path.stat().st_mtime == moment.timestamp()
        assert bool(line["why"]) == bool(line["late"] or line["repeated"] or line["broken"])
    whole = [line["observed_at"] for line in lines if line["full"]]
    assert whole == ["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z"]
    observed = {line["observed_at"] for line in lines if not line["broken"]}
    first = datetime.fromisoformat(whole[0])
    assert {datetime.fromisoformat(o) for o in observed} == {first + timedelta(hours=h) for h in range(49)}


def test_some_drops_come_late_twice_or_broken_first(two_days):
    lines = deliver(two_days)
    assert {line["broken"] for line in lines} == {None, *BROKEN}
    for place, line in enumerate(lines):
        before = lines[:place]
        if line["late"]:
            assert any(b["observed_at"] > line["observed_at"] for b in before)
        assert line["repeated"] == (line["file"] in {b["file"] for b in before})
        if line["broken"]:
            after = [a for a in lines[place + 1 :] if a["observed_at"] == line["observed_at"]]
            assert [a["broken"] for a in after] == [None]
    for kind in ("late", "repeated"):
        assert sum(line[kind] for line in lines) >= 4


def test_from_day_to_day_things_change_as_they_do(two_days):
    old, new = (by_id(two_days.path / f"202401{day}T000000Z.zip") for day in ("01", "03"))
    both = sorted(old.keys() & new.keys())
    assert new.keys() - old.keys(), "no movie came"
    assert old.keys() - new.keys(), "no movie went"
    for column in (
        "popularity",
        "vote_count",
        "vote_average",
        "title",
        "budget",
        "revenue",
        "genres",
        "production_companies",
    ):
        changed = [id_ for id_ in both if old[id_][column] != new[id_][column]]
        assert changed, column
        assert len(changed) < len(both) or column == "popularity"
    assert all(int(old[id_]["vote_count"]) <= int(new[id_]["vote_count"]) for id_ in both)
    for name in ("credits", "keywords"):
        lists = [by_id(two_days.path / f"202401{day}T000000Z.zip", name) for day in ("01", "03")]
        assert any(lists[0][id_] != lists[1][id_] for id_ in both)


def test_an_hour_has_little_and_some_credits_come_before_their_movie(two_days):
    known = set(by_id(two_days.path / "20240101T000000Z.zip"))
    waited = []
    for hour in range(1, 24):
        path = two_days.path / f"20240101T{hour:02}0000Z.zip"
        movies = by_id(path)
        assert 1 <= len(movies) <= 6
        waited += [id_ for id_ in by_id(path, "credits") if id_ not in known | set(movies)]
        known |= set(movies)
    assert waited
    assert set(waited) & known, "no movie came after its credits"


def test_ratings_come_and_some_are_given_anew(tmp_path):
    drops = sample_drops(tmp_path / "out", drops=25, movies=50, ratings=40_000)
    given = [
        record for hour in range(1, 24) for record in records(drops.path / f"20240101T{hour:02}0000Z.zip", "ratings")
    ]
    keys = [(r["userId"], r["movieId"]) for r in given]
    assert len(given) == 23 * 20
    assert len(set(keys)) < len(keys)
    whole = [(r["userId"], r["movieId"]) for r in records(drops.path / "20240102T000000Z.zip", "ratings")]
    assert set(keys) <= set(whole)
    assert len(whole) > 40_000


def test_what_is_whole_can_be_used_and_what_is_broken_cannot(two_days):
    """A few good drops, and one of every kind of broken ones."""
    for line in {line["broken"] or line["file"]: line for line in deliver(two_days)}.values():
        path = two_days.path / line["file"]
        if line["broken"] in ("cut", "page", "wrong_columns", "not_utf8"):
            with pytest.raises(SourceError):
                moviehouse.check(path)
        elif line["broken"] == "vanished_column":
            log = moviehouse.check(path).log
            assert [e["column"] for e in log if e["reason"] == "missing_column"] == ["tagline"]
        elif line["broken"] == "no_keys":
            movies = moviehouse.check(path).run.files["movies_metadata.csv"]["records"]
            assert movies["rejected"] == movies["read"] // 2 > 0
        elif line["observed_at"] in ("2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z", "2024-01-02T00:00:00Z"):
            reasons = {e["reason"] for e in moviehouse.check(path).log if e["severity"] == "rejected"}
            assert reasons <= {"unknown_movie"}


def test_the_first_drop_can_come_in_parts(tmp_path):
    drops = sample_drops(tmp_path / "out", drops=1, movies=100, ratings=1000, parts=3)
    lines = deliver(drops)
    assert len(lines) == 3
    assert not any(line["full"] for line in lines)  # none of them alone is a whole snapshot
    parts = [by_id(drops.path / line["file"]) for line in lines]
    assert len({id_ for part in parts for id_ in part}) == sum(map(len, parts)) == 100
    assert [bool(records(drops.path / line["file"], "ratings")) for line in lines] == [True, False, False]
    whole = sample_drops(tmp_path / "whole", drops=1, movies=100, ratings=1000)
    assert by_id(whole.path / "20240101T000000Z.zip") == {k: v for part in parts for k, v in part.items()}


def test_memory_does_not_grow_with_the_number_of_drops(tmp_path):
    def peak(drops: int) -> int:
        tracemalloc.start()
        sample_drops(tmp_path / str(drops), drops=drops, movies=250, ratings=0)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(2)  # what is made once and kept
    assert peak(49) < 1.25 * peak(5)


def test_the_page_on_drops_tells_what_can_be_wrong_with_them():
    page = (Path(__file__).parents[1] / "docs" / "drops.md").read_text()
    assert set(re.findall(r"^\| `([a-z_0-9]+)` \| (?:Refused|Read)", page, re.M)) == set(BROKEN)


def test_every_drop_is_delivered_once_intact():
    intact = [d.hour for d in deliveries(1000) if not d.broken and not d.repeated]
    assert sorted(intact) == list(range(1000))


def test_the_command_makes_drops(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["sample", "feed", "--drops", "4", "--every", "30m", "--scale", "0.001", "--ratings", "100"]) == 0
    assert "4 drops in 4 files" in capsys.readouterr().out
    assert len(by_id(tmp_path / "feed" / "20240101T000000Z.zip")) == 45
    assert (tmp_path / "feed" / "20240101T013000Z.zip").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--drops", "2", "--every", "soon"], "not a length of time"),
        (["--drops", "0"], "at least 1"),
        (["--scale", "2", "--movies", "5"], "Give one of them"),
        (["--scale", "-1"], "above 0"),
        (["--every", "2h"], "Give --drops too"),
    ],
)
def test_a_wrong_option_is_told(tmp_path, capsys, monkeypatch, options, said):
    monkeypatch.chdir(tmp_path)
    assert run(["sample", "out", *options]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_not_replaced(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(UsageError, match="no empty directory"):
        sample_drops(tmp_path / "out", drops=1)
