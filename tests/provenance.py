"""Releases that the tests of trace and why share, each built once."""

import os
from pathlib import Path

import pytest

import moviehouse

DATA = Path(os.environ.get("MOVIEHOUSE_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
EXCERPTS = {"s3": DATA / "the-movies-dataset-excerpt-s3.zip"}


_BUILT = {}


def _build(name, factory):
    folder = factory.mktemp(name)
    source = EXCERPTS.get(name, folder / "sample.zip")
    if name == "sample":
        moviehouse.sample(source, movies=1500, ratings=20_000, seed=7)
    return source, moviehouse.build(str(source), folder / "out")


def release_of(name, factory):
    """The source and the release of the real excerpt (s3: with the damage of the S3 copy), or of the sample."""
    if name in EXCERPTS and not EXCERPTS[name].exists():
        pytest.skip("the publishers' data is no part of the project")
    if name not in _BUILT:
        _BUILT[name] = _build(name, factory)
    return _BUILT[name]
