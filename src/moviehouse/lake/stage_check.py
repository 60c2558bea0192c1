"""Checks a stage before it is published: all that must hold of the release that would result.

Each drop has passed its own gates when it was loaded. Checked here is what only all of them show: that the lake has the
rows that the ledger counts, and, on the state that they give together with production, what a build checks of its
result.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from moviehouse.engines.duckdb import half, in_memory, opened, within
from moviehouse.lake.catalog import Lake, open_lake, told
from moviehouse.lake.ledger import Ledger, Release
from moviehouse.lake.needs import of_query
from moviehouse.lake.read import reading_lake
from moviehouse.lake.rows import parts_of, streamed
from moviehouse.lake.stages import find_stage, with_stage
from moviehouse.model.lake import LAKE_TABLE
from moviehouse.progress import Progress, Quiet
from moviehouse.run import RunRecord
from moviehouse.sql import names
from moviehouse.sql.text import literal
from moviehouse.steps.check import Check, Outcome, checks, refuse_failed, run_checks
from moviehouse.steps.target import DATABASE

_TRIES = 3
_OF_ONE_DROP = {"balance_closes"}
ROWS = Check(
    "rows_as_counted",
    "The lake has as many rows of each reading of the stage that counts, table by table, as the ledger says.",
    "SELECT relation, reading_id, sum(expected) AS expected, sum(found) AS found FROM counted "
    "GROUP BY relation, reading_id HAVING sum(expected) <> sum(found) ORDER BY relation, reading_id",
)


@dataclass(frozen=True)
class StageCheck:
    """What was found of the release that would result from publishing a stage.

    `status` and `readings` are the stage's, `release` the number of the newest release; `outcomes` has what every check
    found. `before` has, for checks that failed, how many offending rows the newest release has without the stage.
    """

    lake: str
    stage: str
    status: str
    readings: int
    release: int
    outcomes: tuple[Outcome, ...]
    before: Mapping[str, int] = field(default_factory=dict)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The gates that fail, with more offending rows than the newest release has without the stage."""
        return tuple(o for o in self.outcomes if o.gate and o.offending > self.before.get(o.check, 0))

    def refuse(self) -> None:
        """Raise GateError where a gate failed."""
        where = f"--lake {shlex.quote(self.lake)} --stage {self.stage}"
        refuse_failed(self.failed, f"Look at the rows: moviehouse sql QUERY {where}")


def what_must_hold() -> tuple[Check, ...]:
    """The checks of a build but the balance, which is about one drop."""
    return checks(stems=[stem for stem in names("checks") if stem not in _OF_ONE_DROP])


def check_stage(address: str, name: str, progress: Progress, memory_limit: str = "2GiB") -> StageCheck:
    """Read the newest release as it would be with a stage published, and check it.

    Of a stage that is published already it checks that release. Raises UsageError where there is no such stage,
    SourceError where the lake cannot be read, TargetError where the memory does not suffice.
    """
    limit = half(memory_limit)
    lake = open_lake(address)
    with within(memory_limit):
        for _ in range(_TRIES):
            found, releases = _check(lake, address, name, progress, limit)
            if len(releases) == 1:  # else another load or publication came between
                break
    return found


def _check(lake: Lake, address: str, name: str, progress: Progress, limit: str) -> tuple[StageCheck, set[int]]:
    """Check once; with the numbers of the releases that were the newest meanwhile."""
    with told(lake.name, writing=False), progress.step("count rows"):
        ledger = Ledger(lake)
        newest = ledger.newest() or Release()
        stage, _ = find_stage(ledger, newest, lake.name, name)
        release = with_stage(ledger, lake.name, name)
        own = {reading.reading_id: reading for reading in stage.readings}
        counted = _count(lake, replace(release, readings=own, folded=frozenset()), limit)
    outcomes, seen = _outcomes(address, name, what_must_hold(), limit, progress)
    releases, before = {newest.number, seen}, dict[str, int]()
    failed = {outcome.check for outcome in outcomes if not outcome.passed}
    if failed and stage.staged and newest.number:
        again = [check for check in what_must_hold() if check.name in failed]
        without, seen = _outcomes(address, None, again, limit, Quiet())
        before = {outcome.check: outcome.offending for outcome in without if not outcome.passed}
        releases.add(seen)
    found = (counted, *outcomes)
    return StageCheck(lake.name, name, stage.status, len(stage.readings), newest.number, found, before), releases


def _count(lake: Lake, release: Release, limit: str) -> Outcome:
    """Compare the rows of the readings that a release shows with what the ledger says of them."""
    import pyarrow as pa

    visible = release.visible
    with TemporaryDirectory(prefix="moviehouse-") as folder, in_memory(Path(folder), limit) as con:
        said = [(table, id_, rows) for id_, reading in visible.items() for table, rows in reading.rows.items()]
        schema = pa.schema([("relation", pa.string()), ("reading_id", pa.string()), ("expected", pa.int64())])
        rows = [dict(zip(schema.names, row, strict=True)) for row in said]
        con.register("said", pa.Table.from_pylist(rows, schema=schema))
        con.execute("CREATE TABLE counted AS SELECT *, CAST(0 AS BIGINT) AS found FROM said")
        for table, parts in parts_of(lake, release, set(LAKE_TABLE)).items():
            for part in parts:
                with streamed(con, part, ["reading_id"]) as there:
                    con.execute(
                        f"INSERT INTO counted SELECT {literal(table)}, reading_id, 0, count(*) FROM {there} "
                        "WHERE reading_id IN (SELECT reading_id FROM counted) GROUP BY reading_id"
                    )
        return run_checks(con, Quiet(), (ROWS,))[0]


def _outcomes(
    address: str, stage: str | None, which: Iterable[Check], limit: str, progress: Progress
) -> tuple[tuple[Outcome, ...], int]:
    """What checks find of the newest release, as it would be with a stage published or as it is; with its number."""
    chosen = tuple(which)
    needed = frozenset().union(*(of_query(check.query).relations for check in chosen))
    with ExitStack() as stack:
        with progress.step("read"):
            place = stack.enter_context(reading_lake(address, needed, None, limit, stage=stage))
        con = stack.enter_context(opened(place / DATABASE, limit, read_only=False))
        outcomes = tuple(run_checks(con, progress, chosen))
        return outcomes, int(RunRecord.read(place / "run.json").source["release"])
