"""The ledger: which readings the lake shows, release by release.

Two tables, because rights are given by table. `reading` has a row for each reading that was staged, discarded or set
aside; any loader appends to it. `release` decides alone what is visible: a row for each release, with the readings that
it adds to the release before (or, now and then, all of them) and the snapshot of every table. A commit to it
asserts the snapshot that was read, so that of two commits that want the same number one fails, reads again, and
takes the next. PyIceberg's own retries are off there: they would let both through.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moviehouse.errors import TargetError
from moviehouse.lake.catalog import Lake
from moviehouse.lake.ledger_schema import NOTED, RELEASES, arrow, schema
from moviehouse.lake.retry import PATIENCE, pause, unclear_answers
from moviehouse.lake.state import counting
from moviehouse.lake.tables import PROPERTIES, ensure, ensure_namespace, evolved, present
from moviehouse.sql.text import literal

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

RELEASE, READING = "release", "reading"
BASE_EVERY = 50
"""One release in so many has all readings: no more than these are ever read."""
_BASE, _NUMBER = "moviehouse.base", "moviehouse.release"
_LEDGER = {**PROPERTIES, "commit.retry.num-retries": "0", "commit.manifest.min-count-to-merge": "20"}


@dataclass(frozen=True)
class Reading:
    """A drop as one version of the logic read it.

    `drop_id` is the SHA-256 of the drop, `full` whether it is a whole snapshot; `rows` by table of the lake;
    `read`, `loaded`, `merged` and `rejected` are records. `reading_id` begins with the time of the load, so that
    the rows of late loads lie together. `stage` is what it is staged under, if it is; releases do not say.
    """

    reading_id: str
    drop_id: str
    observed_at: datetime
    logic: int
    full: bool
    engine: str = "duckdb"
    source: str = ""
    bytes: int = 0
    read: int = 0
    loaded: int = 0
    merged: int = 0
    rejected: int = 0
    rows: Mapping[str, int] = field(default_factory=dict)
    begun_at: datetime | None = None
    stage: str = ""

    @property
    def token(self) -> tuple[datetime, str]:
        """What decides which of two rows with one key is current."""
        return (self.observed_at, self.drop_id)

    def repeats(self, other: Reading) -> bool:
        """Whether it says nothing that counts beside the other."""
        return self.token == other.token and (self.logic, self.full) <= (other.logic, other.full)


@dataclass(frozen=True)
class Pin:
    """A snapshot of a table; of two the one with the greater sequence number holds all that the other holds."""

    snapshot_id: int
    sequence: int


@dataclass(frozen=True)
class Release:
    """What readers see: the readings by id, those folded into the current rows, and a snapshot of each table."""

    number: int = 0
    release_id: str = ""
    created_at: datetime | None = None
    kind: str = ""
    readings: Mapping[str, Reading] = field(default_factory=dict)
    folded: frozenset[str] = frozenset()
    pins: Mapping[str, Pin] = field(default_factory=dict)

    @property
    def visible(self) -> dict[str, Reading]:
        """The readings that count, by id: of each drop one."""
        return {reading.reading_id: reading for reading in counting(self.readings.values())}

    @property
    def fresh(self) -> frozenset[str]:
        """The readings that count and are not folded yet."""
        return frozenset(self.visible) - self.folded

    def shows(self, reading: Reading, but: Collection[str] = ()) -> Reading | None:
        """The reading that makes this one superfluous, if any, not looking at some of them."""
        looked_at = counting(r for id_, r in self.readings.items() if id_ not in but)
        return next((r for r in looked_at if reading.repeats(r)), None)


@dataclass(frozen=True)
class Change:
    """What a release changes of the one before it. `folded` is the whole set, if it is another one."""

    kind: str
    add: tuple[Reading, ...] = ()
    remove: tuple[str, ...] = ()
    folded: frozenset[str] | None = None
    pins: Mapping[str, Pin] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How a commit ended: the release, whether it is this commit's own, and how often others came first."""

    release: Release
    done: bool
    conflicts: int = 0


