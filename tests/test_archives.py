"""Hostile and damaged archives are refused, strange but honest ones are read."""

import json
import os
import shutil
import stat
import struct
import subprocess
import sys
import time
import tracemalloc
import zipfile
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from rawzip import FULL16, FULL32, Part, deflated, pack, quoted_overlap
from small import movies, text

import moviehouse
from moviehouse.errors import SourceError, TargetError, UsageError
from moviehouse.model.sources import SOURCES
from moviehouse.progress import Quiet
from moviehouse.steps.archive import Limits, judge
from moviehouse.steps.extract import check_room, extract, inflate, plan

LIMITS = Limits(64 << 30, 1000, 200)
MOVIES = text("movies_metadata.csv", movies({"overview": "a word or two"}, {"title": "B"}))
LINKS = text("links.csv", [{"movieId": i, "imdbId": f"{i:07}", "tmdbId": i} for i in range(1, 9)], end="\r\n")


def movie_part(**options) -> Part:
    return Part("movies_metadata.csv", MOVIES, **options)


def links_part(**options) -> Part:
    return Part("links.csv", LINKS, **options)


def everything(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}


def refused(tmp_path: Path, content: bytes, message: str, hint: str = "", **options) -> SourceError:
    """A build of the archive must end cleanly: what, what to do, a log, and nothing else on the disk."""
    archive = tmp_path / "drop.zip"
    archive.write_bytes(content)
    before = everything(tmp_path)
    with pytest.raises(SourceError, match=message) as caught:
        moviehouse.build(str(archive), tmp_path / "out", **options)
    error = caught.value
    assert error.exit_status == 1
    assert not error.retry
    assert error.hint
    assert hint in error.hint
    assert str(error).isprintable()
    line = json.loads(error.log.read_text().splitlines()[-1])
    assert (line["reason"], line["message"]) == ("source_unusable", str(error))
    left = everything(tmp_path) - before
    run = error.log.parent.relative_to(tmp_path)
    assert left == {"out", "out/.lock", "out/failed", str(run), f"{run}/errors.jsonl", f"{run}/run.json"}
    shutil.rmtree(tmp_path / "out")
    return error


def taken(tmp_path: Path, content: bytes, limits: Limits = LIMITS) -> dict[str, bytes]:
    """What extracting the archive gives."""
    archive = tmp_path / "drop.zip"
    archive.write_bytes(content)
    found = extract(archive, "archive", tmp_path / "members", Quiet(), limits).members()
    assert set(everything(tmp_path / "members")) == set(found)
    return {name: member.path.read_bytes() for name, member in found.items()}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"movieId,imdbId\n" * 50, "is not a zip archive"),
        (b"\x1f\x8b\x08" + b"x" * 100, "is not a zip archive"),
        (b"PK", "is not a zip archive"),
        (pack(), "has no movies_metadata.csv"),
        (pack(links_part()), "has no movies_metadata.csv"),
        (pack(Part("inner.zip", pack(movie_part()))), "has no movies_metadata.csv"),
        (pack(movie_part())[:-1], "cut short"),
        (pack(movie_part()) + b"x", "bytes were added at its end"),
        (pack(movie_part())[:200], "cut short"),
    ],
)
def test_what_is_no_whole_archive(tmp_path, content, message):
    refused(tmp_path, content, message)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../movies_metadata.csv", "leads out of its folder"),
        ("../../../../tmp/x", "leads out of its folder"),
        ("a/../../x", "leads out of its folder"),
        ("..\\x", "leads out of its folder"),
        ("a\\..\\x", "leads out of its folder"),
        ("..", "leads out of its folder"),
        ("/etc/passwd", "absolute name"),
        ("\\x", "absolute name"),
        ("C:\\x", "absolute name"),
        ("c:x", "absolute name"),
        ("ratings.csv\0.txt", "NUL in its name"),
        ("\x1b[2J..\x07/../x", "leads out of its folder"),
        ("n" * 1025, "a name of 1,025 bytes"),
    ],
)
def test_a_name_that_means_harm_refuses_the_archive_whichever_member_has_it(tmp_path, name, message):
    refused(tmp_path, pack(movie_part(), Part(name, b"x")), message)


