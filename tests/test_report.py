"""report.html as a file: what it is made of, that nothing in it can run or leave, that it is there when asked for."""

import json
import re
import zlib
from base64 import b64decode, b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from small import built, movies, write

import moviehouse
from moviehouse.render.report.page import inline_json, page_script
from moviehouse.sql import QUESTIONS, statement

ATTACK = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """The elements of a page: names, attributes, and the text of each script, style and of the rest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.texts, self.words, self._open = [], [], "", None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._open = tag
        if tag in ("script", "style"):
            self.texts.append((tag, dict(attrs), ""))

    def handle_endtag(self, tag):
        self._open = None

    def handle_data(self, data):
        if self._open in ("script", "style"):
            tag, attrs, text = self.texts.pop()
            self.texts.append((tag, attrs, text + data))
        else:
            self.words += data


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    names = [ATTACK, "=1+1", 'Ça, "va"', "\u202egnp.exe"]
    listed = repr([{"name": name, "id": i} for i, name in enumerate(names, 1)])
    rows = movies(
        {
            "title": ATTACK,
            "genres": repr([{"id": 1, "name": ATTACK}]),
            "production_companies": listed,
            "revenue": "5000000",
        },
        {"title": "=1+1", "release_date": ATTACK},
        {"status": ATTACK},
    )
    return built(write(tmp_path_factory.mktemp("hostile") / ATTACK.replace("/", "_"), movies_metadata=rows))


@pytest.fixture(scope="module")
def page(hostile):
    return Page((hostile.release.out / "report.html").read_text(encoding="utf-8"))


def test_every_build_writes_it_and_no_report_leaves_it_out(tmp_path):
    source = write(tmp_path / "in")
    with_it = moviehouse.build(str(source), tmp_path / "out")
    assert (with_it.out / "report.html").resolve().parent == with_it.path.resolve()
    without = moviehouse.build(str(source), tmp_path / "out", report=False)
    assert not (without.path / "report.html").exists()
    assert not (without.out / "report.html").exists(), "a link to the report of another release"
    assert (with_it.path / "report.html").exists()


def test_nothing_in_the_data_becomes_an_element_of_the_page(page):
    assert [attrs.get("type") for tag, attrs in page.tags if tag == "script"] == [
        "application/json", "application/octet-stream", None, None,
    ]  # fmt: skip
    assert not [attrs for _, attrs in page.tags if any(name.startswith("on") or name == "style" for name in attrs)]
    assert page.words.count("<script>alert(1)</script>") >= 2, "the attacks are not shown as text"
    assert "\u202e" not in page.words


def test_the_page_names_no_other_place(page):
    for tag, attrs in page.tags:
        for name in ("src", "href", "action", "srcset", "data", "poster"):
            assert attrs.get(name, "#").startswith(("#", "data:")), (tag, attrs)
    assert "@import" not in "".join(text for tag, _, text in page.texts if tag == "style")


def test_the_policy_allows_what_the_page_is_made_of_and_nothing_else(page):
    (policy,) = [attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    parts = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    assert parts["default-src"] == "'none'"
    assert not re.search("unsafe|http|\\*", policy)
    for tag, attrs, text in page.texts:
        if "type" not in attrs:
            assert f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" in parts[f"{tag}-src"]


def test_the_data_is_that_of_the_answers(hostile, page):
    texts = [text for tag, _, text in page.texts if tag == "script"]
    assert json.loads(texts[0])["genres"] == [[1, ATTACK, "1995,1,1,5000000,5000000.00,0,,,0,,"]]
    companies = json.loads(zlib.decompress(b64decode(texts[1])))
    assert companies["names"] == [ATTACK, "=1+1", 'Ça, "va"', "\u202egnp.exe"]
    assert companies["rows"] == ["1995,1,1,5000000,1250000.00,0,,,0,,,1.5"] * 4
    assert companies["genres"] == ["1995,0,1"] * 4


def test_inline_json_cannot_end_its_element():
    for text in ("</script>", "<!--", "]]>", "&lt;", "\u2028"):
        assert not re.search("[<>&]", inline_json([text]))
        assert json.loads(inline_json([text])) == [text]


def test_a_script_of_the_page_cannot_end_its_element(page):
    assert "<!--" not in page_script()
    assert all("</script" not in text.lower() and "<!--" not in text for tag, _, text in page.texts if tag == "script")


def test_it_says_how_it_was_made(hostile, page):
    run = hostile.run
    for text in (run.files["movies_metadata.csv"]["sha256"], run.run_id, run.versions["duckdb"], "image/svg+xml"):
        assert text in (hostile.release.out / "report.html").read_text(encoding="utf-8")
    for question in QUESTIONS:
        assert statement("questions", question).strip() in page.words


def test_it_says_how_good_the_data_is(hostile, page):
    for reasons in hostile.run.log.values():
        assert all(reason in page.words for reason in reasons)
    assert "invalid_date" in page.words
    assert "✓ closes" in page.words
    assert "does not close" not in page.words


def test_a_release_without_any_answer_has_a_report(tmp_path):
    result = built(write(tmp_path / "in", movies_metadata=movies({"release_date": ""})))
    html = (result.release.out / "report.html").read_text(encoding="utf-8")
    assert '"genres":[]' in html


def test_of_more_companies_than_a_page_bears_it_has_those_with_most_releases(tmp_path, monkeypatch):
    monkeypatch.setattr("moviehouse.render.report.gather._COMPANIES", 2)
    one, two, three = ({"id": i, "name": f"Company {i}"} for i in (1, 2, 3))
    rows = movies(*({"id": str(i), "production_companies": repr(made)} for i, made in enumerate(
        ([one], [two, three], [two, three], [three]), 10)))  # fmt: skip
    html = (built(write(tmp_path / "source", movies_metadata=rows)).release.out / "report.html").read_text(
        encoding="utf-8"
    )
    (packed,) = (text for _, attrs, text in Page(html).texts if attrs.get("id") == "packed")
    assert json.loads(zlib.decompress(b64decode(packed)))["ids"] == [3, 2]
    assert "Find any of the 2 companies with most releases" in Page(html).words
    assert "The answers have all 3." in Page(html).words
