"""Damaged movies_metadata.csv read a second time, from the documented rules, byte by byte and slowly.

Gives what `oracle.answers_of` takes, and how many records end in which way. Only the grammar of the
cells comes from the declaration.
"""

import ast
import csv
import re
import warnings
from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext

from moviehouse.model.sources import MOVIES, NestedColumn, SourceColumn

KNOWN = {column.name: column for column in MOVIES.columns}


@dataclass
class Record:
    """A record as it stands: `trouble` says why it has no fields; `raw` has no line end, `after` begins the next."""

    fields: list[bytes]
    raw: bytes
    after: int
    trouble: str = ""
    first_bare: bool = False
    last_bare: bool = False


def line_at(data: bytes, start: int) -> Record:
    """The physical line, given up on."""
    end = data.find(b"\n", start)
    stop, after = (len(data), len(data)) if end < 0 else (end, end + 1)
    raw = data[start:stop]
    return Record([], raw[:-1] if end >= 0 and raw.endswith(b"\r") else raw, after)


def record_at(data: bytes, start: int) -> Record:
    fields, bare, at = [], [], start
    while True:
        value = bytearray()
        quoted = data[at : at + 1] == b'"'
        if quoted:
            at += 1
            while True:
                if at >= len(data):
                    return Record(fields, data[start:], len(data), "open")
                if data[at : at + 2] == b'""':
                    value += b'"'
                    at += 2
                elif data[at : at + 1] == b'"':
                    at += 1
                    break
                else:
                    value += data[at : at + 1]
                    at += 1
            rest = data[at : at + 2]
            if not (
                rest == b"" or rest[:1] in (b",", b"\n") or rest == b"\r\n" or (rest == b"\r" and at + 1 == len(data))
            ):
                line = line_at(data, start)
                return Record(fields, line.raw, line.after, "malformed")
        else:
            while at < len(data) and data[at : at + 1] not in (b",", b"\n"):
                value += data[at : at + 1]
                at += 1
        fields.append(bytes(value))
        bare.append(not quoted)
        if data[at : at + 1] == b",":
            at += 1
            continue
        stop = at
        if not quoted and fields[-1].endswith(b"\r"):
            fields[-1] = fields[-1][:-1]
            stop -= 1
        end = data.find(b"\n", at)
        return Record(fields, data[start:stop], len(data) if end < 0 else end + 1, "", bare[0], bare[-1])


def is_text(raw: bytes) -> bool:
    try:
        return b"\0" not in raw and bool(raw.decode() or True)
    except UnicodeDecodeError:
        return False


def split(data: bytes, names: list[str]) -> list[dict[str, str] | None]:
    """Each record's cells by name, None for one that is rejected."""
    out, at, width = [], 0, len(names)

    def whole(record: Record) -> bool:
        return not record.trouble and len(record.fields) == width

    while at < len(data):
        record = record_at(data, at)
        if record.trouble == "open":
            line, starts = line_at(data, at), []
            start = line.after
            while start < len(data):
                starts.append(start)
                start = line_at(data, start).after
            if any(whole(record_at(data, start)) for start in starts):
                record = Record([], line.raw, line.after, "stray")
        if record.trouble:
            out.append(None)
        elif not record.raw:
            pass
        elif not is_text(record.raw):
            out.append(None)
        elif whole(record):
            out.append(cells(names, record.fields))
        else:
            joined = join(data, at, record, width, names)
            if joined:
                out.append(joined[0])
                at = joined[1]
                continue
            out.append(None)
        at = record.after
    return out


def join(data: bytes, at: int, first: Record, width: int, names: list[str]):
    """Two short neighbours that together make exactly one valid record."""
    if first.after >= len(data) or not first.last_bare or len(first.fields) >= width:
        return None
    second = record_at(data, first.after)
    if second.trouble or not second.first_bare or len(second.fields) >= width:
        return None
    if len(first.fields) + len(second.fields) - 1 != width:
        return None
    gap = data[at + len(first.raw) : first.after]
    if not is_text(first.raw + gap + second.raw):
        return None
    fields = [*first.fields[:-1], first.fields[-1] + gap + second.fields[0], *second.fields[1:]]
    made = cells(names, fields)
    return (made, second.after) if all(valid(n, c) for n, c in made.items()) else None


