"""What one reading of one drop gives: the tables of the lake, by the SQL that a build runs.

A reading differs from a build in this: nothing in it depends on another drop. What refers to a movie that
the drop lacks is kept, and waits. A credit stays in every list that has it, since which of two lists keeps
it depends on what other drops say of these lists.
"""

from __future__ import annotations

from datetime import UTC, datetime

from moviehouse.model.lake import LAKE_TABLE, LAKE_TABLES, STAMP
from moviehouse.sql import names, statement
from moviehouse.sql.text import literal, name
from moviehouse.steps.balance import LOADED
from moviehouse.steps.check import Check, checks
from moviehouse.steps.conform import Layout

# The records of a reading that are found again: those of movies, links and lists in tables of their own.
PLACES = LOADED | {
    "credits.csv": "SELECT COUNT(DISTINCT source_line) AS n FROM credit_list",
    "keywords.csv": "SELECT COUNT(DISTINCT source_line) AS n FROM keyword_list",
    "links.csv": "SELECT COUNT(DISTINCT line) AS n FROM link",
    "links_small.csv": "SELECT COUNT(DISTINCT line) AS n FROM link_small",
}
# The checks that concern one drop; the others are about answers.
GATES = ("balance_closes", "log_matches_rejected", "unknown_genres_are_logged")
# In a build the last list keeps a credit that several have; in a reading it is in each of them, once.
_ONE_LIST, _EACH_LIST = "PARTITION BY e.credit_id", "PARTITION BY e.movie_id, e.credit_id"
_OWN = frozenset(names("reading"))


def text(folder: str, stem: str) -> str:
    """The SQL of a relation as a reading has it: a build's, unless sql/reading has one of that name."""
    if stem in _OWN:
        return statement("reading", stem)
    return statement(folder, stem).replace(_ONE_LIST, _EACH_LIST)


# The tables of the lake, without the stamp.
LAYOUT = Layout(tuple(table.table for table in LAKE_TABLES if table.kind != "log"), text, PLACES)


def gates() -> tuple[Check, ...]:
    """What must hold of a reading: what its tables declare, the balance, and that the log tells what was rejected."""
    return checks([table.table for table in LAKE_TABLES], GATES)


def stamped(table: str, observed_at: datetime, drop_id: str, reading_id: str) -> str:
    """The SELECT of a reading's rows as the lake has them: the declared columns and types, then the stamp.

    `observed_at` has a time zone; the lake has UTC.
    """
    declared = LAKE_TABLE[table].table
    columns = [f"CAST({name(c.name)} AS {c.type}) AS {name(c.name)}" for c in declared.columns]
    moment = observed_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    values = (moment, drop_id, reading_id)
    columns += [f"CAST({literal(value)} AS {c.type}) AS {name(c.name)}" for c, value in zip(STAMP, values, strict=True)]
    return f"SELECT {', '.join(columns)} FROM {name(table)}"
