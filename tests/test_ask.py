"""`moviehouse ask`: names however they are written, totals where they mean something, formats, narrow terminals."""

import csv
import io
import json
import shlex
import subprocess
import sys

import duckdb
import pytest
from house import COMPANIES, house, run  # noqa: F401  (fixtures)
from pseudo import on_terminal, plain

import moviehouse
from moviehouse import cli
from moviehouse.errors import UsageError
from moviehouse.hints import command
from moviehouse.steps.names import _has, words
from moviehouse.steps.totals import no_total, totals

REVENUE = "company-revenue-by-year"


def rows(out):
    return list(csv.DictReader(io.StringIO(out)))


@pytest.mark.parametrize(
    ("asked", "id_"),
    [
        ("canal+", 4), ("CANAL", 4), ("societe generale et cie", None), ("societe generale and cie", 5),
        ("Société  Générale &Cie", 5), ("SOCIÉTÉ GÉNÉRALE & CIE.", 5), ("generale", 5), ("Walt Disney", 6),
        ("waltdisney", 6), ("walt disney pict", 2), ("disney pictures", 2), ("12", 12), ("20", 20), ("studio canal", 30),
        ("=1+1", 7), ("<script>alert(1)</script>", 8), ("script alert", 8), ("an", None), ("東", 31), ("東宝", 31), ("toho", 32),
    ],
)  # fmt: skip
def test_a_company_is_found_however_its_name_is_written(house, asked, id_):  # noqa: F811
    if id_ is None:
        with pytest.raises(UsageError, match="no company"):
            house.release.ask(REVENUE, company=asked)
        return
    assert {row[0] for row in house.release.ask(REVENUE, company=asked).rows} == {id_}


def test_words_of_a_name():
    assert words("L'Étoile & Łódź, Œuvre—Straße ltd.") == ("letoile", "and", "lodz", "oeuvre", "strasse", "ltd")
    assert words("+++") == words(None) == ()


def test_a_name_of_several_lists_them_with_ids_releases_and_years(run, house):  # noqa: F811
    status, out, err = run("ask", REVENUE, "--company", "pixar")
    assert (status, out) == (2, "")
    lines = err.splitlines()
    assert lines[0] == "moviehouse: 'pixar' is the name of 2 companies."
    assert [line.split() for line in lines[1:4]] == [
        ["id", "releases", "years", "name"], ["1", "2", "1991-1995", "Pixar"], ["3", "1", "1993", "Pixar"],
    ]  # fmt: skip
    counted = house.rows(
        "SELECT SUM(movies) FROM company_revenue_by_year WHERE company_id IN (1, 3) GROUP BY company_id"
    )
    assert sorted(counted) == [(1,), (2,)], "what the list says and the answers count is the same"
    assert lines[4] == "  Give the id of one, for example --company 1."
    assert run("ask", REVENUE, "--company", "1")[0] == 0
    err = run("ask", REVENUE, "--company", "dis")[2]
    assert "'dis' is a part of the names of 2 companies" in err
    assert "Walt Disney Pictures" in err


def test_trace_finds_names_by_the_same_rules(run):  # noqa: F811
    assert "the name of 2 companies" in run("trace", REVENUE, "--company", "PIXAR")[2]
    status, out, _ = run("trace", REVENUE, "--company", "disney pictures", "--year", "1995")
    assert status == 0
    assert "Walt Disney Pictures (2), 1995" in out


def test_a_part_of_a_name_is_said_to_be_one(run):  # noqa: F811
    _, out, _ = run("ask", REVENUE, "--company", "disney pictures")
    assert "'disney pictures' was read as Walt Disney Pictures (2)." in out
    assert "was read as" not in run("ask", REVENUE, "--company", "walt  DISNEY pictures")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["revenue-by-genre"], "Did you mean genre-revenue-by-year?"),
        (["revenue"], "Did you mean genre-revenue-by-year or company-revenue-by-year?"),
        (["nonsense"], "Ask one of: genre-revenue-by-year, "),
        (["genre-revenue-by-year", "--genre", "an"], "The release has no genre 'an'"),
        (["genre-revenue-by-year", "--genre", "Anmation"], "Near: Animation (16)"),
        ([REVENUE, "--company", "Walt Dysney"], "Near: Walt Disney (6)"),
        ([REVENUE, "--company", "qqqqqq"], "moviehouse sql"),
        ([REVENUE, "--genre", "Drama"], "has no genre"),
        (["genre-revenue-by-year", "--format", "xml"], "xml"),
    ],
)
def test_an_unknown_name_suggests_near_ones(run, arguments, message):  # noqa: F811
    status, out, err = run("ask", *arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) <= 2


