"""Draws the entity-relationship diagram as one SVG file without scripts, fonts or anything to fetch.

The contents come from the declaration. The places are chosen here, by hand: a table or a reference
that has none stops the rendering.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from moviehouse.model.tables import TABLES, Column, Reference, Table

_HEADER, _ROW, _FOOT = 30, 20, 8
_TOP, _LEFT, _GUTTER = 104, 40, 84
_CHAR, _TYPE_CHAR, _KEYS = 7.3, 6.7, 48

# The groups of tables: name, colour.
_GROUPS = {
    "core": ("Movies and their credits", "#1f4e79"),
    "dimension": ("What movies refer to", "#2a6f52"),
    "bridge": ("Lists: a movie's place for each", "#6b4f8f"),
    "movielens": ("MovieLens", "#9c4a12"),
    "run": ("The run's own", "#505c6b"),
}


@dataclass(frozen=True)
class Place:
    """Where a table stands: its group, its column of the picture, its top below the title."""

    group: str
    column: int
    top: int


# A dimension stands one row lower than its bridge, so that the line between them is straight.
_PLACES = {
    "genre": Place("dimension", 0, 20),
    "company": Place("dimension", 0, 176),
    "country": Place("dimension", 0, 332),
    "keyword": Place("dimension", 0, 488),
    "movie_genre": Place("bridge", 1, 0),
    "movie_company": Place("bridge", 1, 156),
    "movie_country": Place("bridge", 1, 312),
    "movie_keyword": Place("bridge", 1, 468),
    "movie_language": Place("bridge", 1, 690),
    "movie": Place("core", 2, 0),
    "collection": Place("dimension", 2, 556),
    "language": Place("dimension", 2, 710),
    "cast_credit": Place("core", 3, 0),
    "crew_credit": Place("core", 3, 240),
    "movielens_movie": Place("movielens", 3, 480),
    "person": Place("dimension", 4, 130),
    "rating": Place("movielens", 4, 440),
    "rejected_record": Place("run", 3, 700),
    "error_log": Place("run", 4, 660),
}


@dataclass(frozen=True)
class Route:
    """How a line runs: the sides it leaves the child and reaches the parent by, the lane between
    (0 to 1 of the gutter), and how far off the middle of the key's row it arrives.
    """

    child_side: str
    parent_side: str
    lane: float
    offset: int = 0


_TO_LEFT = Route("left", "right", 0.5)
_TO_RIGHT = Route("right", "left", 0.5)
_ROUTES = {
    **{f"movie_{d}.movie_id": _TO_RIGHT for d in ("genre", "company", "country", "keyword", "language")},
    **{f"movie_{d}.{d}_id": _TO_LEFT for d in ("genre", "company", "keyword")},
    "movie_country.country_code": _TO_LEFT,
    "movie_language.language_code": _TO_RIGHT,
    "movie.collection_id": Route("right", "right", 0.2),
    "movie.original_language": Route("right", "right", 0.4),
    "cast_credit.movie_id": Route("left", "right", 0.8, -5),
    "crew_credit.movie_id": Route("left", "right", 0.8, -5),
    "movielens_movie.movie_id": Route("left", "right", 0.6, 5),
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
    def height(self) -> float:
        """From the top of the header to the bottom edge."""
        return _HEADER + _ROW * len(self.table.columns) + _FOOT

    def row(self, name: str) -> float:
        """The middle of a column's row."""
        index = [c.name for c in self.table.columns].index(name)
        return self.y + _HEADER + _ROW * (index + 0.5) + _FOOT / 2

    def edge(self, side: str) -> float:
        """The x of a side."""
        return self.x if side == "left" else self.x + self.width


def boxes() -> dict[str, Box]:
    """Every table's box; the columns of the picture are as wide as their widest table."""
    for table in TABLES:
        if table.name not in _PLACES:
            raise ValueError(f"The diagram has no place for {table.name}: give it one in render/diagram.py.")
    widths: dict[int, float] = {}
    for table in TABLES:
        column = _PLACES[table.name].column
        widths[column] = max(widths.get(column, 0), _natural_width(table))
    lefts = {c: _LEFT + sum(widths[i] + _GUTTER for i in range(c)) for c in widths}
    found = {}
    for table in TABLES:
        p = _PLACES[table.name]
        found[table.name] = Box(table, p.group, p.column, lefts[p.column], _TOP + p.top, widths[p.column])
    return found


