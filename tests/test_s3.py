"""The main job against a real S3 server: the address in the README, signed and unsigned."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import moviehouse
from moviehouse.errors import SourceError

BUCKET, KEY = "com.guild.us-west-2.public-data", "project-data/the-movies-dataset.zip"
ADDRESS = f"s3://{BUCKET}/{KEY}"


@pytest.fixture(scope="module")
def served(s3, tmp_path_factory):
    """The sample under the dataset's own address, readable by everybody."""
    made = moviehouse.sample(tmp_path_factory.mktemp("s3") / "s.zip", movies=800, ratings=10_000, seed=11)
    s3.bucket(BUCKET, public=True)
    s3.put(BUCKET, KEY, Path(made.path).read_bytes())
    return s3


@pytest.mark.parametrize("signed", [True, False])
def test_one_command_from_the_address_to_the_answers(served, tmp_path, monkeypatch, signed):
    served.use(monkeypatch, signed=signed)
    command = [sys.executable, "-m", "moviehouse", ADDRESS, "--json"]
    first = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stderr
    run = json.loads(first.stdout)
    assert run["source"]["address"] == ADDRESS
    assert run["source"]["downloaded"] == run["source"]["bytes"] > 0
    assert run["source"]["etag"]
    assert run["rows"]["movie"] > 700
    second = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(second.stdout)["source"]["downloaded"] == 0
    assert json.loads(second.stdout)["source"]["sha256"] == run["source"]["sha256"]


def test_a_missing_key_and_a_bucket_that_is_not_ours(served, tmp_path, monkeypatch):
    served.use(monkeypatch, signed=False)
    with pytest.raises(SourceError, match="no-such-key") as caught:
        moviehouse.build(f"s3://{BUCKET}/no-such-key.zip", tmp_path / "out")
    assert caught.value.hint
    (failed,) = (tmp_path / "out" / "failed").iterdir()
    assert "no-such-key" in (failed / "errors.jsonl").read_text()
    served.bucket("private.bucket")
    served.put("private.bucket", "x.zip", b"secret")
    with pytest.raises(SourceError, match=r"s3://private\.bucket/x\.zip") as caught:
        moviehouse.build("s3://private.bucket/x.zip", tmp_path / "out")
    assert "AWS_PROFILE" in caught.value.hint or "credentials" in caught.value.hint


def test_check_downloads_reports_and_leaves_no_release(served, tmp_path, monkeypatch):
    served.use(monkeypatch, signed=False)
    monkeypatch.chdir(tmp_path)
    checked = moviehouse.check(ADDRESS)
    assert checked.run.status == "checked"
    assert not (tmp_path / "moviehouse-out").exists()
