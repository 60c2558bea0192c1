"""The balance on any files at all: what is read is loaded, merged or rejected, or the source is refused."""

import json
import random
import shutil
from dataclasses import replace
from functools import cache

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small import movies, text, write

import moviehouse
from moviehouse.errors import GateError, SourceError
from moviehouse.model.sources import SOURCES

NOISE = [
    b'"',
    b"'",
    b",",
    b"\n",
    b"\r",
    b"\r\n",
    b"\0",
    b"\xff",
    b"[",
    b"]",
    b"{",
    b"}",
    b"\\",
    b"1",
    b"None",
    b"\xc3\xa9",
    b" ",
    b"-",
]


@cache
def originals() -> dict[str, bytes]:
    """Seven small files as the original writes them."""
    genres = "[{'id': 18, 'name': 'Drama'}, {'id': 35, 'name': \"Children's\"}]"
    rows = movies(
        *(
            {"title": f"A {i}", "overview": 'He said "no",\nthen left.', "genres": genres, "budget": "5000"}
            for i in range(6)
        )
    )
    cast = "[{'cast_id': 1, 'character': 'x', 'credit_id': 'c%d', 'gender': 2, 'id': 31, 'name': 'Tom', 'order': 0, 'profile_path': None}]"
    return {
        "movies_metadata.csv": text("movies_metadata.csv", rows),
        "credits.csv": text("credits.csv", [{"cast": cast % i, "crew": "[]", "id": i} for i in range(1, 8)]),
        "keywords.csv": text("keywords.csv", [{"id": i, "keywords": "[{'id': 5, 'name': 'x\\xa0y'}]"} for i in range(1, 7)]),
        "links.csv": text("links.csv", [{"movieId": i, "imdbId": f"{i:07}", "tmdbId": i} for i in range(1, 9)], end="\r\n"),
        "links_small.csv": text("links_small.csv", [{"movieId": i, "imdbId": f"{i:07}", "tmdbId": i} for i in range(2, 5)], end="\r\n"),
        "ratings.csv": text("ratings.csv", [{"userId": i, "movieId": i, "rating": "3.5", "timestamp": 10**9 + i} for i in range(1, 30)]),
        "ratings_small.csv": text("ratings_small.csv", [{"userId": 1, "movieId": i, "rating": "0.5", "timestamp": 10**9} for i in range(1, 9)]),
    }  # fmt: skip


def mutated(content: bytes, rng: random.Random) -> bytes:
    """The content with a few bytes inserted, removed, changed, repeated or moved, behind its header."""
    head, newline, body = content.partition(b"\n")
    for _ in range(rng.randint(1, 4)):
        at, to = sorted(rng.randint(0, len(body)) for _ in range(2))
        match rng.randrange(6):
            case 0:
                body = body[:at] + rng.choice(NOISE) + body[at:]
            case 1:
                body = body[:at] + body[min(to, at + 30) :]
            case 2:
                body = body[:at] + rng.choice(NOISE) + body[at + 1 :]
            case 3:
                body = body[:to] + body[at:]
            case 4:
                body = body[:at]
            case 5:
                lines = body.split(b"\n")
                rng.shuffle(lines)
                body = b"\n".join(lines)
    return head + newline + body


def holds(release: moviehouse.Release) -> None:
    for file, entry in release.run.files.items():
        for counts in (entry["records"], *entry.get("lists", {}).values()):
            assert counts["read"] == counts["loaded"] + counts["merged"] + counts["rejected"], (file, counts)
    log = [json.loads(line) for line in release.error_log.read_bytes().splitlines()]
    with duckdb.connect(str(release.database), read_only=True) as con:
        kept = con.execute('SELECT file, line, "column", reason FROM rejected_record').fetchall()
    logged = [(x["file"], x["line"], x["column"], x["reason"]) for x in log if x["severity"] == "rejected"]
    assert sorted(kept, key=str) == sorted(logged, key=str)


@pytest.mark.long
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), files=st.sets(st.sampled_from([s.name for s in SOURCES]), min_size=1))
def test_the_balance_closes_on_any_files_or_they_are_refused(tmp_path_factory, seed, files):
    rng, folder = random.Random(seed), tmp_path_factory.mktemp("balance")
    for name, content in originals().items():
        (folder / name).write_bytes(mutated(content, rng) if name in files else content)
    try:
        release = moviehouse.build(str(folder), folder / "out")
    except SourceError as error:
        assert "UTF-8" in error.message
    except GateError as error:
        assert "1 quality gate(s) failed: some_movie_is_loaded" in error.message
    else:
        holds(release)
    shutil.rmtree(folder)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=st.binary(max_size=300))
def test_the_balance_closes_on_bytes_that_mean_nothing(tmp_path_factory, body):
    folder = tmp_path_factory.mktemp("bytes")
    for name, content in originals().items():
        (folder / name).write_bytes(content.partition(b"\n")[0] + b"\n" + body)
    try:
        release = moviehouse.build(str(folder), folder / "out")
    except SourceError as error:
        assert "UTF-8" in error.message
    except GateError as error:
        assert "1 quality gate(s) failed: some_movie_is_loaded" in error.message
    else:
        holds(release)
    shutil.rmtree(folder)


def test_a_balance_that_does_not_close_fails_the_run(tmp_path, monkeypatch):
    """Records that vanish between reading and loading are noticed, wherever it happens."""
    from moviehouse.steps import conform

    real = conform.conform

    def leaky(folder, name):
        return conform.BUILD.text(folder, name) + (" AND r.movie_id <> 3" if name == "loaded_movie" else "")

    monkeypatch.setattr(conform, "conform", lambda *rest: real(*rest[:2], replace(rest[2], text=leaky)))
    folder = write(tmp_path / "in", movies_metadata=movies({}, {}, {}))
    with pytest.raises(moviehouse.GateError, match="balance_closes"):
        moviehouse.build(str(folder), tmp_path / "out")
