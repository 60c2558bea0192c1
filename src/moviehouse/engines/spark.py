"""Runs the same SQL on Spark; every relation is Parquet in a shared directory, and no row passes the driver."""

from __future__ import annotations

import logging
import os
import re
import shutil
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from moviehouse.engines import gateway, s3a
from moviehouse.engines.economy import java_options
from moviehouse.engines.gateway import jvm, with_packages
from moviehouse.engines.shared import Shared
from moviehouse.errors import TargetError, UsageError
from moviehouse.model.schema import Table
from moviehouse.sql.text import name

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

_CONNECT_SECONDS = 5
# Statements that need nothing of each other are sent side by side: a short one leaves most of a cluster idle.
_AT_ONCE = 4
_SETTINGS = {
    "spark.sql.ansi.enabled": "true",  # an overflow is an error, not NULL
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    # A broadcast goes through the driver.
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.adaptive.autoBroadcastJoinThreshold": "-1",
}

# Spark's own chatter has no place among the steps; what fails is told as an error.
_LOGGING = Path(__file__).with_name("log4j2.properties").as_uri()
_QUIET = f"-Dlog4j2.configurationFile={_LOGGING}"

Item = TypeVar("Item")
Result = TypeVar("Result")


class Spark:
    """A Spark session whose relations are staged under `staging`."""

    def __init__(self, session: SparkSession, staging: Shared) -> None:
        self.session, self.staging = session, staging
        self._tag = f"moviehouse-{uuid4().hex}"

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Call a function on the executors, one task for each item; what it gives is small."""
        with self.at_work() as context:
            return context.parallelize(items, len(items)).map(function).collect()

    def relate(self, relation: str, folders: Iterable[Shared], schema: StructType | str) -> None:
        """Name the Parquet files of some directories, which have a schema, as one relation: no job looks for it."""
        paths = [folder.uri for folder in folders]
        self.session.read.schema(schema).parquet(*paths).createOrReplaceTempView(relation)

    def create_works(self, selects: Mapping[str, str]) -> None:
        """Create relations that are no part of the release, by name; none may need another of them."""
        self._create({relation: ("work", select) for relation, select in selects.items()})

    def create_tables(self, selects: Mapping[Table, str]) -> None:
        """Create tables of the model; none may need another of them."""
        self._create({table.name: ("tables", _typed(table, select)) for table, select in selects.items()})

    def create_table(self, table: Table, select: str) -> None:
        """Create a table of the model from a SELECT, with the declared columns and types."""
        self.create_tables({table: select})

    def create_table_view(self, table: Table, select: str) -> None:
        """Create a table of the model that is worked out whenever it is needed, and not written."""
        self.create_view(table.name, _typed(table, select))

    def create_answers(self, selects: Mapping[str, str]) -> None:
        """Create answers, by name; none may need another of them."""
        self._create({question: ("answers", select) for question, select in selects.items()})

    def create_passing(self, relation: str, select: str) -> None:
        """Create a relation that one later statement needs, and no other: part of that statement's job."""
        self.create_view(relation, select)

    def create_view(self, view: str, select: str) -> None:
        """Create a relation that is worked out whenever it is needed."""
        self.query(select).createOrReplaceTempView(view)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a query, which are few: they come to the driver."""
        with self.at_work():
            return [tuple(row) for row in self.query(query).collect()]

    def query(self, select: str) -> DataFrame:
        """The data frame of a query in DuckDB's dialect."""
        from moviehouse.engines.dialect import to_spark

        return self.session.sql(to_spark(select))

    def _create(self, relations: Mapping[str, tuple[str, str]]) -> None:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            done = [pool.submit(self._write, kind, relation, select) for relation, (kind, select) in relations.items()]
            try:
                for each in done:
                    each.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self.cancel()
                raise

    def _write(self, kind: str, relation: str, select: str) -> None:
        place = self.staging.at(kind, relation)
        with self.at_work():
            frame = self.query(select)
            frame.write.parquet(place.uri)
            self.relate(relation, [place], frame.schema)

    def cancel(self) -> None:
        """End the jobs that are under way."""
        with suppress(Exception):  # what is raised already says more
            self.session.sparkContext.cancelJobsWithTag(self._tag)

    @contextmanager
    def at_work(self) -> Iterator[SparkContext]:
        """Tag this thread's jobs. What the cluster fails in is a TargetError; what our code in a task does, is not."""
        from py4j.protocol import Py4JJavaError, Py4JNetworkError

        try:
            context = self.session.sparkContext
            context.addJobTag(self._tag)
            yield context
        except (Py4JNetworkError, ConnectionError) as error:
            raise TargetError(
                "Spark's driver on this machine has ended.", "Look at its memory: --spark-conf spark.driver.memory=2g"
            ) from error
        except Py4JJavaError as error:
            said = str(error.java_exception.getMessage())
            if "SparkException" not in str(error.java_exception.getClass()) or "PythonException" in said:
                raise
            raise TargetError(
                f"The Spark cluster failed: {said.splitlines()[0]}", "Look into the logs of its executors."
            ) from error


