"""Transfers one version of a remote source into a file: parts in parallel, resumable, never stitched."""

from __future__ import annotations

import errno
import json
import os
import re
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from moviehouse.errors import SourceError
from moviehouse.progress import Step
from moviehouse.steps.fetch.remote import ATTEMPTS, Broken, Remote, Version, pause

THREADS = 8


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


class Journal:
    """Which parts of a download are on disk.

    A header line says what is downloaded, then each finished part adds a line `index crc32`. What a
    killed process left behind is believed only as far as it fits the header and the checksums.
    """

    def __init__(self, path: Path, data: int, header: dict[str, object], lengths: list[int], part: int) -> None:
        first = json.dumps(header, sort_keys=True)
        self.done = _finished(path, data, first, lengths, part)
        kept = "".join(f"{index} {crc:08x}\n" for index, crc in self.done.items())
        path.write_text(f"{first}\n{kept}")
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)

    def add(self, index: int, crc: int) -> None:
        """Say that a part is on disk, which it must be by now."""
        os.write(self._file, f"{index} {crc:08x}\n".encode())

    def close(self) -> None:
        """Close the file; it stays for a later run."""
        os.close(self._file)


def _finished(path: Path, data: int, first: str, lengths: list[int], part: int) -> dict[int, int]:
    """Read a journal and keep the parts whose bytes are as it says."""
    try:
        header, *lines = path.read_text().split("\n")
    except (OSError, ValueError):
        return {}
    if header != first or os.fstat(data).st_size != sum(lengths):
        return {}
    done: dict[int, int] = {}
    for line in lines:
        match = re.fullmatch(r"(\d{1,9}) ([0-9a-f]{8})", line)
        if match is None or (index := int(match[1])) >= len(lengths):
            continue
        if zlib.crc32(os.pread(data, lengths[index], index * part)) == int(match[2], 16):
            done[index] = int(match[2], 16)
    return done


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
                self._retrying(lambda: self._stream(data))
        finally:
            os.close(data)

    def _parts(self, data: int, size: int) -> None:
        lengths = [min(self.part_bytes, size - first) for first in range(0, size, self.part_bytes)]
        header: dict[str, object] = {
            "version": self.version.identity,
            "size": size,
            "part_bytes": self.part_bytes,
        }
        journal = Journal(self.path.with_name(f"{self.path.name}.journal"), data, header, lengths, self.part_bytes)
        try:
            if not journal.done:
                _allocate(data, size)
            self.step.advance(sum(lengths[index] for index in journal.done))
            missing = [index for index in range(len(lengths)) if index not in journal.done]
            self._parallel(data, lengths, missing, journal)
        finally:
            journal.close()

    def _parallel(self, data: int, lengths: list[int], missing: list[int], journal: Journal) -> None:
        def one(index: int) -> None:
            first = index * self.part_bytes
            crc = self._retrying(lambda: self._write(data, first, lengths[index]))
            _to_disk(data)  # before the journal says that it is there
            journal.add(index, crc)

        with ThreadPoolExecutor(THREADS) as pool:
            try:
                for future in as_completed([pool.submit(one, index) for index in missing]):
                    future.result()
            except BaseException:
                self._stop.set()
                pool.shutdown(cancel_futures=True)
                raise

    def _retrying(self, attempt: Callable[[], int]) -> int:
        """Run an attempt until it is not broken off, waiting a little longer each time."""
        for tried in range(ATTEMPTS):
            if self._stop.wait(pause(tried)):
                raise _Stopped
            try:
                return attempt()
            except Broken as exc:
                broken = exc
        raise SourceError(
            f"{self.remote.address}: the transfer broke off {ATTEMPTS} times ({broken}).",
            "Try again: what was downloaded is kept. Or give a local copy.",
            retry=True,
        ) from broken

    def _stream(self, data: int) -> int:
        os.ftruncate(data, 0)
        return self._write(data, 0, None)

    def _write(self, data: int, first: int, length: int | None) -> int:
        """Transfer a range to its place in the file; give its CRC-32."""
        crc, at = 0, first
        try:
            with closing(self.remote.read(self.version, first, length)) as chunks:
                for chunk in chunks:
                    if self._stop.is_set():
                        raise _Stopped
                    if length is not None and at + len(chunk) > first + length:
                        raise Broken(f"more than {length} bytes")
                    _write_all(data, chunk, at)
                    crc, at = zlib.crc32(chunk, crc), at + len(chunk)
                    self.meter.add(len(chunk))
                    self.step.advance(len(chunk))
        except Broken:
            self.step.advance(first - at)  # the bar goes back
            raise
        if length is not None and at != first + length:
            raise Broken(f"{at - first} bytes instead of {length}")
        return crc


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
