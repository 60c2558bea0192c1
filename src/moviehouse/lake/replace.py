"""Replaces files of a table in one commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from moviehouse.lake.ledger import Pin

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile, ManifestFile
    from pyiceberg.table import Table, Transaction
    from pyiceberg.table.update.snapshot import _OverwriteFiles


def replace_files(
    table: Table,
    old: Iterable[DataFile],
    new: Iterable[DataFile],
    properties: Mapping[str, str] | None = None,
    *,
    alone: bool = False,
) -> Pin:
    """Replace files of a table in one commit; the snapshot that has it, with these properties.

    Raises CommitFailedException or ValidationException where another has replaced one of the files, or, `alone`, has
    made a snapshot since the table was loaded; what others append meanwhile stays otherwise.
    """
    with table.transaction() as transaction:
        overwrite = _overwrite(transaction, dict(properties or {}), alone=alone)
        for file in old:
            overwrite.delete_data_file(file)
        for file in new:
            overwrite.append_data_file(file)
        overwrite.commit()
    snapshot = table.snapshot_by_id(overwrite.snapshot_id)
    assert snapshot is not None
    return Pin(snapshot.snapshot_id, snapshot.sequence_number or 0)


def _overwrite(transaction: Transaction, properties: dict[str, str], *, alone: bool) -> _OverwriteFiles:
    from pyiceberg.exceptions import CommitFailedException
    from pyiceberg.table.snapshots import Operation
    from pyiceberg.table.update.snapshot import _OverwriteFiles

    class Replacement(_OverwriteFiles):
        """PyIceberg's overwrite, but for what it does when it comes second, and what it leaves."""

        def _refresh_for_retry(self) -> None:
            super()._refresh_for_retry()
            if alone and self._parent_snapshot_id != self._starting_snapshot_id:
                raise CommitFailedException("The table was changed meanwhile.")

        def _process_manifests(self, manifests: list[ManifestFile]) -> list[ManifestFile]:
            """Without those of earlier snapshots that tell of deletions alone: they would be read for ever."""
            return [
                manifest
                for manifest in super()._process_manifests(manifests)
                if manifest.added_snapshot_id == self.snapshot_id
                or manifest.has_added_files()
                or manifest.has_existing_files()
            ]

    first = transaction.table_metadata.current_snapshot() is None
    return Replacement(
        operation=Operation.APPEND if first else Operation.OVERWRITE,
        transaction=transaction,
        io=transaction._table.io,
        snapshot_properties=properties,
    )
