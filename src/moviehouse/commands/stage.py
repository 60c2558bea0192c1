"""`moviehouse stage`: what was loaded beside production, to publish it whole, or to give it up."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Group, Parameter

import moviehouse
from moviehouse.commands import parameters as p
from moviehouse.commands.source import print_json
from moviehouse.progress import for_stream
from moviehouse.render.values import json_value

if TYPE_CHECKING:
    from moviehouse.lake.publish import StageChange

HELP = """Check, publish, undo or discard what was loaded beside production: a backfill, or drops under corrected logic.

`moviehouse load SOURCE --lake LAKE --stage NAME` adds a drop to a stage, which no reader sees. Any number of drops may
follow, from several loaders, for as long as it takes, while others load into production. A stage becomes visible in
one step, or not at all; of a drop that was read by older logic too, the newer reading counts.

```
moviehouse load 2024-01-01.zip --lake ./lake --stage year-2024
moviehouse stage list --lake ./lake
moviehouse stage show year-2024 --lake ./lake
moviehouse ask genre-most-popular-by-year --lake ./lake --stage year-2024
moviehouse stage check year-2024 --lake ./lake
moviehouse stage publish year-2024 --lake ./lake
moviehouse stage undo year-2024 --lake ./lake
moviehouse stage discard year-2024 --lake ./lake
```
"""

stage = App(name="stage", help=HELP, help_format="markdown", group_commands=Group("Commands", sort_key=0))

_Name = Annotated[str, Parameter(help="The name of the stage.")]


@stage.command(name="list", sort_key=0)
def list_(
    *,
    lake: p.TargetLake,
    format: p.Form = "table",
    debug: p.Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """List the stages of a lake: how much is in each, and whether it is published. The newest comes last.

    ```
    moviehouse stage list --lake ./lake
    ```
    """
    from moviehouse.render.stages import show_stages

    show_stages(moviehouse.stages(lake).list(), format, lake)
    return 0


@stage.command(sort_key=1)
def show(
    name: _Name,
    /,
    *,
    lake: p.TargetLake,
    format: p.Form = "table",
    debug: p.Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Show the readings of a stage, in the order in which their drops were observed.

    ```
    moviehouse stage show year-2024 --lake ./lake
    moviehouse stage show year-2024 --lake ./lake --format csv > year-2024.csv
    ```
    """
    from moviehouse.render.stages import show_stage

    show_stage(moviehouse.stages(lake).show(name), format)
    return 0


@stage.command(sort_key=2)
def check(
    name: _Name,
    /,
    *,
    lake: p.TargetLake,
    memory_limit: p.Memory = "2GiB",
    quiet: p.Quiet = False,
    json: p.ResultAsJson = False,
    debug: p.Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Check the release that would result from publishing a stage: nothing lost, and that the answers add up.

    Every drop has passed the gates of a load; these are those of a build, but for the balance. It reads all of the
    release, changes nothing, and exits with 3 where a gate fails that does not fail without the stage, so that
    publishing may depend on it.

    ```
    moviehouse stage check year-2024 --lake ./lake
    moviehouse stage check year-2024 --lake ./lake --quiet --json
    ```
    """
    found = moviehouse.stages(lake).check(name, memory_limit=memory_limit, progress=for_stream(quiet=quiet))
    if json:
        print_json(json_value(asdict(found)))
    elif not quiet:
        from moviehouse.render.stages import show_check

        show_check(found)
    found.refuse()
    return 0


@stage.command(sort_key=3)
def publish(
    name: _Name,
    /,
    *,
    lake: p.TargetLake,
    quiet: p.Quiet = False,
    json: p.ResultAsJson = False,
    debug: p.Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Make a stage visible, all of it in one step: readers see the release before it, or the one with it.

    Of a drop that older logic has read too, the reading of the stage counts. Compare first: ask, trace and sql take
    --stage. What is published already is left as it is.

    ```
    moviehouse stage publish year-2024 --lake ./lake
    ```
    """
    _tell(moviehouse.stages(lake).publish(name), "published", quiet=quiet, json=json)
    return 0


@stage.command(sort_key=4)
def undo(
    name: _Name,
    /,
    *,
    lake: p.TargetLake,
    quiet: p.Quiet = False,
    json: p.ResultAsJson = False,
    debug: p.Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Take a published stage out again, in one step: what it hid counts again, and what was loaded since stays.

    Its readings wait as they did before: publish them again, or discard them.

    ```
    moviehouse stage undo year-2024 --lake ./lake
    ```
    """
    _tell(moviehouse.stages(lake).undo(name), "undone", quiet=quiet, json=json)
    return 0


@stage.command(sort_key=5)
def discard(
    name: _Name,
    /,
    *,
    lake: p.TargetLake,
    quiet: p.Quiet = False,
    json: p.ResultAsJson = False,
    debug: p.Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Give up what waits in a stage. Upkeep removes the rows that no release has had; its name may be used again.

    ```
    moviehouse stage discard year-2024 --lake ./lake
    ```
    """
    _tell(moviehouse.stages(lake).discard(name), "discarded", quiet=quiet, json=json)
    return 0


def _tell(change: StageChange, asked: str, *, quiet: bool, json: bool) -> None:
    from moviehouse.render.stages import show_change

    if json:
        print_json(asdict(change))
    elif not quiet:
        show_change(change, asked)
