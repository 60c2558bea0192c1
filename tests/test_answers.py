"""What the answers mean, on a dataset small enough to work out by hand."""

from decimal import Decimal

import pytest
from small import built, movies, told, write

import moviehouse
from moviehouse.errors import SourceError, UsageError

D = Decimal


def genres(*ids: int) -> str:
    names = {16: "Animation", 18: "Drama", 35: "Comedy", 28: "Action", 80: "Crime"}
    return repr([{"id": i, "name": names[i]} for i in ids])


def companies(*pairs: tuple[int, str]) -> str:
    return repr([{"name": n, "id": i} for i, n in pairs])


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    rows = movies(
        {"genres": genres(18, 35, 16), "budget": "100", "revenue": "1000", "popularity": "1.5",
         "production_companies": companies((1, "Pixar"), (2, "Disney"))},
        {"genres": genres(18), "budget": "0", "revenue": "500", "popularity": "2.25", "production_companies": companies((1, "Pixar"))},
        {"genres": genres(35, 18), "budget": "2000", "revenue": "0", "popularity": ""},
        {"genres": "[]", "budget": "7000", "revenue": "9000"},
        {"genres": genres(18), "budget": "5000", "revenue": "6000", "status": "Rumored"},
        {"genres": genres(18), "budget": "5000", "revenue": "6000", "release_date": ""},
        {"genres": genres(28), "budget": "5000", "revenue": "4000", "status": "", "release_date": "1996-01-01", "popularity": "3.0"},
        {"genres": genres(80), "budget": "0", "revenue": "0", "release_date": "1996-05-01", "popularity": "3.0",
         "production_companies": companies((3, "Pixar"))},
    )  # fmt: skip
    return built(write(tmp_path_factory.mktemp("house") / "in", movies_metadata=rows))


def test_revenue_by_genre(house):
    assert house.rows("FROM genre_revenue_by_year") == [
        (1995, 16, "Animation", 1, 1, 1000, D("333.33")),
        (1995, 18, "Drama", 3, 2, 1500, D("833.34")),
        (1995, 35, "Comedy", 2, 1, 1000, D("333.33")),
        (1996, 28, "Action", 1, 1, 4000, D("4000.00")),
        (1996, 80, "Crime", 1, 0, None, None),
    ]


def test_profit_is_over_movies_of_which_both_amounts_are_known(house):
    assert house.rows("FROM genre_profit_by_year") == [
        (1995, 16, "Animation", 1, 1, 900, D("300.00")),
        (1995, 18, "Drama", 3, 1, 900, D("300.00")),
        (1995, 35, "Comedy", 2, 1, 900, D("300.00")),
        (1996, 28, "Action", 1, 1, -1000, D("-1000.00")),
        (1996, 80, "Crime", 1, 0, None, None),
    ]


def test_budget_by_genre_gives_the_odd_cents_to_the_first_of_the_list(house):
    assert house.rows("SELECT * FROM genre_budget_by_year WHERE year = 1995") == [
        (1995, 16, "Animation", 1, 1, 100, D("33.33")),
        (1995, 18, "Drama", 3, 2, 2100, D("1033.34")),
        (1995, 35, "Comedy", 2, 2, 2100, D("1033.33")),
    ]


def test_companies_of_one_name_are_two(house):
    assert house.rows("FROM company_revenue_by_year") == [
        (1, "Pixar", 1995, 2, 2, 1500, D("1000.00")),
        (2, "Disney", 1995, 1, 1, 1000, D("500.00")),
        (3, "Pixar", 1996, 1, 0, None, None),
    ]


def test_releases_by_genre_of_a_company(house):
    assert house.rows("FROM company_releases_by_genre_by_year") == [
        (1, "Pixar", 1995, 16, "Animation", 1),
        (1, "Pixar", 1995, 18, "Drama", 2),
        (1, "Pixar", 1995, 35, "Comedy", 1),
        (2, "Disney", 1995, 16, "Animation", 1),
        (2, "Disney", 1995, 18, "Drama", 1),
        (2, "Disney", 1995, 35, "Comedy", 1),
        (3, "Pixar", 1996, 80, "Crime", 1),
    ]


def test_average_popularity_of_a_company(house):
    assert house.rows("FROM company_popularity_by_year") == [
        (1, "Pixar", 1995, 2, 1.875), (2, "Disney", 1995, 1, 1.5), (3, "Pixar", 1996, 1, 3.0),
    ]  # fmt: skip


def test_the_most_popular_genre_and_ties(house):
    assert house.rows("FROM genre_most_popular_by_year") == [
        (1995, 18, "Drama", 3, D("3.750000000"), 1.875),
        (1996, 28, "Action", 1, D("3.000000000"), 3.0),
    ]
    assert house.rows("SELECT genre_id, rank_by_total, rank_by_mean FROM genre_popularity_by_year WHERE year = 1996") == [
        (28, 1, None), (80, 2, None),
    ]  # fmt: skip


