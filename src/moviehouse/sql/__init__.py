"""The SQL that is written once and runs on every engine, in DuckDB's dialect."""

from __future__ import annotations

from functools import cache
from importlib import resources

VIEWS = ("release", "genre_share", "company_share", "unattributed_by_year", "genre_popularity_by_year")
QUESTIONS = (
    "genre_revenue_by_year",
    "genre_budget_by_year",
    "genre_profit_by_year",
    "genre_most_popular_by_year",
    "company_revenue_by_year",
    "company_budget_by_year",
    "company_profit_by_year",
    "company_releases_by_genre_by_year",
    "company_popularity_by_year",
)


@cache
def statement(folder: str, name: str) -> str:
    """The text of sql/<folder>/<name>.sql."""
    return resources.files(__name__).joinpath(folder, f"{name}.sql").read_text(encoding="utf-8")


@cache
def names(folder: str) -> tuple[str, ...]:
    """The statements of a folder, sorted."""
    entries = resources.files(__name__).joinpath(folder).iterdir()
    return tuple(sorted(e.name.removesuffix(".sql") for e in entries if e.name.endswith(".sql")))


def header(folder: str, name: str) -> str:
    """The comment that heads a statement, as text."""
    lines = []
    for line in statement(folder, name).splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").strip())
    return "\n".join(lines)
