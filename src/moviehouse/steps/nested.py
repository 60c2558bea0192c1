"""Takes nested cells apart: as JSON in SQL where they can be had so, the others one by one through `literal`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from moviehouse.error_log import cut
from moviehouse.model.sources import NestedColumn, SourceFile
from moviehouse.sql.text import literal, name
from moviehouse.steps.cells import Origin, value_sql
from moviehouse.steps.literal import Cell, read_cell
from moviehouse.steps.literal_as_json import plain, plain_sql, structure, to_json
from moviehouse.steps.rows import insert


def columns(source: SourceFile, column: NestedColumn) -> str:
    """Declares the columns of the relation of a nested column."""
    own = ["ordinal BIGINT", "line BIGINT"]
    own += [f"{name(c.target)} {c.kind.type}" for c in source.key]
    own += ['"position" INTEGER', *(f"{name(e.target)} {e.kind.type}" for e in column.elements)]
    return ", ".join(own)


@dataclass(frozen=True)
class Count:
    """How many elements a nested column held, and how many cells were empty."""

    elements: int
    empty: int


def read(con: duckdb.DuckDBPyConnection, source: SourceFile, column: NestedColumn, origin: Origin, work: Path) -> Count:
    """Create the relation of a nested column (for a single dict `single_…`) from staged records."""
    relation = name(column.relation or f"single_{column.name}")
    con.execute(f"CREATE TABLE {relation} ({columns(source, column)})")
    elements = empty = 0
    for part in origin.parts:
        con.execute(f"CREATE TEMP TABLE split_cell AS {_split_sql(source, column, part)}")
        elements += _inserted(con, f"INSERT INTO {relation} {_elements_sql(source, column, 'split_cell')}")
        row = con.execute("SELECT count(*) FROM split_cell WHERE elements IS NULL AND other IS NULL").fetchone()
        assert row is not None
        empty += row[0]
        elements += _read_others(con, source, column, work)
        con.execute("DROP TABLE split_cell")
    _note_unknown(con, source, column, relation)
    return Count(elements, empty)


def _inserted(con: duckdb.DuckDBPyConnection, insert_sql: str) -> int:
    """Insert rows; gives how many."""
    row = con.execute(insert_sql).fetchone()
    assert row is not None
    return int(row[0])


def _keys(source: SourceFile) -> str:
    return ", ".join(name(c.target) for c in source.key)


def _split_sql(source: SourceFile, column: NestedColumn, origin: Origin) -> str:
    """Selects each keyed record's cell as its elements, where it is plain, or as the other text."""
    keys = ", ".join(f"{value_sql(c, origin.cell(c))} AS {name(c.target)}" for c in source.key)
    return (
        f"SELECT ordinal, line, {_keys(source)}, "
        f"CASE WHEN plain THEN {_elements(column, plain_sql('cell'))} END AS elements, "
        "CASE WHEN NOT plain THEN cell END AS other FROM ("
        f"SELECT ordinal, line, {keys}, {origin.cell(column)} AS cell, "
        f"regexp_full_match({origin.cell(column)}, {literal(plain(column))}) AS plain FROM {origin.sql}) "
        f"WHERE {' AND '.join(f'{name(c.target)} IS NOT NULL' for c in source.key)}"
    )


def _elements(column: NestedColumn, cell: str) -> str:
    """The elements of a cell as JSON, as a list."""
    elements = f"from_json_strict({cell}, {literal(structure(column))})"
    return f"[{elements}]" if column.single else elements


def _elements_sql(source: SourceFile, column: NestedColumn, cells: str) -> str:
    """Selects the elements of a relation's cells, each in a row; an empty text is NULL."""
    values = [
        f"nullif(e.{name(e.name)}, '')" if e.kind.type == "VARCHAR" else f"e.{name(e.name)}" for e in column.elements
    ]
    return (
        f"SELECT ordinal, line, {_keys(source)}, position, {', '.join(values)} FROM ("
        f"SELECT ordinal, line, {_keys(source)}, unnest(elements) AS e, "
        f"CAST(generate_subscripts(elements, 1) AS INTEGER) AS position FROM {cells})"
    )


