"""What is planted in the sample: every oddity of the original, and more that a feed may have one day.

Each oddity has the notes that the error log must have about its record, no more and no fewer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from moviehouse.generator.movies import company_list, country_list, genre_list, language_list
from moviehouse.generator.people import cast_member, crew_member, keyword_list
from moviehouse.generator.weave import Group, Note, Oddity, csv_line
from moviehouse.generator.world import World
from moviehouse.model.sources import CREDITS, KEYWORDS, MOVIES, SourceFile

Change = Callable[[list[str]], list[str]]

# Past 1% of undecodable records a file is refused, so such a record needs a crowd to hide in.
_CROWD = 200
# Ids that no generated thing has.
_COMPANY, _KEYWORD, _PERSON, _COLLECTION = 9_700_001, 9_600_001, 9_500_001, 9_400_001
_MARK = "\x01"


def _columns(source: SourceFile) -> tuple[str, ...]:
    return tuple(column.name for column in source.columns)


def _put(columns: tuple[str, ...], cells: dict[str, str]) -> Change:
    def change(fields: list[str]) -> list[str]:
        for name, cell in cells.items():
            fields[columns.index(name)] = cell
        return fields

    return change


def _notes(reasons: dict[str, str]) -> tuple[Note, ...]:
    """Notes from columns and their reasons."""
    return tuple(Note(reason, column) for column, reason in reasons.items())


def _instead_of_mark(raw: bytes) -> Callable[[list[str]], bytes]:
    return lambda fields: csv_line(fields).encode().replace(_MARK.encode(), raw)


def _surplus(fields: list[str]) -> list[str]:
    return [*fields, "surplus"]


def _rejected(columns: tuple[str, ...], key: str, text: str) -> Iterator[Group]:
    """Records that nobody could take: `text` is a column whose cell may be made unreadable."""
    bad_key = "1997-08-20" if key == "id" else "n/a"
    # Only the line with the stray quote is lost, so the record must not span lines.
    prose = {"overview": "A plain one."} if "overview" in columns else {}
    mark = _put(columns, {text: _MARK, **prose})
    yield (Oddity((Note("wrong_field_count"),), _surplus, extra=True),)
    yield (Oddity((Note("invalid_key", key),), _put(columns, {key: bad_key}), extra=True),)
    yield (Oddity((Note("missing_key", key),), _put(columns, {key: ""}), extra=True),)
    yield (Oddity((Note("malformed_quote"),), mark, _instead_of_mark(b'"Big" Fish'), extra=True),)
    yield (Oddity((Note("nul_byte"),), mark, _instead_of_mark(b"Toy\0Story"), extra=True),)
    yield (Oddity((Note("not_utf8"),), mark, _instead_of_mark(b"Caf\xe9"), extra=True, needs=_CROWD),)


def _repeats(column: str, wanted: int, change: Change | None = None) -> Iterator[Group]:
    """Records that come again later, the earlier one altered by `change`; one of them comes three times."""
    notes = (Note("duplicate_record", column),)
    for number in range(wanted):
        copies = (5, 29) if number == 2 else (1 + number * 11 % 60,)
        if change and number % 2:
            yield (Oddity(notes, change, copies=copies),)
        else:
            yield (Oddity(notes, copies=copies),)


def _share(records: int, of_45k: int, at_least: int) -> int:
    """As many as the original has for its size; none in a handful of records."""
    return max(at_least, records * of_45k // 45_433) if records >= 40 else 0


_MOVIES = _columns(MOVIES)
_COMPANIES = "production_companies"
_COUNTRIES = "production_countries"
_LANGUAGES = "spoken_languages"
_CUT = company_list([(_COMPANY, "Twice Cut Films"), (_COMPANY + 1, "Lost Films")])[:-12]
_TWICE = company_list([(_COMPANY + 2, "Echo"), (_COMPANY + 3, "Solo"), (_COMPANY + 2, "Echo")])
_NAMELESS = repr([{"name": "Nameless & Sons", "id": None}, {"name": "Solid", "id": _COMPANY + 4}])

# Columns with the reasons logged about them, and the cells that are the cause.
_MOVIE_CELLS: tuple[tuple[dict[str, str], dict[str, str]], ...] = (
    ({"genres": "damaged_list"}, {"genres": "[{'id': 35, 'name': 'Comedy'} GATORADE"}),
    ({"release_date": "invalid_date"}, {"release_date": "10/30/1995"}),
    ({"budget": "suspicious_amount", "revenue": "suspicious_amount"}, {"budget": "12", "revenue": "7"}),
    ({"popularity": "invalid_number"}, {"popularity": "Beware"}),
    ({"genres": "unknown_genre"}, {"genres": "[{'id': 18, 'name': 'Drama'}, {'id': 7883, 'name': 'Gloom'}]"}),
    ({"status": "unknown_status"}, {"status": "released"}),
    ({"genres": "duplicate_element"}, {"genres": genre_list((18, 35, 18))}),
    ({"budget": "invalid_integer"}, {"budget": "n/a"}),
    ({"genres": "invalid_list"}, {"genres": "['Comedy'"}),
    ({"genres": "invalid_element"}, {"genres": "[{'id': 18, 'name': 'Drama'}, {'name': 'Comedy'}]"}),
    ({"adult": "invalid_boolean"}, {"adult": "yes"}),
    ({"imdb_id": "invalid_code"}, {"imdb_id": "0"}),
    ({"popularity": "rounded"}, {"popularity": "0.12345678901"}),
    ({"release_date": "invalid_date"}, {"release_date": "1995-02-31"}),
    ({"vote_average": "invalid_number"}, {"vote_average": "12", "vote_count": "5"}),
    ({"runtime": "invalid_integer"}, {"runtime": "abc"}),
    ({"revenue": "invalid_integer"}, {"revenue": "12,5"}),
    ({"revenue": "invalid_integer"}, {"revenue": "-1"}),
    ({"vote_count": "invalid_integer"}, {"vote_count": "3.7", "vote_average": "6.1"}),
    ({"original_language": "invalid_code"}, {"original_language": "104.0"}),
    ({"video": "invalid_boolean"}, {"video": "maybe"}),
    ({"revenue": "suspicious_amount"}, {"revenue": "999", "budget": "1000"}),
    ({"budget": "suspicious_amount"}, {"budget": "1", "revenue": "0"}),
    ({"status": "unknown_status"}, {"status": "Direct to Video"}),
    ({_COMPANIES: "damaged_list"}, {_COMPANIES: _CUT}),
    ({_COMPANIES: "duplicate_element"}, {_COMPANIES: _TWICE}),
    ({_COMPANIES: "invalid_element"}, {_COMPANIES: _NAMELESS}),
    ({_COMPANIES: "invalid_list"}, {_COMPANIES: "False"}),
    ({_COUNTRIES: "duplicate_element"}, {_COUNTRIES: country_list(("US", "GB", "US"))}),
    (
        {_COUNTRIES: "invalid_element"},
        {_COUNTRIES: "[{'iso_3166_1': 'usa', 'name': 'United States of America'}]"},
    ),
    ({_COUNTRIES: "invalid_list"}, {_COUNTRIES: "6.0"}),
    ({_LANGUAGES: "duplicate_element"}, {_LANGUAGES: language_list(("en", "fr", "en"))}),
    ({_LANGUAGES: "damaged_list"}, {_LANGUAGES: language_list(("de", "fr"))[:-1]}),
)


def _older(fields: list[str]) -> list[str]:
    """The record as it was some time before: less popular, with fewer votes."""
    popularity, votes = _MOVIES.index("popularity"), _MOVIES.index("vote_count")
    fields[popularity] = "0.000578"
    fields[votes] = str(int(fields[votes]) // 2)
    return fields


def _movie_pairs() -> Iterator[Group]:
    """Two movies that call one thing by two names: the earlier record's name loses."""
    for column, old, new in (
        (
            "production_companies",
            company_list([(_COMPANY + 9, "Pixie Animation")]),
            company_list([(_COMPANY + 9, "Pixie Animation Studios")]),
        ),
        (
            "belongs_to_collection",
            repr({"id": _COLLECTION, "name": "Old Name Collection", "poster_path": None, "backdrop_path": None}),
            repr({"id": _COLLECTION, "name": "New Name Collection", "poster_path": None, "backdrop_path": None}),
        ),
    ):
        loser = Oddity((Note("name_conflict", column),), _put(_MOVIES, {column: old}))
        yield loser, Oddity((), _put(_MOVIES, {column: new}))


