"""What `why` and `errors` say of a lake is what they say of a release of the same drop."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

import moviehouse
from moviehouse import cli
from moviehouse.errors import UsageError
from moviehouse.lake import read as lake_read
from moviehouse.lake import rows as lake_rows
from moviehouse.lake.read import reading_lake
from moviehouse.lake.rows import streamed
from moviehouse.model.tables import TABLE
from moviehouse.steps.query import querying

TIME = datetime(2024, 1, 1, 9)
DAMAGED, TWICE = "damaged_list", "duplicate_record"


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A release, and a lake that has another drop before and, staged, a third one after the release's."""
    folder = tmp_path_factory.mktemp("both")
    samples = [moviehouse.sample(folder / f"{n}.zip", movies=150, ratings=300, seed=n).path for n in (1, 2, 3)]
    release = moviehouse.build(samples[1], folder / "out", report=False)
    lake = folder / "lake"
    for number, stage in enumerate((None, None, "next")):
        time = TIME + timedelta(hours=number)
        moviehouse.load(samples[number], lake, observed_at=time, max_rejects=0.2, stage=stage)
    return release, lake, samples


def of_model(tables):
    """The rows of the model's columns, without what names a place."""
    places = ("source_file", "rejected_id")
    return {
        table: [{c.name: row[c.name] for c in TABLE[table].columns if c.name not in places} for row in rows]
        for table, rows in tables.items()
        if table not in ("movielens_movie", "rejected_record")
    }


@pytest.mark.long
def test_why_of_a_lake_is_that_of_a_release(both):
    release, lake, samples = both
    damaged = next(line["movie_id"] for line in logged(release.path) if line["reason"] == DAMAGED)
    for movie in (damaged, first_traced(release)):
        built, found = release.why(movie), moviehouse.why(movie, lake=lake)
        assert (found.movie_id, found.title, found.left_out) == (built.movie_id, built.title, built.left_out)
        assert of_model(found.tables) == of_model(built.tables)
        assert found.tables["movie"][0]["source_file"] == f"movies_metadata.csv of {samples[1]} (2024-01-01 10:00 UTC)"
        links = ("links.csv", "links_small.csv", "ratings.csv", "ratings_small.csv")
        assert set(found.log) == {line for line in built.log if line.file not in links}
        assert [replace(r, raw=None) for r in built.records] == list(found.records)
        assert not found.at_hand
    assert [part.adds for part in found.parts] == [part.adds for part in built.parts]
    assert found.parts


def logged(release):
    return [json.loads(line) for line in (release / "errors.jsonl").read_text().splitlines()]


def first_traced(release) -> int:
    return release.trace("genre_revenue_by_year", genre="Drama").cells[0].movies[0].movie_id


def test_why_of_an_earlier_time_of_a_stage_and_of_a_movie_that_is_not_there(both):
    _, lake, samples = both
    now, then = moviehouse.why(first := _movie(lake), lake=lake), moviehouse.why(first, lake=lake, stage="next")
    assert str(samples[1]) in now.tables["movie"][0]["source_file"]
    assert str(samples[2]) in then.tables["movie"][0]["source_file"]
    with pytest.raises(UsageError, match="No movie 987654321"):
        moviehouse.why(987654321, lake=lake)


def _movie(lake) -> int:
    """A movie that all drops have."""
    with reading_lake(str(lake), {"movie"}, stage="next") as place, querying(place, "FROM movie") as query:
        result = query.run()
        rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
    newest = max(row["observed_at"] for row in rows)
    with reading_lake(str(lake), {"movie"}) as place, querying(place, "SELECT movie_id FROM movie") as query:
        known = {row[0] for row in query.run().rows}
    return next(row["movie_id"] for row in rows if row["observed_at"] == newest and row["movie_id"] in known)


@pytest.fixture
def run(capsys):
    def run(*arguments: object, status: int = 0) -> str:
        capsys.readouterr()
        assert cli.run([str(argument) for argument in arguments]) == status
        out, err = capsys.readouterr()
        return err if status else out

    return run


def test_errors_of_a_lake_are_those_of_all_its_drops(both, run):
    _, lake, samples = both
    with reading_lake(str(lake), {"error_log"}) as place, querying(place, "FROM error_log") as query:
        result = query.run()
        log = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
    summary = json.loads(run("errors", "--lake", lake, "--format", "json"))
    assert sum(row["lines"] for row in summary) == len(log)
    lines = json.loads(run("errors", "--lake", lake, "--lines", "--format", "json"))
    assert len(lines) == len(log)
    assert all(line["file"].endswith(" UTC)") for line in lines)
    where = ("--reason", TWICE, "--file", "movies_metadata.csv", "--format", "json")
    chosen = json.loads(run("errors", "--lake", lake, *where))
    assert len(chosen) == sum(row["reason"] == TWICE and row["file"] == "movies_metadata.csv" for row in log)
    assert {line["file"] for line in chosen} == {
        f"movies_metadata.csv of {sample} (2024-01-01 {9 + number:02}:00 UTC)"
        for number, sample in enumerate(samples[:2])
    }
    staged = json.loads(run("errors", "--lake", lake, "--stage", "next", *where))
    assert {line["file"] for line in staged} > {line["file"] for line in chosen}


def test_what_is_printed_of_a_lake_leads_to_the_lake(both, run):
    release, lake, _ = both
    told = run("errors", "--lake", lake)
    assert told.splitlines()[0] == str(lake)
    assert f"--lake {lake}" in told.splitlines()[-1]
    assert "/tmp/moviehouse-" not in told
    movie = first_traced(release)
    assert f"why {movie} --lake {lake}" in run("errors", "--lake", lake, "--movie", movie)
    told = run("why", movie, "--lake", lake)
    assert f"--lake {lake}" in told.splitlines()[-1]
    assert 'moviehouse sql "FROM set_aside"' in run("errors", "--lake", lake, "--failed", status=2)
    for words in (("why", "1"), ("errors",)):
        assert "is about a lake" in run(*words, "--as-of", "2024-01-01", status=2)


def test_a_query_that_names_no_relation_reads_no_rows(both, run, monkeypatch):
    """One that may read a relation by other means, or tell its size, gets all rows that there are."""
    _, lake, _ = both
    read = []

    def noted(*arguments):
        read.append(arguments)
        return streamed(*arguments)

    monkeypatch.setattr(lake_rows, "streamed", noted)
    monkeypatch.setattr(lake_read, "streamed", noted)

    def told(query, *, rows, status=0):
        read.clear()
        said = run("sql", query, "--lake", lake, "--format", "csv", status=status)
        assert bool(read) == rows
        return said

    assert told("SELECT 6 * 7 AS n", rows=False).split() == ["n", "42"]
    names = [line.partition(",")[0] for line in told("SHOW TABLES", rows=False).splitlines()[1:]]
    assert set(names) >= {"movie", "movie_observation", "genre_revenue_by_year", "company_share", "set_aside"}
    for misspelt in ("FROM moovie", "TABLE moovie"):
        assert 'Did you mean "movie"?' in told(misspelt, rows=False, status=2)
    counted = told("SELECT count(*) FROM movie", rows=True).split()[1]
    assert told("SELECT count(*) FROM query_table('mov' || 'ie')", rows=True).split()[1] == counted
    for sizes in ("estimated_size FROM duckdb_tables() WHERE table_name", "reltuples::INT FROM pg_class WHERE relname"):
        assert counted in told(f"SELECT {sizes} LIKE '%ovie'", rows=True).split()
