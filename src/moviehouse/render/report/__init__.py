"""The report: a release as one page that opens offline, pictures first. It reads a release and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from moviehouse.run import RunRecord

NAME = "report.html"


def write_report(rows: Callable[[str], list[tuple[Any, ...]]], release: Path, run: RunRecord) -> Path:
    """Write report.html into the directory of a release; gives its path.

    `rows` asks the release's database a query; `run` is what its run.json holds, or will.
    """
    from moviehouse.render.report.gather import gather
    from moviehouse.render.report.page import render

    path = release / NAME
    path.write_text(render(gather(rows, release), run), encoding="utf-8", newline="\n")
    return path
