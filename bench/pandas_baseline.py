"""The tables of the model by a plain pandas script: read_csv, ast.literal_eval, to_parquet.

    .venv/bin/python bench/pandas_baseline.py SOURCE.zip OUT

Both editions of the ratings and all bridges, the last record of an id, credits and keywords of known movies only. No
log, no checks, no answers, no lines of the source; repeated ratings are not looked for, and a list that is damaged is
taken for an empty one. Prints the rows of each table as JSON.
"""

from __future__ import annotations

import json
import sys
import zipfile
from ast import literal_eval
from pathlib import Path
from typing import Any

import pandas as pd

TEXT = ("title", "original_title", "original_language", "status", "imdb_id", "overview", "tagline", "homepage",
        "poster_path")  # fmt: skip
CAST = {"credit_id": "credit_id", "id": "person_id", "cast_id": "cast_id", "character": "character",
        "order": "billing_order", "name": "name", "gender": "gender", "profile_path": "profile_path"}  # fmt: skip
CREW = {"credit_id": "credit_id", "id": "person_id", "department": "department", "job": "job", "name": "name",
        "gender": "gender", "profile_path": "profile_path"}  # fmt: skip
PERSON = ["name", "gender", "profile_path"]


class Store:
    """Reads the source's files and writes the tables."""

    def __init__(self, source: Path, out: Path) -> None:
        self.archive, self.out = zipfile.ZipFile(source), out
        self.rows: dict[str, int] = {}
        out.mkdir(parents=True, exist_ok=True)

    def read(self, name: str, **options: Any) -> pd.DataFrame:
        """One file of the source."""
        with self.archive.open(name) as file:
            return pd.read_csv(file, **options)

    def write(self, name: str, frame: pd.DataFrame) -> None:
        """One table."""
        frame.to_parquet(self.out / f"{name}.parquet", compression="zstd", index=False)
        self.rows[name] = len(frame)


def main() -> None:
    """Make the tables of the arguments."""
    store = Store(*map(Path, sys.argv[1:]))
    movies = keyed(store.read("movies_metadata.csv", dtype=str))
    write_movies(store, movies)
    known = movies["movie_id"]
    keywords = keyed(store.read("keywords.csv", dtype=str))
    keywords = keywords[keywords["movie_id"].isin(known)]
    write_list(store, keywords, "keywords", "keyword", "keyword_id", "id")
    credits = keyed(store.read("credits.csv", dtype=str))
    write_credits(store, credits[credits["movie_id"].isin(known)])
    write_ratings(store, known)
    print(json.dumps(store.rows))


def keyed(frame: pd.DataFrame) -> pd.DataFrame:
    """The records with an id, the last of each."""
    frame["movie_id"] = pd.to_numeric(frame["id"], errors="coerce")
    frame = frame.dropna(subset=["movie_id"]).drop_duplicates("movie_id", keep="last")
    return frame.astype({"movie_id": "int64"})


def literal(cell: Any) -> Any:
    """The value of a nested cell; None if there is none."""
    if not isinstance(cell, str):
        return None
    try:
        return literal_eval(cell)
    except (ValueError, SyntaxError):
        return None


def elements(frame: pd.DataFrame, column: str, names: dict[str, str]) -> pd.DataFrame:
    """One row for each element of a column's lists: movie, position, and the entries of the element."""
    rows = [
        (movie, position, *(element.get(name) for name in names))
        for movie, cell in zip(frame["movie_id"], frame[column], strict=True)
        for position, element in enumerate(literal(cell) or (), 1)
    ]
    return pd.DataFrame(rows, columns=["movie_id", "position", *names.values()])


def write_list(store: Store, frame: pd.DataFrame, column: str, entity: str, key: str, name: str) -> pd.DataFrame:
    """The bridge of a list and its entity; gives the entities."""
    found = elements(frame, column, {name: key, "name": "name"})
    bridge = found.drop_duplicates(["movie_id", key], keep="last")
    store.write(f"movie_{entity}", bridge[["movie_id", key, "position"]])
    entities = found.drop_duplicates(key, keep="last")[[key, "name"]]
    if entity != "language":
        store.write(entity, entities)
    return entities


