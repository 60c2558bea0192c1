"""One meaning on every engine: a cluster of Spark gives the tables and answers that DuckDB gives, row for row."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from conftest import first
from same import fingerprints
from spark_cluster import SETTINGS, SparkCluster, serve

import moviehouse
import moviehouse.cluster as cluster_module
from moviehouse.engines.dialect import columns_to_spark, order_of, to_spark
from moviehouse.engines.economy import java_options
from moviehouse.errors import SourceError, TargetError, UsageError

DATA = Path(os.environ.get("MOVIEHOUSE_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
EXCERPTS = [DATA / "the-movies-dataset-excerpt.zip", DATA / "the-movies-dataset-excerpt-s3.zip"]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCluster]:
    with serve(tmp_path_factory.mktemp("spark")) as running:
        yield running


@pytest.fixture(scope="module")
def session(cluster: SparkCluster) -> Iterator[object]:
    """One application for all builds in this process: Spark starts slowly."""
    from moviehouse.engines.spark import spark_session

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        with spark_session(cluster.url, SETTINGS) as started:
            yield started


def both(source: Path, folder: Path, **spark: object) -> tuple[moviehouse.Release, moviehouse.Release]:
    """The releases that DuckDB and Spark make of a source."""
    made = moviehouse.build(source, folder / "duckdb")
    return made, moviehouse.build(source, folder / "spark", engine="spark", **spark)


def ratings(release: moviehouse.Release) -> list[tuple[str, int]]:
    """The ratings by their lines, in the order that they are stored in."""
    with duckdb.connect(str(release.path / "moviehouse.duckdb"), read_only=True) as con:
        return con.execute("SELECT edition, source_line FROM rating ORDER BY rowid").fetchall()


def assert_same(one: moviehouse.Release, other: moviehouse.Release) -> None:
    expected, found = fingerprints(one.path), fingerprints(other.path)
    assert {k: v for k, v in found.items() if v != expected[k]} == {}
    assert found.keys() == expected.keys()
    for part in ("files", "missing_files", "ignored_files", "log", "rows", "releases", "excluded", "checks"):
        assert getattr(other.run, part) == getattr(one.run, part), part
    assert [line(x) for x in log(other)] == [line(x) for x in log(one)]


def log(release: moviehouse.Release) -> list[dict[str, object]]:
    return [json.loads(text) for text in release.error_log.read_text().splitlines()]


def line(entry: dict[str, object]) -> str:
    return json.dumps({k: v for k, v in entry.items() if k != "run_id"}, sort_keys=True)


@pytest.mark.long
@pytest.mark.skipif(not EXCERPTS[0].exists(), reason="the excerpt is not here")
@pytest.mark.parametrize("excerpt", EXCERPTS, ids=lambda path: path.stem)
def test_the_real_excerpt(session, tmp_path, excerpt):
    assert_same(*both(excerpt, tmp_path))


@pytest.mark.parametrize("few", first([1000, 0]), ids=["ratings named", "ratings joined"])
def test_a_sample_with_every_oddity(session, tmp_path, monkeypatch, few):
    monkeypatch.setattr(cluster_module, "_FEW", few)
    made, staged = moviehouse.sample(tmp_path / "sample.zip", movies=600, ratings=6000, seed=3), tmp_path / "staged"
    built, spark = both(made.path, tmp_path, spark_staging=staged.as_uri() if few else None)
    assert_same(built, spark)
    assert not staged.exists() or list(staged.iterdir()) == []
    if few:
        assert ratings(built) == ratings(spark)
    assert {entry["severity"] for entry in log(spark)} == {"rejected", "mended", "merged", "warning"}
    assert spark.run.rows["rejected_record"] > 0
    assert spark.run.options["engine"] == "spark"
    assert (spark.path / "report.html").exists()


def rewritten(source: Path, target: Path, change: dict[str, object]) -> Path:
    """A copy of an archive with some members changed: to bytes, or left out where it is None."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = change.get(name, old.read(name))
            if callable(content):
                content = content(old.read(name))
            if content is not None:
                new.writestr(name, content)
    return target


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return moviehouse.sample(tmp_path_factory.mktemp("small") / "sample.zip", movies=120, ratings=600, seed=5).path


