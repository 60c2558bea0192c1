"""The grammar of a cell: which texts are a value of a kind, and how such a text becomes the value.

A cell is checked by a regular expression before anything is cast, because engines accept much more
than the source's format (DuckDB casts '1.5' to the integer 2 and '0x10' to 16). The expressions keep
to the common subset of RE2 and Python's `re`, and both must match the whole cell.
"""

from __future__ import annotations

from dataclasses import dataclass

INTEGER = r"[+-]?0*[0-9]{1,18}(\.0*)?"
NUMBER = r"[+-]?(0*[0-9]{1,24}(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"
HALF_STARS = r"0*([0-5](\.[05]?0*)?|\.50*)"
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
BOOLEAN = r"(true|false|True|False|TRUE|FALSE)"


@dataclass(frozen=True)
class Kind:
    """One kind of cell.

    `pattern` must match the whole cell; `value` is a DuckDB expression over `{cell}` that gives the
    value, or NULL where the text is well formed but not a value (the 31st of February);
    `reason` is the error log's code for a cell that is not of this kind.
    """

    name: str
    type: str
    pattern: str | None = None
    value: str = "{cell}"
    reason: str = "invalid_text"
    low: str | None = None
    high: str | None = None
    rounds: bool = False
    words: str = "a text"

    def __post_init__(self) -> None:
        if (self.low is None) != (self.high is None):
            raise ValueError(f"{self.name}: a range has two ends")


def text(pattern: str | None = None) -> Kind:
    """A text as it stands; with a pattern, a code such as an ISO 639-1 language."""
    if pattern is None:
        return Kind("text", "VARCHAR")
    return Kind("code", "VARCHAR", pattern, reason="invalid_code", words=f"a code of the form {pattern}")


def integer(low: int, high: int, type_: str = "BIGINT") -> Kind:
    """A whole number, also written 81.0, within low and high inclusive."""
    value = "TRY_CAST(split_part({cell}, '.', 1) AS BIGINT)"
    words = f"a whole number from {low:,} to {high:,}"
    return Kind("integer", type_, INTEGER, value, "invalid_integer", str(low), str(high), words=words)


def decimal(precision: int, scale: int, low: str, high: str) -> Kind:
    """A decimal number, also written 1.80E-05, within low and high inclusive."""
    type_ = f"DECIMAL({precision},{scale})"
    value = f"TRY_CAST({{cell}} AS {type_})"
    words = f"a number from {low} to {high} of at most {scale} decimals"
    return Kind("decimal", type_, NUMBER, value, "invalid_number", low, high, rounds=True, words=words)


def half_stars() -> Kind:
    """A MovieLens rating: 0.5 to 5 in steps of one half."""
    value = "TRY_CAST({cell} AS DECIMAL(2,1))"
    return Kind(
        "half_stars",
        "DECIMAL(2,1)",
        HALF_STARS,
        value,
        "invalid_number",
        "0.5",
        "5",
        words="a rating from 0.5 to 5 in half steps",
    )


def date() -> Kind:
    """A calendar date, yyyy-mm-dd, from year 1."""
    value = "CASE WHEN {cell} >= '0001' THEN TRY_CAST({cell} AS DATE) END"
    return Kind("date", "DATE", DATE, value, "invalid_date", words="a date written yyyy-mm-dd")


def boolean() -> Kind:
    """True or False, in any of the usual three spellings."""
    return Kind("boolean", "BOOLEAN", BOOLEAN, "lower({cell}) = 'true'", "invalid_boolean", words="true or false")


def epoch_seconds() -> Kind:
    """Seconds since 1970-01-01 UTC, up to the year 9999."""
    value = "make_timestamp(TRY_CAST(split_part({cell}, '.', 1) AS BIGINT) * 1000000)"
    return Kind(
        "epoch_seconds", "TIMESTAMP", r"0*[0-9]{1,12}(\.0*)?", value, "invalid_integer",
        "TIMESTAMP '1970-01-01'", "TIMESTAMP '9999-12-31'", words="seconds since 1970-01-01 UTC",
    )  # fmt: skip
