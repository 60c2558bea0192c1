"""Turns nested cells written as the source writes them, which is Python's repr, into JSON, which engines read fast.

Most are JSON once their quotes are exchanged: `plain` is the proof, a pattern of the repr without an escape or a double
quote in a text, and `plain_sql` exchanges them. Of the others `to_json` takes those whose texts have escapes and
double quotes, text by text. What neither takes is left to `literal`, which reads anything as `ast.literal_eval` does.
"""

from __future__ import annotations

import json
import re
from functools import cache
from json.encoder import encode_basestring

from moviehouse.model.sources import Element, NestedColumn
from moviehouse.steps.literal import evaluate, is_storable

# No text starts with a colon in single quotes or has one in double quotes, so that `': None` is never part of a text.
_PLAIN_TEXT = r"""'[^'"\\:\x00-\x1f][^'"\\\x00-\x1f]*'|"[^"\\:\x00-\x1f]+\""""
_ANY_TEXT = r"""'(?:[^'\\\n\r\0]++|\\[^\n\r\0])++'|"(?:[^"\\\n\r\0]++|\\[^\n\r\0])++\""""
# As much as can be had by exchanging quotes, and the text behind it that cannot.
_STRETCH = re.compile(rf"""((?:[^'"]++|'(?!:)[^'"\\\x00-\x1f]*+')++)({_ANY_TEXT})?""")


def plain(column: NestedColumn) -> str:
    """The pattern (RE2 and Python) of cells that `plain_sql` makes the JSON of what `ast.literal_eval` reads."""
    return _cell(column, _PLAIN_TEXT)


def structure(column: NestedColumn) -> str:
    """The structure of a cell's JSON, as DuckDB is told of it."""
    one = {element.name: element.kind.type for element in column.elements}
    return json.dumps(one if column.single else [one])


def plain_sql(cell: str) -> str:
    """The JSON of a cell that is `plain`: between double quotes stands a text, single quotes elsewhere are to go."""
    known = f"replace({cell}, ''': None', ''': null')"
    swapped = "replace({}, '''', '\"')"
    pieces = (
        f"list_transform(string_split({known}, '\"'), lambda piece, nth: "
        f"CASE WHEN nth % 2 = 1 THEN {swapped.format('piece')} ELSE '\"' || piece || '\"' END)"
    )
    return f"CASE WHEN contains({cell}, '\"') THEN array_to_string({pieces}, '') ELSE {swapped.format(known)} END"


def to_json(column: NestedColumn, text: str) -> str | None:
    """The JSON of a cell that `plain` did not take; None where it is written otherwise, or needs a note."""
    if not _usual(column).fullmatch(text):
        return None
    try:
        return _STRETCH.sub(_json_stretch, text)
    except ValueError:
        return None


def _json_stretch(stretch: re.Match[str]) -> str:
    easy, text = stretch[1].replace("': None", "': null").replace("'", '"'), stretch[2]
    if text is None:
        return easy
    ok, value = evaluate(text) if "\\" in text else (True, text[1:-1])
    if not ok or not is_storable(value):
        raise ValueError("not a text to be kept")
    return easy + encode_basestring(value)


@cache
def _usual(column: NestedColumn) -> re.Pattern[str]:
    return re.compile(_cell(column, _ANY_TEXT))


def _cell(column: NestedColumn, text: str) -> str:
    """A cell's pattern, given that of a text that is not empty."""
    one = r"\{" + ", ".join(f"'{element.name}': {_value(element, text)}" for element in column.elements) + r"\}"
    return one if column.single else rf"\[({one}(, {one})*)?\]"


def _value(element: Element, text: str) -> str:
    """The pattern of the values that are kept as they stand, without a note."""
    kind = element.kind
    if kind.type == "VARCHAR":
        body = f"'{kind.pattern}'" if kind.pattern else text
        return f"({body})" if element.required else f"({body}|''|None)"
    digits = min(len(kind.high or ""), 18) - 1 or 1
    if element.required:
        return f"[1-9][0-9]{{0,{digits - 1}}}"
    return f"(0|[1-9][0-9]{{0,{digits - 1}}})" if digits > 1 else "[0-9]"
