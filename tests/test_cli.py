"""The command: what it prints, where, and with which exit status."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import zipfile
from functools import reduce
from pathlib import Path

import pytest
from small import movies, write

from moviehouse import cli
from moviehouse.render.cli_reference import commands as every_command


def run(capsys, *arguments):
    status = cli.run([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write(
        tmp_path / "in", movies_metadata=movies({"genres": "[{'id': 18, 'name': 'Drama'}]", "revenue": "5000"})
    )


def test_the_source_alone_builds_a_release_and_says_what_became_of_it(capsys, folder, tmp_path):
    status, out, err = run(capsys, folder)
    assert status == 0
    assert (tmp_path / "moviehouse-out" / "current" / "run.json").exists()
    assert re.search(r"movies_metadata\.csv +1 +1 +0 +0 +0 +0", out)
    assert "missing_file" in out
    assert "Releases: 1 movies; the per-year answers leave 0 out" in out
    assert re.search(r"links.csv +missing", out)
    assert out.index("error log ") > out.index("run record ")
    assert "moviehouse ask genre-revenue-by-year --year 1995" in out
    assert "conform (" in err
    assert "\x1b" not in out + err


def test_build_is_the_same_written_out(capsys, folder, tmp_path):
    assert run(capsys, "build", folder, "--out", tmp_path / "x", "--format", "csv")[0] == 0
    assert (tmp_path / "x" / "tables" / "movie.csv").exists()


def test_quiet_and_json(capsys, folder):
    assert run(capsys, folder, "--quiet") == (0, "", "")
    status, out, err = run(capsys, folder, "--json", "-q")
    assert (status, err) == (0, "")
    assert json.loads(out)["rows"]["movie"] == 1


def test_a_bare_word_that_is_neither_command_nor_file(capsys, folder):
    status, out, err = run(capsys, "biuld")
    assert (status, out) == (2, "")
    assert "No such command or file: 'biuld'" in err
    assert "Did you mean build?" in err
    assert run(capsys, "biuld", folder)[0] == 2


def test_a_file_named_like_a_command_is_written_with_its_folder(capsys, folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "check", "w") as archive:
        archive.write(folder / "movies_metadata.csv", "movies_metadata.csv")
    assert run(capsys, "./check", "--quiet")[0] == 0
    with zipfile.ZipFile(tmp_path / "word", "w") as archive:
        archive.write(folder / "movies_metadata.csv", "movies_metadata.csv")
    assert run(capsys, "word", "--quiet")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["build"], 2, "SOURCE"),
        (["in", "--format", "xml"], 2, "format"),
        (["in", "--nonsense"], 2, "nonsense"),
        (["missing.zip"], 1, "missing.zip"),
        (["ftp://example.org/x.zip"], 1, "ftp"),
        (["in", "--encoding", "klingon"], 2, "klingon"),
        (["ask", "genre-revenue-by-year"], 1, "no release"),
        (["ask", "nothing"], 2, "nothing"),
        (["ask", "genre-revenue-by-year", "--year", "last"], 2, "last"),
        (["ask", "genre-revenue-by-year", "--year", "1999:1990"], 2, "backwards"),
        (["ask", "genre-revenue-by-year", "--top", "0"], 2, "--top"),
        (["in", "--memory-limit", "lots"], 2, "lots"),
        (["in", "--threads", "-1"], 2, "threads"),
        (["in", "in"], 2, "one argument too many: 'in'"),
        ([], 2, "Give a SOURCE"),
        (["build", "in", "-o", "x"], 2, "Unknown option: -o. Did you mean --out?"),
        (["in", "--output", "x"], 2, "Unknown option: --output. Did you mean --out?"),
        (["in", "--ouput=x"], 2, "Did you mean --out?"),
        (["ask", "--outptu", "x"], 2, "Did you mean --output?"),
        (["completion", "fsh"], 2, 'Did you mean "fish"?'),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_on_standard_error(capsys, folder, arguments, status, message):
    found, out, err = run(capsys, *arguments)
    assert found == status
    assert out == ""
    assert message in err
    assert "Traceback" not in err
    assert len(err.splitlines()) <= 25


def test_a_failed_run_says_where_its_log_is_and_a_typo_writes_nothing(capsys, folder, tmp_path):
    assert run(capsys, "missing.zip")[0] == 1
    assert not (tmp_path / "moviehouse-out").exists()
    (folder / "links.csv").write_bytes(b"movieId,TMDBID\n1,1\n")
    status, _, err = run(capsys, folder)
    assert status == 1
    assert "rename TMDBID" in err
    log = re.search(r"Log: (.*)", err)[1]
    last = json.loads((tmp_path / log).read_text().splitlines()[-1])
    assert (last["file"], last["line"], last["column"]) == ("links.csv", 1, "tmdbId")


@pytest.mark.long
@pytest.mark.parametrize("buffered", [True, False])
def test_a_reader_that_stops_reading_is_no_failure(folder, tmp_path, buffered):
    """Be it of what is printed, of the errors or of both; Python prints to a pipe at the end, or at once."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    environment |= {} if buffered else {"PYTHONUNBUFFERED": "1"}

    def status(command, *closed):
        read, write = os.pipe()
        os.close(read)
        kept = subprocess.PIPE
        done = subprocess.run(
            [sys.executable, "-m", "moviehouse", *shlex.split(command)], cwd=tmp_path, env=environment, check=False,
            stdout=write if "out" in closed else kept, stderr=write if "err" in closed else kept,
        )  # fmt: skip
        os.close(write)
        assert b"rror" not in (done.stderr or b""), command
        assert b"Traceback" not in (done.stdout or b""), command
        return done.returncode

    assert status("in", "out", "err") == 0
    assert (tmp_path / "moviehouse-out" / "current").exists()
    for command in ("--help", "ask --help", "ask", "errors", "why 1", "schema", 'sql "FROM movie" --format csv'):
        assert status(command, "out") == 0, command
    assert status("ask genre-revenue-by-year --format csv", "err") == 0
    assert status("nonsense", "err") == status("nonsense", "out", "err") == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("command", ["ask", "--help", "schema"])
