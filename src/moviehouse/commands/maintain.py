"""`moviehouse maintain`: the upkeep of a lake."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

import moviehouse
from moviehouse.commands import parameters as p
from moviehouse.commands.source import print_json
from moviehouse.progress import for_stream


def maintain(
    *,
    lake: p.TargetLake,
    keep_days: Annotated[
        float, Parameter(help="How many days releases are kept for those who read them, or ask for them by --as-of.")
    ] = 7,
    grace_hours: Annotated[
        float,
        Parameter(help="After how many hours a load that has not ended is dead; 0 only while nobody loads or reads."),
    ] = 24,
    memory_limit: p.Memory = "2GiB",
    quiet: p.Quiet = False,
    json: p.ResultAsJson = False,
    debug: p.Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Keep a lake fast and small: fold, compact, expire, and remove what dead loads left.

    Nobody who reads or loads meanwhile notices, and it may be stopped or killed at any time. Run it once a day.

    ```
    moviehouse maintain --lake ./lake
    moviehouse maintain --lake production --keep-days 30
    ```
    """
    done = moviehouse.maintain(
        lake,
        keep_days=keep_days,
        grace_hours=grace_hours,
        memory_limit=memory_limit,
        progress=for_stream(quiet=quiet),
    )
    if json:
        print_json(asdict(done))
    elif not quiet:
        from moviehouse.render.loaded import show_upkeep

        show_upkeep(done)
    return 0
