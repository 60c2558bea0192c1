"""The sample: the original's format at any size, and a list of what is planted that can be trusted."""

from __future__ import annotations

import ast
import csv
import errno
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from moviehouse.error_log import REASON
from moviehouse.errors import TargetError, UsageError
from moviehouse.generator import Sample, sample
from moviehouse.generator.facts import COMPANIES, FAMOUS
from moviehouse.generator.links import ID_SQL, Links, movielens_id
from moviehouse.generator.weave import Note, Oddity, csv_line, place
from moviehouse.generator.world import World
from moviehouse.model.sources import CREDITS, KEYWORDS, MOVIES, SOURCES

csv.field_size_limit(1 << 30)

MEMBERS = [source.name for source in SOURCES]
CRLF = {"links.csv", "links_small.csv", "ratings_small.csv"}
# These say that something is absent, and a sample has everything.
NEVER_PLANTED = {"missing_file", "empty_file", "missing_column", "unknown_column"}


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def at(file: str, column: str) -> int:
    """The place of a column in a file."""
    source = next(source for source in SOURCES if source.name == file)
    return [c.name for c in source.columns].index(column)


def planted(made: Sample) -> list[dict[str, object]]:
    return [json.loads(line) for line in made.planted_path.read_text().splitlines()]


def records(data: bytes) -> list[list[str]]:
    """What Python's csv module reads, lone carriage returns being data."""
    text = data.decode().replace("\r\n", "\n").replace("\r", "\u2028")
    return list(csv.reader(io.StringIO(text, newline="\n"), strict=True))


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return sample(tmp_path_factory.mktemp("odd") / "sample.zip")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return sample(tmp_path_factory.mktemp("clean") / "sample.zip", oddities=False)


def test_members_headers_and_line_ends(odd: Sample, clean: Sample) -> None:
    files = members(odd.path)
    assert list(files) == [*MEMBERS, "README.txt"]
    assert list(members(clean.path)) == MEMBERS
    for source in SOURCES:
        end = b"\r\n" if source.name in CRLF else b"\n"
        header = ",".join(column.name for column in source.columns).encode()
        assert files[source.name].startswith(header + end)
        if source.name in CRLF:
            assert files[source.name].count(b"\r\n") == files[source.name].count(b"\n")
        else:
            assert b"\r\n" not in files[source.name]


def test_without_oddities_everything_is_well_formed(clean: Sample) -> None:
    assert planted(clean) == []
    assert clean.planted == 0
    files = {name: records(data) for name, data in members(clean.path).items()}
    for source in SOURCES:
        assert {len(record) for record in files[source.name]} == {len(source.columns)}
        keys = [tuple(record[source.columns.index(k)] for k in source.key) for record in files[source.name][1:]]
        assert len(set(keys)) == len(keys), source.name
    assert len(files["movies_metadata.csv"]) == 1001
    assert len(files["credits.csv"]) == 1001
    assert len(files["keywords.csv"]) == 1001
    assert len(files["ratings.csv"]) == 20_001
    assert len(files["ratings_small.csv"]) == 1001


def test_nested_cells_are_what_repr_writes(clean: Sample) -> None:
    files = {name: records(data) for name, data in members(clean.path).items()}
    escaped = double = cells = 0
    for source in SOURCES:
        for column in source.nested:
            at = source.columns.index(column)
            for record in files[source.name][1:]:
                if record[at]:
                    value = ast.literal_eval(record[at])
                    assert repr(value) == record[at]
                    escaped += "\\" in record[at]
                    double += '"' in record[at]
                    cells += 1
                    names = [element.name for element in column.elements]
                    assert all(list(element) == names for element in ([value] if column.single else value))
    assert 0.002 < escaped / cells < 0.05
    assert double > 50


