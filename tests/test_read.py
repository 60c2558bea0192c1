"""Cells and files that are not as they should be: what is loaded, and what the log says."""

from datetime import date
from decimal import Decimal

import duckdb
import pytest
from small import HEADERS, built, movies, text, told, write

from moviehouse.errors import GateError, SourceError
from moviehouse.model.sources import SOURCES
from moviehouse.steps import read


def only(tmp_path, **cell):
    return built(write(tmp_path / "in", movies_metadata=movies(cell)))


@pytest.mark.parametrize(
    ("column", "cell", "target", "value"),
    [
        ("runtime", "81.0", "runtime_minutes", 81),
        ("runtime", "0.0", "runtime_minutes", None),
        ("runtime", "", "runtime_minutes", None),
        ("budget", "30000000", "budget_usd", 30_000_000),
        ("budget", "0", "budget_usd", None),
        ("popularity", "1.80E-05", "popularity", Decimal("0.000018")),
        ("popularity", "8e-06", "popularity", Decimal("0.000008")),
        ("popularity", "", "popularity", None),
        ("adult", "TRUE", "adult", True),
        ("adult", "FALSE", "adult", False),
        ("adult", "True", "adult", True),
        ("release_date", "0001-01-01", "release_date", date(1, 1, 1)),
        ("vote_count", "", "vote_count", None),
        ("title", '"quoted", <b>', "title", '"quoted", <b>'),
        ("title", "  spaces ", "title", "  spaces "),
        ("title", "NULL", "title", "NULL"),
        ("original_language", "zh", "original_language", "zh"),
        ("status", "", "status", None),
    ],
)
def test_a_cell_that_is_well_formed_is_taken_without_a_word(tmp_path, column, cell, target, value):
    result = only(tmp_path, **{column: cell})
    assert result.rows(f"SELECT {target} FROM movie") == [(value,)]
    assert told(result, "reason") == []


@pytest.mark.parametrize(
    ("column", "cell", "target", "reason"),
    [
        ("release_date", "10/30/1995", "release_date", "invalid_date"),
        ("release_date", "1995-02-31", "release_date", "invalid_date"),
        ("release_date", "0000-01-01", "release_date", "invalid_date"),
        ("release_date", "1995-1-1", "release_date", "invalid_date"),
        ("release_date", "1", "release_date", "invalid_date"),
        ("budget", "1.5", "budget_usd", "invalid_integer"),
        ("budget", "0x10", "budget_usd", "invalid_integer"),
        ("budget", "1_000", "budget_usd", "invalid_integer"),
        ("budget", "1e3", "budget_usd", "invalid_integer"),
        ("budget", " 5000", "budget_usd", "invalid_integer"),
        ("budget", "-5000", "budget_usd", "invalid_integer"),
        ("budget", "99999999999999999999", "budget_usd", "invalid_integer"),
        ("budget", "100000000001", "budget_usd", "invalid_integer"),
        ("budget", "/poster.jpg", "budget_usd", "invalid_integer"),
        ("popularity", "Beware Of Frost Bites", "popularity", "invalid_number"),
        ("popularity", "inf", "popularity", "invalid_number"),
        ("popularity", "nan", "popularity", "invalid_number"),
        ("popularity", "1e300", "popularity", "invalid_number"),
        ("popularity", "-1", "popularity", "invalid_number"),
        ("popularity", "1,5", "popularity", "invalid_number"),
        ("vote_average", "11", "vote_average", "invalid_number"),
        ("adult", "yes", "adult", "invalid_boolean"),
        ("adult", "1", "adult", "invalid_boolean"),
        ("imdb_id", "0", "imdb_id", "invalid_code"),
        ("original_language", "104.0", "original_language", "invalid_code"),
        ("genres", "['Comedy'", None, "invalid_list"),
        ("belongs_to_collection", "5", "collection_id", "invalid_list"),
    ],
)
def test_a_cell_that_is_not_becomes_unknown_and_is_logged(tmp_path, column, cell, target, reason):
    result = only(tmp_path, **{column: cell})
    assert told(result, "severity", "reason", "file", "line", "column", "movie_id", "value") == [
        ("warning", reason, "movies_metadata.csv", 2, column, 1, cell)
    ]
    if target:
        assert result.rows(f"SELECT {target} FROM movie") == [(None,)]
    assert result.run.files["movies_metadata.csv"]["records"]["loaded"] == 1