@pytest.mark.long
def test_files_that_are_missing_empty_cut_or_have_other_columns(session, small, tmp_path):
    source = rewritten(
        small,
        tmp_path / "broken.zip",
        {
            "links_small.csv": None,
            "ratings_small.csv": b"",
            "keywords.csv": lambda content: content[:-40],
            "links.csv": lambda content: content.replace(b"imdbId", b"imdb", 1),
            "ratings.csv": lambda content: b"userId,movieId,rating,timestamp\n",
        },
    )
    built, spark = both(source, tmp_path)
    assert_same(built, spark)
    assert spark.run.missing_files == ["links_small.csv"]
    reasons = {str(entry["reason"]) for entry in log(spark)}
    assert {"missing_file", "empty_file", "missing_column", "truncated_record"} <= reasons


REFUSED = {
    "no movies": {"movies_metadata.csv": None},
    "empty movies": {"movies_metadata.csv": b""},
    "columns": {"movies_metadata.csv": lambda content: content.replace(b"budget", b"cost", 1)},
    "two files": {
        "credits.csv": lambda content: content.replace(b"cast,crew", b"cast,team", 1),
        "links.csv": lambda content: content.replace(b"tmdbId", b"tmdb", 1),
    },
    "encoding": {"keywords.csv": lambda content: content.replace(b"'name'", b"'n\xe4me'")},
}


@pytest.mark.long
@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_used_is_refused_in_the_same_words(session, small, tmp_path, change):
    source = rewritten(small, tmp_path / "refused.zip", change)
    errors = {}
    for engine in ("duckdb", "spark"):
        with pytest.raises(SourceError) as caught:
            moviehouse.build(source, tmp_path / engine, engine=engine)
        assert not (tmp_path / engine / "current").exists()
        (failed,) = (tmp_path / engine / "failed").iterdir()
        lines = [json.loads(text) for text in (failed / "errors.jsonl").read_text().splitlines()]
        shown = (str(caught.value), caught.value.retry, caught.value.file, caught.value.line, caught.value.column)
        errors[engine] = (*shown, sorted(line(entry) for entry in lines if entry["severity"] == "failed"))
    assert errors["spark"] == errors["duckdb"]


def test_a_damaged_member_is_refused_in_the_same_words(session, small, tmp_path):
    raw = bytearray(small.read_bytes())
    with zipfile.ZipFile(small) as archive:
        member = archive.getinfo("credits.csv")
    raw[member.header_offset + 200] ^= 0xFF
    source = tmp_path / "damaged.zip"
    source.write_bytes(raw)
    said = []
    for engine in ("duckdb", "spark"):
        with pytest.raises(SourceError) as caught:
            moviehouse.build(source, tmp_path / engine, engine=engine)
        said.append(str(caught.value))
    assert said[0] == said[1]


@pytest.mark.long
def test_no_row_comes_to_the_driver(session, tmp_path):
    """A driver that its tasks may send 1 MB makes tables that it could not take one of."""
    made = moviehouse.sample(tmp_path / "sample.zip", movies=2500, ratings=100_000, oddities=False)
    built, spark = both(made.path, tmp_path, report=False)
    assert_same(built, spark)
    assert session.sparkContext.getConf().get("spark.driver.memory") == "512m"
    for table in ("rating", "cast_credit"):
        rows = session.read.parquet(f"file://{spark.path}/tables/{table}.parquet")
        with pytest.raises(Exception, match="maxResultSize"):
            rows.collect()


