"""Stages: readings that are loaded beside production, and become visible together or not at all.

The ledger's table `reading` has a row for each reading of a stage, and another one once it is discarded; of the
releases the newest says whether it is published. Nothing else is written about a stage: its name is all that its
readings share. To publish one is one commit to the table of releases, and so is to undo it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from moviehouse.errors import UsageError
from moviehouse.hints import did_you_mean, near
from moviehouse.lake.ledger import Ledger, Pin, Reading, Release, later, noted_pins, reading_of

STAGED, DISCARDED = "staged", "discarded"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_MOST_NAMES = 10


@dataclass(frozen=True)
class Note:
    """What is noted of a reading of a stage: the snapshots that have its rows, when it was staged, and discarded."""

    reading: Reading
    pins: Mapping[str, Pin]
    staged_at: datetime
    discarded_at: datetime | None = None


@dataclass(frozen=True)
class Stage:
    """The readings that were loaded under one name, each in the order of their observation.

    Those `staged` wait, those `published` are in the newest release, and those `discarded` never will be. `begun_at`
    and `last_at` (UTC) are when the first load began, and when the last one was staged.
    """

    name: str
    staged: tuple[Reading, ...]
    published: tuple[Reading, ...]
    discarded: tuple[Reading, ...]
    begun_at: datetime | None
    last_at: datetime | None

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The readings that it has: all but those that were discarded."""
        return tuple(sorted((*self.staged, *self.published), key=lambda r: (r.token, r.reading_id)))

    @property
    def status(self) -> str:
        """staged, published, partly published, or discarded."""
        if not self.published:
            return STAGED if self.staged else DISCARDED
        return "partly published" if self.staged else "published"

    @property
    def rows(self) -> int:
        """The rows of its readings."""
        return sum(sum(reading.rows.values()) for reading in self.readings)


def checked_name(name: str) -> str:
    """The name of a stage as it is; UsageError where it cannot be one."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a stage.",
            "Use letters, digits, dots, dashes and underscores: --stage logic-2-of-2024",
        )
    return name


def noted_stages(rows: Iterable[Mapping[str, object]]) -> dict[str, Note]:
    """What rows of the ledger's table `reading` say of the readings of stages, by reading.

    A reading that is discarded stays so, whatever the clocks of those say who noted it.
    """
    found: dict[str, Note] = {}
    gone: dict[str, datetime] = {}
    for row in rows:
        reading_id, noted_at = row["reading_id"], row["noted_at"]
        assert isinstance(reading_id, str)
        assert isinstance(noted_at, datetime)
        if row["status"] == STAGED:
            found[reading_id] = Note(reading_of(row), noted_pins(row), noted_at)
        elif row["status"] == DISCARDED:
            gone[reading_id] = max(noted_at, gone.get(reading_id, noted_at))
    return {id_: replace(note, discarded_at=gone.get(id_)) for id_, note in found.items()}


def waiting(notes: Mapping[str, Note], shown: Collection[str]) -> dict[str, Note]:
    """The readings that may yet be published for the first time: not discarded, and not among those shown ever."""
    return {id_: note for id_, note in notes.items() if note.discarded_at is None and id_ not in shown}


def newest_pins(notes: Iterable[Note]) -> dict[str, dict[str, Pin]]:
    """By stage the latest snapshot of each table that a note names: it has all the rows of the stage."""
    found: dict[str, dict[str, Pin]] = {}
    for note in notes:
        found[note.reading.stage] = later(found.get(note.reading.stage, {}), note.pins)
    return found


def staged_already(ledger: Ledger, reading: Reading) -> Reading | None:
    """The reading of the same stage that makes this one superfluous, if any."""
    if not reading.stage:
        return None
    for note in noted_stages(ledger.noted(reading.drop_id)).values():
        same = note.reading.stage == reading.stage and note.discarded_at is None
        if same and reading.repeats(note.reading):
            return note.reading
    return None


def shown_already(ledger: Ledger, newest: Release, reading: Reading) -> Reading | None:
    """The reading in a release that makes this one superfluous, if any.

    Not one that came through another stage: to undo that would take the drop away.
    """
    if newest.shows(reading) is None:
        return None
    notes = noted_stages(ledger.noted(reading.drop_id))
    return newest.shows(reading, {id_ for id_, note in notes.items() if note.reading.stage != reading.stage})


def all_stages(notes: Mapping[str, Note], newest: Release) -> dict[str, Stage]:
    """The stages by name, those whose last load was staged last at the end."""
    by_name: dict[str, list[Note]] = {}
    for note in sorted(notes.values(), key=lambda note: (note.reading.token, note.reading.reading_id)):
        by_name.setdefault(note.reading.stage, []).append(note)
    made = (_stage(name, listed, newest) for name, listed in by_name.items())
    return {stage.name: stage for stage in sorted(made, key=lambda s: (s.last_at or datetime.min, s.name))}


def _stage(name: str, notes: list[Note], newest: Release) -> Stage:
    """A stage. What the newest release shows is published, even if it was discarded at the same moment."""
    hidden = [n for n in notes if n.reading.reading_id not in newest.readings]
    published = [n for n in notes if n.reading.reading_id in newest.readings]
    discarded = [n for n in hidden if n.discarded_at is not None]
    staged = [n for n in hidden if n.discarded_at is None]
    kept = [*staged, *published] or notes
    begun = [n.reading.begun_at for n in kept if n.reading.begun_at is not None]
    return Stage(
        name,
        tuple(n.reading for n in staged),
        tuple(n.reading for n in published),
        tuple(n.reading for n in discarded),
        min(begun, default=None),
        max(n.staged_at for n in kept),
    )


def find_stage(ledger: Ledger, newest: Release, lake: str, name: str) -> tuple[Stage, dict[str, Pin]]:
    """The stage of a name, and the snapshots that have the rows of what waits in it.

    Raises UsageError, with the names that were perhaps meant, where there is none.
    """
    notes = noted_stages(ledger.noted())
    stages = all_stages(notes, newest)
    if name not in stages:
        raise _unknown(name, lake, list(stages))
    waits = {reading.reading_id for reading in stages[name].staged}
    pins = newest_pins(note for id_, note in notes.items() if id_ in waits)
    return stages[name], pins.get(name, {})


def _unknown(name: str, lake: str, known: list[str]) -> UsageError:
    message = f"The lake {lake} has no stage {name!r}."
    if not known:
        return UsageError(message, f"It has none. Make one: moviehouse load SOURCE --lake {lake} --stage NAME")
    last = ", ".join(reversed(known[-_MOST_NAMES:]))
    more = f" and {len(known) - _MOST_NAMES} older ones" if len(known) > _MOST_NAMES else ""
    return UsageError(message, did_you_mean(near(name, known), f"Those there are: {last}{more}."))


def with_stage(ledger: Ledger, lake: str, name: str) -> Release:
    """The newest release as it would be with a stage published; UsageError where there is no such stage."""
    newest = ledger.newest() or Release()
    stage, pins = find_stage(ledger, newest, lake, name)
    if stage.status == DISCARDED:
        raise discarded(stage, lake)
    added = {reading.reading_id: reading for reading in stage.staged}
    return replace(newest, readings={**newest.readings, **added}, pins=later(newest.pins, pins))


def discarded(stage: Stage, lake: str) -> UsageError:
    """The error that a stage is gone."""
    again = f"Load its drops again: moviehouse load SOURCE --lake {lake} --stage {stage.name}"
    return UsageError(f"The stage {stage.name} of the lake {lake} was discarded.", again)
