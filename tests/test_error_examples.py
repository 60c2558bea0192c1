"""The examples of docs/error-log.md: each is a line that a run on a real file writes."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from small import HEADERS, built, movies, text, write

import moviehouse
from moviehouse.error_log import REASONS
from moviehouse.errors import MoviehouseError
from moviehouse.render.error_reasons import example_line

M = "movies_metadata.csv"
HEADER = [*(c for c in HEADERS[M] if c != "tagline"), "rating_mpaa"]


def with_every_oddity(folder: Path) -> Path:
    """A directory whose log has a line of each reason that one source can give."""
    rows = movies(
        {"id": "862", "title": "Toy Story", "budget": "12"},
        {"id": "863", "budget": "12,5", "popularity": "n/a", "release_date": "10/30/1995", "adult": "yes",
         "original_language": "english", "genres": "['Comedy'", "status": "released"},
        {"id": "864", "genres": "[{'id': 16, 'name': 'Animation'}, {'id': 16, 'name': 'Animation'}]",
         "popularity": "0.12345678901"},
        {"id": "865", "genres": "[{'id': 35, 'name': 'Comedy'} GATO"},
        {"id": "866", "genres": "[{'name': 'Comedy'}, {'id': 7883, 'name': 'Aniplex'}]"},
        {"id": "867", "production_companies": "[{'name': 'Pixar', 'id': 3}]"},
        {"id": "868", "production_companies": "[{'name': 'Pixar Animation Studios', 'id': 3}]"},
        {"id": "869"}, {"id": "869", "title": "The same again"}, {"id": "", "title": "Nameless"}, {"id": "1997-08-20"},
        {"id": "870", "overview": "Of two\n lines"},
    )  # fmt: skip
    lines = text(M, rows, HEADER).replace(b'"Of two\n lines"', b"Of two\n lines")
    plain = text("links.csv", [{"movieId": n, "imdbId": n, "tmdbId": 862} for n in range(1, 150)])
    credits = [
        {"cast": r"[{'credit_id': 'c1', 'id': 31, 'name': 'A', 'character': '\ud800'}]", "crew": "[]", "id": "862"},
        {"cast": "[]", "crew": "[]", "id": "99"},
    ]
    return write(
        folder,
        movies_metadata=lines,
        credits=credits,
        keywords=b"id,keywords\n862,[]\n863,\"[{'id': 16",
        links=plain
        + b'200,114709,862,surplus\n201,"1147"09,862\n202,Caf\xe9,862\n203,11\x0009,862\n204,114709,98\n205,114709,862\n',
        links_small=b"movieId,imdbId,tmdbId\n205,113497,8844\n",
        ratings=b"userId,movieId,rating,timestamp\n7,206,4.0,1260759144\n",
        ratings_small=[],
        ratings_medium=b"",
    )


def newest_failure(out: Path) -> list[dict]:
    (log,) = out.glob("failed/*/errors.jsonl")
    return [json.loads(line) for line in log.read_text().splitlines()]


def failures(folder: Path, monkeypatch) -> list[dict]:
    """The lines of runs that fail, each for a reason of its own."""
    monkeypatch.chdir(folder)
    misnamed = write(folder / "misnamed", links=b"movieId,imdbId,TMDBID\n1,114709,862\n")
    empty = write(folder / "empty", movies_metadata=movies({"id": ""}))
    plain = write(folder / "plain")
    lines = []
    for name, source in (("source", misnamed), ("gate", empty)):
        with pytest.raises(MoviehouseError):
            moviehouse.build(source, name)
        lines += newest_failure(folder / name)
    subprocess.run(
        [sys.executable, "-m", "moviehouse", plain, "-q"], check=False, stderr=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (12 << 10, 12 << 10)),
    )  # fmt: skip
    lines += newest_failure(folder / "moviehouse-out")
    for name, error in (("stopped", KeyboardInterrupt), ("bug", ZeroDivisionError("division by zero"))):

        def fail(*_: object, error=error) -> None:
            raise error

        monkeypatch.setattr("moviehouse.steps.conform.conform", fail)
        with pytest.raises((KeyboardInterrupt, ZeroDivisionError)):
            moviehouse.build(plain, name)
        lines += newest_failure(folder / name)
    return lines


def test_every_example_is_a_line_that_a_run_writes(tmp_path, monkeypatch):
    log = [
        *built(with_every_oddity(tmp_path / "odd"), report=False).log,
        *built(write(tmp_path / "few", links=b""), report=False).log,
    ]
    written: dict[str, list[dict]] = {}
    for line in [*log, *failures(tmp_path, monkeypatch)]:
        written.setdefault(line["reason"], []).append(line)
    for reason in REASONS:
        example = json.loads(example_line(reason))
        lines = [line | {"run_id": example["run_id"]} for line in written[reason.code]]
        if reason.code == "bug":  # where the code is, is another machine's matter
            lines = [line | {"value": line["value"][line["value"].index("Traceback") :][:9]} for line in lines]
            example["value"] = example["value"][:9]
        assert example in lines, (reason.code, lines[:3])