def test_what_is_kept_but_looks_wrong_is_logged(tmp_path):
    rows = movies(
        {"budget": "12", "revenue": "999"},
        {"status": "released"},
        {"genres": "[{'id': 7883, 'name': 'Odyssey Media'}]"},
        {"popularity": "0.12345678901"},
        {"budget": "1000"},
    )
    result = built(write(tmp_path / "in", movies_metadata=rows))
    assert told(result, "severity", "reason", "line", "column", "value") == [
        ("warning", "suspicious_amount", 2, "budget", "12"),
        ("warning", "suspicious_amount", 2, "revenue", "999"),
        ("warning", "unknown_status", 3, "status", "released"),
        ("warning", "unknown_genre", 4, "genres", "7883 Odyssey Media"),
        ("mended", "rounded", 5, "popularity", "0.12345678901"),
    ]
    assert result.rows("SELECT popularity FROM movie WHERE movie_id = 4") == [(Decimal("0.123456789"),)]
    assert result.rows("SELECT count(*) FROM release WHERE movie_id = 2") == [(0,)]


def test_votes_of_nobody_are_unknown_and_counted_but_not_logged(tmp_path):
    rows = movies({"vote_average": "0.0", "vote_count": "0"}, {"vote_average": "0.0", "vote_count": "3"})
    result = built(write(tmp_path / "in", movies_metadata=rows))
    assert result.rows("SELECT vote_average FROM movie ORDER BY movie_id") == [(None,), (Decimal("0.000"),)]
    assert result.run.files["movies_metadata.csv"]["null_tokens"]["vote_average"] == {"where vote_count is 0": 1}
    assert told(result, "reason") == []


@pytest.mark.parametrize(
    ("key", "reason"),
    [("", "missing_key"), ("1997-08-20", "invalid_key"), ("0", "invalid_key"), ("1.5", "invalid_key")],
)
def test_a_record_without_a_usable_key_is_rejected_whole(tmp_path, key, reason):
    result = built(write(tmp_path / "in", movies_metadata=movies({"id": key, "budget": "oops"}, {})))
    assert told(result, "severity", "reason", "line", "column", "value") == [("rejected", reason, 2, "id", key)]
    raw = (tmp_path / "in" / "movies_metadata.csv").read_bytes().split(b"\n")[1]
    assert result.rows("SELECT reason, line, raw FROM rejected_record") == [(reason, 2, raw)]


def test_elements_without_an_id_are_rejected_alone(tmp_path):
    genres = "[{'id': 16, 'name': 'Animation'}, {'name': 'Comedy'}, {'id': 35, 'name': 'Comedy'}]"
    result = only(tmp_path, genres=genres)
    assert result.rows("SELECT genre_id, position FROM movie_genre ORDER BY position") == [(16, 1), (35, 3)]
    assert told(result, "severity", "reason", "line", "column") == [("rejected", "invalid_element", 2, "genres")]
    assert result.rows('SELECT unit, "column", position, raw FROM rejected_record') == [
        ("element", "genres", 2, b"{'name': 'Comedy'}")
    ]
    lists = result.run.files["movies_metadata.csv"]["lists"]["genres"]
    assert lists == {"read": 3, "loaded": 2, "merged": 0, "rejected": 1}


def test_columns_in_another_order_and_columns_nobody_knows(tmp_path):
    order = ["mpaa", *reversed(HEADERS["movies_metadata.csv"])]
    rows = movies({"title": "T", "mpaa": "PG, 13", "budget": "5000"})
    content = text("movies_metadata.csv", rows, order)
    result = built(write(tmp_path / "in", movies_metadata=content))
    assert result.rows("SELECT movie_id, title, budget_usd FROM movie") == [(1, "T", 5000)]
    assert told(result, "severity", "reason", "line", "column") == [("warning", "unknown_column", 1, "mpaa")]


def test_a_missing_optional_column_is_unknown_and_logged(tmp_path):
    order = [
        c for c in HEADERS["movies_metadata.csv"] if c not in ("tagline", "spoken_languages", "belongs_to_collection")
    ]
    rows = [{k: v for k, v in row.items() if k in order} for row in movies({})]
    result = built(write(tmp_path / "in", movies_metadata=text("movies_metadata.csv", rows, order)))
    assert result.rows("SELECT tagline, collection_id FROM movie") == [(None, None)]
    assert sorted(told(result, "reason", "column")) == [
        ("missing_column", c) for c in ("belongs_to_collection", "spoken_languages", "tagline")
    ]


def null_tokens(tmp_path, name: str, file: str, content: bytes) -> dict:
    result = built(write(tmp_path / name, **{file: content}), report=False)
    return result.run.files[f"{file}.csv"]["null_tokens"]


