"""Fetch from web servers of every kind, on the loopback."""

from __future__ import annotations

import socket

import pytest
from fetching import PART, Hook, check, content, failure, get, killed_download


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
    # A range goes on where it broke off; a stream starts anew.
    assert got.downloaded == len(content()) if ranges else got.downloaded > len(content())


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
    assert "unsafe" in failure(server.url.replace("/data/", "/moved/bad/"), cache).message


def test_web_unreachable(cache, monkeypatch):
    monkeypatch.setattr("moviehouse.steps.fetch.web.ATTEMPTS", 2)
    error = failure("http://me:hunter2@127.0.0.1:9/a.zip?token=hunter2", cache)
    assert "http://127.0.0.1:9/a.zip?token=…: 127.0.0.1 cannot be reached" in error.message
    assert error.retry


def test_web_host_without_an_address(cache, monkeypatch):
    def unknown(*_args: object, **_options: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("moviehouse.steps.fetch.web.ATTEMPTS", 1)
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = failure("http://no-such-host.example/a.zip", cache)
    assert "no-such-host.example cannot be reached (its name cannot be resolved)" in error.message
