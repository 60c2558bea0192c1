"""Draws the entity-relationship diagram as one SVG file without scripts, fonts or anything to fetch."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from xml.sax.saxutils import escape

from moviehouse.model.schema import Column
from moviehouse.model.tables import TABLES
from moviehouse.render.layout import FOOT, GROUPS, HEADER, KEYS, LEFT, Box, Line, boxes, lines

Point = tuple[float, float]

_STYLE = """
text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",Arial,sans-serif;fill:#1c2733}
.card{fill:#f4f6f9;stroke:#d5dce5}
.panel{fill:#fff;stroke:#d5dce5}
.h1{font-size:24px;font-weight:700}
.sub{font-size:14px;fill:#4a5766}
.box{fill:#fff;stroke-width:1.5}
.name{font-size:14px;font-weight:700;fill:#fff}
.col,.type{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12px}
.type{font-size:11px;fill:#5b6877;text-anchor:end}
.must{font-weight:700}
.key{font-size:9.5px;font-weight:700;fill:#4a5766;letter-spacing:.3px}
.line{fill:none;stroke:#52606f;stroke-width:1.5}
.mark{fill:#f4f6f9;stroke:#52606f;stroke-width:1.5}
.small{font-size:12.5px}
.strong{font-weight:700}
"""
_LEGEND_HEIGHT = 146


def svg() -> str:
    """The whole picture."""
    placed = boxes()
    width = max(b.edge("right") for b in placed.values()) + LEFT
    legend = max(placed["language"].bottom, placed["movie_language"].bottom) + 32
    height = max(legend + _LEGEND_HEIGHT, *(b.bottom for b in placed.values())) + LEFT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}"'
        f' height="{_n(height)}" role="img" aria-labelledby="title desc">',
        *_head(width, height),
        *_lines(lines(placed)),
        *(part for box in placed.values() for part in _box(box)),
        *_legend(height - LEFT - _LEGEND_HEIGHT, placed["movie"].edge("right") - LEFT),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _head(width: float, height: float) -> Iterator[str]:
    references = sum(len(t.references) for t in TABLES)
    names = ", ".join(t.name for t in TABLES)
    yield '<title id="title">The tables of Moviehouse and their relationships</title>'
    yield f'<desc id="desc">An entity-relationship diagram of {len(TABLES)} tables: {names}.</desc>'
    yield f"<style>{_STYLE}</style>"
    yield f'<rect class="card" x="1" y="1" width="{_n(width - 2)}" height="{_n(height - 2)}" rx="14"/>'
    yield _text(LEFT, 52, "h1", "Moviehouse: the model")
    facts = f"{len(TABLES)} tables, {references} references, drawn from the declaration in model/tables.py"
    yield _text(LEFT, 76, "sub", facts)


def _box(box: Box) -> Iterator[str]:
    color = GROUPS[box.group][1]
    x, y, width = _n(box.x), _n(box.y), _n(box.width)
    yield f"<g><title>{escape(box.table.description)}</title>"
    yield (
        f'<rect class="box" x="{x}" y="{y}" width="{width}" height="{_n(box.bottom - box.y)}" rx="7" stroke="{color}"/>'
    )
    yield (
        f'<path fill="{color}" d="M{x} {_n(box.y + HEADER)}v-{HEADER - 7}q0-7 7-7h{_n(box.width - 14)}'
        f'q7 0 7 7v{HEADER - 7}z"/>'
    )
    yield _text(box.x + 12, box.y + 20, "name", box.table.name) + "</g>"
    for column in box.table.columns:
        yield _column(box, column)


def _column(box: Box, c: Column) -> str:
    y = box.row(c.name) + FOOT / 2
    keys = ["PK"] * (c.name in box.table.key)
    keys += ["FK"] * any(r.column == c.name for r in box.table.references)
    texts = [_text(box.x + 11, y - 0.5, "key", " ".join(keys))] if keys else []
    texts.append(_text(box.x + KEYS, y, "col" if c.nullable else "col must", c.name))
    texts.append(_text(box.x + box.width - 12, y, "type", c.type))
    return f"<g><title>{escape(c.description)}</title>{''.join(texts)}</g>"


def _lines(found: list[Line]) -> Iterator[str]:
    """The lines, then their ends; those that meet are one path, so that none looks bolder."""

    def end(line: Line) -> tuple[Point, ...]:
        return line.corners[-2:]

    def goal(line: Line) -> Point:
        return line.corners[-1]

    for _, group in groupby(sorted(found, key=goal), key=goal):
        members = sorted(group, key=end)
        names = ", ".join(f"{m.table.name}.{m.reference.column}" for m in members)
        path = "".join(_rounded(m.corners) for m in members)
        yield f'<path class="line" d="{path}"><title>{names}: {members[0].reference.table}</title></path>'
        (near, _), (far, y) = end(members[0])
        optional = members[0].table.column(members[0].reference.column).nullable
        yield _one((far, y), 1 if near > far else -1, optional=optional)
        yield from (_many(m.corners[0], 1 if m.corners[1][0] > m.corners[0][0] else -1) for m in members)


def _rounded(corners: tuple[Point, ...], radius: float = 7) -> str:
    """A path along the corners, each of them rounded."""
    path = [f"M{_n(corners[0][0])} {_n(corners[0][1])}"]
    for before, (x, y), after in zip(corners, corners[1:], corners[2:], strict=False):
        (ax, ay), (bx, by) = _toward((x, y), before, radius), _toward((x, y), after, radius)
        path.append(f"L{_n(ax)} {_n(ay)}Q{_n(x)} {_n(y)} {_n(bx)} {_n(by)}")
    return "".join([*path, f"L{_n(corners[-1][0])} {_n(corners[-1][1])}"])


def _toward(at: Point, to: Point, radius: float) -> Point:
    dx, dy = to[0] - at[0], to[1] - at[1]
    step = min(radius, (abs(dx) + abs(dy)) / 2)
    return at[0] + step * ((dx > 0) - (dx < 0)), at[1] + step * ((dy > 0) - (dy < 0))


def _many(at: Point, out: int) -> str:
    """A crow's foot and a ring: any number. `out` is 1 where the line leaves to the right."""
    x, y = at
    foot = f"M{_n(x)} {_n(y - 5)}L{_n(x + 10 * out)} {_n(y)}L{_n(x)} {_n(y + 5)}"
    return f'<path class="line" d="{foot}"/>{_ring(x + 14 * out, y)}'


def _one(at: Point, out: int, *, optional: bool) -> str:
    """Two bars: exactly one; a bar and a ring: one or none."""
    x, y = at
    bar = f'<path class="line" d="M{_n(x + 5 * out)} {_n(y - 4)}v8"/>'
    other = _ring(x + 11 * out, y) if optional else f'<path class="line" d="M{_n(x + 9 * out)} {_n(y - 4)}v8"/>'
    return bar + other


def _ring(x: float, y: float) -> str:
    return f'<circle class="mark" cx="{_n(x)}" cy="{_n(y)}" r="3.5"/>'


def _legend(top: float, width: float) -> Iterator[str]:
    """The colours, the ends of the lines, the ways a column is written."""
    size = f'width="{_n(width)}" height="{_LEGEND_HEIGHT}"'
    yield f'<rect class="panel" x="{LEFT}" y="{_n(top)}" {size} rx="7"/>'
    x, y = LEFT + 20, top + 30
    yield _text(x, y, "small strong", "Tables")
    for i, (name, color) in enumerate(GROUPS.values()):
        at = y + 10 + 20 * i
        yield f'<rect x="{_n(x)}" y="{_n(at)}" width="18" height="12" rx="3" fill="{color}"/>'
        yield _text(x + 28, at + 10.5, "small", name)
    yield from _legend_of_lines(x + width * 0.34, y)
    yield from _legend_of_columns(x + width * 0.66, y)


def _legend_of_lines(x: float, y: float) -> Iterator[str]:
    yield _text(x, y, "small strong", "Ends of lines")
    ends = (
        (_many((x, y + 20), 1), "any number of rows"),
        (_one((x, y + 44), 1, optional=False), "exactly one row"),
        (_one((x, y + 68), 1, optional=True), "one row or none"),
    )
    for i, (mark, words) in enumerate(ends):
        at = y + 20 + 24 * i
        yield f'<path class="line" d="M{_n(x)} {_n(at)}h40"/>{mark}'
        yield f'<path class="line" d="M{_n(x)} {_n(at - 8)}v16"/>' + _text(x + 52, at + 4.5, "small", words)


def _legend_of_columns(x: float, y: float) -> Iterator[str]:
    yield _text(x, y, "small strong", "Columns")
    rows = (("key", "PK", "in the primary key"), ("key", "FK", "refers to another table"),
            ("col must", "name", "never NULL"), ("col", "name", "NULL where unknown"))  # fmt: skip
    for i, (style, sample, words) in enumerate(rows):
        at = y + 24 + 24 * i
        yield _text(x, at, style, sample) + _text(x + 48, at, "small", words)


def _text(x: float, y: float, style: str, words: str) -> str:
    return f'<text class="{style}" x="{_n(x)}" y="{_n(y)}">{escape(words)}</text>'


def _n(value: float) -> str:
    """A number without a needless fraction."""
    return f"{value:.1f}".removesuffix(".0")