@pytest.mark.parametrize(
    ("mode", "message"), [(stat.S_IFLNK, "symbolic link"), (stat.S_IFIFO, "a pipe"), (stat.S_IFCHR, "a device")]
)
@pytest.mark.parametrize("name", ["ratings.csv", "readme"])
def test_a_link_or_a_device_refuses_the_archive(tmp_path, name, mode, message):
    refused(tmp_path, pack(movie_part(), Part(name, b"/etc/passwd", mode=mode | 0o777)), message)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"flags": 1}, "links.csv is encrypted"),
        ({"flags": 0x41}, "links.csv is encrypted"),
        ({"flags": 0x40}, "links.csv is encrypted"),
        ({"central": {"method": 99}, "local": {"method": 99}}, "links.csv is encrypted"),
        ({"flags": 0x20}, "is a patch"),
        ({"central": {"method": 12}, "local": {"method": 12}}, "links.csv is compressed by bzip2"),
        ({"central": {"method": 9}, "local": {"method": 9}}, "links.csv is compressed by Deflate64"),
        ({"central": {"method": 93}, "local": {"method": 93}}, "links.csv is compressed by Zstandard"),
        ({"central": {"method": 77}, "local": {"method": 77}}, "links.csv is compressed by method 77"),
    ],
)
def test_a_member_that_cannot_be_inflated_is_named_and_another_than_the_datasets_does_no_harm(
    tmp_path, options, message
):
    (tmp_path / "a").mkdir()
    refused(tmp_path / "a", pack(movie_part(), links_part(**options)), message, "unzip it and give the folder")
    other = Part("readme.txt", b"read me", **options)
    assert taken(tmp_path, pack(movie_part(), other)) == {"movies_metadata.csv": MOVIES}


def test_an_encrypted_directory(tmp_path):
    refused(tmp_path, pack(movie_part(), Part("1", b"x", flags=0x2041)), "directory of the archive is encrypted")


@pytest.mark.parametrize("second", ["links.csv", "copy/links.csv", "copy\\links.csv", "./links.csv"])
def test_a_repeated_member(tmp_path, second):
    error = refused(tmp_path, pack(movie_part(), links_part(), Part(second, LINKS)), "has two members links.csv")
    assert second in error.message


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (links_part(central={"size": len(LINKS) - 1}), "is described otherwise"),
        (links_part(central={"packed": 5}), "is described otherwise"),
        (links_part(central={"crc": 5}), "is described otherwise"),
        (links_part(central={"method": 0}), "is described otherwise"),
        (links_part(central={"flags": 1}), "is described otherwise"),
        (links_part(local={"flags": 1}), "is described otherwise"),
        (links_part(local={"flags": 0x2000}), "is described otherwise"),
        (links_part(local_name=b"ratings.csv"), "has another name in its own header"),
        (Part("readme.txt", LINKS, local_name=b"links.csv"), "has another name in its own header"),
        (links_part(central={"offset": 7}), "is not where"),
        (links_part(central={"offset": 1 << 30}), "is not where"),
        (links_part(central={"offset": FULL32}), "lacks its ZIP64 sizes"),
        (links_part(central={"size": FULL32}), "lacks its ZIP64 sizes"),
        (links_part(local={"size": FULL32}), "lacks its ZIP64 sizes"),
        (links_part(central={"packed": 1 << 30}, local={"packed": 1 << 30}), "reach beyond the archive's data"),
        (links_part(local={"extra_length": 20_000}), "reach beyond|lacks|is described"),
        (links_part(central={"size": 9}, local={"size": 9}), "longer than the 9 bytes"),
        (links_part(central={"size": 999}, local={"size": 999}), "the archive says 999"),
        (links_part(central={"crc": 1}, local={"crc": 1}), "does not match the checksum"),
        (links_part(central={"crc": 1}, descriptor=True), "does not match the checksum"),
        (links_part(deflate=False, central={"size": 9}, local={"size": 9}), "two sizes"),
        (links_part(data=deflated(LINKS)[:-5]), "cannot be inflated|cut short"),
        (links_part(data=deflated(LINKS) + b"more"), "ends before its compressed data"),
        (links_part(data=b"\xff" * 50), "cannot be inflated"),
        (links_part(data=b"", central={"size": 0}, local={"size": 0}), "cut short"),
        (links_part(central={"comment_length": 5}), "fewer members|cut short"),
        (links_part(central={"disk": 1}), "another part of a split"),
    ],
)
def test_a_member_that_lies(tmp_path, part, message):
    refused(tmp_path, pack(movie_part(), part), message)


@pytest.mark.parametrize("offset", [1 << 40, (1 << 63) - 1, (1 << 64) - 1])
def test_a_member_that_would_be_beyond_any_file(tmp_path, offset):
    content = bytearray(pack(movie_part(), links_part(zip64=True)))
    at = content.rindex(b"links.csv") + len("links.csv") + 20
    content[at : at + 8] = struct.pack("<Q", offset)
    refused(tmp_path, bytes(content), "links.csv is not where")


