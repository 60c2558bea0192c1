"""What staging a file gives: its records on disk, and those not taken as they stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Rejected:
    """A record that could not be taken, with its bytes as they stand in the file."""

    ordinal: int
    line: int
    reason: str
    message: str
    raw: bytes
    column: str | None = None
    value: str | None = None


@dataclass(frozen=True)
class Mended:
    """A record that was put right with certainty."""

    ordinal: int
    line: int
    reason: str
    message: str
    value: str


@dataclass(frozen=True)
class PlainRun:
    """Plain lines without a gap: the run's first row in the plain file, its first ordinal and line."""

    row: int
    ordinal: int
    line: int


@dataclass
class Staged:
    """What staging gives: the chunks on disk, the records read, and those not taken as they stand.

    Where plain lines of a flat file were set aside, `runs` say which they are.
    """

    plain_rows: int = 0
    runs: list[PlainRun] = field(default_factory=list)
    chunks: list[Path] = field(default_factory=list)
    records: int = 0
    longest: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    mended: list[Mended] = field(default_factory=list)

    @property
    def odd(self) -> bool:
        """Whether there is anything beside plain lines, if only a blank one."""
        return self.records > self.plain_rows or len(self.runs) > 1