def test_a_few_letters_are_a_name_but_not_the_beginning_of_one():
    for theirs, asked, same in (
        ("TV Movie", "tv", True), ("Animation", "an", False), ("Animation", "ani", True), ("Walt Disney", "w d", False),
        ("Walt Disney", "wa d", True), ("TV Movie", "tvm", True),
    ):  # fmt: skip
        assert _has(words(theirs), words(asked)) is same, asked


def test_hints_are_commands_on_the_same_release(run, house, tmp_path):  # noqa: F811
    """Whatever a hint suggests does run, and from any folder."""
    place = f" --release {house.release.out}"
    hint = run("ask", REVENUE, "--company", "qqqqqq")[2].splitlines()[1]
    assert hint == f'  See all of them: moviehouse sql "FROM company ORDER BY name"{place}'
    assert run("trace", REVENUE, "--company", "qqqqqq")[2].splitlines()[1] == hint
    shown = [run("ask")[1], run("errors")[1], run("errors", "--movie", "1")[1], run("why", "2")[1]]
    hints = [hint, *(out.splitlines()[-1] for out in shown)]
    for words_ in ("ask genre", "errors --reason", "why 1", "trace genre"):
        assert any(f": moviehouse {words_}" in hint for hint in hints), words_
    spaced = tmp_path / "an output"
    spaced.symlink_to(house.release.out)
    hints.append(run("errors", release=spaced)[1].splitlines()[-1])
    assert hints[-1].endswith(f" --release '{spaced}'")
    for hint in hints:
        assert cli.run(shlex.split(hint.partition(": moviehouse ")[2])) == 0, hint
    assert command("errors") == "moviehouse errors"


def test_options_repeat_and_years_are_ranges(run):  # noqa: F811
    _, out, _ = run("ask", REVENUE, "--company", "1", "--company", "walt disney pictures", "--format", "csv")
    assert {(row["company_id"], row["year"]) for row in rows(out)} == {
        ("1", "1991"), ("1", "1995"), ("2", "1992"), ("2", "1995"), ("2", "1996"),
    }  # fmt: skip
    _, out, _ = run("ask", REVENUE, "--company", "1", "--company", "2", "--year", "1995:", "--format", "csv")
    assert {row["year"] for row in rows(out)} == {"1995", "1996"}
    assert (
        "The years that have some are from 1991 to 1995." in run("ask", REVENUE, "--company", "1", "--year", "1800")[1]
    )


def test_one_thing_over_the_years_has_totals_of_all_that_counts(run):  # noqa: F811
    _, out, _ = run("ask", REVENUE, "--company", "2")
    (line,) = [line.split() for line in out.splitlines() if line.strip().startswith("total")]
    assert line == ["total", "3", "2", "2,033", "2,016.50"]
    assert "No total" not in out
    assert "US dollars" in out


def test_over_several_things_only_what_is_allocated_adds_up(run, house):  # noqa: F811
    _, out, _ = run("ask", "genre-revenue-by-year")
    (line,) = [line.split() for line in out.splitlines() if line.strip().startswith("total")]
    known = house.rows("SELECT SUM(revenue_usd) FROM release WHERE revenue_usd IS NOT NULL")[0][0]
    assert line == ["total", f"{known:,}.00"]
    assert "No total of movies, movies_with_revenue and revenue_usd: a movie counts whole" in out
    assert "revenue_usd_allocated adds up." in out