def _read_others(con: duckdb.DuckDBPyConnection, source: SourceFile, column: NestedColumn, work: Path) -> int:
    """Read the cells that are not plain; gives how many elements they held."""
    rows = con.execute(
        f"SELECT ordinal, line, {_keys(source)}, other FROM split_cell WHERE other IS NOT NULL ORDER BY ordinal"
    ).fetchall()
    texts = [to_json(column, row[-1]) for row in rows]
    usual = [(*row[:-1], text) for row, text in zip(rows, texts, strict=True) if text is not None]
    count = _read_json(con, source, column, usual, work) if usual else 0
    reader = _Others(source, column)
    unusual = [row for row, text in zip(rows, texts, strict=True) if text is None]
    insert(con, column.relation or f"single_{column.name}", reader.elements(unusual), work)
    insert(con, "note", reader.notes, work)
    insert(con, "reject", reader.rejects, work)
    return count + reader.count


def _read_json(
    con: duckdb.DuckDBPyConnection, source: SourceFile, column: NestedColumn, rows: list[tuple[Any, ...]], work: Path
) -> int:
    """Read cells that are JSON by now; gives how many elements they held."""
    declared = ", ".join(f"{name(c.target)} {c.kind.type}" for c in source.key)
    names = ["ordinal", "line", *(c.target for c in source.key), "cell"]
    cells = (dict(zip(names, row, strict=True)) for row in rows)
    insert(con, "json_cell", cells, work, create=f"ordinal BIGINT, line BIGINT, {declared}, cell VARCHAR")
    split = f"(SELECT *, {_elements(column, 'cell')} AS elements FROM json_cell)"
    relation = name(column.relation or f"single_{column.name}")
    count = _inserted(con, f"INSERT INTO {relation} {_elements_sql(source, column, split)}")
    con.execute("DROP TABLE json_cell")
    return count


class _Others:
    """Reads cells one by one, gathering what goes into the log."""

    def __init__(self, source: SourceFile, column: NestedColumn) -> None:
        self.source, self.column = source, column
        self.count = 0
        self.notes: list[dict[str, Any]] = []
        self.rejects: list[dict[str, Any]] = []

    def elements(self, rows: list[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
        for ordinal, line, *keys, text in rows:
            cell = read_cell(self.column, text)
            self.count += cell.elements
            place = dict(zip((c.target for c in self.source.key), keys, strict=True))
            at = {"file": self.source.name, "ordinal": ordinal, "line": line, "column": self.column.name}
            if "movie_id" in place:
                at["movie_id"] = place["movie_id"]
            self._gather(at, cell, text)
            for position, values in cell.rows:
                targets = dict(zip((e.target for e in self.column.elements), values, strict=True))
                yield {"ordinal": ordinal, "line": line, **place, "position": position, **targets}

    def _gather(self, at: dict[str, Any], cell: Cell, text: str) -> None:
        if cell.damaged:
            whole = "the one whole element" if cell.elements == 1 else f"the {cell.elements} whole elements"
            message = f"The list is damaged; {whole} before the damage kept."
            self.notes.append({**at, "reason": "damaged_list", "value": cut(text), "message": message})
        if cell.unreadable:
            message = "The cell is not the Python literal it should be, and no whole element could be read."
            self.notes.append({**at, "reason": "invalid_list", "value": cut(text), "message": message})
        for bad in cell.bad_values:
            message = f"{bad.name!r} of element {bad.position} is not valid."
            self.notes.append({**at, "reason": bad.reason, "value": cut(bad.raw), "message": message})
        for element in cell.bad_elements:
            self.rejects.append(
                {**at, "unit": "element", "position": element.position, "reason": "invalid_element",
                 "value": cut(element.raw), "message": element.message, "raw": element.raw.encode()}
            )  # fmt: skip
        for shown in sorted(cell.unknown_names):
            message = f"Elements have an entry {shown} that the model does not know; its values are ignored."
            self.notes.append({**at, "reason": "unknown_column", "value": shown, "message": message})


def _note_unknown(con: duckdb.DuckDBPyConnection, source: SourceFile, column: NestedColumn, relation: str) -> None:
    for element in column.elements:
        if element.known:
            known = ", ".join(str(k) for k in element.known)
            movie = "movie_id" if any(c.target == "movie_id" for c in source.key) else "NULL"
            con.execute(
                f"INSERT INTO note SELECT {literal(source.name)}, ordinal, line, 'unknown_genre', "
                f"{literal(column.name)}, {movie}, {name(element.target)} || coalesce(' ' || name, ''), "
                f"'The genre is none of the twenty that TMDB has.' FROM {relation} "
                f"WHERE {name(element.target)} NOT IN ({known})"
            )
