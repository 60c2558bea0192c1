"""The steps of a load on Spark: a cluster reads, conforms and checks a drop, and appends its rows to the lake.

No row passes through the driver: it is told counts, and asks PyIceberg for the tables and their snapshots.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from moviehouse.cluster import Cluster
from moviehouse.engines.iceberg import TryAgainError, append, use_catalog
from moviehouse.errors import GateError, SourceError, TargetError
from moviehouse.lake.append import READING_PROPERTY, refreshed
from moviehouse.lake.catalog import Lake
from moviehouse.lake.drop import Drop, identify
from moviehouse.lake.judge import judge, what_must_hold
from moviehouse.lake.ledger import RELEASE, Pin, Reading
from moviehouse.lake.reading import stamped
from moviehouse.lake.retry import PATIENCE, pause
from moviehouse.lake.spark_catalog import NAME, spark_catalog
from moviehouse.lake.tables import each, row_table
from moviehouse.model.lake import LAKE_TABLE
from moviehouse.model.tables import ERROR_LOG
from moviehouse.pipeline import Run, Step
from moviehouse.sql.text import name
from moviehouse.steps import balance, check

if TYPE_CHECKING:
    from pyiceberg.table import Table


class OnSpark:
    """A load on Spark under way. What it takes and gives is what `load.OnDuckDB` does."""

    def __init__(self, run: Run, lake: Lake, max_rejects: float, accepted: Collection[str]) -> None:
        self._run, self._lake = run, lake
        self._max_rejects, self._accepted = max_rejects, accepted
        self._catalog = spark_catalog(lake, lake.catalog.load_table(lake.identifier(RELEASE)).location())
        self._cluster = Cluster(run, tuple(self._catalog.needs.values()))
        self.fetching: tuple[Step, ...] = (("start", self._start), ("fetch", self._cluster.fetch))
        self.reading: tuple[Step, ...] = (
            ("read", self._cluster.read), ("conform", self._cluster.make), ("check", self._check),
        )  # fmt: skip

    def drop(self) -> Drop:
        """What the fetched source is."""
        fetched = self._run.fetched
        assert fetched is not None
        if fetched.kind == "directory":  # its files are read where they are
            return self._cluster.spark.map(identify, [fetched])[0]
        return identify(fetched)

    def append(self, reading: Reading) -> dict[str, Pin]:
        """Append the rows of a reading, a few tables at a time; a table without rows gets no commit."""

        def add(table: str) -> tuple[str, Pin]:
            return table, self._append(row_table(self._lake, table), table, reading)

        largest = sorted(reading.rows, key=lambda table: -reading.rows[table])
        return dict(each(add, largest, self._cluster.spark.cancel))

    def _start(self, run: Run) -> None:
        self._cluster.start(run)
        catalog, table = self._catalog, ".".join(self._lake.identifier(RELEASE))
        shown = f"the lake {self._lake.name}"
        use_catalog(self._cluster.spark.session, NAME, catalog.properties, catalog.needs, table, shown)

    def _check(self, run: Run) -> None:
        spark = self._cluster.spark
        try:
            spark.create_view("balance", balance.select(run.balances))
            outcomes = check.run_together(spark.rows, run.progress, what_must_hold(full=run.whole))
            judge(run, spark.rows, outcomes, max_rejects=self._max_rejects, accepted=self._accepted)
        except (SourceError, GateError):
            self._cluster.collect(run, (ERROR_LOG,))  # which the log of the failed run is made of
            raise

    def _append(self, target: Table, table: str, reading: Reading) -> Pin:
        """Append the rows of a table; the snapshot that has them.

        The snapshot names the reading. So a commit whose answer was lost is found before the next try. Raises
        TargetError where others keep winning for too long.
        """
        query, where = _rows(table, target, reading), ".".join((NAME, *self._lake.identifier(table)))
        start, tries, said = time.monotonic(), 0, ""
        while True:
            try:
                append(self._cluster.spark, query, where, {READING_PROPERTY: reading.reading_id})
                said = ""
            except TryAgainError as error:
                said = str(error)
                pause(tries := tries + 1)
            target = refreshed(target)
            if pin := _found(target, reading.reading_id):
                return pin
            if not said:
                raise TargetError(f"Spark appended to {where}, and nothing is there.", "Do both use one catalog?")
            if time.monotonic() - start > PATIENCE:
                others = said == "CommitFailedException"
                what = f"Others kept writing to the lake {self._lake.name}"
                raise TargetError(
                    f"{what if others else f'The catalog of the lake {self._lake.name} kept failing'}: "
                    f"{tries} tries to append failed ({said}).",
                    "Nothing of this load is visible. Run again when fewer write to it."
                    if others
                    else "Nothing of this load is visible. Check that the catalog runs, and run again.",
                )


def _rows(table: str, target: Table, reading: Reading) -> str:
    """The SELECT of a reading's rows with all columns of the lake's table, which may have more than the model."""
    query = stamped(table, reading.observed_at.replace(tzinfo=UTC), reading.drop_id, reading.reading_id)
    known = {column.name for column in LAKE_TABLE[table].columns}
    more = "".join(f", NULL AS {name(column)}" for column in target.schema().column_names if column not in known)
    return f"SELECT stamped.*{more} FROM ({query}) AS stamped"


def _found(table: Table, reading_id: str) -> Pin | None:
    """The snapshot with the rows of a reading; TargetError where there are two, or its files are on another machine."""
    found = [
        snapshot
        for snapshot in table.snapshots()
        if snapshot.summary is not None and snapshot.summary.additional_properties.get(READING_PROPERTY) == reading_id
    ]
    if len(found) > 1:  # a commit whose answer was lost came through after it was tried again
        raise TargetError(f"The rows of {'.'.join(table.name())} were appended twice.", "Load the drop again.")
    for snapshot in found:
        _see_files(table, snapshot.snapshot_id)
        return Pin(snapshot.snapshot_id, snapshot.sequence_number or 0)
    return None


def _see_files(table: Table, snapshot_id: int) -> None:
    """Make sure that files which executors wrote to a directory are on this machine."""
    if not table.location().startswith("file:"):
        return
    snapshot = table.snapshot_by_id(snapshot_id)
    assert snapshot is not None
    for manifest in snapshot.manifests(table.io):
        if manifest.added_snapshot_id == snapshot_id:
            for entry in manifest.fetch_manifest_entry(table.io):
                path = Path(unquote(urlsplit(entry.data_file.file_path).path))
                if not path.exists():
                    raise TargetError(
                        f"The executors wrote {path} on another machine.",
                        "A lake in a directory is for one machine: use one with a catalog.",
                        retry=False,
                    )
