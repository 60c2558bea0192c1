"""Text that attacks what comes after: it is kept exactly, and no terminal, sheet or database runs it."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
import unicodedata
import zipfile
from pathlib import Path

import duckdb
import pytest
from small import HEADERS, MOVIE, built, movies, text, write

from moviehouse.progress import Bars, Lines
from moviehouse.safe import shown, spreadsheet_cell, spreadsheet_sql, visible, visible_json, without_secrets
from moviehouse.sql import QUESTIONS

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x","y")']
STEERING = [
    "\x1b[38;5;199mpink\x1b[0m", "\x1b]8;;http://evil\x07link\x1b]8;;\x07", "\x1b]52;c;ZXZpbA==\x07", "\x1b[2J\x1b[H",
    "\x9b38;5;199m", "\x9d52;c;ZXZpbA==\x9c", "\u202egnp.exe", "\u2066a\u2069", "bell\x07", "back\x08\x08space",
    "line\nbreak", "carriage\rreturn", "\u2028separator", "\x7fdelete",
]  # fmt: skip
OTHERS = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "'; DROP TABLE movie; --", '"; DROP TABLE movie; --',
    "$$; DROP TABLE movie; --", "[red]x[/red]", "[link=http://evil]x[/link]", "[/]", "[@click=app.bell]x", ":smile:",
    "%s %n {0} ${x}", "\\x1b[31m", "🎬 ابجد שלום 映画",
]  # fmt: skip
ATTACKS = FORMULAS + STEERING + OTHERS


def _rows() -> dict[str, list[dict]]:
    """Each attack as a title, and as the name of a genre, company, collection, keyword and person."""
    made = {"movies_metadata": [], "keywords": [], "credits": []}
    for i, attack in enumerate(ATTACKS, 1):
        one = repr([{"id": i, "name": attack}])
        made["movies_metadata"] += [{
            **MOVIE, "id": str(i), "title": attack, "original_title": attack, "overview": attack, "genres": one,
            "production_companies": one, "budget": "5000", "revenue": "2000", "homepage": attack,
            "belongs_to_collection": repr({"id": i, "name": attack}),
        }]  # fmt: skip
        cast = {"cast_id": i, "character": attack, "credit_id": f"{i:024x}", "gender": 0, "id": i, "name": attack}
        made["keywords"] += [{"id": str(i), "keywords": one}]
        made["credits"] += [{"id": str(i), "cast": repr([cast | {"order": 0, "profile_path": None}]), "crew": "[]"}]
    return made


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return built(write(tmp_path_factory.mktemp("text") / "in", **_rows()))


def run(*arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONUTF8": "1", **more}
    command = [sys.executable, "-m", "moviehouse", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())


def on_a_terminal(*arguments: str | Path) -> str:
    """What the command writes to a terminal, without the colours and cursor moves of the command's own."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "PYTHONUTF8": "1", "TERM": "xterm-256color", "COLUMNS": "400"}
    command = [sys.executable, "-m", "moviehouse", *map(str, arguments)]
    process = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=environment)
    os.close(follower)
    came = bytearray()
    while True:
        try:
            block = os.read(leader, 1 << 16)
        except OSError:
            break
        if not block:
            break
        came += block
    process.wait(30)
    os.close(leader)
    own = r"\x1b\[(?:0|1|2|32|1;3\d|2;3\d|3[1-7])?m|\x1b\[1;3\dm|\x1b\[(?:1A|2K|\?25[lh])|\x1b\[(?:\d{1,2};)?38;5;(?!199)\d+m|\r"
    return re.sub(own, "", came.decode())


def steering(said: str) -> set[str]:
    """The characters that steer a terminal or reorder a line, but for the end of a line."""
    bidi = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    return {c for c in said if c != "\n" and (unicodedata.category(c) in ("Cc", "Zl", "Zp") or c in bidi)}


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("movie", "title"), ("movie", "original_title"), ("movie", "overview"), ("genre", "name"), ("company", "name"),
        ("collection", "name"), ("keyword", "name"), ("person", "name"), ("cast_credit", "character"),
    ],
)  # fmt: skip
def test_tables_hold_the_exact_text(result, table, column):
    expected = sorted(ATTACKS)
    parquet = result.release.path / "tables" / f"{table}.parquet"
    assert sorted(r[0] for r in result.rows(f'SELECT "{column}" FROM "{table}"')) == expected
    assert sorted(r[0] for r in duckdb.sql(f"SELECT \"{column}\" FROM '{parquet}'").fetchall()) == expected


def test_tables_as_csv_hold_the_exact_text(tmp_path):
    other = built(write(tmp_path / "in", **_rows()), format="csv")
    for table in ("company", "person"):
        with (other.release.path / "tables" / f"{table}.csv").open(newline="", encoding="utf-8") as file:
            assert sorted(row["name"] for row in csv.DictReader(file)) == sorted(ATTACKS)


@pytest.mark.parametrize("question", QUESTIONS)
def test_answers_for_spreadsheets_run_no_formula_and_the_parquet_is_exact(result, question):
    answers = result.release.path / "answers"
    exact = duckdb.sql(f"SELECT * FROM '{answers / question}.parquet'").fetchall()
    with (answers / f"{question}.csv").open(newline="", encoding="utf-8") as file:
        columns, *rows = list(csv.reader(file))
    names = [columns.index(c) for c in ("company", "genre") if c in columns]
    assert rows
    for row, same in zip(rows, exact, strict=True):
        for i, (cell, value) in enumerate(zip(row, same, strict=True)):
            if i in names:
                assert cell == ("'" + value if value in FORMULAS else value)
                assert value in ATTACKS
            else:
                assert cell == ("" if value is None else str(value))
    if question.startswith("company_profit"):
        assert {row[columns.index("profit_usd")] for row in rows} == {"-3000"}


