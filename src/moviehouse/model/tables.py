"""The tables of the model: the one declaration that DDL, checks, ERD and data dictionary come from."""

from __future__ import annotations

from moviehouse.error_log import REASONS, SEVERITIES
from moviehouse.model.schema import Column, Reference, Table
from moviehouse.model.sources import SOURCES


def _key(name: str, type_: str, description: str, source: str = "") -> Column:
    return Column(name, type_, description, nullable=False, source=source)


def _line(name: str, description: str, *, nullable: bool = True) -> Column:
    return Column(name, "BIGINT", description, nullable, "line, from 1", check=f"{name} >= 2")


def _named(name: str, what: str, things: str, key: Column, source: str, *more: Column) -> Table:
    label = Column("name", "VARCHAR", f"Name of the {what}; the last one seen if the id has several.", source=source)
    return Table(name, f"{things}, identified by id, never by name.", (key, label, *more), (key.name,))


_POSITION = Column(
    "position", "INTEGER", "Place in the movie's list.", nullable=False, unit="from 1", check="position >= 1"
)


def _listed(name: str, other: str, type_: str, target: str, source: str, description: str) -> Table:
    return Table(
        name,
        description,
        (
            _key("movie_id", "BIGINT", "The movie.", source.split(":", maxsplit=1)[0] + ":id"),
            _key(other, type_, f"The {target}.", source),
            _POSITION,
        ),
        ("movie_id", other),
        (Reference("movie_id", "movie"), Reference(other, target)),
    )


M = "movies_metadata.csv:"

MOVIE = Table(
    "movie",
    "The movies of movies_metadata.csv, one row per movie.",
    (
        _key("movie_id", "BIGINT", "TMDB's id of the movie.", M + "id"),
        Column("title", "VARCHAR", "Title in English.", source=M + "title"),
        Column("original_title", "VARCHAR", "Title in the original language.", source=M + "original_title"),
        Column(
            "original_language",
            "VARCHAR",
            "Language the movie was made in.",
            unit="ISO 639-1",
            source=M + "original_language",
        ),
        Column("collection_id", "BIGINT", "The collection the movie belongs to.", source=M + "belongs_to_collection"),
        Column("status", "VARCHAR", "Stage of production; a release is Released or NULL.", source=M + "status"),
        Column("release_date", "DATE", "Date of release. The answers by year use its year.", source=M + "release_date"),
        Column(
            "runtime_minutes", "INTEGER", "Runtime.", unit="minutes", source=M + "runtime", check="runtime_minutes > 0"
        ),
        Column(
            "budget_usd",
            "BIGINT",
            "Budget as published, not adjusted for inflation; NULL if unknown.",
            unit="US dollars",
            source=M + "budget",
            check="budget_usd > 0",
        ),
        Column(
            "revenue_usd",
            "BIGINT",
            "Revenue as published, not adjusted for inflation; NULL if unknown.",
            unit="US dollars",
            source=M + "revenue",
            check="revenue_usd > 0",
        ),
        Column(
            "popularity",
            "DECIMAL(18,9)",
            "TMDB's popularity score when the source was published.",
            unit="score",
            source=M + "popularity",
            check="popularity >= 0",
        ),
        Column(
            "vote_average",
            "DECIMAL(5,3)",
            "Mean of the votes on TMDB; NULL if nobody voted.",
            unit="0 to 10",
            source=M + "vote_average",
            check="vote_average BETWEEN 0 AND 10",
        ),
        Column(
            "vote_count",
            "INTEGER",
            "Number of votes on TMDB.",
            unit="votes",
            source=M + "vote_count",
            check="vote_count >= 0",
        ),
        Column("imdb_id", "VARCHAR", "IMDb's id of the movie.", source=M + "imdb_id"),
        Column("adult", "BOOLEAN", "Whether TMDB marks it as adult.", source=M + "adult"),
        Column("video", "BOOLEAN", "Whether TMDB marks it as a video.", source=M + "video"),
        Column("overview", "VARCHAR", "Summary of the plot.", source=M + "overview"),
        Column("tagline", "VARCHAR", "Advertising line.", source=M + "tagline"),
        Column("homepage", "VARCHAR", "Address of the movie's own web page.", source=M + "homepage"),
        Column("poster_path", "VARCHAR", "Path of the poster on TMDB's image server.", source=M + "poster_path"),
        Column("source_file", "VARCHAR", "File the row comes from.", nullable=False),
        _line("source_line", "Line of the movie's record in its file.", nullable=False),
        _line("credits_line", "Line of the movie's record in credits.csv; NULL if it has none."),
        _line("keywords_line", "Line of the movie's record in keywords.csv; NULL if it has none."),
    ),
    ("movie_id",),
    (Reference("original_language", "language"), Reference("collection_id", "collection")),
)

