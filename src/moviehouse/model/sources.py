"""The seven files of the source: their columns, what a cell means, and the relations they are read into.

`SOURCES` is the one declaration of the input. The reader builds its parser from it; the data
dictionary and the documentation are rendered from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from moviehouse.model.grammar import (
    Kind,
    boolean,
    date,
    decimal,
    epoch_seconds,
    half_stars,
    integer,
    text,
)

ID = integer(1, 2**53)
ZERO = r"[+-]?0+(\.0*)?"
LANGUAGE_CODE = text("[a-z]{2,3}")
# TMDB's highest known revenue is 2.9e9; the limit keeps every sum of cents far inside a BIGINT.
DOLLARS = integer(0, 10**11)

GENRES = {
    12: "Adventure", 14: "Fantasy", 16: "Animation", 18: "Drama", 27: "Horror", 28: "Action",
    35: "Comedy", 36: "History", 37: "Western", 53: "Thriller", 80: "Crime", 99: "Documentary",
    878: "Science Fiction", 9648: "Mystery", 10402: "Music", 10749: "Romance", 10751: "Family",
    10752: "War", 10769: "Foreign", 10770: "TV Movie",
}  # fmt: skip
STATUSES = ("Released", "Rumored", "Post Production", "In Production", "Planned", "Canceled")


@dataclass(frozen=True)
class SourceColumn:
    """A column whose cell is one value.

    `target` names the column of the raw relation; None: read over, kept nowhere.
    `null_tokens` are the texts that mean "unknown" beside the empty cell, as a pattern.
    `known` are the values that are expected; others are kept and warned about.
    `suspicious` is an inclusive range of values that are kept and warned about.
    """

    name: str
    target: str
    kind: Kind
    required: bool = False
    key: bool = False
    null_tokens: str | None = None
    null_if_zero: str | None = None
    known: tuple[str, ...] = ()
    suspicious: tuple[int, int] | None = None


@dataclass(frozen=True)
class Element:
    """One entry of the dicts in a nested cell: its name there, its column, its kind.

    `known` are the values that are expected; others are kept and warned about.
    """

    name: str
    target: str
    kind: Kind
    required: bool = False
    known: tuple[int, ...] = ()


@dataclass(frozen=True)
class NestedColumn:
    """A column whose cell is a Python literal: a list of dicts, or (`single`) one dict.

    A list becomes the relation `relation`, one row per element with its position; a single dict
    becomes columns of the record's own relation. `elements` stand in the order the source writes
    them. `key` names the element columns that identify an element within its record.
    """

    name: str
    elements: tuple[Element, ...]
    relation: str | None = None
    key: tuple[str, ...] = ()
    required: bool = False

    @property
    def single(self) -> bool:
        """Whether the cell is one dict and not a list of them."""
        return self.relation is None


@dataclass(frozen=True)
class SourceFile:
    """One CSV file of the source.

    `relation` is the raw relation with one row per record; `editions` maps the SHA-256 of known
    copies to their name; `constants` are columns the file's name implies. `suspects` is the relation
    of the records whose keys may stand in several, where the file is too long to group all of them.
    """

    name: str
    relation: str
    columns: tuple[SourceColumn | NestedColumn, ...]
    editions: dict[str, str] = field(default_factory=dict)
    indispensable: bool = False
    constants: dict[str, str] = field(default_factory=dict)
    suspects: str = ""

    @property
    def cells(self) -> tuple[SourceColumn, ...]:
        """The columns with one value per cell."""
        return tuple(c for c in self.columns if isinstance(c, SourceColumn))

    @property
    def nested(self) -> tuple[NestedColumn, ...]:
        """The columns with a literal in their cells."""
        return tuple(c for c in self.columns if isinstance(c, NestedColumn))

    @property
    def key(self) -> tuple[SourceColumn, ...]:
        """The columns that identify a record."""
        return tuple(c for c in self.cells if c.key)

    @property
    def flat(self) -> bool:
        """Whether every cell is a single value, so that lines are records."""
        return not self.nested


KAGGLE = "kaggle-v7"

MOVIES = SourceFile(
    "movies_metadata.csv",
    "raw_movie",
    (
        SourceColumn("adult", "adult", boolean()),
        NestedColumn(
            "belongs_to_collection",
            (
                Element("id", "collection_id", ID, required=True),
                Element("name", "collection_name", text()),
                Element("poster_path", "collection_poster_path", text()),
                Element("backdrop_path", "collection_backdrop_path", text()),
            ),
        ),
        SourceColumn("budget", "budget_usd", DOLLARS, required=True, null_tokens=ZERO, suspicious=(1, 999)),
        NestedColumn(
            "genres",
            (
                Element("id", "genre_id", ID, required=True, known=tuple(GENRES)),
                Element("name", "name", text()),
            ),
            "raw_movie_genre",
            ("genre_id",),
            required=True,
        ),
        SourceColumn("homepage", "homepage", text()),
        SourceColumn("id", "movie_id", ID, required=True, key=True),
        SourceColumn("imdb_id", "imdb_id", text("tt[0-9]{1,12}")),
        SourceColumn("original_language", "original_language", LANGUAGE_CODE),
        SourceColumn("original_title", "original_title", text()),
        SourceColumn("overview", "overview", text()),
        SourceColumn("popularity", "popularity", decimal(18, 9, "0", "999999999"), required=True),
        SourceColumn("poster_path", "poster_path", text()),
        NestedColumn(
            "production_companies",
            (Element("name", "name", text()), Element("id", "company_id", ID, required=True)),
            "raw_movie_company",
            ("company_id",),
            required=True,
        ),
        NestedColumn(
            "production_countries",
            (
                Element("iso_3166_1", "country_code", text("[A-Z]{2}"), required=True),
                Element("name", "name", text()),
            ),
            "raw_movie_country",
            ("country_code",),
        ),
        SourceColumn("release_date", "release_date", date(), required=True),
        SourceColumn("revenue", "revenue_usd", DOLLARS, required=True, null_tokens=ZERO, suspicious=(1, 999)),
        SourceColumn("runtime", "runtime_minutes", integer(0, 10**6, "INTEGER"), null_tokens=ZERO),
        NestedColumn(
            "spoken_languages",
            (
                Element("iso_639_1", "language_code", LANGUAGE_CODE, required=True),
                Element("name", "name", text()),
            ),
            "raw_movie_language",
            ("language_code",),
        ),
        SourceColumn("status", "status", text(), required=True, known=STATUSES),
        SourceColumn("tagline", "tagline", text()),
        SourceColumn("title", "title", text(), required=True),
        SourceColumn("video", "video", boolean()),
        SourceColumn("vote_average", "vote_average", decimal(5, 3, "0", "10"), null_if_zero="vote_count"),
        SourceColumn("vote_count", "vote_count", integer(0, 2**31 - 1, "INTEGER")),
    ),
    {"37ec322786b136a24604564e55160be75f8937546f11cb1a990076971fa895fd": KAGGLE},
    indispensable=True,
)

CREDITS = SourceFile(
    "credits.csv",
    "raw_credit",
    (
        NestedColumn(
            "cast",
            (
                Element("cast_id", "cast_id", integer(0, 2**31 - 1, "INTEGER")),
                Element("character", "character", text()),
                Element("credit_id", "credit_id", text(), required=True),
                Element("gender", "gender", integer(0, 9, "INTEGER")),
                Element("id", "person_id", ID, required=True),
                Element("name", "name", text()),
                Element("order", "billing_order", integer(0, 2**31 - 1, "INTEGER")),
                Element("profile_path", "profile_path", text()),
            ),
            "raw_cast",
            ("credit_id",),
            required=True,
        ),
        NestedColumn(
            "crew",
            (
                Element("credit_id", "credit_id", text(), required=True),
                Element("department", "department", text()),
                Element("gender", "gender", integer(0, 9, "INTEGER")),
                Element("id", "person_id", ID, required=True),
                Element("job", "job", text()),
                Element("name", "name", text()),
                Element("profile_path", "profile_path", text()),
            ),
            "raw_crew",
            ("credit_id",),
            required=True,
        ),
        SourceColumn("id", "movie_id", ID, required=True, key=True),
    ),
    {"b968359c8e77aebcb7329608378b3b11cc1834726e157aae934bc89f291458ec": KAGGLE},
)

KEYWORDS = SourceFile(
    "keywords.csv",
    "raw_keyword_list",
    (
        SourceColumn("id", "movie_id", ID, required=True, key=True),
        NestedColumn(
            "keywords",
            (Element("id", "keyword_id", ID, required=True), Element("name", "name", text())),
            "raw_movie_keyword",
            ("keyword_id",),
            required=True,
        ),
    ),
    {"428ef94a80255986ad71fd347855702e772ee776841f1e8923a618aa2d87a668": KAGGLE},
)


def _links(name: str, relation: str, sha256: str) -> SourceFile:
    return SourceFile(
        name,
        relation,
        (
            SourceColumn("movieId", "movielens_id", ID, required=True, key=True),
            SourceColumn("imdbId", "imdb_id", text("[0-9]{1,12}")),
            SourceColumn("tmdbId", "tmdb_id", ID, required=True),
        ),
        {sha256: KAGGLE},
    )


def _ratings(name: str, edition: str, sha256: str) -> SourceFile:
    return SourceFile(
        name,
        f"raw_rating_{edition}",
        (
            SourceColumn("userId", "user_id", ID, required=True, key=True),
            SourceColumn("movieId", "movielens_id", ID, required=True, key=True),
            SourceColumn("rating", "rating", half_stars(), required=True),
            SourceColumn("timestamp", "rated_at", epoch_seconds()),
        ),
        {sha256: KAGGLE},
        constants={"edition": edition},
        suspects=f"suspect_rating_{edition}",
    )


LINKS = _links("links.csv", "raw_link", "bd8562d4b10d04d080e16caaf8027cd07e47b5da6920128d39e31cd1dd8ffc5e")
LINKS_SMALL = _links(
    "links_small.csv", "raw_link_small", "772cb400f68f03cc61b112a544601d25571b168788dab7dc96f462d93059c49f"
)
RATINGS = _ratings("ratings.csv", "full", "5c6e8af7e8f71247208cf3fce4a7d52e61e6926b296c88e03e1cb60edb41b2f5")
RATINGS_SMALL = _ratings(
    "ratings_small.csv", "small", "821795331fd974bbe7a8416f2a7eec2b548a485dedb47a073580b0a9a8a0a8d2"
)

SOURCES = (MOVIES, CREDITS, KEYWORDS, LINKS, LINKS_SMALL, RATINGS, RATINGS_SMALL)
