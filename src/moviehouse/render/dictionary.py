"""The data dictionary: every table and column of the model, every column of the source."""

from __future__ import annotations

from moviehouse.error_log import REASON
from moviehouse.model.schema import Column, Table
from moviehouse.model.sources import (
    GENRES,
    SOURCES,
    STATUSES,
    Element,
    NestedColumn,
    SourceColumn,
    SourceFile,
)
from moviehouse.model.tables import TABLES
from moviehouse.render.markdown import code, codes, link, table, table_of_filled
from moviehouse.render.words import Cell, cell_words, null_words, source_cells

_FILES = {source.name: source for source in SOURCES}

_INTRO = """\
# Data dictionary

<!-- Rendered from src/moviehouse/model by `python -m moviehouse.render`: change that, not this page. -->

Every table and column of the model, then every column of the seven source files and what becomes of it.
[The data model](data-model.md) explains the decisions, [schema.sql](schema.sql) has the same in SQL, and
[the error log](error-log.md) explains the reason codes.

- **NULL means unknown**, never zero, never "none".
- **PK** marks a column of the primary key, **FK** a reference to another table.
- **Read as NULL** lists what the source writes for "unknown". Such cells are counted in `run.json` and are
  not errors. Any other cell that is not valid becomes NULL and has a line in the error log.
  **Empty in the list** means that a list element has `None`, `''` or no such entry.
- **Rules** say what the source's cell must hold, what every row must satisfy, and which table a reference
  must be found in.
- A table's columns for units, sources and so on are shown only if one of its rows has something in them.
- Types are DuckDB's. Text is UTF-8, as in the source. 2^53 is 9,007,199,254,740,992.
"""

_SOURCE_INTRO = """\
## The source files

A **required** column must be in the header, or the file is refused. If an **optional** column is missing, its
values are NULL and the error log has one `missing_column`. Columns may be in any order. A column that is not
listed here is ignored, and the error log has one `unknown_column`. A column marked **key** identifies the record. A
record without it is rejected.

A nested cell is a Python literal, read as `ast.literal_eval` reads it: a list of dicts, or one dict.
"""


def dictionary_md() -> str:
    """The page docs/data-dictionary.md."""
    parts = [_INTRO, _contents(), *map(_table_section, TABLES), _SOURCE_INTRO]
    return "\n".join([*parts, *map(_source_section, SOURCES), _known_values()])


def _contents() -> str:
    rows = [(link(t.name), _key(t), t.description) for t in TABLES]
    files = ", ".join(link(source.name) for source in SOURCES)
    return f"{table(('Table', 'Key', 'Holds'), rows)}\n\nSource files: {files}.\n"


def _table_section(t: Table) -> str:
    facts = [f"- Key: {_key(t)}" if t.key else "- No key: the rows are a log."]
    facts += [f"- {code(r.column)} refers to {link(r.table)}." for r in t.references]
    users = [f"{link(u.name)} ({code(r.column)})" for u in TABLES for r in u.references if r.table == t.name]
    if users:
        facts.append(f"- Referred to by {', '.join(users)}.")
    path = f"sql/conform/{t.name}.sql"
    facts.append(
        f"- Made by [{code(path)}](../src/moviehouse/{path})." if t.conformed else "- Written by the run itself."
    )
    head = ("Column", "Type", "Description", "Unit", "Null?", "Source", "Read as NULL", "Rules")
    rows = [_column_row(t, c) for c in t.columns]
    return f"## {t.name}\n\n{t.description}\n\n" + "\n".join(facts) + f"\n\n{table_of_filled(head, rows)}\n"


def _key(t: Table) -> str:
    return codes(t.key)


def _column_row(t: Table, c: Column) -> tuple[str, ...]:
    keys = ["PK"] * (c.name in t.key) + ["FK"] * any(r.column == c.name for r in t.references)
    name = " ".join([code(c.name), *(f"**{key}**" for key in keys)])
    cells = source_cells(t, c, _FILES)
    source, nulls, rules = _source(c, cells), _nulls(c, cells), _rules(t, c, cells)
    return (name, code(c.type), c.description, c.unit, "yes" if c.nullable else "no", source, nulls, rules)


def _nulls(c: Column, cells: list[Cell]) -> str:
    """What the column's source writes for unknown; where the whole dict is missing, the empty cell."""
    if not (c.nullable and cells):
        return ""
    return "; ".join(dict.fromkeys(filter(None, map(null_words, cells)))) or "empty"


