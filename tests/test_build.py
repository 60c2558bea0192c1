"""The main job from end to end, on real data and on the generated sample."""

import csv
import json
import os
import subprocess
import sys
import zipfile
from collections import Counter
from decimal import Decimal
from pathlib import Path

import duckdb
import oracle
import pytest
from small import write

import moviehouse
from moviehouse.model.tables import TABLES
from moviehouse.sql import QUESTIONS
from moviehouse.steps import check, conform

DATA = Path(os.environ.get("MOVIEHOUSE_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
EDITIONS = {"kaggle": DATA / "the-movies-dataset-excerpt.zip", "s3": DATA / "the-movies-dataset-excerpt-s3.zip"}
needs_excerpt = pytest.mark.skipif(
    not EDITIONS["kaggle"].exists(), reason="the publishers' data is no part of the project"
)


@pytest.fixture(scope="session")
def excerpt(tmp_path_factory):
    """Releases of both editions of the real excerpt."""
    out = tmp_path_factory.mktemp("excerpt")
    return {name: moviehouse.build(str(path), out / name) for name, path in EDITIONS.items()}


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """A generated sample and the release built from it."""
    folder = tmp_path_factory.mktemp("sample")
    made = moviehouse.sample(folder / "sample.zip", movies=1500, ratings=30_000, seed=7)
    return made, moviehouse.build(str(made.path), folder / "out")


def parsed(release, question):
    """An answer's CSV with its values as Python values."""
    with duckdb.connect() as con:
        types = con.execute(f"DESCRIBE SELECT * FROM '{release.path}/answers/{question}.parquet'").fetchall()
    convert = {"VARCHAR": str, "DOUBLE": float}
    with (release.path / "answers" / f"{question}.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    kinds = [convert.get(t[1], Decimal if t[1].startswith("DECIMAL") else int) for t in types]
    return rows[0], [
        tuple(None if cell == "" else kind(cell) for kind, cell in zip(kinds, row, strict=True)) for row in rows[1:]
    ]


COLUMNS = {
    "company_budget_by_year": "company_id, company, year, movies, movies_with_budget, budget_usd, budget_usd_allocated",
    "company_revenue_by_year": "company_id, company, year, movies, movies_with_revenue, revenue_usd, revenue_usd_allocated",
    "company_profit_by_year": "company_id, company, year, movies, movies_with_profit, profit_usd, profit_usd_allocated",
    "company_releases_by_genre_by_year": "company_id, company, year, genre_id, genre, releases",
    "company_popularity_by_year": "company_id, company, year, movies, popularity_mean",
    "genre_most_popular_by_year": "year, genre_id, genre, movies, popularity_total, popularity_mean",
    "genre_budget_by_year": "year, genre_id, genre, movies, movies_with_budget, budget_usd, budget_usd_allocated",
    "genre_revenue_by_year": "year, genre_id, genre, movies, movies_with_revenue, revenue_usd, revenue_usd_allocated",
    "genre_profit_by_year": "year, genre_id, genre, movies, movies_with_profit, profit_usd, profit_usd_allocated",
}


@needs_excerpt
@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("edition", EDITIONS)
def test_every_cell_of_every_answer_equals_a_second_computation(excerpt, tmp_path_factory, edition, question):
    folder = tmp_path_factory.getbasetemp() / f"oracle-{edition}"
    if not folder.exists():
        with zipfile.ZipFile(EDITIONS[edition]) as archive:
            archive.extract("movies_metadata.csv", folder)
    expected = oracle.answers(folder / "movies_metadata.csv")[question]
    columns, rows = parsed(excerpt[edition], question)
    assert ", ".join(columns) == COLUMNS[question]
    assert len(rows) == len(expected)
    for found, wanted in zip(rows, expected, strict=True):
        assert found[:-1] == wanted[:-1]
        assert found[-1] == (pytest.approx(wanted[-1], rel=1e-12) if isinstance(wanted[-1], float) else wanted[-1])


@needs_excerpt
def test_both_editions_give_equal_answers(excerpt):
    for question in QUESTIONS:
        one, other = ((r.path / "answers" / f"{question}.csv").read_bytes() for r in excerpt.values())
        assert one == other


@needs_excerpt
def test_the_real_excerpt_is_balanced_and_explained(excerpt):
    kaggle, s3 = (r.run for r in excerpt.values())
    for run in (kaggle, s3):
        counts = {
            f: tuple(e["records"][k] for k in ("read", "loaded", "merged", "rejected")) for f, e in run.files.items()
        }
        assert counts == {
            "movies_metadata.csv": (5003, 5002, 1, 0),
            "credits.csv": (601, 152, 3, 446),
            "keywords.csv": (46419, 5002, 7, 41410),
            "links.csv": (45843, 45843, 0, 0),
            "links_small.csv": (9125, 9125, 0, 0),
            "ratings.csv": (100004, 100004, 0, 0),
            "ratings_small.csv": (100004, 100004, 0, 0),
        }
        assert run.rows["genre"] == 20
    assert "mended" not in kaggle.log
    assert s3.log["mended"] == {"split_record": 3, "damaged_list": 1}
    mended = [json.loads(x) for x in excerpt["s3"].error_log.read_text().splitlines() if '"mended"' in x]
    assert [(m["movie_id"], m["reason"], m["column"]) for m in mended if m["reason"] == "damaged_list"] == [
        (10663, "damaged_list", "genres")
    ]
    assert {m["movie_id"] for m in mended if m["reason"] == "split_record"} == {82663, 122662, 249260}
    assert mended[0]["value"].endswith("GATORADE")
    editions = {f for f, e in kaggle.files.items() if e["edition"] == "kaggle-v7"}
    assert editions == {"keywords.csv", "links.csv", "links_small.csv", "ratings_small.csv"}


@needs_excerpt
@pytest.mark.parametrize("edition", EDITIONS)
def test_every_line_is_that_of_the_raw_bytes(excerpt, edition):
    release = excerpt[edition]
    with zipfile.ZipFile(EDITIONS[edition]) as archive:
        lines = {n: archive.read(n).split(b"\n") for n in archive.namelist()}
    with duckdb.connect(str(release.database), read_only=True) as con:
        for movie_id, line in con.execute("SELECT movie_id, source_line FROM movie").fetchall():
            assert b",%d," % movie_id in b"\n".join(lines["movies_metadata.csv"][line - 1 : line + 12])
            assert lines["movies_metadata.csv"][line - 1].startswith((b"False,", b"True,"))
        for movie_id, credits, keywords in con.execute(
            "SELECT movie_id, credits_line, keywords_line FROM movie"
        ).fetchall():
            assert credits is None or lines["credits.csv"][credits - 1].endswith(b",%d" % movie_id)
            assert keywords is None or lines["keywords.csv"][keywords - 1].startswith(b"%d," % movie_id)
        for file, line, raw in con.execute("SELECT file, line, raw FROM rejected_record").fetchall():
            assert raw == b"\n".join(lines[file][line - 1 : line + raw.count(b"\n")]).rstrip(b"\r")
        ratings = con.execute(
            "SELECT user_id, movielens_id, rating, source_line FROM rating WHERE edition = 'full' AND user_id % 50 = 0"
        ).fetchall()
        for user, movie, rating, line in ratings:
            assert lines["ratings.csv"][line - 1].startswith(f"{user},{movie},{rating},".encode())


@needs_excerpt
def test_every_nested_cell_of_the_excerpt_equals_literal_eval(excerpt):
    release = excerpt["kaggle"]
    with zipfile.ZipFile(EDITIONS["kaggle"]) as archive:
        archive.extractall(release.out / "raw")
    movies = {int(r["id"]): r for r in oracle.records(release.out / "raw" / "movies_metadata.csv")}
    credits = {int(r["id"]): r for r in oracle.records(release.out / "raw" / "credits.csv") if int(r["id"]) in movies}
    with duckdb.connect(str(release.database), read_only=True) as con:
        for column, table, key in (
            ("genres", "movie_genre", "genre_id"), ("production_companies", "movie_company", "company_id"),
        ):  # fmt: skip
            found = con.execute(f"SELECT movie_id, {key} FROM {table} ORDER BY movie_id, position").fetchall()
            wanted = [(m, i) for m in sorted(movies) for i, _ in oracle.listed(movies[m][column])]
            assert found == wanted
        found = con.execute(
            'SELECT c.movie_id, credit_id, cast_id, "character", person_id, billing_order FROM cast_credit c ORDER BY ALL'
        ).fetchall()
        wanted = [
            (m, e["credit_id"], e["cast_id"], e["character"] or None, e["id"], e["order"])
            for m, r in credits.items()
            for e in oracle.items(r["cast"])
        ]
        assert Counter(found) == Counter(wanted)


def test_the_error_log_of_a_sample_is_the_list_of_what_was_planted(sample):
    made, release = sample
    fields = ("severity", "reason", "file", "line", "column")
    planted = {tuple(json.loads(x)[f] for f in fields) for x in made.planted_path.read_text().splitlines()}
    logged = {tuple(json.loads(x)[f] for f in fields) for x in release.error_log.read_text().splitlines()}
    assert sorted(planted - logged, key=str) == []
    assert sorted(logged - planted, key=str) == []
    assert len({reason for _, reason, *_ in planted}) >= 25


def test_a_release_has_all_its_parts(sample):
    _, release = sample
    out = release.out
    assert {p.name for p in out.iterdir() if not p.name.startswith(".")} == {
        "tables", "answers", "moviehouse.duckdb", "errors.jsonl", "run.json", "schema.sql", "report.html", "current", "releases",
    }  # fmt: skip
    assert {p.stem for p in (out / "tables").iterdir()} == {t.name for t in TABLES}
    assert {p.name for p in (out / "answers").glob("*.csv")} == {f"{q}.csv" for q in QUESTIONS}
    run = json.loads((out / "run.json").read_text())
    assert run["status"] == "published"
    assert run["source"]["sha256"]
    assert set(run["seconds"]) == {"fetch", "extract", "read", "conform", "check", "write", "total"}
    with duckdb.connect(str(out / "moviehouse.duckdb"), read_only=True) as con:
        for table in TABLES:
            in_file = con.execute(f"SELECT * FROM '{out}/tables/{table.name}.parquet'").fetchall()
            assert Counter(in_file) == Counter(con.execute(f"SELECT * FROM {table.name}").fetchall())
            comment = con.execute("SELECT comment FROM duckdb_tables() WHERE table_name = ?", [table.name]).fetchone()
            assert comment == (table.description,)
        for question in QUESTIONS:
            expected = con.execute(f"SELECT * FROM '{out}/answers/{question}.parquet'").fetchall()
            assert con.execute(f"SELECT * FROM {question}").fetchall() == expected
    log = [json.loads(x) for x in (out / "errors.jsonl").read_text().splitlines()]
    assert {tuple(line) for line in log} == {
        ("run_id", "severity", "reason", "file", "line", "column", "movie_id", "value", "message", "action")
    }


def test_the_schema_takes_the_tables_with_every_constraint(sample):
    """schema.sql declares keys, references and checks: an engine that enforces them takes every row."""
    _, release = sample
    with duckdb.connect() as con:
        con.execute((release.out / "schema.sql").read_text())
        for table in TABLES:
            con.execute(f"INSERT INTO {table.name} SELECT * FROM '{release.out}/tables/{table.name}.parquet'")
            count = con.execute(f"SELECT count(*) FROM {table.name}").fetchall()[0][0]
            assert count == release.run.rows[table.name]


def test_duckdb_shows_no_progress_of_its_own_in_a_notebook():
    """Python without a script is taken for one: DuckDB prints a bar there for what takes seconds."""
    code = (
        "import duckdb; from moviehouse.connect import connected\n"
        "shown = \"SELECT current_setting('enable_progress_bar')\"\n"
        "print(*(con.execute(shown).fetchone()[0] for con in (duckdb.connect(), connected(), connected().cursor())))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.split() == ["True", "False", "False"]


def test_tables_as_csv(sample, tmp_path):
    made, release = sample
    other = moviehouse.build(str(made.path), tmp_path / "out", format="csv")
    assert {p.suffix for p in (other.path / "tables").iterdir()} == {".csv"}
    assert other.run.rows == release.run.rows
    for question in QUESTIONS:
        assert parsed(other, question) == parsed(release, question)


@pytest.mark.long
def test_a_directory_a_zip_in_folders_and_a_file_url_give_the_same_release(sample, tmp_path):
    made, release = sample
    with zipfile.ZipFile(made.path) as archive:
        archive.extractall(tmp_path / "csvs")
    nested = tmp_path / "nested.zip"
    with zipfile.ZipFile(nested, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((tmp_path / "csvs").iterdir()):
            archive.write(path, f"some/folder/{path.name}")
    for source in (str(tmp_path / "csvs"), str(nested), nested.as_uri()):
        other = moviehouse.build(source, tmp_path / "out")
        assert {k: v for k, v in other.run.rows.items() if k != "error_log"} == {
            k: v for k, v in release.run.rows.items() if k != "error_log"
        }
        for question in QUESTIONS:
            assert parsed(other, question) == parsed(release, question)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("kind", ["zip", "directory"])
def test_copies_go_once_they_are_read_and_the_users_own_files_stay(tmp_path, monkeypatch, kind, encoding):
    made = moviehouse.sample(tmp_path / "s.zip", movies=30, ratings=100, seed=7, oddities=False)
    source = tmp_path / "csvs"
    with zipfile.ZipFile(made.path) as archive:
        archive.extractall(source)
    own = {path: path.read_bytes() for path in source.iterdir()}
    assert len(own) == 7
    archived = made.path.read_bytes()
    left = []

    def looking(real):
        def look(*rest, **options):
            left.append({path.name for path in (tmp_path / "out").glob(".work-*/**/*.csv")})
            return real(*rest, **options)

        return look

    monkeypatch.setattr(conform, "conform", looking(conform.conform))
    monkeypatch.setattr(check, "run_checks", looking(check.run_checks))
    moviehouse.build(made.path if kind == "zip" else source, tmp_path / "out", encoding=encoding)
    assert {path: path.read_bytes() for path in source.iterdir()} == own
    assert made.path.read_bytes() == archived
    needed = {"credits.csv", "keywords.csv"}  # whose records the log may have to quote
    extracted = needed if kind == "zip" else set()
    decoded = {f"utf8-{file}" for file in needed}
    assert left == [extracted if encoding == "utf-8" else decoded, set()]


def test_a_small_source_gets_one_thread_unless_more_are_asked_for(tmp_path, monkeypatch):
    source = write(tmp_path / "in")
    found = []
    real = conform.conform

    def look(engine, *rest):
        found.append(engine.scalar("SELECT current_setting('threads')"))
        real(engine, *rest)

    monkeypatch.setattr(conform, "conform", look)
    moviehouse.build(source, tmp_path / "out")
    moviehouse.build(source, tmp_path / "out", threads=3)
    monkeypatch.setattr("moviehouse.steps.extract._SMALL", 0)
    moviehouse.build(source, tmp_path / "out")
    with duckdb.connect() as con:
        (several,) = con.execute("SELECT current_setting('threads')").fetchone()
    assert found == [1, 3, several]


def test_what_is_held_in_a_file_makes_the_same_release(tmp_path, monkeypatch):
    """Where a source is many times the memory, its relations are in a file instead of in memory."""
    made = moviehouse.sample(tmp_path / "s.zip", movies=300, ratings=20_000, seed=7)
    found = []
    real = conform.conform

    def look(engine, *rest):
        found.append([path.name for path in (tmp_path / "out").glob(".work-*/*.duckdb")])
        real(engine, *rest)

    monkeypatch.setattr(conform, "conform", look)
    one = moviehouse.build(made.path, tmp_path / "out")
    monkeypatch.setattr("moviehouse.engines.duckdb._SPILLED", 0)
    other = moviehouse.build(made.path, tmp_path / "out")
    assert found == [[], ["held.duckdb"]]
    assert one.run.rows == other.run.rows
    with duckdb.connect() as con:
        for table in TABLES:
            columns = ", ".join(f'"{c.name}"' for c in table.columns if c.name != "run_id")
            both = [f"SELECT {columns} FROM '{release.path}/tables/{table.name}.parquet'" for release in (one, other)]
            for first, second in (both, reversed(both)):
                assert con.execute(f"{first} EXCEPT ALL {second} LIMIT 1").fetchall() == [], table.name


def test_check_says_what_build_says_and_writes_nothing(sample, tmp_path, monkeypatch):
    made, release = sample
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.rglob("*"))
    checked = moviehouse.check(str(made.path))
    assert set(tmp_path.rglob("*")) == before
    assert checked.run.log == release.run.log
    assert checked.run.files == release.run.files
    assert len(checked.log) == release.run.rows["error_log"]
    assert checked.run.checks == release.run.checks
