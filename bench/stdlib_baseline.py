"""The tables of movies_metadata.csv with nothing but the standard library: the bound of CPU for the product.

    .venv/bin/python bench/stdlib_baseline.py SOURCE.zip OUT

csv.reader on the member as it is inflated, ast.literal_eval on the nested cells (each text once, an empty list never),
the last record of an id wins, and one CSV file for each table. No log, no checks, no answers, no lines of the source.
Prints the rows of each table as JSON.
"""

from __future__ import annotations

import ast
import csv
import functools
import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

# Column of the source, entity, bridge, name of the id.
LISTS = (
    ("genres", "genre", "movie_genre", "id"),
    ("production_companies", "company", "movie_company", "id"),
    ("production_countries", "country", "movie_country", "iso_3166_1"),
    ("spoken_languages", "language", "movie_language", "iso_639_1"),
)
PLAIN = ("title", "original_title", "original_language", "status", "release_date", "popularity", "vote_count",
         "imdb_id", "adult", "video", "overview", "tagline", "homepage", "poster_path")  # fmt: skip
ZERO_IS_UNKNOWN = ("budget", "revenue", "runtime")
literal_eval = functools.cache(ast.literal_eval)


def main() -> None:
    """Make the tables of the arguments."""
    source, out = map(Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    tables = make(source)
    for name, rows in tables.items():
        with (out / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
    print(json.dumps({name: len(rows) for name, rows in tables.items()}))


def make(source: Path) -> dict[str, list[Any]]:
    """The rows of each table."""
    records = read(source)
    collections: dict[int, Any] = {}
    names: dict[str, dict[Any, Any]] = {entity: {} for _, entity, _, _ in LISTS}
    bridges: dict[str, list[Any]] = {bridge: [] for _, _, bridge, _ in LISTS}
    movies = []
    for movie, record in records.items():
        collection = record["belongs_to_collection"]
        if collection:
            found = literal_eval(collection)
            collection = found["id"]
            collections[collection] = (found["name"], found["poster_path"], found["backdrop_path"])
        amounts = [int(float(cell)) or None if (cell := record[c]) else None for c in ZERO_IS_UNKNOWN]
        votes = record["vote_average"] if record["vote_count"] != "0" else None
        movies.append([movie, collection, *amounts, votes, *(record[c] for c in PLAIN)])
        if record["original_language"]:
            names["language"].setdefault(record["original_language"], None)
        for column, entity, bridge, key in LISTS:
            cell = record[column]
            if cell in {"", "[]"}:
                continue
            places = {}
            for position, element in enumerate(literal_eval(cell), 1):
                names[entity][element[key]] = element["name"]
                places[element[key]] = position
            bridges[bridge] += [(movie, other, position) for other, position in places.items()]
    return {
        "movie": movies,
        "collection": [(key, *rest) for key, rest in collections.items()],
        **{entity: list(found.items()) for entity, found in names.items()},
        **bridges,
    }


def read(source: Path) -> dict[int, dict[str, str]]:
    """The records by movie, those of the wrong length left out."""
    with zipfile.ZipFile(source) as archive:
        name = next(n for n in archive.namelist() if n.endswith("movies_metadata.csv"))
        with archive.open(name) as member:
            rows = csv.reader(io.TextIOWrapper(member, encoding="utf-8", newline=""))
            header = next(rows)
            key = header.index("id")
            return {int(row[key]): dict(zip(header, row, strict=True)) for row in rows if len(row) == len(header)}


if __name__ == "__main__":
    main()