def test_what_is_left_out_is_said(house):
    assert house.run.releases["movies"] == 6
    assert house.run.excluded == [
        {"status": "Released", "dated": False, "movies": 1, "budget_usd": 5000, "revenue_usd": 6000},
        {"status": "Rumored", "dated": True, "movies": 1, "budget_usd": 5000, "revenue_usd": 6000},
    ]
    assert house.run.unattributed["without_genre"] == {
        "movies": 1, "budget_usd": 7000, "revenue_usd": 9000, "profit_usd": 2000,
    }  # fmt: skip


def test_a_key_that_comes_again_and_a_list_that_names_a_thing_twice(tmp_path):
    rows = movies(
        {"title": "old", "budget": "oops"},
        {"id": "1", "title": "new", "genres": genres(18, 35, 18)},
        {"id": "9", "production_companies": companies((1, "Old name"))},
        {"id": "8", "production_companies": companies((1, "New name"))},
    )
    keywords = [
        {"id": 1, "keywords": "[{'id': 5, 'name': 'x'}]"},
        {"id": 1, "keywords": "[]"},
        {"id": 77, "keywords": "[{'id': 6, 'name': 'y'}]"},
    ]
    result = built(write(tmp_path / "in", movies_metadata=rows, keywords=keywords))
    assert result.rows("SELECT title, source_line, keywords_line FROM movie WHERE movie_id = 1") == [("new", 3, 3)]
    assert result.rows("SELECT genre_id, position FROM movie_genre ORDER BY position") == [(35, 2), (18, 3)]
    assert result.rows("SELECT name FROM company") == [("New name",)]
    assert result.rows("SELECT count(*) FROM keyword") == [(0,)]
    assert told(result, "severity", "reason", "file", "line", "column", "value") == [
        ("merged", "duplicate_record", "movies_metadata.csv", 2, "id", "1"),
        ("merged", "duplicate_element", "movies_metadata.csv", 3, "genres", "18"),
        ("warning", "name_conflict", "movies_metadata.csv", 4, "production_companies", "Old name | New name"),
        ("merged", "duplicate_record", "keywords.csv", 2, "id", "1"),
        ("rejected", "unknown_movie", "keywords.csv", 4, "id", "77"),
    ]
    assert result.run.files["keywords.csv"]["lists"]["keywords"] == {"read": 2, "loaded": 0, "merged": 1, "rejected": 1}


def test_a_thing_with_several_names_keeps_the_last_and_the_log_tells_of_another(tmp_path):
    things = {
        "genres": ("genre", "genre_id", {"id": 1}),
        "production_companies": ("company", "company_id", {"id": 2}),
        "production_countries": ("country", "country_code", {"iso_3166_1": "FR"}),
        "spoken_languages": ("language", "language_code", {"iso_639_1": "fr"}),
        "belongs_to_collection": ("collection", "collection_id", {"id": 3}),
        "keywords": ("keyword", "keyword_id", {"id": 4}),
    }
    names = ["First", "Second", None, "Third"]
    cells = [
        {column: repr(thing if column == "belongs_to_collection" else [thing])
         for column, (_, _, key) in things.items() for thing in [{**key, "name": name}]}
        for name in names
    ]  # fmt: skip
    keywords = [{"id": i, "keywords": each.pop("keywords")} for i, each in enumerate(cells, 1)]
    result = built(write(tmp_path / "in", movies_metadata=movies(*cells), keywords=keywords))
    for table, column, key in things.values():
        (value,) = key.values()
        assert result.rows(f"SELECT name FROM {table} WHERE {column} = '{value}'") == [("Third",)], table
    conflicts = [each for each in told(result, "reason", "column", "line", "value") if each[0] == "name_conflict"]
    assert sorted(conflicts) == [("name_conflict", column, 3, "Second | Third") for column in sorted(things)]


