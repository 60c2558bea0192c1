"""What the JVMs of an application of Spark that is started for one build are given, unless Spark is told otherwise."""

from __future__ import annotations

import os
from collections.abc import Mapping

# They live for a minute or two, in which the second compiler would take as much CPU as their work. A driver, which only
# plans, does without it; executors have it for what runs millions of times, which are loops over rows.
_PLANNING = "-XX:TieredStopAtLevel=1"
_WORKING = (
    "-XX:Tier4InvocationThreshold=500000 -XX:Tier4MinInvocationThreshold=60000 "
    "-XX:Tier4CompileThreshold=1500000 -XX:Tier4BackEdgeThreshold=4000000"
)
_COLLECTOR = "-XX:+UseSerialGC"
_ENVIRONMENT = ("SPARK_SUBMIT_OPTS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")


def java_options(told: Mapping[str, str]) -> dict[str, str]:
    """The options of the driver's and the executors' JVMs; `extraJavaOptions` come behind these.

    `told` is what Spark is told, in its defaults too.
    """
    found = {}
    if "spark.driver.defaultJavaOptions" not in told:
        alone = told.get("spark.master", "local").startswith("local")  # the driver is the executor
        found["spark.driver.defaultJavaOptions"] = _WORKING if alone else _PLANNING + _collector(told)
    if "spark.executor.defaultJavaOptions" not in told:
        found["spark.executor.defaultJavaOptions"] = _WORKING
    return found


def _collector(told: Mapping[str, str]) -> str:
    """The cheapest garbage collector, where no other is chosen: a JVM that is told of two does not start."""
    options = [told.get("spark.driver.extraJavaOptions", ""), *(os.environ.get(name, "") for name in _ENVIRONMENT)]
    return "" if any("GC" in text for text in options) else f" {_COLLECTOR}"
