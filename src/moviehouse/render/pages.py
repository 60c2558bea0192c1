"""The pages that are rendered: whole files, and regions between markers in pages written by hand.

To add a page, add it to `PAGES`. To add a region, put its two markers into the page
(`<!-- begin: name -->` and `<!-- end: name -->`) and add it to `REGIONS`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from moviehouse.render.cli_reference import cli_md
from moviehouse.render.dbt_sources import dbt_sources_yml
from moviehouse.render.ddl import schema_sql
from moviehouse.render.dictionary import dictionary_md
from moviehouse.render.erd import mermaid, svg
from moviehouse.render.error_reasons import error_log_md
from moviehouse.render.python_api import python_api_md
from moviehouse.render.questions import questions_md
from moviehouse.sql import statement

Renderer = Callable[[], str]

PAGES: dict[str, Renderer] = {
    "docs/cli.md": cli_md,
    "docs/data-dictionary.md": dictionary_md,
    "docs/erd.svg": svg,
    "docs/schema.sql": schema_sql,
    "docs/error-log.md": error_log_md,
    "docs/python-api.md": python_api_md,
    "docs/questions.md": questions_md,
    "docs/dbt-sources.yml": dbt_sources_yml,
}


def _question() -> str:
    return f"```sql\n{statement('questions', 'genre_revenue_by_year').strip()}\n```"


REGIONS: dict[str, dict[str, Renderer]] = {
    "README.md": {"question": _question},
    "docs/data-model.md": {"erd": mermaid},
}


def write(root: Path) -> list[str]:
    """Write what has changed below the checkout's `root`; the paths written."""
    changed = stale(root)
    for path in changed:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_rendered(root, path), encoding="utf-8", newline="\n")
    return changed


def stale(root: Path) -> list[str]:
    """The pages that are not as they would be rendered now."""
    return [path for path in (*PAGES, *REGIONS) if _current(root / path) != _rendered(root, path)]


def filled(text: str, name: str, content: str) -> str:
    """The text with the region's content replaced; the markers stay."""
    begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(f"The page must have the markers {begin} and {end}, once each.")
    return f"{text[: text.index(begin)]}{begin}\n{content.strip()}\n{text[text.index(end) :]}"


def _rendered(root: Path, path: str) -> str:
    if path in PAGES:
        return PAGES[path]().rstrip("\n") + "\n"
    text = (root / path).read_text(encoding="utf-8")
    for name, renderer in REGIONS[path].items():
        text = filled(text, name, renderer())
    return text


def _current(file: Path) -> str | None:
    return file.read_bytes().decode() if file.exists() else None
