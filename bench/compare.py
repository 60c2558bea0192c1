"""Compares the product with a floor, with other scripts, and with itself at other sizes.

    .venv/bin/python bench/compare.py                            everything, at the published size
    .venv/bin/python bench/compare.py --only floor --only movies some parts
    .venv/bin/python bench/compare.py --size 0.1 --repeat 1      a tenth of the size, to see that it works
    .venv/bin/python bench/compare.py --into docs/benchmarks.md  puts each part's table between its markers

The parts:

    floor      a whole build and bench/floor.py, on both kinds of sample
    baselines  a whole build, a Polars and a pandas script that make the same tables, on the plain sample; the rows of
               every table are compared
    movies     movies_metadata.csv alone: the CPU of a build and of a standard-library script
    start      `moviehouse --help` and `moviehouse ask`, start included
    scale      builds at 1/10, 1/3, 1 and 3 times the size, of the kinds of sample that --kind names

Every run is a process of its own with a new output directory, after the page cache is flushed. What is compared is
run in turns, so that both see the same machine. Samples are made once and kept in the cache directory.
"""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from statistics import median

import measure
from measure import CACHE, KINDS, Fresh, Used, mib, table

HERE = Path(__file__).parent
PYTHON = sys.executable
SCALE = (Fraction(1, 10), Fraction(1, 3), Fraction(1), Fraction(3))
STARTS = 15


@dataclass
class Options:
    """What the arguments say."""

    size: Fraction
    repeat: int
    cache: Path
    kinds: tuple[str, ...] = KINDS

    def sample(self, kind: str, times: Fraction = Fraction(1)) -> Path:
        """The sample of a kind, at a multiple of the size."""
        scale = self.size * times
        return measure.sample(int(measure.MOVIES * scale), int(measure.RATINGS * scale), kind, self.cache)


@dataclass
class Runs:
    """The runs of one command, and the rows of each table it made, if it says."""

    used: list[Used] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)

    def low(self, what: str) -> float:
        """The least of a measure."""
        return min(getattr(used, what) for used in self.used)

    def mid(self, what: str) -> float:
        """The median of a measure."""
        return median(getattr(used, what) for used in self.used)

    def high(self, what: str) -> float:
        """The most of a measure."""
        return max(getattr(used, what) for used in self.used)


