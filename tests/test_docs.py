"""The documentation site: it builds strictly, everything on it resolves, nothing on it is fetched from elsewhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from collections import Counter
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import duckdb
import pytest
import yaml
from pages import blocks, run

import moviehouse
from moviehouse.model.tables import TABLE, TABLES
from moviehouse.render.dbt_sources import dbt_sources_yml
from moviehouse.render.python_api import python_api_md
from moviehouse.render.questions import questions_md
from moviehouse.sql import QUESTIONS, VIEWS, header, statement

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
DBT = ["dbt-core==1.11.16", "dbt-duckdb==1.11.1", f"duckdb=={duckdb.__version__}"]

sys.path.insert(0, str(DOCS))
from diagrams import flowcharts  # noqa: E402


def built(root: Path, into: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(into)]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    into = tmp_path_factory.mktemp("site")
    done = built(ROOT, into)
    assert done.returncode == 0, done.stderr
    return into


@pytest.fixture(scope="module")
def release(tmp_path_factory) -> Path:
    """A folder with a sample and its release, as the pages have it."""
    folder = tmp_path_factory.mktemp("release")
    moviehouse.sample(folder / "sample.zip", movies=300, ratings=3000)
    moviehouse.build(folder / "sample.zip", folder / "moviehouse-out", cache=folder / "cache")
    return folder


# --- The site ----------------------------------------------------------------------------------------


class Html(HTMLParser):
    """A page's ids, links, and what a browser loads with it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.ids |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif "src" in given or (tag == "link" and given.get("rel") not in ("canonical", "next", "prev")):
            self.loaded.append(given.get("src") or given["href"])


@cache
def read(path: Path) -> Html:
    return Html(path.read_text(encoding="utf-8"))


def pages(site: Path) -> list[Path]:
    return [path for path in site.rglob("*.html") if path.name != "404.html"]


def test_every_link_and_anchor_of_the_site_resolves(site):
    followed = 0
    for page in pages(site):
        for link in read(page).links:
            if link.startswith("https://"):
                continue
            file, _, anchor = unquote(link).partition("#")
            target = (page.parent / file).resolve() if file else page
            target = target / "index.html" if target.is_dir() else target
            assert target.exists(), f"{page.relative_to(site)}: {link}"
            assert not anchor or anchor in read(target).ids, f"{page.relative_to(site)}: {link}"
            followed += 1
    assert followed > 5000