def test_a_column_that_a_file_lacks_has_no_unknown_cells_however_it_is_read(tmp_path):
    """Plain lines, a quoted one among them, quoted ones alone, other line ends: each is read in another way."""
    plain = ["1,862", "2,", "3,862"]
    ways = {
        "plain": plain,
        "one": [*plain[:2], '"3",862'],
        "all": ['"1","862"', '"2",', '"3",862'],
        "crlf": [f"{line}\r" for line in plain],
    }
    for way, lines in ways.items():
        header = "movieId,tmdbId" + "\r" * (way == "crlf")
        content = "\n".join([header, *lines, ""]).encode()
        assert null_tokens(tmp_path, way, "links", content) == {"tmdbId": {"empty": 1}}, way
    lacking = [c for c in HEADERS["movies_metadata.csv"] if c not in ("tagline", "spoken_languages", "vote_average")]
    found = null_tokens(
        tmp_path,
        "movies",
        "movies_metadata",
        text("movies_metadata.csv", [{k: v for k, v in movies({})[0].items() if k in lacking}], lacking),
    )
    assert not {"tagline", "spoken_languages", "vote_average"} & set(found)
    assert found["homepage"] == {"empty": 1}
    assert null_tokens(tmp_path, "absent", "keywords", b"") == {}


def test_a_file_that_is_gone_through_twice_can_be_stopped_in_the_second_pass(tmp_path):
    path = tmp_path / "links.csv"
    path.write_bytes(b"movieId,imdbId,tmdbId\n1,1,862\n99999999999999999,2,863\n")

    def advance(amount: int) -> None:
        told.append(amount)
        if not amount:
            raise InterruptedError

    told: list[int] = []
    with duckdb.connect() as con:
        read.prepare(con)
        with pytest.raises(InterruptedError):
            read.read_member(con, SOURCES[3], path, tmp_path, advance)
    assert told == [path.stat().st_size, 0]


@pytest.mark.parametrize("column", ["id", "revenue", "genres", "status"])
def test_a_missing_required_column_stops_the_run(tmp_path, column):
    order = [c for c in HEADERS["movies_metadata.csv"] if c != column]
    rows = [{k: v for k, v in row.items() if k in order} for row in movies({})]
    folder = write(tmp_path / "in", movies_metadata=text("movies_metadata.csv", rows, order))
    with pytest.raises(SourceError, match=f"movies_metadata.csv: the required column {column} is missing"):
        built(folder)


def test_empty_files_give_empty_tables_and_a_warning(tmp_path):
    result = built(write(tmp_path / "in", keywords=b"", links=b"movieId,imdbId,tmdbId\n", credits=b"cast,crew,id"))
    assert told(result, "reason", "file") == [("empty_file", "keywords.csv")]
    assert {line["file"] for line in result.log if line["reason"] == "missing_file"} == {
        "links_small.csv", "ratings.csv", "ratings_small.csv",
    }  # fmt: skip
    assert result.rows("SELECT count(*) FROM keyword") == [(0,)]


@pytest.mark.parametrize(("content", "error"), [(b"", SourceError), ([], GateError), (movies({"id": "x"}), GateError)])
def test_a_release_without_a_movie_never_takes_the_place_of_one_with_some(tmp_path, content, error):
    good = built(write(tmp_path / "in"))
    with pytest.raises(error, match="is empty|some_movie_is_loaded"):
        built(write(tmp_path / "in", movies_metadata=content))
    assert (good.release.out / "current").resolve() == good.release.path.resolve()


def test_crlf_and_a_byte_order_mark(tmp_path):
    content = b"\xef\xbb\xbf" + text("movies_metadata.csv", movies({"title": "T"}, {"title": "U"}), end="\r\n")
    result = built(write(tmp_path / "in", movies_metadata=content))
    assert result.rows("SELECT movie_id, title, vote_count, source_line FROM movie") == [
        (1, "T", 10, 2),
        (2, "U", 10, 3),
    ]
    assert told(result, "reason") == []


def test_rows_of_empty_cells_and_blank_lines(tmp_path):
    content = text("movies_metadata.csv", movies({})) + b"\n" + b"," * 23 + b"\n\n"
    result = built(write(tmp_path / "in", movies_metadata=content))
    assert told(result, "reason", "line") == [("missing_key", 4)]
    assert result.run.files["movies_metadata.csv"]["records"]["read"] == 2


