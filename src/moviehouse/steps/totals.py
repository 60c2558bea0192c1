"""Adds up the rows of an answer, where a sum means something.

A movie counts whole for each of its genres and each of its companies: over several of them such counts and
amounts would hold it several times. Allocated amounts may always be added up, a mean never.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_THINGS = {"genre_id": "genres", "company_id": "companies"}


def totals(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    """The sum of each column whose rows may be added up, over what is known; None where nothing is."""
    if len(rows) < 2:
        return {}
    repeated = _repeated(columns, rows)
    found = {}
    for place, column in enumerate(columns):
        if column.endswith("_allocated") or (_counts_whole(columns, column) and not repeated):
            known = [row[place] for row in rows if row[place] is not None]
            found[column] = sum(known) if known else None
    return found


def no_total(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> list[str]:
    """Why the columns that count movies whole have no total; nothing where they have one."""
    whole = [column for column in columns if _counts_whole(columns, column)]
    repeated = _repeated(columns, rows)
    if len(rows) < 2 or not whole or not repeated:
        return []
    told = f"No total of {_list(whole)}: a movie counts whole for each of its {' and '.join(repeated)}"
    allocated = [column for column in columns if column.endswith("_allocated")]
    return [
        f"{told}, so that it would be counted more than once" + (f"; {allocated[0]} adds up." if allocated else ".")
    ]


def _counts_whole(columns: Sequence[str], column: str) -> bool:
    """Whether a column counts movies, or gives them full credit; of the year's winners no total means anything."""
    counts = column in ("movies", "releases") or column.startswith("movies_with_") or column.endswith("_usd")
    return counts and "popularity_total" not in columns


def _repeated(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> list[str]:
    """What the rows have several of, so that one movie may be in more than one row."""
    places = [(place, _THINGS[column]) for place, column in enumerate(columns) if column in _THINGS]
    return [things for place, things in places if len({row[place] for row in rows}) > 1]


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