def main() -> None:
    """Measure the parts that the arguments name, and print them as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part (default: all)")
    parser.add_argument("--size", type=Fraction, default=Fraction(1), help="times the published size (default: 1)")
    parser.add_argument("--repeat", type=int, default=5, metavar="N", help="runs of each command (default: 5)")
    parser.add_argument("--kind", choices=KINDS, action="append", help="for scale: only this kind (default: both)")
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--into", type=Path, metavar="PAGE", help="put each part's table between the page's markers")
    given = parser.parse_args()
    options = Options(given.size, given.repeat, given.cache, tuple(given.kind or KINDS))
    for part in given.only or PARTS:
        text = f"{PARTS[part](options)}\n\n{about(part, options)}"
        if given.into:
            measure.put(given.into, f"bench/compare.py {part}", text)
        print(f"{text}\n", flush=True)


def about(part: str, options: Options) -> str:
    """By which command, on what, with which versions."""
    command = f".venv/bin/python bench/compare.py --only {part}"
    if options.size != 1:
        command += f" --size {options.size}"
    if part == "scale":
        command += "".join(f" --kind {kind}" for kind in options.kinds if options.kinds != KINDS)
    note = f"{options.size} times the published size, {options.repeat} runs of each in turns"
    packages = ("polars", "pandas", "pyarrow") if part == "baselines" else ()
    return measure.machine(command, note, *packages)


def moviehouse(source: Path, out: Path) -> list[str]:
    """The command of a whole build."""
    return [PYTHON, "-m", "moviehouse", "build", str(source), "--out", str(out)]


def without_report(source: Path, out: Path) -> list[str]:
    """The command of a build that leaves report.html out."""
    return [*moviehouse(source, out), "--no-report"]


def script(name: str, *options: str) -> Callable[[Path, Path], list[str]]:
    """The command of a script beside this one."""
    return lambda source, out: [PYTHON, str(HERE / name), str(source), str(out), *options]


FLOOR, POLARS, PANDAS = script("floor.py"), script("polars_baseline.py"), script("pandas_baseline.py")
STDLIB = script("stdlib_baseline.py")


def in_turns(options: Options, commands: dict[str, tuple[Callable[[Path, Path], list[str]], Path]]) -> dict[str, Runs]:
    """Run the commands in turns, each on its source and into a new directory."""
    runs = {name: Runs() for name in commands}
    for _ in range(options.repeat):
        for name, (command, source) in commands.items():
            with Fresh(options.cache) as out:
                used = measure.run(command(source, out))
                runs[name].used.append(used)
                runs[name].rows = rows(used, out)
            print(f"{name} on {source.name}: {used.wall:.2f} s, CPU {used.cpu:.2f} s", file=sys.stderr, flush=True)
    return runs


def rows(used: Used, out: Path) -> dict[str, int]:
    """The rows of each table, from the run record or from what a baseline printed."""
    record = out / "run.json"
    if record.exists():
        return dict(json.loads(record.read_text())["rows"])
    return dict(json.loads(used.stdout)) if used.stdout.startswith("{") else {}


def figures(runs: dict[str, Runs], base: str) -> str:
    """A table of the commands, one a row, with the ratio of their wall time to that of `base`."""
    head = ["Command", "Wall, min", "median", f"Wall ÷ {base}, min", "median", "CPU, min", "Peak memory"]
    lines = [
        [
            name,
            f"**{found.low('wall'):.1f} s**",
            f"{found.mid('wall'):.1f} s",
            f"**{found.low('wall') / runs[base].low('wall'):.2f}**",
            f"{found.mid('wall') / runs[base].mid('wall'):.2f}",
            f"{found.low('cpu'):.1f} s",
            f"{mib(found.high('rss'))} MiB",
        ]
        for name, found in runs.items()
    ]
    return table(head, lines)


def floor(options: Options) -> str:
    """The whole run and the floor, on both kinds of sample."""
    blocks = []
    for kind in KINDS:
        source = options.sample(kind)
        commands = {"floor": FLOOR, "moviehouse": moviehouse}
        if kind == "plain":
            commands["floor --database"] = script("floor.py", "--database")
            commands["floor --database --nested"] = script("floor.py", "--database", "--nested")
        runs = in_turns(options, {name: (command, source) for name, command in commands.items()})
        blocks.append(f"The {kind} sample:\n\n{figures(runs, 'floor')}")
    return "\n\n".join(blocks)


def baselines(options: Options) -> str:
    """The whole run and the scripts that make the same tables, on the plain sample."""
    source = options.sample("plain")
    commands = {"moviehouse": moviehouse, "polars": POLARS, "pandas": PANDAS, "floor": FLOOR}
    runs = in_turns(options, {name: (command, source) for name, command in commands.items()})
    return f"{figures(runs, 'moviehouse')}\n\n{same_rows(runs, 'polars')} {same_rows(runs, 'pandas')}"


def same_rows(runs: dict[str, Runs], script: str) -> str:
    """Says in how many of a script's tables it has as many rows as the release."""
    made, expected = runs[script].rows, runs["moviehouse"].rows
    other = [f"{name} ({n:,} for {expected[name]:,})" for name, n in made.items() if n != expected[name]]
    differ = f"; it differs in {', '.join(other)}" if other else ""
    said = f"{len(made) - len(other)} of its {len(made)} tables"
    return f"The {script} script has as many rows as the release in {said}{differ}."


