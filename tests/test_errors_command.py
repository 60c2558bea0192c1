"""`moviehouse errors`: the log by reason, by file, by movie, of releases and of runs that failed."""

import csv
import io
import json
import re

import pytest
from house import house, run  # noqa: F401  (fixtures)
from pseudo import on_terminal, plain
from small import write

from moviehouse import cli
from moviehouse.error_log import REASON


def rows(out):
    return list(csv.DictReader(io.StringIO(out)))


def test_the_summary_has_every_line_once(run, house):  # noqa: F811
    status, out, err = run("errors", "--format", "csv")
    assert (status, err) == (0, "")
    counted = {(r["severity"], r["reason"], r["file"]): int(r["lines"]) for r in rows(out)}
    expected = {}
    for line in house.log:
        key = (line["severity"], line["reason"], line["file"])
        expected[key] = expected.get(key, 0) + 1
    assert counted == expected
    assert len(expected) > 3
    _, out, _ = run("errors")
    assert re.search(rf"^total +{len(house.log)}$", out, re.MULTILINE)
    for reason in {line["reason"] for line in house.log}:
        assert REASON[reason].meaning in out
    _, out, _ = run("errors", "--format", "json")
    assert sum(row["lines"] for row in json.loads(out)) == len(house.log)


def test_the_lines_of_a_reason_come_with_what_it_means_and_what_to_do(run, house):  # noqa: F811
    _, out, _ = run("errors", "--reason", "duplicate_record")
    told = REASON["duplicate_record"]
    for text in (told.meaning, told.action, told.advice, "movies_metadata.csv line 2, id: 1", "movie 1,"):
        assert text in out
    found = rows(run("errors", "--reason", "suspicious_amount", "--format", "csv")[1])
    own = [line for line in house.log if line["reason"] == "suspicious_amount"]
    assert [(r["file"], int(r["line"]), r["column"], r["value"]) for r in found] == sorted(
        (line["file"], line["line"], line["column"], line["value"]) for line in own
    )
    _, out, _ = run("errors", "--reason", "suspicious_amount", "--limit", "2")
    assert f"2 of {len(own)} lines." in out
    assert out.count("suspicious_amount  movie") == 2


def test_filters_narrow_the_summary_and_the_lines(run, house):  # noqa: F811
    found = rows(run("errors", "--file", "links.csv", "--format", "csv")[1])
    assert {(r["reason"], r["lines"]) for r in found} == {("unlinked_movie", "1")}
    found = rows(run("errors", "--severity", "merged", "--lines", "--format", "csv")[1])
    assert [r["reason"] for r in found] == ["duplicate_record"]
    assert len(rows(run("errors", "--lines", "--format", "csv")[1])) == len(house.log)
    assert "no line of severity rejected" in run("errors", "--severity", "rejected")[1]
    assert rows(run("errors", "--severity", "rejected", "--format", "csv")[1]) == []


def test_an_output_ends_in_its_format(run, house, tmp_path):  # noqa: F811
    assert run("errors", "--lines", "--output", tmp_path / "errors.csv") == (0, "", "")
    assert len(rows((tmp_path / "errors.csv").read_text())) == len(house.log)


def test_no_line_ends_in_spaces(run):  # noqa: F811
    for arguments in (["errors", "--lines"], ["errors"], ["why", "2"], ["ask"], ["sql", "FROM movie"]):
        out = run(*arguments)[1]
        assert not re.search(r" $", out, re.MULTILINE), arguments


