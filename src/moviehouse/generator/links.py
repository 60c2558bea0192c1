"""The records of links.csv and links_small.csv: which MovieLens id is which TMDB movie.

MovieLens ids are a function of a link's number, which the ratings rely on: `ID_SQL` and `movielens_id`
are the same function.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from moviehouse.generator.oddities import link_oddities, small_link_oddities
from moviehouse.generator.weave import Note, Oddity, Row, place
from moviehouse.generator.world import World

# The first ids are dense, the later ones have gaps, as in the original; always ascending.
_DENSE = 9000
ID_SQL = f"CASE WHEN k < {_DENSE} THEN k + 1 ELSE k * 4 + k * 7919 % 4 - {3 * _DENSE - 1} END"
# Numbers behind the last link at which ids of no link begin.
_SPARE_UNLINKED = 1000


def movielens_id(number: int) -> int:
    """MovieLens's id of a link; numbers past the last link give ids that no link has."""
    return number + 1 if number < _DENSE else number * 4 + number * 7919 % 4 - (3 * _DENSE - 1)


@dataclass(frozen=True)
class Links:
    """All links of a sample: most name a movie, some none, some one that is not there."""

    world: World
    oddities: bool

    @cached_property
    def count(self) -> int:
        """How many links there are; 45,843 for 45,000 movies."""
        movies = self.world.movies
        return max(movies * 45_843 // 45_000, movies + (movies >= 10))

    @cached_property
    def small_count(self) -> int:
        """How many of them links_small.csv picks."""
        return max(1, self.count * 9125 // 45_843)

    def small_number(self, place_: int) -> int:
        """The link at a place of the small list, which takes most of the early ones and few later."""
        return place_ + (self.count - self.small_count) * place_ * place_ // (self.small_count**2)

    @property
    def small_number_sql(self) -> str:
        """The same, over `p`."""
        return f"p + {self.count - self.small_count} * p * p // {self.small_count**2}"

    @cached_property
    def plan(self) -> dict[int, Oddity]:
        """What is planted in links.csv."""
        return place(link_oddities(), 1, self.count) if self.oddities else {}

    @cached_property
    def small_plan(self) -> dict[int, Oddity]:
        """What is planted in links_small.csv."""
        return place(small_link_oddities(), 1, self.small_count) if self.oddities else {}

    @cached_property
    def _kinds(self) -> dict[int, str]:
        """The links that are not simply the next movie's, by number."""
        surplus = self.count - self.world.movies
        shared = surplus * 29 // 843
        unlinked = -(-surplus * 161 // 843) if self.oddities else 0
        kinds = ["unlinked"] * unlinked + ["shared"] * shared
        kinds += ["unknown"] * (surplus - len(kinds))
        self.world.rng("links").shuffle(kinds)
        taken = set(self.plan) | {self.small_number(p) for p in self.small_plan}
        found: dict[int, str] = {}
        for place_, kind in enumerate(kinds, 1):
            number = place_ * self.count // (surplus + 1)
            while number in taken or number in found:
                number = (number + 1) % self.count
            found[number] = kind
        return found

    def _row(self, number: int, movie: int, kind: str | None) -> Row:
        world = self.world
        movie = world.movies + _SPARE_UNLINKED + number % 15_000 if kind == "unlinked" else movie
        tmdb = "" if kind == "unknown" else str(world.movie_id(movie))
        imdb = world.imdb_number(movie if kind != "unknown" else world.movies + 16_000 + number)
        notes = (Note("unlinked_movie", "tmdbId"),) if kind == "unlinked" else ()
        return Row([str(movielens_id(number)), f"{imdb:07}", tmdb], None, notes)

    def rows(self) -> Iterator[Row]:
        """The records of links.csv."""
        movie = 0
        for number in range(self.count):
            kind = self._kinds.get(number)
            # A shared tmdbId: two of MovieLens's movies are one of TMDB's.
            yield self._row(number, max(0, movie - 1) if kind == "shared" else movie, kind)
            movie += kind is None

    def small_rows(self) -> Iterator[Row]:
        """The records of links_small.csv, at the end those that links.csv lacks."""
        place_ = 0
        for number, row in enumerate(self.rows()):
            if place_ < self.small_count and number == self.small_number(place_):
                place_ += 1
                yield Row(self._without_odd_imdb(number, row.fields))
        for extra in range(-(-self.world.movies * 10 // 45_433) if self.oddities and self.world.movies >= 10 else 0):
            row = self._row(self.count + 200 + extra, 0, "unlinked")
            yield row

    def _without_odd_imdb(self, number: int, fields: list[str]) -> list[str]:
        """The same ids as in links.csv as it will be read: a code that is invalid there is unknown."""
        odd = self.plan.get(number)
        invalid = odd is not None and Note("invalid_code", "imdbId") in odd.notes
        return [fields[0], "", fields[2]] if invalid else fields

    def spares(self) -> Iterator[Row]:
        """Records that will be rejected."""
        for number in range(100):
            spare = self.world.movies + number
            fields = [str(movielens_id(self.count + number)), f"{self.world.imdb_number(spare):07}"]
            yield Row([*fields, str(self.world.movie_id(spare))])
