"""Publishing to PostgreSQL when things go wrong: readers see a whole release, errors say what to do, and no secret."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import psycopg
import pytest
from postgres_server import PostgresServer

import moviehouse
from moviehouse.errors import GateError, MoviehouseError, TargetError, UsageError
from moviehouse.model.tables import TABLES

PUBLISHING = "SELECT pid FROM pg_stat_activity WHERE application_name = 'moviehouse' AND datname = current_database()"


@pytest.fixture
def place(postgres: PostgresServer) -> SimpleNamespace:
    return postgres.place()


@pytest.fixture
def releases(two_releases: list[moviehouse.Release]) -> list[moviehouse.Release]:
    return two_releases


def process(place: SimpleNamespace, release: moviehouse.Release, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "moviehouse", "publish", str(release.path), place.url, *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def seen(con: psycopg.Connection) -> tuple:
    """What a transaction of several statements sees: the release's name, the rows of each table, of one answer."""
    found: list[object] = []
    with con.transaction():
        for table in ("moviehouse_publication", *(t.name for t in TABLES)):
            found.append(con.execute(f"SELECT count(*) FROM moviehouse.{table}").fetchall()[0][0])
        found.append(con.execute("SELECT run_id FROM moviehouse.moviehouse_publication").fetchall()[0][0])
        found.append(con.execute("SELECT count(*) FROM moviehouse.genre_revenue_by_year").fetchall()[0][0])
    return tuple(found)


@contextmanager
def readers(place: SimpleNamespace) -> Iterator[set[tuple]]:
    """Two readers that look again and again, one in snapshots; gives what they have seen, and raises what went wrong."""
    found: set[tuple] = set()
    end = threading.Event()

    def read(level: psycopg.IsolationLevel) -> None:
        with place.connect() as con:
            con.isolation_level = level
            while not end.is_set():
                found.add(seen(con))
                time.sleep(0.05)

    with ThreadPoolExecutor(2) as pool:
        levels = (psycopg.IsolationLevel.READ_COMMITTED, psycopg.IsolationLevel.REPEATABLE_READ)
        reading = [pool.submit(read, level) for level in levels]
        try:
            yield found
        finally:
            end.set()
        for each in reading:
            each.result()


def pause_at(place: SimpleNamespace, tag: str) -> None:
    """Make the server sleep where a publish comes to a command of that kind."""
    place.run(
        "CREATE OR REPLACE FUNCTION public.pause() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF tg_tag = '{tag}' AND current_setting('application_name') = 'moviehouse' THEN PERFORM pg_sleep(60); END IF; "
        "END $$",
        "DROP EVENT TRIGGER IF EXISTS pausing",
        "CREATE EVENT TRIGGER pausing ON ddl_command_start EXECUTE FUNCTION public.pause()",
    )


@pytest.mark.long
def test_a_publisher_killed_anywhere_leaves_the_old_release(place, releases):
    """Where the server is kept waiting, and at moments of chance; then the next one publishes at once."""
    place.publish(releases[0])
    with place.connect() as con:
        old = seen(con)
    with readers(place) as found:
        for tag in ("CREATE TABLE", "ALTER TABLE", "CREATE VIEW", "ALTER SCHEMA", "DROP TABLE"):
            pause_at(place, tag)
            publisher = process(place, releases[1])
            until(lambda: place.rows(f"{PUBLISHING} AND wait_event = 'PgSleep'"))
            publisher.kill()
            publisher.wait()
            until(lambda: not place.rows(PUBLISHING))  # the server notices by itself
        place.run("DROP EVENT TRIGGER pausing")
        for delay in (0, 0.05, 0.15, 0.25, 0.35):
            publisher = process(place, releases[1])
            until(lambda: place.rows(PUBLISHING))
            time.sleep(delay)
            publisher.kill()
            publisher.wait()
            until(lambda: not place.rows(PUBLISHING))
            if place.publish(releases[0]).replaced:
                break  # this one had been done before the kill
        assert place.rows("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'moviehouse%'") == [("moviehouse",)]
        place.publish(releases[1])
        with place.connect() as con:
            new = seen(con)
        time.sleep(0.2)
    assert new != old
    assert found == {old, new}


