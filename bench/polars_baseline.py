"""The tables of the model by a competent Polars script.

    .venv/bin/python bench/polars_baseline.py SOURCE.zip OUT

The nested cells without a double quote or a backslash become JSON by replacement and are decoded by Polars with a
declared type; the others go through ast.literal_eval, the ratings are streamed from CSV to Parquet. The last record
of an id counts, and credits and keywords of known movies only. No log, no checks, no answers, no lines of the source;
repeated ratings are not looked for. Prints the rows of each table as JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
import zipfile
from ast import literal_eval
from pathlib import Path

import polars as pl

TEXT = ("title", "original_title", "original_language", "status", "imdb_id", "overview", "tagline", "homepage",
        "poster_path")  # fmt: skip
PERSON = {"id": pl.Int64, "name": pl.String, "gender": pl.Int64, "profile_path": pl.String}
CAST = {"credit_id": pl.String, "cast_id": pl.Int64, "character": pl.String, "order": pl.Int64, **PERSON}
CREW = {"credit_id": pl.String, "department": pl.String, "job": pl.String, **PERSON}
COLLECTION = {"id": pl.Int64, "name": pl.String, "poster_path": pl.String, "backdrop_path": pl.String}
LINK = {"movieId": pl.Int64, "imdbId": pl.String, "tmdbId": pl.Int64}
RATING = {"userId": pl.Int64, "movieId": pl.Int64, "rating": pl.Float64, "timestamp": pl.Int64}


class Store:
    """Reads the extracted files and writes the tables."""

    def __init__(self, folder: Path, out: Path) -> None:
        self.folder, self.out = folder, out
        self.rows: dict[str, int] = {}
        out.mkdir(parents=True, exist_ok=True)

    def text(self, name: str) -> pl.DataFrame:
        """A quoted file, the last record of each movie."""
        frame = pl.read_csv(self.folder / name, infer_schema=False).with_columns(movie_id=pl.col("id").cast(pl.Int64))
        return frame.unique("movie_id", keep="last", maintain_order=True)

    def write(self, name: str, frame: pl.DataFrame) -> None:
        """One table."""
        frame.write_parquet(self.out / f"{name}.parquet", compression="zstd")
        self.rows[name] = len(frame)


def main() -> None:
    """Make the tables of the arguments."""
    source, out = map(Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as folder, zipfile.ZipFile(source) as archive:
        archive.extractall(folder)
        store = Store(Path(folder), out)
        movies = store.text("movies_metadata.csv")
        known = movies.select("movie_id")
        write_movies(store, movies)
        keywords = store.text("keywords.csv").join(known, on="movie_id", how="semi")
        write_list(store, keywords, "keywords", "keyword", "keyword_id", "id", pl.Int64)
        write_credits(store, store.text("credits.csv").join(known, on="movie_id", how="semi"))
        write_ratings(store, known)
    print(json.dumps(store.rows))


def decoded(frame: pl.DataFrame, column: str, dtype: pl.DataType) -> pl.DataFrame:
    """The movies with a value in a nested column, decoded as `cell`."""
    frame = frame.select("movie_id", cell=column).filter(pl.col("cell").is_not_null() & (pl.col("cell") != "[]"))
    plain = ~pl.col("cell").str.contains(r'["\\]')
    as_json = (
        pl.col("cell")
        .str.replace_all("'", '"', literal=True)
        .str.replace_all(": None", ": null", literal=True)
        .str.json_decode(dtype)
    )
    fast = frame.filter(plain).with_columns(as_json)
    slow = frame.filter(~plain)
    cells = pl.Series("cell", [literal_eval(cell) for cell in slow["cell"]], dtype=dtype)
    return pl.concat([fast, slow.with_columns(cells)])


def elements(frame: pl.DataFrame, column: str, fields: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    """One row for each element of a column's lists: movie, position, and the entries of the element."""
    lists = decoded(frame, column, pl.List(pl.Struct(fields)))
    position = pl.int_ranges(1, pl.col("cell").list.len() + 1, dtype=pl.Int32)
    return lists.with_columns(position=position).explode("cell", "position").unnest("cell")