def test_a_mean_has_no_total_and_neither_have_the_winners_of_the_years(run):  # noqa: F811
    _, out, _ = run("ask", "company-popularity-by-year", "--company", "2")
    (line,) = [line.split() for line in out.splitlines() if line.strip().startswith("total")]
    assert line == ["total", "3"]
    assert "total  " not in run("ask", "genre-most-popular-by-year")[1].replace("popularity_total", "")
    assert "popularity score" in out


def test_totals_of_amounts_that_are_all_unknown_are_unknown():
    columns = ("year", "genre_id", "genre", "movies", "movies_with_budget", "budget_usd", "budget_usd_allocated")
    unknown = [(1990, 1, "A", 1, 0, None, None), (1991, 1, "A", 2, 0, None, None)]
    assert totals(columns, unknown) == {
        "movies": 3, "movies_with_budget": 0, "budget_usd": None, "budget_usd_allocated": None,
    }  # fmt: skip
    assert totals(columns, unknown[:1]) == {}
    assert no_total(columns, unknown) == []


def test_the_largest_rows_say_how_many_there_are(run):  # noqa: F811
    _, out, _ = run("ask", REVENUE, "--top", "2")
    assert "The 2 largest of 17 rows; the total is theirs alone." in out
    assert "5,000,000" in out


def test_show_sql_runs_as_it_is(run, house):  # noqa: F811
    _, out, _ = run("ask", REVENUE, "--company", "1", "--company", "2", "--year", "1995", "--top", "1", "--show-sql")
    asked = out.split("-- Asked of the view of that name:\n")[1].split(";")[0]
    assert [row[:3] for row in house.rows(asked)] == [(1, "Pixar", 1995)]
    _, out, err = run("ask", REVENUE, "--format", "csv", "--show-sql")
    assert out.startswith("company_id,")
    assert "FROM company_share" in err


def test_csv_and_json_hold_the_rows_and_nothing_that_runs(run):  # noqa: F811
    _, out, _ = run("ask", REVENUE, "--format", "csv")
    names = {row["company_id"]: row["company"] for row in rows(out)}
    assert names["7"] == "'=1+1"
    assert names["8"] == "<script>alert(1)</script>"
    assert names["9"] == "\x1b[31mred\nline"
    _, out, _ = run("ask", REVENUE, "--format", "json")
    assert {row["company_id"]: row["company"] for row in json.loads(out)} == dict(COMPANIES)
    assert "\x1b" not in out
    assert "\x1b" not in run("ask", REVENUE)[1]
    assert json.loads(run("ask", REVENUE, "--year", "1800", "--format", "json")[1]) == []


