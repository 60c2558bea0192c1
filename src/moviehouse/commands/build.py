"""`moviehouse build`, which `moviehouse SOURCE` is short for."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

from cyclopts import Parameter

import moviehouse
from moviehouse.commands import parameters as p
from moviehouse.commands.source import must_exist, print_json
from moviehouse.progress import for_stream


def build(
    source: p.Source,
    /,
    *,
    out: p.Out = p.DEFAULT_OUT,
    format: Annotated[Literal["parquet", "csv"], Parameter(help="Format of tables/.")] = "parquet",
    reading: p.Reading = p.AS_USUAL,
    wait: Annotated[float, Parameter(help="How many seconds to wait for another run into the same OUT.")] = 0,
    no_report: Annotated[bool, Parameter(negative="", show_default=False, help="Leave report.html out.")] = False,
    engine: p.Engine = "duckdb",
    spark_master: p.SparkMaster = None,
    spark_conf: p.SparkConf = None,
    spark_staging: p.SparkStaging = None,
    quiet: p.Quiet = False,
    json: p.AsJson = False,
    debug: p.Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Build a release from SOURCE. `moviehouse SOURCE` is short for it.

    A file named like a command is written with its folder: `moviehouse ./ask`.

    ```
    moviehouse build the-movies-dataset.zip
    moviehouse build https://example.org/the-movies-dataset.zip --out results
    moviehouse build ./csv-files --format csv --encoding latin-1 --quiet
    moviehouse build ratings.zip --engine spark --spark-master spark://host:7077
    ```
    """
    must_exist(source)
    release = moviehouse.build(
        source,
        out,
        progress=for_stream(quiet=quiet),
        format=format,
        **reading.options,
        wait=wait,
        report=not no_report,
        **p.where(engine, spark_master, spark_conf, spark_staging),
    )
    if json:
        print_json(asdict(release.run) | {"release": str(release.path), "out": str(release.out)})
    elif not quiet:
        from moviehouse.render.terminal import show_release

        show_release(release)
    return 0
