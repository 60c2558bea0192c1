"""Publishing to PostgreSQL, on a real server: what is there afterwards is what the model declares, whole or not at all."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import duckdb
import psycopg
import pytest
from postgres_server import PostgresServer
from small import movies, write

import moviehouse
from moviehouse.errors import MoviehouseError, SourceError, TargetError, UsageError
from moviehouse.model.tables import TABLE, TABLES
from moviehouse.postgres import ddl
from moviehouse.render.ddl import _comment
from moviehouse.sql import QUESTIONS, VIEWS, header

ROOT = Path(moviehouse.__file__).parents[1]


@pytest.fixture
def releases(two_releases: list[moviehouse.Release]) -> list[moviehouse.Release]:
    return two_releases


@pytest.fixture
def place(postgres: PostgresServer) -> SimpleNamespace:
    return postgres.place()


@pytest.fixture(scope="module")
def published(postgres: PostgresServer, two_releases: list[moviehouse.Release]) -> Iterator[psycopg.Connection]:
    """A database with a release in it, for tests that change nothing; each in a transaction that is undone."""
    place = postgres.place()
    place.publish(two_releases[0])
    with place.connect() as con:
        con.execute("SET search_path = moviehouse")
        yield con


def rows_of(release: moviehouse.Release, relation: str) -> list[tuple]:
    with duckdb.connect(str(release.database), read_only=True) as con:
        return con.execute(f'SELECT * FROM "{relation}"').fetchall()


def exactly(rows: list[tuple]) -> list[tuple]:
    """Rows with the types of their values, and decimals with their scale: equal only if everything is."""
    return [tuple((type(value).__name__, repr(value)) for value in row) for row in rows]


def test_the_nine_views_equal_the_answers(published, releases):
    for question in QUESTIONS:
        path = releases[0].path / "answers" / f"{question}.parquet"
        expected = duckdb.sql(f"SELECT * FROM read_parquet('{path}')").fetchall()
        cursor = published.execute(f"SELECT * FROM {question}")
        assert [c.name for c in cursor.description] == duckdb.sql(f"FROM read_parquet('{path}')").columns
        assert exactly(cursor.fetchall()) == exactly(expected), question
        assert expected, f"{question} has no rows to compare"
    for view in VIEWS:
        found, expected = published.execute(f"SELECT * FROM {view}").fetchall(), rows_of(releases[0], view)
        assert sorted(map(repr, found)) == sorted(map(repr, expected)), view


def test_every_table_holds_every_row(published, releases):
    for table in TABLES:
        found = published.execute(f"SELECT * FROM {table.name}").fetchall()
        assert sorted(exactly(found)) == sorted(exactly(rows_of(releases[0], table.name))), table.name
        assert found, f"{table.name} has no rows to compare"


def bad(check: str) -> str:
    """A value that a CHECK of the model's forms refuses."""
    if low := re.fullmatch(r"\w+ (>=?) (-?\d+)", check):
        return str(int(low[2]) - (low[1] == ">="))
    if between := re.fullmatch(r"\w+ BETWEEN \S+ AND (\d+)", check):
        return str(int(between[1]) + 1)
    assert re.fullmatch(r"\w+ IN \(.*\)", check), f"a form this test does not know: {check}"
    return "'none of these'"


def insert_with(table: str, column: str, value: str) -> str:
    """One row of a table once more, with another value in one column."""
    columns = ", ".join(f'"{c.name}"' for c in TABLE[table].columns)
    values = ", ".join(value if c.name == column else f'"{c.name}"' for c in TABLE[table].columns)
    return f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} LIMIT 1"


def bad_rows() -> Iterator[tuple[str, str, type[psycopg.Error], str]]:
    """For each declared rule: its name, a statement that breaks it, the error, and the column or constraint named."""
    for table in TABLES:
        key_free = {"-7", "'ZZ'"}
        for column in table.columns:
            what = f"{table.name}.{column.name}"
            if not column.nullable:
                yield f"{what} not null", insert_with(table.name, column.name, "NULL"), psycopg.errors.NotNullViolation, column.name  # fmt: skip
            if ddl.check_of(column):
                statement = insert_with(table.name, column.name, bad(ddl.check_of(column)))
                yield f"{what} check", statement, psycopg.errors.CheckViolation, f"{table.name}_{column.name}_check"
        if table.key:
            statement = f"INSERT INTO {table.name} SELECT * FROM {table.name} LIMIT 1"
            yield f"{table.name} key", statement, psycopg.errors.UniqueViolation, f"{table.name}_pkey"
        for r in table.references:
            value = "'ZZ'" if table.column(r.column).type == "VARCHAR" else "-7"
            assert value in key_free
            key = next(k for k in table.key if k != r.column or len(table.key) == 1)
            where = f'"{key}" = (SELECT "{key}" FROM {table.name} LIMIT 1)'
            statement = f'UPDATE {table.name} SET "{r.column}" = {value} WHERE {where}'
            if r.column in table.key:  # one row, or the new values would repeat a key
                statement = (
                    f'UPDATE {table.name} SET "{r.column}" = {value} WHERE ctid = (SELECT min(ctid) FROM {table.name})'
                )
            yield f"{table.name}.{r.column} reference", statement, psycopg.errors.ForeignKeyViolation, f"{table.name}_{r.column}_fkey"  # fmt: skip


