"""Checks a stage before it is published: all that must hold of the release that would result.

Each drop of it has passed its own gates when it was loaded. What drops give together is checked here, on the state:
keys and references over all of them, and that the answers add up.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from moviehouse.engines.duckdb import opened
from moviehouse.lake import needs
from moviehouse.lake.read import reading_lake
from moviehouse.lake.reading import GATES
from moviehouse.progress import Progress
from moviehouse.run import RunRecord
from moviehouse.sql import names
from moviehouse.steps.check import Check, Outcome, checks, refuse_failed, run_checks
from moviehouse.steps.target import DATABASE


@dataclass(frozen=True)
class StageCheck:
    """What was found of the release that would result from publishing a stage.

    `release` is the number of the newest one, to which the stage is added; `outcomes` are those of every check.
    """

    lake: str
    stage: str
    release: int
    outcomes: tuple[Outcome, ...]

    def refuse(self) -> None:
        """Raise GateError where a gate failed."""
        refuse_failed(self.outcomes, f"Look at the rows: moviehouse sql QUERY --lake {self.lake} --stage {self.stage}")


def what_must_hold() -> tuple[Check, ...]:
    """The checks of a build but those of one reading: the balance, and the log's, which are about one drop."""
    return checks(stems=[stem for stem in names("checks") if stem not in GATES])


def check_stage(
    lake: str, name: str, progress: Progress, memory_limit: str = "2GiB", threads: int | None = None
) -> StageCheck:
    """Read the newest release as it would be with a stage published, and check it.

    Raises UsageError where there is no such stage, SourceError where the lake cannot be read.
    """
    which = what_must_hold()
    with ExitStack() as stack:
        with progress.step("read"):
            reading = reading_lake(lake, needs.ALL - needs.ASIDE.keys(), None, memory_limit, threads, stage=name)
            place = stack.enter_context(reading)
        con = stack.enter_context(opened(place / DATABASE, memory_limit, threads, read_only=False))
        outcomes = run_checks(con, progress, which)
        source = RunRecord.read(place / "run.json").source
    return StageCheck(str(source["address"]), name, int(source["release"]), tuple(outcomes))
