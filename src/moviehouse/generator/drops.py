"""Drops of the made-up dataset, one an hour, in a directory with a manifest that says what comes when.

A snapshot of everything comes first, and with every 24th drop; the others have what was seen in their hour: new
movies, their credits (some before the movie, some after it), movies whose votes and popularity have moved on,
corrections, new ratings. Each drop is made from its hour alone, so that memory does not grow with their number.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from moviehouse.errors import TargetError, UsageError
from moviehouse.generator.archive import HEADERS, member
from moviehouse.generator.hours import Hour
from moviehouse.generator.links import Links
from moviehouse.generator.schedule import Delivery, deliveries, interval
from moviehouse.generator.weave import Row, csv_line
from moviehouse.model.sources import CREDITS, KEYWORDS, LINKS, LINKS_SMALL, MOVIES, RATINGS, RATINGS_SMALL
from moviehouse.progress import Progress, Quiet

T = TypeVar("T")
START = datetime(2024, 1, 1, tzinfo=UTC)
MANIFEST = "manifest.jsonl"
# About how many bytes a record has, by file.
_BYTES = {MOVIES.name: 765, CREDITS.name: 4200, KEYWORDS.name: 140, LINKS.name: 22, LINKS_SMALL.name: 20}
_PAGE = "<html><head><title>503</title></head><body><h1>503 Service Unavailable</h1></body></html>\n"
_ID, _TITLE, _TAGLINE = ([c.name for c in MOVIES.columns].index(name) for name in ("id", "title", "tagline"))
# One in a hundred movies is seen in an hour; one in two thousand ratings is given in it.
_SEEN, _RATED = 100, 2000


@dataclass(frozen=True)
class Drops:
    """Drops that were made: `drops` of them, delivered as the lines of `manifest` say.

    `files` are the zips in `path`; `lines` counts the deliveries: some drops come twice, or broken first.
    """

    path: Path
    manifest: Path
    drops: int
    files: int
    lines: int
    seed: int


@dataclass
class _Contents:
    """What a zip has: for each file its name, about how many records, and these."""

    files: list[tuple[str, int, Iterable[Row | bytes]]] = field(default_factory=list)


def sample_drops(
    out: Path,
    *,
    drops: int,
    every: str = "1h",
    movies: int = 1000,
    ratings: int = 20_000,
    parts: int = 1,
    seed: int = 1,
    progress: Progress | None = None,
) -> Drops:
    """Make the directory `out` with the zips of so many drops and a manifest, one JSON object a delivery.

    The first drop has `movies` movies and `ratings` ratings, in `parts` zips. The same arguments give the same
    files. Raises UsageError and TargetError.
    """
    if drops < 1 or movies < 1 or ratings < 0 or not 1 <= parts <= movies:
        raise UsageError("--drops, --movies and --parts must be at least 1, --ratings at least 0.")
    step = interval(every)
    _may_be_made(out)
    try:
        with TemporaryDirectory(prefix=".moviehouse-sample-", dir=out.parent) as scratch:
            maker = _Maker(Hour(movies, seed), ratings, parts, step, progress or Quiet(), Path(scratch))
            files, lines = maker.make(drops)
            maker.folder.replace(out)
    except OSError as error:
        raise TargetError(
            f"The drops could not be written to {out}: {error.strerror or error}.",
            "Check the free space and the permissions there, or choose another place.",
        ) from error
    return Drops(out, out / MANIFEST, drops, files, lines, seed)


def _may_be_made(out: Path) -> None:
    if not out.parent.is_dir():
        raise UsageError(f"{out.parent} is no directory.", f"Create it, or choose another place than {out}.")
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise UsageError(f"{out} exists and is no empty directory.", "Choose another name, or delete it.")


class _Maker:
    """Drops under way. `folder` is what becomes the directory."""

    def __init__(
        self, world: Hour, ratings: int, parts: int, step: timedelta, progress: Progress, scratch: Path
    ) -> None:
        self.world, self.ratings, self.parts, self.step = world, ratings, parts, step
        self.progress, self.scratch, self.folder = progress, scratch, scratch / "drops"

    def make(self, drops: int) -> tuple[int, int]:
        """Write all zips and the manifest; gives how many zips and how many lines."""
        self.folder.mkdir()
        lines = 0
        with (self.folder / MANIFEST).open("w", encoding="utf-8", newline="\n") as manifest:
            for delivery in deliveries(drops):
                for line in self._deliver(delivery):
                    manifest.write(json.dumps(line) + "\n")
                    lines += 1
        return sum(1 for _ in self.folder.glob("*.zip")), lines

    def _deliver(self, delivery: Delivery) -> Iterator[dict[str, object]]:
        """Write the zips of a delivery, unless they are there; gives their lines of the manifest."""
        hour = Hour(self.world.movies, self.world.seed, delivery.hour)
        moment = START + delivery.hour * self.step
        parts = self.parts if delivery.hour == 0 else 1
        for part in range(parts):
            stem = f"{moment:%Y%m%dT%H%M%SZ}" + (f"-{part + 1}" if parts > 1 else "")
            path = self.folder / (f"{stem}-broken.zip" if delivery.broken else f"{stem}.zip")
            if not delivery.repeated:
                contents = self._whole(hour, part) if delivery.whole else self._hourly(hour)
                _write(path, contents, delivery.broken, self.progress)
                os.utime(path, (moment.timestamp(), moment.timestamp()))
            yield {
                "file": path.name,
                "observed_at": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
                "full": delivery.whole and parts == 1,
                "late": bool(delivery.late) and not delivery.repeated,
                "repeated": delivery.repeated,
                "broken": delivery.broken or None,
                "why": delivery.why or None,
                "bytes": path.stat().st_size,
                "sha256": _sha256(path),
            }

    def _whole(self, hour: Hour, part: int) -> _Contents:
        """Everything that there is; of the first drop one part of it, the first of which has links and ratings."""
        parts = self.parts if hour.hour == 0 else 1
        numbers = range(hour.total * part // parts, hour.total * (part + 1) // parts)
        contents = _Contents()

        def rows(record: Callable[[int], Row]) -> Iterator[Row]:
            return (record(number) for number in numbers if hour.exists(number))

        contents.files = [
            (MOVIES.name, len(numbers), rows(hour.movie)),
            (CREDITS.name, len(numbers), rows(hour.credits)),
            (KEYWORDS.name, len(numbers), rows(hour.keyword_record)),
        ]
        if part == 0:
            links = Links(self.world, oddities=False)
            contents.files += [
                (LINKS.name, links.count, chain(links.rows(), self._past(hour, Hour.links))),
                (LINKS_SMALL.name, links.small_count, links.small_rows()),
                (RATINGS.name, self.ratings, chain(self._ratings(small=False), self._past(hour, self._rated))),
                (RATINGS_SMALL.name, self._small, self._ratings(small=True)),
            ]
        return contents

    def _hourly(self, hour: Hour) -> _Contents:
        """What was seen in an hour. The credits of a fifth of the new movies come an hour early, of a fifth late."""
        seen = hour.observed(max(1, hour.movies // _SEEN), "seen")
        early = [number for number in hour.new(1) if number % 5 == 0]
        late = [number for number in hour.new(-2) if number % 5 == 1]
        timely = [number for number in hour.new() if number % 5 > 1]
        credited = [number for number in seen[::10] if number not in hour.new()]
        movies = [number for number in dict.fromkeys((*seen, *hour.new())) if hour.exists(number)]
        listed = [*credited, *late, *timely, *early]
        contents = _Contents()
        contents.files = [
            (MOVIES.name, len(movies), map(hour.movie, movies)),
            (CREDITS.name, len(listed), map(hour.credits, listed)),
            (LINKS.name, hour.arrivals, hour.links()),
            (RATINGS.name, self.ratings // _RATED, self._rated(hour)),
        ]
        if hour.hour % 2:
            tagged = [*seen[::20], *timely]
            contents.files.insert(2, (KEYWORDS.name, len(tagged), map(hour.keyword_record, tagged)))
        return contents

    def _past(self, hour: Hour, records: Callable[[Hour], Iterator[T]]) -> Iterator[T]:
        """The records that have come with the hours up to this one."""
        hours = (Hour(hour.movies, hour.seed, past) for past in range(1, hour.hour + 1))
        return chain.from_iterable(map(records, hours))

    def _rated(self, hour: Hour) -> Iterator[bytes]:
        """The ratings given in an hour."""
        moment = int((START + hour.hour * self.step).timestamp())
        return (line.encode() for line in hour.ratings(-(-self.ratings // _RATED), moment))

    @property
    def _small(self) -> int:
        return min(self.ratings, max(1000, self.ratings * 100_004 // 26_024_289))

    def _ratings(self, *, small: bool) -> Iterator[bytes]:
        """The ratings that there were at the start, in blocks of lines."""
        # DuckDB takes a tenth of a second to import, which --help need not wait for.
        from moviehouse.generator.ratings import Ratings, lines

        links = Links(self.world, oddities=False)
        count, number = (links.small_count, links.small_number_sql) if small else (links.count, "p")
        wanted = self._small if small else self.ratings
        made = Ratings(wanted, count, number, self.world.seed + 104_729 * small)
        return lines(made.blocks(self.scratch))


def _write(path: Path, contents: _Contents, broken: str, progress: Progress) -> None:
    """Write a zip; files without a record are left out of it, but for the movies."""
    if broken == "page":
        path.write_text(_PAGE, encoding="utf-8")
        return
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, count, records in contents.files:
            if not count and name != MOVIES.name:
                continue
            spoilt = broken if name == MOVIES.name else ""
            with member(archive, name, count * _BYTES.get(name, 27), [], progress, _header(name, spoilt)) as made:
                for place, record in enumerate(records):
                    if isinstance(record, Row):
                        made.write(_spoil(record.fields, spoilt, place))
                    else:
                        made.write(record.replace(b"\n", made.line_end))
    if broken == "cut":
        os.truncate(path, path.stat().st_size * 2 // 3)


def _header(name: str, broken: str) -> str:
    if broken == "wrong_columns":
        return HEADERS[name].replace("popularity", "score")
    return HEADERS[name].replace(",tagline", "") if broken == "vanished_column" else HEADERS[name]


def _spoil(fields: list[str], broken: str, place: int) -> bytes:
    """A record as a broken drop has it."""
    if broken == "vanished_column":
        fields = fields[:_TAGLINE] + fields[_TAGLINE + 1 :]
    if broken == "no_keys" and place % 2:
        fields = [*fields[:_ID], "", *fields[_ID + 1 :]]
    if broken == "not_utf8":
        title = f"{fields[_TITLE]} é"
        return csv_line([*fields[:_TITLE], title, *fields[_TITLE + 1 :]]).encode("latin-1", "replace")
    return csv_line(fields).encode()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
