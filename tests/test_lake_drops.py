"""What the lake makes of drops is what a build makes of them.

Of one whole drop: the same tables, but for what waits (credits and keywords of movies that the drop lacks, which a
build rejects), the names of things that such a list mentions, which the lake believes and a build does not, and
people without a credit, which a build has where two lists have the same credit with another person.

Of several drops: "one build from all of them" is a build of one source whose files are the drops' files, one after
the other in the order of their tokens, each with its header once. Then the later record of a key is the greater
token's. The tables are equal, lines included once they are counted in their drop's file, but for the names: the lake
takes a name from the greatest token that mentions the thing, a build from the last record that is loaded. (Here each
thing has one name throughout.)
"""

import random
import zipfile
from datetime import UTC, datetime, timedelta
from itertools import permutations

import lake_oracle
import pytest
import small
from lake_drops import append, build, read_drop, rows_of
from lake_oracle import ID, NAMED
from lake_states import comparable, database, load, state

import moviehouse
from moviehouse.model.sources import SOURCES
from moviehouse.model.tables import TABLE, TABLES

START = datetime(2024, 1, 1, tzinfo=UTC)
MOVIES = range(1, 61)
CONFORMED = [table.name for table in TABLES if table.conformed]


class Maker:
    """Makes the records of a drop by chance: few ids, so that everything collides."""

    def __init__(self, seed: int, *, one_name: bool) -> None:
        self.rng = random.Random(seed)
        self.one_name = one_name

    def some(self, items, share: float = 0.6):
        """Some of the items, a few of them twice, in any order."""
        found = [item for item in items if self.rng.random() < share]
        found += [item for item in found if self.rng.random() < 0.2]
        self.rng.shuffle(found)
        return found

    def name(self, id_) -> str | None:
        if self.one_name:
            return f"n{id_}"
        return self.rng.choice([None, f"n{id_}", f"m{id_}"])

    def things(self, key: str, ids) -> str:
        return repr([{key: id_, "name": self.name(id_)} for id_ in self.some(ids)])

    def movie(self, movie: int) -> dict:
        rng = self.rng
        collection = repr({"id": movie % 3 + 1, "name": self.name(movie % 3 + 1), "poster_path": None})
        return small.MOVIE | {
            "id": str(movie), "title": rng.choice("ABC"), "budget": str(rng.choice([0, 5000, 7000])),
            "popularity": str(rng.choice([1, 2.5])), "original_language": rng.choice(["en", "xx"]),
            "belongs_to_collection": rng.choice(["", collection]), "genres": self.things("id", [12, 16, 18]),
            "production_companies": self.things("id", [1, 2, movie + 10]),
            "production_countries": self.things("iso_3166_1", ["US", "GB"]),
            "spoken_languages": self.things("iso_639_1", ["en", "fr"]),
        }  # fmt: skip

    def credits(self, movie: int) -> dict:
        return {"id": str(movie), "cast": self._credits(movie, "a"), "crew": self._credits(movie, "b")}

    def _credits(self, movie: int, letter: str) -> str:
        """Credits with ids that the next movie may have too."""
        pool = [f"{letter}{movie // 3 * 3}-{number}" for number in range(4)]
        people = {}
        for id_ in pool:
            person = self.rng.choice([1, 2, 3, movie + 10])
            gender = person % 3 if self.one_name else self.rng.choice([0, 1, 2])
            people[id_] = {"credit_id": id_, "id": person, "name": self.name(person), "gender": gender}
        return repr([people[id_] for id_ in self.some(pool)])

    def files(self, *, whole: bool) -> dict[str, list[dict]]:
        """The records of each file; a part may lack files."""
        rng, made = self.rng, {}
        links = [{"movieId": str(m), "imdbId": str(m * 7), "tmdbId": str(rng.choice([m, m + 1, ""]))} for m in MOVIES]
        made["movies_metadata"] = [self.movie(m) for m in self.some(MOVIES)]
        made["credits"] = [self.credits(m) for m in self.some(MOVIES)]
        made["keywords"] = [{"id": str(m), "keywords": self.things("id", [1, 2, m + 10])} for m in self.some(MOVIES)]
        made["links"], made["links_small"] = self.some(links), self.some(links[:20])
        for name in ("ratings", "ratings_small"):
            pairs = self.some([(user, movie) for user in (1, 2) for movie in (1, 2, 3, 99)])
            made[name] = [
                {
                    "userId": str(u),
                    "movieId": str(m),
                    "rating": str(rng.randint(1, 5)),
                    "timestamp": str(rng.randint(0, 99)),
                }
                for u, m in pairs
            ]
        if not whole:
            for name in rng.sample(sorted(made), 2):
                del made[name]
        return made


def together(drops: list[dict[str, list[dict]]]) -> dict[str, list[dict]]:
    """One source whose files are those of the drops, one after the other."""
    names = {name for drop in drops for name in drop} | {"movies_metadata"}
    return {name: [record for drop in drops for record in drop.get(name, [])] for name in names}


def rows(con, relation: str) -> list[dict]:
    cursor = con.execute(f"SELECT * FROM {relation}")
    return [dict(zip([c[0] for c in cursor.description], row, strict=True)) for row in cursor.fetchall()]


