"""Fetch from this machine, addresses, and the cache that cannot be written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fetching import KILLED, PART, check, content, failure, get

from moviehouse.errors import TargetError
from moviehouse.steps.fetch import Fetched, default_cache, shown


def test_local_zip_is_used_where_it_is(tmp_path, cache):
    path = tmp_path / "movies.zip"
    path.write_bytes(content())
    got = get(str(path), cache)
    check(got, content(), 0)
    assert (got.path, got.address, got.etag) == (path, str(path), None)
    assert not cache.exists()


def test_file_address(tmp_path, cache):
    path = tmp_path / "mov ies.zip"
    path.write_bytes(b"not a zip, which is not for fetch to judge")
    for source in (path.as_uri(), path.as_uri().replace("file://", "file://localhost")):
        got = get(source, cache)
        check(got, path.read_bytes(), 0)
        assert got.path == path


def test_directory(tmp_path, cache):
    assert get(str(tmp_path), cache) == Fetched(tmp_path, "directory", str(tmp_path), None, None, None, 0, None)


def test_neither_file_nor_directory(tmp_path, cache):
    os.mkfifo(tmp_path / "pipe")
    assert "neither" in failure(str(tmp_path / "pipe"), cache).message


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "No source"),
        ("a\0b", "NUL"),
        ("/no/such/movies.zip", "/no/such/movies.zip: no such file"),
        ("file:///no/such/movies.zip", "no such file"),
        ("file://server/movies.zip", "another machine"),
        ("ftp://me:hunter2@host/a.zip", "ftp:// is not supported"),
        ("gs://bucket/a.zip", "gs:// is not supported"),
        ("https:/me:hunter2@host/a.zip", "https:/host/a.zip: two slashes belong after https: Write https://host/a.zip"),
        ("s3:bucket/a.zip", "s3:bucket/a.zip: two slashes belong after s3: Write s3://bucket/a.zip"),
        ("file:/no/such.zip", "three slashes belong after file: Write file:///no/such.zip"),
        ("ftp:/host/a.zip", "ftp: is not supported"),
        ("file://s.zip", "write three slashes: file:///s.zip"),
        ("s3://", "not an S3 address"),
        ("s3://me:hunter2@bucket/a.zip", "not an S3 address"),
        ("s3://bucket", "does not name an object"),
        ("s3://bucket/folder/", "does not name an object"),
        ("https://bucket.s3.us-west-2.amazonaws.com/", "does not name an object"),
        ("https://", "not a web address"),
        ("http://me:hunter2@host:port/a.zip", "not a web address"),
        ("http://host/a b.zip", "not a web address"),
        ("http://[::1/a.zip", "not a web address"),
    ],
)
def test_addresses_that_mean_nothing(source, said, cache):
    error = failure(source, cache)
    assert said in str(error)
    assert not error.retry
    assert not cache.exists()


def test_unwritable_cache(site, tmp_path):
    (tmp_path / "file").write_text("in the way")
    error = failure(site().url, tmp_path / "file" / "cache", TargetError)
    assert str(tmp_path / "file" / "cache") in error.message
    assert "MOVIEHOUSE_CACHE" in error.hint
    assert error.retry
    assert error.exit_status == 4


def test_full_disk(site, tmp_path):
    """A limit on the size of files stands for a disk without room."""
    script = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, -1))\n" + KILLED
    command = [sys.executable, "-c", script, site().url, str(tmp_path / "cache"), str(PART), str(10**9)]
    done = subprocess.run(command, timeout=30, check=False, capture_output=True, text=True)
    assert f"TargetError: The cache {tmp_path / 'cache'} cannot be written" in done.stderr


def test_default_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("MOVIEHOUSE_CACHE", "/somewhere")
    assert default_cache() == Path("/somewhere")
    monkeypatch.delenv("MOVIEHOUSE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert default_cache() == Path("/xdg/moviehouse")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_cache() == tmp_path / ".cache" / "moviehouse"


@pytest.mark.parametrize(
    ("source", "safe"),
    [
        ("movies?.zip", "movies?.zip"),
        ("s3://bucket/a#b.zip", "s3://bucket/a#b.zip"),
        (
            "https://me:hunter2@host:8443/a.zip?v=2&sig=hunter2&hunter2#hunter2",
            "https://host:8443/a.zip?v=2&sig=…&…#…",
        ),
        ("https://a@b@host/a.zip", "https://host/a.zip"),
    ],
)
def test_addresses_fit_for_logs(source, safe):
    assert shown(source) == safe
    assert urlsplit(shown(source)).username is None
