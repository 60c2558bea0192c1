"""The files of a lake on S3, with fewer requests than PyIceberg makes by itself. It is told of this class by name.

Of a file's requests two in three begin and end an upload in parts, which a small file does not need. And the tables of
a lake share one client, so that they share its connections.
"""

from __future__ import annotations

from threading import Lock

from pyarrow.fs import FileSystem, S3FileSystem
from pyiceberg.io import S3_RETRY_STRATEGY_IMPL
from pyiceberg.io.pyarrow import PyArrowFileIO

_MOST = 64
_clients: dict[tuple[object, ...], FileSystem] = {}
_lock = Lock()


class Files(PyArrowFileIO):
    """PyIceberg's own, but for how it opens S3."""

    def _initialize_s3_fs(self, netloc: str | None) -> FileSystem:
        settings = sorted((k, str(v)) for k, v in self.properties.items() if k.startswith(("s3.", "client.")))
        key = (netloc, *settings)  # credentials that a catalog hands out are among them
        with _lock:
            if key not in _clients:
                if len(_clients) >= _MOST:
                    _clients.clear()
                _clients[key] = self._in_one_request(super()._initialize_s3_fs(netloc))
            return _clients[key]

    def _in_one_request(self, client: FileSystem) -> FileSystem:
        """The client, writing a file that fits into one part with one request."""
        _, (options,) = client.__reduce__()
        if S3_RETRY_STRATEGY_IMPL in self.properties or "allow_delayed_open" not in options:
            return client  # a strategy of retries is none of the options
        return S3FileSystem(**{**options, "allow_delayed_open": True})
