"""What a load into a lake did, and its upkeep, in a few lines."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rich.text import Text

from moviehouse.render.terminal import open_console, print_command
from moviehouse.safe import visible

if TYPE_CHECKING:
    from moviehouse.lake.load import Loaded
    from moviehouse.lake.maintain import Upkeep


def show_loaded(loaded: Loaded) -> None:
    """Print what was loaded, and what is visible now."""
    console, reading = open_console(), loaded.reading
    when = f"observed {reading.observed_at:%Y-%m-%d %H:%M:%S} UTC"
    if loaded.status == "already":
        place = f"stage {reading.stage}" if reading.stage else "lake"
        told = f"The {place} has this drop already ({when}, loaded from {visible(reading.source)})."
        console.print(Text(f"{told} Nothing was changed."))
        return
    kind = "a whole snapshot" if reading.full else "changes alone"
    rows = sum(reading.rows.values())
    console.print(
        Text(
            f"Loaded {visible(reading.source)}, {when}, {kind}: {reading.read:,} records read, {reading.loaded:,} "
            f"loaded, {reading.merged:,} merged, {reading.rejected:,} rejected; {rows:,} rows in "
            f"{len(reading.rows)} tables."
        )
    )
    if reading.stage:
        console.print(Text(f"It is staged: readers do not see it before stage {reading.stage} is published."))
        where = f"{reading.stage} --lake {shlex.quote(loaded.lake)}"
        print_command(console, "", f"moviehouse stage publish {where}")
        return
    console.print(Text(f"Release {loaded.release} of {visible(loaded.lake)} shows it.", style="green"))


def show_upkeep(done: Upkeep) -> None:
    """Print what upkeep did, and what it saved."""
    console = open_console()
    lines = [
        f"Folded {done.folded:,} readings, put the files of {len(done.compacted)} tables together.",
        f"Expired {done.expired:,} snapshots; removed {done.orphans:,} files that nothing names any more, "
        f"{done.orphan_bytes:,} bytes.",
        f"Files of the newest snapshots: {done.files_before:,} before, {done.files_after:,} after; "
        f"bytes: {done.bytes_before:,} before, {done.bytes_after:,} after.",
    ]
    if done.left:
        lines.append(f"Left to another upkeep, which does the same at the moment: {', '.join(done.left)}.")
    for line in lines:
        console.print(Text(line))
