"""Reads nested cells: Python literals, exactly as `ast.literal_eval` has them, whatever is in them.

Most cells are written in one way, and are read faster as JSON (`literal_as_json`); the others come here, one by one.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass, field
from typing import Any

from moviehouse.model.sources import Element, NestedColumn

# Above this a cell is read element by element: a syntax tree takes a hundred times its text.
_WHOLE_LIMIT = 1 << 20
_OUTER_SPACE = " \t\n\r\f"


@dataclass(frozen=True)
class BadElement:
    """An element without a usable key, as it stands in its list."""

    position: int
    raw: str
    message: str


@dataclass(frozen=True)
class BadValue:
    """A value of an element that is not of its kind, and became NULL."""

    position: int
    name: str
    reason: str
    raw: str


@dataclass
class Cell:
    """What a cell held: rows of (position, values in the declared order), and what went wrong."""

    rows: list[tuple[int, list[Any]]] = field(default_factory=list)
    elements: int = 0
    damaged: bool = False
    unreadable: bool = False
    bad_elements: list[BadElement] = field(default_factory=list)
    bad_values: list[BadValue] = field(default_factory=list)
    unknown_names: set[str] = field(default_factory=set)


def read_cell(column: NestedColumn, text: str) -> Cell:
    """Read one cell of `column`; never raises, whatever the text."""
    cell = Cell()
    elements = _evaluate(column, text, cell)
    cell.elements = len(elements)
    for position, element in enumerate(elements, 1):
        row = _row(column, element, position, cell, text)
        if row is not None:
            cell.rows.append((position, row))
    return cell


def _evaluate(column: NestedColumn, text: str, cell: Cell) -> list[Any]:
    """The cell's elements; marks the cell where it is damaged or unreadable."""
    if len(text) <= _WHOLE_LIMIT:
        ok, value = evaluate(text)
        if ok:
            if column.single and isinstance(value, dict):
                return [value]
            if not column.single and isinstance(value, list):
                return value
            cell.unreadable = True
            return []
    if column.single:
        ok, value = evaluate(text)
        cell.unreadable = not (ok and isinstance(value, dict))
        return [] if cell.unreadable else [value]
    elements, whole = _scan(text)
    if not whole:
        cell.damaged = bool(elements)
        cell.unreadable = not elements
    return elements


def evaluate(text: str) -> tuple[bool, Any]:
    """Whether a text is a literal, and its value."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return True, ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, OverflowError):
            return False, None


_QUOTED = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\"""", re.DOTALL)
_PLAIN = re.compile(r"""[^'"{}\[\](),]+""")


def _scan(text: str) -> tuple[list[Any], bool]:
    """The whole elements at the head of a list, and whether the list is whole."""
    elements: list[Any] = []
    at = len(text) - len(text.lstrip(" \t"))
    if not text.startswith("[", at):
        return [], False
    at = _skip(text, at + 1)
    while at < len(text) and text[at] != "]":
        end = _element_end(text, at)
        ok, value = evaluate(text[at:end]) if end else (False, None)
        if not ok:
            return elements, False
        elements.append(value)
        at = _skip(text, end)
        if not text.startswith(",", at):
            break
        at = _skip(text, at + 1)
    return elements, text.startswith("]", at) and not text[at + 1 :].strip(_OUTER_SPACE)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _OUTER_SPACE:
        at += 1
    return at


def _element_end(text: str, at: int) -> int:
    """Where the element that begins at `at` ends: a dict at its brace, another before the next comma; else 0."""
    depth, is_dict = 0, text[at] == "{"
    while at < len(text):
        char = text[at]
        if char in "'\"":
            match = _QUOTED.match(text, at)
            if match is None:
                return 0
            at = match.end()
        elif char in "{[(":
            depth += 1
            at += 1
        elif char in "}])":
            if not depth:
                return at
            depth -= 1
            at += 1
            if not depth and is_dict:
                return at
        elif char == "," and not depth:
            return at
        else:
            match = _PLAIN.match(text, at)
            at = match.end() if match else at + 1
    return 0


def _row(column: NestedColumn, element: Any, position: int, cell: Cell, text: str) -> list[Any] | None:
    """The element's values in the declared order; None, and a bad element, where it has no key."""
    if not isinstance(element, dict):
        cell.bad_elements.append(BadElement(position, _shown(element, text), "The element is not a dict."))
        return None
    values: list[Any] = []
    bad: list[BadValue] = []
    for part in column.elements:
        raw = element.get(part.name)
        value, reason = _value(part, raw)
        if value is None and part.required:
            message = f"The element has no usable {part.name!r}."
            cell.bad_elements.append(BadElement(position, _shown(element, text), message))
            return None
        if reason:
            bad.append(BadValue(position, part.name, reason, _shown(raw)))
        values.append(value)
    cell.bad_values += bad
    known = {part.name for part in column.elements}
    cell.unknown_names |= {_shown(name)[:80] for name in element if name not in known}
    return values


def _value(part: Element, raw: Any) -> tuple[Any, str]:
    """The value, and the reason why it became NULL."""
    if raw is None or raw == "":
        return None, ""
    if part.kind.type == "VARCHAR":
        fits = isinstance(raw, str) and (part.kind.pattern is None or re.fullmatch(part.kind.pattern, raw))
        if fits and is_storable(raw):
            return raw, ""
        return None, part.kind.reason
    if isinstance(raw, int) and not isinstance(raw, bool):
        assert part.kind.low is not None
        assert part.kind.high is not None
        if int(part.kind.low) <= raw <= int(part.kind.high):
            return raw, ""
    return None, part.kind.reason


def is_storable(text: str) -> bool:
    """Whether databases can hold a text."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(value: Any, cell: str = "") -> str:
    """A value's repr as a text that every sink can hold; the whole cell where there is no repr."""
    try:
        text = repr(value)
    except (ValueError, RecursionError, MemoryError):  # an integer of more than 4300 digits, say
        text = cell or f"<{type(value).__name__}>"
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
