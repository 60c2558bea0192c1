"""Takes the members of the dataset out of an archive, or finds them in a directory."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from isal import igzip_lib, isal_zlib

from moviehouse.errors import SourceError, TargetError
from moviehouse.model.sources import SOURCES, SourceFile
from moviehouse.progress import Progress

_BLOCK = 1 << 20
_LOCAL_HEADER = 30
_KNOWN = {source.name: source for source in SOURCES}
_MAX_MEMBERS = 10_000


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


def extract(path: Path, kind: str, work: Path, progress: Progress, *, max_bytes: int) -> Extracted:
    """Give the dataset's files as files: those of a directory in place, those of a zip under `work`.

    Raises SourceError where the archive cannot be trusted, two members have one name, or
    movies_metadata.csv is missing.
    """
    found = _in_directory(path, progress) if kind == "directory" else _from_zip(path, work, progress, max_bytes)
    for source in SOURCES:
        if source.indispensable and source.name not in found.members:
            raise SourceError(
                f"{path.name} has no {source.name}.",
                "It is the one file that nothing works without; is this The Movies Dataset?",
            )
    return found


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


def _from_zip(path: Path, work: Path, progress: Progress, max_bytes: int) -> Extracted:
    found = Extracted()
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (
        zipfile.BadZipFile,
        ValueError,
        NotImplementedError,
        EOFError,
        OverflowError,
        UnicodeDecodeError,
    ) as error:
        raise SourceError(
            f"{path.name} is not a whole zip archive: {error}.",
            "Fetch it again, or give a folder of CSV files.",
        ) from None
    if len(infos) > _MAX_MEMBERS:
        raise SourceError(
            f"{path.name} has {len(infos):,} members, more than {_MAX_MEMBERS:,}.", "Is it the right file?"
        )
    chosen: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = PurePosixPath(info.filename.replace("\\", "/")).name
        if info.is_dir():
            continue
        if name not in _KNOWN:
            found.unknown.append(info.filename)
        elif name in chosen:
            raise SourceError(f"{path.name} has two members {name}.", "Keep the right one.")
        else:
            chosen[name] = info
    _check_room(path, chosen, work, max_bytes)
    work.mkdir(parents=True, exist_ok=True)
    with (
        progress.step("extract", sum(info.file_size for info in chosen.values())) as step,
        ThreadPoolExecutor(2) as pool,
    ):
        largest = sorted(chosen.items(), key=lambda item: -item[1].file_size)
        futures = [pool.submit(_inflate, path, info, _KNOWN[name], work / name, step.advance) for name, info in largest]
        for future in futures:
            member = future.result()
            found.members[member.source.name] = member
    return found


def _check_room(path: Path, chosen: dict[str, zipfile.ZipInfo], work: Path, max_bytes: int) -> None:
    total = sum(info.file_size for info in chosen.values())
    if total > max_bytes:
        raise SourceError(
            f"{path.name} would extract to {total:,} bytes, more than the limit of {max_bytes:,}.",
            "If that is right, raise --max-bytes.",
        )
    folder = next(p for p in (work, *work.parents) if p.exists())
    free = shutil.disk_usage(folder).free
    if total > free:
        raise TargetError(f"Extracting {path.name} takes {total:,} bytes; {folder} has {free:,} left.", "Make room.")


def _inflate(
    path: Path, info: zipfile.ZipInfo, source: SourceFile, target: Path, advance: Callable[[int], None]
) -> Member:
    digest, crc, size = hashlib.sha256(), 0, 0
    with path.open("rb") as archive, target.open("wb") as out:
        try:
            for block in _blocks(archive, info):
                size += len(block)
                if size > info.file_size:
                    raise SourceError(f"{source.name} is longer than the archive says.", "The archive is damaged.")
                digest.update(block)
                crc = isal_zlib.crc32(block, crc)
                out.write(block)
                advance(len(block))
        except (igzip_lib.IsalError, EOFError) as error:  # type: ignore[misc]
            raise SourceError(
                f"{source.name} cannot be inflated: {error}.", "The archive is damaged; fetch it again."
            ) from None
    if size != info.file_size or crc != info.CRC:
        raise SourceError(
            f"{source.name} does not match the archive's checksum.", "The archive is damaged; fetch it again."
        )
    return Member(source, target, size, digest.hexdigest())


def _blocks(archive: BinaryIO, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The member's inflated bytes. ISA-L does it three times as fast as the standard library."""
    if info.flag_bits & 0x1:
        raise SourceError(f"{info.filename} is encrypted.", "Decrypt the archive first.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise SourceError(f"{info.filename} is compressed by method {info.compress_type}.", "Use deflate.")
    archive.seek(info.header_offset)
    head = archive.read(_LOCAL_HEADER)
    if len(head) < _LOCAL_HEADER or head[:4] != b"PK\x03\x04":
        raise SourceError(f"{info.filename} is not where the archive says.", "The archive is damaged; fetch it again.")
    archive.seek(int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"), 1)
    left = info.compress_size
    inflater = isal_zlib.decompressobj(-15) if info.compress_type == zipfile.ZIP_DEFLATED else None
    while left:
        block = archive.read(min(_BLOCK, left))
        if not block:
            raise EOFError("the archive is cut short")
        left -= len(block)
        if inflater is None:
            yield block
            continue
        yield inflater.decompress(block, 8 * _BLOCK)
        while inflater.unconsumed_tail:
            yield inflater.decompress(inflater.unconsumed_tail, 8 * _BLOCK)
    if inflater is not None:
        yield inflater.flush()
        if not inflater.eof:
            raise EOFError("the compressed data is cut short")
