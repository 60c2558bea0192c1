"""Parses staged records and checks every single-valued cell by its grammar, in SQL on DuckDB.

The parsed table has, for each column of the model: its value under the target's name; `bad_…`, the raw
text where a cell is not of its kind; `zero_…`, whether the cell is a null token other than empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from moviehouse.model.sources import NestedColumn, SourceColumn, SourceFile
from moviehouse.sql.text import literal, name
from moviehouse.steps.header import Header
from moviehouse.steps.staged import Staged

_LEAST_LINE = 2 << 20
# Chunks of a part: enough for every core, few enough to be held with their lists taken apart.
_PART = 8


def value_sql(column: SourceColumn, cell: str) -> str:
    """The value of a cell, NULL where it is not of the column's kind."""
    kind = column.kind
    value = kind.value.format(cell=cell)
    if kind.pattern:
        value = f"CASE WHEN regexp_full_match({cell}, {literal(kind.pattern)}) THEN {value} END"
    if kind.low:
        within = f"{value} BETWEEN {kind.low} AND {kind.high}"
        if kind.rounds:  # the text is in the range too, not only what it is rounded to
            within += f" AND TRY_CAST({cell} AS DECIMAL(38,26)) BETWEEN {kind.low} AND {kind.high}"
        value = f"CASE WHEN {within} THEN {value} END"
    return f"CAST({value} AS {kind.type})"


@dataclass(frozen=True)
class Origin:
    """Staged records as a relation: its SQL, and the expression of each source column's cell.

    `parts` are the same records a few chunks at a time: lists of all of them at once take memory without bound.
    """

    sql: str
    cells: dict[str, str]
    parts_sql: tuple[str, ...] = ()

    @property
    def parts(self) -> list[Origin]:
        """The relation in parts, in the order of the file; one if it was not read in chunks."""
        return [Origin(sql, self.cells) for sql in self.parts_sql or (self.sql,)]

    def cell(self, column: SourceColumn | NestedColumn) -> str:
        """The cell's text; NULL where the file has no such column."""
        return self.cells.get(column.name, "NULL::VARCHAR")

    def kept(self, con: duckdb.DuckDBPyConnection, table: str) -> Origin:
        """The same, parsed once into a table."""
        con.execute(f"CREATE TABLE {table} AS SELECT * FROM {self.sql}")
        return Origin(table, self.cells)


def origin(header: Header, staged: Staged) -> Origin:
    """Reads the chunks: parallel over files, never inside one, where a guess would be needed."""
    names = ["ordinal", "line", "byte_offset", "byte_length"]
    cells = {c.name: f"cell_{i}" for i, c in enumerate(header.columns) if c is not None}
    types = [f"'{n}': 'BIGINT'" for n in names] + [f"'cell_{i}': 'VARCHAR'" for i in range(header.width)]
    if not staged.chunks:
        nothing = [f"0::BIGINT AS {n}" for n in names] + [f"''::VARCHAR AS cell_{i}" for i in range(header.width)]
        return Origin(f"(SELECT {', '.join(nothing)} WHERE false)", cells)

    def read(chunks: Sequence[Path]) -> str:
        files = ", ".join(literal(str(path)) for path in chunks)
        return (
            f"read_csv([{files}], columns = {{{', '.join(types)}}}, auto_detect = false, header = false, "
            "hive_partitioning = false, delim = ',', quote = '\"', escape = '\"', new_line = '\\n', "
            "strict_mode = true, parallel = false, "
            f"max_line_size = {max(_LEAST_LINE, staged.longest + 1024)})"
        )

    chunks = staged.chunks
    return Origin(read(chunks), cells, tuple(read(chunks[i : i + _PART]) for i in range(0, len(chunks), _PART)))


def parse(con: duckdb.DuckDBPyConnection, source: SourceFile, origin: Origin, table: str) -> None:
    """Create `table` with the single-valued cells of staged records."""
    columns = ["ordinal", "line", "byte_offset", "byte_length"]
    for column in source.cells:
        columns += _cell_sql(column, origin.cell(column))
    con.execute(f"CREATE TABLE {table} AS SELECT {', '.join(columns)} FROM {origin.sql}")
    for column in source.cells:
        if column.null_if_zero:
            con.execute(
                f"UPDATE {table} SET {name(column.target)} = NULL, {name('zero_' + column.target)} = true "
                f"WHERE {name(column.null_if_zero)} = 0 AND {name(column.target)} IS NOT NULL"
            )


def _cell_sql(column: SourceColumn, cell: str) -> list[str]:
    zero = f"regexp_full_match({cell}, {literal(column.null_tokens)})" if column.null_tokens else "false"
    value = value_sql(column, cell)
    if column.null_tokens:
        value = f"CASE WHEN {zero} THEN NULL ELSE {value} END"
    bad = f"CASE WHEN {cell} IS NOT NULL AND NOT {zero} AND {value} IS NULL THEN {cell} END"
    columns = [f"{value} AS {name(column.target)}"]
    if column.kind.pattern:
        columns.append(f"{bad} AS {name('bad_' + column.target)}")
    if column.null_tokens or column.null_if_zero:
        columns.append(f"coalesce({zero}, false) AS {name('zero_' + column.target)}")
    if column.kind.rounds:
        columns.append(f"{_rounded_sql(column, cell)} AS {name('rounded_' + column.target)}")
    return columns


