"""A line of the error log for each reason, as a run wrote it: tests/test_error_examples.py has the files."""

from __future__ import annotations

from typing import NamedTuple


class Example(NamedTuple):
    """What a line says of its own; severity and action are the reason's."""

    file: str | None
    line: int | None
    column: str | None
    movie_id: int | None
    value: str | None
    message: str


_M, _C, _L = "movies_metadata.csv", "credits.csv", "links.csv"
EXAMPLES = {
    "wrong_field_count": Example(
        _L, 151, None, None, "200,114709,862,surplus", "The record has 4 fields, the header 3."
    ),
    "malformed_quote": Example(
        _L, 152, None, None, '201,"1147"09,862', "A quoted field is not closed before the next one opens."
    ),
    "truncated_record": Example(
        "keywords.csv", 3, None, None, "863,\"[{'id': 16", "The file ends inside a quoted field."
    ),
    "not_utf8": Example(_L, 153, None, None, "202,Caf\\xe9,862", "The record is not valid UTF-8."),
    "nul_byte": Example(_L, 154, None, None, "203,11\\x0009,862", "The record has a NUL byte."),
    "missing_key": Example(_M, 11, "id", None, "", "The record has no id."),
    "invalid_key": Example(
        _M, 12, "id", None, "1997-08-20", "id is not a whole number from 1 to 9,007,199,254,740,992."
    ),
    "unknown_movie": Example(_C, 3, "id", 99, "99", "movies_metadata.csv has no movie 99."),
    "invalid_element": Example(_M, 6, "genres", 866, "{'name': 'Comedy'}", "The element has no usable 'id'."),
    "split_record": Example(
        _M,
        13,
        None,
        870,
        "False,,0,[],,870,tt0000001,en,A,Of two\n lines,1.5,,[],[],1995-10-30,0,81.0,[],Released,A,False,7.7,10,",
        "A line break in an unquoted field split the record: 10 fields on this line, 15 on the next.",
    ),
    "damaged_list": Example(
        _M,
        5,
        "genres",
        865,
        "[{'id': 35, 'name': 'Comedy'} GATO",
        "The list is damaged; the one whole element before the damage kept.",
    ),
    "rounded": Example(_M, 4, "popularity", 864, "0.12345678901", "popularity has more than 9 decimals."),
    "duplicate_record": Example(_M, 9, "id", 869, "869", "The record on line 10 has the same key."),
    "duplicate_element": Example(_M, 4, "genres", 864, "16", "A later element has the same key."),
    "invalid_integer": Example(_M, 3, "budget", 863, "12,5", "budget is not a whole number from 0 to 100,000,000,000."),
    "invalid_number": Example(
        _M, 3, "popularity", 863, "n/a", "popularity is not a number from 0 to 999999999 of at most 9 decimals."
    ),
    "invalid_date": Example(_M, 3, "release_date", 863, "10/30/1995", "release_date is not a date written yyyy-mm-dd."),
    "invalid_boolean": Example(_M, 3, "adult", 863, "yes", "adult is not true or false."),
    "invalid_code": Example(
        _M, 3, "original_language", 863, "english", "original_language is not a code of the form [a-z]{2,3}."
    ),
    "invalid_text": Example(_C, 2, "cast", 862, "'\\ud800'", "'character' of element 1 is not valid."),
    "invalid_list": Example(
        _M,
        3,
        "genres",
        863,
        "['Comedy'",
        "The cell is not the Python literal it should be, and no whole element could be read.",
    ),
    "suspicious_amount": Example(
        _M, 2, "budget", 862, "12", "budget is from 1 to 999 dollars: perhaps thousands or millions."
    ),
    "unknown_status": Example(
        _M,
        3,
        "status",
        863,
        "released",
        "status is none of Released, Rumored, Post Production, In Production, Planned, Canceled.",
    ),
    "unknown_genre": Example(_M, 6, "genres", 866, "7883 Aniplex", "The genre is none of the twenty that TMDB has."),
    "name_conflict": Example(
        _M,
        7,
        "production_companies",
        867,
        "Pixar | Pixar Animation Studios",
        "Id 3 is called Pixar here, and Pixar Animation Studios later.",
    ),
    "unknown_movielens_id": Example(
        "ratings.csv", 2, "movieId", None, "206", "No links file has MovieLens id 206; 1 rating(s) name it."
    ),
    "unlinked_movie": Example(_L, 155, "tmdbId", 98, "98", "movies_metadata.csv has no movie 98."),
    "links_disagree": Example(
        "links_small.csv", 2, "tmdbId", None, "113497,8844", "links.csv has 114709 and 862 on line 156."
    ),
    "missing_file": Example("keywords.csv", None, None, None, "keywords.csv", "The source has no keywords.csv."),
    "empty_file": Example(_L, None, None, None, "links.csv", "links.csv is empty: it does not even have a header."),
    "unknown_file": Example(
        "ratings_medium.csv",
        None,
        None,
        None,
        "ratings_medium.csv",
        "ratings_medium.csv is none of the dataset's files.",
    ),
    "missing_column": Example(_M, 1, "tagline", None, "tagline", "The header has no column tagline."),
    "unknown_column": Example(_M, 1, "rating_mpaa", None, "rating_mpaa", "The model has no column rating_mpaa."),
    "source_unusable": Example(
        _L,
        1,
        "tmdbId",
        None,
        None,
        "links.csv: the required column tmdbId is missing. Names count with their case: rename TMDBID.",
    ),
    "gate_failed": Example(
        None,
        None,
        None,
        None,
        "('no movie',)",
        "some_movie_is_loaded: At least one movie is loaded: an empty release never takes the place of a full one.",
    ),
    "target_unwritable": Example(
        None,
        None,
        None,
        None,
        None,
        "A file in moviehouse-out would be larger than the process or the file system allows. "
        "Raise the limit (ulimit -f), or give another --out.",
    ),
    "stopped": Example(None, None, None, None, None, "The run was stopped by a signal."),
    "bug": Example(
        None, None, None, None, "Traceback (most recent call last): …", "ZeroDivisionError: division by zero"
    ),
}
