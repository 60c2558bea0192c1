"""The seams: who may import whom, how long a file may be, and that the SQL is portable."""

import ast
import re
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from moviehouse import sql
from moviehouse.engines.dialect import to_spark
from moviehouse.model.sources import SOURCES
from moviehouse.model.tables import TABLES
from moviehouse.steps.balance import _LISTS
from moviehouse.steps.conform import CONFORMED, RATINGS_WORK, SHORTCUTS, WORK

SOURCE = Path(sql.__file__).parents[1]
FILES = sorted(SOURCE.rglob("*.py"))
STATEMENTS = [
    (folder, name)
    for folder in ("conform", "log", "views", "questions", "checks", "trace", "reading", "lake")
    for name in sql.names(folder)
]


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def package(path: Path) -> str:
    parts = path.relative_to(SOURCE).parts
    return parts[0] if len(parts) > 1 else path.stem


# What a part may not know. The declaration and the SQL know no engine, no step and no command.
FORBIDDEN = {
    "model": (
        "duckdb",
        "boto3",
        "moviehouse.steps",
        "moviehouse.engines",
        "moviehouse.pipeline",
        "moviehouse.cli",
        "moviehouse.commands",
    ),
    "sql": ("duckdb", "pyspark", "sqlglot", "moviehouse.steps", "moviehouse.engines", "moviehouse.model"),
    "engines": (
        "moviehouse.steps",
        "moviehouse.pipeline",
        "moviehouse.cli",
        "moviehouse.commands",
        "moviehouse.render",
    ),
    "steps": (
        "pyspark",
        "sqlglot",
        "moviehouse.engines.spark",
        "moviehouse.cluster",
        "moviehouse.pipeline",
        "moviehouse.cli",
        "moviehouse.commands",
        "moviehouse.render",
    ),
    "commands": ("pyspark", "moviehouse.engines.spark", "moviehouse.cluster"),
    "pipeline": ("pyspark", "moviehouse.engines.spark"),
    "cluster": ("pyspark", "duckdb", "moviehouse.cli", "moviehouse.commands"),
    "postgres": ("moviehouse.pipeline", "moviehouse.cli", "moviehouse.commands"),
    "lake": ("moviehouse.cli", "moviehouse.commands", "moviehouse.render"),
    "generator": (
        "moviehouse.steps",
        "moviehouse.engines",
        "moviehouse.pipeline",
        "moviehouse.cli",
        "moviehouse.commands",
    ),
    "render": ("moviehouse.pipeline", "moviehouse.engines", "duckdb"),
}


@pytest.mark.parametrize("path", FILES, ids=[str(p.relative_to(SOURCE)) for p in FILES])
def test_imports_point_one_way(path):
    for module in imports(path):
        for forbidden in FORBIDDEN.get(package(path), ()):
            assert not (module == forbidden or module.startswith(forbidden + ".")), module


def test_nothing_evaluates_text():
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec"), path


def test_duckdb_is_connected_to_in_one_place():
    """Elsewhere it would show its own progress bar in a notebook."""
    places = [path.name for path in FILES if "duckdb.connect(" in path.read_text()]
    assert places == ["connect.py"]


@pytest.mark.parametrize("path", FILES, ids=[str(p.relative_to(SOURCE)) for p in FILES])
def test_a_file_holds_one_idea(path):
    assert len(path.read_text().splitlines()) <= 400
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno <= 60, node.name


def test_every_list_is_in_the_balance_and_in_the_log():
    """Or elements that occur twice would vanish without a line."""
    lists = [column for source in SOURCES for column in source.nested if not column.single]
    for column in lists:
        assert column.name in _LISTS
        assert f"'{column.name}' AS \"column\"" in sql.statement("log", "merged_element")
        if any(element.name == "name" for element in column.elements):
            assert f"'{column.name}' AS" in sql.statement("log", "name_conflict")


@pytest.mark.parametrize(("folder", "name"), STATEMENTS)
def test_the_sql_says_what_it_is_for_and_another_engine_can_have_it(folder, name):
    text = sql.statement(folder, name)
    assert sql.header(folder, name)
    (tree,) = sqlglot.parse(text, dialect="duckdb")
    assert to_spark(text)  # raises what Spark has no equivalent for
    assert not list(tree.find_all(exp.Unnest, exp.Explode))
    assert not re.search(r"\bread_(csv|parquet|json)\b|\bQUALIFY\b|::", text)


def test_every_table_has_its_one_statement():
    assert [t for t in TABLES if t.conformed] == list(CONFORMED)
    simpler = {statement for _, *statements in SHORTCUTS.values() for statement in statements}
    assert set(sql.names("conform")) == {
        *(t.name for t in CONFORMED),
        *(relation for step in (*WORK, *RATINGS_WORK) for relation in step),
        *simpler,
    }
    assert set(sql.names("questions")) == set(sql.QUESTIONS)
    assert set(sql.names("views")) == set(sql.VIEWS)
