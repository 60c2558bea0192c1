"""Publishes the stages of a lake, takes them out again, and discards them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from moviehouse.errors import TargetError, UsageError
from moviehouse.lake.catalog import Lake, open_lake, told
from moviehouse.lake.ledger import Change, Ledger, Pin, Release
from moviehouse.lake.stages import DISCARDED, Stage, all_stages, discarded, find_stage, noted_stages

if TYPE_CHECKING:
    from moviehouse.lake.stage_check import StageCheck
    from moviehouse.progress import Progress


@dataclass(frozen=True)
class StageChange:
    """What was done to a stage.

    `status` is "published", "undone" or "discarded"; "already" where there was nothing to do. `readings` is how many
    were published, taken out or discarded; `hidden` how many of older logic these hide since they are published, or
    hid until they were taken out. `release` is the newest one, `conflicts` how often another commit came first.
    """

    lake: str
    stage: str
    status: str
    release: int
    readings: int = 0
    hidden: int = 0
    conflicts: int = 0


class Stages:
    """The stages of a lake: what `moviehouse.load(…, stage=NAME)` loaded beside production.

    Every method raises UsageError for a name that the lake does not have, and SourceError or TargetError where the
    lake cannot be used.
    """

    def __init__(self, lake: str | Path) -> None:
        self._address = str(lake)

    def list(self) -> tuple[Stage, ...]:
        """All stages; the one that was loaded into last comes last."""
        lake = open_lake(self._address)
        with told(lake.name, writing=False):
            ledger = Ledger(lake)
            return tuple(all_stages(noted_stages(ledger.noted()), ledger.newest() or Release()).values())

    def show(self, name: str) -> Stage:
        """One stage with its readings."""
        lake = open_lake(self._address)
        with told(lake.name, writing=False):
            ledger = Ledger(lake)
            return find_stage(ledger, ledger.newest() or Release(), lake.name, name)[0]

    def check(self, name: str, *, memory_limit: str = "2GiB", progress: Progress | None = None) -> StageCheck:
        """Check the newest release as it would be with a stage published; nothing is changed.

        All of that release is read: what a build checks of its result but the balance, and whether the lake has the
        rows of the stage that the ledger counts. `StageCheck.refuse` raises GateError where a gate fails that does not
        fail without the stage.
        """
        from moviehouse.lake.stage_check import check_stage
        from moviehouse.progress import Quiet

        return check_stage(self._address, name, progress or Quiet(), memory_limit)

    def publish(self, name: str) -> StageChange:
        """Make all readings of a stage visible, in one commit; those of the same drops by older logic are hidden."""

        def change(stage: Stage, pins: Mapping[str, Pin], lake: str) -> Change | None:
            if stage.status == DISCARDED:
                raise discarded(stage, lake)
            return Change("publish", stage.staged, pins=pins) if stage.staged else None

        return self._commit(name, "published", change)

    def undo(self, name: str) -> StageChange:
        """Take the readings of a stage out of what is visible, in one commit; they wait again, as before it."""

        def change(stage: Stage, _pins: Mapping[str, Pin], _lake: str) -> Change | None:
            shown = tuple(reading.reading_id for reading in stage.published)
            return Change("undo", remove=shown) if shown else None

        return self._commit(name, "undone", change)

    def discard(self, name: str) -> StageChange:
        """Give up what waits in a stage; upkeep removes the rows that no release has had.

        What is published has to be undone first.
        """
        lake = open_lake(self._address)
        with told(lake.name, writing=True):
            ledger = Ledger(lake)
            newest = ledger.newest() or Release()
            stage, _ = find_stage(ledger, newest, lake.name, name)
            if not stage.staged and stage.published:
                raise UsageError(
                    f"The stage {name} of the lake {lake.name} is published.",
                    f"Take it out first: moviehouse stage undo {name} --lake {lake.name}",
                )
            if stage.staged:
                ledger.note(stage.staged, DISCARDED)
                newest = _still_hidden(ledger, stage, lake)
        status = "discarded" if stage.staged else "already"
        return StageChange(lake.name, name, status, newest.number, len(stage.staged))

    def _commit(
        self, name: str, done: str, change: Callable[[Stage, Mapping[str, Pin], str], Change | None]
    ) -> StageChange:
        lake, before = open_lake(self._address), Release()
        with told(lake.name, writing=True):
            ledger = Ledger(lake)
            find_stage(ledger, ledger.newest() or before, lake.name, name)  # says so where there is none

            def decide(newest: Release) -> Change | None:
                nonlocal before
                before = newest
                return change(*find_stage(ledger, newest, lake.name, name), lake.name)

            outcome = ledger.commit(decide)
        if not outcome.done:
            return StageChange(lake.name, name, "already", outcome.release.number, conflicts=outcome.conflicts)
        one, other = before.readings.keys(), outcome.release.readings.keys()
        hidden = (before.visible.keys() ^ outcome.release.visible.keys()) & one & other
        return StageChange(
            lake.name, name, done, outcome.release.number, len(one ^ other), len(hidden), outcome.conflicts
        )


def _still_hidden(ledger: Ledger, stage: Stage, lake: Lake) -> Release:
    """The newest release, which has none of what was just discarded; TargetError where it was published meanwhile."""
    newest = ledger.newest() or Release()
    if any(reading.reading_id in newest.readings for reading in stage.staged):
        raise TargetError(
            f"The stage {stage.name} was published at the same moment, and is visible.",
            f"Take it out: moviehouse stage undo {stage.name} --lake {lake.name}",
            retry=False,
        )
    return newest
