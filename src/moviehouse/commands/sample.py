"""`moviehouse sample`: a generated dataset, or drops of one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import moviehouse
from moviehouse.commands import parameters as p
from moviehouse.errors import UsageError
from moviehouse.progress import Progress, for_stream

PUBLISHED = 45_000


def sample(
    out: Annotated[Path, Parameter(help="The zip to write; what was planted goes to OUT.planted.jsonl.")],
    /,
    *,
    movies: Annotated[
        int | None, Parameter(help="How many movies; the published dataset has 45,000 [default: 1000].")
    ] = None,
    scale: Annotated[
        float | None, Parameter(help="How many times as many movies as published, instead of --movies.")
    ] = None,
    ratings: Annotated[int, Parameter(help="How many ratings; the published dataset has 26,000,000.")] = 20_000,
    drops: Annotated[
        int | None,
        Parameter(help="Make OUT a directory of so many drops, with a manifest of what comes when."),
    ] = None,
    every: Annotated[str, Parameter(help="How long it is from drop to drop, such as 30m, 1h or 1d.")] = "1h",
    parts: Annotated[int, Parameter(help="How many zips the first drop comes in.")] = 1,
    seed: Annotated[int, Parameter(help="Another seed gives another sample; the same gives the same bytes.")] = 1,
    quiet: p.Quiet = False,
    debug: p.Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Write a generated dataset in the original's exact format, with as many known oddities planted as fit.

    ```
    moviehouse sample sample.zip
    moviehouse sample large.zip --movies 45000 --ratings 26000000 --seed 7
    moviehouse sample drops --drops 48 --every 1h --scale 0.1
    ```

    With --drops it writes drops for a lake instead: one whole snapshot, then what was seen in each hour. Some come
    late, twice or broken, and every 24th is a whole snapshot again; OUT/manifest.jsonl says which and why.
    """
    count, progress = _movies(movies, scale), for_stream(quiet=quiet)
    if drops is not None:
        return _drops(out, drops, every, count, ratings, parts, seed, progress, quiet=quiet)
    if every != "1h" or parts != 1:
        raise UsageError("--every and --parts are about drops.", "Give --drops too.")
    made = moviehouse.sample(out, movies=count, ratings=ratings, seed=seed, progress=progress)
    if not quiet:
        print(
            f"{made.path}: {made.movies:,} movies, {made.ratings:,} ratings, seed {made.seed}.\n"
            f"{made.planted_path}: the {made.planted:,} oddities planted, by file, line and reason.\n"
            f"Next: moviehouse {made.path}"
        )
    return 0


def _movies(movies: int | None, scale: float | None) -> int:
    if movies is not None and scale is not None:
        raise UsageError("--movies and --scale both say how many movies.", "Give one of them.")
    if scale is None:
        return 1000 if movies is None else movies
    if not 0 < scale <= 10_000:
        raise UsageError("--scale must be above 0 and at most 10000.")
    return max(1, round(scale * PUBLISHED))


def _drops(
    out: Path,
    drops: int,
    every: str,
    movies: int,
    ratings: int,
    parts: int,
    seed: int,
    progress: Progress,
    *,
    quiet: bool,
) -> int:
    made = moviehouse.sample_drops(
        out, drops=drops, every=every, movies=movies, ratings=ratings, parts=parts, seed=seed, progress=progress
    )
    if not quiet:
        print(
            f"{made.path}: {made.drops:,} drops in {made.files:,} files, seed {made.seed}.\n"
            f"{made.manifest}: the {made.lines:,} deliveries in their order, with what is late, repeated or broken."
        )
    return 0
