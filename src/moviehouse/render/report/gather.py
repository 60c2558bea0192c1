"""What the report shows, read from a release by SQL.

The page gets the answers as text: the rows of one genre or company joined by ";", their cells by ",", NULL as nothing,
every amount as the answers' CSV writes it. Text of this kind is small when compressed, is taken apart by the page only
for the company that is looked at, and gives back the exact cells for a CSV.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moviehouse.sql.text import literal

Rows = Callable[[str], list[tuple[Any, ...]]]

MEASURES = ("revenue", "budget", "profit")
_EXAMPLES = 3
# So many companies are in the page: those with most releases. The published source has half as many.
_COMPANIES = 50_000


@dataclass(frozen=True)
class Gathered:
    """The content of a report.

    `genres`: id, name, rows of year, movies, then known, full and allocated amount of each of `MEASURES`.
    `winners`: rows of genre_most_popular_by_year: year, genre id, movies, popularity's sum and mean.
    `companies`: columns of equal length, the companies with most releases first: ids, names, rows like the genres'
    with the mean popularity at the end, and rows of year, place in `genres`, releases. `released` is how many
    companies there are, of which the page has at most 50,000.
    `known`: year, movies, movies with known budget, revenue, profit.
    `examples`: lines of the error log by severity and reason.
    """

    genres: list[tuple[int, str, str]]
    winners: str
    companies: dict[str, list[Any]]
    released: int
    known: list[tuple[int, int, int, int, int]]
    examples: dict[tuple[str, str], list[dict[str, Any]]]


def gather(rows: Rows, release: Path) -> Gathered:
    """Read a release's answers, its error log and what is known of its amounts."""

    def answer(question: str) -> str:
        return f"read_parquet({literal(str(release / 'answers' / f'{question}.parquet'))}, hive_partitioning = false)"

    genres = rows(_by_year("genre", answer, "") + " ORDER BY genre_id")
    return Gathered(
        genres=[(id_, name, text) for id_, name, text, _ in genres],
        winners=rows(
            f"SELECT string_agg({_line('year', 'genre_id', 'movies', 'popularity_total', 'popularity_mean')}, ';' "
            f"ORDER BY year) FROM {answer('genre_most_popular_by_year')}"
        )[0][0]
        or "",
        companies=_companies(rows, answer, [id_ for id_, *_ in genres]),
        released=rows(f"SELECT count(DISTINCT company_id) FROM {answer('company_revenue_by_year')}")[0][0],
        known=rows(
            "SELECT year, count(*), count(budget_usd), count(revenue_usd), count(profit_usd) FROM release "
            "GROUP BY year ORDER BY year"
        ),
        examples=_examples(rows),
    )


def _companies(rows: Rows, answer: Callable[[str], str], genre_ids: list[int]) -> dict[str, list[Any]]:
    most = (
        f"WHERE company_id IN (SELECT company_id FROM {answer('company_revenue_by_year')} GROUP BY company_id "
        f"ORDER BY sum(movies) DESC, company_id LIMIT {_COMPANIES})"
    )
    money = rows(_by_year("company", answer, "popularity_mean", most) + " ORDER BY movies DESC, company_id")
    places = ", ".join(map(str, genre_ids)) or "NULL"
    place = f"list_position([{places}], genre_id) - 1"
    released: dict[int, str] = dict(
        rows(
            f"SELECT company_id, string_agg({_line('year', place, 'releases')}, ';' ORDER BY year, genre_id) "
            f"FROM {answer('company_releases_by_genre_by_year')} {most} GROUP BY company_id"
        )
    )
    return {
        "ids": [id_ for id_, *_ in money],
        "names": [name for _, name, *_ in money],
        "rows": [text for _, _, text, _ in money],
        "genres": [released.get(id_, "") for id_, *_ in money],
    }


def _by_year(thing: str, answer: Callable[[str], str], last: str, where: str = "") -> str:
    """Id, name, rows as text, and movies of each genre or company; every question has a row for the same years."""
    tables = [answer(f"{thing}_{measure}_by_year") for measure in MEASURES]
    cells = ["r.year", "r.movies"]
    for alias, measure in zip("rbp", MEASURES, strict=True):
        cells += [f"{alias}.movies_with_{measure}", f"{alias}.{measure}_usd", f"{alias}.{measure}_usd_allocated"]
    joined = f"{tables[0]} AS r JOIN {tables[1]} AS b USING ({thing}_id, year) JOIN {tables[2]} AS p "
    joined += f"USING ({thing}_id, year)"
    if last:
        cells.append(f"l.{last}")
        joined += f" JOIN {answer(f'{thing}_popularity_by_year')} AS l USING ({thing}_id, year)"
    return (
        f"SELECT {thing}_id, any_value(r.{thing}), string_agg({_line(*cells)}, ';' ORDER BY year), "
        f"CAST(sum(r.movies) AS BIGINT) AS movies FROM {joined} {where} GROUP BY {thing}_id"
    )


def _line(*cells: str) -> str:
    """The cells as text, joined by commas; NULL is nothing."""
    return "concat_ws(',', " + ", ".join(f"coalesce(CAST({cell} AS VARCHAR), '')" for cell in cells) + ")"


def _examples(rows: Rows) -> dict[tuple[str, str], list[dict[str, Any]]]:
    columns = ("file", "line", "column", "movie_id", "value", "message", "action")
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    listed = ", ".join(f'"{c}"' for c in columns)
    for severity, reason, *cells in rows(
        f"SELECT severity, reason, {listed} FROM error_log QUALIFY row_number() OVER "
        f'(PARTITION BY severity, reason ORDER BY file, line, "column", value) <= {_EXAMPLES} '
        f'ORDER BY severity, reason, file, line, "column", value'
    ):
        found.setdefault((severity, reason), []).append(dict(zip(columns, cells, strict=True)))
    return found
