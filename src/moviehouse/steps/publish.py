"""Writes a release beside the target, reads it back, and makes it current in one atomic step.

What a kill leaves at each point is in docs/decisions/0006-what-a-kill-leaves.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

import duckdb

from moviehouse.errors import GateError
from moviehouse.model.schema import Table
from moviehouse.model.tables import TABLES
from moviehouse.progress import Progress
from moviehouse.safe import spreadsheet_sql
from moviehouse.sql import QUESTIONS
from moviehouse.sql.text import literal, name
from moviehouse.steps.balance import LOADED, Balance
from moviehouse.steps.storage import writing
from moviehouse.steps.target import CURRENT, DATABASE, LINKS, Target, drop, fsync, new_link

_COPY = {
    "parquet": "(FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL 1)",
    "csv": "(FORMAT csv, HEADER)",
    "jsonl": "(FORMAT json)",
}


def write_release(
    con: duckdb.DuckDBPyConnection,
    staging: Path,
    format_: str,
    progress: Progress,
    answers: Mapping[str, str] | None = None,
) -> None:
    """Write tables, answers and the error log from a release's database.

    `answers` are queries that give the answers to the questions, where another engine has worked them out.
    """
    tables, folder = staging / "tables", staging / "answers"
    tables.mkdir()
    folder.mkdir()
    with progress.step("write"):
        for table in TABLES:
            _copy(con, name(table.name), tables / f"{table.name}.{format_}", format_)
        for question in QUESTIONS:
            relation = question
            if answers:
                con.execute(f"CREATE OR REPLACE TEMP TABLE answer AS {answers[question]}")
                relation = "answer"
            _copy(con, name(relation), folder / f"{question}.parquet", "parquet")
            _copy(con, name(relation), folder / f"{question}.csv", "csv", _for_spreadsheets(con, relation))
        con.execute("DROP TABLE IF EXISTS answer")
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

    Raises GateError where a file differs from its table in rows, loaded records are not there, or
    part of the database is still in its log.
    """
    if (staging / f"{DATABASE}.wal").exists():
        raise GateError(f"{DATABASE} was not written to its end.", "Run again.")
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
    with (staging / "errors.jsonl").open("rb") as log:
        lines = sum(block.count(b"\n") for block in iter(partial(log.read, 1 << 20), b""))
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
    """Move the staged release into its place and flip the link; gives the release's directory.

    Every step before the flip can be undone by the next run, which finds the new link and what it names.
    """
    out = target.out
    releases, link = target.release.parent, out / CURRENT
    with writing(out, (target.staging,)):
        _sync(target.staging)
        releases.mkdir(exist_ok=True)
        for name_ in LINKS:
            if (target.staging / name_).exists() and not (out / name_).is_symlink():
                _make_link(out / name_, Path(CURRENT) / name_)
                new_link(out / name_).rename(out / name_)
        _make_link(link, Path(releases.name) / target.run_id)
        fsync(out)
        target.staging.rename(target.release)
        fsync(releases)
        new_link(link).rename(link)
        fsync(out)
    return target.release


def _make_link(path: Path, to: Path) -> None:
    """Make a link beside its place, whence a rename puts it there in one step."""
    fresh = new_link(path)
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(to)


def drop_others(out: Path, kept: set[str | None]) -> None:
    """Drop all releases but those, and links to what the current one lacks; cannot fail a run that has published."""
    with suppress(OSError):
        for name_ in LINKS:
            if (out / name_).is_symlink() and not (out / name_).exists():
                (out / name_).unlink()
        for other in list((out / "releases").iterdir()):
            if other.name not in kept:
                drop(out, other.name)


def _sync(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        fsync(path)
    fsync(folder)
