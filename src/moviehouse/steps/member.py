"""Reads one member of a source where a task of a cluster runs: all that reading needs, and all that it gives.

The archive is fetched into the executor's own cache, the member inflated and read in its scratch, by the same
code as everywhere. The relations go to the shared directory as Parquet; only counts come back. A task may run
twice: each attempt writes to a directory of its own, and the one that answers is used.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from moviehouse.engines.duckdb import in_memory
from moviehouse.engines.shared import Shared
from moviehouse.errors import MoviehouseError, SourceError, UsageError
from moviehouse.model.sources import SOURCES, SourceFile
from moviehouse.progress import Quiet
from moviehouse.sql.text import literal, name
from moviehouse.steps import log, read
from moviehouse.steps.archive import Limits
from moviehouse.steps.encoding import to_utf8
from moviehouse.steps.extract import Member, Plan, plan
from moviehouse.steps.fetch import Fetched, default_cache, fetch
from moviehouse.steps.storage import reading, writing

_SOURCE = {source.name: source for source in SOURCES}
_ELSEWHERE = "set spark.local.dir to a directory with room"


@dataclass(frozen=True)
class Job:
    """What every task of a build is told. `sha256` is the archive's, once it is known.

    A `whole` source has the indispensable files.
    """

    source: str
    staging: Shared
    limits: Limits
    sign: bool = True
    encoding: str = "utf-8"
    cache: Path | None = None
    memory_limit: str = "2GiB"
    threads: int | None = None
    sha256: str | None = None
    whole: bool = True


@dataclass(frozen=True)
class Relations:
    """Relations in the shared directory, each in a folder of its own; `columns` are their names and types, DuckDB's."""

    folder: Shared
    columns: dict[str, list[tuple[str, str]]]


@dataclass(frozen=True)
class Survey:
    """What a source holds: the dataset's files that it has, and the names of the others.

    Where it was fetched and cannot be used, `refused` says so.
    """

    fetched: Fetched
    names: tuple[str, ...] = ()
    unknown: list[str] = field(default_factory=list)
    notes: Relations | None = None
    refused: MoviehouseError | None = None


@dataclass(frozen=True)
class Read:
    """What reading a member gave. `staged` has a Parquet file for each relation; `about` is for the run record."""

    reading: read.Reading
    staged: Relations
    about: dict[str, Any] = field(default_factory=dict)
    refused: MoviehouseError | None = None


def relations(source: SourceFile) -> tuple[str, ...]:
    """The relations that a file is read into."""
    lists = tuple(column.relation for column in source.nested if column.relation)
    return (source.relation, *lists, *((source.suspects,) if source.suspects else ()))


def survey(job: Job) -> Survey | MoviehouseError:
    """Fetch the source and see what it holds; what is missing or not known is noted."""
    if job.staging.path is not None and not job.staging.path.is_dir():
        return UsageError(
            f"The executors do not see {job.staging.path}.",
            "Give a directory that this machine and all of them see: --spark-staging file:///mnt/shared/moviehouse",
        )
    with _scratch() as scratch:
        try:
            with reading(), writing(scratch, (scratch,), _ELSEWHERE):
                fetched = _fetch(job)
                try:
                    planned = _plan(job, fetched, scratch, ())
                except SourceError as error:
                    return Survey(fetched, refused=error)
                con = in_memory(scratch, job.memory_limit, job.threads)
                read.prepare(con)
                missing = [source.name for source in SOURCES if source.name not in planned.jobs]
                read.note_files(con, missing, planned.unknown)
                notes = _stage(con, job, "source", ("note", "reject"), scratch)
                return Survey(fetched, tuple(planned.jobs), planned.unknown, notes)
        except MoviehouseError as error:
            return error


