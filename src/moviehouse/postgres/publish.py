"""Publishes a release to PostgreSQL, in one transaction: whatever ends it early leaves nothing behind."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from moviehouse.engines.duckdb import opened
from moviehouse.errors import SourceError, TargetError, UsageError
from moviehouse.model.tables import TABLES
from moviehouse.postgres import copy, ddl, schema, swap
from moviehouse.postgres.address import Address, connected, need_psycopg
from moviehouse.progress import Progress, Quiet
from moviehouse.run import RunRecord
from moviehouse.sql.text import name
from moviehouse.steps.find_release import find_release
from moviehouse.steps.target import DATABASE

if TYPE_CHECKING:
    import psycopg

SCHEMA = "moviehouse"
WAIT = 60.0
_LOCK = 0x4D6F7669
"""The first half of the advisory lock's key; the second is the schema's name, hashed by the server."""

# What would end a long load early. Settings that a server does not have are left out.
_SETTINGS = {
    "statement_timeout": "0",
    "transaction_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "standard_conforming_strings": "on",
}


@dataclass
class Publication:
    """What a publish did: where, which release, the rows of each table, the seconds of each step.

    `unchanged`: this release was there already and nothing was done. `replaced` is the run whose release was
    there before. `views` are views outside the schema that stood on the old release and now stand on this one.
    `nul_texts` are texts with a NUL in them, which is shown as U+2400: PostgreSQL cannot store it.
    """

    server: str
    database: str
    user: str
    schema: str
    run_id: str
    rows: dict[str, int]
    seconds: dict[str, float] = field(default_factory=dict)
    unchanged: bool = False
    replaced: str | None = None
    views: list[str] = field(default_factory=list)
    nul_texts: int = 0


def publish(
    release: Path,
    target: str,
    name_: str = SCHEMA,
    *,
    wait: float = WAIT,
    force: bool = False,
    progress: Progress | None = None,
) -> Publication:
    """Put a release into a schema of a PostgreSQL database; see `moviehouse.publish`."""
    need_psycopg()
    address, wanted = Address.parse(target), schema.valid(name_)
    if not wait >= 0:
        raise UsageError("--wait must not be negative.", "Give seconds, or 0 not to wait.")
    folder = find_release(release)
    record = RunRecord.read(folder / "run.json")
    with opened(folder / DATABASE) as source, connected(address) as con, con.cursor() as cur:
        work = _Work(source, cur, record, wanted, wait, progress or Quiet())
        done = _publish(work, force=force)
        con.commit()
        return done


@dataclass
class _Work:
    """One publish under way."""

    source: duckdb.DuckDBPyConnection
    cur: psycopg.Cursor
    record: RunRecord
    schema: str
    wait: float
    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Record a step's seconds."""
        start = time.monotonic()
        yield
        self.seconds[step] = round(time.monotonic() - start, 3)

    def run(self, statement: str) -> None:
        """Execute a statement that has no parameters."""
        self.cur.execute(statement.encode())


def _publish(work: _Work, *, force: bool) -> Publication:
    """Everything but the commit."""
    _settle(work)
    _take_turn(work)
    existing = schema.find(work.cur, work.schema)
    info = work.cur.connection.info
    server = f"{info.host or 'local'}:{info.port}"
    done = Publication(
        server, info.dbname, info.user, work.schema, work.record.run_id, dict(work.record.rows), work.seconds
    )  # fmt: skip
    rendering = ddl.rendering()
    if existing and not force and (existing.run_id, existing.rendering) == (done.run_id, rendering):
        done.unchanged = True
        return done
    if existing:
        schema.refuse_what_is_in_the_way(work.cur, work.schema, existing)
        done.replaced = existing.run_id
    building = f"moviehouse__building_{secrets.token_hex(6)}"
    work.run(f"CREATE SCHEMA {name(building)}")
    if existing:
        swap.inherit_defaults(work.cur, existing, building)
    work.run(f"SET LOCAL search_path = {name(building)}")
    with work.timed("copy"):
        done.rows = _load(work)
        done.nul_texts = sum(copy.texts_with_nul(work.source, table) for table in TABLES)
        _sign(work, rendering, done.nul_texts)
    with work.timed("index"):
        _finish(work)
    work.run("SET LOCAL search_path = pg_catalog")
    with work.timed("swap"), work.progress.step("swap"):
        if existing:
            swap.inherit(work.cur, existing, building)
            done.views = swap.take_place(work.cur, existing, building, work.schema, work.wait)
        else:
            work.run(f"ALTER SCHEMA {name(building)} RENAME TO {name(work.schema)}")
        work.run(f"COMMENT ON SCHEMA {name(work.schema)} IS 'A release of Moviehouse; see {ddl.PUBLICATION}.'")
    return done


