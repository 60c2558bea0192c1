"""Values of any type that DuckDB has, as JSON, as CSV cells, and as text on a terminal."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

from moviehouse.safe import visible


def json_value(value: Any) -> Any:  # noqa: PLR0911  (one return for each kind)
    """A value that JSON can say: decimals as numbers, dates in ISO 8601, bytes as DuckDB writes them."""
    if isinstance(value, bool | str | int) or value is None:
        return value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return "".join(chr(b) if 32 <= b < 127 and b != 92 else f"\\x{b:02X}" for b in bytes(value))
    if isinstance(value, dict):
        return {key if isinstance(key, str) else cell_text(key): json_value(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(entry) for entry in value]
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


class _Number(Decimal):
    """A number that is written without an exponent, and that is no text which a spreadsheet may run."""

    def __str__(self) -> str:
        return f"{self:f}"


def csv_cell(value: Any) -> Any:
    """A cell of a CSV file: numbers and texts as they are, lists and structures as JSON."""
    if isinstance(value, Decimal):
        return _Number(value)
    found = json_value(value)
    return json.dumps(found, ensure_ascii=False) if isinstance(found, dict | list) else found


def cell_text(value: Any) -> str:
    """A value as it is shown in a table: in full, with nothing that steers a terminal."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    return visible(str(csv_cell(value)))
