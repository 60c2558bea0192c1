"""report.html as a person meets it, in a real browser: opened from the disk, no request, no error."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from chromium import chromium
from small import movies, write

import moviehouse

ATTACK = "</script><script>window.attacked = 1</script>"


@pytest.fixture(scope="module")
def browser():
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    moviehouse.sample(folder / "s.zip", movies=300, ratings=1000)
    return moviehouse.build(str(folder / "s.zip"), folder / "out")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    names = [ATTACK, "=1+1", "Société Générale", "Ørsted Łódź", "Plain", "@sum", 'a, "b"']
    companies = [{"name": name, "id": i} for i, name in enumerate(names, 1)]
    rows = movies(
        {"title": ATTACK, "genres": repr([{"id": 1, "name": ATTACK}, {"id": 2, "name": "=2+2"}]),
         "production_companies": repr(companies), "revenue": "5000000", "release_date": "1996-01-01"},
        {"title": "=1+1", "production_companies": repr(companies[:2]), "budget": "7000000"},
        {"title": ATTACK, "genres": repr([{"id": 1, "name": ATTACK}])},
        {"release_date": ATTACK},
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("hostile")
    return moviehouse.build(str(write(folder / "in", movies_metadata=rows)), folder / "out")


@pytest.fixture
def visit(browser):
    """Opens a release's report; what it logs, asks for or throws fails the test."""
    told, contexts = [], []

    def open_(release, width=1200, theme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, accept_downloads=True
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: told.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: told.append(f"error: {error}"))
        page.on("dialog", lambda dialog: told.append(f"dialog: {dialog.message}"))
        address = (release.path / "report.html").as_uri()
        page.on("request", lambda r: r.url.startswith((address, "data:", "blob:")) or told.append(f"request: {r.url}"))
        page.goto(address)
        page.wait_for_selector("html[data-ready=companies]")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert told == []


def downloaded(page, figure: str) -> tuple[str, str]:
    with page.expect_download() as download:
        page.click(f"#{figure} .csv")
    return download.value.suggested_filename, Path(download.value.path()).read_bytes().decode()


def answer(release, question: str) -> str:
    return (release.path / "answers" / f"{question}.csv").read_bytes().decode()


def of(text: str, column: int, *values: object) -> str:
    """The header of a CSV, and its rows with one of the values in a column."""
    lines = text.splitlines(keepends=True)
    wanted = set(map(str, values))
    return lines[0] + "".join(x for x in lines[1:] if next(csv.reader([x]))[column] in wanted)


def choose(page, box: str, text: str) -> None:
    page.fill(f"#{box}", text)
    page.press(f"#{box}", "Enter")


def companies(release) -> list[tuple[int, str]]:
    rows = csv.DictReader(io.StringIO(answer(release, "company_popularity_by_year")))
    return list({(int(row["company_id"]), row["company"]): None for row in rows})


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_colour_of_a_loss_is_in_the_legend(release, visit, theme):
    page = visit(release, theme=theme)
    legend = page.locator("#genre-amount .key.loss")
    assert not legend.is_visible(), "only a profit can be a loss"
    page.check("input[name=genre-measure][value=profit]", force=True)
    assert legend.is_visible()
    colours = """([legend, bars]) => {
        const own = (element, name) => getComputedStyle(element)[name];
        return [own(document.querySelector(legend), "backgroundColor"),
            [...document.querySelectorAll(bars)].map((bar) => own(bar, "fill"))];
    }"""
    for genre in page.locator("#genre-choice option").all_text_contents():
        page.select_option("#genre-choice", label=genre)
        own, bars = page.evaluate(colours, ["#genre-amount .key.loss", "#genre-amount .known rect"])
        if own in bars:
            break
    assert own in bars, "some genre of the sample made a loss"
    assert page.locator("#company-profit .key.loss").is_visible()
    assert page.locator("#company-revenue .key.loss").count() == 0


@pytest.mark.parametrize("measure", ["revenue", "budget", "profit"])
def test_the_charts_of_genres_show_and_give_the_answer(release, visit, measure):
    page = visit(release)
    page.check(f"input[name=genre-measure][value={measure}]", force=True)
    name, text = downloaded(page, "genre-all")
    assert name == f"genre_{measure}_by_year.csv"
    assert text == answer(release, f"genre_{measure}_by_year")
    page.select_option("#genre-choice", label="Comedy")
    rows = list(csv.DictReader(io.StringIO(of(text, 2, "Comedy"))))
    assert downloaded(page, "genre-amount")[1] == of(text, 2, "Comedy")
    first, last = int(page.input_value("#year-from")), int(page.input_value("#year-to"))
    shown = [row for row in rows if first <= int(row["year"]) <= last]
    known = [row for row in shown if row[f"{measure}_usd"]]
    assert page.locator("#genre-amount .plot .known rect").count() == len(known) > 0
    assert page.locator("#genre-amount .plot .gap circle").count() == len(shown) - len(known) > 0
    summary = page.inner_text("#genre-coverage .summary")
    counts = [sum(int(row[c]) for row in shown) for c in (f"movies_with_{measure}", "movies")]
    assert f"{counts[0]:,} of {counts[1]:,} movies" in summary


