"""A made-up copy of the dataset, of any size, with as many known oddities as fit, each written down."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import is_zipfile

from moviehouse.errors import TargetError, UsageError
from moviehouse.generator.archive import entry, member
from moviehouse.generator.links import Links, movielens_id
from moviehouse.generator.movies import movie_rows
from moviehouse.generator.oddities import LAST_WORDS, credit_oddities, keyword_oddities, movie_oddities, strange_titles
from moviehouse.generator.people import credit_rows, keyword_rows
from moviehouse.generator.weave import Group, Member, Planted, Row, place, weave
from moviehouse.generator.world import World
from moviehouse.model.sources import CREDITS, KEYWORDS, LINKS, LINKS_SMALL, MOVIES, RATINGS, RATINGS_SMALL
from moviehouse.progress import Progress, Quiet

__all__ = ["Planted", "Sample", "sample"]

_README = "This archive was made by `moviehouse sample`: its prose is invented, its movies mostly so.\n"
_SPARES = 1000


@dataclass(frozen=True)
class Sample:
    """A sample that was made.

    `movies` and `ratings` are what a build loads: rejected and repeated records come on top.
    `planted` is how many lines the error log of a build will have; `planted_path` lists them.
    """

    path: Path
    planted_path: Path
    movies: int
    ratings: int
    seed: int
    planted: int


def sample(
    out: Path,
    *,
    movies: int = 1000,
    ratings: int = 20_000,
    seed: int = 1,
    oddities: bool = True,
    progress: Progress | None = None,
) -> Sample:
    """Write a zip in the original's format to `out`, and beside it the list of what is planted in it.

    The same arguments give the same files. A zip that is there is replaced; anything else is not.
    Raises UsageError and TargetError.
    """
    if movies < 1 or ratings < 0:
        raise UsageError("--movies must be at least 1 and --ratings at least 0.")
    out = Path(out)
    planted_path = out.with_name(out.name + ".planted.jsonl")
    try:
        _may_be_written(out)
        with TemporaryDirectory(prefix=".moviehouse-sample-", dir=out.parent) as scratch:
            maker = _Maker(World(movies, seed), ratings, oddities, progress or Quiet(), Path(scratch))
            planted = maker.make()
            # The list first: a sample that can be seen has its list.
            maker.list_path.replace(planted_path)
            maker.zip_path.replace(out)
    except OSError as error:
        raise TargetError(
            f"The sample could not be written to {out}: {error.strerror or error}.",
            "Check the free space and the permissions there, or choose another place.",
        ) from error
    return Sample(out, planted_path, movies, ratings, seed, planted)


def _may_be_written(out: Path) -> None:
    """Raise UsageError where the sample would replace something else, or has no directory to go to."""
    if not out.parent.is_dir():
        what = "is not a directory" if out.parent.exists() else "does not exist"
        raise UsageError(f"{out.parent} {what}.", f"Create it, or choose another place than {out}.")
    if out.is_dir():
        raise UsageError(f"{out} is a directory.", f"Give the zip a name: {out / 'sample.zip'}.")
    if out.exists() and not is_zipfile(out):
        raise UsageError(f"{out} exists and is not a zip; it was not replaced.", "Choose another name, or delete it.")


class _Maker:
    """One sample under way."""

    def __init__(self, world: World, ratings: int, oddities: bool, progress: Progress, scratch: Path) -> None:
        self.world, self.ratings, self.oddities = world, ratings, oddities
        self.progress, self.scratch = progress, scratch
        self.links = Links(world, oddities)
        self.planted: list[Planted] = []
        self.zip_path, self.list_path = scratch / "sample.zip", scratch / "planted.jsonl"

    def make(self) -> int:
        """Write both files; gives how many lines the list has."""
        with zipfile.ZipFile(self.zip_path, "w", zipfile.ZIP_DEFLATED) as archive:
            self._movie_files(archive)
            self._link_files(archive)
            self._ratings(archive, RATINGS.name, self.ratings, small=False)
            small = min(self.ratings, max(1000, self.ratings * 100_004 // 26_024_289))
            self._ratings(archive, RATINGS_SMALL.name, small, small=True)
            if self.oddities:
                archive.writestr(entry("README.txt"), _README)
                self.planted.append(Planted("warning", "unknown_file", "README.txt", None, None, None))
        self.planted.sort(key=lambda p: (p.file, p.line or 0, p.column or "", p.reason))
        lines = (json.dumps(asdict(planted)) + "\n" for planted in self.planted)
        with self.list_path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(lines)
        return len(self.planted)

    def _member(self, archive: zipfile.ZipFile, name: str, about: int) -> AbstractContextManager[Member]:
        return member(archive, name, about, self.planted, self.progress)

    def _about_movies(
        self,
        archive: zipfile.ZipFile,
        name: str,
        size: int,
        rows: Callable[..., Iterator[Row]],
        groups: Iterable[Group],
        end: bytes = b"",
    ) -> None:
        """A file with one record per movie, of about `size` bytes each; spare rows are of no movie."""
        world, movies = self.world, self.world.movies
        plan = place(groups, world.famous, movies)
        with self._member(archive, name, movies * size) as member:
            weave(member, rows(world), plan, rows(world, movies, movies + _SPARES))
            if end:
                member.end_cut_short(end)

    def _movie_files(self, archive: zipfile.ZipFile) -> None:
        world, odd = self.world, self.oddities
        titles = chain(strange_titles(), movie_oddities(world) if odd else ())
        self._about_movies(archive, MOVIES.name, 765, movie_rows, titles)
        self._about_movies(archive, CREDITS.name, 4200, credit_rows, credit_oddities(world) if odd else ())
        end = LAST_WORDS if odd and world.movies > 1 else b""
        keywords = keyword_oddities(world) if odd else ()
        self._about_movies(archive, KEYWORDS.name, 140, keyword_rows, keywords, end)

    def _link_files(self, archive: zipfile.ZipFile) -> None:
        links = self.links
        with self._member(archive, LINKS.name, links.count * 22) as member:
            weave(member, links.rows(), links.plan, links.spares())
        with self._member(archive, LINKS_SMALL.name, links.small_count * 20) as member:
            weave(member, links.small_rows(), links.small_plan, links.spares())

    def _ratings(self, archive: zipfile.ZipFile, name: str, ratings: int, *, small: bool) -> None:
        # DuckDB takes a tenth of a second to import, which --help need not wait for.
        from moviehouse.generator.ratings import Ratings, unknown_ratings, write_ratings

        links, odd_ones = self.links, unknown_ratings(ratings) if self.oddities else 0
        unknown = movielens_id(links.count + 100 + small) if odd_ones else None
        count, number = (links.small_count, links.small_number_sql) if small else (links.count, "p")
        made = Ratings(ratings - odd_ones, count, number, self.world.seed + 104_729 * small)
        with self._member(archive, name, ratings * 27) as member:
            write_ratings(member, made.blocks(self.scratch), unknown)
