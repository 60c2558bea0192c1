"""The well-formed records of movies_metadata.csv."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from moviehouse.generator.facts import (
    COMPANIES,
    COUNTRY_NAMES,
    COUNTRY_WHEEL,
    FAMOUS,
    GENRE_WHEEL,
    LANGUAGE_NAMES,
    LANGUAGE_WHEEL,
    YEAR_WHEEL,
    Famous,
)
from moviehouse.generator.weave import Row, in_order
from moviehouse.generator.words import ADJECTIVES, NOUNS, foreign_title, image, overview, pick, sentence, title
from moviehouse.generator.world import World
from moviehouse.model.sources import GENRES, MOVIES

# Upper ends of a draw: how many genres (companies, …) a movie has is the place of the draw among them.
_GENRE_COUNTS = (0.054, 0.374, 0.692, 0.903, 0.977, 0.995, 0.999)
_COMPANY_COUNTS = (0.26, 0.61, 0.79, 0.89, 0.945, 0.97, 0.985, 0.994)
_COUNTRY_COUNTS = (0.138, 0.86, 0.955, 0.985)
_STATUSES = ((0.9901, "Released"), (0.9952, "Rumored"), (0.9974, "Post Production"),
             (0.9979, "In Production"), (0.9982, "Planned"), (0.9983, "Canceled"))  # fmt: skip


def count(draw: float, ends: tuple[float, ...]) -> int:
    """The place of a draw among the upper ends."""
    for place, end in enumerate(ends):
        if draw < end:
            return place
    return len(ends)


def genre_list(ids: tuple[int, ...] | list[int]) -> str:
    """A genres cell."""
    return repr([{"id": id_, "name": GENRES[id_]} for id_ in ids])


def company_list(companies: list[tuple[int, str]]) -> str:
    """A production_companies cell."""
    return repr([{"name": name, "id": id_} for id_, name in companies])


def country_list(codes: tuple[str, ...] | list[str]) -> str:
    """A production_countries cell."""
    return repr([{"iso_3166_1": code, "name": COUNTRY_NAMES[code]} for code in codes])


def language_list(codes: tuple[str, ...] | list[str]) -> str:
    """A spoken_languages cell."""
    return repr([{"iso_639_1": code, "name": LANGUAGE_NAMES[code]} for code in codes])


def movie_rows(world: World, first: int = 0, last: int | None = None) -> Iterator[Row]:
    """The movies from number `first` to before `last`, real ones first."""
    rng = world.rng(f"movies:{first}")
    for number in range(first, world.movies if last is None else last):
        movie_id = world.movie_id(number)
        cells = _real(FAMOUS[number], rng) if number < world.famous else _invented(world, number, rng)
        yield Row(in_order(MOVIES, cells), movie_id)


def _real(movie: Famous, rng: Random) -> dict[str, str]:
    collection = ""
    if movie.collection:
        id_, name = movie.collection
        parts = {"id": id_, "name": name, "poster_path": image(id_), "backdrop_path": image(id_ + 1)}
        collection = repr(parts)
    return {
        "adult": "False", "belongs_to_collection": collection, "budget": str(movie.budget),
        "genres": genre_list(movie.genres), "homepage": "", "id": str(movie.movie_id),
        "imdb_id": f"tt{movie.imdb_number:07}", "original_language": movie.language,
        "original_title": movie.original_title, "overview": overview(rng), "popularity": movie.popularity,
        "poster_path": image(movie.movie_id),
        "production_companies": company_list([(c, COMPANIES[c]) for c in movie.companies]),
        "production_countries": country_list(movie.countries), "release_date": movie.release_date,
        "revenue": str(movie.revenue), "runtime": f"{movie.runtime}.0",
        "spoken_languages": language_list(movie.languages), "status": "Released",
        "tagline": sentence(rng) if rng.random() < 0.7 else "", "title": movie.title, "video": "False",
        "vote_average": movie.vote_average, "vote_count": str(movie.vote_count),
    }  # fmt: skip


def _invented(world: World, number: int, rng: Random) -> dict[str, str]:
    language = LANGUAGE_WHEEL[int(rng.random() * len(LANGUAGE_WHEEL))]
    name = title(rng)
    original = foreign_title(rng, language) if language != "en" else None
    votes, average = _votes(rng)
    budget, revenue = _amounts(rng)
    return {
        "adult": "False" if rng.random() < 0.9998 else "True",
        "belongs_to_collection": _collection(world, rng), "budget": budget,
        "genres": genre_list(_genres(rng)), "homepage": _homepage(rng), "id": str(world.movie_id(number)),
        "imdb_id": f"tt{world.imdb_number(number):07}" if rng.random() < 0.9996 else "",
        "original_language": language if rng.random() < 0.9998 else "",
        "original_title": original or name,
        "overview": overview(rng) if rng.random() < 0.98 else "",
        "popularity": _popularity(rng, votes),
        "poster_path": image(world.movie_id(number)) if rng.random() < 0.9915 else "",
        "production_companies": company_list(_companies(world, rng)),
        "production_countries": country_list(_distinct(rng, COUNTRY_WHEEL, _COUNTRY_COUNTS)),
        "release_date": _date(rng) if rng.random() < 0.998 else "", "revenue": revenue,
        "runtime": _runtime(rng), "spoken_languages": language_list(_languages(rng, language)),
        "status": _status(rng), "tagline": sentence(rng)[:-1] if rng.random() < 0.45 else "", "title": name,
        "video": "False" if rng.random() < 0.998 else "True", "vote_average": average,
        "vote_count": str(votes),
    }  # fmt: skip


def _distinct(rng: Random, wheel: tuple[str, ...], ends: tuple[float, ...]) -> list[str]:
    wanted, found = count(rng.random(), ends), dict[str, None]()
    while len(found) < wanted:
        found[pick(rng, wheel)] = None
    return list(found)


def _genres(rng: Random) -> list[int]:
    wanted, found = count(rng.random(), _GENRE_COUNTS), dict[int, None]()
    while len(found) < wanted:
        found[GENRE_WHEEL[int(rng.random() * len(GENRE_WHEEL))]] = None
    return list(found)


def _companies(world: World, rng: Random) -> list[tuple[int, str]]:
    found = dict[int, None]()
    for _ in range(count(rng.random(), _COMPANY_COUNTS)):
        draw = rng.random()
        found[int(world.companies * draw * draw)] = None
    return [world.company(number) for number in found]


def _languages(rng: Random, original: str) -> list[str]:
    draw = rng.random()
    if draw < 0.085:
        return []
    found = {original: None}
    for _ in range(count(draw, (0.84, 0.94, 0.98, 0.99))):
        found[pick(rng, LANGUAGE_WHEEL)] = None
    return list(found)


def _collection(world: World, rng: Random) -> str:
    if rng.random() > 0.1:
        return ""
    return repr(world.collection(int(rng.random() * world.collections)))


def _homepage(rng: Random) -> str:
    if rng.random() > 0.17:
        return ""
    return f"http://www.{pick(rng, ADJECTIVES)}-{pick(rng, NOUNS)}.example/"


def _votes(rng: Random) -> tuple[int, str]:
    draw = rng.random()
    if draw < 0.064:
        return 0, "0.0"
    votes = 1 + int(60 * draw * draw) + (int(1800 * rng.random() ** 4) if draw > 0.8 else 0)
    return votes, f"{1 + (rng.random() + rng.random() + rng.random()) * 3:.1f}"


def _popularity(rng: Random, votes: int) -> str:
    draw = rng.random()
    if draw < 0.002:
        return ("1.80E-05", "3e-06", "4e-06", "0.0", "0")[int(draw * 2500)]
    return repr(round(8 * draw * draw * draw + votes * 0.01 * rng.random() + 0.000101, 6))


def _amounts(rng: Random) -> tuple[str, str]:
    """Budget and revenue: most movies have neither; the known ones are far from suspicious."""
    draw = rng.random()
    if draw < 0.78:
        return "0", "0"
    scale = rng.random()
    budget = 20_000 + int(scale * scale * scale * 90_000) * 1000
    revenue = 5_003 + int(budget * rng.random() * 4)
    if draw < 0.88:
        return str(budget), "0"
    return ("0", str(revenue)) if draw < 0.90 else (str(budget), str(revenue))


def _date(rng: Random) -> str:
    first, last = YEAR_WHEEL[int(rng.random() * len(YEAR_WHEEL))]
    year = first + int(rng.random() * (last - first + 1))
    if rng.random() < 0.08:
        return f"{year}-01-01"
    return f"{year}-{1 + int(rng.random() * 12):02}-{1 + int(rng.random() * 28):02}"


def _runtime(rng: Random) -> str:
    draw = rng.random()
    if draw < 0.006:
        return ""
    if draw < 0.04:
        return "0.0"
    return f"{int(4 + 40 * rng.random() if draw < 0.12 else 75 + 50 * rng.random() * draw)}.0"


def _status(rng: Random) -> str:
    draw = rng.random()
    return next((status for end, status in _STATUSES if draw < end), "")
