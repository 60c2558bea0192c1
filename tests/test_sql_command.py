"""`moviehouse sql`: reads a release, and cannot be made to touch anything else."""

import io
import json
import re
import signal
import subprocess
import sys
import time

import duckdb
import pytest
from house import house, run  # noqa: F401  (fixtures)
from pseudo import on_terminal, plain


def test_rows_as_table_csv_json_and_parquet(run, tmp_path):  # noqa: F811
    query = "SELECT genre_id, name FROM genre ORDER BY 1"
    status, out, err = run("sql", query)
    assert (status, err) == (0, "")
    assert [line.split("  ")[-1].strip() for line in out.splitlines()] == [
        "name",
        "Animation",
        "Drama",
        "TV Movie",
        "3 rows",
    ]
    assert run("sql", query, "--format", "csv")[1] == "genre_id,name\n16,Animation\n18,Drama\n10770,TV Movie\n"
    assert json.loads(run("sql", query, "--format", "json")[1])[0] == {"genre_id": 16, "name": "Animation"}
    assert run("sql", query, "-o", tmp_path / "g.parquet") == (0, "", "")
    assert duckdb.sql(f"FROM '{tmp_path}/g.parquet'").fetchall()[2] == (10770, "TV Movie")
    assert run("sql", query, "-o", tmp_path / "g.json") == (0, "", "")
    assert len(json.loads((tmp_path / "g.json").read_text())) == 3


def test_a_plan_is_printed_as_it_is_drawn(run):  # noqa: F811
    _, out, _ = run("sql", "EXPLAIN FROM genre ORDER BY name")
    lines = out.splitlines()
    assert len(lines) > 5
    assert r"\n" not in out
    assert not re.search("explain_key|physical_plan|rows?$", lines[0] + lines[-1])
    assert len(set(map(len, (line for line in lines if "genre" in line)))) == 1  # a box has a straight side
    assert run("sql", "EXPLAIN FROM genre", "--format", "csv")[1].startswith("explain_key,explain_value\n")


def test_a_query_from_a_file_and_from_standard_input(run, tmp_path, monkeypatch):  # noqa: F811
    file = tmp_path / "q.sql"
    file.write_text("-- how many\nSELECT count(*) AS n FROM genre; -- all\n")
    assert run("sql", "--file", file, "--format", "csv")[1] == "n\n3\n"
    monkeypatch.setattr("sys.stdin", io.StringIO("FROM genre SELECT count(*) AS n"))
    assert run("sql", "-", "--format", "csv")[1] == "n\n3\n"
    assert "cannot be read" in run("sql", "--file", tmp_path / "none.sql")[2]
    assert "Give one query" in run("sql")[2]
    assert "Give one query" in run("sql", "SELECT 1", "--file", file)[2]


@pytest.mark.parametrize(
    "query",
    [
        "DESCRIBE movie", "SHOW TABLES", "SUMMARIZE genre", "EXPLAIN SELECT 1", "VALUES (1), (2)", "FROM genre LIMIT 1",
        "PIVOT genre ON name USING count(*)", "WITH x AS (SELECT 1 AS a) FROM x", "FROM genre_revenue_by_year",
        "SELECT now(), current_date", "SELECT * FROM test_all_types()", "SELECT count(*) FROM error_log;",
        "SELECT 1 -- no more", "SELECT ';'", "(SELECT 1) UNION ALL (SELECT 2)",
    ],
)  # fmt: skip
def test_what_reads_is_run_in_every_format(run, query, tmp_path):  # noqa: F811
    for form in ("table", "csv", "json"):
        status, out, err = run("sql", query, "--format", form)
        assert (status, err) == (0, ""), query
        assert out
    json.loads(out)


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    path = tmp_path_factory.mktemp("secret") / "secret.csv"
    path.write_text("a,b\nhidden-content,2\n")
    return path


