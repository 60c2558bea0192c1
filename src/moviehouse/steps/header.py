"""The header of a CSV file: which columns stand where, and how a plain line of a flat file looks."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from moviehouse.errors import SourceError
from moviehouse.model.sources import NestedColumn, SourceColumn, SourceFile

BOM = b"\xef\xbb\xbf"
_LONGEST_HEADER = 1 << 16
_DIGITS = b"0123456789"


@dataclass(frozen=True)
class Skeleton:
    """What remains of a plain line of a flat file once its digits are taken away.

    Where a block is nothing but repeats of it, every line has its fields, every integer is
    digits alone, if anything, and every rating has one point: a proof at the speed of memory.
    """

    line: bytes
    line_end: bytes

    def lines(self, block: bytes) -> int:
        """How many lines the block has, if all are plain; else 0."""
        rest = block.translate(None, _DIGITS)
        count, over = divmod(len(rest), len(self.line))
        return count if not over and rest == self.line * count else 0


@dataclass(frozen=True)
class Header:
    """The columns in the file's order (None: not of the model), and where the records begin."""

    names: tuple[str, ...]
    columns: tuple[SourceColumn | NestedColumn | None, ...]
    body: int
    body_line: int
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    skeleton: Skeleton | None

    @property
    def width(self) -> int:
        """The number of fields of a record."""
        return len(self.names)


def read_header(path: Path, source: SourceFile) -> Header | None:
    """Read and check the header; None where the file is empty.

    Raises SourceError where a required column is missing, or a name stands there twice.
    """
    with path.open("rb") as file:
        head = file.read(_LONGEST_HEADER)
    start = len(BOM) if head.startswith(BOM) else 0
    body_line = 1
    while head[start : start + 1] in (b"\n", b"\r"):
        body_line += head[start : start + 1] == b"\n"
        start += 1
    if not head[start:]:
        return None
    newline = head.find(b"\n", start)
    if newline < 0 and len(head) == _LONGEST_HEADER:
        raise SourceError(
            f"{source.name}: the first line is longer than 64 KiB.", "Is it a CSV file?", file=source.name
        )
    if b"\r" in head[start : newline if newline >= 0 else None].rstrip(b"\r"):
        raise SourceError(
            f"{source.name}: the header has carriage returns in it.",
            "If lines end with carriage returns alone, convert them to line feeds.",
            file=source.name,
            line=1,
        )
    stop = newline if newline >= 0 else len(head)
    line_end = b"\r\n" if head[stop - 1 : stop] == b"\r" else b"\n"
    names = _names(head[start:stop].rstrip(b"\r"), source)
    by_name = {c.name: c for c in source.columns}
    columns = tuple(by_name.get(name) for name in names)
    _check(source, names)
    return Header(
        names,
        columns,
        min(stop + 1, len(head)),
        body_line + 1,
        tuple(c.name for c in source.columns if c.name not in names),
        tuple(name for name in names if name not in by_name),
        _skeleton(source, columns, line_end),
    )


def _names(line: bytes, source: SourceFile) -> tuple[str, ...]:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise SourceError(
            f"{source.name}: the header is not UTF-8.",
            "If the file is in another encoding, name it with --encoding.",
            file=source.name,
            line=1,
        ) from None
    try:
        names = next(csv.reader([text.replace("\0", " ")], strict=True), [])
    except csv.Error as error:
        raise SourceError(f"{source.name}: the header cannot be read: {error}.", "Mend it.", file=source.name) from None
    return tuple(name.strip() for name in names)


def _check(source: SourceFile, names: tuple[str, ...]) -> None:
    twice = sorted({c.name for c in source.columns if names.count(c.name) > 1})
    if twice:
        raise SourceError(
            f"{source.name}: the header names {_list(twice)} twice.",
            "Rename one of them.",
            file=source.name,
            line=1,
            column=twice[0],
        )
    absent = [c.name for c in source.columns if c.required and c.name not in names]
    if absent:
        what = f"column {absent[0]} is" if len(absent) == 1 else f"columns {_list(absent)} are"
        cased = [name for name in names if name.lower() in {a.lower() for a in absent}]
        hint = "Check that this is the right file, with commas between its columns."
        if cased:
            hint = f"Names count with their case: rename {_list(cased)}."
        raise SourceError(
            f"{source.name}: the required {what} missing.", hint, file=source.name, line=1, column=absent[0]
        )


def _list(names: tuple[str, ...] | list[str]) -> str:
    shown = ", ".join(name[:40] for name in names[:30])
    return shown + (", …" if len(names) > 30 else "")


def _skeleton(
    source: SourceFile, columns: tuple[SourceColumn | NestedColumn | None, ...], line_end: bytes
) -> Skeleton | None:
    if not source.flat or None in columns or len(columns) < 2:
        return None
    cells = [b"." if isinstance(c, SourceColumn) and c.kind.name == "half_stars" else b"" for c in columns]
    return Skeleton(b",".join(cells) + line_end, line_end)
