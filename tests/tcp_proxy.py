"""A small TCP proxy in front of a real server: it passes everything on, but for the faults a test asks for.

One connection carries one request. The proxy reads the request's head, so that a test can choose by method and
range, and passes the bytes on as they are; a signature holds, since the client signs the proxy's own address.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

BLOCK = 64 << 10


@dataclass(frozen=True)
class Request:
    """The head of a request: its number from 0, method, path, and range in bytes, both ends inclusive."""

    number: int
    method: str
    path: str
    range: tuple[int, int] | None


@dataclass
class Fault:
    """What to do to one answer.

    `answer`: the proxy answers itself with this status and S3 code; `cut`: end the connection after so many
    bytes of the body; `stall`: send none after so many, until `freed`; `trickle`: bytes at a time and the seconds
    between; `head`: rewrite the head of the answer.
    """

    answer: tuple[int, str] | None = None
    cut: int | None = None
    stall: int | None = None
    trickle: tuple[int, float] | None = None
    head: Callable[[bytes], bytes] | None = None


@dataclass
class Proxy:
    """Listens on a free port of the loopback until closed. `plan` is asked about every request."""

    upstream: str
    plan: Callable[[Request], Fault | None] = lambda _: None
    requests: list[Request] = field(default_factory=list)
    sent: int = 0  # bytes of bodies that went to clients

    def __post_init__(self) -> None:
        self.freed = threading.Event()
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.freed.set()
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            head, _ = _head(client)
            if not head:
                return
            request = self._note(head)
            fault = self.plan(request) or Fault()
            if fault.answer:
                client.sendall(_own(*fault.answer, body=request.method != "HEAD"))
                return
            where = urlsplit(self.upstream)
            with socket.create_connection((where.hostname, where.port), timeout=30) as server:
                server.sendall(re.sub(rb"\r\nConnection: [^\r]*", b"", head[:-2]) + b"Connection: close\r\n\r\n")
                answer, rest = _head(server)
                client.sendall(fault.head(answer) if fault.head else answer)
                self._body(client, server, rest, fault)

    def _note(self, head: bytes) -> Request:
        method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
        ends = re.search(rb"\r\nRange: bytes=(\d+)-(\d+)\r\n", head, re.IGNORECASE)
        with self._lock:
            asked = (int(ends[1]), int(ends[2])) if ends else None
            self.requests.append(Request(len(self.requests), method, path, asked))
            return self.requests[-1]

    def _body(self, client: socket.socket, server: socket.socket, block: bytes, fault: Fault) -> None:
        done = 0
        while block or (block := server.recv(BLOCK)):
            stops = [stop for stop in (fault.cut, fault.stall) if stop is not None and stop > done]
            size = min([len(block), *(stop - done for stop in stops)])
            if fault.trickle:
                size = min(size, fault.trickle[0])
                time.sleep(fault.trickle[1])
            if fault.cut is not None and done >= fault.cut:
                return
            if fault.stall is not None and done >= fault.stall:
                self.freed.wait()
                return
            client.sendall(block[:size])
            with self._lock:
                self.sent += size
            block, done = block[size:], done + size


def _head(source: socket.socket) -> tuple[bytes, bytes]:
    """The head of a message, and what came of its body; empty where the other end closed."""
    came = b""
    while b"\r\n\r\n" not in came:
        more = source.recv(BLOCK)
        if not more:
            return b"", b""
        came += more
    head, end, rest = came.partition(b"\r\n\r\n")
    return head + end, rest


def _own(status: int, code: str, *, body: bool) -> bytes:
    """An error as S3 words it."""
    said = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>Please wait.</Message></Error>'
    text = said.encode()
    head = f"HTTP/1.1 {status} {code}\r\nContent-Type: application/xml\r\nContent-Length: {len(text)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + (text if body else b"")


def without_header(name: str) -> Callable[[bytes], bytes]:
    """Drop a header of an answer."""
    return lambda head: re.sub(rb"\r\n%b: [^\r]*" % name.encode(), b"", head, flags=re.IGNORECASE)


def with_header(name: str, value: str) -> Callable[[bytes], bytes]:
    """Give a header of an answer another value."""
    dropped = without_header(name)
    return lambda head: dropped(head)[:-2] + f"{name}: {value}\r\n\r\n".encode()


def once(chosen: Callable[[Request], Any], *faults: Fault) -> Callable[[Request], Fault | None]:
    """A plan: the faults, one each, for the first requests that are chosen; nothing for the others."""
    left, lock = list(faults), threading.Lock()

    def plan(request: Request) -> Fault | None:
        with lock:
            return left.pop(0) if left and chosen(request) else None

    return plan