def test_a_reader_in_the_middle_keeps_its_release_and_is_waited_for(place, releases):
    place.publish(releases[0])
    with place.connect() as con, con.transaction():
        movies = con.execute("SELECT count(*) FROM moviehouse.movie").fetchone()
        publisher = process(place, releases[1])
        until(lambda: place.rows(f"{PUBLISHING} AND query LIKE '%SAVEPOINT swap%'"))
        start = time.monotonic()
        with place.connect() as other:  # a reader who comes meanwhile is not kept waiting for long
            assert other.execute("SELECT count(*) FROM moviehouse.movie").fetchone() == movies
        assert time.monotonic() - start < 5
        assert con.execute("SELECT run_id FROM moviehouse.moviehouse_publication").fetchone() == (
            releases[0].run.run_id,
        )
        assert con.execute("SELECT count(*) FROM moviehouse.movie").fetchone() == movies
    assert publisher.wait(20) == 0, publisher.stdout.read()
    assert place.rows("SELECT run_id FROM moviehouse.moviehouse_publication") == [(releases[1].run.run_id,)]


def test_a_reader_who_does_not_end_is_named_in_the_end(place, releases):
    place.publish(releases[0])
    with place.connect() as con, con.transaction():
        con.execute("SELECT count(*) FROM moviehouse.movie")
        error = refused(
            lambda: place.publish(releases[1], wait=0.5), "Readers have held", "idle in transaction", "--wait"
        )
        assert f"process {con.info.backend_pid} of admin" in str(error)
        assert error.retry
    assert place.rows("SELECT run_id FROM moviehouse.moviehouse_publication") == [(releases[0].run.run_id,)]


def test_an_old_snapshot_sees_the_new_release_whole(place, releases):
    """Rows that are not frozen would be invisible to a snapshot older than they are: an empty table."""
    with place.connect() as con:
        con.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with con.transaction():
            con.execute("SELECT count(*) FROM pg_class")
            place.publish(releases[0])
            assert con.execute("SELECT count(*) FROM moviehouse.movie").fetchone() == (releases[0].run.rows["movie"],)
            assert con.execute("SELECT run_id FROM moviehouse.moviehouse_publication").fetchone()