@pytest.mark.parametrize(
    ("end", "message"),
    [
        ({"here": 1}, "one part of a split archive"),
        ({"disk": 1}, "one part of a split archive"),
        ({"here": 1, "count": 1}, "longer than its end record says"),
        ({"here": 3, "count": 3}, "fewer members"),
        ({"here": FULL16, "count": FULL16}, "65,535 members, more than the limit of 1,000"),
        ({"length": 5}, "its directory|fewer members"),
        ({"length": 1 << 30}, "begin before the file"),
        ({"offset": 1 << 30}, "begin before the file"),
        ({"offset": 1}, "is not where"),
    ],
)
def test_an_end_record_that_lies(tmp_path, end, message):
    refused(tmp_path, pack(movie_part(), links_part(), end=end), message)


@pytest.mark.parametrize(
    ("end", "end64", "message"),
    [
        ({"count": 1}, {}, "contradict each other"),
        ({"offset": 7}, {}, "contradict each other"),
        ({}, {"here": 1 << 40, "count": 1 << 40}, "1,099,511,627,776 members"),
        ({}, {"length": 1 << 62}, "begin before the file|contradict"),
        ({}, {"record": 4}, "not where it should be"),
        ({}, {"disk": 3}, "contradict each other"),
        ({"disk": FULL16}, {"disk": 3}, "split archive"),
    ],
)
def test_a_zip64_end_record_that_lies(tmp_path, end, end64, message):
    refused(tmp_path, pack(movie_part(), links_part(), zip64=True, end=end, end64=end64), message)


def test_two_archives_in_one(tmp_path):
    """A comment that is an archive's end itself: which one counts would depend on the reader."""
    inner = pack(movie_part())
    refused(tmp_path, pack(links_part(), movie_part(), comment=inner[-22:]), "two end records")


def test_an_archive_that_ends_anywhere(tmp_path):
    content = pack(movie_part(), links_part(deflate=False), comment=b"the end")
    archive = tmp_path / "cut.zip"
    for length in range(len(content)):
        archive.write_bytes(content[:length])
        with pytest.raises(SourceError, match="cut short|is empty|not a zip"):
            judge(archive, LIMITS)
    archive.write_bytes(content)
    assert set(judge(archive, LIMITS).members) == {"movies_metadata.csv", "links.csv"}


@pytest.mark.parametrize("count", [1000, 10_000, 70_000])
def test_more_members_than_the_limit(tmp_path, count):
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        archive.writestr("movies_metadata.csv", MOVIES)
        for i in range(count):
            archive.writestr(zipfile.ZipInfo(f"{i}"), b"")
    content = (tmp_path / "many.zip").read_bytes()
    refused(tmp_path, content, f"has {count + 1:,} members, more than the limit of 1,000", "--max-members")
    if count < 70_000:
        assert set(taken(tmp_path, content, Limits(1 << 30, count + 1, 200))) == {"movies_metadata.csv"}


@pytest.mark.parametrize("claim", [1 << 20, 1 << 32])
def test_a_directory_that_claims_millions_is_not_read_into_memory(tmp_path, claim):
    """The file is sparse, and 20 GiB of directory are zeros."""
    size = 20 << 30
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, claim, claim, size, 0)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, FULL16, FULL16, FULL32, FULL32, 0)
    archive = tmp_path / "claims.zip"
    with archive.open("wb") as file:
        file.truncate(size)
        file.seek(size)
        file.write(end64 + struct.pack("<4sLQL", b"PK\6\7", 0, size, 1) + end)
    tracemalloc.start()
    with pytest.raises(SourceError, match=f"{claim:,} members"):
        judge(archive, LIMITS)
    with pytest.raises(SourceError, match="fewer members"):
        judge(archive, Limits(1 << 62, 1 << 62, 200))
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    archive.unlink()


def test_a_bomb_of_zeros_is_not_even_begun(tmp_path):
    bomb = pack(movie_part(), Part("ratings.csv", bytes(64 << 20)))
    assert len(bomb) < 100_000
    refused(tmp_path, bomb, "ratings.csv would inflate from .* more than 200 times", "--max-ratio")
    refused(tmp_path, bomb, "more than the limit of 1,000,000", "--max-bytes", max_ratio=2000, max_bytes=1_000_000)
    assert len(taken(tmp_path, bomb, Limits(1 << 30, 10, 2000))["ratings.csv"]) == 64 << 20