def _broken_overviews() -> Iterator[Group]:
    """Unquoted overviews with a line break: a real one splits the record, a carriage return is data."""
    broken = _put(_MOVIES, {"overview": "A sailor waits for the tide\r - Told by Ørnulf of Åby"})
    split = Oddity((Note("split_record"),), broken, lambda fields: csv_line(fields).replace("\r", "\n").encode())
    lone = Oddity((), broken)
    yield from ((split,), (lone,), (lone,), (lone,), (split,))


# Valid, if strange: these stay without oddities too.
_STRANGE_TITLES = (
    "=1+1",
    "<script>alert(1)</script>",
    "'; DROP TABLE movie; --",
    '🎬 Émile, "l\'été" — 東京',
)


def strange_titles() -> Iterator[Group]:
    """Titles that a spreadsheet, a browser or careless SQL would run."""
    for title in _STRANGE_TITLES:
        yield (Oddity((), _put(_MOVIES, {"title": title, "original_title": title})),)


def movie_oddities(world: World) -> Iterator[Group]:
    """What is planted in movies_metadata.csv, what is most telling first."""
    cells = [(Oddity(_notes(reasons), _put(_MOVIES, cells)),) for reasons, cells in _MOVIE_CELLS]
    breaks = _broken_overviews()
    yield next(breaks)
    yield from cells[:2]
    yield from _rejected(_MOVIES, "id", "title")
    yield (Oddity((Note("wrong_field_count"),), lambda fields: fields[:-1], extra=True),)
    yield from cells[2:]
    yield from breaks
    yield from _movie_pairs()
    yield from _repeats("id", _share(world.movies, 30, 3), _older)


