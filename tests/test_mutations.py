"""Mutated archives and CSV files: each becomes a whole and right release, or is refused cleanly.

A seed gives its case, and stands in every failure. MUTATIONS=10 in the environment runs ten times as many.
"""

import faulthandler
import json
import os
import random
import shutil
import sys
from collections import Counter
from contextlib import contextmanager, suppress

import duckdb
import oracle
import pytest
import tolerant_oracle
from conftest import first
from mutants import mutated_archive, mutated_csv, originals
from test_balance import holds

import moviehouse
from moviehouse.errors import GateError, MoviehouseError, SourceError
from moviehouse.progress import Quiet
from moviehouse.sql import QUESTIONS
from moviehouse.steps.archive import Limits
from moviehouse.steps.extract import extract

SCALE = int(os.environ.get("MUTATIONS", "1"))
ARCHIVES, ARCHIVES_IN_A_BATCH, BUILT_OF_TAKEN = 1200 * SCALE, 100, 10
BUILDS, BUILDS_IN_A_BATCH, OTHER_FILES = 300 * SCALE, 15, 3
HANGS_AFTER = 120
LIMITS = Limits(1 << 30, 1000, 200)

REFUSED_HEADERS = (
    "the required column", "the header names", "the header is not UTF-8", "the header cannot be read", "is empty.",
    "the header has carriage returns",
)  # fmt: skip


@contextmanager
def case(kind: str, seed: int):
    """A failure or a hang says which seed it was; a hang ends the process with a traceback of every thread."""
    print(f"{kind} seed {seed}", file=sys.stderr, flush=True)
    faulthandler.dump_traceback_later(HANGS_AFTER, exit=True)
    try:
        yield
    except BaseException as error:
        error.add_note(f"{kind} seed {seed}")
        raise
    finally:
        faulthandler.cancel_dump_traceback_later()


def answers(release: moviehouse.Release) -> dict[str, list[tuple]]:
    with duckdb.connect() as con:
        return {q: con.execute(f"FROM '{release.path}/answers/{q}.parquet'").fetchall() for q in QUESTIONS}


def same(found: dict[str, list[tuple]], wanted: dict[str, list[tuple]]) -> None:
    for question in QUESTIONS:
        assert len(found[question]) == len(wanted[question]), question
        for row, expected in zip(found[question], wanted[question], strict=True):
            assert row[:-1] == expected[:-1], question
            close = isinstance(expected[-1], float)
            assert row[-1] == (pytest.approx(expected[-1], rel=1e-12) if close else expected[-1]), question


def refused_cleanly(error: MoviehouseError, out) -> None:
    assert error.hint
    assert str(error).isprintable(), str(error)
    assert {p.name for p in out.iterdir()} == {".lock", "failed"}
    lines = [json.loads(line) for line in error.log.read_bytes().splitlines()]
    assert lines[-1]["reason"] in ("source_unusable", "gate_failed")


@pytest.fixture(scope="session")
def unmutated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unmutated")
    for name, content in originals().items():
        (folder / name).write_bytes(content)
    found = answers(moviehouse.build(str(folder), folder / "out"))
    same(found, oracle.answers_of(tolerant_oracle.read(originals()["movies_metadata.csv"])[0]))
    assert all(found.values())
    return found


@pytest.mark.parametrize("batch", first(range(ARCHIVES // ARCHIVES_IN_A_BATCH)))
def test_mutated_archives(tmp_path, unmutated, batch):
    outcomes = Counter()
    for seed in range(batch * ARCHIVES_IN_A_BATCH, (batch + 1) * ARCHIVES_IN_A_BATCH):
        with case("archive", seed):
            archive, out, members = tmp_path / "drop.zip", tmp_path / "out", tmp_path / "members"
            archive.write_bytes(mutated_archive(random.Random(seed)))
            taken = None
            with suppress(SourceError):
                taken = extract(archive, "archive", members, Quiet(), LIMITS).members()
            if taken:
                # A checksum vouches for each: what is taken is what was packed, byte for byte.
                for name, member in taken.items():
                    assert member.path.read_bytes() == originals()[name]
                assert set(taken) == {p.name for p in members.iterdir()}
                assert set(taken) == set(originals())
            outcomes["taken" if taken else "refused"] += 1
            if not taken:
                with pytest.raises(SourceError) as caught:
                    moviehouse.build(str(archive), out)
                refused_cleanly(caught.value, out)
            elif outcomes["taken"] % BUILT_OF_TAKEN == 1:
                release = moviehouse.build(str(archive), out)
                holds(release)
                same(answers(release), unmutated)
            assert {p.name for p in tmp_path.iterdir()} <= {"drop.zip", "out", "members", "cache"}
            shutil.rmtree(out, ignore_errors=True)
            shutil.rmtree(members, ignore_errors=True)
    assert outcomes["refused"] > ARCHIVES_IN_A_BATCH / 3
    assert outcomes["taken"] > 0


@pytest.mark.parametrize("batch", first(range(BUILDS // BUILDS_IN_A_BATCH)))
def test_mutated_csv_files(tmp_path, batch):
    """In each build movies_metadata.csv and three of the others are mutated."""
    outcomes = Counter()
    for seed in range(batch * BUILDS_IN_A_BATCH, (batch + 1) * BUILDS_IN_A_BATCH):
        with case("csv", seed):
            rng, folder, out = random.Random(seed), tmp_path / f"in{seed}", tmp_path / "out"
            folder.mkdir()
            others = rng.sample(list(originals())[1:], OTHER_FILES)
            for name, content in originals().items():
                mutate = name == "movies_metadata.csv" or name in others
                (folder / name).write_bytes(mutated_csv(content, rng) if mutate else content)
            outcomes[_outcome(folder, out)] += 1
            shutil.rmtree(out)
            shutil.rmtree(folder)
    assert outcomes["published"] > 0


def _outcome(folder, out) -> str:
    movies = (folder / "movies_metadata.csv").read_bytes()
    try:
        release = moviehouse.build(str(folder), out, threads=1)
    except SourceError as error:
        assert "are not UTF-8, the first" in error.message or any(words in error.message for words in REFUSED_HEADERS)
        refused_cleanly(error, out)
        return "refused"
    except GateError as error:
        assert "1 quality gate(s) failed: some_movie_is_loaded" in error.message
        refused_cleanly(error, out)
        assert tolerant_oracle.read(movies)[1]["loaded"] == 0
        return "gated"
    records, counts = tolerant_oracle.read(movies)
    assert release.run.files["movies_metadata.csv"]["records"].items() >= dict(counts).items()
    holds(release)
    same(answers(release), oracle.answers_of(records))
    return "published"
