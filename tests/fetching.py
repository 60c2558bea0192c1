"""What the tests of fetch share: content, checks, a progress that acts, a run that dies, a web server."""

from __future__ import annotations

import hashlib
import http.server
import random
import re
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from moviehouse.errors import MoviehouseError, SourceError
from moviehouse.progress import Quiet
from moviehouse.steps.fetch import Fetched, fetch

PART = 64 << 10
BUCKET = "com.guild.us-west-2.public-data"
KEY = "project-data/the-movies-dataset.zip"
SECRETS = ("hunter2", "AKIDWRONG", "wrong-secret", "SIGNED", "SESSIONTOKEN")


def content(size: int = 12 * PART + 1234, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def get(source: str, cache: Path, **options: Any) -> Fetched:
    return fetch(source, cache, **{"progress": Quiet(), "part_bytes": PART, **options})


def failure(source: str, cache: Path, kind: type[MoviehouseError] = SourceError, **options: Any) -> MoviehouseError:
    """The error of a fetch that must fail; no secret may be in it, or in its traceback."""
    with pytest.raises(kind) as caught:
        get(source, cache, **options)
    said = str(caught.value) + "".join(traceback.format_exception(caught.value))
    assert not [secret for secret in SECRETS if secret in said.replace(source, "")]
    assert caught.value.message
    assert caught.value.hint
    return caught.value


def check(got: Fetched, body: bytes, downloaded: int | None = None) -> None:
    assert got.kind == "archive"
    assert got.path.read_bytes() == body
    assert (got.size, got.sha256) == (len(body), hashlib.sha256(body).hexdigest())
    assert downloaded is None or got.downloaded == downloaded


class Hook:
    """A progress display that calls a function with the bytes so far."""

    def __init__(self, call: Callable[[int], None]) -> None:
        self.call, self.done, self.names = call, 0, list[str]()
        self.lock = threading.Lock()

    @contextmanager
    def step(self, name: str, total: int | None = None) -> Iterator[Hook]:
        self.names.append(name)
        yield self

    def advance(self, amount: int) -> None:
        with self.lock:
            self.done += amount
            self.call(self.done)


KILLED = """
import os, signal, sys
from contextlib import contextmanager
from pathlib import Path
from moviehouse.steps.fetch import fetch

class Dies:
    done = 0
    @contextmanager
    def step(self, name, total=None):
        yield self
    def advance(self, amount):
        self.done += amount
        if self.done > int(sys.argv[4]):
            os.kill(os.getpid(), signal.SIGKILL)

fetch(sys.argv[1], Path(sys.argv[2]), progress=Dies(), part_bytes=int(sys.argv[3]))
"""


def killed_download(source: str, cache: Path, after: int) -> None:
    command = [sys.executable, "-c", KILLED, source, str(cache), str(PART), str(after)]
    assert subprocess.run(command, timeout=30, check=False).returncode == -signal.SIGKILL


class Site(http.server.ThreadingHTTPServer):
    """A web server for one body, with what a test wants it to do."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, body: bytes, *, ranges: bool, headers: dict[str, str] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.body, self.ranges = body, ranges
        self.headers = {"ETag": '"v1"'} if headers is None else headers
        self.requests, self.breaks, self.statuses = list[Any](), 0, list[int]()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/data/movies.zip"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Site
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        site, body = self.server, self.server.body
        site.requests.append((self.path, dict(self.headers)))
        if site.statuses:
            return self.send_error(site.statuses.pop(0))
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd" if "bad" in self.path else site.url)
            return self.end_headers()
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", "")) if site.ranges else None
        if self.headers.get("If-Range", site.headers.get("ETag")) != site.headers.get("ETag"):
            wanted = None
        first, last = (int(wanted[1]), min(int(wanted[2]), len(body) - 1)) if wanted else (0, len(body) - 1)
        self.send_response((206 if body else 416) if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(body)}" if body else "bytes */0")
        self.send_header("Content-Length", str(last + 1 - first))
        for name, value in site.headers.items():
            self.send_header(name, value)
        self.end_headers()
        whole = body[first : last + 1]
        if len(whole) > 1 and site.breaks:
            site.breaks -= 1
            whole = whole[: len(whole) // 2]
            self.close_connection = True
        self.wfile.write(whole)
        return None

    def log_message(self, format: str, *args: Any) -> None:
        pass