GENRE = _named(
    "genre", "genre", "Genres", _key("genre_id", "BIGINT", "TMDB's id of the genre.", M + "genres"), M + "genres"
)
COMPANY = _named(
    "company",
    "production company",
    "Production companies",
    _key("company_id", "BIGINT", "TMDB's id of the company.", M + "production_companies"),
    M + "production_companies",
)
COUNTRY = _named(
    "country",
    "production country",
    "Production countries",
    _key("country_code", "VARCHAR", "ISO 3166-1 code of the country.", M + "production_countries"),
    M + "production_countries",
)
LANGUAGE = _named(
    "language",
    "language",
    "Languages",
    _key("language_code", "VARCHAR", "ISO 639-1 code of the language.", M + "spoken_languages"),
    M + "spoken_languages",
)
COLLECTION = _named(
    "collection",
    "collection",
    "Collections",
    _key("collection_id", "BIGINT", "TMDB's id of the collection.", M + "belongs_to_collection"),
    M + "belongs_to_collection",
    Column("poster_path", "VARCHAR", "Path of the poster on TMDB's image server.", source=M + "belongs_to_collection"),
    Column(
        "backdrop_path", "VARCHAR", "Path of the backdrop on TMDB's image server.", source=M + "belongs_to_collection"
    ),
)
KEYWORD = _named(
    "keyword",
    "keyword",
    "Keywords",
    _key("keyword_id", "BIGINT", "TMDB's id of the keyword.", "keywords.csv:keywords"),
    "keywords.csv:keywords",
)
PERSON = _named(
    "person",
    "person",
    "People",
    _key("person_id", "BIGINT", "TMDB's id of the person.", "credits.csv:cast, crew"),
    "credits.csv:cast, crew",
    Column("gender", "INTEGER", "TMDB's code: 0 not set, 1 female, 2 male.", source="credits.csv:cast, crew"),
    Column("profile_path", "VARCHAR", "Path of the portrait on TMDB's image server.", source="credits.csv:cast, crew"),
)

MOVIE_GENRE = _listed("movie_genre", "genre_id", "BIGINT", "genre", M + "genres", "The genres of a movie.")
MOVIE_COMPANY = _listed(
    "movie_company",
    "company_id",
    "BIGINT",
    "company",
    M + "production_companies",
    "The companies that produced a movie.",
)
MOVIE_COUNTRY = _listed(
    "movie_country",
    "country_code",
    "VARCHAR",
    "country",
    M + "production_countries",
    "The countries a movie was produced in.",
)
MOVIE_LANGUAGE = _listed(
    "movie_language",
    "language_code",
    "VARCHAR",
    "language",
    M + "spoken_languages",
    "The languages spoken in a movie.",
)
MOVIE_KEYWORD = _listed(
    "movie_keyword", "keyword_id", "BIGINT", "keyword", "keywords.csv:keywords", "The keywords of a movie."
)


def _credit(name: str, column: str, description: str, *own: Column) -> Table:
    source = f"credits.csv:{column}"
    return Table(
        name,
        description,
        (
            _key("credit_id", "VARCHAR", "TMDB's id of the credit.", source),
            Column("movie_id", "BIGINT", "The movie.", nullable=False, source="credits.csv:id"),
            Column("person_id", "BIGINT", "The person.", nullable=False, source=source),
            *own,
            _POSITION,
            _line("source_line", "Line of the record in credits.csv.", nullable=False),
        ),
        ("credit_id",),
        (Reference("movie_id", "movie"), Reference("person_id", "person")),
    )


CAST_CREDIT = _credit(
    "cast_credit",
    "cast",
    "The cast of a movie: who played whom.",
    Column("cast_id", "INTEGER", "TMDB's number of the part, within the movie.", source="credits.csv:cast"),
    Column("character", "VARCHAR", "The character played.", source="credits.csv:cast"),
    Column("billing_order", "INTEGER", "Place in the billing.", unit="from 0", source="credits.csv:cast"),
)
CREW_CREDIT = _credit(
    "crew_credit",
    "crew",
    "The crew of a movie: who did what.",
    Column("department", "VARCHAR", "The department the person worked in.", source="credits.csv:crew"),
    Column("job", "VARCHAR", "The person's job.", source="credits.csv:crew"),
)

MOVIELENS_MOVIE = Table(
    "movielens_movie",
    "MovieLens's movies, which ratings refer to, and the TMDB movie each one is linked to.",
    (
        _key("movielens_id", "BIGINT", "MovieLens's id of the movie.", "links.csv:movieId"),
        Column("imdb_id", "VARCHAR", "IMDb's id of the movie: tt and the digits.", source="links.csv:imdbId"),
        Column(
            "tmdb_id", "BIGINT", "TMDB's id as linked, whether or not the movie is known.", source="links.csv:tmdbId"
        ),
        Column("movie_id", "BIGINT", "The movie; NULL if tmdb_id is not in movie.", source="links.csv:tmdbId"),
        Column(
            "in_links_small",
            "BOOLEAN",
            "Whether links_small.csv lists the movie.",
            nullable=False,
            source="links_small.csv:movieId",
        ),
        _line("links_line", "Line in links.csv; NULL if it is not there."),
        _line("links_small_line", "Line in links_small.csv; NULL if it is not there."),
    ),
    ("movielens_id",),
    (Reference("movie_id", "movie"),),
)

