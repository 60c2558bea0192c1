"""`python docs/diagrams.py`: draw the flowcharts of the pages as docs/diagrams/<name>.svg, for the site.

Repository views draw Mermaid themselves; the site would have to fetch it. So the drawings are kept, each named by its
text's hash, and the strict build fails where one is missing. Needs npm and chromium, and only if a flowchart changes.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import subprocess
import tempfile
from pathlib import Path

DOCS = Path(__file__).resolve().parent
FLOWCHART = re.compile(r"^```mermaid\n(flowchart .*?)^```$", re.MULTILINE | re.DOTALL)

_MERMAID = "mermaid@11.16.0"
_SCALE = 0.7
_CHROMIUM = ["chromium", "--headless=new", "--no-sandbox", "--allow-file-access-from-files", "--dump-dom"]
# Without HTML in its labels a drawing is plain SVG, which every viewer of pictures shows.
_SETTINGS = {
    "startOnLoad": False,
    "htmlLabels": False,
    "theme": "neutral",
    # Narrow, for the column of text.
    "flowchart": {"htmlLabels": False, "rankSpacing": 32, "nodeSpacing": 36, "padding": 10},
}


def drawing(text: str) -> str:
    """Where the drawing of a flowchart is, below docs/."""
    return f"diagrams/{hashlib.sha256(text.encode()).hexdigest()[:12]}.svg"


def flowcharts() -> dict[str, str]:
    """The text of every flowchart of the pages, by its drawing."""
    pages = (path.read_text(encoding="utf-8") for path in sorted(DOCS.rglob("*.md")))
    return {drawing(text): text for page in pages for text in FLOWCHART.findall(page)}


def main() -> None:
    """Draw what is missing, and remove what no page has."""
    wanted = flowcharts()
    (DOCS / "diagrams").mkdir(exist_ok=True)
    for path in (DOCS / "diagrams").glob("*.svg"):
        if f"diagrams/{path.name}" not in wanted:
            path.unlink()
    missing = {name: text for name, text in wanted.items() if not (DOCS / name).exists()}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in missing.items():
            (DOCS / name).write_text(draw(text, Path(folder)) + "\n", encoding="utf-8")
            print(f"drew docs/{name}")


def draw(text: str, folder: Path) -> str:
    """The flowchart as SVG; the folder keeps Mermaid for the next one."""
    if not (folder / "package").exists():
        subprocess.run(["npm", "pack", "--silent", _MERMAID], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (archive,) = folder.glob("mermaid-*.tgz")
        subprocess.run(["tar", "xzf", archive.name, "package/dist/mermaid.min.js"], cwd=folder, check=True)
    page = folder / "page.html"
    page.write_text(
        '<meta charset="utf-8"><body><script src="package/dist/mermaid.min.js"></script><script>'
        f"mermaid.initialize({json.dumps(_SETTINGS)});"
        f"mermaid.render('flow', {json.dumps(text)}).then(made => {{document.body.innerHTML = "
        "'<pre></pre>'; document.querySelector('pre').textContent = "
        "new XMLSerializer().serializeToString(new DOMParser().parseFromString(made.svg, 'text/html')"
        ".querySelector('svg'))});</script>",
        encoding="utf-8",
    )
    command = [*_CHROMIUM, "--virtual-time-budget=10000", page.as_uri()]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"<pre>(.*)</pre>", shown, re.DOTALL)
    if not found:
        raise SystemExit(f"Mermaid draws nothing of:\n{text}")
    return _sized(html.unescape(found[1]))


def _sized(svg: str) -> str:
    """The drawing with a size of its own, so that a picture of it is not squeezed into a column."""
    found = re.search(r'viewBox="\S+ \S+ ([\d.]+) ([\d.]+)"', svg)
    assert found, "Mermaid gives every drawing a viewBox"
    width, height = (round(float(side) * _SCALE) for side in found.groups())
    return svg.replace('width="100%"', f'width="{width}" height="{height}"', 1)


if __name__ == "__main__":
    main()
