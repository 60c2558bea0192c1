"""The rendered pages: true to the declaration, runnable, fresh."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import fields
from itertools import combinations
from pathlib import Path
from textwrap import dedent

import duckdb
import pytest
import sqlglot

from moviehouse.error_log import REASONS, SEVERITIES, VALUE_LIMIT
from moviehouse.model.schema import Column, Table
from moviehouse.model.sources import SOURCES, NestedColumn
from moviehouse.model.tables import ERROR_LOG, TABLE, TABLES
from moviehouse.render import layout
from moviehouse.render.__main__ import main
from moviehouse.render.ddl import comments_sql, quoted, schema_sql
from moviehouse.render.dictionary import dictionary_md
from moviehouse.render.erd import mermaid, svg
from moviehouse.render.error_reasons import error_log_md, example_line
from moviehouse.render.pages import PAGES, REGIONS, filled, stale, write
from moviehouse.run import RunRecord
from moviehouse.sql import VIEWS, statement

ROOT = Path(__file__).parent.parent
SAMPLES = {
    "BIGINT": "7", "INTEGER": "7", "VARCHAR": "'x'", "DATE": "DATE '1995-10-30'", "BOOLEAN": "true",
    "TIMESTAMP": "TIMESTAMP '1995-10-30 00:00:00'", "BLOB": "'x'::BLOB", "DECIMAL(18,9)": "7",
    "DECIMAL(5,3)": "7", "DECIMAL(2,1)": "4.5",
}  # fmt: skip
LISTED = re.compile(r" IN \('([^']*)'")


# --- DDL ---------------------------------------------------------------------------------------------


@pytest.fixture
def empty() -> duckdb.DuckDBPyConnection:
    """A database with the schema."""
    connection = duckdb.connect()
    connection.execute(schema_sql())
    return connection


@pytest.fixture
def con(empty) -> duckdb.DuckDBPyConnection:
    """A database with the schema and one good row in each table."""
    for table in TABLES:
        insert(empty, table)
    return empty


def good(column: Column) -> str:
    listed = LISTED.search(column.check)
    return f"'{listed[1]}'" if listed else SAMPLES[column.type]


def other(column: Column) -> str:
    """Another good value of a key column."""
    return "'y'" if column.type == "VARCHAR" else "8"


def bad(column: Column) -> str:
    return "'no such value'" if column.type == "VARCHAR" else "-1"


def insert(connection: duckdb.DuckDBPyConnection, table: Table, **changed: str) -> None:
    values = [changed.get(c.name, good(c)) for c in table.columns]
    connection.execute(f"INSERT INTO {table.name} VALUES ({', '.join(values)})")


def fresh_key(table: Table) -> dict[str, str]:
    """A change of the key, so that only what a test breaks can be refused."""
    free = [n for n in table.key if n not in [r.column for r in table.references] and not table.column(n).check]
    return {name: other(table.column(name)) for name in free}


def columns(wanted) -> list:
    return [pytest.param(t, c, id=f"{t.name}.{c.name}") for t in TABLES for c in t.columns if wanted(t, c)]


def test_schema_runs_and_has_every_column_as_declared(con):
    for table in TABLES:
        found = con.execute(f"DESCRIBE {table.name}").fetchall()
        assert [(f[0], f[1], f[2] == "YES") for f in found] == [
            (c.name, c.stored_type, c.nullable) for c in table.columns
        ]


@pytest.mark.parametrize(("table", "column"), columns(lambda t, c: not c.nullable))
def test_null_is_refused(empty, table, column):
    with pytest.raises(duckdb.ConstraintException, match="NOT NULL"):
        insert(empty, table, **{column.name: "NULL"})


@pytest.mark.parametrize(("table", "column"), columns(lambda t, c: c.nullable))
def test_null_is_taken_where_declared(con, table, column):
    insert(con, table, **{**fresh_key(table), column.name: "NULL"})


@pytest.mark.parametrize(("table", "column"), columns(lambda t, c: bool(c.check)))
def test_check_is_refused(empty, table, column):
    refusal = (duckdb.ConversionException, "ENUM") if column.values else (duckdb.ConstraintException, "CHECK")
    with pytest.raises(refusal[0], match=refusal[1]):
        insert(empty, table, **{column.name: bad(column)})


@pytest.mark.parametrize("table", [pytest.param(t, id=t.name) for t in TABLES if t.key])
def test_second_row_of_a_key_is_refused(con, table):
    with pytest.raises(duckdb.ConstraintException, match=r"(?i)primary key"):
        insert(con, table)


@pytest.mark.parametrize(("table", "column"), columns(lambda t, c: any(r.column == c.name for r in t.references)))
def test_reference_to_nothing_is_refused(con, table, column):
    with pytest.raises(duckdb.ConstraintException, match=r"(?i)foreign key"):
        insert(con, table, **{**fresh_key(table), column.name: "'zz'" if column.type == "VARCHAR" else "999"})


def test_comments_name_unit_and_source(con):
    found = con.execute(
        "SELECT comment FROM duckdb_columns() WHERE table_name = 'movie' AND column_name = 'budget_usd'"
    ).fetchone()
    assert "Unit: US dollars. Source: movies_metadata.csv, column budget." in found[0]
    missing = con.execute("SELECT table_name, column_name FROM duckdb_columns() WHERE comment IS NULL AND NOT internal")
    assert missing.fetchall() == []


def test_comments_run_alone_on_tables_without_constraints():
    connection = duckdb.connect()
    for table in TABLES:
        listed = ", ".join(f"{quoted(c.name)} {c.type}" for c in table.columns)
        connection.execute(f"CREATE TABLE {table.name} ({listed})")
    statements = comments_sql(TABLES)
    assert len(statements) == sum(1 + len(t.columns) for t in TABLES)
    for one in statements:
        connection.execute(one)


def test_schema_transpiles_to_postgresql():
    statements = sqlglot.transpile(schema_sql(), read="duckdb", write="postgres")
    creates = [s for s in statements if "CREATE TABLE" in s]
    assert len(creates) == len(TABLES)
    assert sum(s.startswith("COMMENT ON") for s in statements) == len(comments_sql(TABLES))
    for one in statements:
        assert not isinstance(sqlglot.parse_one(one, read="postgres"), sqlglot.exp.Command)


def test_lines_of_create_statements_are_not_too_long():
    assert [x for x in schema_sql().splitlines() if len(x) > 110 and not x.startswith("COMMENT")] == []


# --- Data dictionary ---------------------------------------------------------------------------------


def section(page: str, heading: str) -> str:
    return page.split(f"\n## {heading}\n")[1].split("\n## ", maxsplit=1)[0]


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_dictionary_has_every_column(table):
    text = section(dictionary_md(), table.name)
    assert table.description in text
    for c in table.columns:
        row = next(x for x in text.splitlines() if x.startswith(f"| `{c.name}`"))
        assert f"`{c.type}`" in row
        assert c.description in row
        assert ("**PK**" in row) == (c.name in table.key)
        assert ("**FK**" in row) == any(r.column == c.name for r in table.references)


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.name)
def test_dictionary_says_what_every_source_cell_becomes(source):
    rows = {}
    for line in section(dictionary_md(), source.name).splitlines():
        cells = line.strip("| ").split(" | ")
        rows[re.sub(r" \*\*key\*\*", "", cells[0])] = cells
    for column in source.columns:
        assert rows[f"`{column.name}`"][3], column.name
        if isinstance(column, NestedColumn):
            for entry in column.elements:
                assert rows[f"`{column.name}` → `{entry.name}`"][3].startswith("`"), entry.name


def test_dictionary_speaks_of_rules():
    page = dictionary_md()
    assert "a whole number from 0 to 100,000,000,000, also written `81.0`; `budget_usd > 0`" in page
    assert "a whole number from 1 to 2^53 |" in page
    assert "| empty, `0` |" in page
    assert "any value where `vote_count` is 0" in page
    assert "[`unknown_status`](error-log.md#unknown_status): kept as published" in page


@pytest.mark.parametrize("page", ["docs/data-dictionary.md", "docs/error-log.md"])
def test_tables_have_as_many_cells_in_every_row(page):
    width = 0
    for line in PAGES[page]().splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not (width and cells) or cells == width, line
        width = cells


# --- Diagrams ----------------------------------------------------------------------------------------


def test_mermaid_has_every_table_column_and_reference():
    text = mermaid()
    for table in TABLES:
        block = text.split(f"    {table.name} {{\n")[1].split("    }")[0]
        assert [x.split()[1] for x in block.strip().splitlines()] == [c.name for c in table.columns]
        for r in table.references:
            parent = "|o" if table.column(r.column).nullable else "||"
            assert f'    {r.table} {parent}--o{{ {table.name} : "{r.column}"' in text
    # Mermaid's types are one word without commas.
    assert not re.search(r"^ +\w+\(", text, re.MULTILINE)


def test_svg_is_self_contained_and_says_what_it_is():
    root = ET.fromstring(svg())
    space = "{http://www.w3.org/2000/svg}"
    assert root.find(f"{space}title").text
    assert str(len(TABLES)) in root.find(f"{space}desc").text
    assert not list(root.iter(f"{space}script"))
    assert not re.search(r"(href|src)=|url\(|@import|@font-face", svg())


def test_svg_has_every_table_and_column():
    texts = [t.text for t in ET.fromstring(svg()).iter("{http://www.w3.org/2000/svg}text")]
    for table in TABLES:
        assert table.name in texts
        assert all(c.name in texts and c.type in texts for c in table.columns)


def test_boxes_do_not_overlap():
    for a, b in combinations(layout.boxes().values(), 2):
        apart = a.x + a.width < b.x or b.x + b.width < a.x or a.bottom + 20 <= b.y or b.bottom + 20 <= a.y
        assert apart, f"{a.table.name} and {b.table.name}"


def segments(line):
    return list(zip(line.corners, line.corners[1:], strict=False))


def test_lines_run_straight_and_through_no_box():
    boxes = layout.boxes()
    for line in layout.lines(boxes):
        for (x1, y1), (x2, y2) in segments(line):
            assert x1 == x2 or y1 == y2
            for box in boxes.values():
                beside = max(x1, x2) <= box.x or min(x1, x2) >= box.x + box.width
                off = max(y1, y2) < box.y or min(y1, y2) > box.bottom
                assert beside or off, f"{line.table.name}.{line.reference.column} through {box.table.name}"


def test_lines_to_different_ends_do_not_cross():
    for a, b in combinations(layout.lines(layout.boxes()), 2):
        if a.corners[-1] == b.corners[-1]:
            continue
        for ((ax, ay), (bx, by)), ((cx, cy), (dx, dy)) in ((s, t) for s in segments(a) for t in segments(b)):
            across = max(min(ax, bx), min(cx, dx)) <= min(max(ax, bx), max(cx, dx))
            down = max(min(ay, by), min(cy, dy)) <= min(max(ay, by), max(cy, dy))
            assert not (across and down), f"{a.table.name}.{a.reference.column}, {b.table.name}.{b.reference.column}"


def test_names_and_types_fit_in_their_boxes():
    for box in layout.boxes().values():
        for c in box.table.columns:
            assert layout.KEYS + len(c.name) * 7.3 + len(c.type) * 6.7 + 20 <= box.width


def test_a_table_without_a_place_stops_the_rendering(monkeypatch):
    monkeypatch.setitem(TABLE, "award", Table("award", "Awards.", (Column("award_id", "BIGINT", "Id."),)))
    with pytest.raises(ValueError, match="place for each table and no other: award"):
        layout.boxes()


def test_a_reference_without_a_route_stops_the_rendering(monkeypatch):
    monkeypatch.delitem(layout._ROUTES, "rating.movielens_id")
    with pytest.raises(ValueError, match=r"route for rating\.movielens_id"):
        layout.lines(layout.boxes())


def test_a_new_column_moves_its_neighbours(monkeypatch):
    movie = TABLE["movie"]
    more = Table(movie.name, movie.description, (*movie.columns, Column("x", "BIGINT", "X.")), movie.key)
    before = layout.boxes()["collection"].y
    monkeypatch.setitem(TABLE, "movie", more)
    assert layout.boxes()["collection"].y == before + layout.ROW


# --- Error log ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", REASONS, ids=lambda r: r.code)
def test_every_reason_has_its_section_and_a_line_of_the_schema(reason):
    page = error_log_md()
    text = page.split(f"\n### {reason.code}\n")[1].split("\n### ")[0]
    assert reason.meaning in text
    assert reason.advice in text
    line = json.loads(re.search(r"```json\n(.*)\n```", text)[1])
    assert list(line) == [c.name for c in ERROR_LOG.columns]
    assert (line["reason"], line["severity"]) == (reason.code, reason.severity)
    assert len((line["value"] or "").encode()) <= VALUE_LIMIT
    if line["file"] in {s.name for s in SOURCES} and line["column"] and reason.code != "unknown_column":
        source = next(s for s in SOURCES if s.name == line["file"])
        assert line["column"] in [c.name for c in source.columns]


def test_every_severity_and_exit_status_is_explained():
    page = error_log_md()
    assert all(f"| `{severity}` |" in page for severity in SEVERITIES)
    for status in ("0", "1", "2", "3", "4", "70", "130, 143"):
        assert f"| {status} |" in page


def test_the_queries_of_the_page_run(tmp_path, con):
    lines = [example_line(reason) for reason in REASONS]
    (tmp_path / "errors.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "none.jsonl").write_text("")
    queries = re.findall(r"```sql\n(.*?)```", error_log_md(), re.DOTALL)
    assert len(queries) == 3
    for query in queries:
        there = query.replace("'errors.jsonl'", f"'{tmp_path / 'errors.jsonl'}'")
        assert con.execute(there).fetchall()
        if "errors.jsonl" in query:
            assert con.execute(there.replace("errors.jsonl", "none.jsonl")).fetchall() == []


# --- Pages -------------------------------------------------------------------------------------------


def test_committed_pages_are_fresh():
    assert stale(ROOT) == [], "run: python -m moviehouse.render"


@pytest.mark.parametrize(
    "path", sorted(str(p.relative_to(ROOT)) for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
)
def test_links_lead_somewhere(path):
    text = re.sub(r"```.*?```", "", (ROOT / path).read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        page = (ROOT / path).parent / file if file else ROOT / path
        assert page.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings], target


def test_queries_of_the_data_model_run(con):
    for view in VIEWS:
        con.execute(f"CREATE VIEW {view} AS {statement('views', view)}")
    blocks = re.findall(r"^ *```sql\n(.*?)```", (ROOT / "docs/data-model.md").read_text(), re.DOTALL | re.MULTILINE)
    queries = [block for block in blocks if "SELECT" in block]
    assert len(queries) == 4
    for query in queries:
        con.execute(query)


def test_the_worked_examples_of_a_column_and_a_question_work(tmp_path):
    page = (ROOT / "docs/data-model.md").read_text()
    column, _, question = page.partition("### A column of the source")[2].partition("### A question")
    source, table, select = re.findall(r"^   ```(?:python|sql)\n(.*?)^   ```", column, re.DOTALL | re.MULTILINE)[:3]
    (sql,) = re.findall(r"^   ```sql\n(.*?)^   ```", question, re.DOTALL | re.MULTILINE)
    package = tmp_path / "src" / "moviehouse"
    shutil.copytree(ROOT / "src" / "moviehouse", package, ignore=shutil.ignore_patterns("__pycache__"))
    for file, before, snippet in (
        ("model/sources.py", 'SourceColumn("adult", ', source),
        ("model/tables.py", 'Column("adult", ', table),
        ("sql/conform/movie.sql", "m.adult,\n", select),
        ("sql/__init__.py", '"genre_revenue_by_year"', '"country_releases_by_year",\n'),
    ):
        lines = (package / file).read_text().splitlines(keepends=True)
        (at,) = [number for number, line in enumerate(lines) if line.lstrip().startswith(before)]
        (package / file).write_text("".join([*lines[: at + 1], snippet, *lines[at + 1 :]]))
    (package / "sql/questions/country_releases_by_year.sql").write_text(dedent(sql))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}
    for arguments in (["sample", "s.zip", "--movies", "60", "-q"], ["s.zip", "-q"]):
        subprocess.run([sys.executable, "-m", "moviehouse", *arguments], cwd=tmp_path, env=environment, check=True)
    with duckdb.connect(str(tmp_path / "moviehouse-out" / "moviehouse.duckdb"), read_only=True) as database:
        assert database.execute("SELECT count(*), count(certification) FROM movie").fetchone() == (60, 0)
        assert database.execute("SELECT count(*) > 0 FROM country_releases_by_year").fetchone() == (True,)
        assert database.execute("FROM error_log WHERE reason LIKE '%column'").fetchall() == []


def test_the_worked_example_of_allocation_is_what_the_views_give(con):
    con.execute("INSERT INTO genre VALUES (8, 'y'), (9, 'z')")
    con.execute("INSERT INTO movie_genre VALUES (7, 8, 2), (7, 9, 3)")
    con.execute("UPDATE movie_genre SET position = 1 WHERE genre_id = 7")
    con.execute("UPDATE movie SET revenue_usd = 100, budget_usd = 50, status = NULL")
    for view in VIEWS[:2]:
        con.execute(f"CREATE VIEW {view} AS {statement('views', view)}")
    rows = con.execute(
        "SELECT revenue_usd, revenue_usd_allocated, budget_usd_allocated, profit_usd_allocated "
        "FROM genre_share ORDER BY genre_id"
    ).fetchall()
    page = (ROOT / "docs/data-model.md").read_text()
    for row, place in zip(rows, ("1 Animation", "2 Comedy", "3 Family"), strict=True):
        assert f"| {place} | {' | '.join(map(str, row))} |" in page


def test_the_page_of_the_run_record_names_every_field_in_order():
    page = (ROOT / "docs/run-record.md").read_text().split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == [field.name for field in fields(RunRecord)]


def test_rendering_is_the_same_twice_and_writes_only_changes(tmp_path):
    for path, regions in REGIONS.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        parts = "".join(f"<!-- begin: {region} -->\nold\n<!-- end: {region} -->\n" for region in regions)
        (tmp_path / path).write_text(f"A\n{parts}B\n")
    assert write(tmp_path) == [*PAGES, *REGIONS]
    assert write(tmp_path) == []
    assert (tmp_path / "docs/data-model.md").read_text().startswith("A\n<!-- begin: erd -->\n```mermaid\n")
    assert (tmp_path / "docs/data-model.md").read_text().endswith("```\n<!-- end: erd -->\nB\n")


def test_check_names_stale_pages(tmp_path, capsys):
    (tmp_path / "docs").mkdir()
    for path, regions in REGIONS.items():
        parts = "".join(f"<!-- begin: {region} -->\n<!-- end: {region} -->\n" for region in regions)
        (tmp_path / path).write_text(parts)
    assert main(["--root", str(tmp_path)]) == 0
    assert main(["--root", str(tmp_path), "--check"]) == 0
    with (tmp_path / "docs/schema.sql").open("a") as file:
        file.write("-- by hand\n")
    assert main(["--root", str(tmp_path), "--check"]) == 1
    assert "stale: docs/schema.sql" in capsys.readouterr().err


def test_a_page_without_its_markers_is_refused():
    with pytest.raises(ValueError, match="begin: erd"):
        filled("no markers", "erd", "x")
