"""A real standalone Spark cluster on the loopback: a master and two workers, processes of their own."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pyspark

WORKERS = 2
# How many applications have room at once, each with an executor on every worker.
APPLICATIONS = 2
# What makes a short-lived cluster on a small machine fast; none of it changes what a query means.
SETTINGS = {
    # A driver with no room for rows: what its tasks send it, all together for each job, may be 1 MB.
    "spark.driver.memory": "512m",
    "spark.driver.maxResultSize": "1m",
    "spark.executor.memory": "512m",
    "spark.executor.cores": "1",
    "spark.cores.max": str(WORKERS),
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.codegen.wholeStage": "false",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=240m",
    "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


@dataclass
class SparkCluster:
    """A cluster that runs: `url` is the master's address, `folder` has the logs and scratch of its processes."""

    url: str
    folder: Path
    workers: list[subprocess.Popen[bytes]]

    def executors(self, worker: int) -> list[int]:
        """The process ids of the executors of a worker, by its number."""
        found = children(self.workers[worker].pid)
        return [pid for pid in found if b"Executor" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def children(parent: int) -> list[int]:
    """The process ids of the children of a process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.parent.name))
    return found


def alive(process: int) -> bool:
    """Whether a process runs."""
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


@contextmanager
def serve(folder: Path, **environment: str) -> Iterator[SparkCluster]:
    """Start a master and its workers, and end them with the block; `environment` is theirs and the executors'."""
    need_java()
    processes: list[subprocess.Popen[bytes]] = []
    try:
        place = ("--host", "127.0.0.1", "--port", "0")
        processes.append(_start(folder, environment, "master", "master.Master", *place))
        url = _said(folder / "master.log", r"Starting Spark master at (spark://\S+)")
        for number in range(WORKERS):
            room = ("--cores", str(APPLICATIONS), "--memory", "4g")
            place = ("--host", "127.0.0.1", *room, "--work-dir", str(folder / f"work{number}"))
            processes.append(_start(folder, environment, f"worker{number}", "worker.Worker", *place, url))
        for number in range(WORKERS):
            _said(folder / f"worker{number}.log", "(Successfully registered) with master")
        yield SparkCluster(url, folder, processes[1:])
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(30)


def need_java() -> None:
    """Install Java where there is none and this is root on Debian; RuntimeError where it cannot be had."""
    if not shutil.which("java") and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update"], ["install", "-y", "--no-install-recommends", "openjdk-17-jre-headless"]):
            subprocess.run(["apt-get", "-qq", *arguments], env=environment, check=False, capture_output=True)
    if not shutil.which("java"):
        raise RuntimeError("The tests need Java 17: install it (Debian: apt install openjdk-17-jre-headless).")


def need_packages(*packages: str, without: str = "") -> None:
    """Have packages of Maven in Spark's cache before tests ask for them, which they may at the same time.

    By Spark itself or, where it cannot, by Maven, whose files Spark finds too.
    """
    leave = ["--exclude-packages", without] if without else []
    run = ["--class", "org.apache.ivy.Main", "spark-internal", "-version"]
    with (Path(tempfile.gettempdir()) / "moviehouse-tests-packages.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        home = Path(pyspark.__file__).parent
        command = [str(home / "bin" / "spark-submit"), "--packages", ",".join(packages), *leave, *run]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode and shutil.which("mvn"):
            for package in packages:
                subprocess.run(["mvn", "-q", "dependency:get", f"-Dartifact={package}"], check=True)
        elif done.returncode:
            raise RuntimeError(f"The packages {packages} cannot be had from Maven: {done.stderr[-2000:]}")


def _start(folder: Path, more: dict[str, str], name: str, kind: str, *arguments: str) -> subprocess.Popen[bytes]:
    home = Path(pyspark.__file__).parent
    environment = {
        **os.environ,
        **more,
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder),
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": "-Dspark.master.rest.enabled=false -XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }
    command = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{kind}", *arguments, "--webui-port", "0"]
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)


def _said(log: Path, pattern: str, seconds: float = 120) -> str:
    """Wait for a line of a log; gives the pattern's group."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if match := re.search(pattern, log.read_text(errors="replace")):
            return match[1]
        time.sleep(0.1)
    raise TimeoutError(f"{pattern} is not in {log}: {log.read_text(errors='replace')[-2000:]}")
