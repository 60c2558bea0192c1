"""Weaves oddities into the records of a file, and writes down where each of them went."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from moviehouse.error_log import REASON
from moviehouse.model.sources import SourceFile
from moviehouse.progress import Step

_BUFFER = 1 << 20


@dataclass(frozen=True)
class Planted:
    """One line that the error log of a build must have."""

    severity: str
    reason: str
    file: str
    line: int | None
    column: str | None
    movie_id: int | None


@dataclass(frozen=True)
class Note:
    """What the error log says of one record: a reason, and the column it is about."""

    reason: str
    column: str | None = None


@dataclass(frozen=True)
class Row:
    """The fields of one record, the movie it is about, and what is odd about it by nature."""

    fields: list[str]
    movie_id: int | None = None
    notes: tuple[Note, ...] = ()


def in_order(source: SourceFile, cells: Mapping[str, str]) -> list[str]:
    """A record's fields in the declared order; a column that the generator does not know is empty."""
    return [cells.get(column.name, "") for column in source.columns]


def csv_line(fields: Sequence[str]) -> str:
    """A record as pandas writes it: quoted only where needed, which a lone CR is not."""
    return ",".join(
        '"' + cell.replace('"', '""') + '"' if "," in cell or '"' in cell or "\n" in cell else cell for cell in fields
    )


def _unchanged(fields: list[str]) -> list[str]:
    return fields


def _encoded(fields: list[str]) -> bytes:
    return csv_line(fields).encode()


@dataclass(frozen=True)
class Oddity:
    """Something planted in one record.

    `change` alters its fields, `render` writes them; `extra` puts a spare record in front of the
    record and leaves that one alone; `copies` are how many records later (once or more) the record
    as it was comes again. `needs` is how many records the file must have.
    """

    notes: tuple[Note, ...] = ()
    change: Callable[[list[str]], list[str]] = _unchanged
    render: Callable[[list[str]], bytes] = _encoded
    extra: bool = False
    copies: tuple[int, ...] = ()
    needs: int = 0


Group = tuple[Oddity, ...]
"""Oddities that only make sense together, in this order."""


def place(groups: Iterable[Group], first: int, last: int) -> dict[int, Oddity]:
    """Spread as many groups as fit over the records from `first` to before `last`, one oddity per record."""
    room = last - first
    chosen: list[Oddity] = []
    for group in groups:
        if len(chosen) + len(group) <= room and all(last >= oddity.needs for oddity in group):
            chosen += group
    slots = (first + (2 * j + 1) * room // (2 * len(chosen)) for j in range(len(chosen)))
    return dict(zip(slots, chosen, strict=True))


@dataclass
class Member:
    """One file being written: counts its lines, remembers what was planted."""

    name: str
    stream: IO[bytes]
    planted: list[Planted]
    step: Step
    line_end: bytes = b"\n"
    line: int = 1
    _buffer: list[bytes] = field(default_factory=list)
    _size: int = 0

    def write(self, record: bytes) -> None:
        """Write a record."""
        self._buffer += (record, self.line_end)
        self._size += len(record)
        self.line += record.count(b"\n") + 1
        if self._size >= _BUFFER:
            self.flush()

    def note(self, note: Note, movie_id: int | None = None) -> None:
        """Remember a note about the record that comes next."""
        severity = REASON[note.reason].severity
        self.planted.append(Planted(severity, note.reason, self.name, self.line, note.column, movie_id))

    def end_cut_short(self, start: bytes) -> None:
        """End the file in the middle of a record."""
        self.note(Note("truncated_record"))
        self._buffer.append(start)

    def flush(self) -> None:
        """Hand on what is buffered."""
        data = b"".join(self._buffer)
        self.stream.write(data)
        self.step.advance(len(data))
        self._buffer, self._size = [], 0


@dataclass(frozen=True)
class _Copy:
    record: bytes
    movie_id: int | None
    notes: tuple[Note, ...]


def weave(member: Member, rows: Iterator[Row], plan: dict[int, Oddity], spares: Iterator[Row]) -> None:
    """Write the rows with the planned oddities; spare rows stand in for rejected records."""
    due: dict[int, list[_Copy]] = {}
    for number, row in enumerate(rows):
        oddity = plan.get(number)
        if oddity is None:
            for note in row.notes:
                member.note(note, row.movie_id)
            member.write(_encoded(row.fields))
        elif oddity.extra:
            _write(member, oddity, next(spares))
            _write(member, Oddity(row.notes), row)
        else:
            _write(member, oddity, row)
            for place_, gap in enumerate(oddity.copies, 1):
                notes = oddity.notes if place_ < len(oddity.copies) else ()
                due.setdefault(number + gap, []).append(_Copy(_encoded(row.fields), row.movie_id, notes))
        if due:
            _repeat(member, due.pop(number, []))
    for number in sorted(due):
        _repeat(member, due[number])


def _write(member: Member, oddity: Oddity, row: Row) -> None:
    for note in oddity.notes:
        readable = not oddity.extra or note.reason == "unknown_movie"
        member.note(note, row.movie_id if readable else None)
    member.write(oddity.render(oddity.change(list(row.fields))))


def _repeat(member: Member, copies: list[_Copy]) -> None:
    for copy in copies:
        for note in copy.notes:
            member.note(note, copy.movie_id)
        member.write(copy.record)
