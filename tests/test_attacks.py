"""Inputs that once broke something: each stays mended."""

from decimal import Decimal

import pytest
from small import built, movies, told, write

import moviehouse
from moviehouse.errors import SourceError, TargetError, UsageError

RATINGS = "userId,movieId,rating,timestamp\n"
LINKS = b"movieId,imdbId,tmdbId\n1,0000001,1\n2,0000002,1\n"


@pytest.mark.parametrize("name", ["user_id=8", "rating=5.0", "line=9", "cell_6=x", "id=x"])
def test_a_folder_named_like_a_partition_changes_nothing(tmp_path, name):
    """Readers that detect Hive partitions let a folder's name override a column."""
    ratings = RATINGS.encode() + b"1,2,3.5,100\n5,2,3.5,100\n"
    result = built(write(tmp_path / name / "in", ratings=ratings, links=LINKS))
    assert result.rows("SELECT user_id, rating, source_line FROM rating") == [
        (1, Decimal("3.5"), 2),
        (5, Decimal("3.5"), 3),
    ]
    assert result.rows("SELECT movie_id, source_line FROM movie") == [(1, 2)]
    assert told(result, "reason") == []


@pytest.mark.parametrize("zero", ["+0", "-0", "-0.0", "+00", "0.000"])
def test_a_signed_zero_is_unknown_money_too(tmp_path, zero):
    result = built(write(tmp_path / "in", movies_metadata=movies({"budget": zero, "revenue": zero, "runtime": zero})))
    assert result.rows("SELECT budget_usd, revenue_usd, runtime_minutes FROM movie") == [(None, None, None)]
    assert told(result, "reason") == []


def test_rejected_bytes_are_those_of_the_record_in_another_encoding(tmp_path):
    keywords = "id,keywords\n1,\"[{'id': 5, 'name': 'ééééééé'}]\"\n77,\"[{'id': 6, 'name': 'x'}]\"\n"
    result = built(write(tmp_path / "in", keywords=keywords.encode("latin-1")), encoding="latin-1")
    assert result.rows("SELECT raw FROM rejected_record") == [(b"77,\"[{'id': 6, 'name': 'x'}]\"",)]
    assert result.rows("SELECT name FROM keyword") == [("ééééééé",)]


def test_an_entry_nobody_knows_is_told_once_at_a_loaded_record(tmp_path):
    odd = "[{'id': 16, 'name': 'A', 'x': 1}]"
    rows = movies({"genres": odd}, {"id": "999", "genres": odd}, {"id": "1"})
    result = built(write(tmp_path / "in", movies_metadata=rows))
    assert told(result, "reason", "line", "column", "value") == [
        ("duplicate_record", 2, "id", "1"), ("unknown_column", 3, "genres", "'x'"),
    ]  # fmt: skip


@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize(
    ("line", "rating", "reasons"),
    [
        ("1,2,5.0000000000000000001,100", None, ["invalid_number"]),
        ("1,2,0.49999999999999999999,100", None, ["invalid_number"]),
        ("1,2,4.9999999999999999999,100", None, ["invalid_number"]),
        ("1,2,4.,100", Decimal("4.0"), []),
        ("1,2,.5,100", Decimal("0.5"), []),
        ("1,2,3.50,100", Decimal("3.5"), []),
        ("1,2,00000000000000000000003.5,100", Decimal("3.5"), []),
        ("0000000000000000000001,2,3.5,100", Decimal("3.5"), []),
        ("1,2,3.5,0000000000000100", Decimal("3.5"), []),
    ],
)
def test_the_plain_and_the_exact_way_agree_on_a_rating(tmp_path, line, rating, reasons, quoted):
    first, rest = line.split(",", 1)
    content = RATINGS + "9,1,1.0,5\n" + (f'"{first}",{rest}' if quoted else line) + "\n"
    result = built(write(tmp_path / "in", ratings=content.encode(), links=LINKS))
    assert result.rows("SELECT rating FROM rating WHERE user_id = 1") == [(rating,)]
    assert [r for (r,) in told(result, "reason")] == reasons


def test_a_stray_line_before_a_whole_record_is_no_half_of_it(tmp_path):
    links = b"note,movieId,imdbId,tmdbId\nhello\nabc,1,0000001,1\n"
    result = built(write(tmp_path / "in", links=links))
    assert told(result, "severity", "reason", "line") == [
        ("warning", "unknown_column", 1),
        ("rejected", "wrong_field_count", 2),
    ]


def test_a_text_of_three_megabytes_as_csv(tmp_path):
    result = built(write(tmp_path / "in", movies_metadata=movies({"overview": "é\r\n" * 1_000_000})), format="csv")
    assert result.rows("SELECT length(overview) FROM movie") == [(3_000_000,)]


def test_an_integer_of_six_thousand_digits_as_a_name(tmp_path):
    genres = "[{0x" + "f" * 6000 + ": 1, 'id': 16, 'name': 'A'}, {'id': 0x" + "f" * 6000 + "}]"
    result = built(write(tmp_path / "in", movies_metadata=movies({"genres": genres})))
    assert result.rows("SELECT genre_id FROM movie_genre") == [(16,)]
    assert result.rows("SELECT raw FROM rejected_record") == [(genres.encode(),)]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"id,keywords," + b"x" * 200_000, "longer than 64 KiB"),
        (b'id,"keywords\n1,[]\n', "cannot be read"),
        (b"id,keywords\r1,[]\r2,[]\r", "carriage returns"),
    ],
)
def test_a_header_that_is_none(tmp_path, header, message):
    with pytest.raises(SourceError, match=message):
        built(write(tmp_path / "in", keywords=header))