def test_the_switches_change_the_picture(release, visit):
    page = visit(release)
    pictures = {page.inner_html("#genre-all .plot-host")}
    for name, value in (("genre-counting", "allocated"), ("genre-measure", "profit"), ("genre-scale", "own")):
        page.check(f"input[name={name}][value={value}]", force=True)
        pictures.add(page.inner_html("#genre-all .plot-host"))
    page.fill("#year-from", "2000")
    page.press("#year-from", "Tab")
    pictures.add(page.inner_html("#genre-all .plot-host"))
    assert len(pictures) == 5
    assert page.inner_text("#genre-all .summary").startswith("Profit, allocated, 2000")
    assert "add up" in page.inner_text("#counting-note")
    page.click("#genre-all button:has-text('Western')")
    assert page.inner_text("#genre-amount .summary").startswith("Western, profit")
    assert page.evaluate("document.activeElement.dataset.id") == page.input_value("#genre-choice")


def test_the_most_popular_genre_of_every_year(release, visit):
    page = visit(release)
    text = downloaded(page, "winners")[1]
    assert text == answer(release, "genre_most_popular_by_year")
    page.click("#winners summary")
    page.wait_for_selector("#winners tbody tr")
    assert page.locator("#winners tbody tr").count() == len(text.splitlines()) - 1
    years = page.locator("#winners tbody td:first-child").all_inner_texts()
    assert years == [line.split(",")[0] for line in text.splitlines()[1:]]


def test_two_companies_side_by_side_give_the_answers(release, visit):
    page = visit(release)
    (one, one_name), (two, two_name) = companies(release)[5], companies(release)[0]
    choose(page, "company-a", one_name)
    choose(page, "company-b", two_name)
    assert page.locator("#company-heads h3").all_inner_texts() == [one_name, two_name]
    for figure, question in {
        "company-revenue": "company_revenue_by_year",
        "company-budget": "company_budget_by_year",
        "company-profit": "company_profit_by_year",
        "company-genres": "company_releases_by_genre_by_year",
        "company-popularity": "company_popularity_by_year",
    }.items():
        assert downloaded(page, figure)[1] == of(answer(release, question), 0, one, two), figure
        pictures = page.locator(f"#{figure} svg.plot")
        assert pictures.count() == 2
        boxes = [pictures.nth(i).bounding_box() for i in (0, 1)]
        assert boxes[0]["y"] == boxes[1]["y"]
        assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
    page.click("#company-b-clear")
    assert page.locator("#company-revenue svg.plot").count() == 1
    assert downloaded(page, "company-revenue")[1] == of(answer(release, "company_revenue_by_year"), 0, one)


def test_a_company_is_found_by_a_part_of_its_name(hostile, visit):
    page = visit(hostile)
    for typed, found in {"societe gen": "Société Générale", "GÉNÉRALE soc": "Société Générale", "orsted lodz": "Ørsted Łódź",
                         "lain": "Plain", "script": ATTACK}.items():  # fmt: skip
        page.fill("#company-a", typed)
        assert page.locator("#company-a-list [role=option] bdi").all_inner_texts() == [found]
        assert page.inner_text("#company-a-status") == "1 company."
    page.fill("#company-a", "a")
    assert page.locator("#company-a-list [role=option] bdi").first.inner_text() == 'a, "b"', "a whole word comes first"
    page.fill("#company-a", "no such")
    assert page.inner_text("#company-a-status") == "No company here has that in its name."
    assert page.get_attribute("#company-a", "aria-expanded") == "false"
    page.press("#company-a", "Escape")
    assert page.input_value("#company-a") == ATTACK


def test_of_more_companies_than_it_has_it_does_not_say_that_one_does_not_exist(tmp_path, visit, monkeypatch):
    monkeypatch.setattr("moviehouse.render.report.gather._COMPANIES", 2)
    companies = repr([{"name": f"Company {i}", "id": i} for i in (1, 2, 3)])
    source = write(tmp_path / "in", movies_metadata=movies({"production_companies": companies}))
    page = visit(moviehouse.build(str(source), tmp_path / "out"))
    page.fill("#company-a", "company")
    assert page.inner_text("#company-a-status") == "2 companies."
    page.fill("#company-a", "company 3")
    assert page.inner_text("#company-a-status") == "No company here has that in its name."


