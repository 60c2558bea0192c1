"""Reads the plain lines of a flat file (ratings, links) at the speed of DuckDB's own parser.

Every block is proven plain by its skeleton first; DuckDB then reads typed columns. Rows keep the
file's order, so that a row's number tells its record. A line that is not plain, or has a value out
of its range, is left to the exact reader.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from pathlib import Path

import duckdb

from moviehouse.model.sources import SourceColumn, SourceFile
from moviehouse.sql.text import literal, name
from moviehouse.steps.header import Header
from moviehouse.steps.staged import PlainRun

_BLOCK = 4 << 20
# Above so many odd lines the exact reader takes the whole file.
MOST_RUNS = 10_000
_MOST_WRONG = 10_000


@dataclass
class Plain:
    """A table of typed plain rows; of the lines it was loaded from, by number from 0, those left to the exact reader.

    The table has no row for a line in `refused`. It has one for a line in `wrong`, which `good` tells apart.
    """

    table: str
    good: str
    refused: list[int]
    wrong: list[int]
    empty: dict[str, int]

    @property
    def odd(self) -> list[int]:
        """The numbers of all lines left to the exact reader."""
        return sorted(self.refused + self.wrong)


@dataclass(frozen=True)
class Lines:
    """A file with plain lines in it: `count` of them, in runs, behind `skip` others."""

    path: Path
    skip: int
    runs: list[PlainRun]
    count: int

    def number(self, line: int) -> int | None:
        """Which plain line, from 0, stands on a line of the file, from 1; None where it is not plain."""
        at = bisect_right(self.runs, line, key=lambda run: run.line) - 1
        if at < 0:
            return None
        number = self.runs[at].row + line - self.runs[at].line
        return number if number < (self.runs[at + 1].row if at + 1 < len(self.runs) else self.count) else None


def load(
    con: duckdb.DuckDBPyConnection,
    source: SourceFile,
    header: Header,
    lines: Lines,
    integers: tuple[str, ...] = ("INTEGER", "BIGINT"),
) -> Plain | None:
    """Load the plain lines of a file; None where DuckDB takes other lines too, or more are odd than is worth the while.

    Odd lines are those that the exact reader would not take without a note. Integers are held in 32 bits where they
    fit: half the memory for 26 million rows.
    """
    columns = [c for c in header.columns if isinstance(c, SourceColumn)]
    found = (_load(con, source, columns, lines, type_) for type_ in integers)
    return next((plain for plain in found if plain is not None), None)


def _load(
    con: duckdb.DuckDBPyConnection,
    source: SourceFile,
    columns: list[SourceColumn],
    lines: Lines,
    integers: str,
) -> Plain | None:
    table, refusals = _table(source), f"refused_{source.relation}"
    good = " AND ".join(f"coalesce({_good(c)}, false)" for c in columns)
    con.execute(f"DROP TABLE IF EXISTS {table}")
    try:
        con.execute(f"CREATE TABLE {table} AS SELECT * FROM {_csv(lines, columns, integers, refusals)}")
        refused = con.execute(
            f"SELECT DISTINCT line, line_byte_position, csv_line FROM {refusals} ORDER BY line LIMIT {_MOST_WRONG + 1}"
        ).fetchall()
    except duckdb.InvalidInputException:  # DuckDB's parser gives up on some files, though every line is plain
        return None
    finally:
        for scratch in (refusals, f"{refusals}_scans"):
            con.execute(f"DROP TABLE IF EXISTS {scratch}")
    known = ", ".join(f"count({name(c.target)}) FILTER (WHERE {good})" for c in columns)
    row = con.execute(f"SELECT count(*), count(*) FILTER (WHERE {good}), {known} FROM {table}").fetchone()
    assert row is not None
    rows, taken = row[:2]
    numbers = [number for line, _, _ in refused if (number := lines.number(line)) is not None]
    # Were a row made of another line, there would be one too many: DuckDB drops no line without a word.
    if rows + len(numbers) != lines.count or rows - taken > _MOST_WRONG or not _stand_there(lines.path, refused):
        return None
    wrong = (
        con.execute(f"SELECT rowid FROM {table} WHERE NOT ({good}) ORDER BY rowid").fetchall() if rows > taken else []
    )
    empty = {c.name: taken - n for c, n in zip(columns, row[2:], strict=True) if n < taken}
    return Plain(table, good, numbers, _line_numbers([number for (number,) in wrong], numbers), empty)


def forget(con: duckdb.DuckDBPyConnection, source: SourceFile) -> None:
    """Let go of a file's plain rows, when everything has been made that is made of them: they are most of a source."""
    con.execute(f"DROP TABLE IF EXISTS {_table(source)}")


def _table(source: SourceFile) -> str:
    return f"flat_{source.relation}"


