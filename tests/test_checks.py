"""Every check finds what it is there for: a good release is broken in one place, and the check says where."""

import shutil

import duckdb
import pytest

import moviehouse
from moviehouse.model.tables import TABLES
from moviehouse.progress import Quiet
from moviehouse.steps import balance
from moviehouse.steps.check import checks, run_checks


@pytest.fixture(scope="session")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    made = moviehouse.sample(folder / "s.zip", movies=400, ratings=4000, seed=5)
    return moviehouse.build(str(made.path), folder / "out")


@pytest.fixture
def broken(good, tmp_path):
    """A copy of a good release's database to break, with the balance as the run found it."""
    path = tmp_path / "b.duckdb"
    shutil.copy(good.database, path)
    with duckdb.connect(str(path)) as con:
        balances = []
        for file, entry in good.run.files.items():
            r = entry["records"]
            balances.append(balance.Balance(file, "", r["read"], r["loaded"], r["merged"], r["rejected"]))
        balance.show(con, balances)
        yield con


def failing(con) -> set[str]:
    return {o.check for o in run_checks(con, Quiet()) if not o.passed}


def test_a_good_release_passes_every_check(broken):
    assert failing(broken) == set()


BREAKS = {
    "movie.required": "UPDATE movie SET source_file = NULL WHERE movie_id = (SELECT min(movie_id) FROM movie)",
    "movie.key": "INSERT INTO movie SELECT * FROM movie LIMIT 1",
    "rating.key": "INSERT INTO rating SELECT * FROM rating LIMIT 1",
    "genre.key": "INSERT INTO genre SELECT * FROM genre LIMIT 1",
    "movie_genre.movie_id": "UPDATE movie_genre SET movie_id = 999999999 WHERE position = 1 AND genre_id = 18",
    "movie_genre.genre_id": "INSERT INTO movie_genre SELECT min(movie_id), 4242, 9 FROM movie",
    "movie.original_language": "UPDATE movie SET original_language = 'qq'",
    "cast_credit.person_id": "UPDATE cast_credit SET person_id = -5",
    "rating.movielens_id": "UPDATE rating SET movielens_id = 88888888 WHERE source_line = 2",
    "movielens_movie.movie_id": "UPDATE movielens_movie SET movie_id = 987654321 WHERE movie_id IS NOT NULL",
    "movie.domains": "UPDATE movie SET budget_usd = -1",
    "rating.domains": "UPDATE rating SET rating = 0.0",
    "rejected_record.domains": "UPDATE rejected_record SET reason = 'because'",
    "error_log.domains": "UPDATE error_log SET severity = 'mild'",
    "some_movie_is_loaded": "DELETE FROM movie",
    "balance_closes": "UPDATE balance SET loaded = loaded - 1 WHERE file = 'links.csv'",
    "log_matches_rejected": "DELETE FROM rejected_record WHERE line = (SELECT max(line) FROM rejected_record)",
    "unknown_genres_are_logged": "DELETE FROM error_log WHERE reason = 'unknown_genre'",
    "genre_amounts_add_up": (
        "CREATE OR REPLACE VIEW unattributed_by_year AS SELECT 1800 AS year, 'genre' AS dimension, 0 AS movies, "
        "0 AS budget_usd, 0 AS revenue_usd, 0 AS profit_usd"
    ),
    "company_amounts_add_up": (
        "CREATE OR REPLACE VIEW company_share AS SELECT * REPLACE (budget_usd_allocated + 0.01 AS budget_usd_allocated) "
        "FROM company_share_before"
    ),
    "answers_cover_releases": (
        "CREATE OR REPLACE VIEW genre_revenue_by_year AS SELECT * FROM genre_revenue_before WHERE genre <> 'Drama'"
    ),
    "one_popular_genre_a_year": (
        "CREATE OR REPLACE VIEW genre_most_popular_by_year AS SELECT year, genre_id FROM genre_share"
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_check_finds_what_breaks_it(broken, name):
    broken.execute("CREATE TABLE company_share_before AS SELECT * FROM company_share")
    broken.execute("CREATE TABLE genre_revenue_before AS SELECT * FROM genre_revenue_by_year")
    broken.execute(BREAKS[name])
    assert name in failing(broken)


def test_every_kind_of_check_has_been_broken():
    """Checks of a kind differ in their table alone; every kind, and every written check, is broken above."""
    kinds = {n.split(".")[1] if "." in n else n for n in BREAKS}
    references = {r.column for t in TABLES for r in t.references}
    for check in checks():
        kind = check.name.split(".")[1] if "." in check.name else check.name
        assert kind in kinds or kind in references, check.name


def test_every_check_says_what_it_means():
    names = [c.name for c in checks()]
    assert len(set(names)) == len(names)
    for check in checks():
        assert check.meaning.endswith("."), check
