"""The well-formed records of credits.csv and keywords.csv."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from moviehouse.generator.facts import JOB_WHEEL
from moviehouse.generator.weave import Row, in_order
from moviehouse.generator.words import FIRST_NAMES, LAST_NAMES, ODD_ROLES, ROLES, pick
from moviehouse.generator.world import World
from moviehouse.model.sources import CREDITS, KEYWORDS


def credit_rows(world: World, first: int = 0, last: int | None = None) -> Iterator[Row]:
    """The credits of the movies from number `first` to before `last`."""
    rng = world.rng(f"credits:{first}")
    for number in range(first, world.movies if last is None else last):
        movie_id = world.movie_id(number)
        stem = f"52fe{number:07x}c3a368"
        cast = _cast(world, rng, stem)
        crew = _crew(world, rng, stem, len(cast))
        cells = {"cast": repr(cast), "crew": repr(crew), "id": str(movie_id)}
        yield Row(in_order(CREDITS, cells), movie_id)


def _cast_size(rng: Random) -> int:
    draw = rng.random()
    if draw < 0.053:
        return 0
    return 1 + int(draw * draw * 29) + (int(rng.random() * 70) if draw > 0.93 else 0)


def _crew_size(rng: Random) -> int:
    draw = rng.random()
    if draw < 0.017:
        return 0
    return 1 + int(draw * draw * draw * 29) + (int(rng.random() * 90) if draw > 0.95 else 0)


def _role(rng: Random) -> str:
    draw = rng.random()
    if draw < 0.06:
        return ""
    if draw < 0.25:
        return ROLES[int(draw * 47) % len(ROLES)]
    if draw > 0.992:
        return pick(rng, ODD_ROLES)
    voice = " (voice)" if 0.4 < draw < 0.44 else ""
    return f"{pick(rng, FIRST_NAMES)} {pick(rng, LAST_NAMES)}{voice}"


def cast_member(world: World, person: int, order: int, credit_id: str, role: str) -> dict[str, object]:
    """One element of a cast cell."""
    who = world.person(person)
    return {
        "cast_id": order + 1 + order // 3,
        "character": role,
        "credit_id": credit_id,
        "gender": who.gender,
        "id": who.id,
        "name": who.name,
        "order": order,
        "profile_path": who.profile_path,
    }


def crew_member(world: World, person: int, credit_id: str, job: tuple[str, str]) -> dict[str, object]:
    """One element of a crew cell."""
    who = world.person(person)
    return {
        "credit_id": credit_id,
        "department": job[0],
        "gender": who.gender,
        "id": who.id,
        "job": job[1],
        "name": who.name,
        "profile_path": who.profile_path,
    }


def _anybody(world: World, rng: Random) -> int:
    draw = rng.random()
    return int(world.people * draw * draw)


def _cast(world: World, rng: Random, stem: str) -> list[dict[str, object]]:
    return [
        cast_member(world, _anybody(world, rng), order, f"{stem}{order * 4 + 5:07x}", _role(rng))
        for order in range(_cast_size(rng))
    ]


def _crew(world: World, rng: Random, stem: str, cast: int) -> list[dict[str, object]]:
    jobs = len(JOB_WHEEL)
    return [
        crew_member(
            world,
            _anybody(world, rng),
            f"{stem}{(cast + place) * 4 + 5:07x}",
            JOB_WHEEL[int(rng.random() * jobs) if place else place],
        )
        for place in range(_crew_size(rng))
    ]


def keyword_list(keywords: list[tuple[int, str]]) -> str:
    """A keywords cell."""
    return repr([{"id": id_, "name": name} for id_, name in keywords])


def keyword_rows(world: World, first: int = 0, last: int | None = None) -> Iterator[Row]:
    """The keywords of the movies from number `first` to before `last`."""
    rng = world.rng(f"keywords:{first}")
    for number in range(first, world.movies if last is None else last):
        movie_id = world.movie_id(number)
        found = dict[int, None]()
        draw = rng.random()
        for _ in range(0 if draw < 0.319 else 1 + int((draw - 0.319) ** 2 * 27)):
            place = rng.random()
            found[int(world.keywords * place * place * place)] = None
        cells = {"id": str(movie_id), "keywords": keyword_list([world.keyword(k) for k in found])}
        yield Row(in_order(KEYWORDS, cells), movie_id)
