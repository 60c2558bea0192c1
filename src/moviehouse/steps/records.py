"""Splits a CSV file into its records, exactly, and stages them in one dialect that an engine can trust.

A record ends at a line feed outside quotes; a lone carriage return is data; a quote opens a field
only at the field's start (as Python's csv module has it). What cannot be split with certainty is
rejected line by line, so that one stray quote never swallows its neighbours.

Well-formed records pass through one regular expression each and are copied as they stand; only the
others are taken apart here. Staged files have LF line ends and four leading fields: the record's
ordinal (from 1), its line (from 1), its byte offset and its length without the line end.
"""

from __future__ import annotations

import mmap
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

from moviehouse.error_log import VALUE_LIMIT, cut
from moviehouse.model.sources import NestedColumn, SourceColumn
from moviehouse.steps.header import Header
from moviehouse.steps.staged import Mended, PlainRun, Rejected, Staged

CHUNK = 8 << 20
_FORGET = 16 << 20
_LARGEST_BLOCK, _SMALLEST_BLOCK = 1 << 20, 1 << 8

_QUOTED = re.compile(rb'"((?:[^"]++|"")*+)"')
_BARE = re.compile(rb"[^,\n]*+")


@dataclass(frozen=True)
class _Token:
    """One record as it was taken apart: `end` is behind its line end, `stop` before it."""

    fields: list[bytes]
    stop: int
    end: int
    trouble: str = ""
    bare_first: bool = False
    bare_last: bool = False


Buffer = mmap.mmap | bytes


def _tokenize(buf: Buffer, start: int) -> _Token:
    """Take the record at `start` apart; `trouble` says why where that is not certain."""
    fields: list[bytes] = []
    bare: list[bool] = []
    at, size = start, len(buf)
    while True:
        if buf[at : at + 1] == b'"':
            match = _QUOTED.match(buf, at)
            if match is None:
                return _Token(fields, size, size, "unterminated")
            fields.append(match[1].replace(b'""', b'"'))
            bare.append(False)
            at = match.end()
            tail = buf[at : at + 2]
            if tail[:1] not in (b",", b"\n", b"") and tail != b"\r\n" and not (tail == b"\r" and at + 1 == size):
                return _Token(fields, *_physical_line(buf, start), "malformed")
        else:
            match = _BARE.match(buf, at)
            assert match is not None
            fields.append(match[0])
            bare.append(True)
            at = match.end()
        if buf[at : at + 1] == b",":
            at += 1
            continue
        stop = at
        if bare[-1] and fields[-1].endswith(b"\r"):
            fields[-1] = fields[-1][:-1]
            stop -= 1
        end = buf.find(b"\n", at) + 1 if at < size else size
        return _Token(fields, stop, end or size, "", bare[0], bare[-1])


def _physical_line(buf: Buffer, start: int) -> tuple[int, int]:
    """Where the line at `start` stops, and where the next one begins."""
    newline = buf.find(b"\n", start)
    if newline < 0:
        return len(buf), len(buf)
    stop = newline - 1 if newline > start and buf[newline - 1 : newline] == b"\r" else newline
    return stop, newline + 1


def _whole_record(width: int) -> re.Pattern[bytes]:
    """One well-formed record of `width` fields without a carriage return outside quotes."""
    cell = rb'(?:"[^"]*+(?:""[^"]*+)*+"|[^",\r\n]*+)'
    return re.compile(cell + rb"(?:," + cell + rb"){%d}(?:(\r?\n)|\Z)" % (width - 1))


def plausible(header: Header, fields: list[bytes]) -> bool:
    """Whether the fields make a valid record: the key there, every typed cell of its grammar."""
    for column, raw in zip(header.columns, fields, strict=True):
        cell = raw.decode()
        if isinstance(column, SourceColumn):
            if column.key and not cell:
                return False
            if column.kind.pattern and cell and not re.fullmatch(column.kind.pattern, cell):
                return False
        elif isinstance(column, NestedColumn) and cell:
            opening, closing = "{}" if column.single else "[]"
            if not (cell.startswith(opening) and cell.endswith(closing)):
                return False
    return True


