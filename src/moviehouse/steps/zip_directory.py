"""Reads what a zip archive says of itself: its end record, its central directory, its local headers.

Entry by entry, so that a directory that claims millions of members is refused before it is in
memory. Nothing is believed twice: where two places of the archive say the same thing, they must agree,
or readers would disagree about what is in it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from moviehouse.errors import SourceError

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT = (1 << 16) - 1
_LONGEST_NAME = 1 << 10
_FULL16, _FULL32 = (1 << 16) - 1, (1 << 32) - 1
_ZIP64 = 1

ENCRYPTED, SIZES_FOLLOW, PATCHED, STRONG, UTF8, MASKED = (1 << bit for bit in (0, 3, 5, 6, 11, 13))
_AGREED = ENCRYPTED | PATCHED | STRONG | MASKED


@dataclass(frozen=True)
class Entry:
    """One member, as the central directory has it.

    `packed` and `size` are bytes, before and after inflating; `header` is where the local header begins
    in the file; `mode` is the Unix mode, 0 if none is given.
    """

    name: str
    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    header: int
    mode: int


@dataclass(frozen=True)
class Directory:
    """The entries in their order, and where in the file the central directory begins."""

    entries: list[Entry]
    start: int


@dataclass(frozen=True)
class _End:
    """What the end says: `at` is where the directory must stop."""

    at: int
    disks: tuple[int, int]
    counts: tuple[int, int]
    size: int
    offset: int


def damaged(what: str, file: str | None = None) -> SourceError:
    """The error of an archive that contradicts itself; `what` is a clause."""
    return SourceError(f"{what}.", "The archive is damaged or was tampered with; fetch it again.", file=file)


def shown(name: str) -> str:
    """A member's name for a message: printable, and not too long."""
    text = "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in name)
    return text if len(text) <= 80 else text[:80] + "…"


def read_directory(file: BinaryIO, archive: str, most: int) -> Directory:
    """Read the central directory of `file`; `archive` is its name for messages.

    Raises SourceError where it is no zip archive, is cut short, contradicts itself, or has more than
    `most` members.
    """
    end = _read_end(file, archive)
    if any(disk != 0 for disk in end.disks) or end.counts[0] != end.counts[1]:
        raise SourceError(f"{archive} is one part of a split archive.", "Join its parts, then give the whole.")
    if end.counts[1] > most:
        raise SourceError(
            f"{archive} has {end.counts[1]:,} members, more than the limit of {most:,}.",
            "Is it the right file? If so, raise --max-members.",
        )
    start = end.at - end.size
    stub = start - end.offset
    if start < 0 or stub < 0:
        raise damaged(f"{archive}: its directory would begin before the file does")
    return Directory(list(_entries(file, archive, end, start, stub)), start)


def _read_end(file: BinaryIO, archive: str) -> _End:
    size = file.seek(0, os.SEEK_END)
    if not size:
        raise SourceError(f"{archive} is empty.", "Fetch it again.")
    base = max(0, size - _END.size - _LONGEST_COMMENT)
    file.seek(base)
    tail = file.read()
    at = _find_end(tail, archive)
    if at is None:
        file.seek(0)
        begins = file.read(4) == b"PK\x03\x04"
        if begins or b"PK\x05\x06" in tail:
            raise SourceError(f"{archive} is cut short, or bytes were added at its end.", "Fetch it again.")
        raise SourceError(f"{archive} is not a zip archive.", "Give a zip, or a directory of CSV files.")
    _, disk, first_disk, here, count, length, offset, _ = _END.unpack_from(tail, at)
    narrow = _End(base + at, (disk, first_disk), (here, count), length, offset)
    return _read_end64(file, archive, narrow) or narrow


def _find_end(tail: bytes, archive: str) -> int | None:
    """Where the end record is whose comment reaches exactly to the end; two would be two archives in one."""
    found = []
    at = tail.find(b"PK\x05\x06")
    while at >= 0:
        if at + _END.size <= len(tail) and at + _END.size + _END.unpack_from(tail, at)[7] == len(tail):
            found.append(at)
        at = tail.find(b"PK\x05\x06", at + 1)
    if len(found) > 1:
        raise damaged(f"{archive} has two end records, so that its content depends on who reads it")
    return found[0] if found else None