def test_a_connection_that_the_server_ends(place, releases):
    place.publish(releases[0])
    pause_at(place, "CREATE VIEW")
    publisher = process(place, releases[1])
    until(lambda: place.rows(f"{PUBLISHING} AND wait_event = 'PgSleep'"))
    place.rows(f"SELECT pg_terminate_backend(pid) FROM ({PUBLISHING}) AS p")
    assert publisher.wait(20) == 4
    said = publisher.stdout.read()
    assert "terminating connection due to administrator command" in said
    assert "Trying again can help" in said
    assert "Traceback" not in said
    assert place.rows("SELECT run_id FROM moviehouse.moviehouse_publication") == [(releases[0].run.run_id,)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_publisher_that_is_asked_to_stop(place, releases, number):
    pause_at(place, "CREATE VIEW")
    publisher = process(place, releases[0])
    until(lambda: place.rows(f"{PUBLISHING} AND wait_event = 'PgSleep'"))
    publisher.send_signal(number)
    assert publisher.wait(10) == 128 + number
    assert "stopped; nothing was published" in publisher.stdout.read()
    assert place.rows("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'moviehouse%'") == []


def test_two_publishers_take_turns(place, releases):
    publishers = [process(place, release) for release in (*releases, releases[0], releases[1])]
    said = [publisher.communicate(timeout=60)[0] for publisher in publishers]
    assert [publisher.returncode for publisher in publishers] == [0, 0, 0, 0], said
    assert sum("wait for another publish" in text for text in said) >= 1
    with place.connect() as con:
        found = seen(con)
    (release,) = [r for r in releases if r.run.run_id == found[-2]]
    assert found[1:-2] == tuple(release.run.rows[t.name] for t in TABLES)
    pause_at(place, "CREATE VIEW")
    first = process(place, releases[0], "--force")
    until(lambda: place.rows(f"{PUBLISHING} AND wait_event = 'PgSleep'"))
    error = refused(lambda: place.publish(releases[1], wait=0), "Another publish has been writing", "--wait")
    assert (error.exit_status, error.retry) == (4, True)
    first.kill()
    first.wait()


def refused(call: Callable[[], object], *words: str, kind: type[MoviehouseError] = TargetError) -> MoviehouseError:
    with pytest.raises(kind) as raised:
        call()
    for word in words:
        assert word in str(raised.value)
    return raised.value


@pytest.mark.parametrize(
    ("condition", "words", "kind", "retry"),
    [
        ("disk_full", "make room", TargetError, True),
        ("serialization_failure", "in the way", TargetError, True),
        ("deadlock_detected", "in the way", TargetError, True),
        ("out_of_memory", "short of resources", TargetError, True),
        ("query_canceled", "cancelled", TargetError, True),
        ("insufficient_privilege", "GRANT CREATE ON DATABASE", TargetError, False),
        ("check_violation", "breaks a rule", GateError, False),
        ("feature_not_supported", "still there", TargetError, False),
    ],
)
def test_what_the_server_says_no_to(place, releases, condition, words, kind, retry):
    """The server itself raises it, in the middle of a publish."""
    place.run(
        "CREATE FUNCTION public.fail() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"RAISE EXCEPTION 'no, %', tg_tag USING ERRCODE = '{condition}'; END $$",
        "CREATE EVENT TRIGGER failing ON ddl_command_start WHEN TAG IN ('CREATE VIEW') EXECUTE FUNCTION public.fail()",
    )
    error = refused(lambda: place.publish(releases[0]), "no, CREATE VIEW", words, kind=kind)
    assert error.retry == retry
    assert place.rows("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'moviehouse%'") == []


def test_what_cannot_be_connected_to(postgres, place, releases):
    def put(url: str) -> Callable[[], object]:
        return lambda: moviehouse.publish(releases[0].path, url)

    role, password = postgres.role(place.database)
    with postgres.connect() as con:
        con.execute(f"ALTER ROLE {role} CONNECTION LIMIT 0")
        con.execute(f"CREATE DATABASE {place.database}_latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    cases = [
        (postgres.url(place.database, password="wrong"), "Give the right password", False),
        (postgres.url("nonesuch"), "createdb", False),
        (postgres.url(place.database).replace(str(postgres.port), "9"), "Is the server running", True),
        (postgres.url(place.database, role, password), "The server is full", True),
        (postgres.url(f"{place.database}_latin"), "ENCODING 'UTF8'", False),
        (postgres.url(place.database, options="-c default_transaction_read_only=on"), None, False),
    ]
    for url, words, retry in cases:
        if words is None:  # our own transaction says that it writes
            assert put(url)()
            continue
        assert refused(put(url), words).retry == retry
    poor, password = postgres.role(place.database)
    error = refused(put(postgres.url(place.database, poor, password) + "?"), "permission denied", "GRANT CREATE")
    assert not error.retry
    for address in ("mysql://a/b", "a.zip", "host=a dbname=b", "postgresql://u:pa/ss@h/d", "postgresql://u:p@h:p/d",
                    "postgresql://u:%zz@h/d", "postgresql://h/d?passwrod=x"):  # fmt: skip
        error = refused(put(address), kind=UsageError)
        assert "ss" not in error.message.replace("address", "")
    refused(lambda: place.publish(releases[0], wait=-1), "--wait", kind=UsageError)


def test_without_the_extra_the_command_says_how_to_get_it(releases):
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from moviehouse.cli import run; sys.exit(run(['publish', sys.argv[1], 'postgresql://']))"
    )
    done = subprocess.run([sys.executable, "-c", code, releases[0].path], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'moviehouse[postgres]'" in done.stderr


def test_tls(postgres, place, releases):
    """The server's certificate is signed by itself, for the name moviehouse.test."""

    def at(**parameters: str) -> Callable[[], object]:
        return lambda: moviehouse.publish(releases[0].path, postgres.url(place.database, **parameters), force=True)

    place.run("CREATE TABLE public.used (tls boolean)")
    place.run(
        "CREATE FUNCTION public.note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.used "
        "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid(); END $$",
        "CREATE EVENT TRIGGER noting ON ddl_command_start WHEN TAG IN ('CREATE SCHEMA') EXECUTE FUNCTION public.note()",
    )
    at(sslmode="require")()
    at(sslmode="disable")()
    at(sslmode="verify-ca", sslrootcert=str(postgres.trusted))()
    at(sslmode="verify-full", sslrootcert=str(postgres.trusted), host="moviehouse.test", hostaddr="127.0.0.1")()
    assert sorted(place.rows("SELECT tls, count(*) FROM public.used GROUP BY 1")) == [(False, 1), (True, 3)]
    for parameters in ({"sslmode": "verify-full", "sslrootcert": str(postgres.trusted)},
                       {"sslmode": "verify-full", "sslrootcert": "system"}, {"sslmode": "verify-ca"}):  # fmt: skip
        error = refused(at(**parameters), "certificate", "sslrootcert")
        assert not error.retry


def test_no_password_is_ever_shown(postgres, place, releases, tmp_path):
    role, canary = postgres.role(place.database, f"CREATE ON DATABASE {place.database}")
    wrong = f"wrong{os.urandom(8).hex()}/@{os.urandom(8).hex()}"
    login = f"postgresql://{role}@127.0.0.1:{postgres.port}/{place.database}"
    escaped = canary.replace("\\", "\\\\").replace(":", "\\:")
    (tmp_path / "pgpass").write_text(f"127.0.0.1:*:*:{role}:{escaped}\n")
    (tmp_path / "pgpass").chmod(0o600)
    (tmp_path / "services").write_text(
        f"[right]\nhost=127.0.0.1\nport={postgres.port}\ndbname={place.database}\nuser={role}\npassword={canary}\n"
        f"[wrong]\nhost=127.0.0.1\nport={postgres.port}\ndbname={place.database}\nuser={role}\npassword={wrong}\n"
    )
    plain = {k: v for k, v in os.environ.items() if not k.startswith("PG")} | {"PGPASSFILE": str(tmp_path / "none")}
    services = {"PGSERVICEFILE": str(tmp_path / "services")}
    said = []

    def run(status: int | tuple[int, ...], url: str, **environment: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "moviehouse", "publish", releases[0].path, url, "--debug"],
            env=plain | environment, capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip
        said.append(done.stdout + done.stderr)
        assert done.returncode in (status if isinstance(status, tuple) else (status,)), said[-1]

    run(0, login.replace(role, f"{role}:{quote(canary, safe='')}"))
    run(0, login, PGPASSWORD=canary)
    run(0, login, PGPASSFILE=str(tmp_path / "pgpass"))
    run(0, "postgresql://?service=right", **services)
    run(0, "postgresql://", PGSERVICE="right", **services)
    run(4, login)
    run(4, login.replace(role, f"{role}:{quote(wrong, safe='')}"))
    run(4, login + f"?password={quote(wrong, safe='')}")
    run(4, login, PGPASSWORD=wrong)
    run(4, "postgresql://?service=wrong", **services)
    run(4, "postgresql://?service=missing", **services)
    for character in "/?#@:%":
        odd = f"{wrong[:10]}{character}{wrong[-10:]}"
        run((2, 4), login.replace(role, f"{role}:{odd}"))
    run(2, login + f"?passwrod={quote(wrong, safe='')}")
    run(4, login + f"?options=-c%20search_path%3D{quote(canary, safe='')}")
    text = "\n".join(said)
    for secret in (canary, wrong):
        for form in (secret, quote(secret, safe=""), secret[:10], secret[-10:]):
            assert form not in text, next(each for each in said if form in each)
    assert Path(tmp_path / "moviehouse-out").exists() is False
