"""Writes the dataset's files into a zip that is the same, byte for byte, whenever it is made."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from moviehouse.generator.weave import Member, Planted
from moviehouse.model.sources import LINKS, LINKS_SMALL, RATINGS, RATINGS_SMALL, SOURCES
from moviehouse.progress import Progress

# The original's date; a zip with the time of its making would differ from run to run.
_ZIP_DATE = (2017, 11, 10, 0, 0, 0)
# Level 6 makes the ratings a tenth smaller, and takes five times as long to pack them.
_LEVEL = 1
HEADERS = {source.name: ",".join(column.name for column in source.columns) for source in SOURCES}
# The generator writes the records of these as text, so that their columns are fixed.
HEADERS |= dict.fromkeys((LINKS.name, LINKS_SMALL.name), "movieId,imdbId,tmdbId")
HEADERS |= dict.fromkeys((RATINGS.name, RATINGS_SMALL.name), "userId,movieId,rating,timestamp")
LINE_ENDS = dict.fromkeys((LINKS.name, LINKS_SMALL.name, RATINGS_SMALL.name), b"\r\n")


def entry(name: str) -> zipfile.ZipInfo:
    """What a zip says of a member."""
    info = zipfile.ZipInfo(name, _ZIP_DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    # A ZipInfo of one's own does not take the archive's level; the name of the attribute changed in 3.13.
    setattr(info, "compress_level" if hasattr(info, "compress_level") else "_compresslevel", _LEVEL)
    return info


@contextmanager
def member(
    archive: zipfile.ZipFile,
    name: str,
    about: int,
    planted: list[Planted],
    progress: Progress,
    header: str | None = None,
) -> Iterator[Member]:
    """A file of the archive, of `about` so many bytes, with its header written."""
    with (
        progress.step(name, about) as step,
        archive.open(entry(name), "w", force_zip64=about > 1 << 30) as stream,
    ):
        made = Member(name, stream, planted, step, LINE_ENDS.get(name, b"\n"))
        made.write((header or HEADERS[name]).encode())
        yield made
        made.flush()
