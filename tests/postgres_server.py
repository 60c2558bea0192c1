"""A real PostgreSQL for tests: Debian's, on a free loopback port, with data, roles and a certificate of its own."""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import psycopg

import moviehouse
from moviehouse.postgres.publish import Publication

TRIES = 4
READY_SECONDS = 30
_FOLDERS = "/usr/lib/postgresql/*/bin"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "30",
    "ssl": "on",
    "client_min_messages": "warning",
}


@dataclass(frozen=True)
class PostgresServer:
    """A running server. `password` is that of the superuser `admin`; connections over TCP need one."""

    port: int
    root: Path
    trusted: Path
    password: str = field(repr=False)

    def url(self, database: str = "postgres", user: str = "admin", password: str | None = None, **more: str) -> str:
        """An address with the password in it; `more` are its parameters."""
        login = f"{user}:{quote(self.password if password is None else password, safe='')}"
        query = "&".join(f"{key}={quote(value, safe='')}" for key, value in more.items())
        return f"postgresql://{login}@127.0.0.1:{self.port}/{database}" + (f"?{query}" if query else "")

    def connect(self, database: str = "postgres", **more: str) -> psycopg.Connection:
        """Connect as the superuser; every statement commits."""
        return psycopg.connect(self.url(database, **more), autocommit=True)

    def database(self) -> str:
        """Make a new, empty database; gives its name."""
        name = f"t{secrets.token_hex(5)}"
        with self.connect() as con:
            con.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        return name

    def role(self, database: str, *grants: str) -> tuple[str, str]:
        """Make a role with a password that may do what the grants say; gives both."""
        name, password = f"r{secrets.token_hex(5)}", f"{secrets.token_hex(8)}/@:{secrets.token_hex(8)}"
        with self.connect(database) as con:
            con.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
            for grant in grants:
                con.execute(f"GRANT {grant} TO {name}")
        return name, password

    def place(self) -> SimpleNamespace:
        """A new database, and ways to publish into it, to connect to it, to change it and to ask it."""
        database = self.database()

        def publish(release: moviehouse.Release | Path, **options: Any) -> Publication:
            path = release.path if isinstance(release, moviehouse.Release) else release
            return moviehouse.publish(path, self.url(database), **options)

        def rows(query: str) -> list[tuple[Any, ...]]:
            with self.connect(database) as con:
                return con.execute(query).fetchall()

        def run(*statements: str) -> None:
            with self.connect(database) as con:
                for statement in statements:
                    con.execute(statement)

        connect = partial(self.connect, database)
        return SimpleNamespace(
            server=self, database=database, url=self.url(database), publish=publish, rows=rows, run=run, connect=connect
        )

    def log(self) -> str:
        """What the server has logged."""
        return (self.root / "log").read_text(errors="replace")


@contextmanager
def serve() -> Iterator[PostgresServer]:
    """Run a server while the context lasts; a clash of ports is tried again with another."""
    problem = ""
    for _ in range(TRIES):
        with ExitStack() as stack:
            root = Path(tempfile.mkdtemp(prefix="pg-", dir=_place()))
            stack.callback(shutil.rmtree, root, ignore_errors=True)
            server, process = _start(root, stack)
            if _ready(server, process):
                yield server
                return
            problem = server.log()[-2000:]
    raise RuntimeError(f"PostgreSQL did not start in {TRIES} tries. The end of its log:\n{problem}")


def _place() -> str | None:
    """Where the server's own user can get to: a directory for temporary files may be closed to others."""
    usual = Path(tempfile.gettempdir()).resolve()
    closed = any(not folder.stat().st_mode & stat.S_IXOTH for folder in (usual, *usual.parents))
    return "/var/tmp" if closed and os.geteuid() == 0 else None


def _start(root: Path, stack: ExitStack) -> tuple[PostgresServer, subprocess.Popen[bytes]]:
    programs, who = _programs(), _who()
    data, password = root / "data", f"{secrets.token_hex(8)}+/@:%{secrets.token_hex(8)}"
    (root / "password").write_text(password)
    _own(root, who)
    command = [programs / "initdb", "-D", data, "-U", "admin", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    command += ["--auth=scram-sha-256", f"--pwfile={root / 'password'}"]
    subprocess.run(command, check=True, capture_output=True, **who)
    _certificate(data)
    trusted = Path(shutil.copy(data / "server.crt", root / "trusted.crt"))
    _own(root, who)
    port = _free_port()
    options = [f"-c{key}={value}" for key, value in SETTINGS.items()]
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, "-p", str(port), "-k", root, *options],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=root, start_new_session=True, **who,
        )  # fmt: skip
    stack.callback(_stop, process)
    return PostgresServer(port, root, trusted, password), process


def _programs() -> Path:
    """The folder of PostgreSQL's programs; Debian's package is installed where it is missing and we may."""
    for attempt in range(2):
        found = sorted(Path("/").glob(f"{_FOLDERS[1:]}/initdb"), key=lambda p: int(re.sub(r"\D", "", str(p)) or 0))
        if found:
            return found[-1].parent
        if (beside := shutil.which("initdb")) and shutil.which("postgres"):
            return Path(beside).parent
        if attempt == 0 and os.geteuid() == 0 and shutil.which("apt-get"):
            environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
            for arguments in (["update"], ["install", "-y", "--no-install-recommends", "postgresql"]):
                subprocess.run(["apt-get", "-qq", *arguments], env=environment, check=False, capture_output=True)
    raise RuntimeError("The tests need a PostgreSQL server: install it (Debian: apt install postgresql).")


def _who() -> dict[str, int | list[int]]:
    """The user to run as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return {}
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _own(root: Path, who: dict) -> None:
    for path in (root, *root.rglob("*")):
        if who:
            os.chown(path, who["user"], who["group"])


def _certificate(data: Path) -> None:
    """A certificate that the server signs itself, for the name moviehouse.test."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=moviehouse.test",
         "-keyout", data / "server.key", "-out", data / "server.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    (data / "server.key").chmod(0o600)


def _free_port() -> int:
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        return each.getsockname()[1]


def _ready(server: PostgresServer, process: subprocess.Popen[bytes]) -> bool:
    """Wait until the server takes its own password, so that it is not somebody else's."""
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            server.connect().close()
            return True
        except psycopg.OperationalError:
            time.sleep(0.1)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """A fast shutdown, which ends all connections; in the end the postmaster alone, whose children follow it."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