class _Stager:
    """One pass over a file."""

    def __init__(
        self, buf: Buffer, header: Header, folder: Path, plain: BinaryIO | None, odd_lines: Sequence[int]
    ) -> None:
        self.buf, self.header, self.folder = buf, header, folder
        self.out = Staged()
        self.at, self.line = header.body, header.body_line
        self._plain, self._odd_lines = plain, odd_lines
        self._block = _LARGEST_BLOCK
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._forgotten = 0

    def run(self, advance: Callable[[int], None]) -> Staged:
        whole, buf, size = _whole_record(self.header.width), self.buf, len(self.buf)
        told = 0
        while self.at < size:
            if self.header.skeleton and self._bulk():
                continue
            match = whole.match(buf, self.at)
            if match is not None:
                raw = match[0][: match.start(1) - match.start()] if match[1] else match[0]
                if (raw.isascii() or _is_utf8(raw)) and b"\0" not in raw:
                    self._take(raw, raw, match.end())
                else:
                    self._refuse_bytes(raw, match.end())
            else:
                self._odd()
            if self._pending_size >= CHUNK:
                self._flush()
                self._forget()
                advance(self.at - told)
                told = self.at
        self._flush()
        advance(size - told)
        return self.out

    def _forget(self) -> None:
        """Let go of the pages read over, which would count as this process's memory, whatever the file's size."""
        if self.at - self._forgotten >= _FORGET and isinstance(self.buf, mmap.mmap):
            start, stop = (place // mmap.PAGESIZE * mmap.PAGESIZE for place in (self._forgotten, self.at))
            self.buf.madvise(mmap.MADV_DONTNEED, start, stop - start)
            self._forgotten = self.at

    def _bulk(self) -> bool:
        """Take a block of plain lines of a flat file at once; around an odd line blocks shrink, then grow."""
        skeleton = self.header.skeleton
        assert skeleton is not None
        while self._block >= _SMALLEST_BLOCK:
            end = self.buf.rfind(b"\n", self.at, self.at + self._block) + 1
            if self._take_plain(self.buf[self.at : end], end):
                self._block = min(self._block * 4, _LARGEST_BLOCK)
                return True
            self._block //= 4
        self._block = _SMALLEST_BLOCK
        stop, end = _physical_line(self.buf, self.at)
        return self._take_plain(self.buf[self.at : stop] + skeleton.line_end, end)

    def _take_plain(self, block: bytes, end: int) -> bool:
        """Take a block of lines if all are plain and none is asked for as odd."""
        skeleton = self.header.skeleton
        assert skeleton is not None
        count = skeleton.lines(block) if block else 0
        odd = bisect_left(self._odd_lines, self.line)
        if not count or (odd < len(self._odd_lines) and self._odd_lines[odd] < self.line + count):
            return False
        first = self.out.records + 1
        if self._plain is not None:
            last = self.out.runs[-1] if self.out.runs else None
            shift = self.out.plain_rows - last.row if last else 0
            if last is None or (last.ordinal + shift, last.line + shift) != (first, self.line):
                self.out.runs.append(PlainRun(self.out.plain_rows, first, self.line))
            self._plain.write(block)
            self.out.plain_rows += count
        else:
            lines = block[: -len(skeleton.line_end)].split(skeleton.line_end)
            line, gap = self.line, len(skeleton.line_end)
            offsets = accumulate((len(text) + gap for text in lines), initial=self.at)
            self._pending += [
                b"%d,%d,%d,%d,%b\n" % (first + i, line + i, offset, len(text), text)
                for i, (text, offset) in enumerate(zip(lines, offsets, strict=False))
            ]
            self._pending_size += len(block)
        self.out.records += count
        self.line += count
        self.at = end
        self._forget()
        return True

    def _take(self, raw: bytes, staged: bytes, end: int) -> None:
        """Stage one record; `staged` is what is written for it."""
        self.out.records += 1
        row = b"%d,%d,%d,%d,%b\n" % (self.out.records, self.line, self.at, len(raw), staged)
        self._pending.append(row)
        self._pending_size += len(row)
        self.out.longest = max(self.out.longest, len(row))
        self._move(end)

    def _move(self, end: int) -> None:
        self.line += self.buf[self.at : end].count(b"\n")
        self.at = end

    def _reject(self, reason: str, message: str, raw: bytes, end: int) -> None:
        self.out.records += 1
        self.out.rejected.append(Rejected(self.out.records, self.line, reason, message, raw, value=shown(raw)))
        self._move(end)

    def _refuse_bytes(self, raw: bytes, end: int) -> None:
        if not _is_utf8(raw):
            self._reject("not_utf8", "The record is not valid UTF-8.", raw, end)
        else:
            self._reject("nul_byte", "The record has a NUL byte.", raw, end)

    def _odd(self) -> None:
        """Take, mend or reject the record at hand, which is not plainly well formed."""
        token = _tokenize(self.buf, self.at)
        if token.trouble == "unterminated":
            token = self._resume(token)
        raw = self.buf[self.at : token.stop]
        if token.trouble == "malformed":
            self._reject("malformed_quote", "A quoted field is not closed before the next one opens.", raw, token.end)
        elif token.trouble == "unterminated":
            self._reject("truncated_record", "The file ends inside a quoted field.", raw, token.end)
        elif not raw:
            self._move(token.end)
        elif b"\0" in raw or not _is_utf8(raw):
            self._refuse_bytes(raw, token.end)
        elif len(token.fields) == self.header.width:
            self._take(raw, _render(token.fields), token.end)
        elif not self._mend_split(token):
            self._reject_width(token, raw)

    def _resume(self, token: _Token) -> _Token:
        """A quote that nothing closes: cut short if no whole record follows, else a stray quote."""
        start = _physical_line(self.buf, self.at)[1]
        while start < len(self.buf):
            following = _tokenize(self.buf, start)
            if not following.trouble and len(following.fields) == self.header.width:
                return _Token([], *_physical_line(self.buf, self.at), "malformed")
            start = _physical_line(self.buf, start)[1]
        return token

    def _mend_split(self, first: _Token) -> bool:
        """Put a record together that a line break in a bare field split in two short neighbours."""
        width = self.header.width
        if len(first.fields) >= width or not first.bare_last or first.end >= len(self.buf):
            return False
        second = _tokenize(self.buf, first.end)
        raw = self.buf[self.at : second.stop]
        fits = len(second.fields) < width and len(first.fields) + len(second.fields) - 1 == width
        if second.trouble or not second.bare_first or not fits:
            return False
        if b"\0" in raw or not _is_utf8(raw):
            return False
        middle = first.fields[-1] + self.buf[first.stop : first.end] + second.fields[0]
        fields = [*first.fields[:-1], middle, *second.fields[1:]]
        if not plausible(self.header, fields):
            return False
        note = (
            f"A line break in an unquoted field split the record: {len(first.fields)} fields on this line, "
            f"{len(second.fields)} on the next."
        )
        self.out.mended.append(Mended(self.out.records + 1, self.line, "split_record", note, shown(raw)))
        self._take(raw, _render(fields), second.end)
        return True

    def _reject_width(self, token: _Token, raw: bytes) -> None:
        found, width = len(token.fields), self.header.width
        cut = token.end >= len(self.buf) and token.stop == token.end and found < width
        reason = "truncated_record" if cut else "wrong_field_count"
        ends = ", where the file ends" if cut else ""
        self._reject(reason, f"The record has {found} fields, the header {width}{ends}.", raw, token.end)

    def _flush(self) -> None:
        if not self._pending:
            return
        path = self.folder / f"{len(self.out.chunks):05}.csv"
        with path.open("wb") as file:
            file.writelines(self._pending)
        self.out.chunks.append(path)
        self._pending, self._pending_size = [], 0


def _render(fields: list[bytes]) -> bytes:
    return b",".join(b'"' + f.replace(b'"', b'""') + b'"' for f in fields)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def shown(raw: bytes) -> str:
    """Raw bytes as text for the log; what is not UTF-8, and NUL, escaped in hexadecimal; cut if long."""
    if len(raw) <= VALUE_LIMIT:
        return cut(raw.decode("utf-8", "backslashreplace").replace("\0", "\\x00"))
    head = raw[:VALUE_LIMIT]
    while head and raw[len(head)] & 0xC0 == 0x80:  # not in the middle of a character
        head = head[:-1]
    return cut(head.decode("utf-8", "backslashreplace").replace("\0", "\\x00"), len(raw))


def stage(
    path: Path,
    header: Header,
    folder: Path,
    advance: Callable[[int], None],
    *,
    aside: Path | None = None,
    odd_lines: Sequence[int] = (),
) -> Staged:
    """Split the file into records and stage the good ones under `folder` in chunks of about 8 MiB.

    Every chunk ends with a record, so that each can be parsed by itself from its first byte. With
    `aside` the plain lines of a flat file go into that one file as they stand, but for those in
    `odd_lines` (sorted), which are staged like any other record.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if header.body >= path.stat().st_size:
        return Staged()
    with ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        buf = stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        sink = stack.enter_context(aside.open("wb")) if aside else None
        return _Stager(buf, header, folder, sink, odd_lines).run(advance)


def slices(path: Path, spans: Iterator[tuple[int, int]]) -> Iterator[bytes]:
    """The bytes at each (offset, length) of a file."""
    with path.open("rb") as file:
        for offset, length in spans:
            file.seek(offset)
            yield file.read(length)
