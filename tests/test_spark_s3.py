"""Spark with everything in S3: the source, what is staged, and the lake; against a real S3 server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from conftest import rest_lake
from lake_pool import state_of
from s3_server import S3Server
from same import fingerprints
from spark_cluster import SETTINGS, SparkCluster, need_packages, serve

import moviehouse
from moviehouse.engines.s3a import packages
from moviehouse.lake.spark_catalog import AWS, ICEBERG

BUCKET = "moviehouse.on.spark"
TIME = datetime(2024, 1, 1)


pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def cluster(s3: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCluster]:
    """A cluster whose machines have AWS's own settings, which lead to the server."""
    need_packages(*packages("s3a://bucket"), AWS, ICEBERG, without="software.amazon.awssdk:bundle")
    cache = str(tmp_path_factory.mktemp("cache"))
    with serve(tmp_path_factory.mktemp("spark"), **s3.environment(), MOVIEHOUSE_CACHE=cache) as running:
        yield running


@pytest.fixture(scope="module")
def source(s3: S3Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    made = moviehouse.sample(tmp_path_factory.mktemp("source") / "a.zip", movies=60, ratings=500, seed=9)
    s3.bucket(BUCKET)
    s3.put(BUCKET, "drops/a.zip", Path(made.path).read_bytes())
    return f"s3://{BUCKET}/drops/a.zip"


def staged(s3: S3Server) -> list[str]:
    """What is staged, without the marker that Hadoop's client may leave of the directory itself."""
    listed = s3.client.list_objects_v2(Bucket=BUCKET, Prefix="staging/").get("Contents", [])
    return [each["Key"] for each in listed if each["Key"] != "staging/"]


def run(cluster: SparkCluster, *arguments: str) -> None:
    """Run the command on the cluster, staging in S3; it says nothing of its own accord."""
    where = ["--engine", "spark", "--spark-master", cluster.url, "--spark-staging", f"s3a://{BUCKET}/staging"]
    told = [x for k, v in SETTINGS.items() for x in ("--spark-conf", f"{k}={v}")]
    command = [sys.executable, "-m", "moviehouse", *arguments, *where, *told, "--quiet"]
    environment = os.environ | {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_build(cluster, s3, source, tmp_path, monkeypatch):
    s3.use(monkeypatch)
    expected = moviehouse.build(source, tmp_path / "duckdb", report=False)
    run(cluster, "build", source, "--out", str(tmp_path / "spark"), "--no-report")
    assert fingerprints(tmp_path / "spark" / "current") == fingerprints(expected.path)
    assert staged(s3) == []


def test_a_load(cluster, s3, source, tmp_path, monkeypatch):
    s3.use(monkeypatch)
    lake = rest_lake(s3, monkeypatch)
    moviehouse.load(source, tmp_path / "lake", observed_at=TIME)
    run(cluster, "load", source, "--lake", lake, "--observed-at", TIME.isoformat())
    assert state_of(lake) == state_of(str(tmp_path / "lake"))
    assert staged(s3) == []
