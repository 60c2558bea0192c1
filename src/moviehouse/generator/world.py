"""The invented universe: which ids there are, and what they are called.

Everything is a function of its number, so that a sample of any size keeps nothing in memory and a
movie's id can be told in every file without looking it up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import gcd
from random import Random

from moviehouse.generator.facts import FAMOUS
from moviehouse.generator.words import ADJECTIVES, FIRST_NAMES, LAST_NAMES, NOUNS, PLACES, image

_FAMOUS_IDS = frozenset(movie.movie_id for movie in FAMOUS)
_STUDIOS = ("Pictures", "Films", "Productions", "Entertainment", "Film Company", "Studios", "Cinéma", "Media")
# Numbers of movies from here on are in no file: they serve rejected records and dangling references.
SPARE = 20_000


@dataclass(frozen=True)
class Person:
    """Somebody in a cast or crew."""

    id: int
    name: str
    gender: int
    profile_path: str | None


@dataclass(frozen=True)
class World:
    """The universe of one sample."""

    movies: int
    seed: int

    def rng(self, purpose: str) -> Random:
        """Chance for one purpose; seeding by text does not depend on PYTHONHASHSEED."""
        return Random(f"{self.seed}:{purpose}")  # noqa: S311  (nothing here is secret)

    @cached_property
    def famous(self) -> int:
        """How many real movies come first; at least half of a tiny sample is invented."""
        return min(len(FAMOUS), (self.movies + 1) // 2)

    @cached_property
    def _ring(self) -> tuple[int, int, int]:
        size = 10 * self.movies + SPARE
        step = int(size * 0.6180339) + self.seed % 1000
        while gcd(step, size) != 1:
            step += 1
        return size, step, (self.seed * 7919) % size

    def movie_id(self, number: int) -> int:
        """TMDB's id of the movie; numbers from `movies` on give ids that no movie has."""
        if number < self.famous:
            return FAMOUS[number].movie_id
        size, step, start = self._ring
        movie_id = 2 + (number * step + start) % size
        return movie_id + size if movie_id in _FAMOUS_IDS else movie_id

    def imdb_number(self, number: int) -> int:
        """IMDb's number of the movie."""
        return FAMOUS[number].imdb_number if number < self.famous else 200_003 + number * 29

    @cached_property
    def companies(self) -> int:
        """How many invented companies there are."""
        return max(12, self.movies // 2)

    def company(self, number: int) -> tuple[int, str]:
        """The id and name of a company; ids do not meet those of the real companies."""
        adjective = ADJECTIVES[number * 31 % len(ADJECTIVES)].capitalize()
        noun = NOUNS[(number // 3 + number * 17) % len(NOUNS)].capitalize()
        studio = _STUDIOS[number // 7 % len(_STUDIOS)]
        if number % 89 == 5:
            return 100_003 + number * 7, f'{adjective}\u00a0"{noun}" d\'{PLACES[number % 25]}'
        if number % 11 == 3:
            return 100_003 + number * 7, f"{adjective}/{noun}'s {studio}"
        return 100_003 + number * 7, f"{adjective} {noun} {studio}"

    @cached_property
    def collections(self) -> int:
        """How many invented collections there are."""
        return max(3, self.movies // 27)

    def collection(self, number: int) -> dict[str, object]:
        """A collection as a movie's cell has it."""
        id_ = 500_000 + number * 3
        name = f"{ADJECTIVES[number % len(ADJECTIVES)]} {NOUNS[number * 7 % len(NOUNS)]}".title()
        return {
            "id": id_,
            "name": f"{name} Collection",
            "poster_path": image(id_) if number % 8 else None,
            "backdrop_path": image(id_ + 1) if number % 5 else None,
        }

    @cached_property
    def keywords(self) -> int:
        """How many keywords there are."""
        return max(60, int(self.movies * 0.44))

    def keyword(self, number: int) -> tuple[int, str]:
        """The id and name of a keyword."""
        id_ = 90 + number * 11
        noun, other = NOUNS[number % len(NOUNS)], NOUNS[(number * 13 + number // len(NOUNS)) % len(NOUNS)]
        if number % 3 == 0:
            return id_, f"{noun} {other}" if number >= len(NOUNS) else noun
        if number % 17 == 1:
            return id_, f"based on a {noun}'s {other}"
        return id_, f"{ADJECTIVES[(number * 5 + number // 97) % len(ADJECTIVES)]} {noun}"

    @cached_property
    def people(self) -> int:
        """How many people there are."""
        return max(200, int(self.movies * 7.8))

    def person(self, number: int) -> Person:
        """A person; two in five have no picture."""
        id_ = 2 + number * 5
        first = FIRST_NAMES[number * 41 % len(FIRST_NAMES)]
        last = LAST_NAMES[(number // len(FIRST_NAMES) + number * 29) % len(LAST_NAMES)]
        middle = f" {PLACES[number % 25][0]}." if number % 6 == 5 else ""
        picture = image(id_) if number % 5 >= 2 else None
        return Person(id_, f"{first}{middle} {last}", number * 7 // 3 % 3, picture)
