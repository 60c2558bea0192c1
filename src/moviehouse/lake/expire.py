"""Lets go of what no release needs: old snapshots, and files that no snapshot names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from moviehouse.lake.retry import pause

if TYPE_CHECKING:
    from pyiceberg.table import Table

_TRIES = 10


def expire(table: Table, keep: Iterable[int], before: datetime) -> int:
    """Expire the snapshots that are older than a time (UTC) and not among those to keep; how many."""
    from pyiceberg.exceptions import CommitFailedException

    kept, limit = set(keep), int(before.replace(tzinfo=UTC).timestamp() * 1000)
    for tries in range(1, _TRIES + 1):
        heads = {ref.snapshot_id for ref in table.refs().values()}
        old = [s.snapshot_id for s in table.snapshots() if s.timestamp_ms < limit]
        old = [snapshot for snapshot in old if snapshot not in kept | heads]
        if not old:
            return 0
        try:
            table.maintenance.expire_snapshots().by_ids(old).commit()
            return len(old)
        except CommitFailedException:  # a loader has appended meanwhile
            pause(tries)
            table = table.refresh()
    return 0


def remove_orphans(table: Table, before: datetime) -> tuple[int, int]:
    """Remove the files in a table's location that no snapshot names and that are older than a time (UTC).

    How many files and bytes those were. The files are listed before the snapshots are read: one that is named
    meanwhile is younger, or found among the names.
    """
    found = list(_listed(table))
    table = table.refresh()
    named = {_key(path) for path in _named(table)}
    files = size = 0
    for path, modified, bytes_ in found:
        if modified < before and _key(path) not in named:
            _filesystem(table)[0].delete_file(path)
            files, size = files + 1, size + bytes_
    return files, size


def _filesystem(table: Table) -> tuple[Any, str]:
    """The file system that a table is in, and the path of its location there."""
    location = urlparse(table.location())
    io: Any = table.io
    return io.fs_by_scheme(location.scheme or "file", location.netloc), f"{location.netloc}{location.path}"


def _listed(table: Table) -> Iterator[tuple[str, datetime, int]]:
    """All files in a table's location: path, time of change in UTC, bytes."""
    from pyarrow.fs import FileSelector, FileType

    system, path = _filesystem(table)
    for info in system.get_file_info(FileSelector(path, recursive=True, allow_not_found=True)):
        if info.type == FileType.File:
            yield info.path, info.mtime.astimezone(UTC).replace(tzinfo=None), info.size or 0


def _named(table: Table) -> Iterator[str]:
    """Every file that the table's metadata leads to."""
    yield table.metadata_location
    for version in table.metadata.metadata_log:
        yield version.metadata_file
    for statistics in table.metadata.statistics:
        yield statistics.statistics_path
    seen: set[str] = set()
    for snapshot in table.snapshots():
        yield snapshot.manifest_list
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path not in seen:
                seen.add(manifest.manifest_path)
                yield manifest.manifest_path
                for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
                    yield entry.data_file.file_path


def _key(path: str) -> str:
    """A path as any of the ways to write it: file:///a, /a, s3://bucket/a, bucket/a."""
    parsed = urlparse(path)
    return f"{parsed.netloc}{parsed.path}" if parsed.scheme else path
