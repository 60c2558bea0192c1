"""What a failed run leaves behind: its log, with why it failed as the last lines."""

from __future__ import annotations

import contextlib
import json
import shutil
import traceback
from pathlib import Path
from typing import Any

import duckdb

from moviehouse.error_log import REASON, VALUE_LIMIT
from moviehouse.errors import GateError, MoviehouseError, TargetError
from moviehouse.run import RunRecord
from moviehouse.safe import without_secrets
from moviehouse.sql.text import literal
from moviehouse.steps.check import Outcome
from moviehouse.steps.publish import Target

KEPT = 10


def keep(error: BaseException, outcomes: list[Outcome], record: RunRecord, target: Target, database: Path) -> None:
    """Write OUT/failed/<run>/errors.jsonl and run.json; never raises, since it runs while failing.

    A MoviehouseError is told where the log is. Only the last failed runs are kept.
    """
    with contextlib.suppress(OSError):
        target.failed.mkdir(parents=True)
        log = target.failed / "errors.jsonl"
        _so_far(database, target.work / "failed.jsonl", log)
        with log.open("a", encoding="utf-8") as file:
            for line in _why(error, outcomes, record.run_id):
                file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
        record.write(target.failed / "run.json")
        if isinstance(error, MoviehouseError):
            error.log = log
        for old in sorted(target.failed.parent.iterdir())[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)


def _so_far(database: Path, abandoned: Path, log: Path) -> None:
    """Copy the lines that the run had gathered before it failed."""
    if abandoned.exists():
        log.write_bytes(abandoned.read_bytes())
        return
    with contextlib.suppress(duckdb.Error), duckdb.connect(str(database), read_only=True) as con:
        con.execute(f"COPY (SELECT * FROM error_log) TO {literal(str(log))} (FORMAT json)")


def _why(error: BaseException, outcomes: list[Outcome], run_id: str) -> list[dict[str, Any]]:
    if isinstance(error, GateError):
        broken = [o for o in outcomes if o.gate and not o.passed]
        if broken:
            return [
                _line(run_id, "gate_failed", f"{o.check}: {o.meaning}", "; ".join(map(str, o.examples))) for o in broken
            ]
        return [_line(run_id, "gate_failed", str(error), None)]
    if isinstance(error, TargetError):
        return [_line(run_id, "target_unwritable", str(error), None)]
    if isinstance(error, MoviehouseError):
        place = {"file": error.file, "line": error.line, "column": error.column}
        return [_line(run_id, "source_unusable", str(error), None) | place]
    interrupted = isinstance(error, RuntimeError) and str(error) == "Query interrupted"  # DuckDB's word for it
    if interrupted or isinstance(error, KeyboardInterrupt | SystemExit):
        return [_line(run_id, "stopped", "The run was stopped by a signal.", None)]
    trace = without_secrets("".join(traceback.format_exception(error)))
    said = without_secrets(f"{type(error).__name__}: {error}")
    return [_line(run_id, "bug", said[:VALUE_LIMIT], trace)]


def _line(run_id: str, reason: str, message: str, value: str | None) -> dict[str, Any]:
    known = REASON[reason]
    return {
        "run_id": run_id, "severity": known.severity, "reason": reason, "file": None, "line": None,
        "column": None, "movie_id": None, "value": _cut(value), "message": message, "action": known.action,
    }  # fmt: skip


def _cut(value: str | None) -> str | None:
    """The end of a long text, where a traceback says what happened; at most 1 KiB in UTF-8."""
    raw = (value or "").encode("utf-8", "replace")
    if len(raw) <= VALUE_LIMIT:
        return value
    mark = f"[{len(raw)} bytes] … "
    return mark + raw[len(mark.encode()) - VALUE_LIMIT :].decode("utf-8", "ignore")
