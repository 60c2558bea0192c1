"""Writes a release beside the target, reads it back, and makes it current in one atomic step.

OUT/releases/<run>/   the releases: the current one and the one before
OUT/current           a symlink to the current one, flipped by rename
OUT/tables, …         fixed symlinks through current
OUT/failed/<run>/     the error logs of failed runs
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from moviehouse.errors import GateError, TargetError
from moviehouse.model.schema import Table
from moviehouse.model.tables import TABLES
from moviehouse.progress import Progress
from moviehouse.safe import spreadsheet_sql
from moviehouse.sql import QUESTIONS
from moviehouse.sql.text import literal, name
from moviehouse.steps.balance import LOADED, Balance

DATABASE = "moviehouse.duckdb"
LINKS = ("tables", "answers", DATABASE, "errors.jsonl", "run.json", "schema.sql", "report.html")
_COPY = {
    "parquet": "(FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL 1)",
    "csv": "(FORMAT csv, HEADER)",
    "jsonl": "(FORMAT json)",
}
_SCRATCH = (".staging-", ".work-")


class Target:
    """An output directory, locked for one run."""

    def __init__(self, out: Path, run_id: str) -> None:
        self.out, self.run_id = out, run_id
        self.staging = out / f".staging-{run_id}"
        self.work = out / f".work-{run_id}"

    @property
    def release(self) -> Path:
        """Where the run's release will be."""
        return self.out / "releases" / self.run_id

    @property
    def failed(self) -> Path:
        """Where the run's log goes if it fails."""
        return self.out / "failed" / self.run_id


@contextmanager
def locked(out: Path, run_id: str) -> Iterator[Target]:
    """Hold the output directory; scratch of runs that were killed is cleared first.

    Raises TargetError where another run holds it, or it cannot be written.
    """
    target = Target(out, run_id)
    if out.exists() and not out.is_dir():
        raise TargetError(f"{out} is a file, not a directory.", "Give another --out.", retry=False)
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        lock = (out / ".lock").open("a+")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TargetError(
                f"Another run is writing to {out}.", "Wait for it to end, or give another --out."
            ) from None
        with writing(out):
            _clear(out)
            target.staging.mkdir()
            target.work.mkdir()
        try:
            yield target
        finally:
            for folder in (target.staging, target.work):
                shutil.rmtree(folder, ignore_errors=True)


def _clear(out: Path) -> None:
    for entry in out.iterdir():
        if entry.name.startswith(_SCRATCH):
            shutil.rmtree(entry, ignore_errors=True)


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn what the file system says no to into a TargetError."""
    try:
        yield
    except duckdb.IOException as error:
        raise TargetError(
            f"Cannot write to {place}: {str(error).splitlines()[0]}", "Make room, then run again."
        ) from error
    except OSError as error:
        raise TargetError(
            f"Cannot write to {place}: {error.strerror or error}.",
            "Make room or get the permission, or give another --out.",
        ) from error


def write_release(con: duckdb.DuckDBPyConnection, staging: Path, format_: str, progress: Progress) -> None:
    """Write tables, answers and the error log from a release's database."""
    tables, answers = staging / "tables", staging / "answers"
    tables.mkdir()
    answers.mkdir()
    with progress.step("write"):
        for table in TABLES:
            _copy(con, name(table.name), tables / f"{table.name}.{format_}", format_)
        for question in QUESTIONS:
            _copy(con, name(question), answers / f"{question}.parquet", "parquet")
            _copy(con, name(question), answers / f"{question}.csv", "csv", _for_spreadsheets(con, question))
        _copy(con, "error_log", staging / "errors.jsonl", "jsonl")


def _copy(con: duckdb.DuckDBPyConnection, relation: str, path: Path, format_: str, columns: str = "*") -> None:
    con.execute(f"COPY (SELECT {columns} FROM {relation}) TO {literal(str(path))} {_COPY[format_]}")