def test_a_full_disk_behind_standard_output_is_told(command, tmp_path):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "moviehouse", command],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 4
    assert done.stderr.startswith(b"moviehouse: What was printed cannot be written: No space left")
    assert b"Traceback" not in done.stderr


def test_amounts_are_never_cut_on_a_narrow_terminal(capsys, folder, monkeypatch):
    run(capsys, folder, "-q")
    monkeypatch.setattr("moviehouse.render.terminal._WIDTH_IN_A_PIPE", 60)
    out = run(capsys, "ask", "genre-revenue-by-year")[1]
    assert "5,000.00" in out
    assert "…" not in out


def test_columns_says_how_wide_a_pipe_is(capsys, folder, monkeypatch):
    run(capsys, folder, "-q")
    widest = {}
    for columns in ("", "60", "200"):
        monkeypatch.setenv("COLUMNS", columns)
        out = run(capsys, "errors", "--lines")[1] + run(capsys, "ask", "genre-revenue-by-year")[1]
        widest[columns] = max(map(len, out.splitlines()))
    assert widest["60"] <= 60 < widest[""] <= 120 < widest["200"] <= 200


def test_a_bug_is_one_line_on_the_screen_and_status_70(capsys, folder, monkeypatch):
    monkeypatch.setattr("moviehouse.pipeline.build", lambda *_: 1 / 0)
    status, _, err = run(capsys, folder)
    assert status == 70
    assert "a bug: ZeroDivisionError" in err
    assert "Traceback" not in err
    assert "Traceback" in run(capsys, folder, "--debug")[2]


def test_check_reports_and_writes_nothing(capsys, folder, tmp_path):
    status, out, _ = run(capsys, "check", folder)
    assert status == 0
    assert "nothing was written" in out
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != "cache") == ["in"]
    out = run(capsys, "check", folder, "--json", "-q")[1].splitlines()
    assert json.loads(out[0])["status"] == "checked"
    assert {json.loads(line)["reason"] for line in out[1:]} == {"missing_file"}


def test_ask_as_table_csv_and_json(capsys, folder):
    run(capsys, folder, "-q")
    status, out, _ = run(capsys, "ask", "genre-revenue-by-year", "--year", "1990:1999")
    assert status == 0
    assert re.search(r"1995 +18 +Drama +1 +1 +5,000 +5,000\.00", out)
    assert "1995 Drama: its one movie has a known revenue." in out
    _, out, err = run(capsys, "ask", "genre-revenue-by-year", "--format", "csv")
    assert out.splitlines()[1] == "1995,18,Drama,1,1,5000,5000.00"
    assert "its one movie" in err
    assert json.loads(run(capsys, "ask", "genre-revenue-by-year", "--format", "json")[1])[0]["revenue_usd"] == 5000
    assert run(capsys, "ask", "genre-revenue-by-year", "--show-sql")[1].startswith("-- Revenue by genre")
    assert sum(line.startswith(("genre-", "company-")) for line in run(capsys, "ask")[1].splitlines()) == 9
    assert "No rows" in run(capsys, "ask", "genre-revenue-by-year", "--year", "1800")[1]


def test_sample_then_build(capsys, folder, tmp_path):
    status, out, _ = run(capsys, "sample", "s.zip", "--movies", "50", "--ratings", "100", "--seed", "2")
    assert status == 0
    assert "Next: moviehouse s.zip" in out
    assert (tmp_path / "s.zip.planted.jsonl").exists()
    assert run(capsys, "s.zip", "-q")[0] == 0


