"""Asks a lake what a release is asked: of its newest release, of an earlier one, or with a stage published.

`as_of` is in UTC unless it has a zone.
"""

from __future__ import annotations

from datetime import datetime

from moviehouse.lake.needs import OF_WHY, of_question, of_trace
from moviehouse.lake.read import reading_lake
from moviehouse.lake.times import utc
from moviehouse.steps.answer import Answer, Filters, known_question
from moviehouse.steps.answer import ask as ask_release
from moviehouse.steps.trace import Trace
from moviehouse.steps.trace import trace as trace_release
from moviehouse.steps.why import Why
from moviehouse.steps.why import why as why_release


def ask(lake: str, question: str, filters: Filters, as_of: str | datetime | None, stage: str | None) -> Answer:
    """The answer to a question."""
    wanted = of_question(known_question(question))
    with reading_lake(lake, wanted, _time(as_of), stage=stage) as place:
        return ask_release(place, question, filters)


def trace(lake: str, question: str, filters: Filters, as_of: str | datetime | None, stage: str | None) -> Trace:
    """The movies behind an answer."""
    wanted = of_trace(known_question(question))
    with reading_lake(lake, wanted, _time(as_of), traced=True, stage=stage) as place:
        return trace_release(place, question, filters)


def why(lake: str, movie: str, as_of: str | datetime | None, stage: str | None) -> Why:
    """Everything about one movie, but for its raw record: the lake has none."""
    with reading_lake(lake, OF_WHY, _time(as_of), traced=True, stage=stage) as place:
        return why_release(place, movie)


def _time(as_of: str | datetime | None) -> datetime | None:
    return None if as_of is None else utc(as_of, "--as-of")
