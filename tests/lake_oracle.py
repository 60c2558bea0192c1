"""The state of the lake computed a second way, in plain Python: drops are applied one after the other.

The rule (docs/design.md) says which row is the current one of all that there are. This says what happens when
drops come in the order of their observation: a row replaces the one with its key, a list replaces the movie's
list, a name that is known replaces the one before, a whole snapshot retires the movies that it lacks.
"""

from __future__ import annotations

from typing import Any

from moviehouse.model.lake import LAKE_TABLES, OBSERVED

Row = dict[str, Any]
SETS = {t.name: t.list for t in LAKE_TABLES if t.kind == "set"}
STAMP = ("observed_at", "drop_id", "reading_id")
# Named things: the columns that change together.
NAMED = {
    "genre": (("name",),),
    "company": (("name",),),
    "country": (("name",),),
    "language": (("name",),),
    "keyword": (("name",),),
    "collection": (("name", "poster_path", "backdrop_path"),),
    "person": (("name",), ("gender",), ("profile_path",)),
}
ID = {name: f"{name}_code" if name in ("country", "language") else f"{name}_id" for name in NAMED}
LIST_OF = {"genre": "movie_genre", "company": "movie_company", "country": "movie_country"}
LIST_OF |= {"language": "movie_language", "keyword": "movie_keyword"}


def latest_logic(readings: list[Row]) -> list[Row]:
    """Of each drop the reading by the newest logic, in the order of observation."""
    kept: dict[tuple[Any, str], Row] = {}
    for reading in readings:
        token = (reading["observed_at"], reading["drop_id"])
        other = kept.get(token)
        if other is None or _better(reading) > _better(other):
            kept[token] = reading
    return [kept[token] for token in sorted(kept)]


def _better(reading: Row) -> tuple[int, bool, str]:
    return reading["logic"], reading["full"], reading["reading_id"]