def from_build(con, table: str) -> list[dict]:
    """A table of a build, but for people whose only credit went to somebody else."""
    if table != "person":
        return rows(con, table)
    credited = "SELECT person_id FROM cast_credit UNION SELECT person_id FROM crew_credit"
    return rows(con, f"(FROM person SEMI JOIN ({credited}) USING (person_id))")


def compared(table: str, rows: list[dict], without: set = frozenset()) -> list[tuple]:
    """The model's columns, sorted; of what is named only the id for the ids `without`."""
    names = [c.name for c in TABLE[table].columns]
    if table in NAMED:
        rows = [{ID[table]: r[ID[table]]} if r[ID[table]] in without else r for r in rows]
    return sorted((tuple(r.get(c) for c in names) for r in rows), key=repr)


def lake_of(drops: list, tmp_path, full: list[bool]):
    """Readings of the drops, an hour apart, and their rows by reading and table."""
    readings, rows = [], {}
    for number, (folder, whole) in enumerate(zip(drops, full, strict=True)):
        id_, moment = f"r{number}", START + timedelta(hours=number)
        engine = read_drop(folder, tmp_path / f"work-{id_}")
        rows[id_] = rows_of(engine, moment, f"d{number}", id_)
        engine.close()
        reading = {"reading_id": id_, "drop_id": f"d{number}", "observed_at": moment.replace(tzinfo=None)}
        readings.append(reading | {"logic": 1, "full": whole})
    return readings, rows


def same_but_for_what_waits(folder, tmp_path) -> None:
    read_drop(folder, tmp_path / "work").close()
    engine = build(folder, tmp_path / "build")
    reading = {"reading_id": "r", "drop_id": "d", "observed_at": START, "logic": 1, "full": True}
    with database() as con:
        append(con, tmp_path / "work" / "reading.duckdb", reading)
        for table in CONFORMED:
            found, expected = rows(con, table), from_build(engine.con, table)
            without = waiting(con, table)
            assert compared(table, found, without) == compared(table, expected, without), table
            assert found
        assert not any(row["retired"] for row in rows(con, "movie"))
    engine.close()


def waiting(con, table: str) -> set:
    """The things of a table that a list of an unknown movie mentions."""
    sets = {"person": ("cast_credit", "crew_credit"), "keyword": ("movie_keyword",)}.get(table, ())
    return {
        row[ID[table]] for name in sets for row in rows(con, f"(FROM {name}_row ANTI JOIN movie_row USING (movie_id))")
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_one_whole_drop_is_a_build_of_it(seed, tmp_path):
    drop = Maker(seed, one_name=False).files(whole=True)
    same_but_for_what_waits(small.write(tmp_path / "drop", **drop), tmp_path)


def test_a_sample_with_every_oddity_is_a_build_of_it(tmp_path):
    made = moviehouse.sample(tmp_path / "s.zip", movies=300, ratings=2000)
    zipfile.ZipFile(made.path).extractall(tmp_path / "drop")
    same_but_for_what_waits(tmp_path / "drop", tmp_path)


@pytest.mark.parametrize("seed", [3, 4])
def test_all_drops_together_are_one_build_from_all_of_them(seed, tmp_path):
    maker = Maker(seed, one_name=True)
    full = [maker.rng.random() < 0.5 for _ in range(4)]
    drops = [maker.files(whole=whole) for whole in full]
    folders = [_write(tmp_path / f"drop-{n}", drop) for n, drop in enumerate(drops)]
    engine = build(_write(tmp_path / "all", together(drops)), tmp_path / "build")
    readings, read = lake_of(folders, tmp_path, full)
    _count_lines_on(read, drops)
    for order in list(permutations(range(4)))[::13]:
        with database() as con:
            load(con, [readings[place] for place in order], read)
            for table in CONFORMED:
                assert compared(table, rows(con, table)) == compared(table, from_build(engine.con, table)), table
            assert state(con) == comparable(lake_oracle.state(readings, read))
    engine.close()


def _write(folder, files: dict[str, list[dict]]):
    """Write just these files, one line a record."""
    folder.mkdir()
    for name, records in files.items():
        (folder / f"{name}.csv").write_bytes(small.text(f"{name}.csv", records))
    return folder


def _count_lines_on(rows, drops) -> None:
    """Count the lines of each drop's rows on from those of the drops before it."""
    before = dict.fromkeys((source.name for source in SOURCES), 0)
    files = {"movie": "movies_metadata.csv", "credit_list": "credits.csv", "cast_credit": "credits.csv"}
    files |= {"crew_credit": "credits.csv", "keyword_list": "keywords.csv", "link": "links.csv"}
    files |= {"link_small": "links_small.csv"}
    for number, drop in enumerate(drops):
        for table, listed in rows[f"r{number}"].items():
            for row in listed:
                file = files.get(table)
                if table == "rating":
                    file = "ratings.csv" if row["edition"] == "full" else "ratings_small.csv"
                if file:
                    row["source_line" if "source_line" in row else "line"] += before[file]
        for name, records in drop.items():
            before[f"{name}.csv"] += len(records)