@pytest.mark.long
def test_the_command_line(cluster, small, tmp_path):
    source = rewritten(small, tmp_path / "refused.zip", {"movies_metadata.csv": b""})
    command = [sys.executable, "-m", "moviehouse", str(source), "--out", str(tmp_path / "out"), "--engine", "spark"]
    command += ["--spark-master", cluster.url, *(x for k, v in SETTINGS.items() for x in ("--spark-conf", f"{k}={v}"))]
    environment = os.environ | {"SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 1
    said = [text for text in done.stderr.splitlines() if "incubator modules" not in text]  # Java's own word
    assert "moviehouse: movies_metadata.csv is empty." in said
    assert [text for text in said if "WARN" in text or "log level" in text or "Exception" in text] == []
    wrong = subprocess.run([*command, "--spark-conf", "nonsense"], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stderr.splitlines()[0]) == (2, "moviehouse: 'nonsense' is not a setting.")


def test_a_master_that_is_not_there(tmp_path, small):
    with pytest.raises(TargetError, match="No Spark master answers at spark://127.0.0.1:1") as caught:
        moviehouse.build(small, tmp_path / "out", engine="spark", spark_master="spark://127.0.0.1:1")
    assert caught.value.retry


def test_java_that_is_not_there(tmp_path, small, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(UsageError, match="needs Java 17 or later") as caught:
        moviehouse.build(small, tmp_path / "out", engine="spark")
    assert "openjdk" in caught.value.hint


def test_spark_that_is_not_there(tmp_path, small, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(UsageError, match="needs the extra `spark`") as caught:
        moviehouse.build(small, tmp_path / "out", engine="spark")
    assert "moviehouse[spark]" in caught.value.hint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "hadoop"}, "There is no engine"),
        ({"spark_master": "local"}, "are for --engine spark"),
        ({"spark_conf": {"spark.a": "b"}}, "are for --engine spark"),
    ],
)
def test_options_that_make_no_sense(tmp_path, small, options, message):
    with pytest.raises(UsageError, match=message):
        moviehouse.build(small, tmp_path / "out", **options)


def test_what_java_is_told_gives_way_to_what_spark_is_told(monkeypatch):
    for variable in ("SPARK_SUBMIT_OPTS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"):
        monkeypatch.delenv(variable, raising=False)
    driver, executor = "spark.driver.defaultJavaOptions", "spark.executor.defaultJavaOptions"
    remote = {"spark.master": "spark://10.0.0.1:7077"}
    ours = java_options(remote)
    assert "-XX:+UseSerialGC" in ours[driver]
    assert "GC" not in java_options(remote | {"spark.driver.extraJavaOptions": "-XX:+UseG1GC"})[driver]
    assert java_options(remote | {driver: "-Da=b"}) == {executor: ours[executor]}
    assert java_options(remote | {executor: "-Da=b"}) == {driver: ours[driver]}
    # On this machine alone the driver does the executors' work.
    assert java_options({})[driver] == java_options({"spark.master": "local[2]"})[driver] == ours[executor]
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-XX:+UseParallelGC")
    assert "GC" not in java_options(remote)[driver]


def test_columns_in_the_dialect():
    columns = [("a b", "VARCHAR"), ("at", "TIMESTAMP"), ("share", "DECIMAL(18,9)"), ("raw", "BLOB")]
    assert columns_to_spark(columns) == "`a b` STRING, `at` TIMESTAMP_NTZ, `share` DECIMAL(18, 9), `raw` BINARY"


def test_the_dialect():
    ordered = "SELECT a, strlen(b) AS n FROM t WHERE c IS DISTINCT FROM d ORDER BY a DESC, n NULLS FIRST"
    spark = to_spark(ordered)
    assert "ORDER BY" not in spark
    assert "OCTET_LENGTH(b)" in spark
    assert order_of(ordered) == "a DESC, n NULLS FIRST"
    # DuckDB puts NULLs last where Spark would put them first.
    assert "ORDER BY a NULLS LAST" in to_spark("SELECT ROW_NUMBER() OVER (ORDER BY a) AS n FROM t")
    assert "`column`" in to_spark('SELECT "column" FROM t')