def test_nothing_is_fetched_from_elsewhere(site):
    for page in pages(site):
        text = page.read_text(encoding="utf-8")
        assert 'class="mermaid"' not in text
        for address in read(page).loaded:
            assert not re.match(r"(https?:)?//", address), f"{page.relative_to(site)}: {address}"
            assert (page.parent / unquote(address).partition("?")[0]).exists(), f"{page.relative_to(site)}: {address}"
    for sheet in site.rglob("*.css"):
        assert not re.search(r"@import|url\(['\"]?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet.name


def test_every_page_has_one_title_and_the_pages_of_the_nav_are_those_of_docs(site):
    overview = (site / "index.html").read_text(encoding="utf-8")
    nav = overview[
        overview.index('class="md-nav md-nav--primary') : overview.index('class="md-sidebar md-sidebar--secondary')
    ]
    named = {link for link in Html(nav).links if link.endswith(".html") and not link.startswith("source/")}
    pages_ = {str(path.relative_to(DOCS).with_suffix(".html")) for path in DOCS.rglob("*.md")}
    assert named | {"index.html"} == pages_ | {"index.html", "contributing.html", "changelog.html"}
    for name in named:
        assert len(re.findall(r"<h1", (site / name).read_text(encoding="utf-8"))) == 1, name


def test_a_page_links_to_the_source_and_the_site_shows_it(site):
    shown = (site / "source/src/moviehouse/sql/conform/genre.sql.html").read_text(encoding="utf-8")
    words = re.sub(r"<[^>]+>", "", shown)
    for line in statement("conform", "genre").strip().splitlines():
        assert line.strip() in words.replace("&gt;", ">").replace("&lt;", "<").replace("&#39;", "'"), line
    assert "sql/conform/genre.sql.html" in "".join(read(site / "data-dictionary.html").links)


@pytest.mark.long
def test_what_is_broken_fails_the_build(tmp_path):
    ignored = shutil.ignore_patterns("__pycache__", ".venv", "build", "dist", ".*")
    shutil.copytree(ROOT, tmp_path / "copy", ignore=ignored)
    copy = tmp_path / "copy"
    with (copy / "docs/run-record.md").open("a") as page:
        page.write("\n[a](no-such-page.md) [b](error-log.md#no-such-reason) [c](../src/no_such.py) [d](/cli.md)\n")
    (copy / "docs/alone.md").write_text("# Alone\n")
    (copy / "docs/flow.md").write_text("# Flow\n\n```mermaid\nflowchart LR\n    A --> NoSuchDrawing\n```\n")
    done = built(copy, tmp_path / "site")
    assert done.returncode == 1
    for complaint in (
        "no-such-page.md", "#no-such-reason", "no_such.py", "/cli.md", "alone.md", "diagrams/",
    ):  # fmt: skip
        assert any(complaint in line for line in done.stderr.splitlines() if "WARNING" in line or "  - " in line), (
            complaint
        )


def test_every_flowchart_is_drawn_and_no_drawing_is_left_over():
    assert {f"diagrams/{path.name}" for path in (DOCS / "diagrams").iterdir()} == set(flowcharts())
    for path in (DOCS / "diagrams").iterdir():
        text = path.read_text(encoding="utf-8")
        assert text.startswith("<svg")
        assert not re.search(r"foreignObject|<script|https?://(?!www\.w3\.org)", text)


# --- Rendered pages ----------------------------------------------------------------------------------


def test_the_api_page_has_everything_public():
    page = python_api_md()
    for name in moviehouse.__all__:
        assert re.search(rf"^### {name}$", page, re.MULTILINE), name
    assert '    out: str | Path = "moviehouse-out",\n    *,\n' in page
    assert "Exit status 4; `retry` is True" in page
    assert "| `rows` | `tuple[tuple[Any, ...], ...]` |" in page


def test_the_example_of_the_api_page_runs(release):
    examples = [block for block in blocks(python_api_md()) if "except" in block.code]
    assert run(examples[0], release).startswith("300 movies, ")


def test_the_page_of_the_questions_has_columns_and_sql_as_they_are(release):
    page = questions_md()
    with duckdb.connect(str(release / "moviehouse-out/moviehouse.duckdb"), read_only=True) as con:
        for folder, names in (("questions", QUESTIONS), ("views", VIEWS)):
            for name in names:
                part = re.split(rf"^###? {name}\n", page, flags=re.MULTILINE)[1]
                part = re.split(r"^##", part, flags=re.MULTILINE)[0]
                assert header(folder, name).splitlines()[0] in part.replace("`", "")
                (sql,) = re.findall(r"```sql\n(.*?)```", part, re.DOTALL)
                assert Counter(con.execute(sql).fetchall()) == Counter(con.execute(statement(folder, name)).fetchall())
                listed = re.findall(r"`(\w+)` ([A-Z]+(?:\(\d+,\d+\))?)", part.split("Columns: ")[1].split("\n")[0])
                assert listed == [row[:2] for row in con.execute(f"DESCRIBE {name}").fetchall()]


# --- dbt ---------------------------------------------------------------------------------------------


def test_dbt_sources_have_every_table_column_and_rule():
    (source,) = yaml.safe_load(dbt_sources_yml())["sources"]
    found = {table["name"]: table for table in source["tables"]}
    assert list(found) == [*TABLE, *VIEWS, *QUESTIONS]
    for table in TABLES:
        given = found[table.name]
        assert given["description"] == table.description
        assert [(c["name"], c["data_type"]) for c in given["columns"]] == [(c.name, c.type) for c in table.columns]
        keys = [test["unique"]["arguments"]["column_name"] for test in given.get("data_tests", [])]
        assert keys == ([f"({', '.join(table.key)})"] if len(table.key) > 1 else [])
        for column, declared in zip(given["columns"], table.columns, strict=True):
            tests = column.get("data_tests", [])
            assert ("unique" in tests) == (table.key == (declared.name,))
            assert ("not_null" in tests) == (not declared.nullable)
            to = [test["relationships"]["arguments"]["to"] for test in tests if "relationships" in test]
            references = [r.table for r in table.references if r.column == declared.name]
            assert to == [f"source('moviehouse', '{name}')" for name in references]
            listed = [test["accepted_values"]["arguments"]["values"] for test in tests if "accepted_values" in test]
            assert listed == [re.findall(r"'([^']*)'", declared.check)] * (" IN (" in declared.check)


@pytest.fixture(scope="session")
def dbt() -> Path:
    """dbt, in an environment of its own, since it wants other versions of what the tests need."""
    home = ROOT / ".venv" / "dbt"
    done = home / "installed.txt"
    if not done.exists() or done.read_text() != "\n".join(DBT):
        venv.create(home, with_pip=True, clear=True)
        install = [home / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", *DBT]
        subprocess.run(install, check=True)
        done.write_text("\n".join(DBT))
    return home / "bin" / "dbt"


def test_dbt_builds_on_a_release_and_its_tests_find_what_is_wrong(dbt, release, tmp_path):
    shutil.copytree(release / "moviehouse-out", tmp_path / "moviehouse-out", symlinks=True)
    (tmp_path / "models").mkdir()
    page = (DOCS / "reading-a-release.md").read_text(encoding="utf-8")
    written = re.findall(r"^`([\w/.]+)`[^\n]*:\n\n```\w+\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in written] == ["profiles.yml", "dbt_project.yml", "models/company_profit.sql"]
    for name, text in written:
        (tmp_path / name).write_text(text)
    shutil.copy(DOCS / "dbt-sources.yml", tmp_path / "models")
    env = {**os.environ, "DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}

    def dbt_(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [dbt, "--no-version-check", "--no-use-colors", "--warn-error", *arguments, "--profiles-dir", "."]
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)

    sound = dbt_("build")
    assert sound.returncode == 0, sound.stdout
    assert re.search(r"PASS=\d\d+ WARN=0 ERROR=0 SKIP=0", sound.stdout)
    with duckdb.connect(str(tmp_path / "moviehouse-out/moviehouse.duckdb")) as con:
        con.execute("INSERT INTO movie_genre SELECT movie_id, 4711, 99 FROM movie LIMIT 1")
        con.execute("INSERT INTO movie_genre SELECT * FROM movie_genre LIMIT 1")
    broken = dbt_("test", "--select", "source:moviehouse.movie_genre")
    assert broken.returncode == 1
    assert "FAIL 1 source_relationships_moviehouse_movie_genre_genre_id" in broken.stdout
    assert "FAIL 1 movie_genre_key" in broken.stdout