def test_what_looks_like_code_is_shown_and_not_run(hostile, visit):
    page = visit(hostile)
    choose(page, "company-a", "script")
    choose(page, "company-b", "=1+1")
    assert page.locator("#company-heads h3").all_inner_texts() == [ATTACK, "=1+1"]
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    assert page.locator("td", has_text=ATTACK).count() > 3
    assert page.evaluate("window.attacked") is None
    text = downloaded(page, "company-budget")[1]
    assert text == of(answer(hostile, "company_budget_by_year"), 0, 1, 2)
    assert "'=1+1" in text
    assert downloaded(page, "genre-all")[1] == answer(hostile, "genre_revenue_by_year")
    assert "'=2+2" in answer(hostile, "genre_revenue_by_year")


def test_a_gap_is_not_shown_as_a_zero(hostile, visit):
    page = visit(hostile)
    choose(page, "company-a", "=1+1")
    assert page.locator("#company-revenue .plot .known rect").count() == 1
    assert page.locator("#company-revenue .plot .gap circle").count() == 1
    page.click("#company-revenue summary")
    page.wait_for_selector("#company-revenue tbody tr")
    rows = page.locator("#company-revenue tbody tr").all_inner_texts()
    assert [row.split("\t")[-2:] for row in rows] == [["unknown", "unknown"], ["5,000,000", "714,285.71"]]


def test_a_tooltip_says_what_is_behind_a_bar(release, visit):
    page = visit(release)
    bars = page.locator("#genre-amount .plot .known rect")
    bars.last.scroll_into_view_if_needed()
    box = bars.last.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tip = page.locator("#genre-amount [aria-label=tip]").text_content()
    assert re.search(r"\d{4}: \$\S+ revenue.*known for \d+ of \d+ movies", tip), tip


def test_everything_is_reached_and_worked_by_keyboard(release, visit):
    page = visit(release)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the charts"
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.name"))
        if seen[-1] == "company-a":
            break
    assert [x for x in seen if x in ("theme", "genre-measure", "genre-counting", "genre-choice", "year-from", "company-a")] == [
        "theme", "genre-measure", "genre-counting", "genre-choice", "year-from", "company-a",
    ]  # fmt: skip
    page.keyboard.type("a")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    active = page.get_attribute("#company-a", "aria-activedescendant")
    assert page.locator("#company-a-list [aria-selected=true]").get_attribute("id") == active == "company-a-option-1"
    name = page.inner_text(f"#{active} bdi")
    page.keyboard.press("Enter")
    assert page.inner_text("#company-heads h3") == name
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "company-b"
    page.focus("input[name=genre-measure]:checked")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#genre-all .summary").startswith("Budget")
    page.focus("#genre-amount summary")
    page.keyboard.press("Enter")
    page.wait_for_selector("#genre-amount tbody tr")
    page.focus("#theme")
    page.keyboard.press("Enter")
    assert page.get_attribute("html", "data-theme") == "dark"


def test_what_has_the_focus_can_be_seen(release, visit):
    page = visit(release)
    for _ in range(12):
        page.keyboard.press("Tab")
        style = page.evaluate(
            "(() => { const a = document.activeElement;"
            "const e = a.type === 'radio' ? a.nextElementSibling : a;"
            "const s = getComputedStyle(e); return [s.outlineStyle, parseFloat(s.outlineWidth)]; })()"
        )
        assert style[0] != "none" and style[1] >= 2, page.evaluate("document.activeElement.outerHTML")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 900, 1400])
def test_it_reads_well_in_every_width_and_theme(release, visit, width, theme):
    page = visit(release, width, theme)
    assert page.get_attribute("html", "data-theme") == theme
    choose(page, "company-b", "e")
    page.click("#company-genres summary")
    page.locator("#quality .reason summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for svg in page.locator("svg.plot").all():
        box = svg.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width
    if (width, theme) in ((360, "light"), (1400, "dark")):
        found = Axe().run(page).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"]) for v in found if v["impact"] in ("serious", "critical")] == []


def test_the_theme_can_be_switched(release, visit):
    page = visit(release, theme="dark")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    assert page.get_attribute("#theme", "aria-pressed") == "false"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark


def test_what_is_not_in_the_page_cannot_run(release, browser, tmp_path):
    """The policy is in force: a script, a picture or a style that somebody adds to a copy of the page is refused."""
    html = (release.path / "report.html").read_text(encoding="utf-8")
    added = "<script>window.attacked = 1</script><img src='http://127.0.0.1:9/x.png'><p style='color: red'>x</p><main"
    (tmp_path / "report.html").write_text(html.replace("<main", added, 1), encoding="utf-8")
    page = browser.new_page()
    told, asked = [], []
    page.on("console", lambda message: told.append(message.text))
    page.on("requestfinished", lambda request: asked.append(request.url))
    page.goto((tmp_path / "report.html").as_uri())
    page.wait_for_selector("html[data-ready=companies]")
    assert page.evaluate("window.attacked") is None
    assert len([text for text in told if "Content Security Policy" in text]) == 3, told
    assert not [url for url in asked if url.startswith("http")]
    page.close()
