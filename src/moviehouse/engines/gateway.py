"""The JVM that Spark's driver runs in: its settings, and what it says on its way up, which is told only if it fails."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from moviehouse.errors import TargetError

if TYPE_CHECKING:
    from py4j.java_gateway import JavaGateway

_END_SECONDS = 30
# Settings of these names are given to Spark in the JVM, never on its command line.
_SECRET = re.compile(r"secret|password|token|credential|access.?key", re.IGNORECASE)
_UNRESOLVED = re.compile(r"\[unresolved dependency: (.*)\]")
_SETTING = re.compile(r"\s*(spark\.[^\s=:]+)\s*[\s=:]\s*(.*?)\s*")


class _Said(Thread):
    """Reads what the JVM writes: keeps it until Spark is `up`, and passes it on to standard error from then.

    Its standard output too: on ours is what the command says.
    """

    def __init__(self, source: int) -> None:
        super().__init__(name="spark-stderr", daemon=True)
        self.lines: list[str] = []
        self.up = False
        self._source = source

    def run(self) -> None:
        with os.fdopen(self._source, "rb") as pipe:
            for line in pipe:
                if self.up:
                    with suppress(OSError):
                        os.write(2, line)
                else:
                    self.lines.append(line.decode(errors="replace").strip())


@dataclass
class Jvm:
    """A JVM that runs; `said` has what it has said so far."""

    _said: _Said | None = None

    @property
    def said(self) -> list[str]:
        """The lines that it said before it was ready."""
        return self._said.lines if self._said else []

    def ready(self) -> None:
        """Have what it says from now on passed on."""
        if self._said:
            self._said.up = True


def there() -> bool:
    """Whether this process has a JVM already, be it spark-submit's."""
    from pyspark import SparkContext

    return SparkContext._gateway is not None or "PYSPARK_GATEWAY_PORT" in os.environ


@contextmanager
def jvm(settings: Mapping[str, str]) -> Iterator[Jvm]:
    """The JVM of this process, or one that ends with the block: another may then have other settings and jars.

    Raises TargetError where it does not start.
    """
    from pyspark import SparkContext

    if there():
        yield Jvm()
        return
    gateway, said = _launched(settings)
    SparkContext._ensure_initialized(gateway=gateway)
    try:
        yield Jvm(said)
    finally:
        SparkContext._gateway = SparkContext._jvm = None
        _end(gateway)


def _launched(settings: Mapping[str, str]) -> tuple[JavaGateway, _Said]:
    from pyspark import SparkConf
    from pyspark.errors import PySparkRuntimeError
    from pyspark.java_gateway import launch_gateway

    told = SparkConf(loadDefaults=False)
    for key, value in settings.items():
        if not _SECRET.search(key):
            told.set(key, value)
    source, target = os.pipe()
    said = _Said(source)
    said.start()
    try:
        return launch_gateway(told, {"stdout": target, "stderr": target}), said  # type: ignore[no-untyped-call]
    except PySparkRuntimeError as error:
        os.close(target)
        target = -1
        said.join(_END_SECONDS)
        raise _failed(said.lines) from error
    finally:
        if target >= 0:
            os.close(target)


def _failed(lines: Sequence[str]) -> TargetError:
    text = "\n".join(lines)
    if missing := _UNRESOLVED.search(text):
        return TargetError(
            f"Spark cannot fetch its packages from Maven: {missing[1]}.",
            "Name a repository that has them (--spark-conf spark.jars.repositories=https://…), or the jars themselves "
            "(--spark-conf spark.jars=/path/one.jar,/path/two.jar).",
            retry=True,
        )
    told = [line for line in lines if "rror" in line or "xception" in line] or lines
    return TargetError(f"Spark's JVM does not start: {told[0] if told else 'it says nothing'}", "Look at --spark-conf.")


def _end(gateway: JavaGateway) -> None:
    """End a JVM: it does so when its standard input is closed."""
    with suppress(Exception):
        gateway.shutdown()
    process = gateway.proc
    with suppress(OSError):
        process.stdin.close()
    with suppress(Exception):
        process.wait(_END_SECONDS)
    if process.poll() is None:
        process.kill()


def with_packages(settings: Mapping[str, str], packages: Sequence[str]) -> dict[str, str]:
    """Settings that have Spark fetch packages (group:artifact:version) from Maven.

    Not those that are named already, or are among Spark's own jars; and none where `spark.jars` says what there is.
    """
    told = {**defaults(), **settings}
    named = [package for package in told.get("spark.jars.packages", "").split(",") if package]
    artifacts = {package.split(":")[1] for package in named if package.count(":") == 2}
    wanted = [p for p in packages if p.split(":")[1] not in artifacts and not _has_jar(p.split(":")[1])]
    if told.get("spark.jars") or not wanted:
        return dict(settings)
    return {**settings, "spark.jars.packages": ",".join([*named, *wanted])}


def _home() -> Path:
    from pyspark.find_spark_home import _find_spark_home

    return Path(_find_spark_home())  # type: ignore[no-untyped-call]


def spark_jars() -> list[Path]:
    """The jars that Spark has of itself."""
    return list((_home() / "jars").glob("*.jar"))


def _has_jar(artifact: str) -> bool:
    return any(path.name.startswith(f"{artifact}-") for path in spark_jars())


def defaults() -> dict[str, str]:
    """The settings of spark-defaults.conf."""
    folder = Path(os.environ.get("SPARK_CONF_DIR") or _home() / "conf")
    try:
        lines = (folder / "spark-defaults.conf").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    found = [_SETTING.fullmatch(line) for line in lines]
    return {match[1]: match[2] for match in found if match}
