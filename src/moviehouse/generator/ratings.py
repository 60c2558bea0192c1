"""The records of ratings.csv and ratings_small.csv, made by DuckDB, which writes 26 million in seconds.

All arithmetic is whole and all chance a function of user and place, so every machine, version and
number of threads writes the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

import duckdb

from moviehouse.connect import connected
from moviehouse.generator.links import ID_SQL
from moviehouse.generator.weave import Member, Note

# So many ratings at the start of the file are at hand for planting.
HEAD = 4000
_COPY = 4 << 20
# So many users are made at a time, about two million ratings: what bounds memory and disk.
_USERS = 20_000
# Values in the shares they have in the original, out of a hundred.
_WHEEL = (
    ["0.5"] * 2 + ["1.0"] * 3 + ["1.5"] * 2 + ["2.0"] * 7 + ["2.5"] * 5 + ["3.0"] * 20 + ["3.5"] * 12
    + ["4.0"] * 27 + ["4.5"] * 8 + ["5.0"] * 14
)  # fmt: skip

_MIX = """
CREATE MACRO step(x) AS x * 48271 % 2147483647;
CREATE MACRO mix(x) AS step(xor(step(x % 2147483647 + 1), step(x % 2147483647 + 1) >> 13));
"""
# Whoever rates, rates a few movies, some rate hundreds: a user has a base and, by chance, more.
_WANTED = """
CREATE MACRO wanted(u) AS least({movies}, 2 + mix(u * 7919 + {seed}) % 30
  + CASE WHEN mix(u * 7919 + {seed}) % 7 < 3 THEN (mix(u * 7919 + {seed}) >> 8) % 130 ELSE 0 END
  + CASE WHEN mix(u * 7919 + {seed}) % 31 < 3 THEN (mix(u * 7919 + {seed}) >> 6) % 1000 ELSE 0 END)