def _rounded_sql(column: SourceColumn, cell: str) -> str:
    """The cell's text where its value lost decimals."""
    value = value_sql(column, cell)
    scale = column.kind.type.rstrip(")").split(",")[1]
    plain = f"regexp_full_match({cell}, {literal(rf'[^eE]*[.][0-9]{{{scale}}}[0-9]*[1-9][0-9]*')})"
    exponent = f"contains(lower({cell}), 'e') AND TRY_CAST({cell} AS DECIMAL(38,26)) <> {value}"
    gone = f"{value} = 0 AND regexp_matches({cell}, '^[^eE]*[1-9]')"
    return f"CASE WHEN {value} IS NOT NULL AND ({plain} OR ({exponent}) OR ({gone})) THEN {cell} END"


def null_tokens(
    con: duckdb.DuckDBPyConnection, source: SourceFile, origin: Origin, table: str
) -> dict[str, dict[str, int]]:
    """How often each column's cell meant "unknown", by token. A column that the file lacks has no cells."""
    keys, parts = [], []
    for column in source.cells:
        if column.name not in origin.cells:
            continue
        target = name(column.target)
        empty = f"{target} IS NULL"
        if column.kind.pattern:
            empty += f" AND {name('bad_' + column.target)} IS NULL"
        if column.null_tokens or column.null_if_zero:
            zero = name("zero_" + column.target)
            empty += f" AND NOT {zero}"
            keys.append((column.name, "where vote_count is 0" if column.null_if_zero else "0"))
            parts.append(f"count(*) FILTER (WHERE {zero})")
        keys.append((column.name, "empty"))
        parts.append(f"count(*) FILTER (WHERE {empty})")
    row = con.execute(f"SELECT {', '.join(parts)} FROM {table}").fetchone()
    assert row is not None
    counts: dict[str, dict[str, int]] = {}
    for (column_name, token), count in zip(keys, row, strict=True):
        if count:
            counts.setdefault(column_name, {})[token] = count
    return counts


def keyless(source: SourceFile, table: str) -> str:
    """Selects the records without a usable key: ordinal, line, reason, column, value, message, offset, length."""
    missing = [f"({name(c.target)} IS NULL AND {name('bad_' + c.target)} IS NULL)" for c in source.key]
    bad = [name("bad_" + c.target) for c in source.key]
    whens = "".join(f" WHEN {m} THEN {literal(c.name)}" for m, c in zip(missing, source.key, strict=True))
    whens_bad = "".join(f" WHEN {b} IS NOT NULL THEN {literal(c.name)}" for b, c in zip(bad, source.key, strict=True))
    words = source.key[0].kind.words
    is_missing = " OR ".join(missing)
    return (
        f"SELECT ordinal, line, CASE WHEN {is_missing} THEN 'missing_key' ELSE 'invalid_key' END, "
        f"CASE{whens}{whens_bad} END AS col, "
        f"CASE WHEN {is_missing} THEN '' ELSE coalesce({', '.join(bad)}) END, "
        f"CASE WHEN {is_missing} THEN 'The record has no ' || col || '.' "
        f"ELSE col || ' is not {words}.' END, byte_offset, byte_length "
        f"FROM {table} WHERE {' OR '.join(f'{name(c.target)} IS NULL' for c in source.key)} ORDER BY ordinal"
    )


def note(con: duckdb.DuckDBPyConnection, source: SourceFile, table: str) -> None:
    """Note the cells of keyed records that were not taken as they stand, or look wrong."""
    movie = "movie_id" if any(c.target == "movie_id" for c in source.cells) else "NULL"
    keyed = " AND ".join(f"{name(c.target)} IS NOT NULL" for c in source.key)
    queries = []
    for column in source.cells:
        if column.key:
            continue
        for reason, value, message, where in _notes_of(column):
            queries.append(
                f"SELECT {literal(source.name)}, ordinal, line, {literal(reason)}, {literal(column.name)}, {movie}, "
                f"{value}, {literal(message)} FROM {table} WHERE {keyed} AND {where}"
            )
    if queries:
        con.execute("INSERT INTO note " + " UNION ALL ".join(queries))


def _notes_of(column: SourceColumn) -> list[tuple[str, str, str, str]]:
    """Reason, value, message and condition of each note a column can give."""
    kind, target = column.kind, name(column.target)
    notes = []
    if kind.pattern:
        bad = name("bad_" + column.target)
        notes.append((kind.reason, bad, f"{column.name} is not {kind.words}.", f"{bad} IS NOT NULL"))
    if kind.rounds:
        lost = name("rounded_" + column.target)
        scale = kind.type.rstrip(")").split(",")[1]
        notes.append(
            (
                "rounded",
                lost,
                f"{column.name} has more than {scale} decimals.",
                f"{lost} IS NOT NULL AND {target} IS NOT NULL",
            )
        )
    if column.suspicious:
        low, high = column.suspicious
        message = f"{column.name} is from {low} to {high} dollars: perhaps thousands or millions."
        notes.append(("suspicious_amount", f"{target}::VARCHAR", message, f"{target} BETWEEN {low} AND {high}"))
    if column.known:
        known = ", ".join(literal(k) for k in column.known)
        message = f"{column.name} is none of {', '.join(column.known)}."
        notes.append((f"unknown_{column.name}", target, message, f"{target} NOT IN ({known})"))
    return notes