def _for_spreadsheets(con: duckdb.DuckDBPyConnection, relation: str) -> str:
    """Every column, those of text made safe to open in a spreadsheet; the tables hold the exact text."""
    columns = con.execute(f"SELECT * FROM {name(relation)} LIMIT 0").description or ()
    safe = [f"{spreadsheet_sql(c[0])} AS {name(c[0])}" for c in columns if str(c[1]) == "VARCHAR"]
    return f"* REPLACE ({', '.join(safe)})" if safe else "*"


def verify(con: duckdb.DuckDBPyConnection, staging: Path, format_: str, balances: list[Balance]) -> dict[str, int]:
    """Read the written files back; gives the rows of each table.

    Raises GateError where a file differs from its table in rows, or loaded records are not there.
    """
    rows: dict[str, int] = {}
    files: dict[str, str] = {}
    for table in TABLES:
        files[table.name] = _reader(con, table, staging / "tables" / f"{table.name}.{format_}")
        written = _count(con, f"SELECT count(*) FROM {files[table.name]}")
        rows[table.name] = _count(con, f"SELECT count(*) FROM {name(table.name)}")
        if written != rows[table.name]:
            raise GateError(
                f"{table.name}.{format_} holds {written:,} rows, the table {rows[table.name]:,}.",
                "Run again.",
            )
    for balance in balances:
        if balance.column or balance.file.startswith("ratings"):
            continue
        found = _count(con, LOADED[balance.file].format(**files))
        if found != balance.loaded:
            raise GateError(
                f"The files hold {found:,} records of {balance.file}, not {balance.loaded:,}.", "Run again."
            )
    lines = (staging / "errors.jsonl").read_bytes().count(b"\n")
    if lines != rows["error_log"]:
        raise GateError(f"errors.jsonl holds {lines:,} lines, not {rows['error_log']:,}.", "Run again.")
    return rows


def _reader(con: duckdb.DuckDBPyConnection, table: Table, path: Path) -> str:
    """Reads a written table back, as what it was written as: nothing is sniffed."""
    if path.suffix == ".parquet":
        return f"read_parquet({literal(str(path))}, hive_partitioning = false)"
    texts = [f"coalesce(strlen({name(c.name)}), 0)" for c in table.columns if c.type == "VARCHAR"]
    texts += [f"coalesce(octet_length({name(c.name)}), 0)" for c in table.columns if c.type == "BLOB"]
    longest = _count(con, f"SELECT coalesce(max({' + '.join(texts) or '0'}), 0) FROM {name(table.name)}")
    columns = ", ".join(f"{literal(c.name)}: 'VARCHAR'" for c in table.columns)
    return (
        f"read_csv({literal(str(path))}, auto_detect = false, header = true, columns = {{{columns}}}, delim = ',', "
        "quote = '\"', escape = '\"', new_line = '\\n', parallel = false, hive_partitioning = false, "
        f"max_line_size = {max(2 << 20, 4 * longest + (64 << 10))})"
    )


def _count(con: duckdb.DuckDBPyConnection, query: str) -> int:
    row = con.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def make_current(target: Target) -> Path:
    """Move the staged release into its place and flip the link; gives the release's directory."""
    out = target.out
    with writing(out):
        _sync(target.staging)
        target.release.parent.mkdir(exist_ok=True)
        for link in LINKS:
            _link(out / link, Path("current") / link)
        before = (out / "current").readlink().name if (out / "current").is_symlink() else None
        target.staging.rename(target.release)
        _fsync(target.release.parent)
        _replace_link(out / "current", Path("releases") / target.run_id)
        _fsync(out)
        _drop_others(out, {target.run_id, before})
    return target.release


def _link(path: Path, to: Path) -> None:
    if path.is_symlink():
        if path.readlink() == to:
            return
    elif path.exists():
        raise TargetError(
            f"{path} is in the way: it is not one of Moviehouse's links.",
            "Move it, or give another --out.",
            retry=False,
        )
    _replace_link(path, to)


def _replace_link(path: Path, to: Path) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(to)
    fresh.rename(path)


def _drop_others(out: Path, kept: set[str | None]) -> None:
    """Drop older releases, and those that a kill kept from ever becoming current."""
    for other in (out / "releases").iterdir():
        if other.name not in kept:
            shutil.rmtree(other, ignore_errors=True)


def _sync(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        _fsync(path)
    _fsync(folder)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
