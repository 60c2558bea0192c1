"""The tables of the lake: the model's tables as one reading of one drop gives them, with the drop's token.

A drop is a source with the time it was observed at; its id is its SHA-256. A reading is a drop read by one
version of the logic. The pair of `observed_at` and `drop_id` is a row's token: of rows with one key the
greatest token is the current one. Nothing in a reading depends on another drop, so that references may wait.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from moviehouse.model.schema import Column, Table
from moviehouse.model.tables import MOVIE, MOVIELENS_MOVIE, TABLE, TABLES

NAMESPACE = "moviehouse"
# The version of the logic: raised whenever the same source gives other rows. The newest reading of a drop counts.
LOGIC = 1

TOKEN = (
    Column("observed_at", "TIMESTAMP", "When the drop was observed.", nullable=False, unit="UTC"),
    Column("drop_id", "VARCHAR", "The drop: the SHA-256 of its source.", nullable=False),
)
STAMP = (
    *TOKEN,
    Column("reading_id", "VARCHAR", "The reading: the drop, as one version of the logic reads it.", nullable=False),
)
# What every reading tells beside its rows. `full`: whether the drop is a whole snapshot.
READING = (
    STAMP[-1],
    *TOKEN,
    Column("logic", "INTEGER", "The version of the logic that read it.", nullable=False),
    Column("full", "BOOLEAN", "Whether the drop is a whole snapshot: what it lacks is gone.", nullable=False),
)

KINDS = {
    "keyed": "the row of the greatest token for each key",
    "set": "the rows of the movie's greatest list, which may be none",
    "named": "for each part the value of the greatest token that has one",
    "history": "every observation that differs from the one before",
    "log": "every row of every reading that counts",
}


@dataclass(frozen=True)
class Part:
    """Columns of a named thing that are taken from one row: the greatest that has the first of them.

    `unset` is a value of the first column that any other is better than, as SQL.
    """

    columns: tuple[str, ...]
    unset: str = ""


@dataclass(frozen=True)
class LakeTable:
    """A table of the lake: `table` has the columns of the rows, the stamp not included, and their key in a reading.

    `kind` is one of KINDS: which rows are the current ones. `list` names, for a set, the table with one row
    for every movie whose list the drop has: its rows decide which of a movie's sets is the current one.
    """

    table: Table
    kind: str
    list: str = ""
    parts: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        columns = [column.name for column in self.table.columns]
        if self.kind not in KINDS:
            raise ValueError(f"{self.name}: no such kind: {self.kind}")
        if (self.kind == "set") != bool(self.list) or (self.kind == "named") != bool(self.parts):
            raise ValueError(f"{self.name}: a set has a list, and what is named has parts")
        if (self.kind == "log") == bool(self.table.key):
            raise ValueError(f"{self.name}: all but a log has a key")
        parted = [column for part in self.parts for column in part.columns]
        if self.parts and sorted((*self.table.key, *parted)) != sorted(columns):
            raise ValueError(f"{self.name}: every column but the key is in one part")
        if any(column.name in columns for column in STAMP):
            raise ValueError(f"{self.name}: has a column of the stamp")

    @property
    def name(self) -> str:
        """The table's name, in the lake as in a reading."""
        return self.table.name

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns of the lake's table: those of the rows, then the stamp."""
        return (*self.table.columns, *STAMP)


# What of a movie changes from hour to hour.
OBSERVED = ("popularity", "vote_average", "vote_count", "budget_usd", "revenue_usd")
# The columns of movie that come from another file than the others, and the table of the lake that has them.
LINES = {"credits_line": "credit_list", "keywords_line": "keyword_list"}
# Which lists a file has, by the table that says which movies it lists.
_LISTS = {"movies_metadata.csv": "movie", "credits.csv": "credit_list", "keywords.csv": "keyword_list"}
_PARTS = {
    "collection": (Part(("name", "poster_path", "backdrop_path")),),
    "person": (Part(("name",)), Part(("gender",), unset="0"), Part(("profile_path",))),
}


def _without(table: Table, *columns: str) -> Table:
    return replace(table, columns=tuple(c for c in table.columns if c.name not in columns))


def _list_of(name: str, file: str) -> LakeTable:
    movie = Column("movie_id", "BIGINT", "The movie.", nullable=False, source=f"{file}:id")
    line = Column("source_line", "BIGINT", "Line of its record.", nullable=False, unit="line, from 1")
    return LakeTable(
        Table(name, f"The movies that {file} has a list of, be it empty.", (movie, line), ("movie_id",)), "keyed"
    )


def _link(name: str, file: str) -> LakeTable:
    ids = [replace(MOVIELENS_MOVIE.column(c)) for c in ("movielens_id", "imdb_id", "tmdb_id")]
    ids[1] = replace(ids[1], description="IMDb's number of the movie, as the file has it.")
    line = Column("line", "BIGINT", "Line of its record.", nullable=False, unit="line, from 1")
    return LakeTable(Table(name, f"The records of {file}.", (*ids, line), ("movielens_id",)), "keyed")


def _observation() -> LakeTable:
    columns = (MOVIE.column("movie_id"), *(MOVIE.column(c) for c in OBSERVED))
    description = "What was observed of a movie, drop by drop: what changes from hour to hour."
    return LakeTable(Table("movie_observation", description, columns, MOVIE.key), "history")


def _lake_table(table: Table) -> LakeTable:
    """The table of the lake that a table of the model becomes; its references may wait for another drop."""
    if not table.conformed:
        return LakeTable(table, "log")
    loose = replace(table, references=())
    if table is MOVIE:
        return LakeTable(_without(loose, *LINES), "keyed")
    if any(reference.table == MOVIE.name for reference in table.references):
        file = table.column("movie_id").source.split(":", maxsplit=1)[0]
        key = table.key if "movie_id" in table.key else ("movie_id", *table.key)
        return LakeTable(replace(loose, key=key), "set", list=_LISTS[file])
    if any(column.name == "name" for column in table.columns):
        rest = tuple(column.name for column in table.columns if column.name not in table.key)
        return LakeTable(loose, "named", parts=_PARTS.get(table.name, (Part(rest),)))
    return LakeTable(loose, "keyed")


# The lists come before what they list.
LAKE_TABLES = (
    *(_list_of(name, file) for file, name in _LISTS.items() if name != MOVIE.name),
    _link("link", "links.csv"),
    _link("link_small", "links_small.csv"),
    *(_lake_table(table) for table in TABLES if table is not MOVIELENS_MOVIE),
    _observation(),
)
LAKE_TABLE = {table.name: table for table in LAKE_TABLES}


def _validate() -> None:
    seen: set[str] = set()
    for table in LAKE_TABLES:
        if table.list and (table.list not in seen or LAKE_TABLE[table.list].table.key != MOVIE.key):
            raise ValueError(f"{table.name}: {table.list} is no list that comes before it")
        seen.add(table.name)
    for name in TABLE:
        if name != MOVIELENS_MOVIE.name and name not in seen:
            raise ValueError(f"{name}: not in the lake")


_validate()
