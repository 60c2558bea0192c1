"""A small disk that fills up, in a mount namespace of its own: nothing is left to unmount."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import forks

from moviehouse import cli
from moviehouse.errors import MoviehouseError
from moviehouse.model.sources import SourceFile
from moviehouse.steps import read as reader
from moviehouse.steps.storage import writing


class SmallDisk:
    """A tmpfs on `path` that a server of forks sees, and nobody else."""

    def __init__(self, server: forks.Forks, path: Path) -> None:
        self.server, self.path = server, path
        path.mkdir()
        server.shell("mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", path)

    def room(self, *, kilobytes: int = 1 << 20, files: int = 1 << 20) -> None:
        """Leave that much room, on top of what is used."""
        used, inodes = self.server.call("disk:used", str(self.path))
        self.server.shell(
            "mount", "-o", f"remount,size={used + kilobytes}k,nr_inodes={inodes + files}", "tmpfs", self.path
        )


def used(path: str) -> tuple[int, int]:
    """Kilobytes and inodes in use."""
    disk = os.statvfs(path)
    return (disk.f_blocks - disk.f_bfree) * disk.f_frsize >> 10, disk.f_files - disk.f_ffree


def spill(path: str) -> str:
    """Have DuckDB spill more than fits; gives what that is told as."""
    with duckdb.connect(config={"memory_limit": "32MiB", "threads": 1, "temp_directory": f"{path}/spill"}) as con:
        try:
            with writing(Path(path)):
                con.execute("CREATE TABLE t AS SELECT hash(i) AS h, hash(i + 1) AS g FROM range(10000000) AS r (i)")
        except MoviehouseError as error:
            return f"{type(error).__name__}: {error}"
    return "nothing was spilled"


def listed(folder: str) -> list[str]:
    """All there is in a folder, the folder too."""
    return [folder, *(str(p) for p in Path(folder).rglob("*"))]


def _command(*arguments: str) -> dict[str, Any]:
    """Run the command in this process; gives its status and what it said."""
    stderr, sys.stderr = sys.stderr, io.StringIO()
    try:
        return {"status": cli.run([*arguments, "-q"]), "stderr": sys.stderr.getvalue()}
    finally:
        sys.stderr = stderr


def losing(source: str, out: str) -> dict[str, Any]:
    """Run, and lose ratings.csv when its turn comes."""
    read = reader.read_member

    def lose(con: duckdb.DuckDBPyConnection, file: SourceFile, path: Path, *rest: Any) -> Any:
        if file.name == "ratings.csv":
            path.unlink()
        return read(con, file, path, *rest)

    reader.read_member = lose
    return _command(source, "--out", out)


def as_nobody(source: str, out: str) -> dict[str, Any]:
    """Run without privileges, once all that is imported late has been: Python may be root's alone."""
    with tempfile.TemporaryDirectory() as folder:
        assert _command(source, "--out", folder)["status"] == 0
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
    return _command(source, "--out", out, "--no-report")  # whose files are read anew, from where Python is


@contextmanager
def small_disk(path: Path, *modules: str) -> Iterator[SmallDisk]:
    """Root makes the namespace itself, everybody else in a user namespace; runs have imported `modules`."""
    user = ("-r",) if os.geteuid() else ()
    with forks.forks("unshare", "-m", *user, modules=modules) as server:
        yield SmallDisk(server, path)


def may_mount() -> bool:
    """Whether a namespace can be made; for root it has to be."""
    return (
        not os.geteuid() or not subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode
    )
