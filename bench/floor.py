"""The floor: what reading the seven files and writing Parquet costs if nothing else is done.

    .venv/bin/python bench/floor.py SOURCE.zip OUT [--database] [--nested]

It inflates the members with ISA-L into a new folder below OUT, two at a time and the largest first. As soon as one
is there, DuckDB reads it with declared types (no sniffing) and writes OUT/<file>.parquet on all cores, while the
others are still being inflated. It checks nothing, takes no nested cell apart and keeps no order: the quoted files
are columns of text, the others BIGINT and DECIMAL(2,1). Parquet is written as in a release: zstd, else the defaults.

It is lenient where the product is exact: strict mode is off, since the strict mode of DuckDB refuses the lone carriage
returns and the split records of movies_metadata.csv, and what DuckDB cannot read is left out without a word. So the
floor's rows may be a few less or more than the file's records.

Two options do more of what a release needs, as leniently, to tell what that alone costs: --database writes the rows to
OUT/floor.duckdb first, from which the Parquet files are then copied, and --nested takes the lists apart, each into a
relation of its own, where exchanging quotes makes them JSON; the others are left out.

bench/compare.py runs it, and the ratio "whole run / floor" is the product's wall time divided by this one's.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import duckdb
from isal import isal_zlib

_BLOCK = 1 << 20
_LOCAL_HEADER = 30
_LINKS = {"movieId": "BIGINT", "imdbId": "VARCHAR", "tmdbId": "BIGINT"}
_RATINGS = {"userId": "BIGINT", "movieId": "BIGINT", "rating": "DECIMAL(2,1)", "timestamp": "BIGINT"}
_MOVIES = [
    *("adult", "belongs_to_collection", "budget", "genres", "homepage", "id", "imdb_id", "original_language"),
    *("original_title", "overview", "popularity", "poster_path", "production_companies", "production_countries"),
    *("release_date", "revenue", "runtime", "spoken_languages", "status", "tagline", "title", "video"),
    *("vote_average", "vote_count"),
]
FILES: dict[str, dict[str, str]] = {
    "ratings.csv": _RATINGS,
    "credits.csv": dict.fromkeys(("cast", "crew", "id"), "VARCHAR"),
    "movies_metadata.csv": dict.fromkeys(_MOVIES, "VARCHAR"),
    "keywords.csv": dict.fromkeys(("id", "keywords"), "VARCHAR"),
    "ratings_small.csv": _RATINGS,
    "links.csv": _LINKS,
    "links_small.csv": _LINKS,
}
_NAMED = {"id": "BIGINT", "name": "VARCHAR"}
_CREDIT = {**_NAMED, "credit_id": "VARCHAR", "gender": "INTEGER", "profile_path": "VARCHAR"}
LISTS: dict[str, dict[str, dict[str, str]]] = {
    "credits.csv": {
        "cast": {**_CREDIT, "cast_id": "INTEGER", "character": "VARCHAR", "order": "INTEGER"},
        "crew": {**_CREDIT, "department": "VARCHAR", "job": "VARCHAR"},
    },
    "keywords.csv": {"keywords": _NAMED},
    "movies_metadata.csv": {
        "genres": _NAMED,
        "production_companies": _NAMED,
        "production_countries": {"iso_3166_1": "VARCHAR", "name": "VARCHAR"},
        "spoken_languages": {"iso_639_1": "VARCHAR", "name": "VARCHAR"},
    },
}
QUOTED = ("movies_metadata.csv", "credits.csv", "keywords.csv")
_FLAT = "quote = '', escape = ''"
_QUOTED = "quote = '\"', escape = '\"', strict_mode = false, max_line_size = 8388608"


def main() -> None:
    """Run the floor on the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--database", action="store_true", help="write a database too")
    parser.add_argument("--nested", action="store_true", help="take the lists apart")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect(config={"preserve_insertion_order": False})
    if asked.database:
        con.execute(f"ATTACH '{asked.out}/floor.duckdb' AS floor")
    with (
        tempfile.TemporaryDirectory(dir=asked.out) as work,
        zipfile.ZipFile(asked.source) as archive,
        ThreadPoolExecutor(2) as pool,
    ):
        infos = {Path(info.filename).name: info for info in archive.infolist()}
        found = sorted((name for name in FILES if name in infos), key=lambda name: -infos[name].file_size)
        members = [pool.submit(inflate, asked.source, infos[name], Path(work) / name) for name in found]
        for member in as_completed(members):
            for relation, select in relations(con, member.result(), nested=asked.nested):
                print(f"{relation}: {write(con, relation, select, asked.out, database=asked.database):,} rows")
    if asked.database:
        con.execute("DETACH floor")


def inflate(source: Path, info: zipfile.ZipInfo, target: Path) -> Path:
    """Inflate one member of the zip into the file `target`."""
    inflater = isal_zlib.decompressobj(-15)
    with source.open("rb") as archive, target.open("wb") as out:
        archive.seek(info.header_offset)
        head = archive.read(_LOCAL_HEADER)
        archive.seek(int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"), 1)
        left = info.compress_size
        while left:
            block = archive.read(min(_BLOCK, left))
            left -= len(block)
            out.write(inflater.decompress(block))
    return target


def relations(con: duckdb.DuckDBPyConnection, path: Path, *, nested: bool) -> Iterator[tuple[str, str]]:
    """What is made of a CSV file: the name of each relation, and the query that gives its rows."""
    columns, options = FILES[path.name], _QUOTED if path.name in QUOTED else _FLAT
    types = ", ".join(f"'{name}': '{type_}'" for name, type_ in columns.items())
    rows = (
        f"read_csv('{path}', auto_detect = false, header = true, delim = ',', {options}, "
        f"ignore_errors = true, columns = {{{types}}})"
    )
    lists = LISTS.get(path.name, {}) if nested else {}
    if not lists:
        yield path.stem, f"FROM {rows}"
        return
    con.execute(f"CREATE TABLE raw AS FROM {rows}")
    others = ", ".join(f'"{name}"' for name in columns if name not in lists)
    yield path.stem, f"SELECT {others} FROM raw"
    for column, elements in lists.items():
        cells = f"""SELECT id, replace(replace("{column}", 'None', 'null'), '''', '"') AS cell FROM raw"""
        taken = f"from_json(cell, '{json.dumps([elements])}')"
        yield (
            f"{path.stem}_{column}",
            f"SELECT id AS owner, unnest({taken}, recursive := true) FROM ({cells}) WHERE json_valid(cell)",
        )
    con.execute("DROP TABLE raw")


def write(con: duckdb.DuckDBPyConnection, relation: str, query: str, out: Path, *, database: bool) -> int:
    """Write the rows of a query as Parquet, and first to the database; gives how many."""
    if database:
        con.execute(f"CREATE TABLE floor.{relation} AS {query}")
        query = f"FROM floor.{relation}"
    target = f"'{out / relation}.parquet' (FORMAT parquet, COMPRESSION zstd)"
    row = con.execute(f"COPY ({query}) TO {target}").fetchone()
    return row[0] if row else 0


if __name__ == "__main__":
    main()
