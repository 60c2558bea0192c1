"""A cell of an answer is what the movies behind it add, each as it stands in the source."""

import csv
import io
import json
import re
import shutil
import zipfile
from decimal import Decimal
from pathlib import Path

import duckdb
import oracle
import pytest
from provenance import release_of
from small import built, movies, write

import moviehouse
from moviehouse import cli
from moviehouse.errors import UsageError
from moviehouse.run import RunRecord
from moviehouse.sql import QUESTIONS
from moviehouse.steps.answer import Filters
from moviehouse.steps.trace import KEYS, add_up, equal, trace_cells

D = Decimal
EDITIONS = ["s3", "sample"]  # both copies of the excerpt give equal answers


def bulk(release, question):
    with duckdb.connect(str(release.database), read_only=True) as con:
        return trace_cells(con, release.run, question, Filters())


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("edition", EDITIONS)
def test_every_cell_of_every_answer_is_what_its_movies_add(edition, question, tmp_path_factory):
    _, release = release_of(edition, tmp_path_factory)
    with duckdb.connect() as con:
        published = con.execute(f"SELECT * FROM '{release.path}/answers/{question}.parquet'").fetchall()
    traced = bulk(release, question)
    assert [(*cell.keys.values(), *cell.measures.values()) for cell in traced.cells] == published
    assert len(published) > 50
    for cell in traced.cells:
        assert cell.adds_up, cell
        assert len(cell.movies) == len({movie.movie_id for movie in cell.movies})
        # The sums once more, not by the property under test.
        for measure, value in cell.measures.items():
            known = [m.adds[measure] for m in cell.movies if m.adds[measure] is not None]
            if measure in ("movies", "releases"):
                assert value == len(cell.movies)
            elif measure.endswith("_mean"):
                assert value == (pytest.approx(float(sum(known)) / len(known), rel=1e-15) if known else None)
            else:
                assert value == (sum(known) if known else None)
        assert sum(m.unknown is not None for m in cell.movies) == sum(None in m.adds.values() for m in cell.movies)


def test_what_a_movie_adds_is_what_its_record_has(tmp_path_factory):
    """Against the file itself, read by the standard library."""
    source, release = release_of("s3", tmp_path_factory)
    with zipfile.ZipFile(source) as archive:
        archive.extract("movies_metadata.csv", release.out / "raw")
    path = release.out / "raw" / "movies_metadata.csv"
    lines = path.read_bytes().split(b"\n")
    records = {int(record["id"]): record for record in oracle.records(path)}
    for question in ("genre_revenue_by_year", "company_budget_by_year", "company_popularity_by_year"):
        for cell in bulk(release, question).cells:
            for movie in cell.movies:
                record = records[movie.movie_id]
                assert cell.keys["year"] == int(record["release_date"][:4])
                if "revenue_usd" in movie.adds:
                    assert movie.adds["revenue_usd"] == oracle.amount(record["revenue"])
                    assert movie.shared_by == len(oracle.listed(record["genres"]))
                elif "budget_usd" in movie.adds:
                    assert movie.adds["budget_usd"] == oracle.amount(record["budget"])
                    assert movie.unknown == (None if oracle.amount(record["budget"]) else "budget is 0")
                else:
                    assert movie.adds["popularity_mean"] == D(record["popularity"])
                assert b",%d," % movie.movie_id in b"\n".join(lines[movie.source_line - 1 : movie.source_line + 12])


