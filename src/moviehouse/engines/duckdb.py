"""Runs SQL on DuckDB: the raw relations in memory (spilled to disk at the limit), the model in a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from moviehouse.connect import connected
from moviehouse.errors import SourceError, TargetError, UsageError
from moviehouse.model.schema import Table
from moviehouse.sql.text import literal, name

# DuckDB 1.4 and later can open what is written in this version; the default of 2.0 only 2.0 can.
STORAGE_VERSION = "v1.4.0"
# Twice the default: 26 million ratings take a fifth less time to write, and a quarter less room.
_ROW_GROUP = 245_760
_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([KMGT]i?B|[kmgt]i?b)")
_UNITS: dict[str, int] = {
    f"{unit}{end}": base**power for base, end in ((1000, "b"), (1024, "ib")) for power, unit in enumerate("kmgt", 1)
}
# Up to so many times its memory, DuckDB holds relations in memory and spills most of them: that takes a tenth less than
# a file. But some bytes of each value stay, which is too much sooner or later.
_SPILLED = 4


class DuckDB:
    """A DuckDB with the release's database attached as `model`; unqualified names find both.

    `holding` is how many bytes of a source it is going to hold. Where they are many times the memory, the relations
    that are no part of the release are in a file of `work`, attached as `held`, instead of in memory.
    """

    def __init__(
        self, database: Path, work: Path, *, memory_limit: str = "2GiB", threads: int | None = None, holding: int = 0
    ) -> None:
        self.con = in_memory(work, memory_limit, threads)
        self._works, self._file = "memory.main", work / "held.duckdb"
        if holding > _SPILLED * in_bytes(memory_limit):
            self._works = "held.main"
            self.con.execute(f"ATTACH {literal(str(self._file))} AS held")
        options = f"STORAGE_VERSION {literal(STORAGE_VERSION)}, ROW_GROUP_SIZE {_ROW_GROUP}"
        self.con.execute(f"ATTACH {literal(str(database))} AS model ({options})")
        self.con.execute(self._search_path)

    @property
    def _search_path(self) -> str:
        """New relations go to the first of them."""
        return f"SET search_path = {literal(','.join(dict.fromkeys((self._works, 'memory.main', 'model.main'))))}"

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection to the same relations, for another thread."""
        cursor = self.con.cursor()
        cursor.execute(self._search_path)
        return cursor

    def close(self) -> None:
        """Write everything to the database's file and let go of it."""
        self.con.execute("USE memory.main")
        self.con.execute("DETACH model")
        self.con.execute("PRAGMA disable_checkpoint_on_shutdown")  # of what is deleted next
        self.con.close()
        self._file.unlink(missing_ok=True)

    def create_works(self, selects: Mapping[str, str], con: duckdb.DuckDBPyConnection | None = None) -> None:
        """Create relations that are no part of the release, by name; none may need another of them."""
        for relation, select in selects.items():
            (con or self.con).execute(f"CREATE TABLE {self._works}.{name(relation)} AS {select}")

    def create_passing(self, relation: str, select: str) -> None:
        """Create a relation that one later statement needs, and no other."""
        self.create_works({relation: select})

    def create_table(self, table: Table, select: str, con: duckdb.DuckDBPyConnection | None = None) -> None:
        """Create a table of the model from a SELECT, with the declared columns, order and types."""
        columns = ", ".join(f"CAST({name(c.name)} AS {c.stored_type}) AS {name(c.name)}" for c in table.columns)
        create = f"CREATE TABLE model.main.{name(table.name)} AS SELECT {columns} FROM ({select})"
        (con or self.con).execute(create)

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.con.execute(query, list(parameters)).fetchall()

    def scalar(self, query: str, con: duckdb.DuckDBPyConnection | None = None) -> Any:
        """The one value of a query."""
        return (con or self.con).execute(query).fetchall()[0][0]


def half(memory_limit: str) -> str:
    """Half of an amount of memory: DuckDB's part, where the rest is for what it does not count. Raises UsageError."""
    amount, unit = _amount(memory_limit)
    return f"{amount / 2:f}{unit}"


def in_bytes(memory_limit: str) -> float:
    """An amount of memory in bytes. Raises UsageError."""
    amount, unit = _amount(memory_limit)
    return amount * _UNITS[unit.lower()]


def _amount(memory_limit: str) -> tuple[float, str]:
    found = _AMOUNT.fullmatch(memory_limit)
    if found is None:
        raise UsageError(f"{memory_limit!r} is not an amount of memory.", "Write --memory-limit 2GiB.")
    return float(found[1]), found[2]


@contextmanager
def within(memory_limit: str) -> Iterator[None]:
    """TargetError where DuckDB needs more memory than the command was given, or more disk than there is to spill to."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        if "max_temp_directory_size" in str(error):
            message = "The disk is full: DuckDB cannot spill what does not fit into its memory."
            raise TargetError(message, "Make room, or set TMPDIR to a directory with room.", retry=True) from error
        message = f"DuckDB ran out of memory at --memory-limit {memory_limit}."
        raise TargetError(message, "Raise it.", retry=False) from error


def in_memory(work: Path, memory_limit: str = "2GiB", threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own that spills to a folder of `work`, which is made."""
    work.mkdir(parents=True, exist_ok=True)  # DuckDB makes the folder in it alone
    config: dict[str, Any] = {
        "memory_limit": memory_limit,
        "temp_directory": str(work / "spill"),
        "autoinstall_known_extensions": False,
    }
    if threads:
        config["threads"] = threads
    return connected(":memory:", config=config)


@contextmanager
def side_by_side(con: duckdb.DuckDBPyConnection, work: Callable[[duckdb.DuckDBPyConnection], object]) -> Iterator[None]:
    """Do some work on `con` in another thread while the block runs; ends when both have, or one has failed.

    Statements that run on one thread, or wait for the disk, leave a core to the others.
    """
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work, con)
        try:
            yield
            done.result()
        except BaseException:
            con.interrupt()
            raise


@contextmanager
def opened(
    database: Path, memory_limit: str = "2GiB", threads: int | None = None, *, read_only: bool = True
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a release's database as analysts will."""
    config: dict[str, Any] = {"memory_limit": memory_limit} | ({"threads": threads} if threads else {})
    try:
        con = connected(str(database), read_only=read_only, config=config)
    except (duckdb.IOException, duckdb.SerializationException) as error:
        raise unreadable(database, error) from None
    try:
        yield con
    finally:
        con.close()


def unreadable(database: Path, error: duckdb.Error) -> SourceError:
    """What is said of a database that DuckDB cannot open: half there, damaged, or of a newer storage version."""
    said = str(error).splitlines()[0]
    return SourceError(f"{database} cannot be opened: {said}", "Build the release again, or upgrade Moviehouse.")
