"""The floor: what reading the seven files and writing Parquet costs if nothing else is done.

    .venv/bin/python bench/floor.py SOURCE.zip OUT

It inflates the members with ISA-L into a new folder below OUT, two at a time and the largest first. As soon as one
is there, DuckDB reads it with declared types (no sniffing) and writes OUT/<file>.parquet on all cores, while the
others are still being inflated. It checks nothing, takes no nested cell apart and keeps no order: the quoted files
are columns of text, the others BIGINT and DECIMAL(2,1). Parquet is written as in a release: zstd, else the defaults.

It is lenient where the product is exact: strict mode is off, since the strict mode of DuckDB refuses the lone carriage
returns and the split records of movies_metadata.csv, and what DuckDB cannot read is left out without a word. So the
floor's rows may be a few less or more than the file's records.

bench/compare.py runs it, and the ratio "whole run / floor" is the product's wall time divided by this one's.
"""

from __future__ import annotations

import sys
import tempfile
import zipfile
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
QUOTED = ("movies_metadata.csv", "credits.csv", "keywords.csv")
_FLAT = "quote = '', escape = ''"
_QUOTED = "quote = '\"', escape = '\"', strict_mode = false, max_line_size = 8388608"


def main() -> None:
    """Run the floor on the arguments."""
    source, out = map(Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect(config={"preserve_insertion_order": False})
    with (
        tempfile.TemporaryDirectory(dir=out) as work,
        zipfile.ZipFile(source) as archive,
        ThreadPoolExecutor(2) as pool,
    ):
        infos = {Path(info.filename).name: info for info in archive.infolist()}
        found = sorted((name for name in FILES if name in infos), key=lambda name: -infos[name].file_size)
        members = [pool.submit(inflate, source, infos[name], Path(work) / name) for name in found]
        for member in as_completed(members):
            path = member.result()
            print(f"{path.name}: {write(con, path, out):,} rows")


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


def write(con: duckdb.DuckDBPyConnection, path: Path, out: Path) -> int:
    """Write one CSV file as Parquet; gives its rows."""
    columns, options = FILES[path.name], _QUOTED if path.name in QUOTED else _FLAT
    types = ", ".join(f"'{name}': '{type_}'" for name, type_ in columns.items())
    row = con.execute(
        f"COPY (FROM read_csv('{path}', auto_detect = false, header = true, delim = ',', {options}, "
        f"ignore_errors = true, columns = {{{types}}})) "
        f"TO '{out / path.stem}.parquet' (FORMAT parquet, COMPRESSION zstd)"
    ).fetchone()
    return row[0] if row else 0


if __name__ == "__main__":
    main()
