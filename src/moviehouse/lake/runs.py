"""The current rows of a table lie in runs, one for each fold; which of them the next fold writes anew.

A fold adds a run of its own, and reads of the others only what it writes anew. The state is the same over any runs
(see `state`), but what a later run makes superfluous is read until its run is written anew: once the runs behind it
come to a share of it. So a row is written a few times over all folds, however many there are, and a reader reads
little more than it needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table

SHARE = 4
"""A run is written anew once the rows behind it come to one in so many of its own."""
SHORT = 200_000
"""A run of so few rows is always written anew: a reader opens fewer files."""


@dataclass(frozen=True)
class Run:
    """Files that one fold has written, with the rows in them."""

    files: tuple[DataFile, ...]
    rows: int


def runs(table: Table, snapshot_id: int) -> list[Run]:
    """The runs of a snapshot, which is there, the oldest first."""
    snapshot = table.snapshot_by_id(snapshot_id)
    assert snapshot is not None
    by_age: dict[int, list[DataFile]] = {}
    for manifest in snapshot.manifests(table.io):
        for entry in manifest.fetch_manifest_entry(table.io):
            by_age.setdefault(entry.sequence_number or 0, []).append(entry.data_file)
    return [Run(tuple(files), sum(file.record_count for file in files)) for _, files in sorted(by_age.items())]


def outgrown(old: Sequence[Run], fresh: int) -> list[Run]:
    """The runs to write anew together with so many fresh rows: the oldest that has to be, and those behind it."""
    for number, run in enumerate(old):
        behind = fresh + sum(later.rows for later in old[number + 1 :])
        if run.rows <= max(SHORT, SHARE * behind):
            return list(old[number:])
    return []
