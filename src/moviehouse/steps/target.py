"""The output directory: what lies where, who holds it, what a killed run left in it.

OUT/releases/<run>/   the releases, each whole: the current one and the one before
OUT/current           a symlink to the current one, flipped by rename
OUT/tables, …         fixed symlinks through current
OUT/failed/<run>/     the error logs of failed runs
OUT/.lock             held by the run that writes
OUT/.staging-<run>, .work-<run>, .dropped-<run>, .<link>.new   scratch, which the next run clears
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from moviehouse.errors import TargetError
from moviehouse.progress import Progress
from moviehouse.steps.storage import writing

DATABASE = "moviehouse.duckdb"
LINKS = ("tables", "answers", DATABASE, "errors.jsonl", "run.json", "schema.sql", "report.html")
CURRENT = "current"
_SCRATCH = (".staging-", ".work-", ".dropped-")
_FOLDERS = ("releases", "failed")
_POLL = 0.1


class Target:
    """An output directory, locked for one run."""

    def __init__(self, out: Path, run_id: str) -> None:
        self.out, self.run_id = out, run_id
        self.staging = out / f".staging-{run_id}"
        self.work = out / f".work-{run_id}"

    @property
    def release(self) -> Path:
        """Where the run's release will be."""
        return self.out / "releases" / self.run_id

    @property
    def failed(self) -> Path:
        """Where the run's log goes if it fails."""
        return self.out / "failed" / self.run_id

    @property
    def published(self) -> bool:
        """Whether the run's release is the current one."""
        return current(self.out) == self.run_id


@contextmanager
def locked(out: Path, run_id: str, progress: Progress, wait: float = 0) -> Iterator[Target]:
    """Hold the output directory; what killed runs left is cleared first.

    Waits up to `wait` seconds for another run to end. Raises TargetError where another run holds it
    still, it cannot be written, or something in it is in the way.
    """
    with writing(out):
        if out.is_symlink():
            out = out.resolve()  # a link that is turned elsewhere while the run lasts changes nothing
        if out.exists() and not out.is_dir():
            raise TargetError(f"{out} is a file, not a directory.", "Give another --out.", retry=False)
        target = Target(out, run_id)
        _make(out)
        lock = _open_lock(out)
    try:
        _take(lock, out, progress, wait)
        with writing(out):
            _refuse_what_is_in_the_way(out)
            _clear(out)
        try:
            with writing(out):
                target.staging.mkdir()
                target.work.mkdir()
            yield target
        finally:
            _clear(out)
    finally:
        os.close(lock)  # frees it, as does the end of the process


def _make(out: Path) -> None:
    """Make the directory, so that it is there after a power cut as well."""
    absent = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
    except FileNotFoundError:  # though what is above it was there, or made
        message = f"{out} cannot be created: its file system lets nobody make directories there."
        raise TargetError(message, "Give another --out.", retry=False) from None
    for folder in absent:
        with suppress(PermissionError):  # of a parent that may not be read
            fsync(folder.parent)


def _open_lock(out: Path) -> int:
    """Open the lock; another user's, which may be read alone, serves as well."""
    path = out / ".lock"
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except PermissionError:
        if not path.exists():
            raise
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def _take(lock: int, out: Path, progress: Progress, wait: float) -> None:
    try:
        if not _free(lock):
            with progress.step(f"wait for the other run that is writing to {out}"):
                end = time.monotonic() + wait
                while time.monotonic() < end:
                    time.sleep(_POLL)
                    if _free(lock):
                        return
            after = f" after {wait:g} seconds of waiting" if wait else ""
            raise TargetError(
                f"Another run is writing to {out}{after}.",
                "Wait for it to end (--wait SECONDS), or give another --out.",
            )
    except OSError as error:
        raise TargetError(
            f"{out} cannot be locked: {error.strerror}.", "Give an --out whose file system has locks.", retry=False
        ) from error


def _free(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _refuse_what_is_in_the_way(out: Path) -> None:
    """Raise TargetError for what is not ours where a link or a folder of ours has to be."""
    for name in (*LINKS, CURRENT):
        path = out / name
        if path.exists() and not path.is_symlink():
            raise _in_the_way(path, "one of Moviehouse's links")
        if name != CURRENT and path.is_symlink() and path.readlink() != Path(CURRENT) / name:
            raise _in_the_way(path, "one of Moviehouse's links")
    for name in _FOLDERS:
        path = out / name
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise _in_the_way(path, "Moviehouse's directory")


def _in_the_way(path: Path, what: str) -> TargetError:
    return TargetError(f"{path} is in the way: it is not {what}.", "Move it, or give another --out.", retry=False)


def _clear(out: Path) -> None:
    """Remove scratch, and a release that a kill kept from ever becoming current."""
    fresh = new_link(out / CURRENT)
    if fresh.is_symlink():
        dead = fresh.readlink().name
        if dead != current(out):
            drop(out, dead)
    for link in (*LINKS, CURRENT):
        with suppress(OSError):
            new_link(out / link).unlink(missing_ok=True)
    with suppress(OSError):
        for entry in list(out.iterdir()):
            if entry.name.startswith(_SCRATCH):
                shutil.rmtree(entry, ignore_errors=True)


def current(out: Path) -> str | None:
    """The run whose release is current."""
    link = out / CURRENT
    return link.readlink().name if link.is_symlink() else None


def new_link(path: Path) -> Path:
    """Where a link is made before it is renamed to its place."""
    return path.with_name(f".{path.name}.new")


def drop(out: Path, run_id: str) -> None:
    """Remove a release. It is renamed first: releases/ holds whole ones alone. What cannot go stays."""
    away = out / f".dropped-{run_id}"
    with suppress(OSError):
        (out / "releases" / run_id).rename(away)
    shutil.rmtree(away, ignore_errors=True)


def fsync(path: Path) -> None:
    """Have the file's bytes, or the directory's names, on the disk when this returns."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