_CREDITS = _columns(CREDITS)


def _unknown_movies(wanted: int) -> Iterator[Group]:
    for _ in range(wanted):
        yield (Oddity((Note("unknown_movie", "id"),), extra=True),)


@dataclass(frozen=True)
class _Credits:
    """Credits of our own; a credit's number stands for its id, and must not come twice."""

    world: World

    def cast(self, *people: tuple[int, str]) -> list[dict[str, object]]:
        """A cast of (person, credit)."""
        return [
            cast_member(self.world, person, order, f"5a{credit}", "Nobody")
            for order, (person, credit) in enumerate(people)
        ]

    def crew(self, *people: tuple[int, str]) -> list[dict[str, object]]:
        """A crew of (person, credit)."""
        return [crew_member(self.world, person, f"5b{credit}", ("Sound", "Foley")) for person, credit in people]

    def lists(self) -> Iterator[tuple[str, str, str]]:
        """Lists with something wrong: column, reason, cell."""
        cast, crew = self.cast, self.crew
        yield "cast", "duplicate_element", repr(cast((1, "01"), (2, "02"), (3, "01")))
        yield "crew", "duplicate_element", repr(crew((1, "01"), (2, "02"), (1, "01")))
        yield "cast", "damaged_list", repr(cast((4, "03"), (5, "04")))[:-30]
        yield "crew", "damaged_list", repr(crew((4, "05")))[:-1]
        yield "cast", "invalid_list", repr(cast((6, "06")))[:60]
        yield "crew", "invalid_list", "None"
        yield "cast", "invalid_element", repr([*cast((7, "07")), {"character": "Nobody", "order": 1}])
        yield "crew", "invalid_element", repr([crew((8, "08"))[0] | {"id": 0}, *crew((9, "09"))])
        yield "cast", "invalid_text", repr([cast((10, "10"))[0] | {"character": "\ud800"}])
        yield "crew", "invalid_text", repr([crew((11, "11"))[0] | {"department": 7}])

    def pairs(self) -> Iterator[Group]:
        """Two records that disagree: about whose credit it is, or about somebody's name."""
        twice, again = self.cast((12, "12"), (13, "13")), self.cast((14, "12"))
        lost = (Note("duplicate_element", "cast"),)
        yield self._cell("cast", twice, lost), self._cell("cast", again)
        for number, column in enumerate(("cast", "crew")):
            first = (self.cast if column == "cast" else self.crew)((0, f"2{number}"))
            last = self.cast((0, f"3{number}"))
            old, new = ({"id": _PERSON + number, "name": f"Ann {name}"} for name in ("Old", "New"))
            conflict = (Note("name_conflict", column),)
            yield self._cell(column, [first[0] | old], conflict), self._cell("cast", [last[0] | new])

    def _cell(self, column: str, elements: list[dict[str, object]], notes: tuple[Note, ...] = ()) -> Oddity:
        return Oddity(notes, _put(_CREDITS, {column: repr(elements)}))