def test_every_cell_is_of_its_grammar(clean: Sample) -> None:
    files = {name: records(data) for name, data in members(clean.path).items()}
    for source in SOURCES:
        for column in source.cells:
            at = source.columns.index(column)
            for record in files[source.name][1:]:
                cell = record[at]
                if cell and column.kind.pattern:
                    assert re.fullmatch(column.kind.pattern, cell), (source.name, column.name, cell)
                if cell and column.kind.low and column.kind.name in ("integer", "decimal"):
                    assert float(column.kind.low) <= float(cell) <= float(column.kind.high or 0)
                if cell and column.suspicious:
                    assert not column.suspicious[0] <= float(cell) <= column.suspicious[1]
                if cell and column.known:
                    assert cell in column.known


def test_one_name_for_an_id_and_one_movie_for_a_credit(clean: Sample) -> None:
    files = {name: records(data) for name, data in members(clean.path).items()}
    names: dict[tuple[str, object], str] = {}
    credits: set[str] = set()
    for name, column, id_key, thing in [
        ("movies_metadata.csv", "genres", "id", "genre"),
        ("movies_metadata.csv", "production_companies", "id", "company"),
        ("movies_metadata.csv", "production_countries", "iso_3166_1", "country"),
        ("movies_metadata.csv", "spoken_languages", "iso_639_1", "language"),
        ("keywords.csv", "keywords", "id", "keyword"),
        ("credits.csv", "cast", "id", "person"),
        ("credits.csv", "crew", "id", "person"),
    ]:
        for record in files[name][1:]:
            elements = ast.literal_eval(record[at(name, column)])
            for element in elements:
                assert names.setdefault((thing, element[id_key]), element["name"]) == element["name"]
                if thing == "person":
                    assert element["credit_id"] not in credits
                    credits.add(element["credit_id"])
            if thing != "person":
                assert len({element[id_key] for element in elements}) == len(elements)


def test_files_refer_to_each_other(clean: Sample) -> None:
    files = {name: records(data)[1:] for name, data in members(clean.path).items()}
    movies = {record[at("movies_metadata.csv", "id")] for record in files["movies_metadata.csv"]}
    assert {record[at("credits.csv", "id")] for record in files["credits.csv"]} == movies
    assert {record[at("keywords.csv", "id")] for record in files["keywords.csv"]} == movies
    links = {record[0]: record for record in files["links.csv"]}
    assert {record[2] for record in files["links.csv"]} == movies | {""}
    assert all(links[record[0]] == record for record in files["links_small.csv"])
    assert {record[1] for record in files["ratings.csv"]} <= set(links)
    assert {record[1] for record in files["ratings_small.csv"]} <= {r[0] for r in files["links_small.csv"]}
    for name in ("ratings.csv", "ratings_small.csv"):
        keys = [(int(record[0]), int(record[1])) for record in files[name]]
        assert keys == sorted(set(keys))


def test_planted_lines_point_to_records(odd: Sample) -> None:
    """The raw line at the number shows the trouble, or the movie it is about."""
    lines = {name: data.split(b"\n") for name, data in members(odd.path).items()}
    ids = {source.name: at(source.name, "id") for source in (MOVIES, CREDITS, KEYWORDS)}
    listed = planted(odd)
    assert len(listed) == odd.planted
    assert listed == sorted(listed, key=lambda p: (p["file"], p["line"] or 0, p["column"] or "", p["reason"]))
    telling = {
        "nul_byte": b"\0", "not_utf8": b"\xe9", "malformed_quote": b'" ', "wrong_field_count": b"",
        "split_record": b"A sailor waits", "truncated_record": b"cut sh",
    }  # fmt: skip
    for plant in listed:
        assert REASON[str(plant["reason"])].severity == plant["severity"]
        if plant["line"] is None:
            assert plant["reason"] == "unknown_file"
            continue
        raw = lines[str(plant["file"])][int(str(plant["line"])) - 1]
        assert telling.get(str(plant["reason"]), b"") in raw
        if plant["movie_id"] and plant["reason"] != "split_record" and b"\n" not in raw:
            record = next(csv.reader([raw.decode()]))
            if len(record) > ids[str(plant["file"])]:
                assert record[ids[str(plant["file"])]] == str(plant["movie_id"])


