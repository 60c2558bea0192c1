"""When drops are observed and when they are delivered: some late, some twice, some broken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from moviehouse.errors import UsageError

# A snapshot of everything comes with every so many drops.
WHOLE = 24
# What is wrong with a broken drop, by the name that the manifest has.
BROKEN = {
    "cut": "The zip ends in the middle.",
    "page": "It is not a zip but the error page of a server.",
    "wrong_columns": "movies_metadata.csv calls its column popularity score.",
    "vanished_column": "movies_metadata.csv has lost its column tagline.",
    "not_utf8": "The titles in movies_metadata.csv are in Latin-1.",
    "no_keys": "Every second record of movies_metadata.csv has lost its id.",
}
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
# What is special about the drops of a dozen, by their place in it; the first drop is an ordinary one.
_LATE, _BROKEN, _REPEATED, _BOTH = 3, (5, 11), 7, 10


@dataclass(frozen=True)
class Delivery:
    """One delivery of the drop observed in an hour: `late` by so many hours, the second time, or broken."""

    hour: int
    late: int = 0
    repeated: bool = False
    broken: str = ""

    @property
    def whole(self) -> bool:
        """Whether the drop is a snapshot of everything."""
        return self.hour % WHOLE == 0

    @property
    def why(self) -> str:
        """What is special about it, in a sentence; nothing where nothing is."""
        if self.broken:
            return BROKEN[self.broken]
        if self.repeated:
            return "The same file was delivered before."
        return f"Delivered {self.late} drop{'s' if self.late > 1 else ''} late." if self.late else ""


def deliveries(hours: int) -> Iterator[Delivery]:
    """The deliveries of so many drops, in the order they come in."""
    for now in range(hours + 3):
        for hour in range(min(now, hours - 1), max(-1, now - 4), -1):
            yield from (delivery for due, delivery in _of(hour) if hour + due == now)


def _of(hour: int) -> Iterator[tuple[int, Delivery]]:
    """The deliveries of one drop, each with how many hours later it comes."""
    place, round_ = hour % 12, hour // 12
    late = 0
    if place in _BROKEN:
        kinds = list(BROKEN)
        yield 0, Delivery(hour, broken=kinds[(2 * round_ + _BROKEN.index(place)) % len(kinds)])
        late = 1
    elif place in (_LATE, _BOTH):
        late = 2
    yield late, Delivery(hour, late)
    if place in (_REPEATED, _BOTH):
        yield 3, Delivery(hour, 3, repeated=True)


def interval(text: str) -> timedelta:
    """A length of time such as 30m, 1h or 1d; UsageError if it is none."""
    found = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    if not found:
        raise UsageError(f"{text!r} is not a length of time.", "Write --every 30m, --every 1h or --every 1d.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
