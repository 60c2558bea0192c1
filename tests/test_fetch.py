"""Fetch from S3, against a real server."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from fetching import BUCKET, KEY, KILLED, PART, Hook, check, content, failure, get, killed_download
from s3_server import S3Server

from moviehouse.steps.fetch.address import S3Object, parse


@pytest.fixture
def signed(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    s3.use(monkeypatch)
    return s3


@pytest.fixture
def bucket(signed: S3Server) -> str:
    return signed.bucket(f"private-{uuid.uuid4().hex[:12]}")


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