def movies(options: Options) -> str:
    """The CPU of a build of movies_metadata.csv alone and of the standard-library script."""
    whole = options.sample("plain")
    source = whole.with_name(f"{whole.stem}-movies.zip")
    if not source.exists():
        with zipfile.ZipFile(whole) as archive, zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as alone:
            alone.writestr("movies_metadata.csv", archive.read("movies_metadata.csv"))
    commands = {"stdlib": STDLIB, "moviehouse": moviehouse, "moviehouse --no-report": without_report}
    runs = in_turns(options, {name: (command, source) for name, command in commands.items()})
    head = ["Command", "CPU, min", "median", "CPU ÷ stdlib, min", "median", "Wall, min", "Peak memory"]
    lines = [
        [
            name,
            f"**{found.low('cpu'):.2f} s**",
            f"{found.mid('cpu'):.2f} s",
            f"**{found.low('cpu') / runs['stdlib'].low('cpu'):.2f}**",
            f"{found.mid('cpu') / runs['stdlib'].mid('cpu'):.2f}",
            f"{found.low('wall'):.2f} s",
            f"{mib(found.high('rss'))} MiB",
        ]
        for name, found in runs.items()
    ]
    return f"{table(head, lines)}\n\n{same_rows(runs, 'stdlib')}"


def start(options: Options) -> str:
    """How long the short commands take, each in a new process."""
    with Fresh(options.cache) as out:
        measure.run(moviehouse(options.sample("plain"), out))
        release = ["--release", str(out)]
        command = [PYTHON, "-m", "moviehouse"]
        asked = {
            "python -c pass": [PYTHON, "-c", "pass"],
            "moviehouse --help": [*command, "--help"],
            "moviehouse ask genre-revenue-by-year --year 1995": [
                *command, "ask", "genre-revenue-by-year", "--year", "1995", *release],
            "moviehouse ask genre-revenue-by-year --top 20": [
                *command, "ask", "genre-revenue-by-year", "--top", "20", *release],
            "moviehouse ask company-profit-by-year --format csv": [
                *command, "ask", "company-profit-by-year", "--format", "csv", *release],
        }  # fmt: skip
        runs = {name: Runs() for name in asked}
        for _ in range(STARTS):
            for name, words in asked.items():
                runs[name].used.append(measure.run(words))
    lines = [
        [f"`{name}`", f"**{found.mid('wall'):.2f} s**", f"{found.low('wall'):.2f} s", f"{found.high('wall'):.2f} s",
         f"{found.mid('cpu'):.2f} s"]
        for name, found in runs.items()
    ]  # fmt: skip
    return table([f"Of {STARTS} runs", "Wall, median", "min", "max", "CPU, median"], lines)


def scale(options: Options) -> str:
    """Builds at several sizes, with their time and memory against those at 1."""
    blocks = []
    head = ["Size", "Wall, min", "median", "Time ÷ 1, min", "median", "CPU, min", "Peak memory", "Memory ÷ 1"]
    for kind in options.kinds:
        runs = in_turns(options, {str(times): (moviehouse, options.sample(kind, times)) for times in SCALE})
        one = runs["1"]
        lines = [
            [
                name,
                f"{found.low('wall'):.1f} s",
                f"{found.mid('wall'):.1f} s",
                f"**{found.low('wall') / one.low('wall'):.2f}**",
                f"{found.mid('wall') / one.mid('wall'):.2f}",
                f"{found.low('cpu'):.1f} s",
                f"{mib(found.high('rss'))} MiB",
                f"**{found.high('rss') / one.high('rss'):.2f}**",
            ]
            for name, found in runs.items()
        ]
        blocks.append(f"The {kind} sample:\n\n{table(head, lines)}")
    return "\n\n".join(blocks)


PARTS: dict[str, Callable[[Options], str]] = {
    "floor": floor,
    "baselines": baselines,
    "movies": movies,
    "start": start,
    "scale": scale,
}

if __name__ == "__main__":
    main()
