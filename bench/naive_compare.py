"""Compares a typical pandas script with the product, cell by cell, on the excerpt of the real data.

    .venv/bin/python bench/naive_compare.py                       prints the tables
    .venv/bin/python bench/naive_compare.py --into docs/naive.md  puts them into the page

The excerpt is found as by the tests: in the folder that MOVIEHOUSE_TEST_DATA names, or in shared/data beside the
checkout. The product answers all questions; bench/naive.py answers them too, with all of its mistakes, with each one
alone, and with all but each one. Without any mistake it must give the product's value in every cell, else this fails:
so what a cell is off by is due to the mistakes and to nothing else.
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import measure
from naive import MISTAKES, Cells, answer

import moviehouse
from moviehouse.sql import QUESTIONS

DATA = Path(os.environ.get("MOVIEHOUSE_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
EXCERPT = "the-movies-dataset-excerpt-s3.zip"
ENTITY = ("genre_id", "genre", "company_id", "company", "year")
EXAMPLES = 3
KINDS = (
    "another amount",
    "an amount on one side only",
    "movies with a known amount",
    "movies, releases",
    "popularity",
    "genres that are none",
)
Key = tuple[str, Any, int, str]
Pair = tuple[Any, Any]
"""A cell's value in the script and in the release; None: no such cell, or NULL."""


@dataclass
class Release:
    """The product's cells, by the ids of companies, and the companies' names."""

    cells: Cells
    companies: dict[int, str]

    def differing(self, found: Cells, by_name: bool) -> dict[Key, Pair]:
        """The cells in which a script's answers are not the release's, and the two values.

        Those that the release does not have are keyed by the company's name.
        """
        other, seen = {}, set()
        for key, right in self.cells.items():
            own = self.named(key) if by_name else key
            seen.add(own)
            if not equal(found.get(own), right):
                other[key] = (found.get(own), right)
        surplus = {key: (value, None) for key, value in found.items() if key not in seen and value is not None}
        return other | (surplus if by_name else {self.named(key): pair for key, pair in surplus.items()})

    def named(self, key: Key) -> Key:
        """The key of a cell in answers that know companies by name."""
        return (key[0], self.companies[key[1]], *key[2:]) if key[0].startswith("company") else key


