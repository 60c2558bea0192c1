"""Where rows go, and as what: CSV or JSON on standard output or in a file, Parquet never on a terminal."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from moviehouse.errors import TargetError, UsageError
from moviehouse.render.terminal import write_csv
from moviehouse.render.values import csv_cell, json_value
from moviehouse.safe import visible_json

# What the ending of an output's name says of its format; without an ending it is the first.
LINES = {"txt": "table", "csv": "csv", "json": "json"}
ROWS = LINES | {"parquet": "parquet"}


def chosen(form: str | None, output: Path | None, endings: Mapping[str, str] = ROWS) -> str:
    """The format asked for, or the one that the output's name ends in, or the first there is.

    Raises UsageError for an ending that says nothing, and for Parquet that would go to a terminal.
    """
    ending = output.suffix.lower().removeprefix(".") if output else ""
    if form is None and ending and ending not in endings:
        known = ", ".join(f".{known}" for known in endings)
        raise UsageError(f"{output}: .{ending} is no format.", f"Write one of {known}, or give --format.")
    form = form or endings[ending or next(iter(endings))]
    if form == "parquet" and output is None and sys.stdout.isatty():
        message = "Parquet is binary, and not shown on a terminal."
        raise UsageError(message, "Add --output FILE.parquet, or redirect it: > FILE.parquet")
    return form


@contextmanager
def written_to(output: Path | None, release: Path | None = None) -> Iterator[None]:
    """Send standard output to a file, which is replaced only when all of it is written; None leaves it alone.

    Raises TargetError where the file cannot be written, or is a part of the release.
    """
    if output is None:
        yield
        return
    _outside(output, release)
    beside = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8", newline="") as file, redirect_stdout(file):
            yield
        beside.replace(output)
    except OSError as error:
        raise TargetError(f"{output} cannot be written: {error.strerror or error}.", retry=False) from None
    finally:
        beside.unlink(missing_ok=True)


def send_file(path: Path, output: Path | None, release: Path | None = None) -> None:
    """Send a file to the output, or to standard output."""
    if output is None:
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        return
    with written_to(output, release):
        shutil.copyfile(path, Path(sys.stdout.name))


def write_rows(form: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows to standard output as CSV, or as a JSON array with an object a line."""
    if form == "csv":
        write_csv(columns, (map(csv_cell, row) for row in rows))
        return
    names = _distinct(columns)
    between = "["
    for row in rows:
        entry = dict(zip(names, map(json_value, row), strict=True))
        sys.stdout.write(f"{between}\n{visible_json(json.dumps(entry, ensure_ascii=False))}")
        between = ","
    sys.stdout.write("[]\n" if between == "[" else "\n]\n")


def _distinct(columns: Sequence[str]) -> list[str]:
    """The names of columns, numbered where two are the same: an object has each once."""
    names: list[str] = []
    for column in columns:
        name, number = column, 1
        while name in names:
            name, number = f"{column}_{number}", number + 1
        names.append(name)
    return names


def _outside(output: Path, release: Path | None) -> None:
    """Nothing is written into a release: it is whole, and stays as it was published."""
    if output.is_dir():
        raise TargetError(f"{output} is a directory.", "Give the name of a file.", retry=False)
    if release is not None and release.resolve() in output.resolve().parents:
        raise TargetError(f"{output} is in the release itself.", "Give another place.", retry=False)
