"""Measures `moviehouse publish` against a bare COPY of the same rows into the same tables, on one PostgreSQL.

    .venv/bin/python bench/postgres.py                                       45,000 movies, 1,000,000 ratings
    .venv/bin/python bench/postgres.py --movies 4500 --ratings 2600000       another size
    .venv/bin/python bench/postgres.py --into docs/benchmarks.md             puts the table into the page

The bare COPY is what psql would do: the tables with NOT NULL and CHECK, COPY from files that PostgreSQL itself wrote
before, then the same keys, indexes and foreign keys in the same order, each statement committed. Nothing is read from
a release, no view or comment is made, nothing is analyzed, and no other release is replaced. The two take turns, each
in a process of its own and in a new database; the server is the one of the tests, but with fsync on.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import measure
from measure import CACHE, Fresh, Used, table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import postgres_server
from postgres_server import PostgresServer, serve

from moviehouse.model.tables import TABLES
from moviehouse.postgres import ddl

_BARE = "import sys; sys.path.insert(0, {here!r}); import postgres; postgres.bare(sys.argv[1], sys.argv[2])"


def main() -> None:
    """Measure what the arguments say and print it as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--movies", type=int, default=45_000)
    parser.add_argument("--ratings", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="runs of each (default: 3)")
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--into", type=Path, metavar="PAGE", help="put the table between the page's markers")
    arguments = parser.parse_args()
    source = measure.sample(arguments.movies, arguments.ratings, "plain", arguments.cache)
    postgres_server.SETTINGS.update(fsync="on", synchronous_commit="on", full_page_writes="on", autovacuum="on")
    with ExitStack() as stack:
        out, files = (stack.enter_context(Fresh(arguments.cache)) for _ in range(2))
        command = [sys.executable, "-m", "moviehouse", "build", str(source), "--out", str(out), "-q"]
        subprocess.run(command, check=True)
        server = stack.enter_context(serve())
        rows = dump(server, out, files)
        runs: dict[str, list[Used]] = {"publish": [], "bare COPY": []}
        for number in range(arguments.repeat):
            for what, used in runs.items():
                used.append(once(server, what, out, files))
                print(f"{what}, run {number + 1}: {used[-1].wall:.1f} s", file=sys.stderr, flush=True)
    text = page(runs, rows, arguments.movies, arguments.ratings)
    if arguments.into:
        measure.put(arguments.into, "bench/postgres.py", text)
    print(text)


def dump(server: PostgresServer, out: Path, files: Path) -> int:
    """Publish once, and have PostgreSQL write every table into a file; gives the rows."""
    place = server.place()
    rows = sum(place.publish(out).rows.values())
    with place.connect() as con, con.cursor() as cur:
        for each in TABLES:
            with (files / each.name).open("wb") as file, cur.copy(f"COPY moviehouse.{each.name} TO STDOUT") as copy:
                for chunk in copy:
                    file.write(chunk)
    drop(server, place.database)
    return rows


def once(server: PostgresServer, what: str, out: Path, files: Path) -> Used:
    """Measure one run in a new database, which is dropped afterwards."""
    database = server.database()
    url = server.url(database)
    with server.connect() as con:
        con.execute("CHECKPOINT")
    command = [sys.executable, "-m", "moviehouse", "publish", str(out), url, "-q"]
    if what == "bare COPY":
        command = [sys.executable, "-c", _BARE.format(here=str(Path(__file__).parent)), url, str(files)]
    used = measure.run(command)
    drop(server, database)
    return used


def bare(url: str, files: str) -> None:
    """Make the tables, copy the files, then build keys and indexes, then references; run in a process of its own."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as con, con.cursor() as cur:
        for each in TABLES:
            cur.execute(ddl.create_table(each).encode())
        for each in TABLES:
            with (Path(files) / each.name).open("rb") as file, cur.copy(f"COPY {each.name} FROM STDIN") as copy:
                while chunk := file.read(1 << 20):
                    copy.write(chunk)
        for statements in (ddl.indexes, ddl.foreign_keys):
            for each in TABLES:
                for statement in statements(each):
                    cur.execute(statement.encode())


def drop(server: PostgresServer, database: str) -> None:
    """Drop a database, so that the next run finds the disk as this one did."""
    with server.connect() as con:
        con.execute(f"DROP DATABASE {database} WITH (FORCE)")


def page(runs: dict[str, list[Used]], rows: int, movies: int, ratings: int) -> str:
    """The table and what it was measured on."""
    least = {what: min(used.wall for used in each) for what, each in runs.items()}
    pairs = [a.wall / b.wall for a, b in zip(*runs.values(), strict=True)]
    body = [
        ["Wall time, shortest run", *(f"**{least[what]:.1f} s**" for what in runs)],
        ["Wall time, longest run", *(f"{max(used.wall for used in each):.1f} s" for each in runs.values())],
        ["CPU of the client", *(f"{min(used.cpu for used in each):.1f} s" for each in runs.values())],
        ["Rows a second", *(f"{rows / least[what]:,.0f}" for what in runs)],
    ]
    note = f"shortest of {len(pairs)}, in turns; {movies:,} movies, {ratings:,} ratings, {rows:,} rows"
    command = f".venv/bin/python bench/postgres.py --movies {movies} --ratings {ratings}"
    return "\n\n".join(
        [
            measure.machine(command, note, "psycopg"),
            table(["Measure", *runs], body),
            f"Ratio of the shortest runs: **{least['publish'] / least['bare COPY']:.2f}**; "
            f"of the pairs of turns: {min(pairs):.2f} to {max(pairs):.2f}, median {statistics.median(pairs):.2f}.",
        ]
    )


if __name__ == "__main__":
    main()
