"""Nested cells against `ast.literal_eval`, on both ways they can take: through SQL and one by one."""

import ast
import json
import re

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from moviehouse.model.sources import CREDITS, KEYWORDS, MOVIES, SOURCES
from moviehouse.steps import nested
from moviehouse.steps.cells import Origin
from moviehouse.steps.literal import read_cell
from moviehouse.steps.literal_as_json import plain, plain_sql, structure, to_json
from moviehouse.steps.read import prepare

LISTS = [(s, c) for s in SOURCES for c in s.nested]
GENRES = next(c for c in MOVIES.nested if c.name == "genres")
CAST = next(c for c in CREDITS.nested if c.name == "cast")

TEXT = st.text(max_size=12) | st.text(st.sampled_from("'\"\\:,{}[] aNone\t\xa0é😀\r\n"), max_size=12)
ID = st.integers(1, 2**53) | st.integers(1, 99)


def value_of(element):
    if element.kind.type != "VARCHAR":
        return ID if element.kind.high == str(2**53) else st.integers(0, int(element.kind.high))
    if element.kind.pattern:
        return st.from_regex(element.kind.pattern, fullmatch=True)
    return TEXT if element.required else TEXT | st.none()


def cells_of(column):
    in_order = st.tuples(*(value_of(e) for e in column.elements)).map(
        lambda values: dict(zip((e.name for e in column.elements), values, strict=True))
    )
    element = in_order | st.fixed_dictionaries({e.name: value_of(e) for e in column.elements})
    return element if column.single else st.lists(element, max_size=4)


def expected(column, value):
    """What the model keeps of a literal's value: empty texts and those no database holds are NULL."""
    rows = []
    for position, element in enumerate([value] if column.single else value, 1):
        found = [element[e.name] for e in column.elements]
        row = [None if v == "" or (isinstance(v, str) and not storable(v)) else v for v in found]
        if all(v is not None for v, e in zip(row, column.elements, strict=True) if e.required):
            rows.append((position, *row))
    return rows


def storable(text):
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def through_sql(source, column, texts, folder):
    """The rows that `nested.read` makes of cells, by ordinal."""
    con = duckdb.connect()
    prepare(con)
    keys = ", ".join(f"{c.target} BIGINT" for c in source.key)
    con.execute(f"CREATE TABLE parsed (ordinal BIGINT, line BIGINT, {keys}, raw_cell VARCHAR)")
    for i, text in enumerate(texts):
        con.execute("INSERT INTO parsed VALUES (?, ?, ?, ?)", [i, i + 2, i + 1, text])
    cells = {column.name: "raw_cell", **{c.name: f"CAST({c.target} AS VARCHAR)" for c in source.key}}
    nested.read(con, source, column, Origin("parsed", cells), folder)
    targets = ", ".join(f'"{e.target}"' for e in column.elements)
    relation = column.relation or f"single_{column.name}"
    rows = con.execute(f"SELECT ordinal, position, {targets} FROM {relation} ORDER BY ALL").fetchall()
    return [[row[1:] for row in rows if row[0] == i] for i in range(len(texts))]


@pytest.mark.parametrize(("source", "column"), LISTS, ids=[f"{s.name}-{c.name}" for s, c in LISTS])
def test_every_cell_equals_literal_eval(source, column, tmp_path_factory):
    @settings(max_examples=60, deadline=None)
    @given(st.lists(cells_of(column), min_size=1, max_size=6))
    def check(values):
        texts = [repr(v) for v in values]
        assert through_sql(source, column, texts, tmp_path_factory.mktemp("x")) == [expected(column, v) for v in values]

    check()


@settings(max_examples=400, deadline=None)
@given(cells_of(GENRES).map(repr) | st.text(st.sampled_from("[]{}'\":, \\None16idname()+-"), max_size=50))
@example("[{'id': 16, 'name': ': None'}]")
@example("[{'id': 16, 'name': \"a': None\"}]")
@example("[{'id': 16, 'name': 'None'}]")
@example("[{'id': 16, 'name': 'NULL'}]")
@example("[{'id': 16, 'name': ' a '}]")
@example("[{'id': 16, 'name': '[b]'}]")
@example("[{'id': 16, 'name': '{\"a\": 1}'}]")
@example("[{'id': 16, 'name': \"O'Neill\"}, {'id': 17, 'name': \"'\"}, {'id': 18, 'name': None}]")
@example("[{id: 16, name: Comedy}]")
@example("[{'name': 'Comedy', 'id': 16}]")
@example("[{'id': 16.0, 'name': 'Comedy'}]")
@example("[{'id': True, 'name': 'Comedy'}]")
@example("[{'id': 0x10, 'name': 'Co' 'medy'}]")
@example("[{'id': 1_6, 'name': 'Comedy'}]")
@example("[ ]")
@example(" []")
def test_only_what_is_plain_is_json_with_other_quotes(text):
    """A plain cell is a literal, and the same value as JSON; no other cell is read so."""
    if re.fullmatch(plain(GENRES), text):
        assert json.loads(json_of(text)) == ast.literal_eval(text)


