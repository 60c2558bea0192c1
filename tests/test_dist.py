"""What is handed over: the tarball runs in an empty place without git, the wheel in an empty environment."""

import os
import re
import subprocess
import sys
import tarfile
import venv
from pathlib import Path

import pytest

import moviehouse

ROOT = Path(__file__).resolve().parents[1]


pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--outdir", out, ROOT], check=True, capture_output=True)
    return out


def quiet_environment(home: Path) -> dict[str, str]:
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("VIRTUAL_ENV", "PYTHON", "MOVIEHOUSE_", "MAKE"))}
    return {**keep, "HOME": str(home)}


def test_the_tarball_runs_in_an_empty_place(dist, tmp_path):
    (tarball,) = dist.glob("*.tar.gz")
    with tarfile.open(tarball) as archive:
        archive.extractall(tmp_path, filter="data")
    (place,) = tmp_path.glob("moviehouse-*")
    assert not (place / ".git").exists()
    (tmp_path / "home").mkdir()
    done = subprocess.run(
        ["make", "run", f"PYTHON={sys.executable}"],
        cwd=place, env=quiet_environment(tmp_path / "home"), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (place / "moviehouse-out" / "answers" / "genre_revenue_by_year.csv").exists()
    for block in re.findall(r"```text\n(.*?)```", (place / "README.md").read_text(), re.DOTALL)[:2]:
        for line in block.strip().splitlines():
            assert line.rstrip() in done.stdout, f"README shows what make run does not: {line}"
    for needed in ("docs/design.md", "docs/erd.svg", "tests/test_build.py", "LICENSE", "CHANGELOG.md", ".ci/run"):
        assert (place / needed).exists(), needed


def test_the_wheel_runs_in_an_empty_environment(dist, tmp_path):
    (wheel,) = dist.glob("*.whl")
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    install = [python, "-m", "pip", "install", "-q", "--constraint", ROOT / "constraints.txt", wheel]
    subprocess.run(install, check=True, capture_output=True)
    command = tmp_path / "env" / "bin" / "moviehouse"
    env = quiet_environment(tmp_path)
    subprocess.run([command, "sample", "s.zip", "--movies", "60", "-q"], cwd=tmp_path, env=env, check=True)
    subprocess.run([command, "s.zip", "-q"], cwd=tmp_path, env=env, check=True)
    asked = subprocess.run(
        [command, "ask", "genre-revenue-by-year", "--format", "csv"],
        cwd=tmp_path, env=env, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert asked.stdout.startswith("year,genre_id,genre,movies,movies_with_revenue,revenue_usd,revenue_usd_allocated\n")
    version = subprocess.run([command, "--version"], env=env, check=True, capture_output=True, text=True)
    assert version.stdout.strip() == moviehouse.__version__
