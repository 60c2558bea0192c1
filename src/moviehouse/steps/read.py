"""Reads one member into flat, typed relations: everything that concerns one record alone happens here.

A quoted file is split into records and staged (`records`), then DuckDB parses it, checks every cell by
its grammar and takes the nested cells apart (`nested`). A flat file
that is plain from its first line to its last is read by DuckDB directly.

The relations are created on the connection given, beside the tables `note` and `reject`:
the relation of the file (one row a record with a usable key), one relation for each nested list
(one row an element), each with the record's `ordinal` and `line`.
"""

from __future__ import annotations

import os
import shutil
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from moviehouse.engines.repeats import find_suspects
from moviehouse.errors import SourceError
from moviehouse.model.sources import SourceFile
from moviehouse.sql.text import name
from moviehouse.steps import cells, flat, nested
from moviehouse.steps.header import Header, read_header
from moviehouse.steps.records import slices, stage
from moviehouse.steps.rows import NOTE, REJECT, insert
from moviehouse.steps.staged import PlainRun, Staged

NOT_UTF8_LIMIT = 0.01
# Records with more lists than this are kept as text for the while: parsing them anew for each list takes longer.
_FEW_LISTS = 2


@dataclass
class Reading:
    """What reading one member gave: records read, elements read by list, null tokens by column."""

    file: str
    records: int = 0
    elements: dict[str, int] = field(default_factory=dict)
    null_tokens: dict[str, dict[str, int]] = field(default_factory=dict)


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """Create the tables for what is not taken as it stands: in memory, where they outlast a disk that fills up."""
    con.execute(f"CREATE TABLE memory.main.note ({NOTE})")
    con.execute(f"CREATE TABLE memory.main.reject ({REJECT})")