BAD_ROWS = list(bad_rows())


@pytest.mark.parametrize(("statement", "error", "named"), [b[1:] for b in BAD_ROWS], ids=[b[0] for b in BAD_ROWS])
def test_a_bad_row_is_refused(published, statement, error, named):
    with pytest.raises(error) as raised, published.transaction():
        published.execute(statement)
    assert named in (raised.value.diag.constraint_name, raised.value.diag.column_name)


def test_every_declared_constraint_is_there_and_valid(published):
    found = published.execute(
        "SELECT conrelid::regclass::text, contype, conname FROM pg_constraint "
        "WHERE connamespace = 'moviehouse'::regnamespace AND convalidated"
    ).fetchall()
    declared = {(t.name, "p", f"{t.name}_pkey") for t in TABLES if t.key}
    declared |= {(t.name, "f", f"{t.name}_{r.column}_fkey") for t in TABLES for r in t.references}
    declared |= {(t.name, "c", f"{t.name}_{c.name}_check") for t in TABLES for c in t.columns if ddl.check_of(c)}
    assert set(found) == declared
    assert len(declared) > 60


def test_every_reference_is_led_by_an_index(published):
    led = set(
        published.execute(
            "SELECT i.indrelid::regclass::text, a.attname FROM pg_index AS i "
            "JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] WHERE i.indisvalid"
        ).fetchall()
    )
    assert {(t.name, r.column) for t in TABLES for r in t.references} <= led


def test_a_question_about_one_year_uses_the_index_on_it(published):
    with published.transaction(force_rollback=True):
        published.execute("SET LOCAL enable_seqscan = off")
        for question in QUESTIONS:
            plan = published.execute(f"EXPLAIN SELECT * FROM {question} WHERE year = 1995").fetchall()
            assert any("movie_release_year_idx" in line for (line,) in plan), question


def test_comments_are_there(published):
    for table in TABLES:
        (comment,) = published.execute("SELECT obj_description(%s::regclass)", [table.name]).fetchone()
        assert comment == table.description
        for number, column in enumerate(table.columns, 1):
            (comment,) = published.execute("SELECT col_description(%s::regclass, %s)", [table.name, number]).fetchone()
            assert comment == _comment(column)
    for folder, stems in (("views", VIEWS), ("questions", QUESTIONS)):
        for stem in stems:
            (comment,) = published.execute("SELECT obj_description(%s::regclass)", [stem]).fetchone()
            assert comment == header(folder, stem)


def test_odd_texts_arrive_as_they_are(place, tmp_path):
    titles = ["\\", "\\N", "\\.", "a\tb", "a\nb", 'say "x"', "it's", ",", "\\n", "a\\", "\u2028", "𝄞", "\x01", "\\x41"]
    rows = movies(*({"title": title, "overview": title + "\n\\.\n" + title, "tagline": ""} for title in titles))
    rows += [dict(rows[0], id="x\\y\t\n,")]
    release = moviehouse.build(str(write(tmp_path / "in", movies_metadata=rows)), tmp_path / "out")
    place.publish(release)
    for table in ("movie", "rejected_record", "error_log"):
        assert sorted(exactly(place.rows(f"SELECT * FROM moviehouse.{table}"))) == sorted(
            exactly(rows_of(release, table))
        )
    found = dict(place.rows("SELECT title, tagline FROM moviehouse.movie"))
    assert set(titles) <= set(found)