@pytest.mark.parametrize("question", QUESTIONS)
def test_one_cell_is_traced_as_all_are(question, tmp_path_factory):
    _, release = release_of("sample", tmp_path_factory)
    cells = bulk(release, question).cells
    for cell in [*cells[:: len(cells) // 8], cells[-1]]:
        filters = {thing: cell.keys[f"{thing}_id"] for thing in ("genre", "company") if thing in cell.keys}
        one = release.trace(question, years=cell.keys["year"], **filters)
        assert one.cells == (cell,)
        assert one.adds_up
        assert one.sql


def test_a_trace_that_does_not_add_up_says_so(capsys, tmp_path_factory, tmp_path):
    """Adding up is checked against the release's own answer, not against itself."""
    _, release = release_of("sample", tmp_path_factory)
    copy = tmp_path / "copy"
    shutil.copytree(release.path, copy)
    with duckdb.connect(str(copy / "moviehouse.duckdb")) as con:
        sql = con.execute("SELECT sql FROM duckdb_views() WHERE view_name = 'genre_revenue_by_year'").fetchall()[0][0]
        body = re.sub(r"(?is)^create view \S+ as", "", sql).rstrip().rstrip(";")
        con.execute(f"CREATE VIEW honest AS {body}")
        con.execute(
            "CREATE OR REPLACE VIEW genre_revenue_by_year AS "
            "SELECT * REPLACE (revenue_usd_allocated + 0.01 AS revenue_usd_allocated) FROM honest"
        )
        year = con.execute("SELECT year FROM honest WHERE genre_id = 18 AND revenue_usd IS NOT NULL").fetchall()[0][0]
    traced = moviehouse.trace("genre-revenue-by-year", copy, genre="Drama", years=year)
    assert not traced.adds_up
    assert traced.cells[0].measures["revenue_usd"] == traced.cells[0].sums["revenue_usd"]
    status = cli.run(["trace", "genre-revenue-by-year", "--genre", "18", "--year", str(year), "--release", str(copy)])
    out = capsys.readouterr().out
    assert status == 3
    assert "It does NOT add up" in out
    assert "revenue_usd_allocated is" in out
    assert "It adds up" not in out


def test_adding_up():
    assert add_up("movies", [1, 1]) == 2
    assert add_up("revenue_usd", [None, 5, 7]) == 12
    assert add_up("revenue_usd", [None]) is None
    assert add_up("popularity_mean", [D("1.5"), None, D("2.5")]) == 2.0
    assert equal(None, None)
    assert not equal(None, 0)
    assert not equal(D("1.00"), D("1.01"))
    assert equal(0.1 + 0.2, 0.3)
    assert not equal(0.3, 0.3 + 1e-12)


NAMES = {16: "Animation", 18: "Drama", 35: "Comedy"}


def genres(*ids):
    return repr([{"id": i, "name": NAMES[i]} for i in ids])


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    pixar = repr([{"name": "Pixar", "id": 1}, {"name": "Disney", "id": 2}])
    rows = movies(
        {"title": "Full", "genres": genres(18, 35, 16), "budget": "100", "revenue": "1000", "production_companies": pixar},
        {"title": "Zero", "genres": genres(18), "revenue": "0", "budget": "5"},
        {"title": "Empty", "genres": genres(18), "revenue": "", "budget": "2000"},
        {"title": "Wrong", "genres": genres(18), "revenue": "12,5", "popularity": "Beware", "budget": ""},
        {"title": "Later", "genres": genres(35), "release_date": "2001-01-01", "revenue": "7", "production_companies": pixar},
        {"title": "Evil \x1b[2J\x07 \u202eeman\nname [bold]b[/bold] [/] :smile:", "genres": genres(16), "release_date": "2001-01-01", "revenue": "50000"},
        {"title": "Planned", "genres": genres(16), "status": "Planned", "production_companies": "[{'name': 'Never', 'id': 9}]"},
    )  # fmt: skip
    folder = write(tmp_path_factory.mktemp("house") / "in", movies_metadata=rows)
    return built(folder).release


def test_the_movies_behind_a_cell(house):
    traced = house.trace("genre-revenue-by-year", genre="drama", years=1995)
    (cell,) = traced.cells
    assert cell.keys == {"year": 1995, "genre_id": 18, "genre": "Drama"}
    assert cell.measures == {
        "movies": 4, "movies_with_revenue": 1, "revenue_usd": 1000, "revenue_usd_allocated": D("333.34"),
    }  # fmt: skip
    assert cell.sums == cell.measures
    full, *unknown = cell.movies
    assert (full.movie_id, full.title, full.shared_by, full.source_line) == (1, "Full", 3, 2)
    assert full.adds == {
        "movies": 1, "movies_with_revenue": 1, "revenue_usd": 1000, "revenue_usd_allocated": D("333.34"),
    }  # fmt: skip
    assert [(m.title, m.unknown, m.source_line) for m in unknown] == [
        ("Zero", "revenue is 0", 3),
        ("Empty", "revenue is empty", 4),
        ("Wrong", "revenue is not valid: '12,5'", 5),
    ]
    assert unknown[0].adds["revenue_usd"] is None
    logged = [(e.reason, e.line, e.column, e.value, e.action) for e in unknown[2].log]
    assert ("invalid_integer", 5, "revenue", "12,5", "cell set to NULL") in logged
    assert ("invalid_number", 5, "popularity", "Beware", "cell set to NULL") in logged
    assert cell.movies[0].log[0].reason == "suspicious_amount"


def test_why_an_amount_is_unknown_when_the_source_is_gone(house, tmp_path):
    """Zeros and empty cells are told apart by the raw record alone; without it both are named."""
    shutil.copytree(house.path, tmp_path / "copy")
    run = json.loads((tmp_path / "copy" / "run.json").read_text())
    run["source"]["address"] = str(tmp_path / "nowhere")
    (tmp_path / "copy" / "run.json").write_text(json.dumps(run))
    (cell,) = moviehouse.trace("genre-revenue-by-year", tmp_path / "copy", genre=18, years=1995).cells
    assert [m.unknown for m in cell.movies[1:]] == [
        "revenue is 0 or empty", "revenue is 0 or empty", "revenue is not valid: '12,5'",
    ]  # fmt: skip


def test_profit_says_which_amount_it_lacks(house):
    (cell,) = house.trace("genre-profit-by-year", genre=18, years=1995).cells
    assert [(m.title, m.adds["profit_usd"], m.unknown) for m in cell.movies] == [
        ("Full", 900, None),
        ("Zero", None, "revenue is 0"),
        ("Empty", None, "revenue is empty"),
        ("Wrong", None, "revenue is not valid: '12,5'; budget is empty"),
    ]
    (cell,) = house.trace("company-popularity-by-year", company="pixar", years=1995).cells
    assert [m.adds for m in cell.movies] == [{"movies": 1, "popularity_mean": D("1.5")}]


def test_without_a_year_every_year_is_traced(house):
    traced = house.trace("company-revenue-by-year", company="Pixar")
    assert [(c.keys["year"], [m.title for m in c.movies]) for c in traced.cells] == [
        (1995, ["Full"]),
        (2001, ["Later"]),
    ]
    traced = house.trace("company-releases-by-genre-by-year", company=1)
    assert [(c.keys["year"], c.keys["genre"]) for c in traced.cells] == [
        (1995, "Animation"), (1995, "Drama"), (1995, "Comedy"), (2001, "Comedy"),
    ]  # fmt: skip
    traced = house.trace("genre-most-popular-by-year", years=(1995, 2001))
    assert [(c.keys["year"], c.keys["genre"], len(c.movies)) for c in traced.cells] == [
        (1995, "Drama", 4), (2001, "Animation", 1),
    ]  # fmt: skip
    assert all(set(c.keys) <= set(KEYS) for c in traced.cells)


@pytest.mark.parametrize(
    ("question", "filters", "message", "hint"),
    [
        ("genre-revenue-by-year", {}, "Which genre", "--genre Animation"),
        ("company-profit-by-year", {"years": 1995}, "Which company", "--company"),
        ("genre-revenue", {"genre": 18}, "no question 'genre-revenue'", "genre-revenue-by-year"),
        ("genre-revenue-by-year", {"genre": "Drma"}, "no genre 'Drma'", r"Drama \(18\)"),
        ("genre-revenue-by-year", {"genre": 18, "company": 1}, "no company", "--company"),
        ("genre-revenue-by-year", {"genre": "comedy", "years": 1996}, r"no cell for Comedy \(35\) in 1996", "1995, 2001"),
        ("company-budget-by-year", {"company": 1, "years": (1900, 1910)}, "in 1900 to 1910", "nearest years.*1995"),
        ("genre-most-popular-by-year", {"genre": 35, "years": 1995}, r"no cell for Comedy \(35\)", "Drama"),
        ("company-releases-by-genre-by-year", {"company": 2, "genre": 18, "years": 2001}, r"Disney \(2\), Drama", "1995"),
        ("company-budget-by-year", {"company": "never"}, r"no cell for Never \(9\)", "None of its movies is a release"),
    ],
)  # fmt: skip
def test_a_cell_that_is_not_there_says_what_is_near(house, question, filters, message, hint):
    with pytest.raises(UsageError, match=message) as caught:
        house.trace(question, **filters)
    assert re.search(hint, caught.value.hint)


def run(capsys, *arguments):
    status = cli.run([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return status, out, err


def test_as_a_table(capsys, house):
    command = ["trace", "genre-revenue-by-year", "--genre", "Drama", "--year", 1995, "--release", house.path]
    status, out, err = run(capsys, *command)
    assert (status, err) == (0, "")
    assert re.search(r" 1 +Full +1,000 +333\.34 +3 +2\n", out)
    assert re.search(r"sum of 1 +1,000 +333\.34", out)
    assert re.search(r" 3 +Empty +revenue is empty +4\n", out)
    assert "invalid_integer  Wrong (4), movies_metadata.csv line 5, revenue: 12,5" in out
    assert (
        "It adds up. The cell is exactly what its movies make: movies 4, movies_with_revenue 1, revenue_usd 1,000"
        in out
    )
    assert not [line for line in out.splitlines() if len(line) > 120]


def test_what_a_short_table_leaves_out_is_in_its_sum(capsys, tmp_path_factory):
    _, release = release_of("sample", tmp_path_factory)
    out = run(capsys, "trace", "genre-budget-by-year", "--genre", 18, "--release", release.path, "--top", 3)[1]
    figures = [int(x.replace(",", "")) for x in re.findall(r"^\d{4} +\d+ .*? ([\d,]{4,}) +[\d,]+\.\d\d ", out, re.M)]
    rest = int(re.search(r"\d+ more +([\d,]+) ", out)[1].replace(",", ""))
    total = int(re.search(r"sum of \d+ +([\d,]+) ", out)[1].replace(",", ""))
    assert len(figures) == 3
    assert sum(figures) + rest == total
    cells = release.trace("genre-budget-by-year", genre=18).cells
    assert total == sum(cell.measures["budget_usd"] or 0 for cell in cells)
    assert f"Each of the {len(cells)} cells" in out
    assert run(capsys, "trace", "genre-budget-by-year", "--genre", 18, "--top", 0, "--release", release.path)[0] == 2


def test_as_csv_and_json(capsys, house):
    command = ["trace", "genre-revenue-by-year", "--genre", 18, "--release", house.path, "--format"]
    rows = list(csv.DictReader(io.StringIO(run(capsys, *command, "csv")[1])))
    assert [row["movie_id"] for row in rows] == ["1", "2", "3", "4"]
    assert rows[0]["revenue_usd_allocated"] == "333.34"
    assert "invalid_integer movies_metadata.csv:5 revenue" in rows[3]["log"]
    told = json.loads(run(capsys, *command, "json")[1])
    assert told["adds_up"] is True
    (cell,) = told["cells"]
    assert (cell["year"], cell["genre"], cell["revenue_usd"], cell["revenue_usd_allocated"]) == (
        1995,
        "Drama",
        1000,
        333.34,
    )
    assert [m["adds"]["revenue_usd"] for m in cell["behind"]] == [1000, None, None, None]
    assert cell["behind"][3]["log"][0]["line"] == 5


def test_what_controls_a_terminal_is_only_shown(capsys, house):
    out = run(
        capsys, "trace", "genre-revenue-by-year", "--genre", "Animation", "--year", 2001, "--release", house.path
    )[1]
    assert r"Evil \x1b[2J\x07 \u202eeman\nname [bold]b[/bold] [/] :smile:" in out
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", out)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_amounts_are_whole_at_any_width(capsys, house, monkeypatch, width):
    monkeypatch.setattr("moviehouse.render.terminal._WIDTH_IN_A_PIPE", width)
    out = run(capsys, "trace", "genre-revenue-by-year", "--genre", "Animation", "--release", house.path)[1]
    assert "50,000.00" in out
    assert not [line for line in out.splitlines() if len(line) > width]


def test_a_record_of_an_older_run_can_be_traced(house, tmp_path):
    """A run record that lacks the null tokens does not keep a trace from its answer."""
    shutil.copytree(house.path, tmp_path / "copy")
    run_ = RunRecord.read(Path(tmp_path / "copy" / "run.json"))
    del run_.files["movies_metadata.csv"]["null_tokens"]
    run_.write(tmp_path / "copy" / "run.json")
    (cell,) = moviehouse.trace("genre-revenue-by-year", tmp_path / "copy", genre=18, years=1995).cells
    assert [m.unknown for m in cell.movies[1:3]] == ["revenue is 0", "revenue is empty"]
