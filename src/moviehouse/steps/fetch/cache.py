"""Where fetched archives are kept: the newest version of each address, whole or not there at all.

CACHE/<name>-<hash of the address>/
    lock                         held by the process that fetches this address
    partial/<name>               a download under way, with <name>.journal
    <version>/<name>             the archive, with <name>.source.json: what it is, its SHA-256
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moviehouse.errors import TargetError
from moviehouse.progress import Progress
from moviehouse.steps.fetch.remote import Remote, Version
from moviehouse.steps.target import fsync


@dataclass(frozen=True)
class Entry:
    """An archive in the cache."""

    path: Path
    size: int
    sha256: str


@contextmanager
def writing(directory: Path) -> Iterator[None]:
    """Turn an OSError into a TargetError that names the cache."""
    try:
        yield
    except OSError as exc:
        hint = "Choose another place with MOVIEHOUSE_CACHE, or make it writable."
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            hint = "Make room there, or choose another place with MOVIEHOUSE_CACHE."
        raise TargetError(f"The cache {directory} cannot be written: {exc.strerror or exc}.", hint) from exc


class Slot:
    """The place of one address in the cache."""

    def __init__(self, cache: Path, remote: Remote) -> None:
        self.cache = cache
        name = re.sub(r"[^A-Za-z0-9._-]+", "_", remote.name).lstrip(".")[-80:]
        self.name = name or "source"
        self._address = remote.address
        self._directory = cache / f"{self.name}-{hashlib.sha256(remote.key.encode()).hexdigest()[:12]}"

    @contextmanager
    def locked(self, progress: Progress) -> Iterator[None]:
        """Make this process the only one that fetches the address; wait for another one that does."""
        self._directory.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                with progress.step(f"wait for another process that is fetching {self._address}"):
                    fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)  # releases it, as does the end of the process

    def newest(self) -> Path | None:
        """The archive of whatever version is here, unchecked."""
        found = sorted(self._directory.glob(f"*/{self.name}.source.json"))
        return next((path.parent / self.name for path in found if path.parent != self.partial), None)

    def find(self, version: Version, progress: Progress) -> Entry | None:
        """The archive of this version if it is here and whole; its bytes are read to make sure."""
        if version.identity is None:
            return None
        path = self._directory / version.identity / self.name
        try:
            said = json.loads(self._note(path).read_bytes())
            size, sha256 = int(said["size"]), str(said["sha256"])
            if path.stat().st_size != size:
                return None
            with progress.step(f"check the cached copy of {self._address}", size):
                return Entry(path, size, sha256) if digest(path)["sha256"] == sha256 else None
        except (OSError, ValueError, KeyError, TypeError):
            return None  # not here, or not whole: it is fetched again

    @property
    def partial(self) -> Path:
        """The directory of a download under way."""
        return self._directory / "partial"

    def publish(self, version: Version, sha256: str) -> Entry:
        """Move the finished download to its place in one step, then drop the other versions."""
        path = self.partial / self.name
        size = path.stat().st_size
        note: dict[str, Any] = {"address": self._address, "size": size, "sha256": sha256}
        note |= {"etag": version.etag, "last_modified": version.last_modified}
        self._note(path).write_text(json.dumps(note, indent=1) + "\n")
        for each in (path, self._note(path), self.partial):
            fsync(each)
        target = self._directory / (version.identity or sha256[:16])
        if target.exists():  # a damaged copy
            shutil.rmtree(target)
        self.partial.rename(target)
        fsync(self._directory)
        for other in self._directory.iterdir():
            if other.is_dir() and other != target:
                shutil.rmtree(other, ignore_errors=True)
        (target / f"{self.name}.journal").unlink(missing_ok=True)
        return Entry(target / self.name, size, sha256)

    @staticmethod
    def _note(path: Path) -> Path:
        return path.with_name(f"{path.name}.source.json")


def digest(path: Path, *more: str) -> dict[str, str]:
    """Compute a file's "sha256", and what else is asked for ("sha1", "crc32"), in hex."""
    hashes = {name: hashlib.new(name, usedforsecurity=False) for name in {"sha256", *more} - {"crc32"}}
    crc = 0
    with path.open("rb", buffering=0) as file:
        while block := file.read(4 << 20):
            for each in hashes.values():
                each.update(block)
            if "crc32" in more:
                crc = zlib.crc32(block, crc)
    found = {name: each.hexdigest() for name, each in hashes.items()}
    return found | {"crc32": f"{crc:08x}"} if "crc32" in more else found
