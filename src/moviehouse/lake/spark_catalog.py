"""The lake's catalog as Spark has it: the properties of PyIceberg's, in the words of Iceberg for Java."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moviehouse.engines.iceberg import CATALOG
from moviehouse.errors import UsageError
from moviehouse.lake.catalog import Lake
from moviehouse.model.lake import NAMESPACE

NAME = NAMESPACE
"""What the catalog is called in Spark. The rows of a directory's catalog have this name too."""
_VERSION = "1.11.0"
ICEBERG = f"org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:{_VERSION}"
AWS = f"org.apache.iceberg:iceberg-aws-bundle:{_VERSION}"
SQLITE = "org.xerial:sqlite-jdbc:3.51.3.0"
_BUSY_MS = 60_000
_S3 = ("s3://", "s3a://", "s3n://")
# What only PyIceberg understands, and what to do instead.
_OWN = {
    "auth": "Use `credential` or `token` (OAuth), or rest.sigv4-enabled.",
    "py-catalog-impl": "Use a REST or Glue catalog.",
    **dict.fromkeys(
        ("ssl", "s3.proxy-uri", "s3.anonymous", "s3.signer"),
        "Java takes certificates and proxies by properties of its own: leave it out, or use --engine duckdb.",
    ),
    **dict.fromkeys(
        ("client.profile-name", "s3.profile-name", "glue.profile-name", "client.role-arn", "s3.role-arn"),
        "Spark takes AWS's own settings: set AWS_PROFILE, or a role, for this machine and the executors.",
    ),
    **dict.fromkeys(
        ("glue.access-key-id", "glue.secret-access-key", "glue.session-token"),
        "Spark takes AWS's own settings: set AWS_ACCESS_KEY_ID and its like for this machine and the executors.",
    ),
}
_GLUE = dict.fromkeys(
    ("client.access-key-id", "client.secret-access-key", "client.session-token"), _OWN["glue.access-key-id"]
)
# Java's names for those of PyIceberg, the first that is set. All other properties of these kinds have the same name.
_NAMES = {
    "client.region": ("client.region", "s3.region", "glue.region"),
    "s3.access-key-id": ("s3.access-key-id", "client.access-key-id"),
    "s3.secret-access-key": ("s3.secret-access-key", "client.secret-access-key"),
    "s3.session-token": ("s3.session-token", "client.session-token"),
}
_SIGNING = {
    "rest.access-key-id": "client.access-key-id",
    "rest.secret-access-key": "client.secret-access-key",
    "rest.session-token": "client.session-token",
}
_SAME = (
    "warehouse", "prefix", "credential", "token", "scope", "audience", "resource", "oauth2-server-uri",
    "s3.endpoint", "s3.path-style-access", "s3.signer.uri", "s3.signer.endpoint", "s3.sse.type", "s3.sse.key",
    "glue.id", "glue.endpoint", "glue.skip-archive",
)  # fmt: skip
_SAME_PREFIXES = ("header.", "rest.sig")


@dataclass(frozen=True)
class SparkCatalog:
    """A catalog for Spark. `properties` may hold secrets; `needs` are classes, and the Maven packages they are in."""

    properties: Mapping[str, str] = field(repr=False)
    needs: Mapping[str, str]


def spark_catalog(lake: Lake, location: str) -> SparkCatalog:
    """The catalog of a lake for Spark; `location` is where a table of it is.

    Raises UsageError where Spark cannot have it, or a property that it needs has no equivalent.
    """
    kind = _kind(lake)
    given = {key: value for key, value in lake.catalog.properties.items() if value is not None}
    if kind == "directory":
        return _directory(str(given["uri"]))
    for key, instead in (_OWN | (_GLUE if kind == "glue" else {})).items():
        if key in given:
            raise UsageError(f"The catalog {lake.name} has {key}, which Spark has no equivalent of.", instead)
    properties = {"type": kind, "cache-enabled": "false", **_same(given), **_first(given, _NAMES)}
    needs = {CATALOG: ICEBERG}
    if location.startswith(_S3):
        properties["io-impl"] = "org.apache.iceberg.aws.s3.S3FileIO"
    if "s3.endpoint" in given and not _true(given.get("s3.force-virtual-addressing")):
        properties.setdefault("s3.path-style-access", "true")  # as PyIceberg does
    if kind == "rest":
        properties |= _rest(given)
    if kind == "glue" or location.startswith(_S3) or _true(given.get("rest.sigv4-enabled")):
        needs["software.amazon.awssdk.services.s3.S3Client"] = AWS
    return SparkCatalog(properties, needs)


def _kind(lake: Lake) -> str:
    """What kind of a catalog it is, in Java's word."""
    kinds = {f"{kind.__module__}.{kind.__name__}" for kind in type(lake.catalog).__mro__}
    if "pyiceberg.catalog.rest.RestCatalog" in kinds:
        return "rest"
    if "pyiceberg.catalog.glue.GlueCatalog" in kinds:
        return "glue"
    if str(lake.catalog.properties.get("uri", "")).startswith("sqlite:///"):
        return "directory"
    raise UsageError(
        f"Spark cannot load into the lake {lake.name}: its catalog is a {type(lake.catalog).__name__}.",
        "It can with a REST catalog, with Glue, or with a directory; --engine duckdb can with every catalog.",
    )


def _rest(given: Mapping[str, Any]) -> dict[str, str]:
    found = {"uri": str(given["uri"]), "rest-metrics-reporting-enabled": "false"}
    if not any(key.lower() == "header.x-iceberg-access-delegation" for key in given):
        found["header.X-Iceberg-Access-Delegation"] = "vended-credentials"  # as PyIceberg does
    if _true(given.get("rest.sigv4-enabled")):
        found |= {java: str(given[own]) for java, own in _SIGNING.items() if own in given}
        if "rest.signing-region" not in given and "client.region" in given:
            found["rest.signing-region"] = str(given["client.region"])
    return found


def _same(given: Mapping[str, Any]) -> dict[str, str]:
    return {k: str(v) for k, v in given.items() if k in _SAME or k.startswith(_SAME_PREFIXES)}


def _first(given: Mapping[str, Any], names: Mapping[str, Iterable[str]]) -> dict[str, str]:
    found = {java: next((given[own] for own in owns if own in given), None) for java, owns in names.items()}
    return {java: str(value) for java, value in found.items() if value is not None}


def _true(value: Any) -> bool:
    return str(value).lower() == "true"


def _directory(uri: str) -> SparkCatalog:
    """The catalog in SQLite by JDBC. Files are written as they are: Hadoop would put a checksum beside each."""
    path = uri.removeprefix("sqlite:///").partition("?")[0]
    properties = {
        "catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
        "cache-enabled": "false",
        "uri": f"jdbc:sqlite:{path}?busy_timeout={_BUSY_MS}",
        "warehouse": f"file://{path.rpartition('/')[0]}/data",
        "hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
        "hadoop.fs.file.impl.disable.cache": "true",
    }
    return SparkCatalog(properties, {CATALOG: ICEBERG, "org.sqlite.JDBC": SQLITE})
