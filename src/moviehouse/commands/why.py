"""`moviehouse why`: everything about one movie."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

import moviehouse
from moviehouse.commands import parameters as p


def why(
    movie: Annotated[str, Parameter(help="TMDB's id of the movie, IMDb's, or its title.")],
    /,
    *,
    release: p.Release = p.DEFAULT_OUT,
    lake: p.Lake = None,
    as_of: p.AsOf = None,
    stage: p.Stage = None,
    cache: p.Cache = None,
    format: Annotated[Literal["table", "json"], Parameter(help="How to print it.")] = "table",
    debug: p.Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Tell everything about one movie: its raw record, what was done to it, its rows, its part in every answer.

    The raw record is shown byte for byte if the source is still where it was, or in the cache of downloads. A movie
    that could not be loaded is told of too. A lake has no raw records, and knows the movies that were loaded.

    ```
    moviehouse why 10663
    moviehouse why tt0120484
    moviehouse why "the waterboy" --format json
    moviehouse why 862 --lake ./lake
    ```
    """
    from moviehouse.render.why import show_why

    if lake is None:
        p.of_a_lake(as_of, stage)
    told = moviehouse.why(movie, release, lake=lake, as_of=as_of, stage=stage, cache=cache)
    show_why(told, format, release if lake is None else lake)
    return 0