def main() -> None:
    """Compare, and print the tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, metavar="PAGE", help="put the tables between the page's markers")
    arguments = parser.parse_args()
    source = DATA / EXCERPT
    if not source.exists():
        raise SystemExit(f"{EXCERPT} is not in {DATA}. Name the folder that has it with MOVIEHOUSE_TEST_DATA.")
    text = page(source)
    if arguments.into:
        measure.put(arguments.into, "bench/naive_compare.py", text)
    print(text)


def page(source: Path) -> str:
    """All tables."""
    release = build(source)

    def off(mistakes: set[str]) -> dict[Key, Pair]:
        return release.differing(answer(source, frozenset(mistakes)), "names" in mistakes)

    if wrong := off(set()):
        raise SystemExit(f"Without a mistake the script differs in {len(wrong)} cells: {list(wrong.items())[:5]}")
    every = off(set(MISTAKES))
    alone = {mistake: off({mistake}) for mistake in MISTAKES}
    rest = {mistake: off(set(MISTAKES) - {mistake}) for mistake in MISTAKES}
    return "\n\n".join(
        [
            f"Without a mistake the script gives the release's value in all {len(release.cells):,} cells. With all of "
            f"them it differs in **{len(every):,}**:",
            by_question(release, every),
            by_mistake(every, alone, rest),
            "## Some of the cells",
            *(examples(release, mistake, alone[mistake]) for mistake in MISTAKES),
            measure.machine(".venv/bin/python bench/naive_compare.py", f"on `{source.name}`", "pandas"),
        ]
    )


def build(source: Path) -> Release:
    """The answers of a release of the excerpt, built for this."""
    cells: Cells = {}
    with tempfile.TemporaryDirectory() as out:
        release = moviehouse.build(source, out)
        with duckdb.connect(str(release.database), read_only=True) as con:
            for question in QUESTIONS:
                result = con.execute(f"FROM {question}")
                columns = [column[0] for column in result.description]
                for row in result.fetchall():
                    cells |= flattened(question, dict(zip(columns, row, strict=True)))
            cells |= {("genres", name, 0, "listed"): 1 for (name,) in con.execute("SELECT name FROM genre").fetchall()}
            companies = dict(con.execute("SELECT company_id, name FROM company").fetchall())
    return Release(cells, companies)


def flattened(question: str, row: dict[str, Any]) -> Cells:
    """The cells of a row of an answer. What the script does not compute (allocated amounts) is left out."""
    year = row["year"]
    if question == "genre_most_popular_by_year":
        return {(question, "", year, column): row[column] for column in ("genre", "popularity_total")}
    if question == "company_releases_by_genre_by_year":
        return {(question, row["company_id"], year, f"releases, {row['genre']}"): row["releases"]}
    entity = row["company_id"] if "company_id" in row else row["genre"]
    return {
        (question, entity, year, column): value
        for column, value in row.items()
        if column not in ENTITY and not column.endswith("_allocated")
    }


def equal(one: Any, other: Any) -> bool:
    """Whether two values are the same; sums and means of popularity are floats in pandas, so within 1e-9 of each."""
    if one is None or other is None or isinstance(other, str):
        return bool(one == other)
    if isinstance(other, int):
        return bool(one == other)
    return math.isclose(float(one), float(other), rel_tol=1e-9)


def by_question(release: Release, every: dict[Key, Pair]) -> str:
    """How many cells of each answer differ with all mistakes."""
    total: dict[str, int] = defaultdict(int)
    for key in release.cells:
        total[key[0]] += 1
    lines = []
    for question, cells in total.items():
        off = {key: pair for key, pair in every.items() if key[0] == question}
        surplus = sum(key not in release.cells for key in off)
        money = [abs(int(a or 0) - int(b or 0)) for (_, _, _, column), (a, b) in off.items() if column.endswith("_usd")]
        differ = len(off) - surplus
        lines.append(
            [f"`{question}`", f"{cells:,}", f"**{differ:,}**", f"{differ / cells:.1%}", f"{surplus:,}",
             f"{sum(money):,}" if money else "", f"{max(money):,}" if money else ""]
        )  # fmt: skip
    head = ["Answer", "Cells", "differ", "share", "Cells too many", "US dollars off, in all", "most in one cell"]
    return table(head, lines)


def by_mistake(every: dict[Key, Pair], alone: dict[str, dict[Key, Pair]], rest: dict[str, dict[Key, Pair]]) -> str:
    """How many cells each mistake changes: made alone, and by being mended alone."""
    lines = []
    for mistake, said in MISTAKES.items():
        off, left = alone[mistake], rest[mistake]
        mended = sum(key not in left for key in every)
        closer = sum(key in left and left[key] != pair for key, pair in every.items())
        share = sum(key in off for key in every)
        lines.append([said, f"**{len(off):,}**", f"{share:,}", f"{mended:,}", f"{closer:,}"])
    kinds = [
        [said, *(f"{sum(kind(key, pair) == name for key, pair in alone[mistake].items()):,}" for name in KINDS)]
        for mistake, said in MISTAKES.items()
    ]
    causes = [sum(key in off for off in alone.values()) for key in every]
    text = (
        f"Of the {len(every):,} cells, {sum(c == 1 for c in causes):,} are changed by one of the mistakes made alone, "
        f"{sum(c > 1 for c in causes):,} by several, and {sum(c == 0 for c in causes):,} only by some of them together."
    )
    head = [
        "Mistake",
        "Made alone, cells that differ",
        "of them wrong with all mistakes too",
        "Mended alone, cells set right",
        "cells changed, still wrong",
    ]
    parts = ["## By mistake", table(head, lines), text, "What the cells are that a mistake alone makes wrong:"]
    return "\n\n".join([*parts, table(["Mistake", *KINDS], kinds)])


def kind(key: Key, pair: Pair) -> str:
    """Which of KINDS a wrong cell is."""
    column = key[3]
    if column == "listed":
        return KINDS[5]
    if column.endswith("_usd"):
        return KINDS[1] if None in pair else KINDS[0]
    if column.startswith("movies_with_"):
        return KINDS[2]
    return KINDS[3] if column == "movies" or column.startswith("releases") else KINDS[4]


def examples(release: Release, mistake: str, off: dict[Key, Pair]) -> str:
    """A few cells that a mistake alone makes wrong: of each column the one that is off by most, the largest first."""
    most: dict[tuple[str, str], tuple[Key, Pair]] = {}
    ordered = sorted(off.items(), key=lambda item: (-distance(item[1]), str(item[0])))
    for key, pair in ordered:
        column = "releases" if key[3].startswith("releases") else key[3]
        if column != "movies":
            most.setdefault((key[0].partition("_")[0], column), (key, pair))
    lines = []
    for key, (wrong, right) in list(most.values())[:EXAMPLES]:
        question, entity, year, column = key
        who = f"{release.companies[entity]} ({entity})" if entity in release.companies else str(entity)
        lines.append([f"`{question}`, `{column}`", who, str(year or ""), shown(wrong), shown(right)])
    head = ["Answer and column", "Genre or company", "Year", "Script", "Release"]
    body = table(head, lines) if lines else "No cell of this excerpt."
    title = MISTAKES[mistake]
    title = title if title.startswith("keywords.csv") else title.capitalize()
    return f"**{title}** ({len(off):,} cells):\n\n{body}"


def distance(pair: Pair) -> float:
    """How far a cell is off, for the choice of examples."""
    wrong, right = pair
    if isinstance(wrong, str) or isinstance(right, str):
        return 1.0
    return abs(float(wrong or 0) - float(right or 0))


def shown(value: Any) -> str:
    """A value for people."""
    if value is None:
        return "no value"
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal) or float(value) != int(value):
        return f"{float(value):,.6f}"
    return f"{int(value):,}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    return measure.table(head, [[cell.replace("|", "\\|") for cell in row] for row in rows])


if __name__ == "__main__":
    main()
