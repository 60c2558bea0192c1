"""Everything about one movie: its raw record, what was done to it, its rows, its part in every answer."""

import json
import re
import shutil
import zipfile
from decimal import Decimal

import duckdb
import pytest
from provenance import release_of
from small import built, movies, text, write

import moviehouse
from moviehouse import cli
from moviehouse.errors import UsageError
from moviehouse.model.tables import TABLES
from moviehouse.sql import QUESTIONS
from moviehouse.steps.answer import Filters
from moviehouse.steps.find_movie import find_movie
from moviehouse.steps.trace import trace_cells

D = Decimal


def run(capsys, *arguments):
    status = cli.run([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return status, out, err


def genres(*ids):
    names = {16: "Animation", 18: "Drama", 35: "Comedy"}
    return repr([{"id": i, "name": names[i]} for i in ids])


PIXAR = repr([{"name": "[bold]Pixar[/] :smile:", "id": 1}, {"name": "Disney", "id": 2}])


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    rows = movies(
        {"id": "20", "title": "First try", "imdb_id": "tt0000020"},
        {"id": "20", "title": "Amélie", "original_title": "Le fabuleux destin", "imdb_id": "tt0000020", "budget": "100",
         "revenue": "1000", "genres": genres(18, 35, 16), "production_companies": PIXAR, "popularity": "2.25",
         "overview": "Two\nlines, \"quoted\" and \x1b[2J\x07 evil"},
        {"id": "30", "title": "Twin", "imdb_id": "tt0000030", "genres": "[{'id': 35, 'name': 'Comedy'} GATORADE"},
        {"id": "31", "title": "Twin", "imdb_id": "tt0000031", "release_date": "2001-02-03", "status": "Planned"},
        {"id": "40", "title": "20", "imdb_id": "tt0000040", "release_date": "10/30/1995", "budget": "n/a"},
        {"id": "50", "title": "The Lost Echo", "imdb_id": "tt0000050", "release_date": "", "genres": genres(18)},
        {"id": "60", "title": "Bare", "imdb_id": "", "status": ""},
    )  # fmt: skip
    lines = text("movies_metadata.csv", rows).splitlines(keepends=True)
    lines.insert(5, b"False,,0,[],,777,tt0000777,en,Torn,Torn,surplus\n")
    cast = [
        {"cast_id": i, "character": f"Part {i}", "credit_id": f"c{i}", "gender": 2, "id": 31 + i, "name": f"Actor {i}",
         "order": i, "profile_path": None}
        for i in range(8)
    ]  # fmt: skip
    crew = [
        {"credit_id": "w1", "department": "Directing", "gender": 2, "id": 90, "job": "Director", "name": "Dee",
         "profile_path": None}
    ]  # fmt: skip
    ratings = [
        {"userId": u, "movieId": m, "rating": r, "timestamp": "1260759144"}
        for u, m, r in ((1, 10, "3.5"), (2, 10, "4.0"), (2, 11, "1.0"), (1, 10, "3.0"))
    ]
    folder = write(
        tmp_path_factory.mktemp("why") / "in",
        movies_metadata=b"".join(lines),
        credits=[{"cast": repr(cast), "crew": repr(crew), "id": 20}],
        keywords=[{"id": 20, "keywords": "[{'id': 5, 'name': 'x'}]"}, {"id": 888, "keywords": "[{'id': 6, 'name': 'y'}]"}],
        links=[
            {"movieId": 10, "imdbId": "0000020", "tmdbId": 20},
            {"movieId": 11, "imdbId": "0000888", "tmdbId": 888},
        ],
        links_small=[{"movieId": 10, "imdbId": "0000021", "tmdbId": 20}],
        ratings=ratings,
        ratings_small=ratings[:1],
    )  # fmt: skip
    return built(folder).release


@pytest.mark.parametrize("asked", ["20", 20, "tt0000020", "TT20", "amelie", "AMÉLIE", "le fabuleux destin", " Amélie "])
def test_a_movie_is_found_by_ids_and_by_title(house, asked):
    with duckdb.connect(str(house.database), read_only=True) as con:
        assert find_movie(con, str(asked)).movie_id == 20


def test_an_id_that_is_a_title_too_says_so(house):
    assert house.why("20").notes == ("The title of another movie is '20' too: 20 (40).",)


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        ("twin", r"'twin' is the title of 2 movies: Twin \(30, 1995\), Twin \(31, 2001\)", "Give the id"),
        ("lost ecko", "No movie is called 'lost ecko'", r"Near: The Lost Echo \(50\)"),
        ("999999", "No movie 999999", "id or a title"),
        ("9" * 30, "No movie 999", "id or a title"),
        ("tt7654321", "No movie has the IMDb id tt7654321", "title"),
        ("'; DROP TABLE movie; --", "No movie is called", "Give TMDB's id"),
        ("nonsense", "No movie is called 'nonsense'", "^Give TMDB's id of the movie, IMDb's"),
        (" ", "The movie's id or title is empty", "Give TMDB's id"),
        ("tt0000020x", "'tt0000020x' is no id of IMDb", r"Did you mean tt0000020\?"),
    ],
)
def test_what_is_no_movie_or_several(house, asked, message, hint):
    with (
        duckdb.connect(str(house.database), read_only=True) as con,
        pytest.raises(UsageError, match=message) as caught,
    ):
        find_movie(con, asked)
    assert re.search(hint, caught.value.hint)