def test_help_names_every_command_and_every_command_has_help(capsys):
    top = run(capsys, "--help")[1]
    commands = [name for name in cli.app if not name.startswith("-")]
    assert {
        "build",
        "check",
        "sample",
        "ask",
        "trace",
        "why",
        "sql",
        "errors",
        "schema",
        "completion",
        "publish",
    } <= set(commands)
    for command in commands:
        assert re.search(rf"│ {command} ", top)
    for words in every_command(cli.app):
        assert "Usage: moviehouse " + " ".join(words) in run(capsys, *words, "--help")[1]
    assert "Exit status" in top
    assert "s3://com.guild.us-west-2.public-data/project-data/the-movies-dataset.zip" in top
    assert run(capsys, "--version")[1].strip()


def command_app(command: str):
    """The application of a command, be it one of another command's."""
    return reduce(lambda app, word: app[word], command.split(), cli.app)


def test_every_command_and_option_is_documented_and_every_command_has_an_example(capsys):
    page = (Path(cli.__file__).parents[2] / "docs" / "cli.md").read_text()
    sections = dict(re.findall(r"^##+ moviehouse ?(.*)\n((?s:.*?))(?=^##+ |\Z)", page, re.MULTILINE))
    commands = [" ".join(words) for words in every_command(cli.app)]
    assert set(sections) == {"", *commands}
    for command in commands:
        app = command_app(command)
        collection = app.assemble_argument_collection() if app.default_command else ()
        options = {name for argument in collection for name in argument.names if name.startswith("--")}
        assert "--debug" in options or not app.default_command
        for option in options:
            assert re.search(rf"{option}\b", sections[command]), (command, option)
        assert re.search(rf"^ .*moviehouse {command}\b", sections[command], re.MULTILINE), command


def test_no_example_is_broken_into_two_lines_on_a_terminal_of_80_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for command in ("", *map(" ".join, every_command(cli.app))):
        told = command_app(command).help
        shown = run(capsys, *command.split(), "--help")[1]
        for example in re.findall(
            r"^ *((?:echo|moviehouse) .*)", re.search(r"```.*```", told, re.DOTALL)[0], re.MULTILINE
        ):
            assert re.search(rf"^ {re.escape(example)} *$", shown, re.MULTILINE), example


def test_help_examples_are_commands_that_parse():
    """An example of the help with an option that is gone would mislead."""
    page = (Path(cli.__file__).parents[2] / "docs" / "cli.md").read_text().replace("\\\n", " ")
    parsed = 0
    for line in re.findall(r"^ ((?:echo|moviehouse) .*)", page, re.MULTILINE):
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
        words = words[words.index("moviehouse") + 1 :]
        end = next((i for i, word in enumerate(words) if word in ("|", "&&", ">")), len(words))
        if words[:end] != ["SOURCE"]:
            cli.app.parse_args(words[:end], exit_on_error=False, print_error=False)
            parsed += 1
    assert parsed > 30


def test_what_is_slow_to_import_is_not_imported_for_help():
    code = "import sys; from moviehouse import cli; cli.run(['--help']); print(sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for module in ("boto3", "duckdb", "isal"):
        assert f"'{module}'" not in done.stderr


def test_a_signal_stops_what_waits_for_a_member_that_takes_long(folder, tmp_path):
    """To fingerprint what is only a hole on this disk takes minutes; the quoted files are read meanwhile."""
    with (folder / "ratings.csv").open("wb") as file:
        file.truncate(1 << 39)
    run = subprocess.Popen(
        [sys.executable, "-m", "moviehouse", folder], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    for line in run.stderr:
        if line.startswith("read movies_metadata.csv"):
            run.send_signal(signal.SIGINT)
            break
    _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert err.splitlines()[-1] == "moviehouse: stopped; nothing was published."
    assert {p.name for p in (tmp_path / "moviehouse-out").iterdir()} == {".lock", "failed"}


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_stop_a_run_and_leave_nothing_half_done(tmp_path, number, status):
    subprocess.run(
        [sys.executable, "-m", "moviehouse", "sample", "s.zip", "--movies", "3000", "--ratings", "3000000", "-q"],
        cwd=tmp_path, check=True,
    )  # fmt: skip
    run = subprocess.Popen(
        [sys.executable, "-m", "moviehouse", "s.zip"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    for line in run.stderr:
        if line.startswith("extract"):
            time.sleep(0.2)
            run.send_signal(number)
            break
    err = run.stderr.read()
    assert run.wait() == status, err
    assert "Traceback" not in err
    out = tmp_path / "moviehouse-out"
    assert not (out / "current").exists()
    (failed,) = (out / "failed").iterdir()
    assert json.loads((failed / "errors.jsonl").read_text().splitlines()[-1])["reason"] == "stopped"
    assert {p.name for p in out.iterdir()} == {".lock", "failed"}
