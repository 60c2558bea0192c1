"""Hadoop's client for S3, which Spark does not have: its packages, and AWS's own settings in Hadoop's words."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from moviehouse.engines.gateway import spark_jars

# AWS's client in one jar is 600 MB; of its parts that are needed, Iceberg's own bundle has the same version.
_WHOLE = "software.amazon.awssdk:bundle"
_PART = "software.amazon.awssdk:s3-transfer-manager:2.44.4"


def packages(uri: str) -> tuple[str, ...]:
    """The packages (of Maven) without which Spark cannot use a directory; those for S3, in Hadoop's version."""
    if not uri.startswith("s3a:"):
        return ()
    versions = (re.fullmatch(r"hadoop-client-api-(.+)\.jar", path.name) for path in spark_jars())
    found = next((match[1] for match in versions if match), "3.4.2")
    return (f"org.apache.hadoop:hadoop-aws:{found}", _PART)


def settings(uri: str, given: Mapping[str, str]) -> dict[str, str]:
    """Spark's settings for a directory: what is `given`, and for S3 what AWS's variables say of the server."""
    if not uri.startswith("s3a:"):
        return dict(given)
    found = {"spark.jars.excludes": _WHOLE}
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint and "@" not in endpoint:  # a password is for no command line
        found |= {"spark.hadoop.fs.s3a.endpoint": endpoint, "spark.hadoop.fs.s3a.path.style.access": "true"}
    if region := os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"):
        found["spark.hadoop.fs.s3a.endpoint.region"] = region
    return found | dict(given)
