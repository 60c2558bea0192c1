"""Takes the members of the dataset out of an archive, or finds them in a directory."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import BinaryIO

from isal import isal_zlib

from moviehouse.errors import SourceError, TargetError
from moviehouse.model.sources import SOURCES, SourceFile
from moviehouse.progress import Progress
from moviehouse.steps.archive import Contents, Limits, Packed, judge
from moviehouse.steps.zip_directory import damaged

_BLOCK = 1 << 20
_INFLATED_BLOCK = 8 << 20
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


@dataclass
class Extracted:
    """The members found, by name; the names of files that are none of the dataset."""

    members: dict[str, Member] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


def extract(path: Path, kind: str, work: Path, progress: Progress, limits: Limits) -> Extracted:
    """Give the dataset's files as files: those of a directory in place, those of a zip under `work`.

    Raises SourceError where the archive cannot be trusted, two members have one name, or
    movies_metadata.csv is missing; TargetError where the disk has no room for them.
    """
    return _in_directory(path, progress) if kind == "directory" else _from_zip(path, work, progress, limits)


def _require(path: Path, names: Iterable[str]) -> None:
    for source in SOURCES:
        if source.indispensable and source.name not in names:
            raise SourceError(
                f"{path.name} has no {source.name}.",
                "It is the one file that nothing works without; is this The Movies Dataset?",
            )


def _in_directory(folder: Path, progress: Progress) -> Extracted:
    found = Extracted()
    paths: dict[str, Path] = {}
    for path in sorted(p for p in folder.rglob("*.csv") if p.is_file()):
        if path.name not in _KNOWN:
            found.unknown.append(str(path.relative_to(folder)))
        elif path.name in paths:
            raise SourceError(f"{folder} has two files {path.name}.", "Name the folder that holds the right ones.")
        else:
            paths[path.name] = path
    _require(folder, paths)
    with progress.step(f"fingerprint {folder.name or folder}", sum(p.stat().st_size for p in paths.values())) as step:
        for name, path in paths.items():
            digest = hashlib.sha256()
            try:
                with path.open("rb") as file:
                    while block := file.read(_BLOCK):
                        digest.update(block)
                        step.advance(len(block))
            except OSError as error:
                raise SourceError(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from None
            found.members[name] = Member(_KNOWN[name], path, path.stat().st_size, digest.hexdigest())
    return found


def _from_zip(path: Path, work: Path, progress: Progress, limits: Limits) -> Extracted:
    contents = judge(path, limits)
    _require(path, contents.members)
    found = Extracted(unknown=contents.unknown)
    check_room(contents, work)
    work.mkdir(parents=True, exist_ok=True)
    largest = sorted(contents.members.values(), key=lambda packed: -packed.size)
    stop = Event()
    with progress.step("extract", contents.size) as step, ThreadPoolExecutor(2) as pool:

        def advance(amount: int) -> None:
            if stop.is_set():
                raise InterruptedError("another member could not be extracted")
            step.advance(amount)

        futures = [pool.submit(inflate, packed, work / packed.name, advance) for packed in largest]
        try:
            for future in as_completed(futures):
                member = future.result()
                found.members[member.source.name] = member
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found


def check_room(contents: Contents, work: Path) -> None:
    """Raise TargetError where extracting would not leave a part of the disk free."""
    folder = next(p for p in (work, *work.absolute().parents) if p.exists())
    disk = shutil.disk_usage(folder)
    spare = min(disk.total // _SPARE_SHARE, _MOST_SPARE)
    if contents.size > disk.free - spare:
        raise TargetError(
            f"Extracting takes {contents.size:,} bytes; {folder} has {disk.free:,} left, "
            f"of which {spare:,} must stay free.",
            "Make room, or give an --out on another disk.",
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