def credit_oddities(world: World) -> Iterator[Group]:
    """What is planted in credits.csv."""
    credits = _Credits(world)
    yield from _unknown_movies(1)
    for column, reason, cell in credits.lists():
        yield (Oddity((Note(reason, column),), _put(_CREDITS, {column: cell})),)
    yield from credits.pairs()
    yield from _rejected(_CREDITS, "id", "cast")
    yield from _unknown_movies(2)
    yield from _repeats("id", _share(world.movies, 44, 3))


_KEYWORDS = _columns(KEYWORDS)


def keyword_oddities(world: World) -> Iterator[Group]:
    """What is planted in keywords.csv; `LAST_WORDS` comes at its very end."""

    def one(reason: str, cell: str) -> Group:
        return (Oddity((Note(reason, "keywords"),), _put(_KEYWORDS, {"keywords": cell})),)

    yield from _unknown_movies(1)
    yield one("duplicate_element", keyword_list([world.keyword(1), world.keyword(2), world.keyword(1)]))
    yield one("damaged_list", keyword_list([world.keyword(3), world.keyword(4)])[:-8])
    yield one("invalid_list", "[{'id': 90, 'na")
    yield one("invalid_element", "[{'id': 'ninety', 'name': 'toy'}, {'id': 9600002, 'name': 'boy'}]")
    yield one("invalid_text", r"[{'id': 9600003, 'name': 'half \ud83d'}]")
    yield one("invalid_text", "[{'id': 9600004, 'name': 12}]")
    (loser,) = one("name_conflict", keyword_list([(_KEYWORD, "film noir")]))
    yield loser, Oddity((), _put(_KEYWORDS, {"keywords": keyword_list([(_KEYWORD, "neo-noir")])}))
    yield from _rejected(_KEYWORDS, "id", "keywords")
    yield from _unknown_movies(1)
    yield from _repeats("id", _share(world.movies, 987, 3))


LAST_WORDS = b"8,\"[{'id': 90, 'name': 'cut sh"
"""A file that ends in the middle of a record."""

_LINKS = ("movieId", "imdbId", "tmdbId")


def link_oddities() -> Iterator[Group]:
    """What is planted in links.csv, beside the rows that are unlinked by nature."""
    yield (Oddity((Note("invalid_code", "imdbId"),), _put(_LINKS, {"imdbId": "tt0114709"})),)
    yield from _rejected(_LINKS, "movieId", "imdbId")
    yield (Oddity((Note("duplicate_record", "movieId"),), copies=(3,)),)


def small_link_oddities() -> Iterator[Group]:
    """What is planted in links_small.csv."""
    yield (Oddity((Note("links_disagree", "tmdbId"),), _put(_LINKS, {"tmdbId": "862"})),)
    yield (Oddity((Note("links_disagree", "imdbId"),), _put(_LINKS, {"imdbId": "9999999"})),)
    yield (Oddity((Note("wrong_field_count"),), _surplus, extra=True),)
    yield (Oddity((Note("missing_key", "movieId"),), _put(_LINKS, {"movieId": ""}), extra=True),)
    yield (Oddity((Note("duplicate_record", "movieId"),), copies=(2,)),)
