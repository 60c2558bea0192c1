"""What the shell offers when TAB is pressed: what the release has, and nothing where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from moviehouse.hints import DEFAULT_OUT

if TYPE_CHECKING:
    from cyclopts.completion import CompletionContext

_MOST = 200


def questions(_: CompletionContext) -> Iterator[tuple[str, str]]:
    """The nine questions, each with its sentence."""
    from moviehouse.sql import QUESTIONS, header

    for question in QUESTIONS:
        yield question.replace("_", "-"), header("questions", question).splitlines()[0]


def genres(context: CompletionContext) -> list[tuple[str, str]]:
    """The release's genres."""
    return _names(context, "genre")


def companies(context: CompletionContext) -> list[tuple[str, str]]:
    """The release's companies that begin with what is typed so far, those with most movies first."""
    return _names(context, "company")


def reasons(_: CompletionContext) -> Iterator[tuple[str, str]]:
    """The reasons of the error log, each with its meaning."""
    from moviehouse.error_log import REASONS

    for reason in REASONS:
        yield reason.code, reason.meaning


def files(_: CompletionContext) -> Iterator[str]:
    """The source's seven files."""
    from moviehouse.model.sources import SOURCES

    return (source.name for source in SOURCES)


def tables(_: CompletionContext) -> Iterator[tuple[str, str]]:
    """The model's tables."""
    from moviehouse.model.tables import TABLES

    for table in TABLES:
        yield table.name, table.description


def _names(context: CompletionContext, thing: str) -> list[tuple[str, str]]:
    from moviehouse.errors import MoviehouseError
    from moviehouse.steps.names import beginning

    release = context.get("--release")
    path = Path(str(release.value)) if release is not None else DEFAULT_OUT
    try:
        return beginning(path, thing, context.incomplete, _MOST)
    except MoviehouseError:
        return []
