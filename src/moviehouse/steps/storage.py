"""What the file system says no to, in a sentence: what is full or not allowed, and what to do."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from moviehouse.errors import SourceError, TargetError

ELSEWHERE = "give another --out"
# Only a write ends in one of these, whatever file it names.
_WRITES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
_FORBIDDEN = (errno.EACCES, errno.EPERM)
# No place for a file, now or later.
_IMPOSSIBLE = (errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL)
# The classes in which DuckDB tells of its files; the others may quote text of the source.
_OF_FILES = (
    duckdb.IOException,
    duckdb.TransactionException,
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.OutOfMemoryException,
)
_SPILL_LIMIT = "max_temp_directory_size"
_QUOTED = re.compile(r'"([^"]+)"')


def let_go(work: Path, *paths: Path) -> None:
    """Delete files that are needed no more, if they are copies under `work`; others are the user's own."""
    for path in paths:
        if path.is_relative_to(work):
            path.unlink(missing_ok=True)


@contextmanager
def writing(place: Path, scratch: Sequence[Path] = (), elsewhere: str = ELSEWHERE) -> Iterator[None]:
    """Turn the failure to write to `place` into a TargetError; any other error passes.

    `scratch` are the run's own directories: what they take is told where the disk is full.
    `elsewhere` says how to choose another place.
    """
    try:
        yield
    except (OSError, duckdb.Error) as error:
        told = _told(error, place, scratch, elsewhere)
        if told is None:
            raise
        raise told from error


@contextmanager
def reading() -> Iterator[None]:
    """Turn an error that names the file it could not read into a SourceError; around what is not `writing`'s."""
    try:
        yield
    except (OSError, duckdb.IOException) as error:
        path = _path(error)
        if path is None:
            raise
        raise SourceError(
            f"{path} cannot be read: {_said(error)}.", "Check that it is there and may be read."
        ) from error


def _told(error: OSError | duckdb.Error, place: Path, scratch: Sequence[Path], elsewhere: str) -> TargetError | None:
    number, path = _number(error), _path(error)
    if number in _WRITES:
        return _unwritable(number, place, scratch, elsewhere)
    if path is None or not _inside(path, place):
        return None
    hint = f"Run again, or {elsewhere}."
    if number in _FORBIDDEN:
        hint = f"Get the permission, or {elsewhere}."
    elif number in _IMPOSSIBLE:
        hint = f"{elsewhere.capitalize()}."
    message = f"Cannot write to {place}: {path}: {_said(error)}."
    return TargetError(message, hint, retry=number not in (*_FORBIDDEN, *_IMPOSSIBLE))


def _said(error: OSError | duckdb.Error) -> str:
    number = _number(error)
    return os.strerror(number) if number else str(error).splitlines()[0]


def _number(error: OSError | duckdb.Error) -> int | None:
    """The errno; DuckDB has it as text, in whatever class of error, and spilled data has its own limit."""
    if isinstance(error, OSError):
        return error.errno
    text = str(error) if isinstance(error, _OF_FILES) else ""
    if _SPILL_LIMIT in text:
        return errno.ENOSPC
    numbers = (*_WRITES, errno.EACCES, errno.EPERM, errno.ENOENT, errno.EIO)
    return next((number for number in numbers if os.strerror(number) in text), None)


def _path(error: OSError | duckdb.Error) -> Path | None:
    if isinstance(error, OSError):
        return Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None
    tells = isinstance(error, duckdb.IOException | duckdb.TransactionException)
    quoted = _QUOTED.search(str(error)) if tells else None
    return Path(quoted[1]) if quoted else None


def _inside(path: Path, place: Path) -> bool:
    path, place = path.absolute(), place.absolute()
    return path == place or place in path.parents or path in place.parents


def _unwritable(number: int, place: Path, scratch: Sequence[Path], elsewhere: str) -> TargetError:
    if number == errno.EROFS:
        return TargetError(f"{place} is on a file system that is read-only.", f"{elsewhere.capitalize()}.", retry=False)
    if number == errno.EFBIG:
        return TargetError(
            f"A file in {place} would be larger than the process or the file system allows.",
            f"Raise the limit (ulimit -f), or {elsewhere}.",
            retry=False,
        )
    what = f"The disk quota for {place} is used up" if number == errno.EDQUOT else f"The disk of {place} is full"
    return TargetError(f"{what}: {_room(place, scratch)}.", f"Make room there, or {elsewhere}.")


def _room(place: Path, scratch: Sequence[Path]) -> str:
    """What is left, and what the run has taken: the least that it needs."""
    said = []
    with suppress(OSError):
        disk = os.statvfs(place)
        no_files = disk.f_files and not disk.f_favail
        said.append("no more files fit" if no_files else f"{disk.f_bavail * disk.f_frsize:,} bytes are left")
    if taken := sum(
        _size(Path(folder, file)) for top in scratch for folder, _, files in os.walk(top) for file in files
    ):
        said.append(f"the run has taken {taken:,} bytes and needs more")
    return ", ".join(said)


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.lstat().st_blocks * 512
    return 0
