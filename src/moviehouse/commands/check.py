"""`moviehouse check`: what a build would say, without one."""

from __future__ import annotations

from dataclasses import asdict

import moviehouse
from moviehouse.commands import parameters as p
from moviehouse.commands.source import must_exist, print_json
from moviehouse.progress import for_stream


def check(
    source: p.Source,
    /,
    *,
    reading: p.Reading = p.AS_USUAL,
    quiet: p.Quiet = False,
    json: p.AsJson = False,
    debug: p.Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Read and check SOURCE, report what a build would say of it, and write nothing.

    With --json the error log's lines follow the run record, one JSON object per line.

    ```
    moviehouse check the-movies-dataset.zip
    moviehouse check ./csv-files --json --quiet > check.jsonl
    ```
    """
    must_exist(source)
    checked = moviehouse.check(
        source,
        progress=for_stream(quiet=quiet),
        **reading.options,
    )
    if json:
        print_json(asdict(checked.run))
        for line in checked.log:
            print_json(line)
    elif not quiet:
        from moviehouse.render.terminal import show_checked

        show_checked(checked)
    return 0
