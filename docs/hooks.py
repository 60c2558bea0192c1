"""What the site needs beyond plain MkDocs, so that the same pages read well in the repository and on the site.

- README, CONTRIBUTING and CHANGELOG become pages of the site; there is no second copy of them.
- A link to a file or folder that is not a page (`../src/…`, `schema.sql`) leads to a page that shows it, since the
  site has no public repository to point at.
- Diagrams are shown as SVG: Mermaid would have to be fetched from elsewhere. docs/diagrams.py draws the flowcharts.
- Lists are indented by four spaces, as MkDocs's Markdown wants it.
"""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

sys.path.insert(0, str(Path(__file__).parent))
from diagrams import FLOWCHART, drawing

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
FRONT = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
# Shown as a page although no Markdown page may link to it: the nav does.
SHOWN = ("docs/schema.sql", "docs/dbt-sources.yml")
# Pages of wide tables that begin with a table of contents of their own.
WIDE = ("data-dictionary.md",)

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^ *(`{3,})")
_ITEM = re.compile(r"^(?:\d+\. |[-*] )")
# The repository's view of the page has the diagram twice: as the picture, and folded as Mermaid.
_ERD = re.compile(r"<details>(?:(?!</details>).)*<!-- begin: erd -->.*?</details>\n", re.DOTALL)
_LANGUAGES = {".py": "python", ".sql": "sql", ".yml": "yaml", ".toml": "toml", ".md": "markdown"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the front pages, and a page for everything in the repository that a page links to."""
    texts = {place: (ROOT / place).read_text(encoding="utf-8") for place in FRONT}
    for place, uri in FRONT.items():
        files.append(File.generated(config, uri, content=texts[place]))
    for file in files.documentation_pages():
        if file.abs_src_path:
            texts[f"docs/{file.src_uri}"] = Path(file.abs_src_path).read_text(encoding="utf-8")
    linked = {repository_path(place, target) for place, text in texts.items() for target in _targets(text)}
    for place in sorted(_with_contents({*linked, *SHOWN})):
        if site_uri(place).startswith("source/"):
            files.append(File.generated(config, site_uri(place), content=source_page(place)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrite links, diagram and lists; the shown sources stay as they are."""
    uri = page.file.src_uri
    if uri.startswith("source/"):
        return markdown
    place = next((place for place, front in FRONT.items() if front == uri), f"docs/{uri}")
    if uri in WIDE:
        page.meta["hide"] = ["toc"]
    text = _ERD.sub("", markdown)
    text = FLOWCHART.sub(lambda found: _picture(f"docs/{drawing(found[1])}", place), text)
    return "\n".join(_indented(_linked(text.splitlines(), place, uri)))


def repository_path(place: str, target: str) -> str:
    """The path in the repository that a link of the page at `place` means; '' for other links."""
    if "://" in target or target.startswith("#"):
        return ""
    return posixpath.normpath(posixpath.join(posixpath.dirname(place), target.partition("#")[0]))


def site_uri(place: str) -> str:
    """Where the site has a path of the repository: as the page it is, or as a page that shows it."""
    if place in FRONT:
        return FRONT[place]
    if place.startswith("docs/") and place.endswith((".md", ".svg")):
        return place.removeprefix("docs/")
    return f"source/{place}.md"


def source_page(place: str) -> str:
    """A page that shows a file, or lists a folder."""
    path = ROOT / place
    # Sources would drown the pages in the search.
    head = f"---\ntitle: {path.name}\nsearch: {{ exclude: true }}\nhide: [toc]\n---\n\n# `{place}`\n\n"
    if path.is_dir():
        here = posixpath.dirname(site_uri(place))
        lines = [f"- [`{name}`]({posixpath.relpath(site_uri(f'{place}/{name}'), here)})" for name in _names(path)]
        return head + "\n".join(lines)
    text = path.read_text(encoding="utf-8").rstrip("\n")
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 3)
    return f"{head}{fence}{_LANGUAGES.get(path.suffix, 'text')}\n{text}\n{fence}\n"


def _picture(drawn: str, place: str) -> str:
    target = posixpath.relpath(drawn, posixpath.dirname(place))
    return f"[![Flowchart]({target})]({target}){{ .diagram }}"


def _names(folder: Path) -> list[str]:
    """What a folder holds that can be shown, folders first."""
    shown = [p for p in folder.iterdir() if p.is_dir() or p.suffix in (*_LANGUAGES, ".typed")]
    return [p.name for p in sorted(shown, key=lambda p: (p.is_file(), p.name)) if p.name != "__pycache__"]


def _with_contents(places: Iterable[str]) -> Iterator[str]:
    """The paths that exist, each with all that is below it, once."""
    seen: set[str] = set()
    waiting = list(filter(None, places))
    while waiting:
        place = waiting.pop()
        if place in seen or not (ROOT / place).exists():
            continue
        seen.add(place)
        yield place
        if (ROOT / place).is_dir():
            waiting += [f"{place}/{name}" for name in _names(ROOT / place)]


def _targets(text: str) -> Iterator[str]:
    for line, fenced in _fenced(text.splitlines()):
        if not fenced:
            yield from _LINK.findall(line)


def _fenced(lines: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it belongs to a fenced block."""
    fence = ""
    for line in lines:
        found = _FENCE.match(line)
        if fence:
            yield line, True
            if found and len(found[1]) >= len(fence):
                fence = ""
        else:
            fence = found[1] if found else ""
            yield line, bool(found)


def _linked(lines: Iterable[str], place: str, uri: str) -> Iterator[str]:
    def lead(found: re.Match[str]) -> str:
        path = repository_path(place, found[1])
        # What is not there is left as it is, for the strict build to find.
        if not path or not (ROOT / path).exists():
            return found[0]
        _, mark, anchor = found[1].partition("#")
        return f"]({posixpath.relpath(site_uri(path), posixpath.dirname(uri) or '.')}{mark}{anchor})"

    for line, fenced in _fenced(lines):
        yield line if fenced else _LINK.sub(lead, line)


def _indented(lines: Iterable[str]) -> Iterator[str]:
    """Give what belongs to a list item four spaces, whatever the width of the item's mark."""
    width = 0
    for line in lines:
        item = _ITEM.match(line)
        if item:
            width = len(item[0])
        elif line and not line.startswith(" " * width):
            width = 0
        yield " " * (4 - width) + line if width and line and not item else line
