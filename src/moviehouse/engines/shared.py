"""A directory that the driver and every executor see: where the relations of a Spark build are staged."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem


@dataclass(frozen=True)
class Shared:
    """A directory by its URI: file:///…, s3a://bucket/prefix, or what else Hadoop and Arrow both know.

    Python reads and writes it through Arrow, Spark through Hadoop.
    """

    uri: str

    def at(self, *parts: str) -> Shared:
        """A directory inside."""
        return Shared("/".join([self.uri.rstrip("/"), *parts]))

    def make(self) -> None:
        """Make it, where that is on this machine; elsewhere what is put there makes it."""
        if self.path is not None:
            self.path.mkdir(parents=True, exist_ok=True)

    def put(self, folder: Path) -> None:
        """Copy the files of a local folder into it."""
        system, path = self._system()
        system.create_dir(path, recursive=True)
        _copy(folder, path, to=system)

    def get(self, folder: Path) -> None:
        """Copy its files into a local folder."""
        system, path = self._system()
        folder.mkdir(parents=True, exist_ok=True)
        _copy(path, folder, of=system)

    @property
    def path(self) -> Path | None:
        """Where it is on this machine; None where it is elsewhere."""
        return Path(unquote(urlsplit(self.uri).path)) if self.uri.startswith("file:") else None

    def discard(self) -> None:
        """Remove it with all that it holds, if it can be."""
        with suppress(OSError):
            system, path = self._system()
            system.delete_dir(path)

    def _system(self) -> tuple[FileSystem, str]:
        from pyarrow.fs import FileSystem

        # Hadoop calls its client for S3 s3a, everybody else s3.
        uri = "s3" + self.uri[3:] if self.uri.startswith("s3a:") else self.uri
        system, path = FileSystem.from_uri(uri)
        return system, path


def _copy(source: Path | str, target: Path | str, of: FileSystem | None = None, to: FileSystem | None = None) -> None:
    from pyarrow.fs import LocalFileSystem, copy_files

    copy_files(str(source), str(target), of or LocalFileSystem(), to or LocalFileSystem(), use_threads=False)