def read_file(job: Job, file: str) -> Read | MoviehouseError:
    """Read one of the dataset's files into relations, empty ones where the source does not have it.

    Where the file cannot be used, `refused` says so, and what was noted of it is staged all the same.
    """
    source = _SOURCE[file]
    with _scratch() as scratch:
        try:
            with reading(), writing(scratch, (scratch,), _ELSEWHERE):
                con = in_memory(scratch, job.memory_limit, job.threads)
                read.prepare(con)
                member = _member(job, file, scratch)
                if member is None:
                    return Read(read.read_absent(con, source), _stage(con, job, file, relations(source), scratch))
                about = {"bytes": member.bytes, "sha256": member.sha256, "edition": member.edition}
                path = to_utf8(member.path, job.encoding, scratch)
                try:
                    found = read.read_member(con, source, path, scratch)
                except SourceError as error:
                    staged = _stage(con, job, file, ("note", "reject"), scratch)
                    return Read(read.Reading(file), staged, about, error)
                about["null_tokens"] = found.null_tokens
                shutil.rmtree(scratch / "members", ignore_errors=True)  # room for what is staged
                staged = _stage(con, job, file, ("note", "reject", *relations(source)), scratch)
                return Read(found, staged, about)
        except MoviehouseError as error:
            return error


def reject_references(job: Job, file: str, references: Shared) -> Relations | MoviehouseError:
    """Keep the bytes of a file's records that refer to no movie; `references` has rejected_reference.sql's rows."""
    with _scratch() as scratch:
        try:
            with reading(), writing(scratch, (scratch,), _ELSEWHERE):
                con = in_memory(scratch, job.memory_limit, job.threads)
                read.prepare(con)
                references.get(scratch / "references")
                rows = con.execute(
                    f"SELECT {log.REFERENCE} FROM read_parquet({literal(str(scratch / 'references' / '*.parquet'))}) "
                    f"WHERE file = {literal(file)} ORDER BY ordinal"
                ).fetchall()
                member = _member(job, file, scratch)
                assert member is not None
                path = to_utf8(member.path, job.encoding, scratch)
                log.insert_references(con, file, rows, path, scratch)
                return _stage(con, job, f"references-{file}", ("reject",), scratch)
        except MoviehouseError as error:
            return error


@contextmanager
def _scratch() -> Iterator[Path]:
    """A directory on the executor's own disk, where Spark keeps its scratch if it says so."""
    place = os.environ.get("SPARK_LOCAL_DIRS", "").split(",")[0]
    folder = Path(tempfile.mkdtemp(prefix="moviehouse-", dir=place if Path(place or "/none").is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fetch(job: Job) -> Fetched:
    fetched = fetch(job.source, job.cache or default_cache(), sign=job.sign, progress=Quiet())
    if job.sha256 is not None and fetched.sha256 != job.sha256:
        raise SourceError(
            f"{fetched.address} was replaced while it was read.", "Try again when its writer is done.", retry=True
        )
    return fetched


def _plan(job: Job, fetched: Fetched, scratch: Path, wanted: tuple[str, ...]) -> Plan:
    """How files are taken out of the source, of which this task wants some: other tasks may use the same disk."""
    members = scratch / "members"
    return plan(fetched.path, fetched.kind, members, job.limits, whole=job.whole, wanted=wanted, elsewhere=_ELSEWHERE)


def _member(job: Job, file: str, scratch: Path) -> Member | None:
    fetched = _fetch(job)
    planned = _plan(job, fetched, scratch, (file,))
    take = planned.jobs.get(file)
    return take(lambda _: None) if take else None


def _stage(con: duckdb.DuckDBPyConnection, job: Job, what: str, names: tuple[str, ...], scratch: Path) -> Relations:
    """Write relations as Parquet into the shared directory."""
    place = job.staging.at("read", f"{what}-{uuid.uuid4().hex[:12]}")
    columns = {}
    for relation in names:
        described = con.execute(f"DESCRIBE {name(relation)}").fetchall()
        columns[relation] = [(column, type_) for column, type_, *_ in described]
        folder = scratch / "staged" / relation
        folder.mkdir(parents=True)
        target = literal(str(folder / "0.parquet"))
        con.execute(f"COPY (SELECT * FROM {name(relation)}) TO {target} (FORMAT parquet, COMPRESSION zstd)")
    place.put(scratch / "staged")
    con.close()
    return Relations(place, columns)
