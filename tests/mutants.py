"""Archives and CSV files changed at random, the same for the same seed."""

import csv
import io
import random
import re
from functools import cache

from rawzip import CENTRAL_FIELDS, END64_FIELDS, END_FIELDS, FULL16, FULL32, LOCAL_FIELDS, Part, pack
from small import movies, text

GENRES = {18: "Drama", 35: "Comedy", 16: "Animation", 10751: "Family", 12: "Adventure"}
COMPANIES = {1: "A & Sons", 2: "Children's", 3: 'The "B"', 4: "Caf\u00e9\u00a0C", 5: "x, y", 6: "back\\slash"}


@cache
def originals() -> dict[str, bytes]:
    """Seven small files in which every answer has rows."""
    rng = random.Random(1)
    rows = []
    for i in range(1, 25):
        genres = [{"id": g, "name": GENRES[g]} for g in rng.sample(sorted(GENRES), rng.randint(0, 3))]
        companies = [{"name": COMPANIES[c], "id": c} for c in rng.sample(sorted(COMPANIES), rng.randint(0, 3))]
        rows.append(
            {
                "title": f"A {i}", "genres": repr(genres), "production_companies": repr(companies),
                "overview": rng.choice(['He said "no",\nthen left.', "Plain words", "", "A\rB", "Größe, \u2018x\u2019"]),
                "budget": rng.choice(["0", "5000", "30000001", "999"]), "revenue": rng.choice(["0", "70000", "1234567"]),
                "popularity": rng.choice(["1.5", "0.000123", "8e-06", "21.946943", "3"]),
                "release_date": f"{rng.choice([1995, 1996, 2001])}-0{rng.randint(1, 9)}-17" if i % 9 else "",
                "status": rng.choice(["Released", "Released", "Released", "", "Rumored"]),
                "belongs_to_collection": rng.choice(["", "{'id': 9, 'name': 'X', 'poster_path': None, 'backdrop_path': None}"]),
            }
        )  # fmt: skip
    cast = "[{'cast_id': 1, 'character': 'x', 'credit_id': 'c%d', 'gender': 2, 'id': 31, 'name': 'Tom', 'order': 0, 'profile_path': None}]"
    metadata = text("movies_metadata.csv", [*movies(*rows), {**movies(rows[3])[0], "id": "2"}])
    return {
        "movies_metadata.csv": metadata,
        "credits.csv": text("credits.csv", [{"cast": cast % i, "crew": "[]", "id": i} for i in range(1, 20)]),
        "keywords.csv": text("keywords.csv", [{"id": i, "keywords": "[{'id': 5, 'name': 'x\\xa0y'}]"} for i in range(1, 20)]),
        "links.csv": text("links.csv", [{"movieId": i, "imdbId": f"{i:07}", "tmdbId": i} for i in range(1, 30)], end="\r\n"),
        "links_small.csv": text("links_small.csv", [{"movieId": i, "imdbId": f"{i:07}", "tmdbId": i} for i in range(2, 15)], end="\r\n"),
        "ratings.csv": text("ratings.csv", [{"userId": i, "movieId": i, "rating": "3.5", "timestamp": 10**9 + i} for i in range(1, 60)]),
        "ratings_small.csv": text("ratings_small.csv", [{"userId": 1, "movieId": i, "rating": "0.5", "timestamp": 10**9} for i in range(1, 20)]),
    }  # fmt: skip


# Archives


def mutated_archive(rng: random.Random) -> bytes:
    """One of a few ways to pack the files, with fields that lie or bytes that changed."""
    zip64, lie = rng.random() < 0.3, rng.random() < 0.5
    parts = []
    for name, content in originals().items():
        deflate = rng.random() < 0.8
        parts.append(Part(name, content, deflate, descriptor=rng.random() < 0.2, zip64=rng.random() < 0.2))
    options = {"zip64": zip64, "stub": rng.choice([b"", b"", b"#!stub\n"]), "comment": rng.choice([b"", b"", b"words"])}
    if not lie:
        return changed_bytes(pack(*parts, **options), rng)
    for _ in range(rng.choice([1, 1, 1, 2])):
        part = rng.choice(parts)
        match rng.randrange(5):
            case 0:
                _lie(part.local, LOCAL_FIELDS, rng)
            case 1:
                _lie(part.central, CENTRAL_FIELDS, rng)
            case 2:
                _lie(options.setdefault("end", {}), END_FIELDS, rng)
            case 3:
                _lie(options.setdefault("end64", {}), END64_FIELDS, rng)
                options["zip64"] = True
            case 4:
                _lie(part.local, LOCAL_FIELDS, rng)
                part.central |= {k: v for k, v in part.local.items() if k in CENTRAL_FIELDS}
    if rng.random() < 0.2:
        parts.append(
            Part(
                rng.choice(["../x", "/x", "x/ratings.csv", "readme", "a\\..\\b"]),
                b"x",
                mode=rng.choice([0o100644, 0o120777]),
            )
        )
    return pack(*parts, **options)  # fmt: skip


WIDE_FIELDS = {"crc", "packed", "size", "length", "offset", "external"}


def _lie(values: dict, fields: list[str], rng: random.Random) -> None:
    name = rng.choice(fields)
    full = FULL32 if name in WIDE_FIELDS else FULL16
    values[name] = rng.choice([0, 1, 2, 8, 9, 12, 99, full, full - 1, rng.randrange(300), rng.randrange(full)]) & full


