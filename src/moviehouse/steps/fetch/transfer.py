"""Transfers one version of a remote source into a file: parts in parallel, resumable, never stitched."""

from __future__ import annotations

import errno
import json
import os
import re
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from moviehouse.errors import SourceError
from moviehouse.progress import Step
from moviehouse.steps.fetch.remote import ATTEMPTS, Broken, Remote, Version, pause

THREADS = 8
NOTE_BYTES = 1 << 20
"""How much of a part may be lost to a kill: after so much the journal notes what is there."""


class _Stopped(Exception):  # noqa: N818  (another part has failed)
    pass


class Meter:
    """Counts the bytes that a run transferred, those that had to be thrown away too."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def add(self, amount: int) -> None:
        """Count; safe from any thread."""
        with self._lock:
            self.count += amount


@dataclass(frozen=True)
class Parts:
    """A file of `size` bytes in parts of `each` bytes, the last one shorter."""

    size: int
    each: int

    def __len__(self) -> int:
        return (self.size + self.each - 1) // self.each

    def length(self, index: int) -> int:
        """How many bytes a part has."""
        return min(self.each, self.size - index * self.each)


@dataclass
class Part:
    """What is there of a part: its first `have` bytes and their CRC-32; `noted` of them are in the journal."""

    index: int
    have: int = 0
    crc: int = 0
    noted: int = 0


class Journal:
    """How much of each part of a download has arrived.

    A header line says what is downloaded; a line `index have crc32` says that the first `have` bytes of a
    part are there, and a later line of the same part takes its place. What a killed process left behind is
    believed only as far as it fits the header and the checksums.
    """

    def __init__(self, path: Path, data: int, identity: str | None, parts: Parts) -> None:
        header = {"version": identity, "size": parts.size, "part_bytes": parts.each}
        first = json.dumps(header, sort_keys=True)
        self.found = _found(path, data, first, parts)
        path.write_text(first + "\n")
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        for part in self.found.values():
            self.note(part)

    def note(self, part: Part) -> None:
        """Say how much of a part is there."""
        os.write(self._file, f"{part.index} {part.have} {part.crc:08x}\n".encode())
        part.noted = part.have

    def close(self) -> None:
        """Close the file; it stays for a later run."""
        os.close(self._file)


def _found(path: Path, data: int, first: str, parts: Parts) -> dict[int, Part]:
    """Read a journal and keep the parts whose bytes are as it says."""
    try:
        header, *lines = path.read_text().split("\n")
    except (OSError, ValueError):
        return {}
    if header != first or os.fstat(data).st_size != parts.size:
        return {}
    said: dict[int, Part] = {}
    for line in lines:
        match = re.fullmatch(r"(\d{1,9}) (\d{1,12}) ([0-9a-f]{8})", line)
        if match is not None and int(match[1]) < len(parts) and int(match[2]) <= parts.length(int(match[1])):
            said[int(match[1])] = Part(int(match[1]), int(match[2]), int(match[3], 16))
    return {part.index: part for part in said.values() if _crc(data, part.index * parts.each, part.have) == part.crc}


def _crc(data: int, first: int, length: int) -> int:
    return zlib.crc32(os.pread(data, length, first))


@dataclass
class Transfer:
    """The transfer of one version into `path`.

    Raises Changed if the source is replaced meanwhile, SourceError, and OSError where the file
    cannot be written. What is on disk by then stays, for the next run to go on with.
    """

    remote: Remote
    version: Version
    path: Path
    part_bytes: int
    step: Step
    meter: Meter
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Transfer everything that is not there yet."""
        data = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            if self.version.ranges and self.version.size is not None:
                self._parts(data, self.version.size)
            else:
                self._retrying(lambda: self._stream(data), lambda: 0)
        finally:
            os.close(data)

    def _parts(self, data: int, size: int) -> None:
        parts = Parts(size, self.part_bytes)
        journal = Journal(self.path.with_name(f"{self.path.name}.journal"), data, self.version.identity, parts)
        try:
            if not journal.found:
                _allocate(data, size)
            self.step.advance(sum(part.have for part in journal.found.values()))
            each = [journal.found.get(index) or Part(index) for index in range(len(parts))]
            missing = [part for part in each if part.have < parts.length(part.index)]
            self._parallel(data, parts, missing, journal)
        finally:
            journal.close()

    def _parallel(self, data: int, parts: Parts, missing: list[Part], journal: Journal) -> None:
        def one(part: Part) -> None:
            self._retrying(lambda: self._part(data, parts, part, journal), lambda: part.have)

        with ThreadPoolExecutor(THREADS) as pool:
            try:
                for future in as_completed([pool.submit(one, part) for part in missing]):
                    future.result()
            except BaseException:
                self._stop.set()
                pool.shutdown(cancel_futures=True)
                raise

    def _part(self, data: int, parts: Parts, part: Part, journal: Journal) -> None:
        """Transfer what a part lacks; what has arrived when it breaks off is not asked for again."""
        first, length = part.index * parts.each, parts.length(part.index)
        try:
            for chunk in self._chunks(first + part.have, length - part.have):
                _write_all(data, chunk, first + part.have)
                part.crc, part.have = zlib.crc32(chunk, part.crc), part.have + len(chunk)
                self.step.advance(len(chunk))
                if part.have - part.noted >= NOTE_BYTES:
                    journal.note(part)
            if part.have < length:
                raise Broken(f"{part.have} bytes instead of {length}")
            _to_disk(data)  # so that the last sync, of the whole file, is a short one
        finally:
            if part.have > part.noted:
                journal.note(part)

    def _stream(self, data: int) -> None:
        """Transfer everything in one answer, from the start: such a server cannot be asked for the rest."""
        os.ftruncate(data, 0)
        at = 0
        try:
            for chunk in self._chunks(0, None):
                _write_all(data, chunk, at)
                at += len(chunk)
                self.step.advance(len(chunk))
        except Broken:
            self.step.advance(-at)  # the bar goes back
            raise

    def _chunks(self, first: int, length: int | None) -> Iterator[bytes]:
        """What the source sends of a range, counted, and never more than the range."""
        came = 0
        with closing(self.remote.read(self.version, first, length)) as chunks:
            for chunk in chunks:
                if self._stop.is_set():
                    raise _Stopped
                came += len(chunk)
                if length is not None and came > length:
                    raise Broken(f"more than {length} bytes")
                self.meter.add(len(chunk))
                yield chunk

    def _retrying(self, attempt: Callable[[], None], arrived: Callable[[], int]) -> None:
        """Run an attempt until it is not broken off, waiting a little longer each time.

        An attempt that brought the transfer on by a good piece does not count, so that a connection that
        is cut again and again gets there too.
        """
        tried = 0
        while True:
            if self._stop.wait(pause(tried)):
                raise _Stopped
            before = arrived()
            try:
                return attempt()
            except Broken as exc:
                broken = exc
            tried = 1 if arrived() - before >= NOTE_BYTES else tried + 1
            if tried == ATTEMPTS:
                raise SourceError(
                    f"{self.remote.address}: the transfer broke off {ATTEMPTS} times ({broken}).",
                    "Try again: what was downloaded is kept. Or give a local copy.",
                    retry=True,
                ) from broken


def _write_all(file: int, chunk: bytes, at: int) -> None:
    view = memoryview(chunk)
    while view:
        wrote = os.pwrite(file, view, at)
        view, at = view[wrote:], at + wrote


def _allocate(file: int, size: int) -> None:
    """Make the file as large as it will be, so that a full disk shows at the start."""
    os.ftruncate(file, size)
    if size and hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file, 0, size)
        except OSError as exc:  # some file systems cannot
            if exc.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise


def _to_disk(file: int) -> None:
    getattr(os, "fdatasync", os.fsync)(file)
