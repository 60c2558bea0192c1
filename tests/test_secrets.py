"""No secret reaches a log, a message, a record, or a name: canaries are planted everywhere, then looked for."""

from __future__ import annotations

import base64
import binascii
import os
import re
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from fetching import Site
from s3_server import S3Server
from tcp_proxy import Fault, Proxy, Request

import moviehouse
from moviehouse.safe import without_secrets

# Runs the command with a step that fails with a bug whose text holds all that it can get hold of.
BUG = """
import os, sys
from moviehouse import cli, pipeline
from moviehouse.steps.fetch.address import parse

def broken(run):
    where = parse(run.source)
    raise LookupError(f"{run!r} {where!r} {where} {run.source} {dict(os.environ)}")

if "late" not in sys.argv[1]:
    pipeline.FETCHING = ()
pipeline.READING = (("broken", broken),)
sys.exit(cli.run(sys.argv[2:]))
"""


class Canaries:
    """Secrets, each with characters that addresses escape, and whatever forms they may leak in."""

    def __init__(self) -> None:
        self.made: dict[str, str] = {}

    def __call__(self, what: str, *, plain: bool = False) -> str:
        self.made[what] = f"{uuid.uuid4().hex[:14]}{'' if plain else '+/='}{uuid.uuid4().hex[:10]}"
        return self.made[what]

    def forms(self) -> dict[bytes, str]:
        """The text, escaped, half of it, and in base64 at each of the three places where it may begin."""
        found: dict[bytes, str] = {}
        for what, secret in self.made.items():
            for form in (secret, quote(secret, safe=""), quote(secret), secret[:14], secret[-10:]):
                found[form.encode()] = what
            found[binascii.hexlify(secret.encode())] = what
            for lead in range(3):
                coded = base64.b64encode(b"x" * lead + secret.encode())
                found[coded[4 if lead else 0 : -4]] = what
        return found


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    made = moviehouse.sample(tmp_path_factory.mktemp("secrets") / "a.zip", movies=60, ratings=200)
    return Path(made.path).read_bytes()