def test_links_and_ratings(tmp_path):
    links = [
        {"movieId": 10, "imdbId": "0114709", "tmdbId": 1},
        {"movieId": 11, "imdbId": "114709", "tmdbId": ""},
        {"movieId": 12, "imdbId": "12345678", "tmdbId": 500},
        {"movieId": 13, "imdbId": "0000013", "tmdbId": 1},
    ]
    small = [
        {"movieId": 10, "imdbId": "0114709", "tmdbId": 1},
        {"movieId": 13, "imdbId": "0000013", "tmdbId": 2},
        {"movieId": 20, "imdbId": "0000020", "tmdbId": 1},
    ]
    ratings = [
        {"userId": 1, "movieId": 10, "rating": "3.5", "timestamp": "1260759144"},
        {"userId": 1, "movieId": 99, "rating": "4.0", "timestamp": "1260759145"},
        {"userId": 1, "movieId": 10, "rating": "5.0", "timestamp": "1260759146"},
        {"userId": 2, "movieId": 99, "rating": "1.0", "timestamp": "1260759147"},
    ]
    result = built(write(tmp_path / "in", links=links, links_small=small, ratings=ratings, ratings_small=ratings[:1]))
    assert result.rows("FROM movielens_movie") == [
        (10, "tt0114709", 1, 1, True, 2, 2),
        (11, "tt0114709", None, None, False, 3, None),
        (12, "tt12345678", 500, None, False, 4, None),
        (13, "tt0000013", 1, 1, True, 5, 3),
        (20, "tt0000020", 1, 1, True, None, 4),
        (99, None, None, None, False, None, None),
    ]
    assert result.rows("SELECT edition, user_id, movielens_id, rating, source_line FROM rating ORDER BY ALL") == [
        ("full", 1, 10, D("5.0"), 4), ("full", 1, 99, D("4.0"), 3), ("full", 2, 99, D("1.0"), 5), ("small", 1, 10, D("3.5"), 2),
    ]  # fmt: skip
    assert told(result, "reason", "file", "line", "column") == [
        ("unlinked_movie", "links.csv", 4, "tmdbId"),
        ("links_disagree", "links_small.csv", 3, "tmdbId"),
        ("duplicate_record", "ratings.csv", 2, "userId,movieId"),
        ("unknown_movielens_id", "ratings.csv", 3, "movieId"),
    ]


def test_credits(tmp_path):
    cast = [
        {"cast_id": 1, "character": "", "credit_id": "c1", "gender": 2, "id": 31, "name": "Tom", "order": 0, "profile_path": None},
        {"cast_id": 2, "character": "B", "credit_id": "c2", "gender": 0, "id": 32, "name": "Tim", "order": 1, "profile_path": "/x.jpg"},
    ]  # fmt: skip
    crew = [
        {
            "credit_id": "w1",
            "department": "Directing",
            "gender": 2,
            "id": 31,
            "job": "Director",
            "name": "Tommy",
            "profile_path": None,
        }
    ]
    credits = [
        {"cast": repr(cast), "crew": repr(crew), "id": 1},
        {"cast": repr(cast[:1]), "crew": "[]", "id": 2},
    ]
    result = built(write(tmp_path / "in", movies_metadata=movies({}, {}), credits=credits))
    assert result.rows("SELECT credit_id, movie_id, person_id, \"character\", position, source_line FROM cast_credit ORDER BY 1") == [
        ("c1", 2, 31, None, 1, 3), ("c2", 1, 32, "B", 2, 2),
    ]  # fmt: skip
    assert result.rows("FROM person ORDER BY 1") == [(31, "Tom", 2, None), (32, "Tim", 0, "/x.jpg")]
    assert told(result, "reason", "line", "column", "value") == [
        ("duplicate_element", 2, "cast", "c1"),
        ("name_conflict", 2, "crew", "Tommy | Tom"),
    ]


def test_asking(house):
    ask = house.release.ask
    answer = ask("genre-revenue-by-year", years=(1995, 1995), genre="animation")
    assert answer.rows == ((1995, 16, "Animation", 1, 1, 1000, D("333.33")),)
    assert answer.notes == ("1995 Animation: its one movie has a known revenue.",)
    assert ask("genre_budget_by_year", genre="18").rows[0][:3] == (1995, 18, "Drama")
    assert [r[0] for r in ask("company-popularity-by-year", top=1).rows] == [3]
    assert ask("company-revenue-by-year", company="DISNEY").rows[0][0] == 2
    assert ask("genre-most-popular-by-year", years=(1996, 2000)).rows[0][2] == "Action"


def test_asking_for_what_is_not_there(house):
    ask = house.release.ask
    with pytest.raises(UsageError, match="no question 'profit'"):
        ask("profit")
    with pytest.raises(UsageError, match="no genre 'Drma'") as caught:
        ask("genre-revenue-by-year", genre="Drma")
    assert "Near: Drama (18)" in caught.value.hint
    with pytest.raises(UsageError, match=r"'Pixar' is the name of 2 companies") as caught:
        ask("company-revenue-by-year", company="Pixar")
    assert [line.split() for line in caught.value.detail.splitlines()[1:]] == [
        ["1", "2", "1995", "Pixar"], ["3", "1", "1996", "Pixar"],
    ]  # fmt: skip
    with pytest.raises(UsageError, match="has no company"):
        ask("genre-revenue-by-year", company="Pixar")
    with pytest.raises(SourceError, match="no release"):
        moviehouse.ask("genre-revenue-by-year", house.release.out / "nowhere")
