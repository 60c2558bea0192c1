"""Takes the members of the dataset out of an archive, or finds them in a directory."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import BinaryIO

from isal import isal_zlib

from moviehouse.errors import SourceError, TargetError
from moviehouse.model.sources import SOURCES, SourceFile
from moviehouse.progress import Progress, Step
from moviehouse.steps.archive import Limits, Packed, judge
from moviehouse.steps.storage import ELSEWHERE
from moviehouse.steps.zip_directory import damaged

# Small enough that what is inflated is hashed and written while it is in the processor's cache.
_BLOCK = 1 << 18
_INFLATED_BLOCK = 1 << 20
# Up to so many bytes of CSV, one thread of DuckDB is as fast as several, and takes less CPU.
_SMALL = 64 << 20
_SPARE_SHARE, _MOST_SPARE = 20, 1 << 30
_KNOWN = {source.name: source for source in SOURCES}


@dataclass(frozen=True)
class Member:
    """One file of the dataset on disk; `edition` names the published copy it equals byte for byte."""

    source: SourceFile
    path: Path
    bytes: int
    sha256: str

    @property
    def edition(self) -> str | None:
        """The known edition, None for any other copy."""
        return self.source.editions.get(self.sha256)


Job = Callable[[Callable[[int], None]], Member]


class Extraction:
    """The members of a source on their way out of it, two at a time; each can be had as soon as it is whole.

    `names` are the dataset's files that the source has, `size` is theirs in bytes, `unknown` are those that are none
    of it.
    """

    def __init__(self, title: str, jobs: dict[str, Job], unknown: list[str], size: int, progress: Progress) -> None:
        self.names = tuple(jobs)
        self.unknown = unknown
        self.size = size
        self.seconds = 0.0
        self._members: dict[str, Future[Member]] = {name: Future() for name in jobs}
        self._stop = Event()
        self._failure: BaseException | None = None
        self._thread = Thread(target=self._work, args=(title, jobs, size, progress), daemon=True)
        self._thread.start()

    @property
    def small(self) -> bool:
        """Whether a second thread of DuckDB is not worth its CPU."""
        return self.size <= _SMALL

    def member(self, name: str) -> Member:
        """Wait for a member. Raises SourceError or OSError if it, or another one, cannot be had."""
        try:
            return self._members[name].result()
        except (InterruptedError, CancelledError):
            raise self._failure or InterruptedError("extracting was stopped") from None

    def members(self) -> dict[str, Member]:
        """Wait for all members, or until one cannot be had."""
        try:
            return {name: self.member(name) for name in self.names}
        finally:
            self.close()

    def close(self) -> None:
        """Stop what is under way, and wait until nothing is written any more."""
        self._stop.set()
        self._thread.join()

    def _work(self, title: str, jobs: dict[str, Job], size: int, progress: Progress) -> None:
        start = time.monotonic()
        try:
            with progress.step(title, size) as step, ThreadPoolExecutor(2) as pool:
                for name, job in jobs.items():
                    pool.submit(self._do, name, job, step)
                pool.shutdown()
                self.seconds = round(time.monotonic() - start, 3)
                if self._failure:
                    raise self._failure
        except BaseException as error:  # whoever waits for a member is told
            self._failure = self._failure or error
            self._stop.set()
        finally:
            for member in self._members.values():
                if not member.done():
                    member.set_exception(self._failure or InterruptedError("extracting was stopped"))

    def _do(self, name: str, job: Job, step: Step) -> None:
        def advance(amount: int) -> None:
            if self._stop.is_set():
                raise InterruptedError("another member could not be extracted")
            step.advance(amount)

        try:
            advance(0)
            self._members[name].set_result(job(advance))
        except BaseException as error:  # whoever waits for the member is told
            if not self._stop.is_set():
                self._failure = error
                self._stop.set()
            self._members[name].set_exception(error)


@dataclass(frozen=True)
class Plan:
    """How each of the dataset's files that a source has is taken out of it, and the names of its others.

    `size` is that of the files in bytes.
    """

    jobs: dict[str, Job]
    unknown: list[str]
    size: int


def plan(
    path: Path,
    kind: str,
    work: Path,
    limits: Limits,
    *,
    whole: bool = True,
    wanted: Collection[str] = tuple(_KNOWN),
    elsewhere: str = ELSEWHERE,
) -> Plan:
    """Judge a source and say how its files can be had; nothing is extracted yet, and only those `wanted` will be.

    `elsewhere` says what to do where the disk has no room.

    Raises SourceError where the archive cannot be trusted, two members have one name, or it has none of the
    dataset's files, a `whole` one no movies_metadata.csv; TargetError where the disk has no room for them.
    """
    planned = Plan(*(_in_directory(path) if kind == "directory" else _in_zip(path, work, limits, wanted, elsewhere)))
    for source in SOURCES:
        if whole and source.indispensable and source.name not in planned.jobs:
            raise SourceError(
                f"{path.name} has no {source.name}.",
                "It is the one file that nothing works without; is this The Movies Dataset?",
            )
    if not planned.jobs:
        raise SourceError(f"{path.name} has none of the dataset's files.", f"They are {', '.join(_KNOWN)}.")
    return planned


def extract(
    path: Path,
    kind: str,
    work: Path,
    progress: Progress,
    limits: Limits,
    order: Sequence[str] = tuple(_KNOWN),
    *,
    whole: bool = True,
    elsewhere: str = ELSEWHERE,
) -> Extraction:
    """Begin to give the dataset's files as files: those of a directory in place, those of a zip under `work`.

    `order` is the one they are wanted in, `elsewhere` as for `plan`. Raises what `plan` raises.
    """
    planned = plan(path, kind, work, limits, whole=whole, elsewhere=elsewhere)
    title = f"fingerprint {path.name or path}" if kind == "directory" else "extract"
    jobs = {name: planned.jobs[name] for name in order if name in planned.jobs}
    return Extraction(title, jobs, planned.unknown, planned.size, progress)


def _in_directory(folder: Path) -> tuple[dict[str, Job], list[str], int]:
    unknown: list[str] = []
    paths: dict[str, Path] = {}
    for path in sorted(p for p in folder.rglob("*.csv") if p.is_file()):
        if path.name not in _KNOWN:
            unknown.append(str(path.relative_to(folder)))
        elif path.name in paths:
            raise SourceError(f"{folder} has two files {path.name}.", "Name the folder that holds the right ones.")
        else:
            paths[path.name] = path
    jobs: dict[str, Job] = {n: partial(fingerprint, p) for n, p in paths.items()}
    return jobs, unknown, sum(p.stat().st_size for p in paths.values())


def fingerprint(path: Path, advance: Callable[[int], None]) -> Member:
    """Take a file where it is as a member. Raises SourceError where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                advance(len(block))
        return Member(_KNOWN[path.name], path, path.stat().st_size, digest.hexdigest())
    except OSError as error:
        if isinstance(error, InterruptedError):
            raise
        raise SourceError(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from None


def _in_zip(
    path: Path, work: Path, limits: Limits, wanted: Collection[str], elsewhere: str
) -> tuple[dict[str, Job], list[str], int]:
    contents = judge(path, limits)
    check_room(sum(packed.size for n, packed in contents.members.items() if n in wanted), work, elsewhere)
    work.mkdir(parents=True, exist_ok=True)
    jobs: dict[str, Job] = {n: partial(inflate, packed, work / n) for n, packed in contents.members.items()}
    return jobs, contents.unknown, contents.size


def check_room(size: int, work: Path, elsewhere: str = ELSEWHERE) -> None:
    """Raise TargetError where extracting so many bytes would not leave a part of the disk free."""
    folder = next(p for p in (work, *work.absolute().parents) if p.exists())
    disk = shutil.disk_usage(folder)
    spare = min(disk.total // _SPARE_SHARE, _MOST_SPARE)
    if size > max(disk.free - spare, 0):
        raise TargetError(
            f"Extracting takes {size:,} bytes; {folder} has {disk.free:,} left, of which {spare:,} must stay free.",
            f"Make room, or {elsewhere}.",
        )


def inflate(packed: Packed, target: Path, advance: Callable[[int], None]) -> Member:
    """Inflate one member to the file `target`, checked; safe to call from several threads, in any order.

    `advance` is told the bytes written, and stops the work by raising. Never writes more than the member's
    `size`. Raises SourceError where the data is not what the archive says it is.
    """
    name = packed.name
    digest, crc, size = hashlib.sha256(), 0, 0
    with _opened(packed) as archive, target.open("wb") as out:
        for block in _blocks(archive, packed):
            size += len(block)
            if size > packed.size:
                raise damaged(f"{name} is longer than the {packed.size:,} bytes that the archive says", name)
            digest.update(block)
            crc = isal_zlib.crc32(block, crc)
            out.write(block)
            advance(len(block))
    if size != packed.size:
        raise damaged(f"{name} has {size:,} bytes, the archive says {packed.size:,}", name)
    if crc != packed.crc:
        raise damaged(f"{name} does not match the checksum that the archive has of it", name)
    return Member(_KNOWN[name], target, size, digest.hexdigest())


def _opened(packed: Packed) -> BinaryIO:
    try:
        return packed.archive.open("rb")
    except OSError as error:
        raise _unreadable(packed, error) from None


def _unreadable(packed: Packed, error: OSError) -> SourceError:
    return SourceError(f"{packed.archive} cannot be read: {error.strerror}.", "Check its permissions and its disk.")


def _packed_blocks(archive: BinaryIO, packed: Packed) -> Iterator[bytes]:
    left = packed.packed
    archive.seek(packed.data)
    while left:
        try:
            block = archive.read(min(_BLOCK, left))
        except OSError as error:
            raise _unreadable(packed, error) from None
        if not block:
            raise damaged(f"{packed.name}: the archive became shorter while it was read", packed.name)
        left -= len(block)
        yield block


def _blocks(archive: BinaryIO, packed: Packed) -> Iterator[bytes]:
    """The member's inflated bytes. ISA-L does it three times as fast as the standard library."""
    if not packed.deflated:
        yield from _packed_blocks(archive, packed)
        return
    inflater = isal_zlib.decompressobj(-15)
    try:
        for block in _packed_blocks(archive, packed):
            if inflater.eof:
                raise damaged(f"{packed.name} ends before its compressed data does", packed.name)
            yield inflater.decompress(block, _INFLATED_BLOCK)
            while inflater.unconsumed_tail and not inflater.eof:
                yield inflater.decompress(inflater.unconsumed_tail, _INFLATED_BLOCK)
        yield inflater.flush()
    except isal_zlib.IsalError as error:  # type: ignore[misc]
        raise damaged(f"{packed.name} cannot be inflated ({error})", packed.name) from None
    if not inflater.eof:
        raise damaged(f"{packed.name}: its compressed data is cut short", packed.name)
    if inflater.unused_data or inflater.unconsumed_tail:
        raise damaged(f"{packed.name} ends before its compressed data does", packed.name)