class Ledger:
    """The ledger of a lake."""

    def __init__(self, lake: Lake, *, create: bool = False) -> None:
        self._lake = lake
        self._known: tuple[tuple[int, bool], list[Release]] | None = None
        self._release: Table | None = present(lake, RELEASE)
        self._loaded = time.monotonic()
        if create and self._release is None:
            ensure_namespace(lake)
            self._release = ensure(lake, RELEASE, lambda: schema(RELEASES), _LEDGER)

    def newest(self, as_of: datetime | None = None, *, age: float = 0) -> Release | None:
        """The newest release, or the one that was the newest at a time (UTC); None where there is none yet.

        The catalog is not asked again if it has been asked in the last `age` seconds.
        """
        if self._release is None:
            return None
        if time.monotonic() - self._loaded >= age:
            self._refresh()
        history = self._history(whole=as_of is not None)
        if as_of is not None:
            history = [r for r in history if r.created_at is not None and r.created_at <= as_of]
        return history[-1] if history else None

    def releases(self) -> list[Release]:
        """All releases, oldest first."""
        if self._release is None:
            return []
        self._refresh()
        return self._history(whole=True)

    def commit(self, decide: Callable[[Release], Change | None]) -> Outcome:
        """Add a release with what `decide` says of the newest one; without a change there is no commit.

        Tried until it wins or PATIENCE is over: then TargetError, and nothing has changed. After an unclear answer
        the ledger is read before the next try, which finds the release if it is there.
        """
        from pyiceberg.exceptions import CommitFailedException

        assert self._release is not None
        again: tuple[type[Exception], ...] = (CommitFailedException, *unclear_answers())
        release_id, start, conflicts, unclear = secrets.token_hex(8), time.monotonic(), 0, False
        while True:
            try:
                self._refresh()
                history = self._history(whole=unclear)
                newest = history[-1] if history else Release()
                if own := next((r for r in history if r.release_id == release_id), None):
                    return Outcome(own, True, conflicts)
                change = decide(newest)
                if change is None:
                    return Outcome(newest, False, conflicts)
                release = _next(newest, change, release_id)
                self._append(release, change)
                return Outcome(release, True, conflicts)
            except again as error:
                conflicts, unclear = conflicts + 1, True
                if time.monotonic() - start > PATIENCE:
                    raise TargetError(
                        f"Others kept writing to the lake {self._lake.name}: {conflicts} tries failed.",
                        "Readers see nothing of it. Run again when fewer write to the lake.",
                    ) from error
                pause(conflicts)

    def note(
        self, readings: Reading | Sequence[Reading], status: str, why: str = "", pins: Mapping[str, Pin] | None = None
    ) -> None:
        """Append rows about readings that are staged, discarded or set aside, in one commit.

        `pins` are the snapshots that have the rows of what is staged.
        """
        from moviehouse.lake.append import add_files, write_rows  # which needs this module

        several = [readings] if isinstance(readings, Reading) else readings
        said = {"status": status, "why": why, "noted_at": now(), "snapshots": _as_text(pins) if pins else None}
        table = evolved(ensure(self._lake, READING, lambda: schema(NOTED), PROPERTIES), NOTED)
        rows = arrow([{**_as_row(reading), **said} for reading in several], table.schema())
        add_files(self._lake, table, write_rows(rows, table))

    def noted(self, drop_id: str = "") -> list[dict[str, Any]]:
        """The rows about readings that were staged, discarded or set aside, oldest first; of one drop, if given."""
        table = present(self._lake, READING)
        which: dict[str, Any] = {"row_filter": f"drop_id == {literal(drop_id)}"} if drop_id else {}
        rows = table.scan(**which).to_arrow().to_pylist() if table is not None else []
        return sorted(rows, key=lambda row: (row["noted_at"], row["reading_id"]))

    def _refresh(self) -> None:
        assert self._release is not None
        self._release.refresh()
        self._loaded = time.monotonic()

    def _history(self, *, whole: bool) -> list[Release]:
        """The releases, oldest first; without `whole` those since the last one that has all readings."""
        assert self._release is not None
        snapshot = self._release.current_snapshot()
        if snapshot is None:
            return []
        asked = (snapshot.snapshot_id, whole)
        if self._known is None or self._known[0] != asked:
            self._known = asked, self._read(snapshot, whole=whole)
        return self._known[1]

    def _read(self, snapshot: Snapshot, *, whole: bool) -> list[Release]:
        assert self._release is not None
        since: dict[str, Any] = {}
        if not whole and snapshot.summary is not None and (base := snapshot.summary.additional_properties.get(_BASE)):
            since = {"row_filter": f"number >= {int(base)}"}
        rows = self._release.scan(**since, snapshot_id=snapshot.snapshot_id).to_arrow().to_pylist()
        releases: list[Release] = []
        for row in sorted(rows, key=lambda row: row["number"]):
            releases.append(_from_row(row, releases[-1] if releases else Release()))
        return releases

    def _append(self, release: Release, change: Change) -> None:
        assert self._release is not None
        base = release.number == 1 or release.number % BASE_EVERY == 0
        last = self._release.current_snapshot()
        known = last.summary.additional_properties if last is not None and last.summary is not None else {}
        properties = {
            _NUMBER: str(release.number),
            _BASE: str(release.number) if base else known.get(_BASE, "1"),
        }
        row = _release_row(release, change, base=base)
        self._release.append(arrow([row], self._release.schema()), snapshot_properties=properties)