def test_columns_without_a_name_are_only_unknown(tmp_path):
    result = built(write(tmp_path / "in", keywords=b"id,keywords,,\n1,[],,\n"))
    assert result.run.files["keywords.csv"]["records"]["loaded"] == 1
    assert [r for (r,) in told(result, "reason")] == ["unknown_column", "unknown_column"]


@pytest.mark.parametrize("encoding", ["hex", "base64", "rot13", "zlib", "bz2", "uu"])
def test_a_codec_that_is_no_encoding(tmp_path, encoding):
    with pytest.raises(UsageError, match=encoding):
        built(write(tmp_path / "in"), encoding=encoding)


def test_a_folder_named_like_a_file(tmp_path):
    folder = write(tmp_path / "in")
    (folder / "ratings.csv").mkdir()
    assert built(folder).run.rows["rating"] == 0


def test_the_size_of_a_cut_value_is_the_whole_one(tmp_path):
    content = b"id,keywords\n" + b"x" * 100_000 + b"\n"
    result = built(write(tmp_path / "in", keywords=content))
    (value,) = (x["value"] for x in result.log if x["reason"] == "wrong_field_count")
    assert value.endswith(" … [100000 bytes]")
    assert len(value.encode()) <= 1024


def test_a_split_record_without_a_key_is_rejected_and_nothing_else(tmp_path):
    row = movies({"id": "99999999999999999"})[0]
    halves = ",".join("one\ntwo" if c == "overview" else row.get(c, "").replace(",", "") for c in _columns())
    content = ",".join(_columns()) + "\n" + halves + "\n"
    result = built(
        write(
            tmp_path / "in",
            movies_metadata=content.encode() + ",".join(movies({})[0].get(c, "") for c in _columns()).encode() + b"\n",
        )
    )
    assert [x for x in told(result, "severity", "reason") if x[0] == "mended"] == []


def _columns() -> list[str]:
    from small import HEADERS

    return HEADERS["movies_metadata.csv"]


@pytest.mark.parametrize(
    ("column", "cell", "reason", "value"),
    [
        ("popularity", "1e-400", "rounded", Decimal(0)),
        ("popularity", "0.50000000000000000000000000000000001", "rounded", Decimal("0.5")),
        ("popularity", "-0.0000000001", "invalid_number", None),
        ("vote_average", "10.0004", "invalid_number", None),
        ("popularity", "0.1234567890", None, Decimal("0.123456789")),
    ],
)
def test_decimals_at_the_edge(tmp_path, column, cell, reason, value):
    result = built(write(tmp_path / "in", movies_metadata=movies({column: cell})))
    assert result.rows(f"SELECT {column} FROM movie") == [(value,)]
    assert told(result, "reason") == ([(reason,)] if reason else [])


def test_what_is_known_of_a_person_is_not_replaced_by_what_is_not(tmp_path):
    cast = [
        {
            "cast_id": 1,
            "character": "x",
            "credit_id": "c",
            "gender": 2,
            "id": 7,
            "name": "N",
            "order": 0,
            "profile_path": "/p",
        }
    ]
    crew = [{"credit_id": "w", "department": "d", "gender": 0, "id": 7, "job": "j", "name": "N", "profile_path": None}]
    credits = [{"cast": repr(cast), "crew": repr(crew), "id": 1}]
    result = built(write(tmp_path / "in", credits=credits))
    assert result.rows("FROM person") == [(7, "N", 2, "/p")]


def test_a_year_of_unknown_popularity_has_no_most_popular_genre(tmp_path):
    genres = "[{'id': 16, 'name': 'Animation'}]"
    result = built(write(tmp_path / "in", movies_metadata=movies({"genres": genres, "popularity": ""})))
    assert result.rows("FROM genre_most_popular_by_year") == []


def test_a_list_of_more_than_a_mebibyte_with_something_else_in_it(tmp_path):
    elements = ", ".join(f"{{'id': {i}, 'name': 'G'}}" for i in range(1, 40_000))
    keywords = f'id,keywords\n1,"[None, {elements}, (5, 6)]"\n'
    result = built(write(tmp_path / "in", keywords=keywords.encode()))
    assert result.run.files["keywords.csv"]["lists"]["keywords"] == {
        "read": 40_001,
        "loaded": 39_999,
        "merged": 0,
        "rejected": 2,
    }


def test_options_are_judged_before_any_work(tmp_path):
    for options in ({"format": "xml"}, {"memory_limit": "lots"}, {"threads": 0}, {"max_bytes": -1}):
        with pytest.raises(UsageError):
            moviehouse.build("nowhere.zip", tmp_path / "out", **options)


def test_too_little_memory_says_so(tmp_path):
    made = moviehouse.sample(tmp_path / "s.zip", movies=4000, ratings=400_000, seed=2)
    with pytest.raises(TargetError, match="out of memory at --memory-limit 10MB"):
        moviehouse.build(str(made.path), tmp_path / "out", memory_limit="10MB")