def test_empty_is_not_null_and_a_nul_is_told(place, releases, tmp_path):
    """No source gives an empty text, and few give a NUL; a database may hold both."""
    copy = tmp_path / "release"
    shutil.copytree(releases[0].path, copy)
    with duckdb.connect(str(copy / "moviehouse.duckdb")) as con:
        ids = [row[0] for row in con.execute("SELECT movie_id FROM movie ORDER BY 1 LIMIT 3").fetchall()]
        con.execute("UPDATE movie SET tagline = '' WHERE movie_id = ?", [ids[0]])
        con.execute("UPDATE movie SET tagline = NULL WHERE movie_id = ?", [ids[1]])
        con.execute("UPDATE movie SET tagline = 'a' || chr(0) || 'b' WHERE movie_id = ?", [ids[2]])
    done = place.publish(copy)
    assert done.nul_texts == 1
    found = place.rows(f"SELECT tagline FROM moviehouse.movie WHERE movie_id IN {tuple(ids)} ORDER BY movie_id")
    assert found == [("",), (None,), ("a\u2400b",)]
    assert place.rows("SELECT nul_texts FROM moviehouse.moviehouse_publication") == [(1,)]


def test_a_release_of_another_version_is_refused(place, releases, tmp_path):
    copy = tmp_path / "release"
    shutil.copytree(releases[0].path, copy)
    with duckdb.connect(str(copy / "moviehouse.duckdb")) as con:
        con.execute("ALTER TABLE error_log DROP COLUMN action")
    place.publish(releases[1])
    refused(lambda: place.publish(copy), "table error_log", "Build it again", kind=SourceError)
    assert place.rows("SELECT run_id FROM moviehouse.moviehouse_publication") == [(releases[1].run.run_id,)]


def test_a_repeat_changes_nothing(place, releases):
    oid = "SELECT oid, xmin::text FROM pg_class WHERE oid = 'moviehouse.movie'::regclass"
    first = place.publish(releases[0])
    assert (first.unchanged, first.replaced, first.rows) == (False, None, releases[0].run.rows)
    before = place.rows(oid)
    again = place.publish(releases[0])
    assert again.unchanged
    assert again.rows == first.rows
    assert place.rows(oid) == before
    forced = place.publish(releases[0], force=True)
    assert (forced.unchanged, forced.replaced) == (False, first.run_id)
    assert place.rows(oid) != before


def test_another_schema_holds_another_release(place, releases):
    place.publish(releases[0])
    place.publish(releases[1], schema='Odd "name')
    assert place.rows("SELECT run_id FROM moviehouse.moviehouse_publication") == [(releases[0].run.run_id,)]
    assert place.rows('SELECT run_id FROM "Odd ""name".moviehouse_publication') == [(releases[1].run.run_id,)]
    place.publish(releases[0], schema='Odd "name')
    assert place.rows('SELECT count(*) FROM "Odd ""name".movie') == [(releases[0].run.rows["movie"],)]
    assert place.rows("SELECT count(*) FROM pg_namespace WHERE nspname LIKE '%building%'") == [(0,)]


def refused(call: Callable[[], object], *words: str, kind: type[MoviehouseError] = TargetError) -> MoviehouseError:
    with pytest.raises(kind) as raised:
        call()
    for word in words:
        assert word in str(raised.value)
    return raised.value


def test_a_schema_that_is_not_ours_is_refused(place, releases):
    place.run("CREATE SCHEMA moviehouse", "CREATE TABLE moviehouse.precious (a int)")
    error = refused(lambda: place.publish(releases[0]), "not Moviehouse's", "table moviehouse.precious", "--schema")
    assert (error.exit_status, error.retry) == (4, False)
    assert place.rows("SELECT count(*) FROM moviehouse.precious") == [(0,)]
    for name in ("public", "pg_mine", "information_schema", "", "x" * 64):
        refused(lambda name=name: place.publish(releases[0], schema=name), kind=UsageError)


def test_an_empty_schema_is_taken_with_its_owner_and_grants(place, releases):
    role, _ = place.server.role(place.database)
    reader, _ = place.server.role(place.database)
    place.run(f"CREATE SCHEMA moviehouse AUTHORIZATION {role}", f"GRANT USAGE ON SCHEMA moviehouse TO {reader}")
    place.publish(releases[0])
    assert place.rows("SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'moviehouse'") == [(role,)]
    assert place.rows("SELECT DISTINCT relowner::regrole::text FROM pg_class "
                      "WHERE relnamespace = 'moviehouse'::regnamespace") == [(role,)]  # fmt: skip
    assert place.rows(f"SELECT has_schema_privilege('{reader}', 'moviehouse', 'USAGE')") == [(True,)]


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("CREATE TABLE moviehouse.mine (a int)", "table moviehouse.mine"),
        ("CREATE FUNCTION moviehouse.f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "function moviehouse.f()"),
        ("CREATE MATERIALIZED VIEW public.m AS SELECT * FROM moviehouse.genre", "materialized view public.m"),
        ("CREATE TABLE public.t (g bigint REFERENCES moviehouse.genre)", "constraint t_g_fkey on table public.t"),
        ("CREATE POLICY p ON moviehouse.movie USING (true)", "policy p on table moviehouse.movie"),
    ],
)
def test_what_others_put_in_the_way_is_not_dropped(place, releases, statement, what):
    place.publish(releases[0])
    place.run(statement)
    error = refused(lambda: place.publish(releases[1]), what)
    assert not error.retry
    assert place.rows("SELECT run_id FROM moviehouse.moviehouse_publication") == [(releases[0].run.run_id,)]