def now() -> datetime:
    """The time in UTC, without a zone, as the lake's columns have it."""
    return datetime.now(UTC).replace(tzinfo=None)


def later(one: Mapping[str, Pin], other: Mapping[str, Pin]) -> dict[str, Pin]:
    """Of each table the later snapshot."""
    return {
        table: max((p[table] for p in (one, other) if table in p), key=lambda pin: pin.sequence)
        for table in {*one, *other}
    }


def _next(newest: Release, change: Change, release_id: str) -> Release:
    readings = {id_: r for id_, r in newest.readings.items() if id_ not in change.remove}
    readings |= {reading.reading_id: reading for reading in change.add}
    # Releases are ordered in time as by number, whatever the clocks of the loaders say.
    created = max(now(), newest.created_at or datetime.min)
    folded = newest.folded if change.folded is None else change.folded
    pins = later(newest.pins, change.pins)
    return Release(newest.number + 1, release_id, created, change.kind, readings, folded, pins)


def _as_row(reading: Reading) -> dict[str, Any]:
    row = {f.name: getattr(reading, f.name) for f in fields(reading)}
    return {**row, "rows": json.dumps(dict(reading.rows), sort_keys=True)}


def _as_text(pins: Mapping[str, Pin]) -> str:
    return json.dumps({table: [pin.snapshot_id, pin.sequence] for table, pin in pins.items()}, sort_keys=True)


def noted_pins(row: Mapping[str, Any]) -> dict[str, Pin]:
    """The snapshots that a row about a reading names."""
    return {table: Pin(*pin) for table, pin in json.loads(row.get("snapshots") or "{}").items()}


def reading_of(row: Mapping[str, Any]) -> Reading:
    """The reading that a row is about."""
    known = {f.name: row[f.name] for f in fields(Reading) if row.get(f.name) is not None}
    return replace(Reading(**known), rows=json.loads(row.get("rows") or "{}"))


def _release_row(release: Release, change: Change, *, base: bool) -> dict[str, Any]:
    added = release.readings.values() if base else change.add
    folded = release.folded if base or change.folded is not None else None
    return {
        "number": release.number,
        "release_id": release.release_id,
        "created_at": release.created_at,
        "kind": release.kind,
        "base": base,
        "added": [_as_row(reading) for reading in added],
        "removed": list(change.remove),
        "folded": None if folded is None else sorted(folded),
        "snapshots": [
            {"table": table, "snapshot_id": pin.snapshot_id, "sequence": pin.sequence}
            for table, pin in sorted(release.pins.items())
        ],
    }


def _from_row(row: Mapping[str, Any], before: Release) -> Release:
    kept = {} if row["base"] else {i: r for i, r in before.readings.items() if i not in (row["removed"] or ())}
    folded = before.folded if row["folded"] is None else frozenset(row["folded"])
    return Release(
        row["number"],
        row["release_id"],
        row["created_at"],
        row["kind"],
        kept | {r["reading_id"]: reading_of(r) for r in row["added"] or ()},
        folded,
        {pin["table"]: Pin(pin["snapshot_id"], pin["sequence"]) for pin in row["snapshots"]},
    )
