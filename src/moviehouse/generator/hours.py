"""The invented universe as time goes by: what a movie's records say at an hour.

Everything is a function of the hour and of a number, as in `world`, so that no drop needs the one before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

from moviehouse.generator.links import Links, movielens_id
from moviehouse.generator.movies import movie_rows
from moviehouse.generator.people import cast_member, credit_rows, keyword_rows
from moviehouse.generator.weave import Row
from moviehouse.generator.world import Person, World
from moviehouse.model.sources import CREDITS, KEYWORDS, MOVIES

_MOVIE = {column.name: place for place, column in enumerate(MOVIES.columns)}
_CAST = [column.name for column in CREDITS.columns].index("cast")
_KEYWORDS = [column.name for column in KEYWORDS.columns].index("keywords")
# The first link that no other part of a sample uses.
_NEW_LINKS = 2000
# Corrections are made within so many hours.
_SPAN = 100


@dataclass(frozen=True)
class Hour(World):
    """The universe at an hour, counted from the first drop's. Movies from number `movies` on have come since."""

    hour: int = 0

    def chance(self, *what: object) -> float:
        """From 0 to 1, always the same for the same things."""
        text = ":".join(map(str, (self.seed, *what))).encode()
        return int.from_bytes(blake2b(text, digest_size=4).digest(), "big") / 2**32

    def _since(self, share: float, *what: object) -> bool:
        """Whether something that comes to a share of things, each at an hour of its own, has come to this one."""
        return self.chance(*what) < share and self.hour > int(self.chance("when", *what) * _SPAN)

    @cached_property
    def arrivals(self) -> int:
        """How many movies come in an hour."""
        return max(1, self.movies // 1000)

    @property
    def total(self) -> int:
        """How many movies there have been."""
        return self.movies + self.arrivals * self.hour

    def new(self, hours: int = 0) -> range:
        """The movies that come in this hour, or so many hours later."""
        hour = self.hour + hours
        return (
            range(self.movies + self.arrivals * (hour - 1), self.movies + self.arrivals * hour)
            if hour > 0
            else range(0)
        )

    def exists(self, number: int) -> bool:
        """Whether the movie is there: one in fifty goes some day, a quarter of those are back after another."""
        if number < self.famous or self.chance("gone", number) > 0.02:
            return number < self.total
        gone = 1 + int(self.chance("gone when", number) * _SPAN)
        back = gone + 24 if self.chance("back", number) < 0.25 else self.hour + 1
        return number < self.total and not gone <= self.hour < back

    def observed(self, count: int, purpose: str) -> list[int]:
        """Up to so many movies to be seen in this hour, popular ones more often; sorted."""
        rng = self.rng(f"{purpose}:{self.hour}")
        drawn = {int(self.total * rng.random() ** 2) for _ in range(count)}
        return sorted(number for number in drawn if self.exists(number))

    def company(self, number: int) -> tuple[int, str]:
        """A company; one in forty is renamed some day."""
        id_, name = super().company(number)
        return id_, f"{name} Group" if self._since(0.025, "company", number) else name

    def person(self, number: int) -> Person:
        """A person; one in sixty has a name corrected or a gender found out some day."""
        who = super().person(number)
        if self._since(0.016, "person", number):
            return Person(who.id, f"{who.name} Jr.", who.gender or 1, who.profile_path)
        return who

    def movie(self, number: int) -> Row:
        """A movie's record in movies_metadata.csv."""
        row = next(movie_rows(self, number, number + 1))
        cells = row.fields
        self._drift(number, cells)
        self._correct(number, cells)
        if number >= self.movies and self.total - number < 12 * self.arrivals:
            cells[_MOVIE["status"]] = "Post Production"
        return row

    def _drift(self, number: int, cells: list[str]) -> None:
        """Votes come in all the time; popularity is computed anew every three hours."""
        votes, popularity = int(cells[_MOVIE["vote_count"]]), float(cells[_MOVIE["popularity"]])
        if votes:
            average = (
                float(cells[_MOVIE["vote_average"]]) + (int(3 * self.chance("mean", number, self.hour // 12)) - 1) / 10
            )
            cells[_MOVIE["vote_average"]] = f"{min(10.0, max(0.5, average)):.1f}"
            cells[_MOVIE["vote_count"]] = str(votes + int(self.hour * votes * self.chance("votes", number) / 500))
        if popularity > 0.01:
            factor = 0.8 + 0.4 * self.chance("popularity", number, self.hour // 3)
            cells[_MOVIE["popularity"]] = repr(round(popularity * factor, 6))

    def _correct(self, number: int, cells: list[str]) -> None:
        """What people mend by hand: a title, a budget, a list of genres. Revenue grows."""
        title, revenue = cells[_MOVIE["title"]], int(cells[_MOVIE["revenue"]])
        if number >= self.famous and self.chance("title", number) < 0.05 and not self._since(0.05, "title", number):
            cells[_MOVIE["title"]] = title[:2] + title[1:]
        if self._since(0.05, "budget", number):
            cells[_MOVIE["budget"]] = str(int(cells[_MOVIE["budget"]]) + 1_000_000)
        if revenue and self.chance("revenue", number) < 0.1:
            cells[_MOVIE["revenue"]] = str(revenue + 1000 * self.hour * int(1 + 50 * self.chance("earns", number)))
        if self._since(0.02, "genres", number):
            cells[_MOVIE["genres"]] = "[]"

    def credits(self, number: int) -> Row:
        """A movie's record in credits.csv: a part is found some day, or the whole cast taken out."""
        row = next(credit_rows(self, number, number + 1))
        if self._since(0.05, "part", number):
            who = int(self.people * self.chance("who", number))
            part = cast_member(self, who, 200, f"53fe{number:07x}c3a3680000001", "Uncredited")
            row.fields[_CAST] = _with(row.fields[_CAST], part)
        if self._since(0.01, "no cast", number):
            row.fields[_CAST] = "[]"
        return row

    def keyword_record(self, number: int) -> Row:
        """A movie's record in keywords.csv: some are tagged once more."""
        row = next(keyword_rows(self, number, number + 1))
        if self._since(0.05, "keyword", number):
            id_, name = (
                5 + 11 * int(8 * self.chance("which", number)),
                f"tag {int(3 * self.chance('tag', number, self.hour))}",
            )
            row.fields[_KEYWORDS] = _with(row.fields[_KEYWORDS], {"id": id_, "name": name})
        return row

    def links(self) -> Iterator[Row]:
        """The records of links.csv for the movies that have come in this hour."""
        first = Links(self, oddities=False).count + _NEW_LINKS - self.movies
        for number in self.new():
            yield Row([str(movielens_id(first + number)), f"{self.imdb_number(number):07}", str(self.movie_id(number))])

    def ratings(self, count: int, moment: int) -> Iterator[str]:
        """So many ratings given in this hour, the last second of which is `moment`; one in ten is given anew."""
        links = Links(self, oddities=False).count
        for number in range(count):
            again = number % 10 == 9 and self.hour > 1
            hour, source = (self.hour - 1, number - 1) if again else (self.hour, number)
            user = 1_000_000_000 + hour * 1_000_000 + source // 4
            movie = int(links * self.chance("rated", hour, source) ** 2)
            stars = (1 + int(10 * self.chance("stars", self.hour, number))) / 2
            yield f"{user},{movielens_id(movie)},{stars},{moment - (number * 7) % 3600}"


def _with(cell: str, element: dict[str, object]) -> str:
    """A list's cell with one element more."""
    return f"[{element!r}]" if cell == "[]" else f"{cell[:-1]}, {element!r}]"