def test_ask_gives_csv_like_the_files_and_exact_json(result):
    out = result.release.out
    said = run("ask", "company-profit-by-year", "--release", out, "--format", "csv").stdout
    with (out / "answers" / "company_profit_by_year.csv").open(newline="", encoding="utf-8") as file:
        assert [*csv.reader(io.StringIO(said, newline=""))] == [*csv.reader(file)]
    done = run("ask", "company-profit-by-year", "--release", out, "--format", "json")
    assert steering(done.stdout) == set()
    assert [row["company"] for row in json.loads(done.stdout)] == ATTACKS


@pytest.mark.parametrize("arguments", [("company-profit-by-year",), ("genre-revenue-by-year", "--top", "4")])
def test_ask_shows_control_characters_and_interprets_no_markup(result, arguments):
    for show in (lambda *a: run(*a, COLUMNS="400").stdout, on_a_terminal):
        said = show("ask", *arguments, "--release", result.release.out)
        assert steering(said) == set()
        if "--top" not in arguments:
            flat = re.sub(r"\s+", "", said)
            for attack in STEERING[:5] + OTHERS:
                assert re.sub(r"\s+", "", visible(attack)) in flat


def test_csv_on_a_terminal_steers_nothing(result):
    said = on_a_terminal("ask", "company-profit-by-year", "--release", result.release.out, "--format", "csv")
    assert steering(said) == set()
    assert r"\x1b]52;c;ZXZpbA==\x07" in said


def test_hints_and_notes_with_names_from_the_data_steer_nothing(result):
    for company in ("\x1b]52;c;", "gnp.exe", "[red]", "5"):
        done = run("ask", "company-profit-by-year", "--release", result.release.out, "--company", company)
        assert steering(done.stdout + done.stderr) == set()
    assert (
        r"\x1b]52;c;ZXZpbA==\x07"
        in run("ask", "company-profit-by-year", "--release", result.release.out, "--company", "52;c;ZXZpbA").stderr
    )


EVIL = "\x1b]52;c;eA==\x07[red]\u202e'; DROP TABLE movie; --\n"


def test_names_inside_the_zip_of_the_zip_and_of_columns(tmp_path):
    column = EVIL.strip()
    header = [*HEADERS["movies_metadata.csv"], column, "=1+1"]
    place = tmp_path / f"{EVIL.strip()}.zip"
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr(
            "movies_metadata.csv", text("movies_metadata.csv", movies({column: EVIL, "=1+1": "x"}), header)
        )
        archive.writestr(f"{EVIL}.csv", b"a,b\n")
        archive.writestr("[link=http:evil]x", b"")
    for show in (lambda *a: (lambda done: done.stdout + done.stderr)(run(*a)), on_a_terminal):
        said = show(place, "--out", tmp_path / "out")
        assert steering(said) == set()
        assert "\\x1b]52;c;eA==\\x07[red]" in said
    log = [json.loads(line) for line in (tmp_path / "out" / "errors.jsonl").read_bytes().splitlines()]
    told = {(line["reason"], line["value"]) for line in log}
    assert {
        ("unknown_file", f"{EVIL}.csv"), ("unknown_file", "[link=http:evil]x"),
        ("unknown_column", column), ("unknown_column", "=1+1"),
    } <= told  # fmt: skip
    checked = run("check", place, "--json")
    assert checked.returncode == 0
    assert steering(checked.stdout) == set()
    assert [json.loads(line) for line in checked.stdout.splitlines()]


def test_errors_that_name_what_the_source_holds_steer_nothing(tmp_path):
    bad = text("movies_metadata.csv", [{EVIL: "x"}], [EVIL])
    place = tmp_path / f"{EVIL.strip()}.zip"
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("movies_metadata.csv", bad)
    for arguments in ([place, "--out", tmp_path / "out"], [place, "--debug", "--out", tmp_path / "out"]):
        done = run(*arguments)
        assert done.returncode == 1
        assert steering(done.stderr) == set()
    for arguments in ([EVIL], [f"/no/{EVIL}"], [f"https://{EVIL}/x"], ["a.zip", EVIL], ["--" + EVIL], ["ask", EVIL]):
        done = run(*arguments)
        assert done.returncode in (1, 2)
        assert steering(done.stdout + done.stderr) == set()


def test_progress_interprets_nothing(capsys):
    for display in (Lines(), Bars()):
        with display.step(EVIL) as step:
            step.advance(1)
        said = capsys.readouterr().err
        assert "\\x1b]52;c;eA==\\x07[red]\\u202e'; DROP TABLE movie; --\\n" in re.sub(r"\n", "", said)
        assert steering(said) == set()


def test_the_rules_for_text(tmp_path):
    for attack in ATTACKS:
        assert steering(visible(attack)) == set()
        assert json.loads(visible_json(json.dumps(attack, ensure_ascii=False))) == attack
        (row,) = duckdb.sql(f"SELECT {spreadsheet_sql('x')} FROM (SELECT ? AS x)", params=[attack]).fetchall()
        assert row[0] == spreadsheet_cell(attack) == ("'" + attack if attack in FORMULAS else attack)
    assert [spreadsheet_cell(value) for value in (-5, -5.5, None, "")] == [-5, -5.5, None, ""]
    assert visible("🎬 ابجد שלום 映画 \u200f") == "🎬 ابجد שלום 映画 \u200f"
    once = without_secrets("at https://me:hunter22@host/a?token=x&v=2, then", {})
    assert once == without_secrets(once, {}) == "at https://host/a?token=…&v=2, then"
    assert shown("https://me:hun/ter22@host/a.zip") == "https://host/a.zip"