def test_its_records_as_they_stand(house):
    why = house.why(20)
    lines = (house.out.parent / "in" / "movies_metadata.csv").read_bytes().split(b"\n")
    assert [(r.line, r.outcome) for r in why.records] == [(2, "merged"), (3, "loaded")]
    assert why.records[0].raw.encode() == lines[1]
    assert why.records[1].raw.encode() == lines[2] + b"\n" + lines[3]
    assert {(e.reason, e.file, e.line) for e in why.log} >= {
        ("duplicate_record", "movies_metadata.csv", 2),
        ("links_disagree", "links_small.csv", 2),
        ("duplicate_record", "ratings.csv", 2),
        ("suspicious_amount", "movies_metadata.csv", 3),
    }


def test_its_rows_in_every_table(house):
    why = house.why(20)
    tables = why.tables
    assert tables["movie"][0]["revenue_usd"] == 1000
    assert [(r["genre"], r["position"]) for r in tables["movie_genre"]] == [
        ("Drama", 1),
        ("Comedy", 2),
        ("Animation", 3),
    ]
    assert [r["company"] for r in tables["movie_company"]] == ["[bold]Pixar[/] :smile:", "Disney"]
    assert [r["keyword"] for r in tables["movie_keyword"]] == ["x"]
    assert [r["person"] for r in tables["cast_credit"]] == [f"Actor {i}" for i in range(8)]
    assert [(r["person"], r["job"]) for r in tables["crew_credit"]] == [("Dee", "Director")]
    assert tables["movielens_movie"][0]["links_line"] == 2
    assert why.ratings == (
        {"movielens_id": 10, "edition": "full", "ratings": 2, "rating_mean": 3.5},
        {"movielens_id": 10, "edition": "small", "ratings": 1, "rating_mean": 3.5},
    )
    assert set(tables) == {t.name for t in TABLES if any(c.name == "movie_id" for c in t.columns)} - {"error_log"}


def test_its_part_in_every_answer(house):
    parts = {(p.question, *p.keys.values()): p for p in house.why(20).parts}
    drama = parts["genre_revenue_by_year", 1995, 18, "Drama"]
    assert drama.adds["revenue_usd_allocated"] == D("333.34")
    assert drama.measures == {
        "movies": 1, "movies_with_revenue": 1, "revenue_usd": 1000, "revenue_usd_allocated": D("333.34"),
    }  # fmt: skip
    # 3 genres and 2 companies in three answers each, each company's popularity, 6 pairs; comedy wins its year.
    assert {p.question for p in parts.values()} == set(QUESTIONS)
    assert len(parts) == 3 * 3 + 3 * 2 + 2 + 6 + 1
    assert [k for k in parts if k[0] == "genre_most_popular_by_year"] == [
        ("genre_most_popular_by_year", 1995, 35, "Comedy")
    ]


@pytest.mark.long
@pytest.mark.parametrize("edition", ["s3", "sample"])
def test_its_parts_are_those_that_the_traces_have(edition, tmp_path_factory):
    _, release = release_of(edition, tmp_path_factory)
    traced = {}
    with duckdb.connect(str(release.database), read_only=True) as con:
        some = con.execute(
            "SELECT movie_id FROM release WHERE revenue_usd IS NOT NULL ORDER BY movie_id % 97, movie_id LIMIT 3"
        ).fetchall()
        for question in QUESTIONS:
            for cell in trace_cells(con, release.run, question, Filters()).cells:
                for movie in cell.movies:
                    if (movie.movie_id,) in some:
                        key = (movie.movie_id, question, *cell.keys.values())
                        traced[key] = (movie.adds, movie.unknown, cell.measures)
    told = {
        (movie_id, part.question, *part.keys.values()): (part.adds, part.unknown, part.measures)
        for (movie_id,) in some
        for part in release.why(movie_id).parts
    }
    assert told == traced
    assert len(told) > 20