def _source(c: Column, cells: list[Cell]) -> str:
    """File and column, and within a nested cell the names of its entry."""
    if not c.source:
        return ""
    entries = dict.fromkeys(cell.name for cell in cells if isinstance(cell, Element))
    inside = f", entry {codes(entries)}" if entries else ""
    file, _, names = c.source.partition(":")
    twins = [source.name for source in SOURCES if _twin(source) == file != source.name]
    also = f", and the same column of {codes(twins)}" if twins else ""
    # Two codes, since none is broken into lines: as one they would squeeze the descriptions.
    return f"{code(file)}: {codes(names.split(', '))}" + inside + also


def _twin(source: SourceFile) -> str:
    """The first file with the same columns, whose name the model's columns have as their source."""
    return next(s.name for s in SOURCES if s.columns == source.columns)


def _rules(t: Table, c: Column, cells: list[Cell]) -> str:
    # A column whose type is not its cell's only says that there is such a cell.
    own = dict.fromkeys(cell_words(cell) for cell in cells if cell.kind.type == c.type)
    rules = [f"cell: {words}" for words in own]
    rules += [code(c.check)] if c.check else []
    rules += [f"in {link(r.table)}" for r in t.references if r.column == c.name]
    return "; ".join(rules)


def _source_section(source: SourceFile) -> str:
    indispensable = (
        "Indispensable: if it is missing or empty, the run fails."
        if source.indispensable
        else "Optional: if it is missing or empty, its tables are empty, and the error log has one `missing_file`"
        " or `empty_file`."
    )
    key = f"A record is identified by {codes(c.name for c in source.key)}."
    head = ("Column", "Presence", "Cell", "Becomes", "Read as NULL", "Otherwise")
    rows = [row for column in source.columns for row in _source_rows(source, column)]
    return f"## {source.name}\n\n{indispensable} {key}\n\n{table_of_filled(head, rows)}\n"


def _source_rows(source: SourceFile, column: SourceColumn | NestedColumn) -> list[tuple[str, ...]]:
    presence = "required" if column.required else "optional"
    if isinstance(column, SourceColumn):
        name = code(column.name) + (" **key**" if column.key else "")
        where = _becomes(source, column, column)
        return [(name, presence, cell_words(column), where, null_words(column), _faults(column))]
    shape = "one dict" if column.single else "a list of dicts"
    faults = f"{_fault('invalid_list')}" + ("" if column.single else f"; {_fault('damaged_list')}")
    first = (code(column.name), presence, shape, "the rows below", "empty", faults)
    return [first, *(_entry_row(source, column, entry) for entry in column.elements)]


def _entry_row(source: SourceFile, column: NestedColumn, entry: Element) -> tuple[str, ...]:
    name = f"{code(column.name)} → {code(entry.name)}"
    where = _becomes(source, column, entry)
    invalid = _fault("invalid_element") if entry.required else _fault(entry.kind.reason)
    if entry.known:
        invalid += f"; {_fault('unknown_genre')}"
    presence = "required" if entry.required else "optional"
    return (name, presence, cell_words(entry), where, null_words(entry), invalid)


def _becomes(source: SourceFile, column: SourceColumn | NestedColumn, cell: Cell) -> str:
    """The columns of the model that name this cell as their source."""
    found = []
    for t in TABLES:
        for c in t.columns:
            file, _, names = c.source.partition(":")
            same = file in (source.name, _twin(source)) and column.name in names.split(", ")
            if same and cell in source_cells(t, c, _FILES):
                found.append(code(f"{t.name}.{c.name}"))
    return ", ".join(found)


def _faults(column: SourceColumn) -> str:
    """The reason codes a cell of this column can have, and what becomes of the cell."""
    if column.key:
        return f"{_fault('missing_key')}; {_fault('invalid_key')}"
    codes_ = [column.kind.reason] if column.kind.pattern else []
    codes_ += ["rounded"] if column.kind.rounds else []
    codes_ += ["unknown_status"] if column.known else []
    codes_ += ["suspicious_amount"] if column.suspicious else []
    return "; ".join(map(_fault, codes_))


def _fault(reason: str) -> str:
    found = REASON[reason]
    return f"[{code(reason)}](error-log.md#{reason}): {found.action}"


def _known_values() -> str:
    genres = table(("genre_id", "Genre"), [(str(number), name) for number, name in GENRES.items()])
    return (
        "## Known values\n\n"
        f"`status` is one of {codes(STATUSES)}. Any other is kept and logged as {code('unknown_status')}.\n\n"
        f"TMDB has {len(GENRES)} genres. Any other is kept and logged as {code('unknown_genre')}.\n\n{genres}\n"
    )
