"""Small datasets written by hand, in the original's format, and builds of them."""

import csv
import io
import json
from pathlib import Path
from types import SimpleNamespace

import duckdb

import moviehouse
from moviehouse.model.sources import SOURCES

HEADERS = {s.name: [c.name for c in s.columns] for s in SOURCES}
MOVIE = {
    "adult": "False", "budget": "0", "genres": "[]", "id": "1", "imdb_id": "tt0000001", "original_language": "en",
    "original_title": "A", "popularity": "1.5", "production_companies": "[]", "production_countries": "[]",
    "release_date": "1995-10-30", "revenue": "0", "runtime": "81.0", "spoken_languages": "[]", "status": "Released",
    "title": "A", "video": "False", "vote_average": "7.7", "vote_count": "10",
}  # fmt: skip


def text(name: str, rows: list[dict], header: list[str] | None = None, end: str = "\n") -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, header or HEADERS[name], lineterminator=end, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def movies(*rows: dict) -> list[dict]:
    """Movies with ids from 1 where none is given."""
    return [{**MOVIE, "id": str(i), **row} for i, row in enumerate(rows, 1)]


def write(folder: Path, **files: bytes | list[dict]) -> Path:
    """Write files by their name without .csv; movies_metadata has one movie where it is not given."""
    folder.mkdir(parents=True, exist_ok=True)
    files.setdefault("movies_metadata", movies({}))
    for stem, content in files.items():
        name = f"{stem}.csv"
        (folder / name).write_bytes(content if isinstance(content, bytes) else text(name, content))
    return folder


def built(folder: Path, **options) -> SimpleNamespace:
    """Build a directory; gives the release, its log and its rows by query."""
    release = moviehouse.build(str(folder), folder.parent / f"{folder.name}-out", **options)
    log = [json.loads(line) for line in release.error_log.read_bytes().splitlines()]

    def rows(query: str) -> list[tuple]:
        with duckdb.connect(str(release.database), read_only=True) as con:
            return con.execute(query).fetchall()

    return SimpleNamespace(release=release, run=release.run, log=log, rows=rows)


def told(result: SimpleNamespace, *fields: str) -> list[tuple]:
    """The log's lines but for missing files, as tuples of the fields."""
    return [tuple(line[f] for f in fields) for line in result.log if line["reason"] != "missing_file"]