"""
# A user's movies: one out of each of n strata, which are narrow where the ids are low, so that the
# first movies have the most ratings and ids ascend within a user.
_RATINGS = """
COPY (
  WITH users AS (
    SELECT u, CASE u WHEN {last} THEN {rest} ELSE wanted(u) END AS n FROM range({first}, {last} + 1) AS r(u)
  ), each_one AS (
    SELECT u, n, unnest(range(n)) AS i FROM users
  ), strata AS (
    SELECT u, i + ({movies} - n) * i * i // (n * n) AS low,
           i + 1 + ({movies} - n) * (i + 1) * (i + 1) // (n * n) AS high,
           mix(u * 1000003 + i * 7919 + {seed}) AS h
    FROM each_one
  ), numbered AS (
    SELECT u, h, low + h % (high - low) AS p FROM strata
  ), linked AS (
    SELECT u, h, {number} AS k FROM numbered
  )
  SELECT u, {id}, ({wheel})[1 + (h >> 9) % 100],
         828000000 + mix(u + {seed}) % 670000000 + (h >> 5) % 3000000
  FROM linked
) TO '{path}' (FORMAT csv, HEADER false)
"""


@dataclass(frozen=True)
class Ratings:
    """Ratings to be made: of `movies` numbers p, of which `number` is the SQL of the link."""

    ratings: int
    movies: int
    number: str
    seed: int

    def blocks(self, scratch: Path) -> Iterator[Path]:
        """Write the ratings as files without a header, one after the other; each is gone before the next."""
        left, first = self.ratings, 1
        wheel = "[" + ", ".join(f"'{value}'" for value in _WHEEL) + "]"
        path = scratch / "block.csv"
        with connected(config={"temp_directory": str(scratch), "memory_limit": "1GB"}) as db:
            db.execute(_MIX)
            db.execute(_WANTED.format(movies=self.movies, seed=self.seed))
            while left:
                users, rest, made = _cut(db, first, left)
                values = {"movies": self.movies, "number": self.number, "seed": self.seed, "id": ID_SQL}
                target = str(path).replace("'", "''")
                block = {"first": first, "last": first + users - 1, "rest": rest, "path": target}
                db.execute(_RATINGS.format(wheel=wheel, **values, **block))
                yield path
                path.unlink()
                left, first = left - made, first + users


def _cut(db: duckdb.DuckDBPyConnection, first: int, left: int) -> tuple[int, int, int]:
    """The next users: how many, what the last of them rates, and what they rate together."""
    query = f"SELECT wanted(u) FROM range({first}, {first + _USERS}) AS r(u) ORDER BY u"
    total = 0
    for users, (wanted,) in enumerate(db.execute(query).fetchall(), 1):
        if total + wanted >= left:
            return users, left - total, left
        total += wanted
    return _USERS, wanted, total


@dataclass(frozen=True)
class Odd:
    """Something planted among ratings: a line in place of or in front of the one at hand."""

    note: Note
    fields: tuple[str | None, ...]
    extra: bool = False
    again: bool = False


def _odds(unknown: int) -> list[Odd]:
    key = "userId,movieId"
    return [
        Odd(Note("duplicate_record", key), (None, None, None, None), again=True),
        Odd(Note("unknown_movielens_id", "movieId"), (None, str(unknown), "4.0", None), extra=True),
        Odd(Note("invalid_number", "rating"), (None, None, "3.7", None)),
        Odd(Note("missing_key", "userId"), ("", None, None, None), extra=True),
        Odd(Note("invalid_key", "movieId"), (None, "tt31", None, None), extra=True),
        Odd(Note("wrong_field_count"), (None, None, None, None, "surplus"), extra=True),
        Odd(Note("invalid_number", "rating"), (None, None, "6.0", None)),
        Odd(Note("invalid_integer", "timestamp"), (None, None, None, "yesterday")),
        Odd(Note("malformed_quote"), (None, '"31" x', None, None), extra=True),
    ]


def unknown_ratings(ratings: int) -> int:
    """How many of the ratings are of the MovieLens movie that no links file has."""
    return 2 if ratings >= 40 else 0


def lines(blocks: Iterable[Path]) -> Iterator[bytes]:
    """The ratings as they are, in blocks of whole lines without the last line end."""
    for block in blocks:
        with block.open("rb") as body:
            yield from _whole_lines(body)


def write_ratings(member: Member, blocks: Iterable[Path], unknown: int | None) -> None:
    """Write the ratings, with oddities if there is an `unknown` id that no links file has."""
    last, odds = b"", list[Odd]()
    for number, block in enumerate(blocks):
        with block.open("rb") as body:
            if number == 0:
                head = [line.rstrip(b"\n") for line in islice(body, HEAD)]
                odds = _odds(unknown)[: len(head) // 8] if unknown is not None else []
                _write_head(member, head, odds)
                last = head[-1]
            for lines in _whole_lines(body):
                member.write(lines.replace(b"\n", member.line_end))
                last = lines[lines.rfind(b"\n") + 1 :]
    if odds:
        user = int(last.split(b",")[0]) + 1
        member.write(f"{user},{unknown},3.5,1500000000".encode())


def _write_head(member: Member, head: list[bytes], odds: list[Odd]) -> None:
    at = {(j + 1) * len(head) // (len(odds) + 1): one for j, one in enumerate(odds)}
    later: dict[int, bytes] = {}
    for number, line in enumerate(head):
        if number in at:
            later |= _plant(member, at[number], line, number)
        else:
            member.write(line)
        if number in later:
            member.write(later[number])


def _plant(member: Member, odd: Odd, line: bytes, number: int) -> dict[int, bytes]:
    """Write the odd line; gives what is to be written later, by the number of the line before it."""
    member.note(odd.note)
    cells: list[str | None] = [*line.decode().split(",")]
    cells += [None] * (len(odd.fields) - len(cells))
    fields = [new if new is not None else old or "" for new, old in zip(odd.fields, cells, strict=True)]
    member.write(",".join(fields).encode())
    if odd.extra:
        member.write(line)
    return {number + 2: line} if odd.again else {}


def _whole_lines(body: IO[bytes]) -> Iterator[bytes]:
    """The rest of the file in blocks of whole lines, each without its last line end."""
    rest = b""
    while block := body.read(_COPY):
        block = rest + block
        end = block.rfind(b"\n")
        rest = block[end + 1 :]
        if end >= 0:
            yield block[:end]
    if rest:
        yield rest