def test_views_elsewhere_are_led_to_the_new_release(place, releases):
    reader, _ = place.server.role(place.database)
    place.publish(releases[0])
    place.run(
        "CREATE VIEW public.pixar WITH (security_barrier) AS SELECT r.*, g.name FROM moviehouse.release AS r "
        "JOIN moviehouse.movie_genre USING (movie_id) JOIN moviehouse.genre AS g USING (genre_id)",
        "CREATE VIEW public.above AS SELECT count(*) AS n FROM public.pixar",
        f"GRANT SELECT ON public.pixar TO {reader}",
    )
    before = place.rows("SELECT n FROM public.above")
    done = place.publish(releases[1])
    assert done.views == ["public.pixar"]
    expected = place.rows("SELECT count(*) FROM moviehouse.release JOIN moviehouse.movie_genre USING (movie_id)")
    assert place.rows("SELECT n FROM public.above") == expected != before
    assert place.rows(f"SELECT has_table_privilege('{reader}', 'public.pixar', 'SELECT')") == [(True,)]
    assert place.rows("SELECT reloptions FROM pg_class WHERE relname = 'pixar'") == [(["security_barrier=true"],)]


def test_grants_survive(place, releases):
    reader, password = place.server.role(place.database)
    other, _ = place.server.role(place.database)
    place.publish(releases[0])
    place.run(
        f"GRANT USAGE ON SCHEMA moviehouse TO {reader} WITH GRANT OPTION",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA moviehouse TO {reader}",
        f"REVOKE SELECT ON moviehouse.rejected_record FROM {reader}",
        f"GRANT SELECT (title, movie_id) ON moviehouse.movie TO {other}",
        "GRANT SELECT ON moviehouse.genre TO PUBLIC",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA moviehouse GRANT SELECT ON TABLES TO {reader}",
    )
    query = """
    SELECT c.relname, a.grantee::regrole::text, a.privilege_type, a.is_grantable FROM pg_class AS c
    CROSS JOIN aclexplode(c.relacl) AS a WHERE c.relnamespace = 'moviehouse'::regnamespace
    UNION ALL SELECT t.attname, a.grantee::regrole::text, a.privilege_type, a.is_grantable FROM pg_attribute AS t
    JOIN pg_class AS c ON c.oid = t.attrelid CROSS JOIN aclexplode(t.attacl) AS a
    WHERE c.relnamespace = 'moviehouse'::regnamespace
    UNION ALL SELECT '(schema)', a.grantee::regrole::text, a.privilege_type, a.is_grantable FROM pg_namespace AS n
    CROSS JOIN aclexplode(n.nspacl) AS a WHERE nspname = 'moviehouse'
    UNION ALL SELECT '(default)', a.grantee::regrole::text, a.privilege_type, a.is_grantable FROM pg_default_acl AS d
    CROSS JOIN aclexplode(d.defaclacl) AS a WHERE d.defaclnamespace = 'moviehouse'::regnamespace ORDER BY 1, 2, 3"""
    before = place.rows(query)
    assert len([row for row in before if row[1] == reader]) > 30
    place.publish(releases[1])
    assert place.rows(query) == before
    with psycopg.connect(place.server.url(place.database, reader, password)) as con:
        assert con.execute("SELECT count(*) FROM moviehouse.genre_revenue_by_year").fetchall()[0][0] > 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            con.execute("SELECT * FROM moviehouse.rejected_record")


def test_a_role_that_may_only_create_publishes_twice(place, releases):
    role, password = place.server.role(place.database, f"CREATE ON DATABASE {place.database}")
    url = place.server.url(place.database, role, password)
    moviehouse.publish(releases[0].path, url)
    assert moviehouse.publish(releases[1].path, url).replaced == releases[0].run.run_id


def test_the_help_and_the_summary(place, releases):
    command = [sys.executable, "-m", "moviehouse", "publish", releases[0].path, place.url]
    first = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"Release {releases[0].run.run_id} is in schema moviehouse of database {place.database}" in first.stdout
    assert "copy rating (" in first.stderr
    query = re.search(r"-c '(SELECT .*)'", first.stdout)[1]
    assert len(place.rows(query)) == 5
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "already" in again.stdout
    assert "copy" not in again.stderr
