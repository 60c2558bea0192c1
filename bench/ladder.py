"""How the cost of a build grows with the data, on DuckDB and on Spark.

    .venv/bin/python bench/ladder.py [--sizes 1/10 1/3 1 3] [--metadata 10] [--engines duckdb spark]
                                     [--memory-limit 2GiB] [--kept ladder.jsonl] [--into docs/benchmarks.md]

Sizes are times the published one; those of --metadata are without ratings. Spark is a standalone cluster on this
machine: a master and two workers as processes of their own, with one core each. The CPU is that of the command and, for
Spark, of the cluster's processes too, with what they started. A build is whole: tables, checks, answers, log, Parquet
and database, in a new directory. A long ladder can be climbed in parts: --kept names a file that has the steps so far,
with the day of each, and gets those of this run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

from measure import CACHE, MOVIES, RATINGS, Fresh, machine, mib, put, run, sample, table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import spark_cluster

ENGINES = ("duckdb", "spark")
DEFAULT_LIMIT = "2GiB"
# What the cluster is given for large data, where the tests are about small.
SETTINGS = {
    "spark.driver.memory": "1g",
    "spark.executor.memory": "2g",
    "spark.executor.cores": "1",
    "spark.cores.max": str(spark_cluster.WORKERS),
    "spark.sql.shuffle.partitions": "8",
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Step:
    """One build: its size, engine, rows of all tables, seconds of wall and CPU, the command's memory in bytes.

    With the day of it, the kind of sample, and what the command's --memory-limit was.
    """

    size: str
    engine: str
    rows: int
    wall: float
    cpu: float
    rss: int
    day: str
    kind: str
    limit: str = DEFAULT_LIMIT

    @property
    def order(self) -> tuple[int, bool, Fraction]:
        """Where it stands in the table."""
        size, _, without = self.size.partition(" ")
        return ENGINES.index(self.engine), bool(without), Fraction(size)

    @property
    def per_million(self) -> float:
        """CPU seconds for a million rows."""
        return self.cpu / self.rows * 1e6


def main() -> None:
    """Climb the ladder on each engine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="*", type=Fraction, default=[Fraction(s) for s in ("1/10", "1/3", "1", "3")])
    parser.add_argument("--metadata", nargs="*", type=Fraction, default=[Fraction(10)], metavar="SIZE")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--kind", default="plain", help="kind of sample: plain or planted (default: plain)")
    parser.add_argument("--memory-limit", default=DEFAULT_LIMIT, metavar="AMOUNT", help="that of the builds")
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--kept", type=Path, metavar="FILE", help="the steps so far, to which those of this run come")
    parser.add_argument("--into", type=Path, metavar="PAGE", help="put the table between the page's markers")
    asked = parser.parse_args()
    rungs = [(f"{size}", size, size) for size in asked.sizes]
    rungs += [(f"{size} without ratings", size, Fraction(0)) for size in asked.metadata]
    steps = _kept(asked)
    for engine in asked.engines:
        with ExitStack() as stack:
            options: list[str] = []
            if engine == "spark":
                folder = stack.enter_context(tempfile.TemporaryDirectory())
                options = ["--engine", "spark", "--spark-master"]
                options.append(stack.enter_context(spark_cluster.serve(Path(folder))).url)
                options += [part for key, value in SETTINGS.items() for part in ("--spark-conf", f"{key}={value}")]
            for title, movies, ratings in rungs:
                source = sample(int(MOVIES * movies), int(RATINGS * ratings), asked.kind, asked.cache)
                step = climb(title, source, engine, options, asked)
                steps = [*(s for s in steps if (s.size, s.engine) != (step.size, step.engine)), step]
                print(step, file=sys.stderr, flush=True)
                _keep(steps, asked)  # the ladder is long, and what stops it leaves the steps so far
    print(page(steps))


def _kept(asked: argparse.Namespace) -> list[Step]:
    """The steps of runs before."""
    if asked.kept is None or not asked.kept.exists():
        return []
    steps = [Step(**json.loads(line)) for line in asked.kept.read_text(encoding="utf-8").splitlines()]
    if any(step.kind != asked.kind for step in steps):
        raise SystemExit(f"{asked.kept} has steps of another kind than {asked.kind}: name another file.")
    return steps


def _keep(steps: list[Step], asked: argparse.Namespace) -> None:
    if asked.kept:
        asked.kept.write_text("".join(f"{json.dumps(asdict(step))}\n" for step in steps), encoding="utf-8")
    if asked.into:
        days = sorted({step.day for step in steps})
        what = f"{asked.kind} samples" + (f", measured on {' and '.join(days)}" if len(days) > 1 else "")
        put(asked.into, "bench/ladder.py", f"{page(steps)}\n\n{machine('bench/ladder.py', what, 'pyspark')}")


def climb(size: str, source: Path, engine: str, options: list[str], asked: argparse.Namespace) -> Step:
    """Build a sample of a size."""
    with Fresh(asked.cache) as out:
        before = cluster_cpu()
        command = [sys.executable, "-m", "moviehouse", "build", str(source), "--out", str(out), "--json", *options]
        command += ["--memory-limit", asked.memory_limit]
        used = run(command)
        time.sleep(3 if options else 0)  # until the workers have seen their executors end
        cluster = cluster_cpu() - before if options else 0.0
        rows = sum(json.loads(used.stdout)["rows"].values())
    day = datetime.now(UTC).date().isoformat()
    return Step(size, engine, rows, used.wall, used.cpu + cluster, used.rss, day, asked.kind, asked.memory_limit)


def cluster_cpu() -> float:
    """CPU seconds of the processes that this one has started and that still run, with those that they waited for."""
    total = 0
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            try:
                fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            total += sum(int(field) for field in fields[11:15])
    return total / _TICKS


def page(steps: list[Step]) -> str:
    """The ladder as a table."""
    rows = [
        [f"{s.size}, {s.engine}", f"{s.rows / 1e6:,.1f} million", f"{s.wall:.1f} s", f"{s.cpu:.1f} s",
         f"**{s.per_million:.2f} s**",
         f"{mib(s.rss)} MiB" + (f" (limit {s.limit})" if s.limit != DEFAULT_LIMIT else ""), s.day]
        for s in sorted(steps, key=lambda step: step.order)
    ]  # fmt: skip
    head = ["Size, engine", "Rows", "Wall", "CPU", "CPU for a million rows", "Memory of the command", "Day"]
    return table(head, rows)


if __name__ == "__main__":
    main()
