"""The stages of a lake, their readings, and what was done to one."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.text import Text

from moviehouse.render.formats import write_rows
from moviehouse.render.table import print_table
from moviehouse.render.terminal import open_console, print_command
from moviehouse.render.values import cell_text
from moviehouse.safe import visible
from moviehouse.steps.check import offending

if TYPE_CHECKING:
    from rich.console import Console

    from moviehouse.lake.ledger import Reading
    from moviehouse.lake.publish import StageChange
    from moviehouse.lake.stage_check import StageCheck
    from moviehouse.lake.stages import Stage
    from moviehouse.steps.check import Outcome

_STAGES = ("stage", "status", "readings", "rows", "observed_from", "observed_to", "begun_at", "last_at")
_READINGS = (
    "observed_at", "status", "logic", "full", "read", "loaded", "merged", "rejected", "rows", "source", "reading_id",
)  # fmt: skip
_TEXTS = {"stage", "status", "source", "reading_id"}


def show_stages(stages: Sequence[Stage], form: str, lake: str) -> None:
    """Print the stages, one a line."""
    rows = []
    for stage in stages:
        readings = stage.readings or stage.discarded
        times = (readings[0].observed_at, readings[-1].observed_at, stage.begun_at, stage.last_at)
        rows.append((stage.name, stage.status, len(stage.readings), stage.rows, *times))
    if not rows and form == "table":
        console = open_console()
        console.print(Text("The lake has no stage."))
        again = f"moviehouse load SOURCE --lake {shlex.quote(lake)} --stage NAME"
        print_command(console, "Make one: ", again)
        return
    _show(form, _STAGES, rows)


def show_stage(stage: Stage, form: str) -> None:
    """Print a stage and its readings, one a line."""
    rows = list(_rows(stage))
    if form == "table":
        told = f"Stage {stage.name}, {stage.status}: {_readings(len(stage.readings))}, {stage.rows:,} rows."
        open_console().print(Text(told, style="bold"))
    _show(form, _READINGS, rows)


def _readings(count: int) -> str:
    return "1 reading" if count == 1 else f"{count:,} readings"


def _rows(stage: Stage) -> Iterable[tuple[Any, ...]]:
    named: list[tuple[Reading, str]] = []
    for status in ("staged", "published", "discarded"):
        named += [(reading, status) for reading in getattr(stage, status)]
    for reading, status in sorted(named, key=lambda pair: (pair[0].token, pair[0].reading_id)):
        records = (reading.read, reading.loaded, reading.merged, reading.rejected, sum(reading.rows.values()))
        about = (reading.observed_at, status, reading.logic, reading.full)
        yield (*about, *records, reading.source, reading.reading_id)


def _show(form: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    if form != "table":
        write_rows(form, columns, rows)
        return
    cells = [[_cell(value) for value in row] for row in rows]
    print_table(open_console(), columns, cells, {*_TEXTS} & {*columns})


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else visible(str(value if value is not None else ""))


def show_check(found: StageCheck) -> None:
    """Print what was found of the release that would result: what fails, and the first offending rows of it."""
    console, failed = open_console(), [o for o in found.outcomes if not o.passed]
    where = f"{found.stage} --lake {shlex.quote(found.lake)}"
    on = f"release {found.release} of {visible(found.lake)}"
    if found.status == "published":
        what = f"Stage {found.stage} is in {on}"
    else:
        what = f"Stage {found.stage} {'on top of ' + on if found.release else 'of ' + visible(found.lake)}"
    passed = f"{len(found.outcomes) - len(failed)} of {len(found.outcomes)} checks passed."
    console.print(Text(f"{what}: {passed}", style="" if failed else "green"))
    for outcome in failed:
        _show_failed(console, outcome, found)
    if found.status != "published" and not found.failed:
        print_command(console, "To publish it: ", f"moviehouse stage publish {where}")


def _show_failed(console: Console, outcome: Outcome, found: StageCheck) -> None:
    before = found.before.get(outcome.check, 0)
    without = f", {before:,} without the stage" if before else ""
    console.print(Text(f"\n{outcome.check}: {offending(outcome)}{without}", style="bold"))
    console.print(Text(outcome.meaning))
    cells = [[cell_text(value) for value in example] for example in outcome.examples]
    print_table(console, outcome.columns, cells, outcome.columns, indent=2)


_NOTHING = {
    "published": "All of stage {stage} is published already",
    "undone": "Nothing of stage {stage} is published",
    "discarded": "All of stage {stage} is discarded already",
}


def show_change(change: StageChange, asked: str) -> None:
    """Print what was done to a stage; `asked` is the status that was asked for."""
    console, lake = open_console(), visible(change.lake)
    if change.status == "already":
        console.print(Text(f"{_NOTHING[asked].format(stage=change.stage)}. Nothing was changed."))
        return
    readings = _readings(change.readings)
    where = f"{change.stage} --lake {shlex.quote(change.lake)}"
    if change.status == "published":
        hidden = f", which hide {change.hidden:,} by older logic" if change.hidden else ""
        told = f"Release {change.release} of {lake} shows stage {change.stage}: {readings}{hidden}."
        console.print(Text(told, style="green"))
        print_command(console, "To take it out again: ", f"moviehouse stage undo {where}")
    elif change.status == "undone":
        hidden = f"; {change.hidden:,} that these hid count again" if change.hidden else ""
        told = f"Release {change.release} of {lake} is without stage {change.stage}: {readings} taken out{hidden}."
        console.print(Text(told, style="green"))
        print_command(console, "To give it up: ", f"moviehouse stage discard {where}")
    else:
        told = f"Stage {change.stage} of {lake} is discarded: {readings}."
        console.print(Text(f"{told} Upkeep removes the rows that no release has had."))
