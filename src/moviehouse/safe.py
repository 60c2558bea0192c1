"""Text made safe for where it goes: no secrets in logs, no control characters on terminals, no formulas in sheets."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote

from moviehouse.sql.text import literal, name

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)

# Values of other parameters may be secrets under any name, so they are not shown.
_SHOWN = {"version", "versionid", "v", "id", "file", "filename", "name", "path", "format", "download", "raw"}
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+")
_SECRET_NAMES = re.compile(r"SECRET|TOKEN|PASSWORD|PASSWD|ACCESS_KEY|API_KEY|CREDENTIAL", re.IGNORECASE)
_LOGIN = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://)?([^/\s:]*:([^/\s]+))@")
_LEAST = 8
"""Shorter values of the environment are not looked for: they would be found in any text."""


def shown(address: str) -> str:
    """Write an address without its user name, password, and parameters that may be secret."""
    match = SCHEME.fullmatch(address)
    if match is None:
        return address
    rest = match[2]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in rest and re.search(r"^[^\[@]*:(?!\d*$)[^@]*$", authority):  # a password with a slash in it
        rest = rest.rpartition("@")[2]
    rest, _, fragment = rest.partition("#") if match[1].lower() != "s3" else (rest, "", "")
    rest, query_mark, query = rest.partition("?")
    host, slash, path = rest.partition("/")
    host = host.rpartition("@")[2]
    kept = "&".join(_parameter(item) for item in query.split("&"))
    hidden = fragment if fragment.startswith("…") else "…"
    return f"{match[1]}://{host}{slash}{path}{query_mark}{kept}" + (f"#{hidden}" if fragment else "")


def _parameter(item: str) -> str:
    name_, equals, value = item.partition("=")
    if not equals:
        return item if item.lower() in _SHOWN or not item or item.startswith("…") else "…"
    return item if name_.lower() in _SHOWN or value.startswith("…") else f"{name_}=…"


def without_secrets(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Take out what may be secret: in addresses, and what the environment holds of keys and passwords."""
    for secret in sorted(_known(environment), key=len, reverse=True):
        text = text.replace(secret, "…")
    return _ADDRESS.sub(lambda match: shown(match[0]), text)


def _known(environment: Mapping[str, str]) -> Iterator[str]:
    """Keys, tokens, and passwords (of a proxy, an endpoint), as they are and as addresses write them."""
    for name_, value in environment.items():
        found = [value] if _SECRET_NAMES.search(name_) and not name_.upper().endswith("_FILE") else []
        if login := _LOGIN.match(value):
            found += [login[1], login[2] or ""]
        for secret in found:
            if len(secret) >= _LEAST:
                yield from {secret, quote(secret, safe=""), unquote(secret)}


def visible(text: str | None) -> str:
    """Write the characters that steer a terminal or reorder a line as escapes, a line break too."""
    text = text or ""
    return "".join(map(_escape, text)) if any(map(_steers, text)) else text


def _steers(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or char in _REORDERING


# Embeddings, overrides and isolates; the marks that Arabic and Hebrew need stay.
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode() if _steers(char) else char


def visible_lines(text: str) -> str:
    """The same for a text of several lines."""
    return "\n".join(map(visible, text.split("\n")))


def visible_json(text: str) -> str:
    """Write JSON so that no terminal is steered by it; what it says stays the same."""
    return "".join(f"\\u{ord(c):04x}" if c != "\n" and _steers(c) else c for c in text)


_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that starts with one of these may be run by a spreadsheet (OWASP, CSV injection)."""


def spreadsheet_cell(value: Any) -> Any:
    """Give a text that a spreadsheet would run a leading apostrophe; anything else stays as it is."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def spreadsheet_sql(column: str) -> str:
    """The same for a column of text, as an SQL expression."""
    starts = ", ".join(map(literal, _FORMULA))
    return f"CASE WHEN left({name(column)}, 1) IN ({starts}) THEN '''' || {name(column)} ELSE {name(column)} END"