def lines(placed: dict[str, Box]) -> list[tuple[Table, Reference, list[tuple[float, float]]]]:
    """The corners of the line of each reference, from the child to the parent."""
    return [(t, r, _corners(t, r, placed)) for t in TABLES for r in t.references]


def svg() -> str:
    """The whole picture."""
    placed = boxes()
    width = max(b.x + b.width for b in placed.values()) + _LEFT
    height = max(b.y + b.height for b in placed.values()) + _LEFT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}"'
        f' height="{_n(height)}" role="img" aria-labelledby="title desc">',
        *_head(width, height),
        *(line for t, r, corners in lines(placed) for line in _line(t, r, corners)),
        *(line for box in placed.values() for line in _box(box)),
        *_legend(placed),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _natural_width(table: Table) -> float:
    name = max(len(c.name) for c in table.columns) * _CHAR
    type_ = max(len(c.type) for c in table.columns) * _TYPE_CHAR
    return float(round(_KEYS + name + 18 + type_ + 12))


def _corners(t: Table, r: Reference, placed: dict[str, Box]) -> list[tuple[float, float]]:
    route = _ROUTES.get(f"{t.name}.{r.column}")
    if route is None:
        raise ValueError(
            f"The diagram has no route for {t.name}.{r.column}: give it one in render/diagram.py."
        )
    child, parent = placed[t.name], placed[r.table]
    x1, y1 = child.edge(route.child_side), child.row(r.column)
    x2, y2 = parent.edge(route.parent_side), parent.row(parent.table.key[0]) + route.offset
    if y1 == y2:
        return [(x1, y1), (x2, y2)]
    left = min(child.column, parent.column) if child.column != parent.column else child.column
    gutter = next(b.x + b.width for b in placed.values() if b.column == left)
    lane = gutter + _GUTTER * route.lane
    return [(x1, y1), (lane, y1), (lane, y2), (x2, y2)]


def _head(width: float, height: float) -> Iterator[str]:
    references = sum(len(t.references) for t in TABLES)
    yield '<title id="title">The tables of Moviehouse and their relationships</title>'
    names = ", ".join(t.name for t in TABLES)
    yield f'<desc id="desc">An entity-relationship diagram of {len(TABLES)} tables: {names}.</desc>'
    yield f"<style>{_STYLE}</style>"
    yield f'<rect class="card" x="1" y="1" width="{_n(width - 2)}" height="{_n(height - 2)}" rx="14"/>'
    yield f'<text class="h1" x="{_LEFT}" y="52">Moviehouse: the model</text>'
    yield (
        f'<text class="sub" x="{_LEFT}" y="76">{len(TABLES)} tables, {references} references. '
        "Rendered from the declaration; the data dictionary has every column.</text>"
    )


_STYLE = """
text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",Arial,sans-serif;fill:#1c2733}
.card{fill:#f4f6f9;stroke:#d5dce5}
.h1{font-size:24px;font-weight:700}
.sub{font-size:14px;fill:#4a5766}
.box{fill:#fff;stroke-width:1.5}
.name{font-size:14px;font-weight:700;fill:#fff}
.col,.type{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12px}
.type{font-size:11px;fill:#5b6877;text-anchor:end}
.must{font-weight:700}
.key{font-size:9.5px;font-weight:700;fill:#4a5766;letter-spacing:.3px}
.rule{stroke:#e6ebf1}
.line{fill:none;stroke:#52606f;stroke-width:1.4}
.mark{fill:#f4f6f9;stroke:#52606f;stroke-width:1.4}
.small{font-size:12.5px}
.strong{font-weight:700}
"""


def _box(box: Box) -> Iterator[str]:
    color = _GROUPS[box.group][1]
    x, y, w, h = _n(box.x), _n(box.y), _n(box.width), _n(box.height)
    yield f"<g><title>{escape(box.table.description)}</title>"
    yield f'<rect class="box" x="{x}" y="{y}" width="{w}" height="{h}" rx="7" stroke="{color}"/>'
    yield (
        f'<path fill="{color}" d="M{x} {_n(box.y + _HEADER)}v-{_HEADER - 7}q0-7 7-7h{_n(box.width - 14)}'
        f'q7 0 7 7v{_HEADER - 7}z"/>'
    )
    yield f'<text class="name" x="{_n(box.x + 12)}" y="{_n(box.y + 20)}">{box.table.name}</text></g>'
    for column in box.table.columns:
        yield _column(box, column)