@pytest.fixture
def place(s3: S3Server, data: bytes, tmp_path: Path) -> Iterator[SimpleNamespace]:
    """A server of each kind, an environment full of canaries, and a function that runs the command there."""
    canary = Canaries()
    bucket = s3.bucket(f"secrets-{uuid.uuid4().hex[:12]}")
    s3.put(bucket, "a.zip", data)
    site = Site(data, ranges=True)
    with Proxy(s3.endpoint) as proxy:
        where = proxy.url.removeprefix("http://")
        login = f"{canary('endpoint user', plain=True)}:{canary('endpoint password', plain=True)}"
        (tmp_path / "credentials").write_text(
            f"[default]\naws_access_key_id={s3.access_key}\naws_secret_access_key={s3.secret_key}\n"
            f"[other]\naws_access_key_id={canary('profile key', plain=True)}\n"
            f"aws_secret_access_key={canary('profile secret')}\naws_session_token={canary('profile token')}\n"
            f"[half]\naws_access_key_id={canary('half key', plain=True)}\n"
        )
        (tmp_path / "broken").write_text(f"[default\naws_secret_access_key = {canary('broken profile')}\n")
        (tmp_path / "helper").write_text(
            f"[default]\ncredential_process = {sys.executable} -c \"raise SystemExit('{canary('helper', plain=True)}')\"\n"
        )
        canary.made |= {"server key": s3.access_key, "server secret": s3.secret_key}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment |= {
            "MOVIEHOUSE_CACHE": str(tmp_path / "cache"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": f"http://{login}@{where}",
            "AWS_MAX_ATTEMPTS": "1",
            "TMPDIR": str(tmp_path / "tmp"),
            "SOME_API_TOKEN": canary("token of something else"),
        }
        (tmp_path / "tmp").mkdir()
        said = bytearray()
        lock = threading.Lock()

        def run(*arguments: str, program: tuple[str, ...] = ("-m", "moviehouse"), **more: str) -> int:
            command = [sys.executable, *program, *arguments, "--out", str(tmp_path / "out")]
            done = subprocess.run(command, env=environment | more, capture_output=True, cwd=tmp_path, check=False)
            with lock:
                said.extend(done.stdout + done.stderr + b"\n")
            place.last = (done.stdout + done.stderr).decode()
            return done.returncode

        place = SimpleNamespace(
            canary=canary, s3=s3, bucket=bucket, site=site, proxy=proxy, run=run, said=said, path=tmp_path, last=""
        )
        yield place
        site.shutdown()
        site.server_close()


def leaks(place: SimpleNamespace) -> set[tuple[str, str]]:
    """Which canary is where: in what was printed, in a file, or in a name, whatever its form."""
    planted = {place.path / name for name in ("credentials", "broken", "helper")}
    texts = {"printed": bytes(place.said)}
    for path in place.path.rglob("*"):
        inside = str(path.relative_to(place.path))
        texts[f"name of {inside}"] = inside.encode()
        if path.is_symlink():
            texts[f"link {inside}"] = str(path.readlink()).encode()
        elif path.is_file() and path not in planted:
            texts[inside] = path.read_bytes()
    pattern = re.compile(b"|".join(map(re.escape, sorted(place.canary.forms(), key=len, reverse=True))))
    forms = place.canary.forms()
    return {(forms[found], where) for where, text in texts.items() for found in pattern.findall(text)}


def keys(place: SimpleNamespace, kind: str, *, token: bool = True) -> dict[str, str]:
    """Keys in the environment that the server does not know."""
    found = {
        "AWS_ACCESS_KEY_ID": place.canary(f"{kind} key", plain=True),
        "AWS_SECRET_ACCESS_KEY": place.canary(f"{kind} secret"),
    }
    return found | ({"AWS_SESSION_TOKEN": place.canary(f"{kind} session token")} if token else {})


@pytest.mark.long
def test_s3_with_keys_in_profiles_environment_and_endpoint(place):
    source = f"s3://{place.bucket}/a.zip"
    assert place.run(source) == 0, place.last
    assert place.run(source, "--json", "--debug") == 0, place.last
    assert place.run(f"s3://{place.bucket}/none.zip", "--debug") == 1
    assert "no such object" in place.last
    right = {"AWS_ACCESS_KEY_ID": place.s3.access_key, "AWS_SECRET_ACCESS_KEY": place.s3.secret_key}
    assert place.run(source, **right) == 0
    for more in (
        keys(place, "unknown"),
        {**right, "AWS_SECRET_ACCESS_KEY": place.canary("wrong secret")},
        {"AWS_PROFILE": "other"},
        {"AWS_PROFILE": "half"},
        {"AWS_PROFILE": place.canary("mistyped profile", plain=True)},
        {"AWS_SHARED_CREDENTIALS_FILE": str(place.path / "broken")},
        {"AWS_SHARED_CREDENTIALS_FILE": str(place.path / "none"), "AWS_CONFIG_FILE": str(place.path / "helper")},
        {"AWS_ENDPOINT_URL": f"http://u:{place.canary('dead endpoint', plain=True)}@127.0.0.1:9"},
        {"AWS_ENDPOINT_URL": f"nonsense://u:{place.canary('odd endpoint', plain=True)}@"},
        {
            "HTTP_PROXY": f"http://u:{place.canary('dead proxy', plain=True)}@127.0.0.1:9",
            "NO_PROXY": "",
            "no_proxy": "",
        },
    ):
        assert place.run(source, "--debug", **more) == 1, place.last
        assert "Traceback" in place.last
        assert "a bug" not in place.last
    assert leaks(place) == set()


def test_s3_that_fails_on_the_way(place):
    source = f"s3://{place.bucket}/a.zip"
    faults = [Fault(answer=(500, "InternalError")), Fault(answer=(403, "AccessDenied")), Fault(cut=3)]
    for fault in faults:
        place.proxy.plan = lambda request, fault=fault: fault if request.range else None
        assert place.run(source, "--debug", **keys_of(place)) == 1, place.last

    def replace(request: Request) -> None:
        if request.range:
            place.s3.put(place.bucket, "a.zip", uuid.uuid4().bytes * 4000)

    place.proxy.plan = replace
    assert place.run(source, "--debug") == 1
    assert "replaced" in place.last
    assert leaks(place) == set()


def keys_of(place: SimpleNamespace) -> dict[str, str]:
    return {"AWS_ACCESS_KEY_ID": place.s3.access_key, "AWS_SECRET_ACCESS_KEY": place.s3.secret_key}


def _signed(place: SimpleNamespace, name: str) -> str:
    """A web address with everything in it that may be a secret."""
    login = f"{place.canary(name + ' user', plain=True)}:{quote(place.canary(name + ' password'), safe='')}"
    parameters = ("X-Amz-Signature", "X-Amz-Security-Token", "X-Amz-Credential", "sig", "token", "key", "auth")
    query = "&".join(f"{p}={quote(place.canary(f'{name} {p}'), safe='')}" for p in parameters)
    bare = place.canary(name + " bare parameter", plain=True)
    fragment = place.canary(name + " fragment", plain=True)
    return place.site.url.replace("://", f"://{login}@") + f"?v=1&{query}&{bare}#{fragment}"


@pytest.mark.long
def test_web_addresses(place):
    assert place.run(_signed(place, "good")) == 0, place.last
    assert place.run(_signed(place, "again"), "--json") == 0
    assert place.run(_signed(place, "check"), "--debug") == 0
    for statuses in ([403], [404], [407]):
        place.site.statuses = statuses
        assert place.run(_signed(place, f"status {statuses[0]}"), "--debug") == 1
    assert place.run(_signed(place, "moved").replace("/data/", "/moved/bad/"), "--debug") == 1
    host = place.site.url.split("/")[2]
    assert place.run(_signed(place, "no TLS").replace("http://", "https://"), "--debug") == 1
    assert place.run(_signed(place, "port").replace(host, "127.0.0.1:port"), "--debug") == 1
    assert leaks(place) == set()


def test_addresses_written_wrongly(place):
    for i, (old, new) in enumerate(
        [("http://", "http:/"), ("http://", "ftp://"), ("http://", "http//"), ("http://", "")]
    ):
        assert place.run(_signed(place, f"wrong {i}").replace(old, new), "--debug") in (1, 2), place.last
    assert place.run(f" {_signed(place, 'pasted with a space')}", "--debug") == 0, place.last
    source = _signed(place, "surplus")
    assert place.run("a.zip", source, "--debug") == 2
    assert place.run(f"--{source}", "--debug") == 2
    assert place.run("a.zip", f"--format={source}", "--debug") == 2
    secret = place.canary("in a bucket", plain=True)
    assert place.run(f"s3://u:{secret}@bucket/a.zip", "--debug") == 1
    slash = place.canary("with a slash")
    assert place.run(f"http://u:x{slash}@127.0.0.1/a.zip", "--debug") == 1
    assert leaks(place) == set()


@pytest.mark.parametrize("when", ["early", "late"])
def test_a_bug_whose_text_holds_the_secrets(place, when):
    """The traceback goes to the failed run's log, the first line to the terminal."""
    environment = keys(place, "bug") | {"HTTPS_PROXY": f"http://u:{place.canary('proxy', plain=True)}@127.0.0.1:9"}
    assert place.run(_signed(place, "bug"), "--debug", program=("-c", BUG, when), **environment) == 70, place.last
    assert "LookupError" in place.last
    (log,) = (place.path / "out" / "failed").glob("*/errors.jsonl")
    assert "LookupError" in log.read_text()
    assert leaks(place) == set()


def test_the_search_for_canaries_finds_them(place):
    """A search that finds nothing must be able to find something."""
    secret = place.canary("planted")
    for i, form in enumerate(
        [
            secret,
            quote(secret),
            quote(secret, safe=""),
            f"ab{secret}",
            base64.b64encode(f"u:{secret}".encode()).decode(),
        ]
    ):
        (place.path / f"file {i}").write_text(form)
        assert leaks(place) == {("planted", f"file {i}")}
        (place.path / f"file {i}").unlink()
    (place.path / secret[:14]).mkdir()
    assert leaks(place) == {("planted", f"name of {secret[:14]}")}


def test_what_the_environment_holds_is_taken_out_and_short_or_plain_values_stay():
    environment = {
        "AWS_SECRET_ACCESS_KEY": "abc+/def", "AWS_SHARED_CREDENTIALS_FILE": "/home/someone/credentials",
        "https_proxy": "http://me:proxy%2Bpassword@proxy:3128", "HOME": "/home/someone", "MY_TOKEN": "short",
    }  # fmt: skip
    said = "abc+/def abc%2B%2Fdef proxy%2Bpassword proxy+password short /home/someone/credentials"
    assert without_secrets(said, environment) == "… … … … short /home/someone/credentials"
