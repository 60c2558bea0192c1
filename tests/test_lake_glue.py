"""A lake whose catalog is Glue, as PyIceberg and Spark are configured for it, with its files on a real S3 server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from conftest import configure
from glue_server import serve
from lake_pool import expected, is_exact, pool, put, state_of
from s3_server import S3Server
from spark_cluster import SETTINGS, need_packages
from spark_cluster import serve as serve_spark

import moviehouse
from moviehouse.errors import SourceError, UsageError
from moviehouse.lake.catalog import open_lake
from moviehouse.lake.ledger import Ledger
from moviehouse.lake.spark_catalog import AWS, ICEBERG
from moviehouse.sql import QUESTIONS


@pytest.fixture(scope="module")
def glue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(tmp_path_factory.mktemp("glue")) as address:
        yield address


@pytest.fixture
def lake(glue: str, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """A lake of its own in a catalog that all share; the keys are in the environment, as AWS's tools expect them."""
    for name, value in s3.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return configure(
        monkeypatch,
        lambda name: {
            "type": "glue",
            "glue.endpoint": glue,
            "client.region": "us-east-1",
            "warehouse": f"s3://{s3.bucket(name)}/warehouse",
            "moviehouse.namespace": name,
            "s3.endpoint": s3.endpoint,
            "s3.access-key-id": s3.access_key,
            "s3.secret-access-key": s3.secret_key,
        },
    )


@pytest.mark.long
def test_drops_upkeep_and_readers(lake, tmp_path):
    drops = pool(tmp_path, 3, seed=5)
    for number, drop in enumerate(drops, 1):
        put(lake, drop, number)
        if number == 2:
            assert moviehouse.maintain(lake, grace_hours=0, keep_days=0).folded == 2
    assert put(lake, drops[1], 4) is None
    assert state_of(lake) == expected(drops)
    is_exact(lake)
    *_, before, last = Ledger(open_lake(lake)).releases()
    assert (before.kind, before.number, last.kind, last.number) == ("maintain", 3, "load", 4)
    assert state_of(lake, as_of=before.created_at) == expected(drops[:2])


@pytest.mark.long
def test_spark_loads_what_the_command_line_then_answers_from(lake, tmp_path):
    need_packages(AWS, ICEBERG)
    sample = moviehouse.sample(tmp_path / "sample.zip", movies=60, ratings=300)
    release = moviehouse.build(sample.path, tmp_path / "out", report=False)
    with serve_spark(tmp_path) as cluster:
        told = [x for k, v in SETTINGS.items() for x in ("--spark-conf", f"{k}={v}")]
        command = ["load", str(sample.path), "--lake", lake, "--max-rejects", "0.5", "-q"]
        command += ["--engine", "spark", "--spark-master", cluster.url, *told]
        done = subprocess.run(
            [sys.executable, "-m", "moviehouse", *command], capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    assert moviehouse.maintain(lake).folded == 1
    for question in QUESTIONS:
        assert moviehouse.ask(question, lake=lake).rows == release.ask(question).rows


def test_two_lakes_in_one_catalog(lake, glue, tmp_path, monkeypatch):
    first, second = pool(tmp_path, 2, seed=6)
    put(lake, first, 1)
    monkeypatch.setenv(f"PYICEBERG_CATALOG__{lake.upper()}__MOVIEHOUSE__NAMESPACE", f"{lake}_rehearsal")
    with pytest.raises(SourceError, match="no release"):
        state_of(lake)
    put(lake, second, 2)
    assert state_of(lake) == expected([second])
    monkeypatch.setenv(f"PYICEBERG_CATALOG__{lake.upper()}__MOVIEHOUSE__NAMESPACE", lake)
    assert state_of(lake) == expected([first])
    monkeypatch.setenv(f"PYICEBERG_CATALOG__{lake.upper()}__MOVIEHOUSE__NAMESPACE", "Not-good")
    with pytest.raises(UsageError, match="'Not-good'"):
        open_lake(lake)
