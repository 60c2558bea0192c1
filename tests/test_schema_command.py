"""`moviehouse schema`: the model as SQL, as a dictionary, as a diagram."""

import xml.etree.ElementTree as ET

import duckdb
import pytest
from pseudo import on_terminal, plain

from moviehouse import cli
from moviehouse.model.tables import TABLES


def run(capsys, *arguments):
    status = cli.run(["schema", *map(str, arguments)])
    out, err = capsys.readouterr()
    return status, out, err


def created(script: str) -> set[str]:
    with duckdb.connect(":memory:") as con:
        con.execute(script)
        return {row[0] for row in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}


def test_the_ddl_creates_every_table(capsys):
    status, out, err = run(capsys)
    assert (status, err) == (0, "")
    assert created(out) == {table.name for table in TABLES}


def test_the_ddl_of_some_tables(capsys):
    assert created(run(capsys, "genre", "company")[1]) == {"genre", "company"}
    assert "COMMENT ON COLUMN genre.name" in run(capsys, "genre")[1]


def test_the_dictionary_has_every_column_with_its_description(capsys):
    out = " ".join(run(capsys, "--format", "dictionary")[1].split())
    for table in TABLES:
        assert table.description in out
        for column in table.columns:
            assert column.name in out
            assert column.unit in out
    assert "Refers to genre." in out


def test_the_diagram_has_every_reference(capsys):
    out = run(capsys, "--format", "erd")[1]
    for table in TABLES:
        for reference in table.references:
            assert f"{reference.column} → {reference.table}" in out
            assert f"{table.name}.{reference.column}" in out


def test_svg_and_mermaid(capsys, tmp_path):
    assert run(capsys, "--output", tmp_path / "erd.pdf")[0] == 2
    assert run(capsys, "--output", tmp_path / "erd.svg") == (0, "", "")
    assert ET.parse(tmp_path / "erd.svg").getroot().tag.endswith("svg")
    out = run(capsys, "--format", "mermaid")[1]
    assert out.startswith("erDiagram\n")
    assert "```" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["movi"], "Did you mean movie"), (["xyzzy"], "There are:"), (["movie", "--format", "svg"], "--format erd")],
)
def test_what_is_not_there(capsys, arguments, message):
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert message in err


@pytest.mark.parametrize("columns", [80, 40])
def test_narrow_terminals(columns):
    for form in ("dictionary", "erd"):
        _, out = on_terminal("schema", "--format", form, columns=columns)
        assert max(map(len, plain(out).splitlines())) <= columns
        assert "…" not in out
