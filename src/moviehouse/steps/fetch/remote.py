"""What every kind of remote source can do, and the ways in which a transfer goes wrong."""

from __future__ import annotations

import hashlib
import random
import socket
import ssl
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

CHUNK_BYTES = 256 << 10
"""How much is read from a connection at a time."""

CONNECT_SECONDS = 10
READ_SECONDS = 30
ATTEMPTS = 5
"""How often a request, or the transfer of a part, is tried before giving up."""


class Changed(Exception):  # noqa: N818  (not an error yet: the caller starts anew)
    """The source is no longer the version that was asked for."""


class Broken(Exception):  # noqa: N818  (not an error yet: the caller tries again)
    """A transfer broke off; trying again may help. The text says how, and holds no secret."""


@dataclass(frozen=True)
class Version:
    """What a server says about the present version of a source.

    `size` is in bytes; `etag` is without its quotes, a weak one as it came; `sums` are checksums of
    the whole content, in hex, by algorithm; `ranges`: parts of it can be asked for.
    """

    size: int | None
    etag: str | None
    last_modified: str | None
    ranges: bool
    sums: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> str | None:
        """A name for this version that fits a file name; None if the server tells versions not apart."""
        if not (self.etag or self.last_modified):
            return None
        told = f"{self.etag}|{None if self.etag else self.last_modified}|{self.size}"
        return hashlib.sha256(told.encode()).hexdigest()[:16]


class Remote(Protocol):
    """A source that is not on this machine. Its methods raise SourceError, Changed or Broken only."""

    address: str  # fit for messages
    key: str  # what tells this source from others in the cache
    name: str  # its file name

    def head(self) -> Version:
        """Ask for the present version without transferring it."""

    def read(self, version: Version, first: int, length: int | None) -> Generator[bytes]:
        """Yield `length` bytes from byte `first` of exactly this version; None: all of it."""


# What OpenSSL calls the answer of a server that speaks plain HTTP on the port.
_NO_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"}
_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "its name cannot be resolved"),
    (ConnectionRefusedError, "the connection was refused"),
    (ConnectionError, "the connection was closed"),
    (TimeoutError, "it does not answer in time"),
    (ssl.SSLError, "the TLS connection broke off"),
)


def trouble(exc: BaseException) -> str:
    """Say what kept a connection from coming about, in words that hold nothing of the exception's own text."""
    return next((words for kind, words in _WORDS if isinstance(exc, kind)), type(exc).__name__)


def without_tls(exc: object) -> bool:
    """Whether a connection failed because there is no TLS on the port."""
    return isinstance(exc, ssl.SSLError) and exc.reason in _NO_TLS


def pause(tried: int) -> float:
    """How many seconds to wait before the next attempt after `tried` failed ones; 0 before the first."""
    return 0.1 * 2**tried * (1 + random.random()) if tried else 0.0  # noqa: S311  (no secret)


def utc(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
