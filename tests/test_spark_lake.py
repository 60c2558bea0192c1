"""A load on Spark: the state is that of a load without it, also when two load at once, and whatever is killed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace

import pytest
import small
from conftest import rest_lake
from lake_pool import state_of
from pyiceberg.types import StringType
from spark_cluster import SETTINGS, SparkCluster, alive, children, need_packages, serve

import moviehouse
from moviehouse.engines.gateway import with_packages
from moviehouse.errors import GateError, SourceError, UsageError
from moviehouse.lake.catalog import Lake, open_lake
from moviehouse.lake.ledger import Ledger
from moviehouse.lake.load import Loaded
from moviehouse.lake.read import reading_lake
from moviehouse.lake.set_aside import LOG
from moviehouse.lake.spark_catalog import AWS, ICEBERG, SQLITE, spark_catalog
from moviehouse.lake.tables import present
from moviehouse.model.lake import LAKE_TABLES
from moviehouse.sql import QUESTIONS

TIME = datetime(2024, 1, 1)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCluster]:
    need_packages(AWS, ICEBERG, SQLITE)
    with serve(tmp_path_factory.mktemp("spark")) as running:
        (running.folder / "events").mkdir()
        yield running


def settings(cluster: SparkCluster) -> dict[str, str]:
    """Those of the cluster; what happens is logged for the history server, readably."""
    events = {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": f"file://{cluster.folder / 'events'}",
        "spark.eventLog.compress": "false",
    }
    return SETTINGS | events


@pytest.fixture(scope="module")
def session(cluster: SparkCluster) -> Iterator[object]:
    """One application for the loads in this process, with the packages that a load asks Maven for."""
    from moviehouse.engines.spark import spark_session

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        with spark_session(cluster.url, settings(cluster), (ICEBERG, AWS, SQLITE)) as started:
            yield started


@pytest.fixture(scope="module")
def drops(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A whole snapshot, a second one without some of its movies, and changes with some of the files."""
    folder = tmp_path_factory.mktemp("drops")
    made = [moviehouse.sample(folder / f"{n}.zip", movies=60 - 5 * n, ratings=500, seed=4).path for n in range(2)]
    files = {
        "movies_metadata": small.movies({"title": "New", "genres": "[{'id': 18, 'name': 'Drama'}]"}, {"id": "862"})
    }
    ratings = b"userId,movieId,rating,timestamp\n1,31,2.5,1260759144\n1,31,3.0,1260759145\n"
    source = small.write(folder / "changes", **files, ratings_small=ratings)
    return [*made, Path(shutil.make_archive(str(source), "zip", source))]


def load(drop: Path, lake: object, number: int, engine: str = "spark", **options: object):
    options.setdefault("full", number < 2)
    return moviehouse.load(
        drop, str(lake), observed_at=TIME + timedelta(hours=number), max_rejects=0.5, engine=engine, **options
    )


def answers(lake: object) -> dict[str, list[tuple]]:
    with reading_lake(str(lake), QUESTIONS) as place:
        return {question: moviehouse.ask(question, place).rows for question in QUESTIONS}


def snapshots(lake: object, *names: str) -> dict[str, object]:
    """The newest snapshots of some tables, by default all."""
    opened = open_lake(str(lake))
    tables = {name: present(opened, name) for name in names or [t.name for t in LAKE_TABLES]}
    return {name: table and table.current_snapshot() for name, table in tables.items()}


