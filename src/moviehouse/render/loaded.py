"""What a load into a lake did, in a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from moviehouse.render.terminal import open_console
from moviehouse.safe import visible

if TYPE_CHECKING:
    from moviehouse.lake.load import Loaded


def show_loaded(loaded: Loaded) -> None:
    """Print what was loaded, and what is visible now."""
    console, reading = open_console(), loaded.reading
    when = f"observed {reading.observed_at:%Y-%m-%d %H:%M:%S} UTC"
    if loaded.status == "already":
        told = f"The lake has this drop already ({when}, loaded from {visible(reading.source)}). Nothing was changed."
        console.print(Text(told))
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
    console.print(Text(f"Release {loaded.release} of {visible(loaded.lake)} shows it.", style="green"))
