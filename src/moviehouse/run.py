"""The run record: what was read from where, what became of it, how long it took, with which versions."""

from __future__ import annotations

import json
import platform
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

import moviehouse

FORMAT = 1


def new_run_id() -> str:
    """An id that sorts by time: 20261123T101500Z-1f2e3d."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


@dataclass
class RunRecord:
    """The content of run.json.

    `source`: address, size in bytes, etag, sha256, last_modified, bytes downloaded in this run.
    `files`: of each member found: bytes, sha256, known edition or None, the balance of its records,
    of its lists, and the null tokens counted by column.
    `log`: lines of the error log by severity and reason. `rows`: by table.
    `excluded`: what the release definition leaves out, by status: movies and known dollars.
    `unattributed`: releases without any genre, and without any company: movies and known dollars.
    `checks`: offending rows by check. `seconds`: by step, and in total: extract runs beside read, which
    conforms the ratings too, and write beside check.
    """

    run_id: str
    started: str
    finished: str = ""
    status: str = "running"
    source: dict[str, Any] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    missing_files: list[str] = field(default_factory=list)
    ignored_files: list[str] = field(default_factory=list)
    log: dict[str, dict[str, int]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    releases: dict[str, int | None] = field(default_factory=dict)
    excluded: list[dict[str, Any]] = field(default_factory=list)
    unattributed: dict[str, dict[str, int | None]] = field(default_factory=dict)
    checks: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    run_format: int = FORMAT

    @classmethod
    def begin(cls, **options: Any) -> RunRecord:
        """Start a record now."""
        return cls(
            new_run_id(),
            datetime.now(UTC).isoformat(timespec="milliseconds"),
            versions={
                "moviehouse": moviehouse.__version__,
                "duckdb": duckdb.__version__,
                "python": platform.python_version(),
                "platform": platform.platform(terse=True),
            },
            options=options,
        )

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Record the seconds that a step takes."""
        start = time.monotonic()
        try:
            yield
        finally:
            self.seconds[step] = round(time.monotonic() - start, 3)

    def write(self, path: Path) -> None:
        """Write run.json; the run is finished but for publishing."""
        now = datetime.now(UTC)
        self.finished = now.isoformat(timespec="milliseconds")
        self.seconds["total"] = round((now - datetime.fromisoformat(self.started)).total_seconds(), 3)
        path.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> RunRecord:
        """Read run.json; entries of a newer format are left out."""
        known = set(cls.__dataclass_fields__)
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{k: v for k, v in content.items() if k in known})
