"""`moviehouse publish`: a release into PostgreSQL."""

from __future__ import annotations

import json as json_
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import moviehouse
from moviehouse.progress import for_stream
from moviehouse.safe import visible_json


def publish(
    release: Annotated[Path, Parameter(help="A release, or the output directory that holds it.")],
    target: Annotated[str, Parameter(help="postgresql://USER@HOST:PORT/DATABASE, with libpq's parameters.")],
    /,
    *,
    schema: Annotated[str, Parameter(help="The schema, which is the release's alone.")] = "moviehouse",
    wait: Annotated[
        float, Parameter(help="Seconds to wait for another publish, and for readers of the old release.")
    ] = 60,
    force: Annotated[
        bool, Parameter(negative="", show_default=False, help="Publish even if this release is there already.")
    ] = False,
    quiet: Annotated[
        bool, Parameter(name=["--quiet", "-q"], negative="", show_default=False, help="Print nothing but errors.")
    ] = False,
    json: Annotated[
        bool, Parameter(name="--json", negative="", show_default=False, help="Print what was done as JSON.")
    ] = False,
    debug: Annotated[  # noqa: ARG001  (seen by `run`)
        bool, Parameter(negative="", show_default=False, help="Show a traceback with an error.")
    ] = False,
) -> int:
    """Put a release into PostgreSQL: tables with keys, references, checks and comments, the questions as views.

    Readers see the release that was there before until the new one is complete; the two change places in one
    transaction. The same release again changes nothing. A failure, or a kill, leaves what was there.

    The password comes from ~/.pgpass, a service file, PGPASSWORD or the address, as with psql. Needs the extra:
    pip install 'moviehouse[postgres]'.

    ```
    moviehouse publish moviehouse-out postgresql://me@db.example.com/movies
    moviehouse publish moviehouse-out "postgresql://db/movies?sslmode=verify-full"
    moviehouse publish results "postgresql://?service=movies" --schema staging
    ```
    """
    done = moviehouse.publish(release, target, schema=schema, wait=wait, force=force, progress=for_stream(quiet=quiet))
    if json:
        print(visible_json(json_.dumps(asdict(done), ensure_ascii=False)))
    elif not quiet:
        from moviehouse.render.publication import show_publication

        show_publication(done)
    return 0
