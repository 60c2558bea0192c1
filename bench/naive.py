"""A typical pandas script for the questions, whose mistakes can be switched on one by one.

With all of `MISTAKES` it is what is commonly written: read_csv, literal_eval, merge, groupby, sum. With none of them it
gives the product's answers in every cell, which bench/naive_compare.py asserts.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from ast import literal_eval
from pathlib import Path
from typing import Any

import pandas as pd

MISTAKES = {
    "zero": "0 is taken as an amount of money, where it means unknown",
    "difference": "profit is the sum of revenues minus the sum of budgets, over different movies",
    "unreleased": "movies that are not released are counted",
    "names": "companies are grouped by name, so that several with one name become one",
    "merge": "keywords.csv is merged in, and its repeated records double the movie",
    "duplicates": "a movie whose record comes twice is counted twice",
    "split": "a record with a line break in an unquoted cell is read as two, and its companies as genres",
    "damaged": "a list that does not parse is taken for an empty one",
}
_WHOLE_ELEMENT = re.compile(r"\{'id': \d+, 'name': '[^'\\]*'\}")

Cells = dict[tuple[str, Any, int, str], Any]
"""Value by question, entity (a genre's name; a company's id, or its name), year (0: none), column."""


def answer(source: Path, mistakes: frozenset[str]) -> Cells:
    """Answer the questions from the zip, with these mistakes."""
    with zipfile.ZipFile(source) as archive:
        movies = _read_movies(archive, mistakes)
        keywords = pd.read_csv(io.BytesIO(archive.read("keywords.csv")), dtype={"id": str})
    if "duplicates" not in mistakes:
        movies = movies.drop_duplicates("id", keep="last")
    if "merge" not in mistakes:
        keywords = keywords.drop_duplicates("id", keep="last")
    movies = movies.merge(keywords, on="id", how="left")
    for column in ("genres", "production_companies"):
        movies[column] = [_elements(cell, mistakes) for cell in movies[column]]
    cells: Cells = {("genres", genre["name"], 0, "listed"): 1 for found in movies["genres"] for genre in found}
    movies["year"] = pd.to_datetime(movies["release_date"], errors="coerce").dt.year
    for column in ("budget", "revenue", "popularity"):
        movies[column] = pd.to_numeric(movies[column], errors="coerce")
    if "zero" not in mistakes:
        for column in ("budget", "revenue"):
            movies[column] = movies[column].where(movies[column] != 0)
    movies["profit"] = movies["revenue"] - movies["budget"]
    movies = movies.dropna(subset=["year"]).astype({"year": int})
    if "unreleased" not in mistakes:
        movies = movies[movies["status"].isna() | (movies["status"] == "Released")]
    genres = _exploded(movies, "genres", "name")
    companies = _exploded(movies, "production_companies", "name" if "names" in mistakes else "id")
    cells |= _money("genre", genres, mistakes) | _most_popular(genres)
    cells |= _money("company", companies, mistakes) | _company_popularity(companies)
    return cells | _releases(companies)


def _read_movies(archive: zipfile.ZipFile, mistakes: frozenset[str]) -> pd.DataFrame:
    data = archive.read("movies_metadata.csv")
    if "split" in mistakes:
        return pd.read_csv(io.BytesIO(data), dtype=str)
    header, *rows = csv.reader(io.StringIO(data.decode(), newline=""))
    whole: list[list[str]] = []
    for row in rows:
        if whole and len(whole[-1]) < len(header):
            whole[-1] = [*whole[-1][:-1], f"{whole[-1][-1]}\n{row[0]}", *row[1:]]
        else:
            whole.append(row)
    return pd.DataFrame(whole, columns=header).replace("", None)


def _elements(cell: Any, mistakes: frozenset[str]) -> list[dict[str, Any]]:
    try:
        found = literal_eval(cell)
    except (ValueError, SyntaxError):
        if "damaged" in mistakes or not isinstance(cell, str):
            return []
        found = [literal_eval(element) for element in _WHOLE_ELEMENT.findall(cell)]
    return found if isinstance(found, list) else []


def _exploded(movies: pd.DataFrame, column: str, key: str) -> pd.DataFrame:
    """One row for each movie and element, with the element's `key` as `entity`."""
    one = movies.explode(column).dropna(subset=[column])
    one["entity"] = [element[key] for element in one[column]]
    return one


def _money(dimension: str, frame: pd.DataFrame, mistakes: frozenset[str]) -> Cells:
    groups = frame.groupby(["entity", "year"])
    sums = {amount: groups[amount].sum(min_count=1) for amount in ("budget", "revenue", "profit")}
    if "difference" in mistakes:
        sums["profit"] = sums["revenue"] - sums["budget"]
    cells: Cells = {}
    for amount, total in sums.items():
        question = f"{dimension}_{amount}_by_year"
        cells |= _cells(question, "movies", groups.size())
        cells |= _cells(question, f"movies_with_{amount}", groups[amount].count())
        cells |= _cells(question, f"{amount}_usd", total)
    return cells


def _cells(question: str, column: str, series: pd.Series) -> Cells:
    return {
        (question, entity, year, column): None if pd.isna(value) else value for (entity, year), value in series.items()
    }


def _most_popular(genres: pd.DataFrame) -> Cells:
    question = "genre_most_popular_by_year"
    genres["genre_id"] = [genre["id"] for genre in genres["genres"]]  # the smaller one wins a tie
    total = genres.groupby(["year", "genre_id", "entity"])["popularity"].sum(min_count=1).dropna().round(9)
    cells: Cells = {}
    for year, among in total.groupby(level="year"):
        cells[question, "", year, "genre"] = among.idxmax()[2]
        cells[question, "", year, "popularity_total"] = among.max()
    return cells


def _company_popularity(companies: pd.DataFrame) -> Cells:
    groups = companies.groupby(["entity", "year"])
    question = "company_popularity_by_year"
    return _cells(question, "movies", groups.size()) | _cells(question, "popularity_mean", groups["popularity"].mean())


def _releases(companies: pd.DataFrame) -> Cells:
    both = companies.explode("genres").dropna(subset=["genres"])
    both["genre"] = [genre["name"] for genre in both["genres"]]
    counts = both.groupby(["entity", "year", "genre"]).size()
    return {
        ("company_releases_by_genre_by_year", entity, year, f"releases, {genre}"): value
        for (entity, year, genre), value in counts.items()
    }