RATING = Table(
    "rating",
    "One user's rating of one MovieLens movie. User ids differ between the two editions: never join or add them up.",
    (
        Column(
            "edition",
            "VARCHAR",
            "full for ratings.csv, small for ratings_small.csv.",
            nullable=False,
            check="edition IN ('full', 'small')",
            values=("full", "small"),
        ),
        _key("user_id", "BIGINT", "MovieLens's id of the user, within the edition.", "ratings.csv:userId"),
        _key("movielens_id", "BIGINT", "MovieLens's id of the movie.", "ratings.csv:movieId"),
        Column(
            "rating",
            "DECIMAL(2,1)",
            "The rating.",
            unit="half stars, 0.5 to 5",
            source="ratings.csv:rating",
            check="rating BETWEEN 0.5 AND 5",
        ),
        Column("rated_at", "TIMESTAMP", "When the rating was given.", unit="UTC", source="ratings.csv:timestamp"),
        _line("source_line", "Line in the edition's file.", nullable=False),
    ),
    ("edition", "user_id", "movielens_id"),
    (Reference("movielens_id", "movielens_movie"),),
)

_FILES = ", ".join(f"'{s.name}'" for s in SOURCES)
_REJECTIONS = ", ".join(f"'{r.code}'" for r in REASONS if r.severity == "rejected")

REJECTED_RECORD = Table(
    "rejected_record",
    "What could not be loaded, in full: a record byte for byte, or one element of a record's list.",
    (
        Column("file", "VARCHAR", "File it comes from.", nullable=False, check=f"file IN ({_FILES})"),
        _line("line", "Line the record starts on.", nullable=False),
        Column(
            "unit", "VARCHAR", "record, or element of a list.", nullable=False, check="unit IN ('record', 'element')"
        ),
        Column("column", "VARCHAR", "Column that is wrong, or has the element's list; NULL if it is the whole record."),
        Column("position", "INTEGER", "Place of the element in its list; NULL for a record.", unit="from 1"),
        Column(
            "reason", "VARCHAR", "Reason code, as in the error log.", nullable=False, check=f"reason IN ({_REJECTIONS})"
        ),
        Column("movie_id", "BIGINT", "The movie, if known."),
        Column(
            "raw",
            "BLOB",
            "The bytes of the record without its line end, or the element as a Python literal.",
            nullable=False,
        ),
    ),
    conformed=False,
)

_SEVERITIES = ", ".join(f"'{s}'" for s in SEVERITIES if s != "failed")
ERROR_LOG = Table(
    "error_log",
    "The error log, as in errors.jsonl: every record, element and cell that was not loaded exactly as it stands.",
    (
        Column("run_id", "VARCHAR", "The run.", nullable=False),
        Column("severity", "VARCHAR", "What became of it.", nullable=False, check=f"severity IN ({_SEVERITIES})"),
        Column("reason", "VARCHAR", "Reason code; docs/error-log.md explains each.", nullable=False),
        Column("file", "VARCHAR", "File it is about."),
        Column("line", "BIGINT", "Line the record starts on.", unit="from 1"),
        Column("column", "VARCHAR", "Column of the file; NULL if it is the whole record."),
        Column("movie_id", "BIGINT", "The movie, if known."),
        Column("value", "VARCHAR", "The raw value, at most 1 KiB; a longer one is cut and marked."),
        Column("message", "VARCHAR", "What is wrong, in a sentence.", nullable=False),
        Column("action", "VARCHAR", "What was done.", nullable=False),
    ),
    conformed=False,
)

# In an order in which every reference points backwards.
TABLES = (
    GENRE,
    COMPANY,
    COUNTRY,
    LANGUAGE,
    COLLECTION,
    KEYWORD,
    PERSON,
    MOVIE,
    MOVIE_GENRE,
    MOVIE_COMPANY,
    MOVIE_COUNTRY,
    MOVIE_LANGUAGE,
    MOVIE_KEYWORD,
    CAST_CREDIT,
    CREW_CREDIT,
    MOVIELENS_MOVIE,
    RATING,
    REJECTED_RECORD,
    ERROR_LOG,
)
TABLE = {table.name: table for table in TABLES}


def _validate() -> None:
    seen: set[str] = set()
    for table in TABLES:
        for reference in table.references:
            target = TABLE[reference.table]
            if target.name not in seen:
                raise ValueError(f"{table.name}.{reference.column}: {target.name} must be declared before")
            if target.column(target.key[0]).type != table.column(reference.column).type:
                raise ValueError(f"{table.name}.{reference.column}: not of the type of {target.name}'s key")
        seen.add(table.name)


_validate()