def test_a_bomb_that_lies_about_its_size_stops_at_the_size_it_claims(tmp_path):
    data = deflated(bytes(256 << 20))
    claim = {"size": 20_000_000}
    bomb = pack(movie_part(), Part("ratings.csv", b"", data=data, central=claim, local=claim))
    refused(tmp_path, bomb, "longer than the 20,000,000 bytes")
    told: list[int] = []
    with pytest.raises(SourceError, match="longer"):
        inflate(judge(tmp_path / "drop.zip", LIMITS).members["ratings.csv"], tmp_path / "part", told.append)
    assert (tmp_path / "part").stat().st_size == sum(told) <= 20_000_000


@pytest.mark.parametrize("members", [2, 300])
def test_a_bomb_whose_members_overlap(tmp_path, members):
    names = ["movies_metadata.csv", *(f"{i}.csv" for i in range(members - 2)), "ratings.csv"]
    bomb = quoted_overlap(names, MOVIES)
    (tmp_path / "plain.zip").write_bytes(bomb)
    with zipfile.ZipFile(tmp_path / "plain.zip") as archive:  # others do see that many members
        assert len(archive.infolist()) == members
    refused(tmp_path, bomb, "overlap")


def test_two_entries_for_the_same_bytes(tmp_path):
    refused(tmp_path, pack(movie_part(), links_part(), links_part(at=0)), "another name|overlap")
    refused(tmp_path, pack(movie_part(), Part("x", b"y"), Part("movies_metadata.csv", MOVIES, at=0)), "overlap")


def test_claims_of_more_than_there_is(tmp_path):
    wide = {"size": 4_000_000_000}
    parts = [Part(s.name, MOVIES, central=wide, local=wide) for s in SOURCES]
    refused(tmp_path, pack(*parts), "more than 200 times")
    refused(tmp_path, pack(*parts), "28,000,000,000 bytes, more than the limit", max_bytes=10**10, max_ratio=1 << 40)


def test_extracting_leaves_room_on_the_disk(tmp_path):
    """Judged before a byte is written, on this disk as it is."""
    stats = os.statvfs(tmp_path)
    free = stats.f_bavail * stats.f_frsize
    with pytest.raises(TargetError, match="must stay free") as caught:
        check_room(free - (100 << 20), tmp_path / "out" / "members")
    assert (caught.value.exit_status, caught.value.retry) == (4, True)
    assert not (tmp_path / "out").exists()


def test_room_is_needed_for_what_is_wanted_alone(tmp_path, monkeypatch):
    """Tasks of a cluster that take one member each may share a disk."""
    archive = moviehouse.sample(tmp_path / "sample.zip", movies=200, ratings=5000).path
    room = shutil.disk_usage(tmp_path)._replace(total=2000, free=100_000)
    monkeypatch.setattr("moviehouse.steps.extract.shutil.disk_usage", lambda _: room)
    with pytest.raises(TargetError, match=r"Extracting takes [\d,]+ bytes; .* has 100,000 left") as caught:
        plan(archive, "archive", tmp_path / "members", Limits(1 << 30, 10, 2000), elsewhere="look elsewhere")
    assert caught.value.hint == "Make room, or look elsewhere."
    for wanted in ((), ("links.csv",)):
        planned = plan(archive, "archive", tmp_path / "members", Limits(1 << 30, 10, 2000), wanted=wanted)
        assert len(planned.jobs) == len(SOURCES)