def note_files(con: duckdb.DuckDBPyConnection, missing: list[str], ignored: list[str]) -> None:
    """Note the files of the dataset that are missing, and those that are none of it."""
    noted = [("missing_file", file, f"The source has no {file}.") for file in missing]
    noted += [("unknown_file", file, f"{file} is none of the dataset's files.") for file in ignored]
    for reason, file, message in noted:
        values = [text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00") for text in (file, message)]
        con.execute(
            "INSERT INTO note VALUES (?, NULL, NULL, ?, NULL, NULL, ?, ?)",
            [values[0], reason, values[0], values[1]],
        )


def read_absent(con: duckdb.DuckDBPyConnection, source: SourceFile) -> Reading:
    """Create the empty relations of a file that is not there."""
    con.execute(f"CREATE TABLE {source.relation} ({_record_columns(source)})")
    for column in source.nested:
        if column.relation:
            con.execute(f"CREATE TABLE {column.relation} ({nested.columns(source, column)})")
    _suspect(con, source, source.relation)
    return Reading(source.name)


def read_member(
    con: duckdb.DuckDBPyConnection,
    source: SourceFile,
    path: Path,
    work: Path,
    advance: Callable[[int], None] = lambda _: None,
) -> Reading:
    """Read the file at `path` into relations on `con`; `work` is a folder for staging.

    Raises SourceError where the file as a whole cannot be used: a required column is missing, or
    more than 1% of its records are not UTF-8.
    """
    header = read_header(path, source)
    if header is None and source.indispensable:
        raise SourceError(f"{source.name} is empty.", "Fetch it again.", file=source.name, line=1)
    if header is None:
        _note_file(con, source, "empty_file", None, f"{source.name} is empty: it does not even have a header.")
        return read_absent(con, source)
    _note_columns(con, source, header)
    reading = None
    if header.skeleton is not None:
        reading = _read_flat(con, source, header, path, work, advance)
    if reading is None:
        staged = stage(path, header, work / source.relation, advance)
        reading = _read_staged(con, source, header, staged, path, work)
        con.execute(f"ALTER TABLE exact_{source.relation} RENAME TO {source.relation}")
        _suspect(con, source, source.relation)
    for folder in ("", "-copy", "-wrong"):  # room for what is made of it
        shutil.rmtree(work / f"{source.relation}{folder}", ignore_errors=True)
    return reading


def _suspect(con: duckdb.DuckDBPyConnection, source: SourceFile, relation: str, exact: str = "") -> None:
    """Gather the records whose keys may stand more than once, where grouping all of them would take long.

    Every key of the few rows of `exact` is one: windows over a union of both would hold all rows in memory.
    """
    if source.suspects:
        keys = [c.target for c in source.key]
        names = ", ".join(name(key) for key in keys)
        find_suspects(con, relation, keys, "suspect")
        more = f" UNION SELECT {names} FROM {exact}" if exact else ""
        con.execute(
            f"CREATE TABLE {source.suspects} AS SELECT {names}, ordinal, line FROM {source.relation} "
            f"SEMI JOIN (SELECT * FROM suspect{more}) AS keys USING ({names})"
        )
        con.execute("DROP TABLE suspect")


def _read_flat(
    con: duckdb.DuckDBPyConnection,
    source: SourceFile,
    header: Header,
    path: Path,
    work: Path,
    advance: Callable[[int], None],
) -> Reading | None:
    """Read a flat file that is plain but for a few lines, which are read exactly. None where they are many."""

    def again(_: int) -> None:
        advance(0)  # what was told of once; but a run that is stopped does not go on

    nowhere, copy = Path(os.devnull), work / f"plain_{source.relation}.csv"
    staged = stage(path, header, work / source.relation, advance, aside=nowhere)
    if not 0 < len(staged.runs) <= flat.MOST_RUNS:
        return None
    runs, count = staged.runs, staged.plain_rows
    here = flat.Lines(path, header.body_line - 1, runs, count)
    plain = flat.load(con, source, header, here, ("INTEGER",) if staged.odd else ("INTEGER", "BIGINT"))
    if plain is None and staged.odd:
        # DuckDB takes odd lines too, or cannot go on behind one: let it have the plain ones alone.
        stage(path, header, work / f"{source.relation}-copy", again, aside=copy)
        plain = flat.load(con, source, header, flat.Lines(copy, 0, [PlainRun(0, 1, 1)], count))
        copy.unlink()
    if plain is None:
        return None
    if plain.odd:
        lines = dict(zip(plain.odd, _lines(runs, plain.odd), strict=True))
        folder, odd_lines = work / f"{source.relation}-wrong", list(lines.values())
        staged = stage(path, header, folder, again, aside=nowhere, odd_lines=odd_lines)
        runs = flat.runs_in_table(staged.runs, [lines[number] for number in plain.wrong])
        if not 0 < len(runs) <= flat.MOST_RUNS:
            return None
    exact = ""
    reading = Reading(source.name, staged.records)
    if staged.odd:
        reading = _read_staged(con, source, header, staged, path, work)
        exact = f"exact_{source.relation}"
    con.execute(f"CREATE VIEW plain_{source.relation} AS {flat.select(source, header, plain, runs)}")
    both = f"SELECT * FROM plain_{source.relation}" + (f" UNION ALL BY NAME SELECT * FROM {exact}" if exact else "")
    con.execute(f"CREATE VIEW {source.relation} AS {both}")
    _suspect(con, source, f"plain_{source.relation}", exact)
    for column, empty in plain.empty.items():
        tokens = reading.null_tokens.setdefault(column, {})
        tokens["empty"] = tokens.get("empty", 0) + empty
    return reading


def _lines(runs: list[PlainRun], rows: list[int]) -> list[int]:
    """The lines of the file at which some plain rows stand."""
    starts = [run.row for run in runs]
    found = [(runs[bisect_right(starts, row) - 1], row) for row in rows]
    return [run.line + row - run.row for run, row in found]


def _read_staged(
    con: duckdb.DuckDBPyConnection, source: SourceFile, header: Header, staged: Staged, path: Path, work: Path
) -> Reading:
    """Read the staged records into the relation exact_…."""
    _refuse_encoding(source, staged)
    parsed = f"parsed_{source.relation}"
    origin = cells.origin(header, staged)
    if len(source.nested) > _FEW_LISTS:
        origin = origin.kept(con, f"staged_{source.relation}")
    cells.parse(con, source, origin, parsed)
    reading = Reading(source.name, staged.records)
    reading.null_tokens = cells.null_tokens(con, source, origin, parsed)
    for column in source.nested:
        count = nested.read(con, source, column, origin, work)
        reading.elements[column.name] = count.elements
        if count.empty and column.name in origin.cells:
            reading.null_tokens[column.name] = {"empty": count.empty}
    con.execute(f"DROP TABLE IF EXISTS staged_{source.relation}")
    _keep(con, source, staged, parsed, path, work)
    cells.note(con, source, parsed)
    _relate(con, source, parsed)
    return reading


def _record_columns(source: SourceFile) -> str:
    own = ["ordinal BIGINT", "line BIGINT", "byte_offset BIGINT", "byte_length BIGINT"]
    own += [f"{name(c.target)} {c.kind.type}" for c in source.cells]
    for column in source.nested:
        if column.single:
            own += [f"{name(e.target)} {e.kind.type}" for e in column.elements]
    return ", ".join(own)


def _note_file(
    con: duckdb.DuckDBPyConnection, source: SourceFile, reason: str, column: str | None, message: str
) -> None:
    line = None if column is None else 1
    con.execute(
        "INSERT INTO note VALUES (?, NULL, ?, ?, ?, NULL, ?, ?)",
        [source.name, line, reason, column, column or source.name, message],
    )


def _note_columns(con: duckdb.DuckDBPyConnection, source: SourceFile, header: Header) -> None:
    for column in header.missing:
        _note_file(con, source, "missing_column", column, f"The header has no column {column}.")
    for column in header.unknown:
        shown = column[:80].replace("\0", "\\x00")
        _note_file(con, source, "unknown_column", shown, f"The model has no column {shown}.")


def _refuse_encoding(source: SourceFile, staged: Staged) -> None:
    bad = [r for r in staged.rejected if r.reason == "not_utf8"]
    if len(bad) > NOT_UTF8_LIMIT * staged.records:
        raise SourceError(
            f"{source.name}: {len(bad):,} of {staged.records:,} records are not UTF-8, "
            f"the first on line {bad[0].line}.",
            "If the file is in another encoding, name it, for example --encoding cp1252.",
        )


def _keep(
    con: duckdb.DuckDBPyConnection, source: SourceFile, staged: Staged, parsed: str, path: Path, work: Path
) -> None:
    """Keep what staging rejected and mended, and the records whose key is no key."""
    insert(
        con,
        "reject",
        (
            {"file": source.name, "ordinal": r.ordinal, "line": r.line, "unit": "record", "reason": r.reason,
             "column": r.column, "value": r.value, "message": r.message, "raw": r.raw}
            for r in staged.rejected
        ),
        work,
    )  # fmt: skip
    keyless = con.execute(cells.keyless(source, parsed)).fetchall()
    raws = slices(path, ((row[-2], row[-1]) for row in keyless))
    insert(
        con,
        "reject",
        (
            {"file": source.name, "ordinal": ordinal, "line": line, "unit": "record", "reason": reason,
             "column": column, "value": value, "message": message, "raw": raw}
            for (ordinal, line, reason, column, value, message, _, _), raw in zip(keyless, raws, strict=True)
        ),
        work,
    )  # fmt: skip
    movie = "p.movie_id" if any(c.target == "movie_id" for c in source.cells) else "NULL"
    insert(
        con,
        f"note_{source.relation}",
        (
            {"file": source.name, "ordinal": m.ordinal, "line": m.line, "reason": m.reason,
             "value": m.value, "message": m.message}
            for m in staged.mended
        ),
        work,
        create=NOTE,
    )  # fmt: skip
    con.execute(
        f"INSERT INTO note SELECT n.* REPLACE ({movie} AS movie_id) "
        f"FROM note_{source.relation} n JOIN {parsed} p USING (ordinal) "
        f"WHERE {' AND '.join(f'p.{name(c.target)} IS NOT NULL' for c in source.key)}"
    )
    con.execute(f"DROP TABLE note_{source.relation}")


def _relate(con: duckdb.DuckDBPyConnection, source: SourceFile, parsed: str) -> None:
    """Create the relation of the records with a usable key."""
    columns = ["p.ordinal", "p.line", "p.byte_offset", "p.byte_length"]
    columns += [f"p.{name(c.target)}" for c in source.cells]
    joins = ""
    for column in source.nested:
        if column.single:
            alias = name(f"single_{column.name}")
            columns += [f"{alias}.{name(e.target)}" for e in column.elements]
            joins += f" LEFT JOIN {alias} USING (ordinal)"
    keyed = " AND ".join(f"p.{name(c.target)} IS NOT NULL" for c in source.key)
    con.execute(
        f"CREATE TABLE exact_{source.relation} AS SELECT {', '.join(columns)} FROM {parsed} p{joins} WHERE {keyed}"
    )
    con.execute(f"DROP TABLE {parsed}")