def _read_end64(file: BinaryIO, archive: str, narrow: _End) -> _End | None:
    """The ZIP64 end record, where there is one; where the narrow record has a value too, they must agree."""
    place = narrow.at - _LOCATOR.size
    if place < 0:
        return None
    file.seek(place)
    mark, _, claimed, _ = _LOCATOR.unpack(file.read(_LOCATOR.size))
    if mark != b"PK\x06\x07":
        return None
    for at in (place - _END64.size, claimed):
        if not 0 <= at <= place - _END64.size:
            continue
        file.seek(at)
        fields = _END64.unpack(file.read(_END64.size))
        if fields[0] == b"PK\x06\x06" and at + 12 + fields[1] == place:
            break
    else:
        raise damaged(f"{archive}: its ZIP64 end record is not where it should be")
    _, _, _, _, this, first, here, count, length, offset = fields
    wide = _End(at, (this, first), (here, count), length, offset)
    pairs = [*zip((*narrow.disks, *narrow.counts), (*wide.disks, *wide.counts), (_FULL16,) * 4, strict=True)]
    pairs += [(narrow.size, length, _FULL32), (narrow.offset, offset, _FULL32)]
    moved = at - length - offset
    if any(low not in (high, full) for low, high, full in pairs) or claimed + moved != at:
        raise damaged(f"{archive}: its two end records contradict each other")
    return wide


def _entries(file: BinaryIO, archive: str, end: _End, start: int, stub: int) -> Iterator[Entry]:
    file.seek(start)
    left = end.size
    for _ in range(end.counts[1]):
        left -= _CENTRAL.size
        head = file.read(_CENTRAL.size) if left >= 0 else b""
        if head[:4] != b"PK\x01\x02":
            raise damaged(f"{archive}: its directory has fewer members than its end record says")
        fields = _CENTRAL.unpack(head)
        lengths = fields[10:13]
        left -= sum(lengths)
        if left < 0:
            raise damaged(f"{archive}: its directory is cut short")
        if lengths[0] > _LONGEST_NAME:
            raise SourceError(f"{archive} has a member with a name of {lengths[0]:,} bytes.", "Is it the right file?")
        raw_name, extra, _ = (file.read(length) for length in lengths)
        yield _entry(fields, raw_name, extra, stub)
    if left:
        raise damaged(f"{archive}: its directory is longer than its end record says")


def _entry(fields: tuple[int, ...], raw_name: bytes, extra: bytes, stub: int) -> Entry:
    flags, method, crc = fields[3], fields[4], fields[7]
    name = raw_name.decode("utf-8" if flags & UTF8 else "cp437", "replace")
    size, packed, offset, disk = _widened(extra, name, [fields[9], fields[8], fields[16]], fields[13])
    if disk:
        raise SourceError(f"{shown(name)} is on another part of a split archive.", "Join the parts first.")
    return Entry(name, raw_name, flags, method, crc, packed, size, offset + stub, fields[15] >> 16)


def _widened(extra: bytes, name: str, values: list[int], disk: int | None = None) -> list[int]:
    """The values, with those that do not fit 32 bits (16 for the disk) taken from the ZIP64 field."""
    narrow = [(value, _FULL32, 8) for value in values] + ([] if disk is None else [(disk, _FULL16, 4)])
    wide = _field(extra, _ZIP64) if any(value == full for value, full, _ in narrow) else b""
    out = []
    for value, full, width in narrow:
        if value != full:
            out.append(value)
            continue
        if len(wide) < width:
            raise damaged(f"{shown(name)} lacks its ZIP64 sizes", shown(name))
        out.append(int.from_bytes(wide[:width], "little"))
        wide = wide[width:]
    return out


def _field(extra: bytes, wanted: int) -> bytes:
    """The content of one extra field, empty if it is not there."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == wanted:
            return extra[at + 4 : at + 4 + length]
        at += 4 + length
    return b""


def locate(file: BinaryIO, entry: Entry, directory: Directory) -> int:
    """Where the member's data begins, once its local header agrees with the directory.

    Raises SourceError where it does not. Sizes may be absent from a local header that says so.
    """
    name = shown(entry.name)
    file.seek(min(entry.header, directory.start))
    head = file.read(_LOCAL.size)
    if len(head) < _LOCAL.size or head[:4] != b"PK\x03\x04":
        raise damaged(f"{name} is not where the archive's directory says", name)
    _, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL.unpack(head)
    if file.read(name_length) != entry.raw_name:
        raise damaged(f"{name} has another name in its own header than in the archive's directory", name)
    size, packed = _widened(file.read(extra_length), entry.name, [size, packed])
    absent = bool(flags & SIZES_FOLLOW)
    agreed = all(
        here == there or (absent and not here)
        for here, there in ((crc, entry.crc), (packed, entry.packed), (size, entry.size))
    )
    if not agreed or method != entry.method or (flags ^ entry.flags) & _AGREED:
        raise damaged(f"{name} is described otherwise in its own header than in the archive's directory", name)
    return entry.header + _LOCAL.size + int(name_length) + int(extra_length)