def _column(box: Box, c: Column) -> str:
    y = _n(box.row(c.name) + 4)
    keys = ["PK"] * (c.name in box.table.key)
    keys += ["FK"] * any(r.column == c.name for r in box.table.references)
    key = f'<text class="key" x="{_n(box.x + 10)}" y="{y}">{" ".join(keys)}</text>' if keys else ""
    must = "" if c.nullable else " must"
    return (
        f"<g><title>{escape(c.description)}</title>{key}"
        f'<text class="col{must}" x="{_n(box.x + _KEYS)}" y="{y}">{c.name}</text>'
        f'<text class="type" x="{_n(box.x + box.width - 12)}" y="{y}">{c.type}</text></g>'
    )


def _line(t: Table, r: Reference, corners: list[tuple[float, float]]) -> Iterator[str]:
    yield f'<path class="line" d="{_rounded(corners)}"><title>{t.name}.{r.column}: {r.table}</title></path>'
    yield from _many(corners[0], 1 if corners[1][0] > corners[0][0] else -1)
    out = 1 if corners[-2][0] > corners[-1][0] else -1
    yield from _one(corners[-1], out, optional=t.column(r.column).nullable)


def _rounded(corners: list[tuple[float, float]], radius: float = 7) -> str:
    """A path along the corners, each of them rounded."""
    path = [f"M{_n(corners[0][0])} {_n(corners[0][1])}"]
    for before, (x, y), after in zip(corners, corners[1:], corners[2:], strict=False):
        (ax, ay), (bx, by) = _toward((x, y), before, radius), _toward((x, y), after, radius)
        path.append(f"L{_n(ax)} {_n(ay)}Q{_n(x)} {_n(y)} {_n(bx)} {_n(by)}")
    return "".join([*path, f"L{_n(corners[-1][0])} {_n(corners[-1][1])}"])


def _toward(at: tuple[float, float], to: tuple[float, float], radius: float) -> tuple[float, float]:
    dx, dy = to[0] - at[0], to[1] - at[1]
    step = min(radius, (abs(dx) + abs(dy)) / 2)
    return at[0] + step * ((dx > 0) - (dx < 0)), at[1] + step * ((dy > 0) - (dy < 0))


def _many(at: tuple[float, float], out: int) -> Iterator[str]:
    """A crow's foot and a ring: none or many."""
    x, y = at
    yield f'<path class="line" d="M{_n(x)} {_n(y - 5)}L{_n(x + 10 * out)} {_n(y)}L{_n(x)} {_n(y + 5)}"/>'
    yield f'<circle class="mark" cx="{_n(x + 14 * out)}" cy="{_n(y)}" r="3.5"/>'


def _one(at: tuple[float, float], out: int, *, optional: bool) -> Iterator[str]:
    """Two bars: exactly one; a bar and a ring: one or none."""
    x, y = at
    yield f'<path class="line" d="M{_n(x + 5 * out)} {_n(y - 4)}v8"/>'
    if optional:
        yield f'<circle class="mark" cx="{_n(x + 11 * out)}" cy="{_n(y)}" r="3.5"/>'
    else:
        yield f'<path class="line" d="M{_n(x + 9 * out)} {_n(y - 4)}v8"/>'


def _legend(placed: dict[str, Box]) -> Iterator[str]:
    """The colours and the signs, below the lists."""
    x, y = placed["genre"].x, placed["movie_language"].y - 30
    yield f'<text class="small strong" x="{_n(x)}" y="{_n(y)}">Legend</text>'
    for name, color in _GROUPS.values():
        y += 22
        yield f'<rect x="{_n(x)}" y="{_n(y - 11)}" width="16" height="14" rx="3" fill="{color}"/>'
        yield f'<text class="small" x="{_n(x + 26)}" y="{_n(y)}">{escape(name)}</text>'


def _n(value: float) -> str:
    """A number without a needless fraction."""
    return f"{value:.1f}".removesuffix(".0")