@pytest.mark.parametrize(
    ("movie_id", "reason"),
    [(31, "its status is Planned"), (40, "its release_date is not valid: '10/30/1995'"), (50, "it has no release_date")],
)  # fmt: skip
def test_why_a_movie_is_in_no_answer(house, movie_id, reason):
    why = house.why(movie_id)
    assert (why.left_out, why.parts) == (reason, ())
    assert house.why(60).left_out is None


def test_a_movie_that_could_not_be_loaded(house):
    for asked in (777, "tt0000777"):
        torn = house.why(asked)
        assert (torn.movie_id, torn.loaded, torn.title) == (777, False, None)
        assert [(r.line, r.outcome, r.raw) for r in torn.records] == [
            (6, "rejected", "False,,0,[],,777,tt0000777,en,Torn,Torn,surplus")
        ]
        assert [(e.severity, e.reason, e.line) for e in torn.log] == [("rejected", "wrong_field_count", 6)]
    for asked in (888, "tt0000888"):
        absent = house.why(asked)
        assert (absent.movie_id, absent.loaded, absent.records) == (888, False, ())
        assert {(e.reason, e.file) for e in absent.log} == {
            ("unknown_movie", "keywords.csv"), ("unlinked_movie", "links.csv"),
        }  # fmt: skip
        assert absent.ratings == ({"movielens_id": 11, "edition": "full", "ratings": 1, "rating_mean": 1.0},)
        assert absent.tables["rejected_record"][0]["raw"].startswith("888,")


def test_the_raw_record_is_shown_only_of_the_very_source(house, tmp_path):
    shutil.copytree(house.path, tmp_path / "copy")
    record = json.loads((tmp_path / "copy" / "run.json").read_text())
    source = house.out.parent / "in"
    other = tmp_path / "in"
    shutil.copytree(source, other)
    for address, found in ((str(other), True), (other.as_uri(), True), (str(tmp_path / "gone.zip"), False)):
        record["source"]["address"] = address
        (tmp_path / "copy" / "run.json").write_text(json.dumps(record))
        why = moviehouse.why(30, tmp_path / "copy")
        assert why.at_hand is found
        assert (why.records[0].raw is not None) is found
        assert why.source == address
    record["source"]["address"] = str(other)
    (tmp_path / "copy" / "run.json").write_text(json.dumps(record))
    path = other / "movies_metadata.csv"
    path.write_bytes(path.read_bytes().replace(b"Amelie", b"Amelia").replace(b"Twin", b"Twit"))
    assert moviehouse.why(30, tmp_path / "copy").records[0].raw is None
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.write(source / "movies_metadata.csv", "movies_metadata.csv")
    record["source"] |= {"address": str(archive), "kind": "archive"}
    (tmp_path / "copy" / "run.json").write_text(json.dumps(record))
    assert moviehouse.why(30, tmp_path / "copy").at_hand
    whole = archive.read_bytes()
    for damaged in (whole[:200], whole[:60] + bytes(100) + whole[160:], b"", whole[:60] + b"\xff" * 9 + whole[69:]):
        archive.write_bytes(damaged)
        assert moviehouse.why(30, tmp_path / "copy").records[0].raw is None
    # A rejected record is kept by the release itself.
    assert moviehouse.why(777, tmp_path / "copy").records[0].raw.startswith("False,,0,[],,777")


def test_the_raw_record_of_a_download_is_in_the_cache(site, tmp_path, cache):
    folder = write(tmp_path / "in", movies_metadata=movies({"title": "Fetched", "genres": genres(18)}))
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.write(folder / "movies_metadata.csv", "deep/movies_metadata.csv")
    release = moviehouse.build(site(archive.read_bytes()).url, tmp_path / "out", cache=cache)
    line = (folder / "movies_metadata.csv").read_text().splitlines()[1]
    assert moviehouse.why("fetched", release.path, cache=cache).records[0].raw == line
    assert release.why("fetched").at_hand
    assert moviehouse.why("fetched", release.path, cache=tmp_path / "other").records[0].raw is None


