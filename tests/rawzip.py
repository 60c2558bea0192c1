"""Zip archives packed byte by byte, so that any field can lie."""

import struct
import zlib
from dataclasses import dataclass, field

CENTRAL_FIELDS = [
    "made",
    "need",
    "flags",
    "method",
    "time",
    "date",
    "crc",
    "packed",
    "size",
    "name_length",
    "extra_length",
    "comment_length",
    "disk",
    "internal",
    "external",
    "offset",
]
LOCAL_FIELDS = ["need", "flags", "method", "time", "date", "crc", "packed", "size", "name_length", "extra_length"]
END_FIELDS = ["disk", "first_disk", "here", "count", "length", "offset", "comment_length"]
END64_FIELDS = ["record", "made", "need", "disk", "first_disk", "here", "count", "length", "offset"]
CENTRAL, LOCAL, END, END64 = "<4s6H3L5H2L", "<4s5H3L2H", "<4s4H2LH", "<4sQ2H2L4Q"
FULL16, FULL32 = (1 << 16) - 1, (1 << 32) - 1


@dataclass
class Part:
    """One member. `local` and `central` override fields of its headers; `data` is what stands in the archive."""

    name: str | bytes
    content: bytes = b""
    deflate: bool = True
    flags: int = 0
    mode: int = 0o100644
    data: bytes | None = None
    zip64: bool = False
    descriptor: bool = False
    local: dict = field(default_factory=dict)
    central: dict = field(default_factory=dict)
    local_name: bytes | None = None
    at: int | None = None

    def __post_init__(self):
        self.raw = self.name.encode() if isinstance(self.name, str) else self.name
        if self.data is None:
            self.data = deflated(self.content) if self.deflate else self.content
        self.flags |= 8 if self.descriptor else 0

    @property
    def common(self) -> dict:
        return {
            "made": 3 << 8 | 20, "need": 45 if self.zip64 else 20, "flags": self.flags, "method": 8 if self.deflate else 0,
            "time": 0, "date": 33, "crc": zlib.crc32(self.content), "packed": len(self.data), "size": len(self.content),
            "comment_length": 0, "disk": 0, "internal": 0, "external": self.mode << 16,
        }  # fmt: skip

    def local_header(self) -> bytes:
        values, name, extra = self.common, self.raw if self.local_name is None else self.local_name, b""
        if self.descriptor:
            values |= {"crc": 0, "packed": 0, "size": 0}
        if self.zip64:
            extra = struct.pack("<2H2Q", 1, 16, values["size"], values["packed"])
            values |= {"packed": FULL32, "size": FULL32}
        values |= {"name_length": len(name), "extra_length": len(extra)} | self.local
        return struct.pack(LOCAL, b"PK\3\4", *(values[f] for f in LOCAL_FIELDS)) + name + extra

    def central_header(self, offset: int) -> bytes:
        values, extra = self.common | {"offset": offset}, b""
        if self.zip64:
            extra = struct.pack("<2H3Q", 1, 24, values["size"], values["packed"], offset)
            values |= {"packed": FULL32, "size": FULL32, "offset": FULL32}
        values |= {"name_length": len(self.raw), "extra_length": len(extra)} | self.central
        return struct.pack(CENTRAL, b"PK\1\2", *(values[f] for f in CENTRAL_FIELDS)) + self.raw + extra


def deflated(content: bytes) -> bytes:
    squeeze = zlib.compressobj(6, zlib.DEFLATED, -15)
    return squeeze.compress(content) + squeeze.flush()


def pack(*parts: Part, stub: bytes = b"", comment: bytes = b"", zip64: bool = False, end=None, end64=None) -> bytes:
    """The archive's bytes; `end` and `end64` override fields. Offsets do not count the stub."""
    body, directory = b"", b""
    for part in parts:
        offset = len(body) if part.at is None else part.at
        body += (part.local_header() + part.data) if part.at is None else b""
        if part.descriptor:
            body += struct.pack("<4s3L", b"PK\7\10", zlib.crc32(part.content), len(part.data), len(part.content))
        directory += part.central_header(offset)
    values = {
        "disk": 0,
        "first_disk": 0,
        "here": len(parts),
        "count": len(parts),
        "length": len(directory),
        "offset": len(body),
    }
    wide = b""
    if zip64:
        more = values | {"record": 44, "made": 45, "need": 45} | (end64 or {})
        wide = struct.pack(END64, b"PK\6\6", *(more[f] for f in END64_FIELDS))
        wide += struct.pack("<4sLQL", b"PK\6\7", 0, len(body) + len(directory), 1)
        values |= {"here": FULL16, "count": FULL16, "length": FULL32, "offset": FULL32}
    values |= {"comment_length": len(comment)} | (end or {})
    return stub + body + directory + wide + struct.pack(END, b"PK\5\6", *(values[f] for f in END_FIELDS)) + comment


def quoted_overlap(names: list[str], kernel: bytes) -> bytes:
    """A bomb whose members share one compressed kernel: each quotes the header of the next in a stored block."""
    parts, below, content = [], deflated(kernel), kernel
    for name in reversed(names):
        part = Part(name, content, data=below)
        parts.insert(0, part)
        head = part.local_header()
        below = b"\0" + struct.pack("<2H", len(head), len(head) ^ FULL16) + head + part.data
        content = head + content
    body, directory, at = parts[0].local_header() + parts[0].data, b"", 0
    for part in parts:
        directory += part.central_header(at)
        at += len(part.local_header()) + 5
    end = struct.pack(END, b"PK\5\6", 0, 0, len(parts), len(parts), len(directory), len(body), 0)
    return body + directory + end
