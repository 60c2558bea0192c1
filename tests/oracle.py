"""The nine answers computed a second time, in plain Python with csv, ast and fractions, from the files.

Written from the meaning of the answers, not from the SQL: the two are compared cell by cell.
"""

import ast
import csv
import io
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

csv.field_size_limit(1 << 30)


def records(path: Path) -> list[dict[str, str]]:
    """Records of a well-formed file whose lone carriage returns are data; split ones put together."""
    text = path.read_bytes().decode()
    text = text.replace("\r\n", "\n").replace("\r", "\v")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    header, out, i = rows[0], [], 1
    while i < len(rows):
        row = rows[i]
        if len(row) < len(header) and i + 1 < len(rows) and len(row) + len(rows[i + 1]) - 1 == len(header):
            row = [*row[:-1], row[-1] + "\n" + rows[i + 1][0], *rows[i + 1][1:]]
            i += 1
        assert len(row) == len(header)
        out.append(dict(zip(header, row, strict=True)))
        i += 1
    return out


def items(cell: str) -> list[dict]:
    if not cell:
        return []
    try:
        return ast.literal_eval(cell)
    except SyntaxError:
        return ast.literal_eval(cell[: cell.index("}") + 1] + "]")


def listed(cell: str) -> list[tuple[int, str]]:
    """Ids in the order of their last mention, with the name there."""
    last: dict[int, str] = {}
    for item in items(cell):
        last.pop(item["id"], None)
        last[item["id"]] = item["name"]
    return list(last.items())


def amount(cell: str) -> int | None:
    return int(cell) or None


def shares(value: int | None, n: int) -> list[int | None]:
    """Cents for each of n sharers, the odd ones to the first."""
    if value is None:
        return [None] * n
    each, odd = divmod(value * 100, n)
    return [each + (odd if i == 0 else 0) for i in range(n)]


def dollars(cents: list[int | None]) -> Decimal | None:
    known = [c for c in cents if c is not None]
    return Decimal(sum(known)) / 100 if known else None


def total(values: list[int | None]) -> int | None:
    known = [v for v in values if v is not None]
    return sum(known) if known else None


def mean(values: list[Decimal | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(sum(known)) / len(known) if known else None


def minus(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else a - b


def answers(path: Path) -> dict[str, list[tuple]]:
    """The nine answers, by file name, in their order."""
    return answers_of(records(path))


def answers_of(rows: list[dict[str, str]]) -> dict[str, list[tuple]]:
    """The nine answers from the records of movies_metadata.csv; an empty popularity or name is unknown."""
    movies = {row["id"]: row for row in rows}
    released = [m for m in movies.values() if m["release_date"] and m["status"] in ("Released", "")]
    names: dict[str, dict[int, str]] = {"genres": {}, "production_companies": {}}
    for movie in rows:
        if movies[movie["id"]] is movie:
            for column in names:
                for item in items(movie[column]):
                    names[column][item["id"]] = item["name"] or names[column].get(item["id"])
    groups = {c: defaultdict(list) for c in names}
    by_genre: dict[tuple[int, int, int], int] = defaultdict(int)
    for movie in released:
        year = int(movie["release_date"][:4])
        budget, revenue = amount(movie["budget"]), amount(movie["revenue"])
        for column in names:
            ids = [i for i, _ in listed(movie[column])]
            popularity = Decimal(movie["popularity"]) if movie["popularity"] else None
            parts = zip(ids, shares(budget, len(ids) or 1), shares(revenue, len(ids) or 1), strict=False)
            for id_, budget_share, revenue_share in parts:
                groups[column][id_, year].append((budget, revenue, budget_share, revenue_share, popularity))
        for company, _ in listed(movie["production_companies"]):
            for genre, _ in listed(movie["genres"]):
                by_genre[company, year, genre] += 1
    return _tables(groups, names, by_genre)


def _tables(groups, names, by_genre) -> dict[str, list[tuple]]:
    out: dict[str, list[tuple]] = {}
    for column, what in (("genres", "genre"), ("production_companies", "company")):
        out |= {f"{what}_{m}_by_year": [] for m in ("budget", "revenue", "profit")}
        for (id_, year), rows in groups[column].items():
            lead = (year, id_, names[column][id_]) if what == "genre" else (id_, names[column][id_], year)
            b, r, bs, rs = ([row[i] for row in rows] for i in range(4))
            p, ps = [minus(x, y) for x, y in zip(r, b, strict=True)], [minus(x, y) for x, y in zip(rs, bs, strict=True)]
            for measure, whole, part in (("budget", b, bs), ("revenue", r, rs), ("profit", p, ps)):
                known = sum(v is not None for v in whole)
                out[f"{what}_{measure}_by_year"].append((*lead, len(rows), known, total(whole), dollars(part)))
    out["company_popularity_by_year"] = [
        (id_, names["production_companies"][id_], year, len(rows), mean([r[4] for r in rows]))
        for (id_, year), rows in groups["production_companies"].items()
    ]
    out["company_releases_by_genre_by_year"] = [
        (c, names["production_companies"][c], y, g, names["genres"][g], n) for (c, y, g), n in by_genre.items()
    ]
    years = defaultdict(list)
    for (id_, year), rows in groups["genres"].items():
        known = [r[4] for r in rows if r[4] is not None]
        if known:
            years[year].append((-sum(known), id_, len(rows), mean(known)))
    out["genre_most_popular_by_year"] = [
        (year, id_, names["genres"][id_], n, -negative, average)
        for year, ranked in years.items()
        for negative, id_, n, average in [min(ranked)]
    ]
    return {
        k: sorted(v, key=lambda row: tuple(x for x in row if not isinstance(x, str | None))) for k, v in out.items()
    }