ATTACKS = [
    "SELECT * FROM read_csv('{secret}')", "SELECT * FROM '{secret}'", "FROM \"{secret}\"",
    "SELECT * FROM read_text('{secret}')", "SELECT * FROM read_blob('{secret}')", "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_parquet('{secret}')", "SELECT * FROM read_json('{secret}')", "SELECT * FROM read_ndjson('{secret}')",
    "SELECT * FROM sniff_csv('{secret}')", "SELECT * FROM parquet_metadata('{secret}')", "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM glob('{folder}/*')", "SELECT * FROM query('SELECT * FROM read_text(''{secret}'')')",
    "SELECT * FROM query_table('{secret}')", "SELECT (SELECT content FROM read_text('{secret}'))",
    "WITH RECURSIVE t AS (SELECT content FROM read_text('{secret}')) FROM t", "SELECT * FROM read_duckdb('{secret}')",
    "DESCRIBE SELECT * FROM read_csv('{secret}')", "SUMMARIZE FROM read_csv('{secret}')",
    "EXPLAIN ANALYZE SELECT * FROM read_csv('{secret}')", "EXPLAIN ANALYZE COPY genre TO '{folder}/out.csv'",
    "COPY genre TO '{folder}/out.csv'", "COPY (SELECT 1) TO '{folder}/out.parquet' (FORMAT parquet)",
    "COPY genre FROM '{secret}'", "EXPORT DATABASE '{folder}/out'", "IMPORT DATABASE '{folder}'",
    "ATTACH '{folder}/out.db' AS x", "ATTACH ':memory:' AS x", "DETACH moviehouse", "USE memory",
    "INSTALL httpfs", "LOAD httpfs", "LOAD '{folder}/x.duckdb_extension'", "FORCE INSTALL httpfs FROM community",
    "SELECT * FROM 'http://127.0.0.1:9/x.csv'", "SELECT * FROM read_csv('https://127.0.0.1:9/x.csv')",
    "SELECT * FROM 's3://bucket/x.parquet'", "SET threads = 1", "SET GLOBAL enable_external_access = true",
    "SET enable_external_access = true", "SET lock_configuration = false", "RESET memory_limit", "SET VARIABLE a = 1",
    "PRAGMA threads = 1", "PRAGMA enable_profiling", "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "CREATE PERSISTENT SECRET s (TYPE s3)", "SELECT getenv('HOME')", "SELECT getenv('SECRET_OF_TEST')",
    "INSERT INTO genre VALUES (1, 'x')", "UPDATE genre SET name = 'x'", "DELETE FROM genre", "DROP TABLE genre",
    "TRUNCATE genre", "ALTER TABLE genre ADD COLUMN x INTEGER", "CREATE TABLE t (i INTEGER)", "CREATE TEMP TABLE t (i INTEGER)",
    "CREATE VIEW v AS SELECT 1", "CREATE MACRO m() AS 1", "CREATE FUNCTION f(a) AS a", "CREATE INDEX i ON genre (name)",
    "WITH x AS (INSERT INTO genre VALUES (1, 'x') RETURNING *) FROM x", "MERGE INTO genre USING genre AS g ON true WHEN MATCHED THEN DELETE",
    "CALL pragma_version()", "CALL enable_logging()", "CHECKPOINT", "VACUUM", "ANALYZE", "BEGIN", "COMMIT", "ROLLBACK",
    "PREPARE p AS SELECT 1", "EXECUTE p", "DEALLOCATE p", "COMMENT ON TABLE genre IS 'x'",
    "SELECT 1; SELECT 2", "SELECT 1; COPY genre TO '{folder}/out.csv'", "SELECT 1) TO '{folder}/out.csv' --",
    "SELECT 1; SET threads = 1; SELECT 2", "", "  ;  ", "-- nothing", "SELECT * FROM visible_variable", "SELECT * FROM con", "SELECT $1", "SELECT ?",
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_query_reaches_nothing_but_the_release(run, house, secret, attack, monkeypatch):  # noqa: F811
    monkeypatch.setenv("SECRET_OF_TEST", "hidden-content")
    visible_variable = [(1,)]
    before = (house.release.database.read_bytes(), sorted(secret.parent.iterdir()))
    query = attack.format(secret=secret, folder=secret.parent)
    for form in ("csv", "parquet"):
        status, out, err = run("sql", query, "--format", form)
        assert (status, out) == (2, ""), err
        assert "hidden-content" not in err
        assert err.startswith("moviehouse: ")
        assert "bug" not in err
        assert len(err.splitlines()[0]) < 200
    assert (house.release.database.read_bytes(), sorted(secret.parent.iterdir())) == before
    assert visible_variable


def test_refusals_are_one_clear_sentence(run, secret):  # noqa: F811
    assert (
        run("sql", "DROP TABLE genre")[2].splitlines()[0] == "moviehouse: A query may only read: DROP is not allowed."
    )
    err = run("sql", f"FROM read_csv('{secret}')")[2]
    assert err.splitlines()[0] == "moviehouse: A query may not use files, the network, extensions or secrets."
    assert "There are 2 statements" in run("sql", "SELECT 1; SELECT 2")[2]
    assert "There is no query" in run("sql", "-- nothing")[2]
    assert run("sql", "FROM duckdb_secrets()", "--format", "json")[1] == "[]\n"


def test_errors_are_what_duckdb_says_with_the_place(run):  # noqa: F811
    err = run("sql", "SELECT titel\nFROM movie")[2].splitlines()
    assert err[0].startswith('moviehouse: Referenced column "titel" not found')
    assert any("title" in line for line in err[1:])
    line = next(i for i, text in enumerate(err) if "LINE 1:" in text)
    assert err[line].index("titel") == err[line + 1].index("^")
    err = run("sql", "FROM movi")[2]
    assert 'Did you mean "movie"?' in err
    assert "moviehouse schema" in err
    assert "syntax error" in run("sql", "SELEC 1")[2]
    assert "Could not convert string 'x'" in run("sql", "SELECT CAST('x' AS INTEGER)")[2]


def test_rows_end_where_a_table_would_be_too_long_and_names_are_kept_apart(run):  # noqa: F811
    _, out, _ = run("sql", "SELECT * FROM range(100000000000)", "--limit", "3")
    assert "The first 3 rows; there are more." in out
    assert json.loads(run("sql", "SELECT 1 AS a, 2 AS a, NULL AS b, 'nan'::FLOAT AS c", "--format", "json")[1]) == [
        {"a": 1, "a_1": 2, "b": None, "c": "nan"}
    ]
    assert run("sql", "SELECT NULL AS a, [1, 2] AS b, '=1' AS c, 'x\\x5Cy'::BLOB AS d", "--format", "csv")[
        1
    ].splitlines()[1] == (',"[1, 2]",\'=1,x\\x5Cy')
    assert "\x1b" not in run("sql", "SELECT chr(27) || '[31m' AS \"\x1b[31m\"")[1]


@pytest.mark.parametrize(("option", "value"), [("--memory-limit", "lots"), ("--threads", "0"), ("--limit", "0")])
def test_limits_that_are_none(run, option, value):  # noqa: F811
    status, out, err = run("sql", "SELECT 1", option, value)
    assert (status, out) == (2, "")
    assert len(err.splitlines()) <= 2


def test_a_query_that_needs_too_much_memory_says_so(run):  # noqa: F811
    query = "SELECT list(a.range) FROM range(30000000) AS a"
    status, _, err = run("sql", query, "--memory-limit", "60MiB", "--threads", "1")
    assert status == 2
    assert "--memory-limit" in err


@pytest.mark.parametrize(
    "query",
    [
        "WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t) SELECT max(i) FROM t",
        "SELECT count(*) FROM range(100000000000) AS a, range(100000000000) AS b WHERE a.range % 7 = b.range % 11",
    ],
)
def test_a_query_without_an_end_stops_at_an_interrupt(house, query):  # noqa: F811
    process = subprocess.Popen(
        [sys.executable, "-m", "moviehouse", "sql", query, "--threads", "1", "--release", house.release.out],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, "", "moviehouse: stopped.\n")


def test_a_reader_that_has_enough_ends_the_query(house):  # noqa: F811
    command = f"set -o pipefail; {sys.executable} -m moviehouse sql 'FROM range(10000000000)' --format csv --release {house.release.out} | head -2"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "range\n0\n", "")


def test_long_texts_are_shown_whole_on_a_narrow_terminal(house):  # noqa: F811
    query = "SELECT 1234567890123456 AS number, repeat('word ', 60) AS words, 'end' AS last"
    _, out = on_terminal("sql", query, "--release", house.release.out, columns=40)
    assert plain(out).count("word") == 60 + 1
    assert "1234567890123456" in out
    assert max(map(len, plain(out).splitlines())) <= 40
