"""What a failed run leaves behind: its log, with why it failed as the last lines."""

from __future__ import annotations

import contextlib
import json
import shutil
import traceback
from pathlib import Path
from typing import Any

import duckdb

from moviehouse.connect import connected
from moviehouse.error_log import REASON, VALUE_LIMIT
from moviehouse.errors import GateError, MoviehouseError, TargetError
from moviehouse.run import RunRecord
from moviehouse.safe import without_secrets
from moviehouse.sql.text import literal
from moviehouse.steps.check import Outcome
from moviehouse.steps.target import Target, fsync

KEPT = 10


def keep(error: BaseException, outcomes: list[Outcome], record: RunRecord, target: Target, database: Path) -> None:
    """Write OUT/failed/<run>/errors.jsonl and run.json; never raises, since it runs while failing.

    A MoviehouseError is told where the log is. Only the last failed runs are kept. Where the disk is
    full the lines gathered so far give way to the one that says so, and where that does not fit
    either nothing is left.
    """
    why = [json.dumps(x, ensure_ascii=False, separators=(",", ":")) for x in _why(error, outcomes, record.run_id)]
    draft, abandoned = target.staging / "failed", target.work / "failed.jsonl"
    _make_room(target, abandoned)
    if _write(draft, why, record, database, abandoned) or _alone(draft, why, record, target):
        with contextlib.suppress(OSError):
            target.failed.parent.mkdir(exist_ok=True)
            draft.rename(target.failed)
            fsync(target.failed.parent)
            if isinstance(error, MoviehouseError):
                error.log = target.failed / "errors.jsonl"
            for old in sorted(target.failed.parent.iterdir(), key=lambda path: path.stat().st_mtime_ns)[:-KEPT]:
                shutil.rmtree(old, ignore_errors=True)


def _make_room(target: Target, abandoned: Path) -> None:
    """Remove what the log is not made of: all but the lines gathered, where they are out of the database."""
    shutil.rmtree(target.staging / "tables", ignore_errors=True)
    with contextlib.suppress(OSError):
        for path in (*target.staging.iterdir(), *target.work.iterdir()) if abandoned.exists() else ():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path != abandoned:
                path.unlink()


def _alone(draft: Path, why: list[str], record: RunRecord, target: Target) -> bool:
    """Write the log without the lines gathered, once all scratch has made room for it."""
    for folder in (target.staging, target.work):
        shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        target.staging.mkdir()
        return _write(draft, why, record)
    return False


def _write(
    draft: Path, why: list[str], record: RunRecord, database: Path | None = None, abandoned: Path | None = None
) -> bool:
    """Write the log and the run record; gives whether both are whole."""
    with contextlib.suppress(OSError):
        draft.mkdir()
        log = draft / "errors.jsonl"
        if database is not None and abandoned is not None:
            _so_far(database, abandoned, log)
        with log.open("a", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in why)
        record.write(draft / "run.json")
        return True
    return False


def _so_far(database: Path, abandoned: Path, log: Path) -> None:
    """Move or copy the lines that the run had gathered before it failed."""
    if abandoned.exists():
        abandoned.rename(log)
        return
    with contextlib.suppress(duckdb.Error), connected(str(database), read_only=True) as con:
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
