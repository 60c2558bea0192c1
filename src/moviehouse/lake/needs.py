"""What has to be read of a lake for a question or a query: the relations that its relations stand on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from moviehouse.lake.ledger import READING
from moviehouse.lake.set_aside import LOG
from moviehouse.lake.state import views
from moviehouse.model.lake import LAKE_TABLES
from moviehouse.model.tables import TABLES
from moviehouse.sql import QUESTIONS, VIEWS, statement

STATE = frozenset({*(table.name for table in TABLES), *(t.name for t in LAKE_TABLES if t.kind == "history")})
"""The relations of the state that a release of the lake has as tables."""
ASIDE = {"set_aside": READING, LOG: LOG}
"""Relations about the drops that were set aside, and the tables of the lake that they are made of."""
ALL = frozenset({*STATE, *VIEWS, *QUESTIONS, *ASIDE})
_SOURCE = re.compile(r'\b(?:FROM|JOIN)\s+"?(\w+)')
# What may read a relation without naming it as it stands, or tell how large one is.
_BY_OTHER_MEANS = re.compile(r"\b(\w*query\w*|\w*execute\w*|summarize|call|(pragma|pg|duckdb)_?\w*)\b", re.IGNORECASE)
_WORD = re.compile(r"\w+")


@cache
def _definitions() -> dict[str, frozenset[str]]:
    """Of every relation of a release the relations that its definition names."""
    texts = {**{stem: statement("views", stem) for stem in VIEWS}, **dict(views())}
    texts |= {stem: statement("questions", stem) for stem in QUESTIONS}
    return {relation: frozenset(_SOURCE.findall(text)) for relation, text in texts.items()}


def closure(wanted: Iterable[str]) -> frozenset[str]:
    """The relations wanted, and all that they stand on down to the rows of the lake."""
    found: set[str] = set()
    waiting = list(wanted)
    while waiting:
        relation = waiting.pop()
        if relation not in found:
            found.add(relation)
            waiting += _definitions().get(relation, ())
    return frozenset(found)


def of_question(stem: str) -> frozenset[str]:
    """What a question needs, with the names that its filters are looked up in."""
    return frozenset({stem, "genre", "company"}) if stem in QUESTIONS else ALL


def of_trace(stem: str) -> frozenset[str]:
    """What tracing a question needs."""
    return of_question(stem) | {"movie", "error_log", "rejected_record", "company_share", "genre_share"}


OF_LOG = frozenset({"error_log"})
OF_A_MOVIES_LOG = OF_LOG | {"rejected_record", "movie", "movielens_movie"}
OF_WHY = ALL - ASIDE.keys()


@dataclass(frozen=True)
class Need:
    """The relations that a query needs; without `rows` only that they are there, with their columns."""

    relations: frozenset[str]
    rows: bool = True


def of_query(sql: str) -> Need:
    """What a query needs: the relations whose names it has anywhere.

    One that has none may ask which there are, as SHOW TABLES does: that takes no rows.
    """
    named = frozenset(word.lower() for word in _WORD.findall(sql)) & ALL
    return Need(named) if named else Need(ALL, rows=bool(_BY_OTHER_MEANS.search(sql)))
