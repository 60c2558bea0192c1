"""Runs the code of a page, in order, and compares what it prints with what the page shows.

`python tests/pages.py docs/tutorial.md` writes what is printed now into the page. Blocks with a line `…` keep as many
lines before and after it as they have.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RUN = {"sh": ["bash", "-c"], "python": [sys.executable, "-c"]}
ELISION = "…"

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
# What the steps of a run write to standard error when it is no terminal.
_PROGRESS = re.compile(r"^.* \(\d+\.\d s\)$")
# What differs from run to run, or with the compressor.
_VARYING = (
    (re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}"), "<run>"),
    (re.compile(r"\b\d+\.\d s\b"), "<seconds>"),
    (re.compile(r"\b\d+\.\d [KM]B\b"), "<size>"),
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, and the output shown below it, if any; `start` and `end` are the output's place."""

    language: str
    code: str
    shown: str | None
    start: int
    end: int


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page, but for outputs."""
    for found in _BLOCK.finditer(text):
        yield Block(found[1], found[2], found[3], found.start(3), found.end(3))


def run(block: Block, folder: Path) -> str:
    """What a block prints in a folder, without the progress. It must succeed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {
        **os.environ,
        "PATH": path,
        "COLUMNS": "98",
        "MOVIEHOUSE_CACHE": str(folder / "cache"),
        "PYTHONUNBUFFERED": "1",
    }
    done = subprocess.run(
        [*RUN[block.language], block.code],
        cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    output = "\n".join(line.rstrip() for line in done.stdout.splitlines() if not _PROGRESS.match(line))
    assert done.returncode == 0, f"{block.code}\n{output}"
    return output.strip("\n") + "\n"


def matches(shown: str, printed: str) -> bool:
    """Whether an output is as shown, but for what varies; a line `…` stands for any lines."""
    parts = [re.escape(part) for part in re.split(rf"^{ELISION}$", _normal(shown), flags=re.MULTILINE)]
    return re.fullmatch(r"(?s:.*)".join(parts), _normal(printed)) is not None


def _normal(text: str) -> str:
    for pattern, word in _VARYING:
        text = pattern.sub(word, text)
    return text


def _cut(shown: str, printed: str) -> str:
    """The output with the elision of what was shown."""
    lines = shown.splitlines()
    if ELISION not in lines:
        return printed
    before, after = lines.index(ELISION), len(lines) - lines.index(ELISION) - 1
    made = printed.splitlines()
    return "\n".join([*made[:before], ELISION, *made[len(made) - after :]]) + "\n"


def refresh(page: Path) -> None:
    """Write what the blocks print into the page."""
    text = page.read_text(encoding="utf-8")
    parts, at = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for block in blocks(text):
            if block.language not in RUN:
                continue
            printed = run(block, Path(folder))
            # What only varies stays, so that a page changes where it must.
            if block.shown is not None and not matches(block.shown, printed):
                parts += [text[at : block.start], _cut(block.shown, printed)]
                at = block.end
    page.write_text("".join([*parts, text[at:]]), encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        refresh(Path(name))
