"""Runs a query that somebody wrote on a release, which it can read and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from moviehouse.connect import connected
from moviehouse.engines.duckdb import unreadable
from moviehouse.errors import UsageError

# The order matters: after the last one nothing can be set any more.
_SETTINGS = (
    "python_enable_replacements = false",  # no variable of this process is a table
    "allow_persistent_secrets = false",
    "enable_external_access = false",  # no file and no network, but for the database and the scratch
    "lock_configuration = true",
)
_SCRATCH = "20GiB"


@contextmanager
def sandboxed(
    database: Path, memory_limit: str, threads: int | None
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """Open a database to read only, with a scratch directory that is removed afterwards.

    A query on the connection has no file system, no network, no extension that is not built in, and
    no setting to change. Raises UsageError for limits that DuckDB does not take.
    """
    with TemporaryDirectory(prefix="moviehouse-") as folder:
        config: dict[str, Any] = {
            "allow_community_extensions": False,
            "allow_unsigned_extensions": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "memory_limit": memory_limit,
            "temp_directory": folder,
            "max_temp_directory_size": _SCRATCH,
        }
        config |= {"threads": threads} if threads is not None else {}
        try:
            con = connected(str(database), read_only=True, config=config)
        except (duckdb.IOException, duckdb.SerializationException) as error:
            raise unreadable(database, error) from None
        except duckdb.Error as error:
            raise UsageError(f"DuckDB does not take this limit: {str(error).splitlines()[0]}") from None
        with con:
            for setting in _SETTINGS:
                con.execute(f"SET {setting}")
            yield con, Path(folder)
