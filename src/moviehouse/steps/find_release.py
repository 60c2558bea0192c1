"""Finds the release that a path means, and says what is there where it is none."""

from __future__ import annotations

import json
from pathlib import Path

from moviehouse.errors import SourceError
from moviehouse.hints import command
from moviehouse.run import FORMAT
from moviehouse.steps.target import CURRENT, DATABASE

_BUILD = "Build one: moviehouse SOURCE --out DIRECTORY."


def find_release(path: Path) -> Path:
    """The directory of a release, given it, its database, or the output directory that holds it.

    The link to the current one is followed once: what is read below stays one release's.
    Raises SourceError where there is none, only a part of one, or one of a newer format.
    """
    if path.name == DATABASE and path.is_file():
        path = path.parent
    for folder in ((path / CURRENT).resolve(), path.resolve()):
        if (folder / DATABASE).exists():
            _whole(folder)
            return folder
    raise _none(path)


def _whole(folder: Path) -> None:
    """A release has a run record that this version can read."""
    record = folder / "run.json"
    if not record.exists():
        raise SourceError(f"{folder} is only a part of a release: it has no run.json.", "Copy the whole directory.")
    try:
        found = json.loads(record.read_text(encoding="utf-8"))["run_format"]
    except (OSError, ValueError, KeyError, TypeError):
        raise SourceError(f"{record} is not a run record.", f"The release is damaged. {_BUILD}") from None
    if found > FORMAT:
        message = f"{folder} was written by a newer Moviehouse: its format is {found}, this version reads {FORMAT}."
        raise SourceError(message, "Upgrade Moviehouse.")


def _none(path: Path) -> SourceError:
    if not path.exists():
        return SourceError(f"There is no release in {path}: it does not exist.", _BUILD)
    if path.is_file():
        return SourceError(f"{path} is a file, and no release.", "Give a release, or the directory that holds it.")
    if (path / "failed").is_dir():
        return SourceError(
            f"There is no release in {path}: every run failed.", f"See why: {command('errors --failed', path)}"
        )
    return SourceError(f"There is no release in {path}.", _BUILD)
