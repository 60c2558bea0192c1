"""What report.html costs at the published size: bytes, seconds to write, time to use it in Chromium.

    .venv/bin/python bench/report.py [RELEASE] [--into docs/benchmarks.md]

Without a release, it builds one of a sample with 45,000 movies and few ratings, which the report does not read.
"usable" is from the start of the navigation until the companies are unpacked and drawn, the last thing to be ready.
"keystroke" is from a letter in the company box until the list of companies is laid out.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import CACHE, MOVIES, machine, put, sample, table

import moviehouse
from moviehouse.steps.answer import find_release

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from chromium import chromium

RUNS = 5
TYPED = ("warner bros", "e", "universal pictures", "a b", "zzz", "fox", "s")
_WRITE = """
import sys, time, duckdb
from pathlib import Path
from moviehouse.run import RunRecord
release = Path(sys.argv[1])
con = duckdb.connect(str(release / "moviehouse.duckdb"), read_only=True)
run = RunRecord.read(release / "run.json")
cpu, wall = time.process_time(), time.perf_counter()
from moviehouse.render.report import write_report
write_report(lambda query: con.execute(query).fetchall(), release, run)
print(time.process_time() - cpu, time.perf_counter() - wall)
"""
_WATCH = """
new MutationObserver((_, observer) => {
  if (!document.documentElement?.dataset.ready) return;
  observer.disconnect();
  window.usable = performance.now();
}).observe(document, {attributes: true, subtree: true});
"""
_TYPE = """(text) => {
  const input = document.getElementById("company-a");
  input.focus();
  return [...text].map((_, i) => {
    input.value = text.slice(0, i + 1);
    const start = performance.now();
    input.dispatchEvent(new InputEvent("input", {bubbles: true}));
    document.getElementById("company-a-list").getBoundingClientRect();
    return performance.now() - start;
  });
}"""


def build() -> Path:
    """A release of the published number of movies."""
    out = Path(tempfile.mkdtemp(prefix="moviehouse-report-"))
    return moviehouse.build(str(sample(MOVIES, 20_000, "planted", CACHE)), out).path


def write(release: Path) -> list[tuple[float, float]]:
    """CPU and wall seconds of writing the report, imports included, in a process each."""
    command = [sys.executable, "-c", _WRITE, str(release)]
    lines = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(RUNS)]
    return [(float(cpu), float(wall)) for cpu, wall in (line.split() for line in lines)]


def use(report: Path) -> tuple[list[float], list[float]]:
    """Milliseconds until the page is usable, in a new context each, and of every keystroke."""
    usable, strokes = [], []
    with chromium() as browser:
        for _ in range(RUNS):
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.add_init_script(_WATCH)
            page.goto(report.as_uri())
            page.wait_for_function("window.usable")
            usable.append(float(page.evaluate("window.usable")))
            strokes += [float(stroke) for text in TYPED for stroke in page.evaluate(_TYPE, text)]
            page.close()
    return usable, strokes


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("release", nargs="?", type=Path)
    parser.add_argument("--into", type=Path, metavar="PAGE", help="put the table between the page's markers")
    asked = parser.parse_args()
    release = find_release(asked.release) if asked.release else build()
    report = release / "report.html"
    written = write(release)
    usable, strokes = use(report)
    rows = [
        ["Size of the file", f"{report.stat().st_size / 1e6:.2f} MB", ""],
        ["CPU to write it", f"{min(c for c, _ in written):.2f} s", f"{max(c for c, _ in written):.2f} s"],
        ["Usable after", f"{statistics.median(usable):.0f} ms", f"{max(usable):.0f} ms"],
        ["A keystroke in the company box", f"{statistics.median(strokes):.1f} ms", f"{max(strokes):.1f} ms"],
    ]
    note = machine("bench/report.py", f"{RUNS} runs: the least CPU, the median of the others", "playwright")
    text = f"{table(['Measure', 'Figure', 'Worst'], rows)}\n\n{note}"
    print(text)
    if asked.into:
        put(asked.into, "bench/report.py", text)


if __name__ == "__main__":
    main()