def changed_bytes(content: bytes, rng: random.Random) -> bytes:
    data = bytearray(content)
    tail = rng.random() < 0.5  # where the structures are dense
    for _ in range(rng.choice([1, 1, 2, 4])):
        at = rng.randrange(max(0, len(data) - 700) if tail else 0, len(data))
        to = min(len(data), at + rng.choice([1, 2, 4, 30, 300]))
        match rng.randrange(7):
            case 0 | 1:
                data[at] ^= 1 << rng.randrange(8)
            case 2:
                data[at] = rng.randrange(256)
            case 3:
                del data[at:to]
            case 4:
                data[at:at] = rng.randbytes(rng.choice([1, 4, 50]))
            case 5:
                data[at:at] = data[at:to]
            case 6:
                del data[at:]
        data = data or bytearray(b"P")
    return bytes(data)


# CSV files

NOISE = [
    b'"', b'""', b"'", b",", b",,,", b"\n", b"\r", b"\r\n", b"\n\n", b"[", b"]", b"{", b"}", b"\\", b"\\'", b"\\x00", b"None",
    b"\xc3\xa9", b" ", b"\t", b"-", b".", b"0", b"1e5", b"+", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"#", b"}, {", b"']", b"\x0b", b"\x1c",
]  # fmt: skip
NUMBERS = [
    b"99999999999999999999", b"1e300", b"1e-400", b"-1", b"0x10", b"1_000", b"9007199254740993", b"100000000000", b"100000000001",
    b"0.00000000049999", b"0.0000000005", b"1.0000000005e0", b"000000000000000000000005", b"5.", b".5", b"nan", b"inf", b"1" * 400, b"0.1e1",
]  # fmt: skip


def mutated_csv(content: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.06:
        return _mutated_header(content, rng)
    head, newline, body = content.partition(b"\n")
    for _ in range(rng.choice([1, 1, 2, 3, 6])):
        body = _mutate(head, body, rng)
    return head + newline + body


def _mutated_header(content: bytes, rng: random.Random) -> bytes:
    head, newline, body = content.partition(b"\n")
    names = head.rstrip(b"\r").split(b",")
    i, j = rng.randrange(len(names)), rng.randrange(len(names))
    match rng.randrange(7):
        case 0:
            names[i] = names[i].upper()
        case 1:
            names[i] = names[j]
        case 2:
            names.insert(i, b"extra")
        case 3:
            del names[i]
        case 4:
            names[i] = b'"' + names[i] + rng.choice([b'"', b""])
        case 5:
            names[i] = rng.choice([b" ", b"\xff", b"\0", b"\r", b""]) + names[i]
        case 6:
            return rng.choice([b"", head, b"\n\n" + content, b"\xef\xbb\xbf" + content, body])
    return b",".join(names) + newline + body


def _mutate(head: bytes, body: bytes, rng: random.Random) -> bytes:
    at, to = sorted(rng.randint(0, len(body)) for _ in range(2))
    short = min(to, at + rng.randint(1, 40))
    lines = body.split(b"\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(16):
        case 0 | 1 | 2:
            return body[:at] + rng.choice(NOISE) + body[at:]
        case 3:
            return body[:at] + rng.choice(NOISE) + body[short:]
        case 4:
            return body[:at] + body[short:]
        case 5:
            return body[:at] if rng.random() < 0.3 else body[:at] + body[at + 1 :]
        case 6:
            lines.insert(j, lines[i])
        case 7:
            lines[i], lines[j] = lines[j], lines[i]
        case 8:
            return _moved_cells(head, body, rng)
        case 9 | 10:
            spots = list(re.finditer(rb"\d+(\.\d+)?", body))
            if spots:
                spot = rng.choice(spots)
                return body[: spot.start()] + rng.choice(NUMBERS) + body[spot.end() :]
        case 11:
            spots = [m.start() for m in re.finditer(rb"[\"'\[\]{},\\]", body)]
            if spots:
                spot = rng.choice(spots)
                return body[:spot] + body[spot + 1 :]
        case 12:
            lines[i] = lines[i].rstrip(b"\r") + rng.choice([b"\r", b",", b"", b'"', b"\r\r"])
        case 13:
            byte = rng.choice([b"\0", b"\xff"]) if rng.random() < 0.15 else b"\r"
            return body[:at] + byte + body[at:]
        case 14:
            return body.replace(b"\n", b"\r\n") if rng.random() < 0.2 else body[:to] + body[at:short] + body[to:]
        case 15:
            lines[i : i + 2] = [b"".join(lines[i : i + 2])]
    return b"\n".join(lines)


def _moved_cells(head: bytes, body: bytes, rng: random.Random) -> bytes:
    """Two cells change places: in a record, between records, or their columns everywhere."""
    try:
        rows = list(csv.reader(io.StringIO(body.decode(), newline="")))
    except (UnicodeDecodeError, csv.Error):
        return body
    width = head.count(b",") + 1
    good = [row for row in rows if len(row) == width]
    if len(good) < 2:
        return body
    a, b = rng.randrange(width), rng.randrange(width)
    match rng.randrange(3):
        case 0:
            row = rng.choice(good)
            row[a], row[b] = row[b], row[a]
        case 1:
            one, other = rng.sample(good, 2)
            one[a], other[a] = other[a], one[a]
        case 2:
            for row in good:
                row[a], row[b] = row[b], row[a]
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()