def test_every_reason_is_planted(odd: Sample) -> None:
    found = {plant["reason"] for plant in planted(odd)}
    of_data = {r.code for r in REASON.values() if r.severity in ("rejected", "mended", "merged", "warning")}
    assert of_data - found == NEVER_PLANTED


def test_lone_carriage_returns_are_not_in_the_list(odd: Sample) -> None:
    lines = members(odd.path)["movies_metadata.csv"].split(b"\n")
    lone = {number for number, line in enumerate(lines, 1) if b"\r" in line}
    assert len(lone) == 3
    assert not lone & {plant["line"] for plant in planted(odd) if plant["file"] == "movies_metadata.csv"}


def test_repeated_records_are_merged_into_a_later_one(odd: Sample) -> None:
    lines = members(odd.path)["keywords.csv"].split(b"\n")
    merged = [p for p in planted(odd) if p["file"] == "keywords.csv" and p["reason"] == "duplicate_record"]
    by_key: dict[bytes, list[int]] = {}
    for number, line in enumerate(lines, 1):
        by_key.setdefault(line.split(b",")[0], []).append(number)
    expected = {n for key, numbers in by_key.items() if key.isdigit() for n in numbers[:-1]}
    assert {plant["line"] for plant in merged} == expected
    assert any(len(numbers) == 3 for numbers in by_key.values())


def test_same_arguments_same_bytes(odd: Sample, tmp_path: Path) -> None:
    """Also in another process with another hash seed and one thread."""
    code = (
        f"from pathlib import Path; from moviehouse.generator import sample; sample(Path({str(tmp_path / 's.zip')!r}))"
    )
    env = {**os.environ, "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", code], check=True, env=env)
    assert members(tmp_path / "s.zip") == members(odd.path)
    assert (tmp_path / "s.zip.planted.jsonl").read_bytes() == odd.planted_path.read_bytes()
    assert (tmp_path / "s.zip").read_bytes() == odd.path.read_bytes()


def test_another_seed_another_sample(odd: Sample, tmp_path: Path) -> None:
    other = members(sample(tmp_path / "s.zip", seed=2).path)
    assert all(other[name] != data for name, data in members(odd.path).items() if name != "README.txt")


@pytest.mark.parametrize("movies", [1, 2, 3, 5, 10, 39, 40, 57])
@pytest.mark.parametrize("ratings", [0, 1, 7, 45])
def test_tiny_sizes(tmp_path: Path, movies: int, ratings: int) -> None:
    made = sample(tmp_path / "s.zip", movies=movies, ratings=ratings)
    files = members(made.path)
    lines = {name: data.count(b"\n") + 1 for name, data in files.items()}
    assert all(p["line"] is None or 2 <= int(str(p["line"])) <= lines[str(p["file"])] for p in planted(made))
    clean = members(sample(tmp_path / "clean.zip", movies=movies, ratings=ratings, oddities=False).path)
    assert len(records(clean["movies_metadata.csv"])) == movies + 1
    assert len(records(clean["ratings.csv"])) == ratings + 1
    assert len(records(clean["links.csv"])) >= movies + 1


def test_ratings_can_be_few_movies_or_many_users(tmp_path: Path) -> None:
    """One movie: everybody rates it, in as many blocks of users as it takes."""
    files = members(sample(tmp_path / "s.zip", movies=1, ratings=45_000, oddities=False).path)
    ratings = records(files["ratings.csv"])[1:]
    assert [int(record[0]) for record in ratings] == list(range(1, 45_001))