def write_movies(store: Store, frame: pd.DataFrame) -> None:
    """Movies, and what their record lists."""
    collections = pd.DataFrame(
        [(c["id"], c["name"], c["poster_path"], c["backdrop_path"]) if (c := literal(cell)) else (None,) * 4
         for cell in frame["belongs_to_collection"]],
        columns=["collection_id", "name", "poster_path", "backdrop_path"],
    )  # fmt: skip
    movie = frame[["movie_id", *TEXT]].copy()
    movie["collection_id"] = collections["collection_id"].astype("Int64").to_numpy()
    movie["release_date"] = pd.to_datetime(frame["release_date"], errors="coerce").dt.date
    for column, unit in (("runtime", "minutes"), ("budget", "usd"), ("revenue", "usd")):
        amount = pd.to_numeric(frame[column], errors="coerce")
        movie[f"{column}_{unit}"] = amount.where(amount > 0).astype("Int64")
    for column in ("popularity", "vote_average", "vote_count"):
        movie[column] = pd.to_numeric(frame[column], errors="coerce")
    movie["vote_average"] = movie["vote_average"].where(movie["vote_count"] > 0)
    movie["vote_count"] = movie["vote_count"].astype("Int64")
    for column in ("adult", "video"):
        movie[column] = frame[column].map({"True": True, "False": False}).astype("boolean")
    store.write("movie", movie)
    store.write(
        "collection", collections.dropna(subset=["collection_id"]).drop_duplicates("collection_id", keep="last")
    )
    write_list(store, frame, "genres", "genre", "genre_id", "id")
    write_list(store, frame, "production_companies", "company", "company_id", "id")
    write_list(store, frame, "production_countries", "country", "country_code", "iso_3166_1")
    spoken = write_list(store, frame, "spoken_languages", "language", "language_code", "iso_639_1")
    made = frame[["original_language"]].dropna().rename(columns={"original_language": "language_code"})
    store.write("language", pd.concat([spoken, made]).drop_duplicates("language_code"))


def write_credits(store: Store, frame: pd.DataFrame) -> None:
    """Cast, crew and people."""
    cast, crew = elements(frame, "cast", CAST), elements(frame, "crew", CREW)
    store.write("cast_credit", cast.drop_duplicates("credit_id", keep="last").drop(columns=PERSON))
    store.write("crew_credit", crew.drop_duplicates("credit_id", keep="last").drop(columns=PERSON))
    people = pd.concat([cast[["person_id", *PERSON]], crew[["person_id", *PERSON]]])
    store.write("person", people.drop_duplicates("person_id", keep="last"))


def write_ratings(store: Store, known: pd.Series) -> None:
    """Ratings, and the movies that MovieLens knows."""
    links = store.read("links.csv", dtype={"imdbId": str, "tmdbId": "Int64"})
    small = store.read("links_small.csv", dtype={"imdbId": str, "tmdbId": "Int64"})
    editions = [("full", store.read("ratings.csv")), ("small", store.read("ratings_small.csv"))]
    for edition, frame in editions:
        frame["edition"] = edition
    ratings = pd.concat([frame for _, frame in editions], ignore_index=True)
    ratings["edition"] = ratings["edition"].astype("category")
    ratings["timestamp"] = pd.to_datetime(ratings["timestamp"], unit="s")
    ratings.columns = ["user_id", "movielens_id", "rating", "rated_at", "edition"]
    store.write("rating", ratings)
    rated = pd.DataFrame({"movieId": ratings["movielens_id"].unique()})
    movielens = pd.concat([rated, small, links]).drop_duplicates("movieId", keep="last")
    movielens["in_links_small"] = movielens["movieId"].isin(small["movieId"])
    movielens["imdbId"] = "tt" + movielens["imdbId"].str.zfill(7)
    movielens["movie_id"] = movielens["tmdbId"].where(movielens["tmdbId"].isin(known))
    movielens.columns = ["movielens_id", "imdb_id", "tmdb_id", "in_links_small", "movie_id"]
    store.write("movielens_movie", movielens)


if __name__ == "__main__":
    main()
