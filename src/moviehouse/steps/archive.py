"""Judges a zip archive before anything of it is written, and chooses the dataset's members.

An archive is hostile until proven otherwise. What speaks against whoever made it refuses the whole
archive, whichever member it is about: a name that leads out of the folder, a link, members that
overlap, a local header that contradicts the directory. What only hinders reading a member counts for
the dataset's own: encryption, an unknown compression, an inflation that is too great. Others are
never inflated, so that a readme under a password does no harm.
"""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from moviehouse.errors import SourceError
from moviehouse.model.sources import SOURCES
from moviehouse.steps.zip_directory import (
    ENCRYPTED,
    MASKED,
    PATCHED,
    STRONG,
    Directory,
    Entry,
    damaged,
    locate,
    read_directory,
    shown,
)

STORED, DEFLATED = 0, 8
_AES = 99
_METHODS = {
    1: "Shrink", 6: "Implode", 9: "Deflate64", 10: "PKWARE Implode", 12: "bzip2", 14: "LZMA", 93: "Zstandard",
    94: "MP3", 95: "XZ", 96: "JPEG", 97: "WavPack", 98: "PPMd",
}  # fmt: skip
_NAMES = frozenset(source.name for source in SOURCES)
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True)
class Limits:
    """How much an archive may claim: bytes once extracted, members, and how many times a member may grow."""

    bytes: int
    members: int
    ratio: int


@dataclass(frozen=True)
class Packed:
    """One of the dataset's members in its archive: `packed` bytes at `data`, `size` once inflated."""

    archive: Path
    name: str
    deflated: bool
    data: int
    packed: int
    size: int
    crc: int


@dataclass
class Contents:
    """The dataset's members in an archive, by name, and the names of the others."""

    members: dict[str, Packed] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many bytes the members have once extracted."""
        return sum(member.size for member in self.members.values())


def judge(path: Path, limits: Limits) -> Contents:
    """Judge the archive and choose the members; reads headers only, and writes nothing.

    Raises SourceError where the archive is none, contradicts itself, means harm, or exceeds a limit.
    """
    try:
        with path.open("rb") as file:
            directory = read_directory(file, path.name, limits.members)
            for entry in directory.entries:
                _judge_name(entry)
            data = [locate(file, entry, directory) for entry in directory.entries]
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}.", "Check its permissions and its disk.") from None
    _judge_places(path, directory, data)
    contents = _choose(path, directory, data, limits)
    if contents.size > limits.bytes:
        raise SourceError(
            f"{path.name} would extract to {contents.size:,} bytes, more than the limit of {limits.bytes:,}.",
            "If that is right, raise --max-bytes.",
        )
    return contents


def _judge_name(entry: Entry) -> None:
    """Refuse what no one who packs the dataset writes; nothing is ever written under an archive's names."""
    name, kind = shown(entry.name), stat.S_IFMT(entry.mode)
    hint = "Do not trust this archive; get the dataset from its source."
    if "\0" in entry.name:
        raise SourceError(f"A member has a NUL in its name, {name}.", hint, file=name)
    if entry.name[:1] in ("/", "\\") or _DRIVE.match(entry.name):
        raise SourceError(f"The member {name} has an absolute name.", hint, file=name)
    if ".." in entry.name.replace("\\", "/").split("/"):
        raise SourceError(f"The member {name} has a name that leads out of its folder.", hint, file=name)
    if kind == stat.S_IFLNK:
        raise SourceError(f"The member {name} is a symbolic link.", "Pack the file that it leads to.", file=name)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise SourceError(f"The member {name} is a device, a pipe or a socket, not a file.", hint, file=name)
    if entry.flags & MASKED:
        raise SourceError(f"The directory of the archive is encrypted, {name} in it.", "Decrypt it first.", file=name)


def _judge_places(path: Path, directory: Directory, data: list[int]) -> None:
    """No two members share a byte: overlapping ones are how a small archive becomes a huge one."""
    before, free = None, 0
    for entry, begin in sorted(zip(directory.entries, data, strict=True), key=lambda pair: pair[0].header):
        if entry.header < free and before is not None:
            raise SourceError(
                f"{path.name}: the members {shown(before.name)} and {shown(entry.name)} overlap.",
                "That is how a zip bomb looks; do not trust this archive.",
                file=shown(entry.name),
            )
        before, free = entry, begin + entry.packed
        if free > directory.start:
            raise damaged(f"{shown(entry.name)} would reach beyond the archive's data", shown(entry.name))


def _choose(path: Path, directory: Directory, data: list[int], limits: Limits) -> Contents:
    found = Contents()
    full_names: dict[str, str] = {}
    for entry, begin in zip(directory.entries, data, strict=True):
        if entry.name.endswith("/"):
            continue
        name = PurePosixPath(entry.name.replace("\\", "/")).name
        if name not in _NAMES:
            found.unknown.append(entry.name)
            continue
        if name in full_names:
            both = f"{shown(full_names[name])} and {shown(entry.name)}"
            raise SourceError(
                f"{path.name} has two members {name}: {both}.", "Keep the right one, drop the other.", file=name
            )
        full_names[name] = entry.name
        _judge_member(entry, name, limits)
        deflated = entry.method == DEFLATED
        found.members[name] = Packed(path, name, deflated, begin, entry.packed, entry.size, entry.crc)
    return found


def _judge_member(entry: Entry, name: str, limits: Limits) -> None:
    """Whether one of the dataset's members can be inflated, and may be."""
    again = "Pack it again with deflate, or unzip it and give the folder."
    if entry.flags & (ENCRYPTED | STRONG) or entry.method == _AES:
        raise SourceError(f"{name} is encrypted.", "Decrypt it first: unzip it and give the folder.", file=name)
    if entry.flags & PATCHED:
        raise SourceError(f"{name} is a patch to another file.", again, file=name)
    if entry.method not in (STORED, DEFLATED):
        method = _METHODS.get(entry.method, f"method {entry.method}")
        raise SourceError(f"{name} is compressed by {method}, which is not supported.", again, file=name)
    if entry.method == STORED and entry.size != entry.packed:
        raise damaged(f"{name} is stored, yet has two sizes", name)
    if entry.size > limits.ratio * entry.packed:
        raise SourceError(
            f"{name} would inflate from {entry.packed:,} bytes to {entry.size:,}, more than {limits.ratio:,} times.",
            "That is how a zip bomb looks; if it is right, raise --max-ratio.",
            file=name,
        )
