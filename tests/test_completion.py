"""Shell completion: the script is run in a real bash, which asks the real command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from house import house  # noqa: F401  (a fixture)

from moviehouse import cli

TRY = """
source "$SCRIPT"
function=$(complete -p moviehouse | sed -E 's/.*-F ([^ ]+) .*/\\1/')
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; COMPREPLY=()
"$function" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    path = tmp_path_factory.mktemp("completion") / "moviehouse.bash"
    done = subprocess.run(
        [sys.executable, "-m", "moviehouse", "completion", "bash"], capture_output=True, text=True, check=True
    )
    path.write_text(done.stdout)
    return path


@pytest.fixture
def complete(script, tmp_path):
    """What bash offers for the words of a command line, the last of which is being typed."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "moviehouse").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m moviehouse "$@"\n')
    (bin_ / "moviehouse").chmod(0o755)

    def run(*words, cwd=None):
        env = os.environ | {"SCRIPT": str(script), "PATH": f"{bin_}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["bash", "--norc", "-c", TRY, "bash", "moviehouse", *words], cwd=cwd, env=env,
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        assert done.stderr == ""
        return [line.strip() for line in done.stdout.splitlines() if line.strip()]

    return run


def test_commands_and_options(complete):
    assert {"ask", "build", "check", "completion", "errors", "sample", "schema", "sql", "trace", "why"} <= set(
        complete("")
    )
    assert complete("sche") == ["schema"]
    assert "--show-sql" in complete("ask", "genre-revenue-by-year", "--s")
    assert complete("ask", "genre-revenue-by-year", "--format", "") == ["table", "csv", "json", "parquet"]
    assert complete("completion", "z") == ["zsh"]


def test_what_the_release_has(complete, house):  # noqa: F811
    assert "genre-profit-by-year" in complete("ask", "genre-p")
    assert complete("errors", "--reason", "damaged") == ["damaged_list"]
    assert "movie_genre" in complete("schema", "movie_g")
    place = str(house.release.out)
    ask = ("ask", "genre-revenue-by-year", "--release", place)
    assert complete(*ask, "--genre", "A") == ["Animation"]
    assert complete(*ask, "--genre", "TV")[0].replace("\\", "") == "TV Movie"
    assert "Walt Disney Pictures" in [c.replace("\\", "") for c in complete(*ask, "--company", "Walt")]


def test_where_there_is_no_release_nothing_is_offered_and_nothing_said(complete, tmp_path):
    assert complete("ask", "genre-revenue-by-year", "--genre", "A", cwd=tmp_path) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_a_script_that_names_every_command(capsys, shell):
    assert cli.run(["completion", shell]) == 0
    out = capsys.readouterr().out
    for command in cli.app:
        if not command.startswith("-"):
            assert command in out
    if shell == "bash":
        assert subprocess.run(["bash", "-n"], input=out, text=True, check=False).returncode == 0
    assert Path.cwd().name not in out.splitlines()[0]


def test_another_shell_is_wrong_usage(capsys):
    assert cli.run(["completion", "tcsh"]) == 2
