"""Reads an error log: of a release, of a run that failed, or of any file in its format."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from moviehouse.connect import connected
from moviehouse.engines.duckdb import opened
from moviehouse.error_log import REASON, SEVERITIES
from moviehouse.errors import SourceError, UsageError
from moviehouse.hints import command, did_you_mean, near
from moviehouse.model.sources import SOURCES
from moviehouse.model.tables import ERROR_LOG
from moviehouse.sql.text import literal, name
from moviehouse.steps.find_movie import find_movie
from moviehouse.steps.find_release import find_release
from moviehouse.steps.target import DATABASE
from moviehouse.steps.trace import LogLine, dicts, logs

_COLUMNS = tuple(column.name for column in ERROR_LOG.columns)
_FILE_ORDER = "list_position([{}], e.file)".format(", ".join(literal(s.name) for s in SOURCES))


@dataclass(frozen=True)
class Wanted:
    """Which lines are wanted; None: whatever they have."""

    reason: str | None = None
    file: str | None = None
    severity: str | None = None


class Log:
    """An error log that is open: `error_log` is its table, `whole` whether the release is at hand too.

    Where it is those of several drops, and `drop_source` tells them apart, lines name the drop beside the file.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, path: Path, *, whole: bool) -> None:
        self._con, self.path, self.whole = con, path, whole
        found = con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'drop_source'").fetchone()
        self._of_drops = found is not None

    def summary(self, wanted: Wanted) -> list[dict[str, Any]]:
        """How many lines there are by severity, reason and file."""
        where, parameters = self._where(wanted)
        severities = ", ".join(map(literal, SEVERITIES))
        query = (
            f"FROM (SELECT severity, reason, file, COUNT(*) AS lines FROM error_log AS e {where} GROUP BY ALL) "
            f"ORDER BY list_position([{severities}], severity), lines DESC, reason, file"
        )
        return list(dicts(self._con, query, parameters))

    def lines(self, wanted: Wanted) -> Iterator[dict[str, Any]]:
        """The lines, in the order of the files and of their records; why a run failed comes first."""
        where, parameters = self._where(wanted)
        columns = {column: f"e.{name(column)}" for column in _COLUMNS if column != "run_id"}
        order, source = f"e.severity <> 'failed', {_FILE_ORDER}", "error_log AS e"
        if self._of_drops:
            columns["file"] = "e.file || COALESCE(' of ' || d.source, '') AS file"
            source += " LEFT JOIN drop_source AS d ON d.drop_id = e.drop_id AND d.observed_at = e.observed_at"
            order = f"{order}, e.observed_at, e.drop_id"
        order += ', e.file, e.line, e."column", e.reason, e.value'
        query = f"SELECT {', '.join(columns.values())} FROM {source} {where} ORDER BY {order}"
        return dicts(self._con, query, parameters)

    def movie(self, asked: str, wanted: Wanted) -> tuple[int, str | None, list[dict[str, Any]]]:
        """One movie's story: its id, its title if it was loaded, and every line about it in order."""
        if not self.whole:
            if not asked.isdecimal():
                raise UsageError("A failed run has no titles.", "Give the movie's id: --movie 862")
            lines = [line for line in self.lines(wanted) if line["movie_id"] == int(asked)]
            return int(asked), None, lines
        found = find_movie(self._con, asked).movie_id
        title = self._con.execute("SELECT title FROM movie WHERE movie_id = ?", [found]).fetchone()
        lines = [_as_line(found, line) for line in logs(self._con, str(found))[found] if self._is(line, wanted)]
        return found, title[0] if title else None, lines

    def _is(self, line: LogLine, wanted: Wanted) -> bool:
        asked = (wanted.reason, wanted.file, wanted.severity)
        return all(a in (None, b) for a, b in zip(asked, (line.reason, line.file, line.severity), strict=True))

    def _where(self, wanted: Wanted) -> tuple[str, list[str]]:
        pairs = [(column, value) for column, value in vars(wanted).items() if value is not None]
        where = " AND ".join(f"e.{column} = ?" for column, _ in pairs)
        return f"WHERE {where}" if where else "", [value for _, value in pairs]

    def check(self, wanted: Wanted) -> None:
        """UsageError for a reason that does not exist, or a file that the log does not name."""
        if wanted.reason is not None and wanted.reason not in REASON:
            raise _unknown("reason", wanted.reason, list(REASON))
        if wanted.file is not None and wanted.file not in {s.name for s in SOURCES}:
            named = [row[0] for row in self._con.execute("SELECT DISTINCT file FROM error_log ORDER BY 1").fetchall()]
            if wanted.file not in named:
                raise _unknown("file", wanted.file, sorted({s.name for s in SOURCES} | {n for n in named if n}))


def _as_line(movie_id: int, line: LogLine) -> dict[str, Any]:
    return {
        "severity": line.severity, "reason": line.reason, "file": line.file, "line": line.line,
        "column": line.column, "movie_id": movie_id, "value": line.value, "message": line.message,
        "action": line.action,
    }  # fmt: skip


def _unknown(what: str, asked: str, known: list[str]) -> UsageError:
    hint = did_you_mean(near(asked, known), f"Those there are: {', '.join(known)}.")
    return UsageError(f"The error log knows no {what} {asked!r}.", hint)


@contextmanager
def opened_log(release: Path, *, failed: bool = False) -> Iterator[Log]:
    """Open the log of a release; of the newest run that failed there; or a file in the format of errors.jsonl.

    Raises SourceError where there is none.
    """
    file = _newest_failure(release) if failed else release
    if file.is_dir() and (file / "errors.jsonl").is_file() and not (file / DATABASE).exists():
        file /= "errors.jsonl"  # a failed run's directory
    if file.is_file() and file.name != DATABASE:
        with _read(file) as con:
            yield Log(con, file, whole=False)
        return
    folder = find_release(release)
    with opened(folder / DATABASE) as con:
        yield Log(con, folder / "errors.jsonl", whole=True)


def _newest_failure(out: Path) -> Path:
    runs = sorted(out.glob("failed/*/errors.jsonl"), key=lambda path: (path.stat().st_mtime_ns, path))
    if not runs:
        raise SourceError(f"No failed run is kept in {out}.", f"The release's own log: {command('errors', out)}")
    return runs[-1]


@contextmanager
def _read(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    columns = ", ".join(f"{literal(c.name)}: {literal(c.type)}" for c in ERROR_LOG.columns)
    with connected() as con:
        try:
            con.execute(
                f"CREATE TABLE error_log AS FROM read_json({literal(str(file))}, format = 'newline_delimited', "
                f"columns = {{{columns}}})"
            )
        except duckdb.Error as error:
            said = str(error).splitlines()[0]
            raise SourceError(f"{file} is not an error log: {said}", "Give an errors.jsonl.") from None
        yield con