class Lake:
    """A state that drops are applied to, oldest first. `rows` are by table."""

    def __init__(self) -> None:
        self.keyed: dict[str, dict[Any, Row]] = {t: {} for t in ("movie", "link", "link_small", "rating")}
        self.lists: dict[str, dict[int, Row]] = {"credit_list": {}, "keyword_list": {}}
        self.sets: dict[str, dict[int, list[Row]]] = {name: {} for name in SETS}
        self.named: dict[str, dict[Any, list[Row]]] = {name: {} for name in NAMED}
        self.retired: set[int] = set()
        self.history: dict[int, list[Row]] = {}
        self.logs: dict[str, list[Row]] = {"error_log": [], "rejected_record": []}

    def apply(self, reading: Row, rows: dict[str, list[Row]]) -> None:
        """Apply one reading."""
        seen = {row["movie_id"] for row in rows["movie"]}
        if reading["full"]:
            self.retired |= set(self.keyed["movie"])
        self.retired -= seen
        for row in rows["movie"]:
            self.keyed["movie"][row["movie_id"]] = row
        for table in ("link", "link_small"):
            for row in rows[table]:
                self.keyed[table][row["movielens_id"]] = row
        for row in rows["rating"]:
            self.keyed["rating"][row["edition"], row["user_id"], row["movielens_id"]] = row
        for name in self.lists:
            for row in rows[name]:
                self.lists[name][row["movie_id"]] = row
        for name, owner in SETS.items():
            for row in rows[owner]:
                self.sets[name][row["movie_id"]] = [r for r in rows[name] if r["movie_id"] == row["movie_id"]]
        for name in NAMED:
            for row in rows[name]:
                self._name(name, row)
        for row in rows["movie_observation"]:
            past = self.history.setdefault(row["movie_id"], [])
            if not past or any(past[-1][c] != row[c] for c in OBSERVED):
                past.append(row)
        for name in self.logs:
            self.logs[name] += rows[name]

    def _name(self, name: str, row: Row) -> None:
        """Replace the parts of which the row knows as much as the one before; the first part brings the stamp."""
        parts = self.named[name].setdefault(row[ID[name]], [row] * len(NAMED[name]))
        for place, (first, *_) in enumerate(NAMED[name]):
            if _known(name, row, first) >= _known(name, parts[place], first):
                parts[place] = row

    def state(self) -> dict[str, list[Row]]:
        """The model's tables, with references resolved."""
        movies = self.keyed["movie"]
        found: dict[str, list[Row]] = {"movie": [self._movie(row) for row in movies.values()]}
        for name in SETS:
            found[name] = [row for movie, rows in self.sets[name].items() if movie in movies for row in rows]
        for name in ("cast_credit", "crew_credit"):
            found[name] = _one_each(found[name])
        for name in NAMED:
            found[name] = [self._thing(name, key) for key in sorted(_mentioned(name, found))]
        found["rating"] = list(self.keyed["rating"].values())
        found["movielens_movie"] = self._movielens()
        found["movie_observation"] = [row for rows in self.history.values() for row in rows]
        return found | self.logs

    def _movie(self, row: Row) -> Row:
        credits = self.lists["credit_list"].get(row["movie_id"], {})
        keywords = self.lists["keyword_list"].get(row["movie_id"], {})
        return row | {
            "credits_line": credits.get("source_line"), "credits_drop_id": credits.get("drop_id"),
            "keywords_line": keywords.get("source_line"), "keywords_drop_id": keywords.get("drop_id"),
            "retired": row["movie_id"] in self.retired,
        }  # fmt: skip

    def _thing(self, name: str, key: Any) -> Row:
        rows = self.named[name][key]
        thing = {ID[name]: key} | {c: rows[0][c] for c in STAMP}
        for row, columns in zip(rows, NAMED[name], strict=True):
            thing |= {c: row[c] for c in columns}
        return thing

    def _movielens(self) -> list[Row]:
        links, small = self.keyed["link"], self.keyed["link_small"]
        found = []
        for id_ in {*links, *small, *(key[2] for key in self.keyed["rating"])}:
            link = links.get(id_) or small.get(id_) or {"imdb_id": None, "tmdb_id": None}
            tmdb = link["tmdb_id"]
            found.append({
                "movielens_id": id_, "imdb_id": link["imdb_id"] and f"tt{link['imdb_id'].rjust(7, '0')}",
                "tmdb_id": tmdb, "movie_id": tmdb if tmdb in self.keyed["movie"] else None,
                "in_links_small": id_ in small, "links_line": links.get(id_, {}).get("line"),
                "links_small_line": small.get(id_, {}).get("line"),
                "links_drop_id": links.get(id_, {}).get("drop_id"),
                "links_small_drop_id": small.get(id_, {}).get("drop_id"),
            })  # fmt: skip
        return found


def _known(name: str, row: Row, column: str) -> int:
    if row[column] is None:
        return 0
    return 1 if name == "person" and column == "gender" and row[column] == 0 else 2


def _one_each(credits: list[Row]) -> list[Row]:
    """A credit that several movies' current lists have belongs to the last of them."""
    kept: dict[str, Row] = {}
    for row in sorted(credits, key=lambda r: (r["observed_at"], r["drop_id"], r["source_line"], r["position"])):
        kept[row["credit_id"]] = row
    return list(kept.values())


def _mentioned(name: str, found: dict[str, list[Row]]) -> set[Any]:
    """What the state refers to."""
    if name == "person":
        ids = [row["person_id"] for table in ("cast_credit", "crew_credit") for row in found[table]]
    elif name == "collection":
        ids = [row["collection_id"] for row in found["movie"]]
    else:
        ids = [row[ID[name]] for row in found[LIST_OF[name]]]
    if name == "language":
        ids += [row["original_language"] for row in found["movie"]]
    return {id_ for id_ in ids if id_ is not None}


def state(readings: list[Row], rows: dict[str, dict[str, list[Row]]]) -> dict[str, list[Row]]:
    """The state of a lake with these readings, in whatever order; `rows` are by reading and table."""
    lake = Lake()
    for reading in latest_logic(readings):
        lake.apply(reading, rows[reading["reading_id"]])
    return lake.state()
