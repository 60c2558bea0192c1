"""`moviehouse sample`: a generated dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import moviehouse
from moviehouse.commands import parameters as p
from moviehouse.progress import for_stream


def sample(
    out: Annotated[Path, Parameter(help="The zip to write; what was planted goes to OUT.planted.jsonl.")],
    /,
    *,
    movies: Annotated[int, Parameter(help="How many movies; the published dataset has 45,000.")] = 1000,
    ratings: Annotated[int, Parameter(help="How many ratings; the published dataset has 26,000,000.")] = 20_000,
    seed: Annotated[int, Parameter(help="Another seed gives another sample; the same gives the same bytes.")] = 1,
    quiet: p.Quiet = False,
    debug: p.Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Write a generated dataset in the original's exact format, with as many known oddities planted as fit.

    ```
    moviehouse sample sample.zip
    moviehouse sample large.zip --movies 45000 --ratings 26000000 --seed 7
    ```
    """
    made = moviehouse.sample(out, movies=movies, ratings=ratings, seed=seed, progress=for_stream(quiet=quiet))
    if not quiet:
        print(
            f"{made.path}: {made.movies:,} movies, {made.ratings:,} ratings, seed {made.seed}.\n"
            f"{made.planted_path}: the {made.planted:,} oddities planted, by file, line and reason.\n"
            f"Next: moviehouse {made.path}"
        )
    return 0