def test_a_movies_whole_story_in_order(run):  # noqa: F811
    status, out, _ = run("errors", "--movie", "1", "--format", "csv")
    assert status == 0
    assert [(r["reason"], r["file"], r["column"]) for r in rows(out)] == [
        ("duplicate_record", "movies_metadata.csv", "id"), ("invalid_integer", "movies_metadata.csv", "budget"),
    ]  # fmt: skip
    _, out, _ = run("errors", "--movie", "later")
    assert out.startswith("Later (1)\n")
    assert out.index("duplicate_record") < out.index("invalid_integer")
    assert "moviehouse why 1" in out
    assert [r["reason"] for r in rows(run("errors", "--movie", "1", "--severity", "merged", "--format", "csv")[1])] == [
        "duplicate_record"
    ]
    assert "says nothing of it" in run("errors", "--movie", "shared", "--severity", "rejected")[1]
    assert "Near:" in run("errors", "--movie", "Laterr")[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--reason", "duplicate"], "Did you mean duplicate_record or duplicate_element?"),
        (["--reason", "damagedlist"], "Did you mean damaged_list?"),
        (["--reason", "nope"], "Those there are: wrong_field_count, "),
        (["--file", "movies.csv"], "Did you mean movies_metadata.csv?"),
        (["--file", "rating.csv"], "Did you mean ratings.csv or ratings_small.csv?"),
        (["--file", "nope.csv"], "Those there are: credits.csv, "),
        (["--severity", "rejectd"], 'Did you mean "rejected"?'),
        (["--movie", " "], "The movie's id or title is empty."),
        (["--severity", "bad"], "severity"),
        (["--limit", "0"], "--limit"),
        (["--output", "errors.parquet"], ".parquet is no format"),
    ],
)
def test_what_is_not_known_suggests_what_is(run, arguments, message):  # noqa: F811
    status, out, err = run("errors", *arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) <= 2


def test_the_log_of_a_run_that_failed(capsys, tmp_path):
    source = write(tmp_path / "in", links=b"movieId,TMDBID\n1,1\n")
    out = tmp_path / "out"
    assert cli.run([str(source), "--out", str(out), "-q"]) == 1
    capsys.readouterr()
    assert cli.run(["errors", "--release", str(out)]) == 1
    assert f"moviehouse errors --failed --release {out}" in capsys.readouterr().err
    assert cli.run(["errors", "--release", str(out), "--failed"]) == 0
    shown = capsys.readouterr().out
    assert "source_unusable" in shown
    assert "rename TMDBID" in shown
    assert re.search(r"source_unusable  links.csv line 1, tmdbId$", shown, re.MULTILINE)
    (failed,) = (out / "failed").iterdir()
    for place in (failed, failed / "errors.jsonl"):
        assert cli.run(["errors", "--release", str(place), "--lines", "--format", "csv"]) == 0
        assert rows(capsys.readouterr().out)[0]["reason"] == "source_unusable"
    assert cli.run(["errors", "--release", str(failed), "--movie", "7", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert cli.run(["errors", "--release", str(failed), "--movie", "A title"]) == 2


def test_what_is_no_log(run, tmp_path):  # noqa: F811
    bad = tmp_path / "errors.jsonl"
    bad.write_text("no json\n")
    status, out, err = run("errors", release=bad)
    assert (status, out) == (1, "")
    assert "is not an error log" in err
    assert "No failed run is kept" in run("errors", "--failed", release=tmp_path)[2]
    bad.write_text("")
    assert "The error log is empty" in run("errors", release=bad)[1]


@pytest.mark.parametrize("columns", [80, 40])
def test_a_terminal_of_any_width(house, columns):  # noqa: F811
    for arguments in ([], ["--lines"], ["--movie", "1"]):
        _, out = on_terminal("errors", *arguments, "--release", house.release.path, columns=columns)
        lines = plain(out).splitlines()
        assert max(len(line) for line in lines if "errors.jsonl" not in line and ": moviehouse " not in line) <= columns
        assert "…" not in out


def test_hostile_texts_are_only_shown(run, tmp_path):  # noqa: F811
    line = {
        "run_id": "x", "severity": "warning", "reason": "made_up", "file": "a\x1b[2Jb.csv", "line": 2, "column": "=c",
        "movie_id": None, "value": "\x1b]0;title\x07", "message": "m\x1b[31m", "action": "a\nb",
    }  # fmt: skip
    log = tmp_path / "errors.jsonl"
    log.write_text(json.dumps(line) + "\n")
    for arguments in ([], ["--lines"], ["--lines", "--format", "json"]):
        status, out, _ = run("errors", *arguments, release=log)
        assert status == 0
        assert "\x1b" not in out
        assert "\x07" not in out
    assert rows(run("errors", "--lines", "--format", "csv", release=log)[1])[0]["column"] == "'=c"