def test_sizes_follow_the_original(tmp_path: Path) -> None:
    made = sample(tmp_path / "s.zip", movies=3000, ratings=100_000, oddities=False)
    sizes = {name: len(data) for name, data in members(made.path).items()}
    assert 0.9 < sizes["credits.csv"] / (189_917_659 * 3000 / 45_463) < 1.1
    assert 0.9 < sizes["movies_metadata.csv"] / (34_445_126 * 3000 / 45_463) < 1.1
    assert 0.8 < sizes["keywords.csv"] / (6_231_943 * 3000 / 45_463) < 1.2
    assert 0.8 < sizes["ratings.csv"] / (709_550_327 * 100_000 / 26_024_289) < 1.1


def test_links_at_the_published_size() -> None:
    links = Links(World(45_000, 1), oddities=True)
    rows = list(links.rows())
    assert len(rows) == 45_843
    assert sum(bool(row.notes) for row in rows) == 161
    ids = [int(row.fields[0]) for row in rows]
    assert ids == sorted(set(ids))
    places = [links.small_number(place_) for place_ in range(links.small_count)]
    assert places == sorted(set(places))
    assert places[-1] < links.count


def test_ids_are_the_same_in_sql() -> None:
    import duckdb

    found = duckdb.execute(f"SELECT {ID_SQL} FROM range(12000) AS r(k)").fetchall()
    assert [row[0] for row in found] == [movielens_id(number) for number in range(12_000)]


def test_movie_ids_do_not_meet() -> None:
    for movies in (1, 2, 1000, 45_000):
        world = World(movies, 3)
        ids = [world.movie_id(number) for number in range(movies + 18_000)]
        assert len(set(ids)) == len(ids)
        assert min(ids) > 0


def test_facts_hang_together() -> None:
    assert {company for movie in FAMOUS for company in movie.companies} == set(COMPANIES)
    toy_story = next(movie for movie in FAMOUS if movie.movie_id == 862)
    assert (toy_story.release_date, toy_story.budget, toy_story.revenue) == ("1995-10-30", 30_000_000, 373_554_033)
    assert [COMPANIES[company] for company in toy_story.companies] == ["Pixar Animation Studios"]


def test_quotes_as_pandas_does() -> None:
    """Newlines, commas and quotes call for quotes; a lone carriage return does not."""
    assert csv_line(["a", "b,c", 'say "x"', "two\nlines", "one\rline", ""]) == (
        'a,"b,c","say ""x""","two\nlines",one\rline,'
    )


def test_what_does_not_fit_is_left_out() -> None:
    one, two = (Oddity((Note("rounded"),)),), (Oddity((Note("name_conflict"),)), Oddity())
    assert place([one, two, one], 1, 3) == {1: one[0], 2: one[0]}
    assert place([(Oddity(needs=200),)], 0, 199) == {}
    assert place([one], 4, 4) == {}


def test_says_why_it_cannot(tmp_path: Path) -> None:
    for wrong in ({"movies": 0}, {"ratings": -1}):
        with pytest.raises(UsageError, match="--movies must be at least 1 and --ratings at least 0"):
            sample(tmp_path / "s.zip", **wrong)
    (tmp_path / "file").write_text("mine")
    for wanted, said in (
        (tmp_path / "file", "exists and is not a zip"),
        (tmp_path, "is a directory"),
        (tmp_path / "none" / "s.zip", "none does not exist"),
        (tmp_path / "file" / "s.zip", "file is not a directory"),
    ):
        with pytest.raises(UsageError, match=said):
            sample(wanted, movies=1, ratings=0)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "mine"


def test_says_that_it_cannot_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("moviehouse.generator._Maker.make", full)
    with pytest.raises(TargetError, match="No space left on device"):
        sample(tmp_path / "s.zip", movies=1, ratings=0)
    assert list(tmp_path.iterdir()) == []


def test_replaces_what_was_there_and_leaves_nothing_else(tmp_path: Path) -> None:
    for _ in range(2):
        sample(tmp_path / "s.zip", movies=3, ratings=5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.zip", "s.zip.planted.jsonl"]