def test_the_limits_are_options(tmp_path):
    for option in ("max_bytes", "max_members", "max_ratio"):
        with pytest.raises(UsageError, match=f"--{option.replace('_', '-')} must be at least 1"):
            moviehouse.check("nowhere.zip", **{option: 0})
    (tmp_path / "x.zip").write_bytes(pack(movie_part(), links_part()))
    command = [sys.executable, "-m", "moviehouse", "x.zip", "--quiet"]
    for option, message in (
        ("--max-members=1", "2 members"),
        ("--max-ratio=1", "1 times"),
        ("--max-bytes=9", "limit of 9"),
    ):
        done = subprocess.run([*command, option], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert message in done.stderr
        assert "Traceback" not in done.stderr


def test_check_refuses_as_build_does_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    (tmp_path / "x.zip").write_bytes(pack(movie_part(), Part("../x", b"x")))
    with pytest.raises(SourceError, match="leads out"):
        moviehouse.check(str(tmp_path / "x.zip"))
    assert everything(tmp_path) == {"tmp", "x.zip"}


@pytest.mark.parametrize(
    "content",
    [
        pack(movie_part(), links_part(), stub=b"#!/bin/sh\nexit\n" * 40),
        pack(movie_part(), links_part(), comment=b"c" * FULL16),
        pack(movie_part(), links_part(deflate=False)),
        pack(movie_part(descriptor=True), links_part(descriptor=True)),
        pack(movie_part(zip64=True), links_part(zip64=True)),
        pack(movie_part(zip64=True, descriptor=True), links_part(zip64=True, deflate=False)),
        pack(movie_part(), links_part(), zip64=True),
        pack(movie_part(zip64=True), links_part(), zip64=True, stub=b"stub", comment=b"PK\6\7"),
        pack(movie_part(), links_part(), zip64=True, end={"count": 2, "here": 2}),
        pack(Part("données/".encode("cp437"), mode=0o40755), Part("données/movies_metadata.csv".encode("cp437"), MOVIES), links_part()),
        pack(Part("données/movies_metadata.csv", MOVIES, flags=1 << 11), Part("a\\b\\links.csv", LINKS)),
        pack(movie_part(mode=0), links_part(), Part("__MACOSX/._links.csv", b"x"), Part("notes..txt", b"x")),
        pack(movie_part(), links_part(), Part("same", b"x"), Part("same", b"y")),
        pack(movie_part(), links_part(), Part("bomb.bin", bytes(16 << 20)), Part("wrong", b"x", local={"crc": 1}, central={"crc": 1})),
        pack(movie_part(), Part("d/", b"x"), links_part()),
    ],
)  # fmt: skip
def test_what_is_strange_but_honest_is_read(tmp_path, content):
    assert taken(tmp_path, content) == {"movies_metadata.csv": MOVIES, "links.csv": LINKS}
    with zipfile.ZipFile(tmp_path / "drop.zip") as archive:  # and it is a zip for others too
        assert len(archive.infolist()) >= 2


@pytest.mark.parametrize(
    "content",
    [
        pack(movie_part(), links_part(), comment=b"PK\5\6 is no end"),
        pack(movie_part(), Part(b"\xff\xfe", b"x", flags=1 << 11), links_part()),
    ],
)
def test_what_is_too_strange_for_the_standard_library_is_read_too(tmp_path, content):
    assert taken(tmp_path, content) == {"movies_metadata.csv": MOVIES, "links.csv": LINKS}


class Stream:
    """A file that cannot be sought: what is written to it gets data descriptors."""

    def __init__(self, file):
        self.write, self.flush = file.write, file.flush


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("way", ["plain", "stream", "zip64", "appended"])
def test_archives_of_the_standard_library(tmp_path, way, method):
    path = tmp_path / "made.zip"
    path.write_bytes(b"MZ stub" if way == "appended" else b"")
    with (
        path.open("r+b") as file,
        zipfile.ZipFile(
            Stream(file) if way == "stream" else path, "w" if way != "appended" else "a", method
        ) as archive,
    ):
        for name, content in (("x/links.csv", LINKS), ("x/movies_metadata.csv", MOVIES)):
            with archive.open(name, "w", force_zip64=way == "zip64") as member:
                member.write(content)
    assert taken(tmp_path, path.read_bytes()) == {"movies_metadata.csv": MOVIES, "links.csv": LINKS}


def test_a_strange_archive_gives_the_release_of_a_plain_one(tmp_path):
    plain, strange = tmp_path / "plain.zip", tmp_path / "strange.zip"
    plain.write_bytes(pack(movie_part(), links_part()))
    strange.write_bytes(
        pack(
            Part("readme", b"x", flags=1),
            links_part(zip64=True),
            movie_part(descriptor=True),
            zip64=True,
            stub=b"#!",
            comment=b"c",
        )
    )
    one, other = (moviehouse.build(str(p), tmp_path / p.stem) for p in (plain, strange))
    assert other.run.ignored_files == ["readme"]
    assert {n: e.get("sha256") for n, e in one.run.files.items()} == {
        n: e.get("sha256") for n, e in other.run.files.items()
    }
    for answer in (one.path / "answers").glob("*.csv"):
        assert answer.read_bytes() == (other.path / "answers" / answer.name).read_bytes()


class Slow(Quiet):
    """Progress that takes a tenth of a second to show."""

    @contextmanager
    def step(self, name, total=None):
        yield SimpleNamespace(advance=lambda amount: time.sleep(0.1))


def test_a_member_that_fails_stops_the_others(tmp_path):
    """The large one would take 20 steps more."""
    big = Part("ratings.csv", bytes(160 << 20))
    (tmp_path / "x.zip").write_bytes(pack(big, movie_part(local={"crc": 1}, central={"crc": 1})))
    with pytest.raises(SourceError, match="checksum"):
        extract(tmp_path / "x.zip", "archive", tmp_path / "members", Slow(), Limits(1 << 30, 10, 2000)).members()
    assert (tmp_path / "members" / "ratings.csv").stat().st_size < 100 << 20