def test_the_raw_record_of_a_file_in_another_encoding(tmp_path):
    folder = write(tmp_path / "in", movies_metadata=movies({"title": "Café"}, {"title": "Noël"}))
    path = folder / "movies_metadata.csv"
    path.write_bytes(path.read_text().encode("cp1252"))
    release = built(folder, encoding="cp1252").release
    assert ",Noël," in release.why(2).records[0].raw


def test_every_raw_record_is_the_bytes_between_its_line_and_the_next(tmp_path_factory):
    """With split records, quoted line breaks and rejected neighbours among them."""
    source, release = release_of("sample", tmp_path_factory)
    with zipfile.ZipFile(source) as archive:
        lines = archive.read("movies_metadata.csv").split(b"\n")
    with duckdb.connect(str(release.database), read_only=True) as con:
        marked = con.execute(
            "SELECT DISTINCT movie_id FROM error_log JOIN movie USING (movie_id) WHERE file = 'movies_metadata.csv'"
        ).fetchall()
    split = 0
    for (movie_id,) in sorted(marked)[:5] + [
        (e["movie_id"],) for e in map(json.loads, release.error_log.open()) if e["reason"] == "split_record"
    ]:
        for record in release.why(movie_id).records:
            raw = record.raw.encode()
            count = raw.count(b"\n") + 1
            assert raw == b"\n".join(lines[record.line - 1 : record.line - 1 + count]).rstrip(b"\r")
            assert b",%d," % movie_id in raw
            split += b"\n" in raw
    assert split


def test_the_damaged_movie_of_the_real_data(capsys, tmp_path_factory):
    _, release = release_of("s3", tmp_path_factory)
    status, out, err = run(capsys, "why", "10663", "--release", release.path)
    assert (status, err) == (0, "")
    assert re.search(r"loaded +movies_metadata\.csv line 2225\n +False,,23000000,.*GATORADE", out)
    assert re.search(r"mended +damaged_list +movies_metadata\.csv line 2225, genres", out)
    assert re.search(r"movie_genre +Comedy \(35\)\s", out)
    assert re.search(r"Comedy \(35\) +185,991,646 +3,941,070,373 +185,991,646\.00 +1,623,271,472\.39", out)
    assert run(capsys, "why", "tt0120484", "--release", release.path)[1] == out
    assert run(capsys, "why", "the WATERBOY", "--release", release.path)[1] == out
    status, out, _ = run(capsys, "why", "82663", "--release", release.path)
    assert re.search(r"mended +split_record +movies_metadata\.csv line 5007", out)
    assert r"\n - " in re.sub(r"\s+", " ", out)  # the line break, shown and not obeyed


@pytest.mark.parametrize("width", [60, 120])
def test_as_a_person_reads_it(capsys, house, monkeypatch, width):
    monkeypatch.setattr("moviehouse.render.terminal._WIDTH_IN_A_PIPE", width)
    for asked in (30, 31, 60, 777, 888):
        status, out, err = run(capsys, "why", asked, "--release", house.path)
        assert (status, err) == (0, "")
        assert not [line for line in out.splitlines() if len(line) > width and ": moviehouse " not in line]
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f]", out)
    out = re.sub(r"\s+", " ", run(capsys, "why", 20, "--release", house.path)[1])
    assert "8 from credits.csv line 2: Actor 0 as Part 0, Actor 1 as Part 1" in out
    assert "and 2 more" in out
    assert "Dee (Director)" in out
    assert r"\x1b[2J\x07 evil" in out
    assert "full: 2 of MovieLens id 10, mean 3.500" in out
    assert "Drama (1 of 1)" in out
    assert out.count("[bold]Pixar[/] :smile:") >= 4  # a narrow table breaks the name in others


def test_as_json(capsys, house):
    told = json.loads(run(capsys, "why", 20, "--release", house.path, "--format", "json")[1])
    assert told["movie_id"] == 20
    assert [r["outcome"] for r in told["records"]] == ["merged", "loaded"]
    assert told["tables"]["movie"][0]["release_date"] == "1995-10-30"
    assert told["parts"][0]["adds"]["movies"] == 1
    assert told["ratings"][0]["rating_mean"] == 3.5
    status, out, err = run(capsys, "why", "twin", "--release", house.path)
    assert (status, out) == (2, "")
    assert "Twin (30, 1995), Twin (31, 2001)" in err
