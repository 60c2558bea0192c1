"""Fetch: every kind of source, against a real S3 server and real web servers on the loopback."""

from __future__ import annotations

import hashlib
import http.server
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from s3_server import S3Server

from moviehouse.errors import MoviehouseError, SourceError, TargetError
from moviehouse.progress import Quiet
from moviehouse.steps.fetch import Fetched, default_cache, fetch, shown
from moviehouse.steps.fetch.address import S3Object, parse

PART = 64 << 10
BUCKET = "com.guild.us-west-2.public-data"
KEY = "project-data/the-movies-dataset.zip"
SECRETS = ("hunter2", "AKIDWRONG", "wrong-secret", "SIGNED", "SESSIONTOKEN")


def content(size: int = 12 * PART + 1234, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def get(source: str, cache: Path, **options: Any) -> Fetched:
    return fetch(source, cache, **{"progress": Quiet(), "part_bytes": PART, **options})


def failure(source: str, cache: Path, kind: type[MoviehouseError] = SourceError, **options: Any) -> MoviehouseError:
    """The error of a fetch that must fail; no secret may be in it, or in its traceback."""
    with pytest.raises(kind) as caught:
        get(source, cache, **options)
    said = str(caught.value) + "".join(traceback.format_exception(caught.value))
    assert not [secret for secret in SECRETS if secret in said.replace(source, "")]
    assert caught.value.message
    assert caught.value.hint
    return caught.value


def check(got: Fetched, body: bytes, downloaded: int | None = None) -> None:
    assert got.kind == "archive"
    assert got.path.read_bytes() == body
    assert (got.size, got.sha256) == (len(body), hashlib.sha256(body).hexdigest())
    assert downloaded is None or got.downloaded == downloaded


class Hook:
    """A progress display that calls a function with the bytes so far."""

    def __init__(self, call: Callable[[int], None]) -> None:
        self.call, self.done, self.names = call, 0, list[str]()
        self.lock = threading.Lock()

    @contextmanager
    def step(self, name: str, total: int | None = None) -> Iterator[Hook]:
        self.names.append(name)
        yield self

    def advance(self, amount: int) -> None:
        with self.lock:
            self.done += amount
            self.call(self.done)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def signed(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    s3.use(monkeypatch)
    return s3


@pytest.fixture
def bucket(signed: S3Server) -> str:
    return signed.bucket(f"private-{uuid.uuid4().hex[:12]}")


# S3


@pytest.mark.parametrize("region", [None, "us-west-2", "eu-central-1"])
def test_signed_with_any_region_or_none(signed, bucket, cache, monkeypatch, region):
    if region:
        monkeypatch.setenv("AWS_REGION", region)
    signed.put(bucket, "a/b c+ü%20.zip", content())
    got = get(f"s3://{bucket}/a/b c+ü%20.zip", cache)
    check(got, content(), len(content()))
    assert got.address == f"s3://{bucket}/a/b c+ü%20.zip"
    assert got.etag == hashlib.md5(content()).hexdigest()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", got.last_modified)


def test_public_bucket_with_dots_unsigned_without_credentials(s3, cache, monkeypatch):
    s3.bucket(BUCKET, public=True)
    s3.put(BUCKET, KEY, content())
    s3.use(monkeypatch, signed=False)
    check(get(f"s3://{BUCKET}/{KEY}", cache), content())


def test_public_bucket_with_wrong_credentials_when_asked_not_to_sign(s3, cache, monkeypatch):
    s3.bucket(BUCKET, public=True)
    s3.put(BUCKET, KEY, content())
    s3.use(monkeypatch, signed=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDWRONG")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
    assert "--no-sign-request" in failure(f"s3://{BUCKET}/{KEY}", cache).hint
    check(get(f"s3://{BUCKET}/{KEY}", cache, sign=False), content())


@pytest.mark.parametrize(
    "url",
    [
        f"https://s3-us-west-2.amazonaws.com/{BUCKET}/{KEY}",
        f"https://s3.us-west-2.amazonaws.com/{BUCKET}/{KEY}",
        f"https://s3.dualstack.us-west-2.amazonaws.com/{BUCKET}/{KEY}",
        f"https://{BUCKET}.s3.us-west-2.amazonaws.com/{KEY}",
        f"https://{BUCKET}.s3-us-west-2.amazonaws.com/{KEY}",
    ],
)
def test_web_addresses_of_s3_objects_are_the_same_object(url):
    assert parse(url) == S3Object(url, BUCKET, KEY, "us-west-2")


def test_web_address_of_an_s3_object_uses_the_same_cache(s3, cache, monkeypatch):
    s3.bucket(BUCKET, public=True)
    s3.put(BUCKET, KEY, content())
    s3.use(monkeypatch)
    get(f"s3://{BUCKET}/{KEY}", cache)
    check(get(f"https://s3-us-west-2.amazonaws.com/{BUCKET}/{KEY}", cache), content(), 0)


def test_profile_in_the_configuration_file(s3, bucket, cache, tmp_path, monkeypatch):
    s3.use(monkeypatch, signed=False)
    text = f"[profile studio]\naws_access_key_id={s3.access_key}\naws_secret_access_key={s3.secret_key}\n"
    (tmp_path / "config").write_text(text + "[profile other]\naws_access_key_id=AKIDWRONG\naws_secret_access_key=x\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "studio")
    s3.put(bucket, "a.zip", content(10))
    check(get(f"s3://{bucket}/a.zip", cache), content(10))
    monkeypatch.setenv("AWS_PROFILE", "other")
    assert "credentials of profile other" in failure(f"s3://{bucket}/a.zip", cache).message
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "profile" in failure(f"s3://{bucket}/a.zip", cache).message


def test_missing_key(signed, bucket, cache):
    error = failure(f"s3://{bucket}/nothing.zip", cache)
    assert f"s3://{bucket}/nothing.zip: the bucket has no such object" in error.message
    assert "Kaggle" in error.hint
    assert not error.retry
    assert error.exit_status == 1


def test_missing_bucket(signed, cache):
    error = failure("s3://no-such-bucket-here/a.zip", cache)
    assert "there is no bucket no-such-bucket-here" in error.message


def test_private_bucket_unsigned(s3, bucket, cache, monkeypatch):
    s3.put(bucket, "a.zip", b"x")
    s3.use(monkeypatch, signed=False)
    error = failure(f"s3://{bucket}/a.zip", cache)
    assert "forbidden" in error.message
    assert "unsigned" in error.message
    assert "AWS_PROFILE" in error.hint
    assert "local copy" in error.hint


def test_private_bucket_with_wrong_keys(signed, bucket, cache, monkeypatch):
    signed.put(bucket, "a.zip", b"x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
    assert "SignatureDoesNotMatch" in failure(f"s3://{bucket}/a.zip", cache).message
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDWRONG")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "SESSIONTOKEN")
    error = failure(f"s3://{bucket}/a.zip", cache)
    assert "credentials in the environment" in error.message
    assert "--no-sign-request" in error.hint


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 9 * PART])
def test_sizes_around_the_parts(signed, bucket, cache, size):
    signed.put(bucket, "a.zip", content(size))
    check(get(f"s3://{bucket}/a.zip", cache), content(size), size)
    check(get(f"s3://{bucket}/a.zip", cache), content(size), 0)


def test_second_run_downloads_nothing(signed, bucket, cache):
    signed.put(bucket, "a.zip", content())
    first = get(f"s3://{bucket}/a.zip", cache)
    second = get(f"s3://{bucket}/a.zip", cache)
    check(second, content(), 0)
    assert (second.path, second.etag, second.last_modified) == (first.path, first.etag, first.last_modified)


def test_changed_object_is_downloaded_anew_and_the_old_one_dropped(signed, bucket, cache):
    signed.put(bucket, "a.zip", content(seed=1))
    old = get(f"s3://{bucket}/a.zip", cache)
    signed.put(bucket, "a.zip", content(seed=2))
    check(get(f"s3://{bucket}/a.zip", cache), content(seed=2), len(content()))
    assert not old.path.exists()


@pytest.mark.parametrize("damage", ["flip", "cut", "note"])
def test_damaged_cache_is_noticed(signed, bucket, cache, damage):
    signed.put(bucket, "a.zip", content())
    path = get(f"s3://{bucket}/a.zip", cache).path
    if damage == "flip":
        path.write_bytes(b"\0" + content()[1:])
    elif damage == "cut":
        path.write_bytes(content()[:-1])
    else:
        path.with_name("a.zip.source.json").write_text("[")
    check(get(f"s3://{bucket}/a.zip", cache), content(), len(content()))
    check(get(f"s3://{bucket}/a.zip", cache), content(), 0)


KILLED = """
import os, signal, sys
from contextlib import contextmanager
from pathlib import Path
from moviehouse.steps.fetch import fetch

class Dies:
    done = 0
    @contextmanager
    def step(self, name, total=None):
        yield self
    def advance(self, amount):
        self.done += amount
        if self.done > int(sys.argv[4]):
            os.kill(os.getpid(), signal.SIGKILL)

fetch(sys.argv[1], Path(sys.argv[2]), progress=Dies(), part_bytes=int(sys.argv[3]))
"""


def killed_download(source: str, cache: Path, after: int) -> None:
    command = [sys.executable, "-c", KILLED, source, str(cache), str(PART), str(after)]
    assert subprocess.run(command, timeout=30, check=False).returncode == -signal.SIGKILL


def test_resumes_after_a_kill(signed, bucket, cache):
    body = content(40 * PART + 5)
    signed.put(bucket, "a.zip", body)
    killed_download(f"s3://{bucket}/a.zip", cache, 25 * PART)
    got = get(f"s3://{bucket}/a.zip", cache)
    check(got, body)
    assert 0 < got.downloaded <= len(body) - 10 * PART
    assert sorted(path.name for path in got.path.parent.iterdir()) == ["a.zip", "a.zip.source.json"]
    assert not (got.path.parent.parent / "partial").exists()


def test_resumes_only_what_is_whole(signed, bucket, cache):
    """A part that the journal has but the disk has not is transferred again; a torn line is no part."""
    body = content(40 * PART)
    signed.put(bucket, "a.zip", body)
    killed_download(f"s3://{bucket}/a.zip", cache, 25 * PART)
    journal = next(cache.glob("*/partial/a.zip.journal"))
    listed = [int(line.split()[0]) for line in journal.read_text().splitlines()[1:]]
    with journal.with_name("a.zip").open("r+b") as file:
        file.seek(listed[0] * PART + 7)
        file.write(b"damage")
    with journal.open("a") as file:
        file.write("39 ")
    got = get(f"s3://{bucket}/a.zip", cache)
    check(got, body, len(body) - (len(listed) - 1) * PART)


def test_does_not_resume_another_version(signed, bucket, cache):
    signed.put(bucket, "a.zip", content(40 * PART, seed=1))
    killed_download(f"s3://{bucket}/a.zip", cache, 25 * PART)
    body = content(40 * PART, seed=2)
    signed.put(bucket, "a.zip", body)
    check(get(f"s3://{bucket}/a.zip", cache), body, len(body))


def test_object_replaced_during_the_download_is_never_stitched(signed, bucket, cache):
    old, new = content(60 * PART, seed=1), content(60 * PART, seed=2)
    signed.put(bucket, "a.zip", old)
    replaced = []

    def replace(done: int) -> None:
        if done > 10 * PART and not replaced:
            replaced.append(done)
            signed.put(bucket, "a.zip", new)

    got = get(f"s3://{bucket}/a.zip", cache, progress=Hook(replace))
    assert replaced
    check(got, new)
    assert got.downloaded > len(new)
    check(get(f"s3://{bucket}/a.zip", cache), new, 0)


def test_object_that_keeps_changing(signed, bucket, cache):
    """Each try sees one replacement under way; after two the error says so."""
    source, tries = f"s3://{bucket}/a.zip", []
    signed.put(bucket, "a.zip", content(60 * PART))

    class Replacing(Hook):
        @contextmanager
        def step(self, name: str, total: int | None = None) -> Iterator[Hook]:
            tries.append(name)
            yield Hook(lambda done: signed.put(bucket, "a.zip", content(60 * PART, seed=done)))

    error = failure(source, cache, progress=Replacing(print))
    assert "replaced while it was downloaded" in error.message
    assert error.retry
    assert len(tries) == 2


def test_object_deleted_during_the_download(signed, bucket, cache):
    signed.put(bucket, "a.zip", content(60 * PART))
    progress = Hook(lambda done: signed.client.delete_object(Bucket=bucket, Key="a.zip"))
    assert "no such object" in failure(f"s3://{bucket}/a.zip", cache, progress=progress).message


def test_two_at_once_into_one_cache(signed, bucket, cache):
    """The second waits, says so, and then finds what the first has fetched."""
    signed.put(bucket, "a.zip", content())
    waits = Hook(lambda done: None)
    slow = Hook(lambda done: time.sleep(0.1) if not waits.names else None)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(get, f"s3://{bucket}/a.zip", cache, progress=slow)
        while not list(cache.glob("*/partial")):
            time.sleep(0.01)
        second = pool.submit(get, f"s3://{bucket}/a.zip", cache, progress=waits)
        check(first.result(20), content(), len(content()))
        check(second.result(20), content(), 0)
    assert "wait for another process" in waits.names[0]


def test_processes_at_once_agree(signed, bucket, cache):
    signed.put(bucket, "a.zip", content())
    command = [sys.executable, "-c", KILLED, f"s3://{bucket}/a.zip", str(cache), str(PART), str(10**9)]
    running = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(30) for process in running] == [0, 0, 0]
    check(get(f"s3://{bucket}/a.zip", cache), content(), 0)


def test_unreachable_endpoint_can_be_tried_again_and_names_the_older_copy(signed, bucket, cache, monkeypatch):
    signed.put(bucket, "a.zip", content(10))
    path = get(f"s3://{bucket}/a.zip", cache).path
    key = signed.endpoint.removeprefix("http://")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    # The same name for the cache, but nobody answers: a proxy that is not there.
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.delenv("no_proxy")
    error = failure(f"s3://{bucket}/a.zip", cache)
    assert f"{key} cannot be reached" in error.message
    assert error.retry
    assert str(path) in error.hint


def test_secrets_of_the_endpoint_are_not_shown(cache, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    error = failure("s3://some-bucket/a.zip", cache, endpoint_url="http://me:hunter2@127.0.0.1:9")
    assert "127.0.0.1:9 cannot be reached" in error.message


def test_checksum_of_the_server_is_compared(signed, bucket, cache):
    """What a checksum is for: bytes that changed on this disk between transfer and publication."""
    client = signed.client
    client.put_object(Bucket=bucket, Key="a.zip", Body=content(), ChecksumAlgorithm="SHA256")
    check(get(f"s3://{bucket}/a.zip", cache), content(), len(content()))

    def damage(done: int) -> None:
        if done == len(content()):
            with next(cache.glob("*/partial/a.zip")).open("r+b") as file:
                file.write(b"damage")

    (path,) = cache.glob("*/*/a.zip")
    path.unlink()
    error = failure(f"s3://{bucket}/a.zip", cache, progress=Hook(damage))
    assert "arrived damaged" in error.message
    check(get(f"s3://{bucket}/a.zip", cache), content(), len(content()))


def test_interrupted_by_hand(signed, bucket, cache):
    """Control-C ends it at once, and what has arrived is used by the next run."""
    signed.put(bucket, "a.zip", content(40 * PART))

    def interrupt(done: int) -> None:
        if done == 20 * PART:
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)

    with pytest.raises(KeyboardInterrupt):
        get(f"s3://{bucket}/a.zip", cache, progress=Hook(interrupt))
    got = get(f"s3://{bucket}/a.zip", cache)
    check(got, content(40 * PART))
    assert got.downloaded < 40 * PART


# The web


class Site(http.server.ThreadingHTTPServer):
    """A web server for one body, with what a test wants it to do."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, body: bytes, *, ranges: bool, headers: dict[str, str] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.body, self.ranges = body, ranges
        self.headers = {"ETag": '"v1"'} if headers is None else headers
        self.requests, self.breaks, self.statuses = list[Any](), 0, list[int]()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/data/movies.zip"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Site
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        site, body = self.server, self.server.body
        site.requests.append((self.path, dict(self.headers)))
        if site.statuses:
            return self.send_error(site.statuses.pop(0))
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd" if "bad" in self.path else site.url)
            return self.end_headers()
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", "")) if site.ranges else None
        if self.headers.get("If-Range", site.headers.get("ETag")) != site.headers.get("ETag"):
            wanted = None
        first, last = (int(wanted[1]), min(int(wanted[2]), len(body) - 1)) if wanted else (0, len(body) - 1)
        self.send_response((206 if body else 416) if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(body)}" if body else "bytes */0")
        self.send_header("Content-Length", str(last + 1 - first))
        for name, value in site.headers.items():
            self.send_header(name, value)
        self.end_headers()
        whole = body[first : last + 1]
        if len(whole) > 1 and site.breaks:
            site.breaks -= 1
            whole = whole[: len(whole) // 2]
            self.close_connection = True
        self.wfile.write(whole)
        return None

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Callable[..., Site]]:
    made: list[Site] = []

    def make(body: bytes | None = None, **options: Any) -> Site:
        made.append(Site(content() if body is None else body, **{"ranges": True, **options}))
        return made[-1]

    yield make
    for each in made:
        each.shutdown()
        each.server_close()


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("size", [0, 1, 12 * PART + 1234])
def test_web_with_and_without_ranges(site, cache, ranges, size):
    server = site(content(size), ranges=ranges)
    got = get(server.url, cache)
    check(got, content(size), size)
    assert (got.etag, got.address, got.path.name) == ("v1", server.url, "movies.zip")
    check(get(server.url, cache), content(size), 0)


def test_web_last_modified_alone_tells_versions(site, cache):
    server = site(headers={"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"})
    got = get(server.url, cache)
    check(got, content())
    assert (got.etag, got.last_modified) == (None, "2015-10-21T07:28:00Z")
    check(get(server.url, cache), content(), 0)
    server.headers = {"Last-Modified": "Wed, 21 Oct 2015 07:29:00 GMT"}
    check(get(server.url, cache), content(), len(content()))


@pytest.mark.parametrize("ranges", [True, False])
def test_web_that_tells_no_versions_is_fetched_whole_every_time(site, cache, ranges):
    server = site(ranges=ranges, headers={})
    for _ in range(2):
        check(get(server.url, cache), content(), len(content()))
    assert len(list(cache.glob("*/*/movies.zip"))) == 1


@pytest.mark.parametrize("ranges", [True, False])
def test_web_transfers_that_break_off_are_tried_again(site, cache, ranges):
    server = site(ranges=ranges)
    server.breaks = 2
    got = get(server.url, cache)
    check(got, content())
    assert got.downloaded > len(content())


def test_web_resumes(site, cache):
    server = site(content(40 * PART))
    killed_download(server.url, cache, 25 * PART)
    got = get(server.url, cache)
    check(got, content(40 * PART))
    assert 0 < got.downloaded <= 30 * PART


@pytest.mark.parametrize("etag", ['"v2"', 'W/"v2"'])
def test_web_replaced_during_the_download_is_never_stitched(site, cache, etag):
    server = site(content(60 * PART), headers={"ETag": etag.replace("v2", "v1")})
    new = content(60 * PART, seed=2)

    def replace(done: int) -> None:
        server.body, server.headers = new, {"ETag": etag}

    check(get(server.url, cache, progress=Hook(replace)), new)


def test_web_server_errors(site, cache, monkeypatch):
    server = site()
    server.statuses = [503, 500, 429]
    check(get(server.url, cache), content())
    for status, word in [(404, "no such file"), (403, "forbidden"), (401, "forbidden"), (418, "418")]:
        server.statuses = [status]
        error = failure(server.url, cache)
        assert word in error.message
        assert not error.retry
    monkeypatch.setattr("moviehouse.steps.fetch.web.ATTEMPTS", 2)
    server.statuses = [500] * 20
    assert failure(server.url, cache).retry


def test_web_name_and_password_are_sent_but_not_shown_nor_stored(site, cache):
    server = site()
    got = get(server.url.replace("://", "://me:hunter2%40@"), cache)
    check(got, content())
    assert got.address == server.url
    assert server.requests[-1][1]["Authorization"] == "Basic bWU6aHVudGVyMkA="
    assert "hunter2" not in "".join(path.read_text("latin-1") for path in cache.rglob("*.json"))


def test_web_signed_address_is_cached_under_whatever_signature(site, cache):
    server = site()
    one = get(f"{server.url}?versionId=3&X-Amz-Signature=SIGNED1&X-Amz-Credential=SIGNED2", cache)
    assert one.address == f"{server.url}?versionId=3&X-Amz-Signature=…&X-Amz-Credential=…"
    assert "X-Amz-Signature=SIGNED1" in server.requests[-1][0]
    check(get(f"{server.url}?versionId=3&X-Amz-Signature=SIGNED3", cache), content(), 0)
    check(get(f"{server.url}?versionId=4&X-Amz-Signature=SIGNED3", cache), content(), len(content()))
    server.statuses = [403]
    failure(f"{server.url}?X-Amz-Signature=SIGNED&X-Amz-Security-Token=SESSIONTOKEN&token=hunter2", cache)


def test_web_redirects(site, cache):
    server = site()
    check(get(server.url.replace("/data/", "/moved/"), cache), content())
    assert "not safe" in failure(server.url.replace("/data/", "/moved/bad/"), cache).message


def test_web_unreachable(cache, monkeypatch):
    monkeypatch.setattr("moviehouse.steps.fetch.web.ATTEMPTS", 2)
    error = failure("http://me:hunter2@127.0.0.1:9/a.zip?token=hunter2", cache)
    assert "http://127.0.0.1:9/a.zip?token=…: 127.0.0.1 cannot be reached" in error.message
    assert error.retry


# This machine


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
        ("https:/me:hunter2@host/a.zip", "https://host/a.zip: the address has no // after https:"),
        ("s3:bucket/a.zip", "the address has no // after s3:"),
        ("s3://", "not an S3 address"),
        ("s3://me:hunter2@bucket/a.zip", "not an S3 address"),
        ("s3://bucket", "names no object"),
        ("s3://bucket/folder/", "names no object"),
        ("https://bucket.s3.us-west-2.amazonaws.com/", "names no object"),
        ("https://", "not a web address"),
        ("http://me:hunter2@host:port/a.zip", "not a web address"),
        ("http://host/a b.zip", "not a web address"),
        ("http://[::1/a.zip", "not a web address"),
    ],
)
def test_addresses_that_mean_nothing(source, said, cache):
    error = failure(source, cache)
    assert said in error.message
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
