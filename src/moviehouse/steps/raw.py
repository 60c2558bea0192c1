"""Finds a movie's raw record where the source of a release is still at hand, byte for byte.

A release holds what was made of the source and the line of every record, not the source. Its run
record says where the source was and what the file's SHA-256 is: only the very same bytes are shown.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import zipfile
import zlib
from bisect import bisect_right
from contextlib import suppress
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import duckdb

from moviehouse.errors import SourceError
from moviehouse.run import RunRecord
from moviehouse.sql import statement
from moviehouse.steps.fetch import default_cache
from moviehouse.steps.fetch.address import Local, parse

MOVIES_FILE = "movies_metadata.csv"
# What a file that is no archive any more, or another one, ends in.
_UNUSABLE = (OSError, ValueError, KeyError, RuntimeError, EOFError, zlib.error, zipfile.BadZipFile)


class RawRecords:
    """The records of movies_metadata.csv as they stand in the source of a release.

    `lines` has the line of each record, from 1, and what became of it. `cache` is where downloads are.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, run: RunRecord, cache: Path | None = None) -> None:
        self._run, self._cache = run, cache
        query = f"SELECT line, outcome FROM ({statement('trace', 'record_line')}) AS r ORDER BY line"
        self.lines: dict[int, str] = dict(con.execute(query).fetchall())
        self._sorted = list(self.lines)

    @property
    def at_hand(self) -> bool:
        """Whether the source is here, unchanged."""
        return self._bytes is not None

    @property
    def place(self) -> str:
        """Where the source was when the release was built."""
        return str(self._run.source.get("address", "the source"))

    def text(self, line: int) -> str | None:
        """The record on a line, without its line end; None where the source is not at hand."""
        if self._bytes is None:
            return None
        after = bisect_right(self._sorted, line)
        stop = self._sorted[after] if after < len(self._sorted) else None
        begin, end = self._starts(line), self._starts(stop) if stop else len(self._bytes)
        return self._bytes[begin:end].rstrip(b"\r\n").decode("utf-8", "backslashreplace")

    def cell(self, line: int, column: str) -> str | None:
        """One cell of the record on a line; None where it cannot be told."""
        if self._bytes is None or column not in self._header:
            return None
        # What splits a record or a cell in two is data here, which csv takes within quotes only.
        fields = next(csv.reader([re.sub(r"[\r\n]", " ", self.text(line) or "")]), [])
        return fields[self._header.index(column)] if len(fields) == len(self._header) else None

    @cached_property
    def _header(self) -> list[str]:
        assert self._bytes is not None
        first = self._bytes.lstrip(b"\xef\xbb\xbf\r\n").split(b"\n", 1)[0]
        return [cell.strip() for cell in next(csv.reader([first.decode("utf-8", "replace").rstrip("\r")]), [])]

    @cached_property
    def _ends(self) -> list[int]:
        assert self._bytes is not None
        return [match.end() for match in re.finditer(b"\n", self._bytes)]

    def _starts(self, line: int) -> int:
        return self._ends[line - 2] if line >= 2 else 0

    @cached_property
    def _bytes(self) -> bytes | None:
        """The file in UTF-8, as its lines were counted."""
        said = self._run.files.get(MOVIES_FILE, {})
        for path in self._places():
            with suppress(*_UNUSABLE):
                found = _member(path, int(said["bytes"]))
                if found is not None and hashlib.sha256(found).hexdigest() == said["sha256"]:
                    encoding = str(self._run.options.get("encoding", "utf-8"))
                    return found if encoding.lower() in ("utf-8", "utf8") else found.decode(encoding).encode()
        return None

    def _places(self) -> list[Path]:
        """Where the source may be: its path, or a download in the cache."""
        with suppress(SourceError):  # an address without its secrets may be none any more
            where = parse(self.place)
            if isinstance(where, Local):
                return [where.path]
        notes = sorted((self._cache or default_cache()).glob("*/*/*.source.json"))
        return [note.with_name(note.name.removesuffix(".source.json")) for note in notes if self._is_ours(note)]

    def _is_ours(self, note: Path) -> bool:
        with suppress(OSError, ValueError):
            said: Any = json.loads(note.read_bytes())
            return isinstance(said, dict) and said.get("sha256") == self._run.source.get("sha256")
        return False


def _member(source: Path, size: int) -> bytes | None:
    """movies_metadata.csv in a zip or a folder, where it has the size expected."""
    if source.is_dir():
        paths = list(islice((p for p in source.rglob(MOVIES_FILE) if p.stat().st_size == size), 1))
        return paths[0].read_bytes() if paths else None
    with zipfile.ZipFile(source) as archive:
        for info in archive.infolist():
            if PurePosixPath(info.filename.replace("\\", "/")).name == MOVIES_FILE and info.file_size == size:
                with archive.open(info) as file:
                    return file.read(size)
    return None