def _stand_there(path: Path, refused: list[tuple[int, int, str]]) -> bool:
    """Whether the lines that DuckDB says it refused are where it says: line from 1, byte from 1, text."""
    at = line_ends = 0
    with path.open("rb") as file:
        for line, place, text in refused:
            while at < place - 1:
                block = file.read(min(_BLOCK, place - 1 - at))
                at += len(block)
                line_ends += block.count(b"\n")
            raw = text.encode()
            found = file.read(len(raw))
            at += len(found)
            line_ends += len(raw) - len(raw.lstrip(b"\n"))  # DuckDB counts the LF of a CRLF to the next line
            if line_ends != line - 1 or found != raw:
                return False
    return True


def _line_numbers(rows: list[int], refused: list[int]) -> list[int]:
    """The lines of some rows of a table that has none for the lines refused; both sorted."""
    lines, passed = [], 0
    for row in rows:
        while passed < len(refused) and refused[passed] <= row + passed:
            passed += 1
        lines.append(row + passed)
    return lines


def _csv(lines: Lines, columns: list[SourceColumn], integers: str, refusals: str) -> str:
    types = ", ".join(f"{literal(c.target)}: {literal(_parsed_type(c, integers))}" for c in columns)
    return (
        f"read_csv({literal(str(lines.path))}, auto_detect = false, header = false, skip = {lines.skip}, "
        f"delim = ',', quote = '', escape = '', hive_partitioning = false, columns = {{{types}}}, "
        f"ignore_errors = true, store_rejects = true, rejects_table = {literal(refusals)}, "
        f"rejects_scan = {literal(refusals + '_scans')})"
    )


def runs_in_table(runs: list[PlainRun], lines: list[int]) -> list[PlainRun]:
    """Runs of the lines that are not odd, by the table's rows; `lines` are where the wrong rows stand in the file."""
    return [PlainRun(run.row + bisect_left(lines, run.line), run.ordinal, run.line) for run in runs]


def select(source: SourceFile, header: Header, plain: Plain, runs: list[PlainRun]) -> str:
    """Selects the plain rows as the file's relation; `runs` say which records they are."""
    there = {c.target: c for c in header.columns if isinstance(c, SourceColumn)}
    values = ", ".join(
        f"{_value(c) if c.target in there else f'CAST(NULL AS {c.kind.type})'} AS {name(c.target)}"
        for c in source.cells
    )
    ordinal = _shifted([(run.row, run.ordinal - run.row) for run in runs])
    line = _shifted([(run.row, run.line - run.row) for run in runs])
    return (
        f"SELECT {ordinal} AS ordinal, {line} AS line, CAST(NULL AS BIGINT) AS byte_offset, "
        f"CAST(NULL AS BIGINT) AS byte_length, {values} FROM {plain.table}"
        + (f" WHERE {plain.good}" if plain.wrong else "")
    )


def _shifted(shifts: list[tuple[int, int]]) -> str:
    """The row's number, shifted by what its run is shifted by: a tree of comparisons."""
    if len(shifts) == 1:
        return f"rowid + {shifts[0][1]}"
    middle = len(shifts) // 2
    return (
        f"CASE WHEN rowid < {shifts[middle][0]} THEN {_shifted(shifts[:middle])} ELSE {_shifted(shifts[middle:])} END"
    )


_HALF_STARS = "ENUM(" + ", ".join(f"'{n / 2}'" for n in range(1, 11)) + ")"


def _parsed_type(column: SourceColumn, integers: str) -> str:
    """What DuckDB parses a cell as; a rating is one of ten texts, so that none is rounded to another."""
    types = {"half_stars": _HALF_STARS, "code": "VARCHAR"}
    return types.get(column.kind.name, integers)


def _value(column: SourceColumn) -> str:
    cell = name(column.target)
    if column.kind.name == "half_stars":
        return f"CAST((enum_code({cell}) + 1) * 0.5 AS {column.kind.type})"
    if column.kind.name == "epoch_seconds":
        return f"make_timestamp(CAST({cell} AS BIGINT) * 1000000)"
    return f"CAST({cell} AS {column.kind.type})"


def _good(column: SourceColumn) -> str:
    """Whether a parsed value is what the exact reader would have taken without a note."""
    cell, kind = name(column.target), column.kind
    if kind.name == "half_stars":
        good = "true"
    elif kind.name == "code":
        good = f"regexp_full_match({cell}, {literal(kind.pattern or '')})"
    elif kind.name == "epoch_seconds":
        good = f"{cell} BETWEEN 0 AND epoch({kind.high})"
    else:
        good = f"{cell} BETWEEN {kind.low} AND {kind.high}"
    return f"({good})" if column.key else f"({cell} IS NULL OR {good})"
