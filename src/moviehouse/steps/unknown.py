"""Says why an amount of a movie is not known: its cell was 0, or empty, or not valid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from moviehouse.run import RunRecord
from moviehouse.steps.raw import MOVIES_FILE, RawRecords

if TYPE_CHECKING:
    from moviehouse.steps.trace import LogLine

_VALUE = 40


class Unknown:
    """Explains the amounts of a release's movies that are NULL.

    The error log has every cell that was not valid, and the run record says which other texts a
    column had that mean "unknown". Only where these are several is the raw record asked for.
    """

    def __init__(self, run: RunRecord, raw: Callable[[], RawRecords]) -> None:
        self._tokens: Mapping[str, Mapping[str, int]] = run.files.get(MOVIES_FILE, {}).get("null_tokens", {})
        self._open = raw

    @cached_property
    def _raw(self) -> RawRecords:
        return self._open()

    def why(self, movie: Mapping[str, Any], amount: str, log: Sequence[LogLine]) -> str:
        """Why the amount of a movie (a column such as revenue_usd, or popularity) is NULL."""
        name = amount.removesuffix("_allocated").removesuffix("_usd")
        parts = ("revenue", "budget") if name == "profit" else (name,)
        missing = [part for part in parts if name != "profit" or movie[f"{part}_usd"] is None]
        return "; ".join(self._cell(movie["source_line"], column, log) for column in missing)

    def _cell(self, line: int, column: str, log: Sequence[LogLine]) -> str:
        for entry in log:
            here = (entry.file, entry.line, entry.column) == (MOVIES_FILE, line, column)
            if here and entry.reason.startswith("invalid_"):
                value = entry.value or ""
                shown = value if len(value) <= _VALUE else value[:_VALUE] + "…"
                return f"{column} is not valid: {shown!r}"
        tokens = [token for token in self._tokens.get(column, {}) if token in ("0", "empty")]
        if len(tokens) == 1:
            return f"{column} is {tokens[0]}"
        cell = self._raw.cell(line, column)
        if cell is None:
            return f"{column} is {' or '.join(tokens) or 'missing'}"
        return f"{column} is {'0' if cell else 'empty'}"
