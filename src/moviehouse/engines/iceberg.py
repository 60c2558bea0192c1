"""Iceberg's tables on Spark: a session is given their catalog, and appends rows to them.

No secret is in a message, or where Spark shows its settings: a catalog is loaded by settings of the session, which are
taken back before any job runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from moviehouse.engines.spark import Spark
from moviehouse.errors import TargetError, UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CATALOG = "org.apache.iceberg.spark.SparkCatalog"
# Another commit came first, or nobody knows whether this one took place.
_AGAIN = {
    "CommitFailedException", "CommitStateUnknownException", "ServiceUnavailableException", "ServiceFailureException",
    "RESTException", "UncheckedSQLException", "SQLiteException", "UncheckedIOException", "SdkClientException",
    "ConnectException", "SocketTimeoutException", "NoHttpResponseException",
}  # fmt: skip
_SHUT_OUT = {"NotAuthorizedException", "ForbiddenException", "AccessDeniedException"}


class TryAgainError(Exception):
    """An append that another commit came before, or whose answer was lost; its text is the kind of the error."""


def use_catalog(
    session: SparkSession, name: str, properties: Mapping[str, str], needs: Mapping[str, str], table: str, shown: str
) -> None:
    """Give a session a catalog of Iceberg tables, of which `table` is one; `shown` is what messages call it.

    `needs` are the classes that it needs, and the packages that have them. Raises UsageError where a class is not
    there, TargetError where the catalog or the table cannot be used.
    """
    for needed, package in needs.items():
        if not _has(session, needed):
            raise UsageError(
                f"Spark has no {needed}, which writing to {shown} needs.",
                f"Start it with the package that has it: spark.jars.packages={package}",
            )
    prefix = f"spark.sql.catalog.{name}"
    settings = {prefix: CATALOG, **{f"{prefix}.{key}": value for key, value in properties.items()}}
    try:
        for key, value in settings.items():
            session.conf.set(key, value)
        session.table(f"{name}.{table}")  # which loads the catalog, for good
    except Exception as error:
        raise _told(error, f"Spark cannot use {shown}") from None
    finally:
        for key in settings:
            session.conf.unset(key)


def append(spark: Spark, select: str, table: str, properties: Mapping[str, str]) -> None:
    """Append the rows of a query (DuckDB's dialect) to a table, in one commit; `properties` are its snapshot's.

    Raises TryAgainError where the commit may be tried again, once it is known that it did not take place; TargetError
    where that does not help.
    """
    with spark.at_work():
        writer = spark.query(select).writeTo(table)
        for key, value in properties.items():
            writer = writer.option(f"snapshot-property.{key}", value)
        try:
            writer.append()
        except Exception as error:
            kinds = [kind for kind, _ in _causes(error)]
            # Spark has tried again what its tasks failed in.
            failed = any("stage failure" in message for _, message in _causes(error))
            if not failed and (again := next((kind for kind in kinds if kind in _AGAIN), None)):
                raise TryAgainError(again) from None
            if not kinds:
                raise
            raise _told(error, f"Spark cannot append to {table}") from None


def _has(session: SparkSession, name: str) -> bool:
    """Whether the driver has a class, which is made ready: a JDBC driver is known from then on."""
    from py4j.protocol import Py4JJavaError

    java: Any = session.sparkContext._jvm
    try:
        java.java.lang.Class.forName(name, True, java.java.lang.Thread.currentThread().getContextClassLoader())
    except Py4JJavaError:
        return False
    return True


def _told(error: BaseException, what: str) -> BaseException:
    """What is said of an error: of Java's words only the kind, since the others may hold keys."""
    kinds = [kind for kind, _ in _causes(error)]
    if not kinds:
        return error
    if shut := next((kind for kind in kinds if kind in _SHUT_OUT), None):
        return TargetError(f"{what}: it is not let in ({shut}).", "Check the catalog's credentials.", retry=False)
    cluster = next((message for kind, message in _causes(error) if kind == "SparkException"), "")
    if "Job aborted" in cluster:
        return TargetError(f"{what}: a job failed ({kinds[-1]}).", "Look into the logs of the executors.")
    return TargetError(f"{what}: {kinds[-1]}.", "Check the catalog's properties, and that it runs.")


def _causes(error: BaseException) -> Iterator[tuple[str, str]]:
    """The kind and the message of a Java error, and of those that it came from; nothing for one that is not Java's."""
    java: Any = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    while java is not None:
        yield java.getClass().getSimpleName(), str(java.getMessage())
        java = java.getCause()