def _typed(table: Table, select: str) -> str:
    columns = ", ".join(f"CAST({name(c.name)} AS {c.type}) AS {name(c.name)}" for c in table.columns)
    return f"SELECT {columns} FROM ({select}) AS made"


@contextmanager
def spark_session(
    master: str | None, settings: Mapping[str, str], packages: Sequence[str] = (), staging: str = ""
) -> Iterator[SparkSession]:
    """A session of its own, in the application that is running in this process, or one that ends with the block.

    Without a master it is that of spark-defaults.conf or $SPARK_MASTER, else this machine. An application that is
    started has the `packages` (of Maven) that it is not told to have otherwise, and those that the URI `staging` needs.
    Raises UsageError where Spark or Java is not installed or a setting is none, TargetError where the master cannot be
    reached or it cannot be started.
    """
    _need_spark()
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    master = master or os.environ.get("SPARK_MASTER")
    if master:
        _reach(master)
    running = SparkSession.getActiveSession()
    if running is None and SparkContext._active_spark_context is not None:  # of another thread
        running = SparkSession.builder.getOrCreate()
    if running is not None and master not in (None, running.sparkContext.master):
        raise UsageError(f"This process runs Spark on {running.sparkContext.master} already.", "Stop that session.")
    with ExitStack() as stack:
        if running is None:
            told = with_packages(s3a.settings(staging, settings), (*packages, *s3a.packages(staging)))
            running = stack.enter_context(_application(master, told))
        session = running.newSession()
        for key, value in _SETTINGS.items():
            session.conf.set(key, value)
        yield session


@contextmanager
def _application(master: str | None, settings: Mapping[str, str]) -> Iterator[SparkSession]:
    """An application of Spark that ends with the block."""
    # What is raised is told once; py4j logs it too, an interrupt on the root logger.
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    logging.getLogger().addFilter(lambda record: "while sending command" not in record.getMessage())
    # The executors run the very Python that has Moviehouse installed, unless they are told of another.
    os.environ.setdefault("PYSPARK_PYTHON", settings.get("spark.pyspark.python", sys.executable))
    settings = _with_ours({**settings, **({"spark.master": master} if master else {})})
    with jvm(settings) as java:
        session = _started(master, settings)
        java.ready()
        try:
            yield session
        finally:
            with suppress(Exception):  # a JVM that has ended
                session.stop()


def _with_ours(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings with what Spark is told to be quiet and, where its JVM is this application's own, cheap."""
    told = {**gateway.defaults(), **settings}
    ours = {} if gateway.there() else java_options(told)
    driver = "spark.driver.defaultJavaOptions"
    quiet = {driver: f"{_QUIET} {ours.get(driver, '')}".strip(), "spark.ui.showConsoleProgress": "false"}
    return {**ours, **quiet, **settings}


def _started(master: str | None, settings: Mapping[str, str]) -> SparkSession:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("moviehouse")
    for key, value in settings.items():
        builder = builder.config(key, value)
    try:
        return builder.getOrCreate()
    except Exception as error:  # of several kinds, from Java too
        java = getattr(error, "java_exception", None)
        said = str(java.getMessage() if java is not None else error).splitlines()[0]
        raise TargetError(
            f"Spark cannot be started{f' on {master}' if master else ''}: {said}",
            "Look at --spark-master and --spark-conf.",
            retry=False,
        ) from error


def _need_spark() -> None:
    try:
        import pyarrow  # noqa: F401
        import pyspark  # noqa: F401
        import sqlglot  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f"--engine spark needs the extra `spark`: {error}.", "pip install 'moviehouse[spark]'"
        ) from None
    home = os.environ.get("JAVA_HOME")
    if not (Path(home, "bin", "java").exists() if home else shutil.which("java")):
        where = f"JAVA_HOME is {home}, which has none" if home else "there is no java in PATH"
        raise UsageError(
            f"--engine spark needs Java 17 or later: {where}.", "Debian: apt install openjdk-17-jre-headless"
        )


def _reach(master: str) -> None:
    """Raise TargetError where no standalone master answers, which Spark itself tries for a minute."""
    match = re.fullmatch(r"spark://(.+)", master)
    if match is None:
        return
    said = ""
    for place in match[1].split(","):
        host, _, port = place.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
        except (OSError, ValueError) as error:
            said = str(error)
        else:
            return
    raise TargetError(f"No Spark master answers at {master}: {said}.", "Start it, or give another --spark-master.")
