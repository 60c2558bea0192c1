"""The model as sources of a dbt project: tables, columns, descriptions, and the rules as dbt's own tests, in YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from moviehouse.model.schema import Column, Table
from moviehouse.model.tables import TABLE, TABLES
from moviehouse.render.ddl import RESERVED
from moviehouse.sql import QUESTIONS, VIEWS, header

_HEAD = """\
# The tables of a Moviehouse release as sources of a dbt project, for dbt 1.10.5 or later.
# Rendered from the declaration in src/moviehouse/model/tables.py: change that, not this text.
#
# Copy it into models/ and attach the release in profiles.yml:
#   attach: [{ path: moviehouse-out/moviehouse.duckdb, alias: moviehouse, read_only: true }]
version: 2

sources:
  - name: moviehouse
    description: "The Movies Dataset as a relational model. NULL means unknown."
    database: moviehouse
    schema: main
    tables:"""
_LISTED = re.compile(r"IN \((.*)\)$")


def dbt_sources_yml() -> str:
    """docs/dbt-sources.yml: every table with its tests, then the views and the questions."""
    lines = [_HEAD]
    for table in TABLES:
        lines += [" " * 6 + line for line in _table(table)]
    for folder, names in (("views", VIEWS), ("questions", QUESTIONS)):
        for name in names:
            told = header(folder, name).split("\n\n")[0].replace("\n", " ")
            lines += [f"      - name: {name}", f"        description: {_text(told)}"]
    return "\n".join(lines)


def _table(table: Table) -> Iterator[str]:
    yield f"- name: {table.name}"
    yield f"  description: {_text(table.description)}"
    if len(table.key) > 1:
        yield "  data_tests:"
        yield f"    - unique: {{ name: {table.name}_key, arguments: {{ column_name: {_text(_row(table.key))} }} }}"
    yield "  columns:"
    for column in table.columns:
        yield from ("    " + line for line in _column(table, column))


def _column(table: Table, column: Column) -> Iterator[str]:
    unit = f" Unit: {column.unit}." if column.unit else ""
    yield f"- name: {column.name}"
    if column.name in RESERVED:
        yield "  quote: true"
    yield f"  data_type: {_text(column.type)}"
    yield f"  description: {_text(column.description + unit)}"
    tests = list(_tests(table, column))
    if tests:
        yield "  data_tests:"
        yield from (f"    - {test}" for test in tests)


def _tests(table: Table, column: Column) -> Iterator[str]:
    if table.key == (column.name,):
        yield "unique"
    if not column.nullable:
        yield "not_null"
    listed = _LISTED.search(column.check)
    if listed:
        values = [value.strip("'") for value in listed[1].split(", ")]
        yield f"accepted_values: {{ arguments: {{ values: {json.dumps(values)} }} }}"
    for reference in table.references:
        if reference.column == column.name:
            to = _text(f"source('moviehouse', '{reference.table}')")
            field = TABLE[reference.table].key[0]
            yield f"relationships: {{ arguments: {{ to: {to}, field: {field} }} }}"


def _row(names: Sequence[str]) -> str:
    return f"({', '.join(names)})"


def _text(text: str) -> str:
    """A text as YAML takes it: JSON's spelling is part of it."""
    return json.dumps(text, ensure_ascii=False)