@pytest.fixture(scope="module")
def without_spark(drops: list[Path], tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The drops loaded without Spark: the lake, its state and answers, what each load gave."""
    lake = tmp_path_factory.mktemp("without") / "lake"
    loaded = [load(drop, lake, number, "duckdb") for number, drop in enumerate(drops)]
    return SimpleNamespace(state=state_of(str(lake)), answers=answers(lake), loaded=loaded)


def assert_same(loaded: Loaded, expected: Loaded) -> None:
    """Whether two loads of a drop gave the same."""
    for figure in ("drop_id", "observed_at", "full", "read", "loaded", "merged", "rejected", "rows"):
        assert getattr(loaded.reading, figure) == getattr(expected.reading, figure), figure
    for part in ("files", "log", "rows", "checks", "missing_files"):
        assert getattr(loaded.run, part) == getattr(expected.run, part), part


@pytest.mark.long
def test_two_loaders_at_once_give_the_state_of_one_without_spark(session, s3, drops, without_spark, monkeypatch):
    lake = rest_lake(s3, monkeypatch)
    Ledger(open_lake(lake, create=True), create=True)
    engines = {0: "spark", 1: "duckdb", 2: "spark"}

    def load_some(*numbers: int) -> list[Loaded]:
        return [load(drops[number], lake, number, engines[number]) for number in numbers]

    with ThreadPoolExecutor(2) as threads:
        spark, other = threads.submit(load_some, 2, 0), threads.submit(load_some, 1)
        loaded = [*spark.result(), *other.result()]
    for number, each in zip((2, 0, 1), loaded, strict=True):
        assert (each.status, each.reading.engine) == ("loaded", engines[number])
        assert_same(each, without_spark.loaded[number])
    assert state_of(lake) == without_spark.state
    assert answers(lake) == without_spark.answers
    assert [release.number for release in Ledger(open_lake(lake)).releases()] == [1, 2, 3]
    before = snapshots(lake)
    again = load(drops[0], lake, 0)
    assert (again.status, again.release) == ("already", 3)
    assert "read" not in again.run.seconds, "it was read before the ledger was asked"
    assert snapshots(lake) == before
    moviehouse.maintain(lake, grace_hours=0, keep_days=0)
    assert state_of(lake) == without_spark.state


@pytest.mark.long
def test_a_directory_and_columns_that_the_model_has_got_or_does_not_know(session, drops, without_spark, tmp_path):
    lake = str(tmp_path / "lake")
    load(drops[1], lake, 1, "duckdb")
    with present(open_lake(lake), "keyword").update_schema(allow_incompatible_changes=True) as update:
        update.delete_column("name")
        update.add_column("of_a_later_model", StringType())
    assert_same(load(drops[0], lake, 0), without_spark.loaded[0])
    load(drops[2], lake, 2, "duckdb")
    table = present(open_lake(lake), "keyword").scan().to_arrow()
    assert table.column("of_a_later_model").null_count == table.num_rows
    assert 0 < table.column("name").null_count < table.num_rows
    assert {t: rows for t, rows in state_of(lake).items() if t != "keyword"} == {
        t: rows for t, rows in without_spark.state.items() if t != "keyword"
    }
    assert not list(Path(lake).rglob("*.crc"))
    moviehouse.maintain(lake, grace_hours=0, keep_days=0)
    assert answers(lake) == without_spark.answers


def zipped(folder: Path, **files) -> Path:
    return Path(shutil.make_archive(str(folder), "zip", small.write(folder, **files)))


def broken(kind: str, folder: Path) -> tuple[Path, dict]:
    """A drop that is broken, and options."""
    if kind == "no zip":
        (folder / "drop.zip").write_text("<html>not found</html>")
        return folder / "drop.zip", {}
    if kind == "wrong columns":
        return zipped(folder / "w", movies_metadata=b"a,b,c\n1,2,3\n"), {}
    if kind == "vanished column and rejects":
        header = [c for c in small.HEADERS["movies_metadata.csv"] if c != "homepage"]
        rows = [{k: v for k, v in row.items() if k != "homepage"} for row in small.movies({}, {"id": "x"})]
        return zipped(folder / "v", movies_metadata=small.text("movies_metadata.csv", rows, header)), {}
    return zipped(folder / "m", movies_metadata=small.movies({"id": "x"})), {}


@pytest.mark.long
@pytest.mark.parametrize("kind", ["no zip", "wrong columns", "vanished column and rejects", "no movie at all"])
def test_a_broken_drop_is_set_aside_in_the_same_words(session, tmp_path, kind):
    path, options = broken(kind, tmp_path)
    said = {}
    for engine in ("duckdb", "spark"):
        lake = tmp_path / engine
        before = open_lake(str(lake), create=True) and snapshots(lake)
        with pytest.raises((SourceError, GateError)) as caught:
            load(path, lake, 0, engine, **options)
        assert snapshots(lake) == before
        (row,) = Ledger(open_lake(str(lake))).noted()
        error, shown = caught.value, ("drop_id", "observed_at", "read", "rejected", "why", "status")
        assert row["engine"] == engine
        assert row["reading_id"] in str(error.log)
        facts = (type(error), error.message, error.hint, error.exit_status, error.file, error.line, error.column)
        said[engine] = (facts, {column: row[column] for column in shown}, set_aside_log(lake))
    assert said["spark"] == said["duckdb"]
    assert said["spark"][2], "no log"


def set_aside_log(lake: Path) -> list[str]:
    rows = present(open_lake(str(lake)), LOG).scan().to_arrow().to_pylist()
    return sorted(repr({k: v for k, v in row.items() if k not in ("reading_id", "run_id")}) for row in rows)


def command(cluster: SparkCluster, drop: Path, lake: str, **more: str) -> list[str]:
    arguments = ["load", str(drop), "--lake", lake, "--observed-at", TIME.isoformat(), "--max-rejects", "0.5"]
    arguments += ["--engine", "spark", "--spark-master", cluster.url]
    told = [x for k, v in (settings(cluster) | more).items() for x in ("--spark-conf", f"{k}={v}")]
    return [sys.executable, "-m", "moviehouse", *arguments, *told]


class Watch(Thread):
    """Looks for secrets on the command lines of all processes while a block runs."""

    def __init__(self, *secrets: str) -> None:
        super().__init__(daemon=True)
        self.found: set[str] = set()
        self._secrets, self._over = [s.encode() for s in secrets], Event()

    def run(self) -> None:
        while not self._over.wait(0.2):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    said = path.read_bytes()
                    self.found |= {str(path) for secret in self._secrets if secret in said}

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()


def wait_for(done: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.long
def test_a_killed_driver_leaves_nothing_visible_and_no_secret(cluster, s3, drops, without_spark, monkeypatch):
    """Killed at a random moment, then as soon as a table has rows, then left alone."""
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    lake = rest_lake(s3, monkeypatch)
    load(drops[1], lake, 1, "duckdb")
    load(drops[2], lake, 2, "duckdb")
    rows = snapshots(lake, "cast_credit")
    moments = [lambda: chance.random() < 0.02, lambda: snapshots(lake, "cast_credit") != rows, lambda: False]
    chance, said = random.Random(7), ""
    with Watch(s3.secret_key, s3.access_key) as watch:
        for moment in moments:
            assert Ledger(open_lake(lake)).newest().number == 2
            process = subprocess.Popen(
                command(cluster, drops[0], lake), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
            while process.poll() is None and not moment():
                time.sleep(0.1)
            started = children(process.pid)
            process.kill()
            said += process.communicate()[0]
            wait_for(lambda started=started: not any(alive(pid) for pid in started))
    assert process.returncode == 0, said
    assert Ledger(open_lake(lake)).newest().number == 3
    assert state_of(lake) == without_spark.state
    assert not watch.found
    assert ":: " not in said, "Maven's talk is not ours"
    assert "WARN" not in said
    logs = [p for p in cluster.folder.rglob("*") if p.is_file() and p.suffix in ("", ".log", ".inprogress")]
    logs = [p for p in logs if "blockmgr" not in str(p)]
    assert any("events" in p.parts for p in logs)
    texts = {str(path): path.read_text(errors="replace") for path in logs} | {"printed": said}
    assert [w for w, t in texts.items() for secret in (s3.secret_key, s3.access_key) if secret in t] == []
    assert any("spark.sql.catalog" not in text and "SparkListenerSQLExecutionStart" in text for text in texts.values())


@pytest.mark.long
def test_killed_executors_and_a_killed_worker(session, cluster, drops, without_spark, tmp_path):
    """An executor dies while files are read, a worker with its own while rows are appended: Spark does it again."""
    lake = str(tmp_path / "lake")
    open_lake(lake, create=True)
    load(drops[1], lake, 1, "duckdb")
    load(drops[2], lake, 2, "duckdb")
    rows = snapshots(lake, "cast_credit")
    with ThreadPoolExecutor(1) as thread:
        loading = thread.submit(load, drops[0], lake, 0)
        time.sleep(2)
        for process in cluster.executors(0):
            os.kill(process, signal.SIGKILL)
        while snapshots(lake, "cast_credit") == rows and not loading.done():
            time.sleep(0.05)
        assert not loading.done()
        cluster.workers[1].kill()
        for process in cluster.executors(1):
            os.kill(process, signal.SIGKILL)
        assert loading.result().status == "loaded"
    assert state_of(lake) == without_spark.state


@pytest.mark.long
def test_what_spark_cannot_load_into(tmp_path, drops, cluster):
    fake = type("DynamoDbCatalog", (), {"properties": {}})()
    with pytest.raises(UsageError, match="its catalog is a DynamoDbCatalog"):
        spark_catalog(Lake(fake, "one"), "s3://bucket/moviehouse/release")


def rest(**properties: str) -> Lake:
    from pyiceberg.catalog.rest import RestCatalog

    catalog = RestCatalog.__new__(RestCatalog)
    catalog.properties = {"type": "rest", "uri": "https://catalog.example.org", **properties}
    return Lake(catalog, "tables")


def test_the_catalog_in_the_words_of_java():
    signed = {"rest.sigv4-enabled": "true", "rest.signing-name": "s3tables", "client.region": "us-west-2"}
    keys = {"client.access-key-id": "AK", "client.secret-access-key": "SK", "s3.secret-access-key": "S3K"}
    found = spark_catalog(rest(warehouse="arn:x", **signed, **keys), "s3://bucket/x")
    assert {k: v for k, v in found.properties.items() if "key" in k} == {
        "rest.access-key-id": "AK", "rest.secret-access-key": "SK", "s3.access-key-id": "AK",
        "s3.secret-access-key": "S3K",
    }  # fmt: skip
    assert found.properties["rest.signing-region"] == "us-west-2"
    assert found.properties["io-impl"] == "org.apache.iceberg.aws.s3.S3FileIO"
    assert "SK" not in repr(found)
    assert list(found.needs.values()) == [ICEBERG, AWS]
    oauth = {"credential": "id:secret", "scope": "all", "oauth2-server-uri": "https://id.example.org/token"}
    found = spark_catalog(rest(**oauth), "gs://bucket/x")
    assert oauth.items() <= found.properties.items()
    assert list(found.needs.values()) == [ICEBERG]
    with pytest.raises(UsageError, match="has client.profile-name, which Spark has no equivalent of") as caught:
        spark_catalog(rest(**{"client.profile-name": "x"}), "s3://bucket/x")
    assert "AWS_PROFILE" in caught.value.hint


def test_packages_are_asked_for_unless_they_are_there(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    assert with_packages({"spark.a": "b"}, ["g:one:1", "g:two:2"])["spark.jars.packages"] == "g:one:1,g:two:2"
    assert with_packages({"spark.jars.packages": "g:one:9,h:x:1"}, ["g:one:1", "g:two:2"]) == {
        "spark.jars.packages": "g:one:9,h:x:1,g:two:2"
    }
    assert with_packages({"spark.jars": "/one.jar"}, ["g:one:1"]) == {"spark.jars": "/one.jar"}
    (tmp_path / "spark-defaults.conf").write_text("# mine\nspark.jars.packages  h:x:1\n")
    assert with_packages({}, ["g:one:1"]) == {"spark.jars.packages": "h:x:1,g:one:1"}
    (tmp_path / "spark-defaults.conf").write_text("spark.jars=/one.jar\n")
    assert with_packages({}, ["g:one:1"]) == {}


@pytest.mark.long
def test_packages_that_cannot_be_had(tmp_path, drops):
    arguments = {"spark.jars.packages": "org.example:none:1", "spark.jars.ivy": str(tmp_path / "ivy")}
    told = [x for k, v in arguments.items() for x in ("--spark-conf", f"{k}={v}")]
    load = [sys.executable, "-m", "moviehouse", "load", str(drops[0]), "--lake", str(tmp_path / "lake")]
    done = subprocess.run([*load, "--engine", "spark", "-q", *told], capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert done.stderr.startswith(
        "moviehouse: Spark cannot fetch its packages from Maven: org.example#none;1: not found"
    )
    assert "--spark-conf spark.jars=" in done.stderr
