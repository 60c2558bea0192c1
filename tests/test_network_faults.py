"""S3 over a bad network: a proxy in front of a real server cuts, stalls, slows, refuses and lies."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.client import BaseClient
from fetching import PART, check, content, failure, get
from s3_server import S3Server
from tcp_proxy import Fault, Proxy, Request, once, with_header, without_header

import moviehouse
from moviehouse.steps.fetch import remote

SIZE = 24 * PART + 77


@pytest.fixture
def proxy(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy that AWS clients of this process are led to."""
    s3.use(monkeypatch)
    with Proxy(s3.endpoint) as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL", made.url)
        yield made


@pytest.fixture
def bucket(s3: S3Server) -> str:
    return s3.bucket(f"faults-{uuid.uuid4().hex[:12]}")


@pytest.fixture
def source(s3: S3Server, bucket: str) -> str:
    s3.put(bucket, "a.zip", content(SIZE))
    return f"s3://{bucket}/a.zip"


def ranged(request: Request) -> bool:
    return request.range is not None


def part(index: int) -> Callable[[Request], bool]:
    """Chooses the first request for a part."""
    return lambda request: request.range is not None and request.range[0] == index * PART


def test_a_cut_range_goes_on_where_it_broke_off(proxy, source, cache, monkeypatch):
    monkeypatch.setattr(remote, "CHUNK_BYTES", 1 << 10)
    proxy.plan = once(part(3), Fault(cut=PART // 2 + 100))
    check(get(source, cache), content(SIZE), SIZE)
    starts = sorted(request.range[0] for request in proxy.requests if request.range)
    assert 3 * PART + PART // 2 + 100 in starts
    assert proxy.sent == SIZE


def test_a_connection_that_is_always_cut_gets_there_as_long_as_it_gets_on(proxy, source, cache, monkeypatch):
    """More cuts than attempts: an attempt that brought a good piece does not count."""
    monkeypatch.setattr("moviehouse.steps.fetch.transfer.NOTE_BYTES", 4 << 10)
    monkeypatch.setattr("moviehouse.steps.fetch.transfer.pause", lambda _: 0.0)
    monkeypatch.setattr(remote, "CHUNK_BYTES", 1 << 10)
    proxy.plan = lambda request: Fault(cut=PART // 8) if request.range else None
    check(get(source, cache), content(SIZE), SIZE)
    assert len(proxy.requests) > 8 * 24 > 24 * remote.ATTEMPTS


def test_a_connection_that_never_gets_on_ends_in_an_error(proxy, source, cache, monkeypatch):
    monkeypatch.setattr("moviehouse.steps.fetch.transfer.pause", lambda _: 0.0)
    proxy.plan = lambda request: Fault(cut=10) if request.range else None
    error = failure(source, cache)
    assert f"the transfer broke off {remote.ATTEMPTS} times" in error.message
    assert "what was downloaded is kept" in error.hint
    assert error.retry


@pytest.mark.parametrize("after", [0, PART // 2])
def test_a_stalled_range_is_asked_for_again(proxy, source, cache, monkeypatch, after):
    monkeypatch.setattr(remote, "READ_SECONDS", 0.4)
    proxy.plan = once(part(2), Fault(stall=after))
    check(get(source, cache), content(SIZE))
    assert 1 < sum(2 * PART <= (request.range or (0, 0))[0] < 3 * PART for request in proxy.requests) < 4


def test_a_server_that_stalls_for_good_ends_in_an_error(proxy, source, cache, monkeypatch):
    monkeypatch.setattr(remote, "READ_SECONDS", 0.1)
    monkeypatch.setattr("moviehouse.steps.fetch.transfer.pause", lambda _: 0.0)
    proxy.plan = lambda request: Fault(stall=10) if request.range else None
    error = failure(source, cache)
    assert "it does not answer in time" in error.message
    assert error.retry


def test_the_timeouts_are_sane():
    """Long enough for a slow line, short enough for a person who waits; a stalled part has an end too."""
    assert 5 <= remote.CONNECT_SECONDS <= 30
    assert 20 <= remote.READ_SECONDS <= 60
    assert remote.ATTEMPTS * remote.READ_SECONDS <= 300


def test_slow_but_alive_succeeds_though_it_takes_longer_than_the_timeout(proxy, source, cache, monkeypatch):
    monkeypatch.setattr(remote, "READ_SECONDS", 0.5)
    monkeypatch.setattr(remote, "CHUNK_BYTES", 4 << 10)
    proxy.plan = once(part(5), Fault(trickle=(PART // 8, 0.15)))
    start = time.monotonic()
    check(get(source, cache), content(SIZE), SIZE)
    assert time.monotonic() - start > 2 * remote.READ_SECONDS
    assert sum(part(5)(request) for request in proxy.requests) == 1


@pytest.mark.parametrize("answer", [(500, "InternalError"), (503, "SlowDown")])
def test_server_errors_that_go_away(proxy, source, cache, answer):
    plan = once(lambda _: True, Fault(answer=answer))
    later = once(lambda request: (request.range or (0, 0))[0] == 4 * PART, Fault(answer=answer), Fault(answer=answer))
    proxy.plan = lambda request: plan(request) or later(request)
    check(get(source, cache), content(SIZE), SIZE)
    assert sum(part(4)(request) for request in proxy.requests) == 3


@pytest.mark.parametrize("answer", [(500, "InternalError"), (503, "SlowDown"), (429, "TooManyRequests")])
@pytest.mark.parametrize("when", ["head", "part"])
def test_server_errors_that_stay(proxy, source, cache, monkeypatch, answer, when):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    proxy.plan = lambda request: Fault(answer=answer) if when == "head" or part(7)(request) else None
    error = failure(source, cache)
    assert f"the server answered {answer[0]} {answer[1]}" in error.message
    assert "Try again later" in error.hint
    assert error.retry
    assert error.exit_status == 1


def test_after_errors_that_stayed_the_next_run_asks_for_the_rest_only(proxy, source, cache, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    proxy.plan = lambda request: Fault(answer=(503, "SlowDown")) if part(20)(request) else None
    assert failure(source, cache).retry
    noted = _noted(cache)
    assert noted > 10 * PART
    proxy.plan, proxy.sent = lambda _: None, 0
    check(get(source, cache), content(SIZE), SIZE - noted)
    assert proxy.sent == SIZE - noted


def _noted(cache: Path) -> int:
    """How many bytes the journal of the download under way says are there."""
    (journal,) = cache.glob("*/partial/*.journal")
    lines = [line.split() for line in journal.read_text().splitlines()[1:]]
    return sum({index: int(have) for index, have, _ in lines}.values())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Content-Range", f"bytes 0-{PART - 1}/{SIZE}"),
        ("Content-Range", f"bytes {6 * PART}-{7 * PART - 1}/{SIZE + 1}"),
        ("Content-Range", "nonsense"),
        ("Content-Length", str(PART - 1)),
        ("Content-Length", str(PART + 1)),
    ],
)
def test_an_answer_with_another_range_is_not_taken(proxy, source, cache, name, value):
    proxy.plan = once(part(6), Fault(head=with_header(name, value)))
    check(get(source, cache), content(SIZE), SIZE)
    assert sum(part(6)(request) for request in proxy.requests) == 2


def test_an_answer_with_another_range_every_time_ends_in_an_error(proxy, source, cache, monkeypatch):
    monkeypatch.setattr("moviehouse.steps.fetch.transfer.pause", lambda _: 0.0)
    wrong = Fault(head=with_header("Content-Range", f"bytes 0-{PART - 1}/{SIZE}"))
    proxy.plan = lambda request: wrong if part(6)(request) else None
    error = failure(source, cache)
    assert "the server sent a different range" in error.message
    assert error.retry


def test_a_body_shorter_than_its_head_says(proxy, source, cache):
    proxy.plan = once(part(6), Fault(cut=PART - 1))
    check(get(source, cache), content(SIZE))


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_without_a_strong_etag_the_object_comes_in_one_answer(proxy, source, cache, etag):
    """Nothing else would say that the parts belong together."""
    head = with_header("ETag", etag) if etag else without_header("ETag")
    proxy.plan = lambda _: Fault(head=head)
    got = get(source, cache)
    check(got, content(SIZE), SIZE)
    assert got.etag == etag
    assert [request.method for request in proxy.requests] == ["HEAD", "GET"]
    check(get(source, cache), content(SIZE), 0)


def test_without_an_etag_a_cut_starts_anew_and_a_replacement_is_noticed(proxy, source, bucket, s3, cache):
    new = content(SIZE, seed=3)
    cut = once(lambda request: request.method == "GET", Fault(cut=SIZE // 2, head=without_header("ETag")))

    def plan(request: Request) -> Fault:
        if len(proxy.requests) == 3:  # the second GET
            time.sleep(1.1)  # Last-Modified, all there is to tell by, is in seconds
            s3.put(bucket, "a.zip", new)
        return cut(request) or Fault(head=without_header("ETag"))

    proxy.plan = plan
    check(get(source, cache), new)


class Replaced:
    """A plan that has the object replaced before the n-th ranged request is passed on, once."""

    def __init__(self, s3: S3Server, bucket: str, body: bytes, *, before: int, fault: Fault | None = None) -> None:
        self.put = lambda: s3.put(bucket, "a.zip", body)
        self.before, self.fault, self.count, self.lock = before, fault, 0, threading.Lock()

    def __call__(self, request: Request) -> Fault | None:
        with self.lock:
            self.count += request.range is not None
            if self.count == self.before and self.put:
                self.put()
                self.put = None
        return self.fault


@pytest.mark.parametrize(
    ("before", "size"), [(1, SIZE), (9, SIZE), (20, SIZE), (9, SIZE - 5 * PART), (9, SIZE + 3 * PART)]
)
def test_replaced_during_the_download_is_wholly_old_or_wholly_new(proxy, source, bucket, s3, cache, before, size):
    new = content(size, seed=9)
    proxy.plan = Replaced(s3, bucket, new, before=before)
    got = get(source, cache)
    assert got.sha256 == hashlib.sha256(got.path.read_bytes()).hexdigest() == hashlib.sha256(new).hexdigest()
    assert got.size == size


def test_replaced_behind_a_server_that_does_not_know_if_match(proxy, source, bucket, s3, cache, monkeypatch):
    """Each answer's own ETag is looked at, whatever the server made of the condition."""
    asked = BaseClient._make_api_call
    monkeypatch.setattr(
        BaseClient,
        "_make_api_call",
        lambda self, name, given: asked(self, name, {k: v for k, v in given.items() if k != "IfMatch"}),
    )
    new = content(SIZE, seed=9)
    proxy.plan = Replaced(s3, bucket, new, before=9)
    check(get(source, cache), new)
    assert not any(request.range is None and request.method == "GET" for request in proxy.requests)


def test_replaced_while_a_range_is_under_way(proxy, source, bucket, s3, cache, monkeypatch):
    """Cut in the middle of a range, replaced, gone on: the halves are of two objects of the same size."""
    new = content(SIZE, seed=9)
    cut = once(part(8), Fault(cut=PART // 2))

    def plan(request: Request) -> Fault | None:
        if request.range and request.range[0] % PART:
            s3.put(bucket, "a.zip", new)
        return cut(request)

    monkeypatch.setattr(remote, "CHUNK_BYTES", 1 << 10)
    proxy.plan = plan
    check(get(source, cache), new)
    assert any(request.range and request.range[0] % PART for request in proxy.requests)


def test_no_tls_on_the_port(s3, source, cache, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3.use(monkeypatch)
    for address, options in [
        (source, {"endpoint_url": s3.endpoint.replace("http://", "https://")}),
        (f"{s3.endpoint.replace('http://', 'https://')}/a.zip", {}),
    ]:
        error = failure(address, cache, **options)
        assert "does not speak TLS on that port" in error.message
        assert "http://" in error.hint
        assert not error.retry


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("http://127.0.0.1:9", "127.0.0.1:9 cannot be reached (the connection was refused)"),
        ("http://no-such-host.invalid", "no-such-host.invalid cannot be reached (its name cannot be resolved)"),
    ],
)
def test_no_connection(source, cache, monkeypatch, s3, endpoint, said):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3.use(monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    error = failure(source, cache)
    assert said in error.message
    assert error.retry


def test_a_connection_that_is_closed_without_an_answer(proxy, source, cache, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    proxy.plan = lambda _: Fault(head=lambda _: b"", cut=0)
    error = failure(source, cache)
    assert "cannot be reached (the connection was closed)" in error.message
    assert error.retry


# The command itself, at the size of its own parts.

BIG = 28 << 20


@pytest.fixture(scope="module")
def big(s3: S3Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The sample with a large file beside it that is none of the dataset's, so that there is something to download."""
    made = moviehouse.sample(tmp_path_factory.mktemp("big") / "a.zip", movies=120, ratings=500)
    body = io.BytesIO(Path(made.path).read_bytes())
    with zipfile.ZipFile(body, "a") as archive:
        archive.writestr("notes.bin", random.Random(5).randbytes(BIG))
    s3.bucket("big-bucket")
    s3.put("big-bucket", "a.zip", body.getvalue())
    return "s3://big-bucket/a.zip"


def _command(source: str, folder: Path, out: str, proxy: Proxy, s3: S3Server) -> subprocess.Popen[str]:
    environment = {**os.environ, **s3.environment(), "AWS_ENDPOINT_URL": proxy.url}
    environment["MOVIEHOUSE_CACHE"] = str(folder / "cache")
    command = [sys.executable, "-m", "moviehouse", source, "--json", "--out", str(folder / out)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder
    )


def _finish(process: subprocess.Popen[str]) -> dict:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return json.loads(out)


def test_a_killed_command_downloads_only_what_is_missing(s3, big, tmp_path):
    with Proxy(s3.endpoint) as proxy:
        proxy.plan = lambda request: Fault(stall=(4 << 20) + 5000) if request.range else None
        process = _command(big, tmp_path, "out", proxy, s3)
        until = time.monotonic() + 30
        while proxy.sent < 16 << 20 and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(0.3)  # what was sent is read, and the parts are in the middle
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
        first, noted = proxy.sent, _noted(tmp_path / "cache")
        assert noted >= 15 << 20  # four parts, none of them whole: 4 MiB came of each
        proxy.plan, proxy.sent = lambda _: None, 0
        run = _finish(_command(big, tmp_path, "out", proxy, s3))["source"]
        assert run["downloaded"] == proxy.sent == run["bytes"] - noted
        assert first + proxy.sent < run["bytes"] + (1 << 20)
    (path,) = (tmp_path / "cache").glob("*/*/a.zip")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == run["sha256"]
    assert (
        run["sha256"]
        == hashlib.sha256(s3.client.get_object(Bucket="big-bucket", Key="a.zip")["Body"].read()).hexdigest()
    )


def test_two_commands_at_once_download_once(s3, big, tmp_path):
    with Proxy(s3.endpoint) as proxy:
        both = [_command(big, tmp_path, out, proxy, s3) for out in ("one", "two")]
        runs = [_finish(process)["source"] for process in both]
        size = runs[0]["bytes"]
        assert sorted(run["downloaded"] for run in runs) == [0, size]
        assert proxy.sent == size
        assert runs[0]["sha256"] == runs[1]["sha256"]


@pytest.mark.parametrize(
    ("fault", "helps"),
    [(Fault(answer=(503, "SlowDown")), True), (Fault(answer=(403, "AccessDenied")), False)],
)
def test_the_command_says_whether_trying_again_can_help(s3, big, tmp_path, monkeypatch, fault, helps):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with Proxy(s3.endpoint, lambda _: fault) as proxy:
        process = _command(big, tmp_path, "out", proxy, s3)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert ("Trying again can help." in err) == helps
    assert re.match(r"moviehouse: s3://big-bucket/a\.zip: ", err.splitlines()[-4 if helps else -3])
    assert "Traceback" not in err