def test_too_many_records_that_are_not_utf8_ask_for_the_encoding(tmp_path):
    content = text("movies_metadata.csv", movies({"title": "Café"}, {})).decode().encode("cp1252")
    folder = write(tmp_path / "in", movies_metadata=content)
    with pytest.raises(SourceError, match="1 of 2 records are not UTF-8, the first on line 2") as caught:
        built(folder)
    assert "--encoding" in caught.value.hint
    result = built(folder, encoding="cp1252")
    assert result.rows("SELECT title FROM movie ORDER BY movie_id") == [("Café",), ("A",)]


def test_a_few_records_that_are_not_utf8_are_rejected(tmp_path):
    rows = movies(*({"title": "Café" if i == 70 else "x"} for i in range(150)))
    content = text("movies_metadata.csv", rows).replace("Café".encode(), b"Caf\xe9")
    result = built(write(tmp_path / "in", movies_metadata=content))
    assert told(result, "reason", "line") == [("not_utf8", 72)]
    assert result.rows("SELECT raw FROM rejected_record")[0][0] == content.split(b"\n")[71]


def test_a_value_is_cut_at_a_kibibyte_and_the_cut_is_marked(tmp_path):
    for cell in ("x" * 5000, "é" * 5000, "😀" * 3000):
        result = only(tmp_path / str(len(cell.encode())), budget=cell)
        (value,) = (line["value"] for line in result.log if line["reason"] == "invalid_integer")
        assert len(value.encode()) <= 1024
        assert value.endswith(f" … [{len(cell.encode())} bytes]")


RATINGS = b"userId,movieId,rating,timestamp\n"


@pytest.mark.parametrize(
    ("line", "told_of"),
    [
        (b"2,1,3.75,1260759144", [("invalid_number", "rating", "3.75")]),
        (b"2,1,0.0,1260759144", [("invalid_number", "rating", "0.0")]),
        (b"2,1,5.5,1260759144", [("invalid_number", "rating", "5.5")]),
        (b"2,1,3.5,", []),
        (b"2,1,,1260759144", []),
        (b"2,1,4,1260759144", []),
        (b"2,1.0,4.0,1260759144", []),
        (b"2,1.5,4.0,1260759144", [("invalid_key", "movieId", "1.5")]),
        (b"x,1,4.0,1260759144", [("invalid_key", "userId", "x")]),
        (b",1,4.0,1260759144", [("missing_key", "userId", "")]),
        (b"2,99999999999999999999,4.0,1", [("invalid_key", "movieId", "99999999999999999999")]),
        (b'"2","1","4.0","1260759144"', []),
        (b"2,1,4.0", [("wrong_field_count", None, "2,1,4.0")]),
        (b"2,1,4.0,1,5", [("wrong_field_count", None, "2,1,4.0,1,5")]),
        (b"2,1,4.0,999999999999", [("invalid_integer", "timestamp", "999999999999")]),
        (b"2,1, 4.0,1", [("invalid_number", "rating", " 4.0")]),
        (b"0,1,4.0,1", [("invalid_key", "userId", "0")]),
    ],
)
def test_one_odd_rating_costs_nobody_else_anything(tmp_path, line, told_of):
    content = RATINGS + b"1,1,2.5,1260759144\n" + line + b"\n3,1,5.0,1260759145\n"
    links = b"movieId,imdbId,tmdbId\r\n1,0000001,1\r\n"
    result = built(write(tmp_path / "in", ratings=content, links=links))
    assert told(result, "reason", "column", "value") == told_of
    found = result.rows("SELECT user_id, rating, source_line FROM rating ORDER BY source_line")
    assert found[0] == (1, Decimal("2.5"), 2)
    assert found[-1] == (3, Decimal("5.0"), 4)
    records = result.run.files["ratings.csv"]["records"]
    assert records["read"] == 3 == records["loaded"] + records["rejected"]


def test_the_plain_and_the_exact_way_give_the_same_ratings(tmp_path):
    lines = [f"{u},{m},{(u * m) % 10 / 2 + 0.5},{10**9 + u * m}" for u in range(1, 60) for m in range(1, 60)]
    links = [{"movieId": m, "imdbId": m, "tmdbId": m} for m in range(1, 60)]
    plain = "\n".join(["userId,movieId,rating,timestamp", *lines, ""])
    quoted = plain.replace("\n1,1,", '\n"1",1,')
    both = [built(write(tmp_path / n, ratings=c.encode(), links=links)) for n, c in (("a", plain), ("b", quoted))]
    query = "SELECT * FROM rating ORDER BY ALL"
    assert both[0].rows(query) == both[1].rows(query)
    assert len(both[0].rows(query)) == 59 * 59
    assert [told(b, "reason") for b in both] == [[("unlinked_movie",)] * 58] * 2
