"""What the commands that read a SOURCE share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from moviehouse.errors import UsageError
from moviehouse.hints import did_you_mean, near
from moviehouse.safe import visible_json


def must_exist(word: str) -> None:
    """A bare word that is neither a command nor a file is wrong usage."""
    if any(mark in word for mark in ("/", "\\", ".", ":")) or Path(word).exists():
        return
    from moviehouse.commands import app

    found = near(word, (name for name in app if not name.startswith("-")))
    hint = did_you_mean(found, "See moviehouse --help.")
    raise UsageError(f"No such command or file: {word!r}.", hint)


def must_be_there(sources: list[str]) -> None:
    """Of several sources none may be a word too many: the others would be loaded by options that were not meant."""
    from moviehouse.steps.fetch import there

    for source in sources:
        must_exist(source)
        there(source)


def print_json(value: dict[str, Any]) -> None:
    """Print an object as one line of JSON."""
    print(visible_json(json.dumps(value, ensure_ascii=False, default=str)))
