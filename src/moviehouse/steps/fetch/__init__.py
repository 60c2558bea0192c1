"""Fetch: an address becomes a local archive, whole and verified, or a directory of CSV files."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from moviehouse.errors import SourceError
from moviehouse.progress import Progress
from moviehouse.safe import shown
from moviehouse.steps.fetch.address import Local, S3Object, parse
from moviehouse.steps.fetch.cache import Entry, Slot, digest, writing
from moviehouse.steps.fetch.remote import Changed, Remote, Version, utc
from moviehouse.steps.fetch.s3 import S3
from moviehouse.steps.fetch.transfer import THREADS, Meter, Transfer
from moviehouse.steps.fetch.web import Web

__all__ = ["PART_BYTES", "Fetched", "default_cache", "fetch", "shown"]

PART_BYTES = 8 << 20
"""How much one request asks for."""


@dataclass(frozen=True)
class Fetched:
    """A source on this machine, ready to be read.

    `kind` is "archive" or "directory"; `address` is the source without its secrets; `size` and
    `downloaded` are bytes, `downloaded` those that this run transferred; `sha256` is the archive's,
    None for a directory; `last_modified` is ISO 8601 in UTC where it is known.
    """

    path: Path
    kind: str
    address: str
    size: int | None
    etag: str | None
    sha256: str | None
    downloaded: int
    last_modified: str | None


def default_cache() -> Path:
    """The directory for downloads: $MOVIEHOUSE_CACHE, else moviehouse in the user's cache directory."""
    if own := os.environ.get("MOVIEHOUSE_CACHE"):
        return Path(own)
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "moviehouse"


def fetch(
    source: str,
    cache: Path,
    *,
    progress: Progress,
    sign: bool = True,
    endpoint_url: str | None = None,
    region: str | None = None,
    part_bytes: int = PART_BYTES,
) -> Fetched:
    """Make a source available as a local file; a local one is used where it is.

    `source` is an s3://, https://, http:// or file:// address, or a path. An unchanged remote source
    is not transferred again, and an interrupted transfer resumes. `sign=False` asks
    S3 without credentials; `endpoint_url` and `region` override what AWS's settings say. Raises
    SourceError (`retry` says whether trying again can help) and TargetError if the cache is not writable.
    """
    where = parse(source)
    if isinstance(where, Local):
        return _local(where, progress)
    if isinstance(where, S3Object):
        remote: Remote = S3(where, sign=sign, endpoint_url=endpoint_url, region=region, threads=THREADS)
    else:
        remote = Web(where)
    return _remote(remote, Slot(cache.absolute(), remote), progress, part_bytes)


def there(source: str) -> None:
    """Raise SourceError, before anything is written, where the source is no address or a path to nothing."""
    where = parse(source)
    if not isinstance(where, Local):
        return
    try:
        found = where.path.exists()
    except OSError as error:
        raise SourceError(f"{where.shown} cannot be read: {error.strerror}.", "Check its permissions.") from error
    if not found:
        raise _absent(where)


def _absent(where: Local) -> SourceError:
    # Perhaps it is an address, miswritten, with a password or a signature.
    seen = re.sub(r"[^\s/]*:\S*@", "…@", where.shown)
    seen = shown(f"x://{seen}").removeprefix("x://") if re.search(r"[?&#][^/]*=", seen) else seen
    return SourceError(
        f"{seen}: no such file or directory.",
        f"Check the path (the current directory is {Path.cwd()}), or give an s3:// or https:// address.",
    )


def _local(where: Local, progress: Progress) -> Fetched:
    """Fingerprint a file in its place; whether it is a zip is for the next step to judge."""
    path = where.path
    try:
        stat = path.stat()
        modified = utc(datetime.fromtimestamp(stat.st_mtime, UTC))
        if path.is_dir():
            os.scandir(path).close()  # may it be read?
            return Fetched(path, "directory", where.shown, None, None, None, 0, None)
        if not path.is_file():
            raise SourceError(f"{where.shown} is neither a file nor a directory.", "Save it to a file first.")
        with progress.step(f"fingerprint {path.name}", stat.st_size) as step:
            sha256 = digest(path)["sha256"]
            step.advance(stat.st_size)
    except FileNotFoundError as exc:
        raise _absent(where) from exc
    except OSError as exc:
        raise SourceError(f"{where.shown} cannot be read: {exc.strerror}.", "Check its permissions.") from exc
    return Fetched(path, "archive", where.shown, stat.st_size, None, sha256, 0, modified)


def _remote(remote: Remote, slot: Slot, progress: Progress, part_bytes: int) -> Fetched:
    meter = Meter()
    for _ in range(2):
        version = _head(remote, slot)
        with writing(slot.cache), slot.locked(progress), suppress(Changed):
            entry = slot.find(version, progress)
            if entry is None:
                entry = _download(remote, version, slot, progress=progress, meter=meter, part_bytes=part_bytes)
            return Fetched(
                path=entry.path,
                kind="archive",
                address=remote.address,
                size=entry.size,
                etag=version.etag,
                sha256=entry.sha256,
                downloaded=meter.count,
                last_modified=version.last_modified,
            )
    raise SourceError(
        f"{remote.address} was replaced while it was downloaded, twice.",
        "Try again when its writer is done.",
        retry=True,
    )


def _head(remote: Remote, slot: Slot) -> Version:
    """Ask for the current version; without an answer a cached copy is not used silently."""
    try:
        return remote.head()
    except SourceError as exc:
        kept = slot.newest() if exc.retry else None
        if kept is not None:
            exc.hint += f" An earlier download, perhaps out of date, is {kept}: give its path to use it."
        raise


def _download(
    remote: Remote, version: Version, slot: Slot, *, progress: Progress, meter: Meter, part_bytes: int
) -> Entry:
    """Transfer this version, compare it with the checksums its server gave, put it in its place."""
    slot.partial.mkdir(exist_ok=True)
    path = slot.partial / slot.name
    with progress.step(f"fetch {remote.address}", version.size) as step:
        Transfer(remote, version, path, part_bytes, step, meter).run()
    found = digest(path, *version.sums)
    if wrong := [name for name, value in version.sums.items() if found[name] != value]:
        shutil.rmtree(slot.partial)
        raise SourceError(
            f"{remote.address} arrived damaged: its {wrong[0]} checksum is not the one its server gives.",
            "Try again, or give a local copy.",
            retry=True,
        )
    return slot.publish(version, found["sha256"])
