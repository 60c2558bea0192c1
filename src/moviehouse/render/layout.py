"""Where each table and each line of the diagram stands.

The contents come from the declaration. The places are chosen here, by hand, relative to each other,
so that a new column moves its neighbours; a table or a reference without one stops the rendering.
"""

from __future__ import annotations

from dataclasses import dataclass

from moviehouse.model.schema import Reference, Table
from moviehouse.model.tables import TABLE, TABLES

HEADER, ROW, FOOT = 30, 20, 8
TOP, LEFT, KEYS = 104, 40, 54
_CHAR, _TYPE_CHAR = 7.3, 6.7
_GUTTERS = (84, 84, 120, 84)

# The groups of tables: name, colour.
GROUPS = {
    "core": ("Movies and their credits", "#1f4e79"),
    "dimension": ("What they refer to", "#2a6f52"),
    "bridge": ("A movie's lists", "#6b4f8f"),
    "movielens": ("MovieLens", "#9c4a12"),
    "run": ("The run's own", "#505c6b"),
}


@dataclass(frozen=True)
class Place:
    """Where a table stands: its column of the picture, and its top.

    The top is `gap` below the title or below another table; or such that the row of its own column
    is level with another table's row: (own column, table, column).
    """

    group: str
    column: int
    gap: int = 0
    below: str = ""
    level: tuple[str, str, str] | None = None


# What another place names stands before it.
_PLACES = {
    "movie": Place("core", 2),
    "collection": Place("dimension", 2, 40, below="movie"),
    "language": Place("dimension", 2, 36, below="collection"),
    "movie_genre": Place("bridge", 1),
    "movie_company": Place("bridge", 1, 60, below="movie_genre"),
    "movie_country": Place("bridge", 1, 60, below="movie_company"),
    "movie_keyword": Place("bridge", 1, 60, below="movie_country"),
    "movie_language": Place("bridge", 1, level=("language_code", "language", "language_code")),
    "genre": Place("dimension", 0, level=("genre_id", "movie_genre", "genre_id")),
    "company": Place("dimension", 0, level=("company_id", "movie_company", "company_id")),
    "country": Place("dimension", 0, level=("country_code", "movie_country", "country_code")),
    "keyword": Place("dimension", 0, level=("keyword_id", "movie_keyword", "keyword_id")),
    "cast_credit": Place("core", 3),
    "crew_credit": Place("core", 3, 56, below="cast_credit"),
    "movielens_movie": Place("movielens", 3, 56, below="crew_credit"),
    "rejected_record": Place("run", 3, 64, below="movielens_movie"),
    "person": Place("dimension", 4, level=("person_id", "cast_credit", "source_line")),
    "rating": Place("movielens", 4, level=("movielens_id", "movielens_movie", "movielens_id")),
    "error_log": Place("run", 4, level=("run_id", "rejected_record", "file")),
}


@dataclass(frozen=True)
class Route:
    """How a line runs: from which side of the child, to which of the parent, in which lane.

    `lane` is a share of the gutter between; `offset` how far off the middle of the key's row it ends.
    """

    child_side: str
    parent_side: str
    lane: float = 0.5
    offset: int = 0


_TO_LEFT = Route("left", "right")
_TO_RIGHT = Route("right", "left")
_ROUTES = {
    **{f"movie_{name}.movie_id": _TO_RIGHT for name in ("genre", "company", "country", "keyword", "language")},
    **{f"movie_{name}.{name}_id": _TO_LEFT for name in ("genre", "company", "keyword")},
    "movie_country.country_code": _TO_LEFT,
    "movie_language.language_code": _TO_RIGHT,
    "movie.collection_id": Route("right", "right", 0.24),
    "movie.original_language": Route("right", "right", 0.39),
    "movielens_movie.movie_id": Route("left", "right", 0.54, 5),
    "cast_credit.movie_id": Route("left", "right", 0.69, -5),
    "crew_credit.movie_id": Route("left", "right", 0.69, -5),
    "cast_credit.person_id": _TO_RIGHT,
    "crew_credit.person_id": _TO_RIGHT,
    "rating.movielens_id": _TO_LEFT,
}


@dataclass(frozen=True)
class Box:
    """A table with its rectangle."""

    table: Table
    group: str
    column: int
    x: float
    y: float
    width: float

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + HEADER + ROW * len(self.table.columns) + FOOT

    def row(self, name: str) -> float:
        """The middle of a column's row."""
        return self.y + _row(self.table, name)

    def edge(self, side: str) -> float:
        """The x of a side."""
        return self.x if side == "left" else self.x + self.width


@dataclass(frozen=True)
class Line:
    """The line of a reference: its corners from the child to the parent."""

    table: Table
    reference: Reference
    corners: tuple[tuple[float, float], ...]


def boxes() -> dict[str, Box]:
    """Every table's box; the columns of the picture are as wide as their widest table."""
    if set(_PLACES) != set(TABLE):
        names = ", ".join(sorted(set(_PLACES) ^ set(TABLE)))
        raise ValueError(f"render/layout.py must have a place for each table and no other: {names}.")
    widths = [0.0] * (len(_GUTTERS) + 1)
    for name, place in _PLACES.items():
        widths[place.column] = max(widths[place.column], _natural_width(TABLE[name]))
    lefts = [LEFT + sum(widths[:i]) + sum(_GUTTERS[:i]) for i in range(len(widths))]
    found: dict[str, Box] = {}
    for name, p in _PLACES.items():
        top = _top(p, TABLE[name], found)
        found[name] = Box(TABLE[name], p.group, p.column, lefts[p.column], top, widths[p.column])
    return found


def lines(placed: dict[str, Box]) -> list[Line]:
    """The line of each reference."""
    return [Line(t, r, _corners(t, r, placed)) for t in TABLES for r in t.references]


def _top(place: Place, table: Table, placed: dict[str, Box]) -> float:
    if place.level:
        own, other, column = place.level
        return placed[other].row(column) - _row(table, own)
    return place.gap + (placed[place.below].bottom if place.below else TOP)


def _row(table: Table, column: str) -> float:
    index = [c.name for c in table.columns].index(column)
    return HEADER + ROW * (index + 0.5) + FOOT / 2


def _natural_width(table: Table) -> float:
    name = max(len(c.name) for c in table.columns) * _CHAR
    type_ = max(len(c.type) for c in table.columns) * _TYPE_CHAR
    return float(round(KEYS + name + 18 + type_ + 12))


def _corners(t: Table, r: Reference, placed: dict[str, Box]) -> tuple[tuple[float, float], ...]:
    route = _ROUTES.get(f"{t.name}.{r.column}")
    if route is None:
        raise ValueError(f"render/layout.py must have a route for {t.name}.{r.column}.")
    child, parent = placed[t.name], placed[r.table]
    x1, y1 = child.edge(route.child_side), child.row(r.column)
    x2, y2 = parent.edge(route.parent_side), parent.row(parent.table.key[0]) + route.offset
    if y1 == y2:
        return ((x1, y1), (x2, y2))
    column = min(child.column, parent.column)
    right = next(b.edge("right") for b in placed.values() if b.column == column)
    lane = round(right + _GUTTERS[column] * route.lane)
    return ((x1, y1), (lane, y1), (lane, y2), (x2, y2))