def cells(names: list[str], fields: list[bytes]) -> dict[str, str]:
    return dict(zip(names, (f.decode() for f in fields), strict=True))


def valid(name: str, cell: str) -> bool:
    column = KNOWN.get(name)
    if isinstance(column, NestedColumn) and cell:
        return (cell[0], cell[-1]) in ((("{", "}"),) if column.single else (("[", "]"),))
    if isinstance(column, SourceColumn):
        return not (column.key and not cell) and not (cell and not fits(name, cell))
    return True


def fits(name: str, cell: str) -> bool:
    pattern = KNOWN[name].kind.pattern
    return pattern is None or re.fullmatch(pattern, cell) is not None


def whole_number(name: str, cell: str, low: int, high: int) -> int | None:
    if not fits(name, cell):
        return None
    value = int(cell.split(".")[0])
    return value if low <= value <= high else None


def popularity(cell: str) -> str:
    if not cell or not fits("popularity", cell):
        return ""
    with localcontext(Context(prec=2000)):
        exact = Decimal(cell)
        close = exact.quantize(Decimal(1).scaleb(-26), ROUND_HALF_UP)
        rounded = exact.quantize(Decimal(1).scaleb(-9), ROUND_HALF_UP)
    return str(rounded) if 0 <= close <= 999_999_999 and 0 <= rounded <= 999_999_999 else ""


def day(cell: str) -> str:
    if not fits("release_date", cell):
        return ""
    try:
        return date.fromisoformat(cell).isoformat()
    except ValueError:
        return ""


def literal(text: str):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, OverflowError):
            return ...


def elements(cell: str) -> list:
    """The list's elements; of a damaged one the whole elements before the damage."""
    value = literal(cell)
    if value is not ...:
        return value if isinstance(value, list) else []
    for match in reversed(list(re.finditer(r"\}", cell))):
        value = literal(cell[: match.end()] + "]")
        if isinstance(value, list):
            return value
    return []


def usable(cell: str) -> str:
    """The elements that have an id, as a literal."""
    out = []
    for element in elements(cell):
        id_ = element.get("id") if isinstance(element, dict) else None
        if isinstance(id_, int) and not isinstance(id_, bool) and 1 <= id_ <= 2**53:
            name = element.get("name")
            fine = (
                isinstance(name, str) and name and "\0" not in name and name.encode("utf-8", "replace").decode() == name
            )
            out.append({"id": id_, "name": name if fine else None})
    return repr(out)


def read(content: bytes) -> tuple[list[dict[str, str]], Counter]:
    """The records with a usable key, cleaned; and how many are read, loaded, merged and rejected."""
    body = content.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    head, _, body = body.partition(b"\n")
    names = [name.strip() for name in next(csv.reader([head.decode().rstrip("\r").replace("\0", " ")]))]
    rows = split(body, names)
    records = []
    for row in rows:
        id_ = whole_number("id", row["id"], 1, 2**53) if row else None
        if id_ is None:
            continue
        records.append(
            {
                "id": id_,
                "budget": str(whole_number("budget", row["budget"], 0, 10**11) or 0),
                "revenue": str(whole_number("revenue", row["revenue"], 0, 10**11) or 0),
                "popularity": popularity(row["popularity"]),
                "release_date": day(row["release_date"]),
                "status": row["status"],
                "genres": usable(row["genres"]),
                "production_companies": usable(row["production_companies"]),
            }
        )
    loaded = len({record["id"] for record in records})
    return records, Counter(
        read=len(rows), loaded=loaded, merged=len(records) - loaded, rejected=len(rows) - len(records)
    )