def test_parquet_to_a_file_and_to_a_pipe(run, house, tmp_path):  # noqa: F811
    target = tmp_path / "a.parquet"
    assert run("ask", REVENUE, "--company", "2", "--output", target) == (0, "", "")
    found = duckdb.sql(f"FROM '{target}' ORDER BY year")
    assert [str(t) for t in found.types] == [
        "BIGINT", "VARCHAR", "INTEGER", "BIGINT", "BIGINT", "BIGINT", "DECIMAL(20,2)",
    ]  # fmt: skip
    assert tuple(found.fetchall()) == house.release.ask(REVENUE, company=2).rows
    done = subprocess.run(
        [sys.executable, "-m", "moviehouse", "ask", REVENUE, "--company", "2", "--format", "parquet",
         "--release", house.release.out],
        capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout[:4] == done.stdout[-4:] == b"PAR1"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.parquet"]


def test_parquet_is_not_written_on_a_terminal(house):  # noqa: F811
    status, out = on_terminal("ask", REVENUE, "--format", "parquet", "--release", house.release.out)
    assert status == 2
    assert "PAR1" not in out
    assert "--output FILE.parquet" in out


def test_an_output_is_whole_or_not_there_and_never_in_the_release(run, house, tmp_path):  # noqa: F811
    target = tmp_path / "a.csv"
    target.write_text("before")
    assert run("ask", REVENUE, "--company", "qqqq", "--output", target)[0] == 2
    assert target.read_text() == "before"
    assert run("ask", REVENUE, "--output", target)[0] == 0
    assert target.read_text().startswith("company_id,")
    status, _, err = run("ask", REVENUE, "--output", tmp_path / "a.xyz")
    assert (status, err.splitlines()[1]) == (2, "  Write one of .txt, .csv, .json, .parquet, or give --format.")
    assert run("ask", REVENUE, "--output", tmp_path / "a.xyz", "--format", "json")[0] == 0
    assert json.loads((tmp_path / "a.xyz").read_text())
    assert run("ask", REVENUE, "--output", tmp_path / "a.txt")[0] == 0
    assert (tmp_path / "a.txt").read_text().startswith("Revenue by production company")
    for place in (house.release.database, house.release.out / "x.csv", tmp_path / "no" / "x.csv", tmp_path):
        status, _, err = run("ask", REVENUE, "--output", place, "--format", "csv")
        assert status == 4, place
        assert len(err.splitlines()) <= 2
        assert "Trying again" not in err
    assert run("ask", REVENUE)[0] == 0


@pytest.mark.parametrize("columns", [120, 60, 40])
def test_a_terminal_of_any_width_shows_every_number_whole(house, columns):  # noqa: F811
    status, out = on_terminal("ask", REVENUE, "--release", house.release.out, columns=columns)
    text = plain(out)
    assert status == 0
    assert max(map(len, text.splitlines())) <= columns
    assert "…" not in text
    numbers = text.replace(",", "").split()
    for row in house.release.ask(REVENUE).rows:
        assert "unknown" in numbers if row[5] is None else str(row[5]) in numbers
    assert "\x1b" in out


def test_no_color_and_a_dumb_terminal_and_a_pipe(house):  # noqa: F811
    _, out = on_terminal("errors", "--lines", "--release", house.release.out, NO_COLOR="1")
    assert not any(f"\x1b[{code}m" in out for code in range(30, 38))
    _, out = on_terminal("errors", "--lines", "--release", house.release.out)
    assert any(f"\x1b[{code}m" in out for code in range(30, 38))
    _, out = on_terminal("ask", REVENUE, "--release", house.release.out, term="dumb", columns=50)
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= 50


@pytest.mark.parametrize("shape", ["missing", "file", "empty", "failed", "part", "newer", "no record", "damaged"])
def test_what_is_no_release_is_said_in_a_sentence_and_a_next_step(run, house, tmp_path, shape):  # noqa: F811
    place = tmp_path / "out"
    said = {
        "missing": "does not exist", "file": "is a file, and no release", "empty": "There is no release in",
        "failed": "moviehouse errors --failed", "part": "only a part of a release", "newer": "newer Moviehouse",
        "no record": "is not a run record", "damaged": "cannot be opened",
    }[shape]  # fmt: skip
    if shape == "file":
        place.write_text("x")
    elif shape != "missing":
        place.mkdir()
    if shape == "failed":
        (place / "failed" / "x").mkdir(parents=True)
    if shape in ("part", "newer", "no record", "damaged"):
        place.joinpath("moviehouse.duckdb").write_bytes(house.release.database.read_bytes())
        record = json.loads((house.release.path / "run.json").read_text())
        if shape != "part":
            text = json.dumps(record | {"run_format": 99}) if shape == "newer" else "{" * (shape == "no record")
            (place / "run.json").write_text(text or json.dumps(record))
    if shape == "damaged":
        place.joinpath("moviehouse.duckdb").write_bytes(b"nothing" * 1000)
    for words_ in (["ask", REVENUE], ["sql", "FROM movie"], ["why", "1"]):
        status, out, err = run(*words_, release=place)
        assert (status, out) == (1, ""), err
        assert said in err
        assert len(err.splitlines()) == 2


def test_a_release_is_named_by_its_output_its_own_directory_or_its_database(house):  # noqa: F811
    own = house.release
    answers = [
        moviehouse.ask(REVENUE, place) for place in (own.out, own.path, own.database, own.out / "moviehouse.duckdb")
    ]
    assert all(answer == answers[0] for answer in answers)