def write_list(
    store: Store, frame: pl.DataFrame, column: str, entity: str, key: str, name: str, type_: type[pl.DataType]
) -> pl.DataFrame:
    """The bridge of a list and its entity; gives the entities."""
    found = elements(frame, column, {name: type_, "name": pl.String}).rename({name: key})
    store.write(f"movie_{entity}", found.select("movie_id", key, "position").unique(["movie_id", key], keep="last"))
    entities = found.select(key, "name").unique(key, keep="last", maintain_order=True)
    if entity != "language":
        store.write(entity, entities)
    return entities


def write_movies(store: Store, frame: pl.DataFrame) -> None:
    """Movies, and what their record lists."""
    collections = decoded(frame, "belongs_to_collection", pl.Struct(COLLECTION)).unnest("cell")
    collections = collections.rename({"id": "collection_id"})
    amounts = [
        pl.col(column).cast(pl.Float64).cast(pl.Int64).replace(0, None).alias(f"{column}_{unit}")
        for column, unit in (("runtime", "minutes"), ("budget", "usd"), ("revenue", "usd"))
    ]
    movie = frame.select(
        "movie_id",
        *TEXT,
        *amounts,
        pl.col("release_date").str.to_date("%Y-%m-%d", strict=False),
        pl.col("popularity").cast(pl.Float64),
        pl.when(pl.col("vote_count") != "0").then(pl.col("vote_average").cast(pl.Float64)).alias("vote_average"),
        pl.col("vote_count").cast(pl.Float64).cast(pl.Int64),
        pl.col("adult") == "True",
        pl.col("video") == "True",
    ).join(collections.select("movie_id", "collection_id"), on="movie_id", how="left")
    store.write("movie", movie)
    store.write("collection", collections.drop("movie_id").unique("collection_id", keep="last"))
    write_list(store, frame, "genres", "genre", "genre_id", "id", pl.Int64)
    write_list(store, frame, "production_companies", "company", "company_id", "id", pl.Int64)
    write_list(store, frame, "production_countries", "country", "country_code", "iso_3166_1", pl.String)
    spoken = write_list(store, frame, "spoken_languages", "language", "language_code", "iso_639_1", pl.String)
    made = frame.select(language_code="original_language").drop_nulls().unique()
    languages = spoken.join(made, on="language_code", how="full", coalesce=True)
    store.write("language", languages)


def write_credits(store: Store, frame: pl.DataFrame) -> None:
    """Cast, crew and people."""
    cast, crew = (elements(frame, c, f).rename({"id": "person_id"}) for c, f in (("cast", CAST), ("crew", CREW)))
    about = ["name", "gender", "profile_path"]
    store.write("cast_credit", cast.drop(about).rename({"order": "billing_order"}).unique("credit_id", keep="last"))
    store.write("crew_credit", crew.drop(about).unique("credit_id", keep="last"))
    people = pl.concat([part.select("person_id", *about) for part in (cast, crew)])
    store.write("person", people.unique("person_id", keep="last"))


def write_ratings(store: Store, known: pl.DataFrame) -> None:
    """Ratings, and the movies that MovieLens knows."""
    editions = [
        pl.scan_csv(store.folder / name, schema=RATING).select(
            edition=pl.lit(edition),
            user_id="userId",
            movielens_id="movieId",
            rating="rating",
            rated_at=pl.from_epoch("timestamp"),
        )
        for name, edition in (("ratings.csv", "full"), ("ratings_small.csv", "small"))
    ]
    path = store.out / "rating.parquet"
    pl.concat(editions).sink_parquet(path, compression="zstd")
    ratings = pl.scan_parquet(path)
    store.rows["rating"] = ratings.select(pl.len()).collect().item()
    rated = ratings.select(movieId="movielens_id").unique().collect(engine="streaming")
    links, small = (pl.read_csv(store.folder / name, schema=LINK) for name in ("links.csv", "links_small.csv"))
    movielens = pl.concat([rated, small, links], how="diagonal").unique("movieId", keep="last", maintain_order=True)
    movielens = movielens.join(known.select(tmdbId="movie_id", movie_id="movie_id"), on="tmdbId", how="left").select(
        movielens_id="movieId",
        imdb_id="tt" + pl.col("imdbId").str.zfill(7),
        tmdb_id="tmdbId",
        movie_id="movie_id",
        in_links_small=pl.col("movieId").is_in(small["movieId"].implode()),
    )
    store.write("movielens_movie", movielens)


if __name__ == "__main__":
    main()