def json_of(text):
    query = (
        f"SELECT {plain_sql('cell')} AS made, from_json_strict(made, '{structure(GENRES)}') FROM (SELECT $1 AS cell)"
    )
    made, elements = duckdb.execute(query, [text]).fetchall()[0]
    assert elements == json.loads(made)
    return made


@settings(max_examples=400, deadline=None)
@given(cells_of(CAST).map(repr), st.integers(0, 400), st.text(st.sampled_from("\\'\"x{}, n0N"), max_size=3))
@example("[]", 0, "\\")
def test_what_is_made_json_is_what_literal_eval_reads(text, at, noise):
    """The quick way gives what `ast.literal_eval` gives, or nothing, on cells and on damaged cells."""
    for cell in (text, text[:at] + noise + text[at:]):
        made = to_json(CAST, cell)
        assert made is None or json.loads(made) == ast.literal_eval(cell)


def test_texts_with_escapes_and_both_quotes_are_made_json():
    value = [{"id": 16, "name": 'O\'Neill "Jack" \t\xa0\\ None'}, {"id": 35, "name": None}]
    made = to_json(GENRES, repr(value))
    assert made is not None
    assert json.loads(made) == value


@pytest.mark.parametrize("name", ["'\\ud800'", "'a\\x00b'", "5", "'a' 'b'", "'\\x'"])
def test_what_needs_a_note_is_not_made_json(name):
    assert to_json(GENRES, f"[{{'id': 1, 'name': {name}}}]") is None


def test_the_real_formats_are_plain():
    genres = "[{'id': 16, 'name': 'Animation'}, {'id': 35, 'name': \"Children's\"}]"
    assert re.fullmatch(plain(GENRES), genres)
    credit = "[{'cast_id': 14, 'character': 'W (voice)', 'credit_id': '52fe', 'gender': 2, 'id': 31, 'name': 'T', 'order': 0, 'profile_path': None}]"
    assert re.fullmatch(plain(CAST), credit)


def test_of_a_damaged_list_the_whole_elements_before_the_damage_are_kept():
    cell = read_cell(GENRES, "[{'id': 35, 'name': 'Comedy'} GATORADE")
    assert cell.rows == [(1, [35, "Comedy"])]
    assert (cell.damaged, cell.unreadable, cell.elements) == (True, False, 1)


@pytest.mark.parametrize(
    ("text", "ids", "damaged"),
    [
        ("[{'id': 1, 'name': 'a'}, {'id': 2, 'na", [1], True),
        ("[{'id': 1, 'name': 'a'}, {'id': 2, 'name': 'b'}", [1, 2], True),
        ("[{'id': 1, 'name': 'a'}, {'id': 2, 'name': 'b'}]]", [1, 2], True),
        ("[{'id': 1, 'name': '}'}, {'id': 2, 'name': \"]\"} oops", [1, 2], True),
        ("[{'id': 1, 'name': 'a\\'}'}, x", [1], True),
        ("[{'id': 1}, ]", [1], False),
        ("[{'id': 1, 'name': 'a'}, 5]", [1], False),
    ],
)
def test_where_the_damage_begins(text, ids, damaged):
    cell = read_cell(GENRES, text)
    assert [row[0] for _, row in cell.rows] == ids
    assert cell.damaged is damaged


@pytest.mark.parametrize(
    "text", ["['Comedy'", "[", "nonsense", "{'id': 1}", "5", "[" * 5000, "(" * 100_000, "-" * 100_000, "'a'"]
)
def test_a_cell_that_is_no_list_is_unreadable(text):
    cell = read_cell(GENRES, text)
    assert cell.unreadable
    assert not cell.rows


@pytest.mark.parametrize(
    "element",
    ["{'name': 'a'}", "{'id': None}", "{'id': '16'}", "{'id': 1.0}", "{'id': 0}", "{'id': -1}", "{'id': True}", "7"],
)
def test_an_element_without_a_usable_id_is_rejected_alone(element):
    cell = read_cell(GENRES, f"[{{'id': 1, 'name': 'x'}}, {element}]")
    assert [row[0] for _, row in cell.rows] == [1]
    assert [b.position for b in cell.bad_elements] == [2]
    assert ast.literal_eval(cell.bad_elements[0].raw) == ast.literal_eval(element)


@pytest.mark.parametrize("name", ["5", "'\\ud800'", "'a\\x00b'", "['x']"])
def test_a_name_that_is_no_text_becomes_unknown(name):
    cell = read_cell(GENRES, f"[{{'id': 1, 'name': {name}}}]")
    assert cell.rows == [(1, [1, None])]
    assert [b.reason for b in cell.bad_values] == ["invalid_text"]


def test_a_cell_of_many_megabytes_is_read_element_by_element():
    text = "[" + ", ".join(f"{{'id': {i}, 'name': 'n\\xa0{i}'}}" for i in range(1, 60_000)) + "]"
    cell = read_cell(next(iter(KEYWORDS.nested)), text)
    assert len(cell.rows) == 59_999
    assert not cell.damaged
    assert cell.rows[-1] == (59_999, [59_999, "n\xa059999"])