def _settle(work: _Work) -> None:
    """Make the session fit for a long load, and refuse a database that cannot hold every text."""
    import psycopg

    work.run("SET LOCAL search_path = pg_catalog")  # what we call is the server's own, whatever the role's path is
    for setting, value in _SETTINGS.items():
        work.cur.execute("SELECT set_config(name, %s, true) FROM pg_settings WHERE name = %s", [value, setting])
    try:  # so that the server notices within a second that we were killed; not every platform can
        with work.cur.connection.transaction():
            work.run("SET LOCAL client_connection_check_interval = '1s'")
    except psycopg.errors.DatabaseError as error:
        if error.sqlstate is None:
            raise
    row = work.cur.execute("SELECT current_setting('server_encoding'), pg_is_in_recovery()").fetchone()
    assert row is not None
    if row[0] != "UTF8":
        raise TargetError(
            f"The database's encoding is {row[0]}, which cannot hold every text.",
            "Make one with ENCODING 'UTF8'.",
            retry=False,
        )
    if row[1]:
        raise TargetError("This server only takes queries: it is a standby.", "Give the primary's.", retry=False)


def _take_turn(work: _Work) -> None:
    """Hold the schema against other publishers until the transaction ends. The lock dies with its owner."""
    if _locked(work):
        return
    until = time.monotonic() + work.wait
    with work.timed("wait"), work.progress.step("wait for another publish"):
        while time.monotonic() < until:
            time.sleep(0.2)
            if _locked(work):
                return
    raise TargetError(
        f"Another publish has been writing to the schema {work.schema} for {work.wait:g} s.",
        "Wait for it to end, or give --wait more seconds.",
    )


def _locked(work: _Work) -> bool:
    row = work.cur.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [_LOCK, work.schema]).fetchone()
    return bool(row and row[0])


def _load(work: _Work) -> dict[str, int]:
    """Make the tables and copy the rows; gives their number by table."""
    rows: dict[str, int] = {}
    for table in TABLES:
        work.run(ddl.create_table(table))
        try:
            with work.progress.step(f"copy {table.name}", work.record.rows.get(table.name)) as step:
                rows[table.name] = copy.load(work.source, work.cur, table, step.advance)
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            built_with = work.record.versions.get("moviehouse", "another version")
            raise SourceError(
                f"The release does not have the table {table.name} as this version of Moviehouse declares it: it was "
                f"built with {built_with}.",
                "Build it again.",
            ) from error
    return rows


def _sign(work: _Work, rendering: str, nul_texts: int) -> None:
    """Say in the schema which release it holds; frozen, as the other rows are."""
    record = work.record
    work.run(ddl.create_publication())
    version = record.versions.get("moviehouse")
    values = (
        record.run_id, rendering, record.source.get("address"), record.source.get("sha256"), version,
        ddl.relations(), nul_texts,
    )  # fmt: skip
    columns = [column for column, _, _ in ddl.PUBLICATION_COLUMNS]
    row = work.cur.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    with work.cur.copy(
        f"COPY {name(ddl.PUBLICATION)} ({', '.join(map(name, columns))}) FROM STDIN (FREEZE)".encode()
    ) as lines:
        lines.write_row((*values, row[0]))


def _finish(work: _Work) -> None:
    """Build keys and indexes, check the references, make the views, comment, and tell the planner."""
    with work.progress.step("build keys and indexes"):
        for table in TABLES:
            for statement in ddl.indexes(table):
                work.run(statement)
    with work.progress.step("check references"):
        for table in TABLES:
            for statement in ddl.foreign_keys(table):
                work.run(statement)
    with work.progress.step("make views, analyze"):
        for _, statement in ddl.views():
            work.run(statement)
        for statement in ddl.comments():
            work.run(statement)
        for table in TABLES:
            work.run(f"ANALYZE {name(table.name)}")
