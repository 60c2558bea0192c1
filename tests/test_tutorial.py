"""The pages with commands: every block is run, in order, and prints what the page shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import RUN, blocks, matches, run

DOCS = Path(__file__).parent.parent / "docs"


@pytest.mark.parametrize(("name", "least"), [("tutorial.md", 18), ("reading-a-release.md", 8)])
def test_the_page_shows_what_its_blocks_print(tmp_path, name, least):
    ran = 0
    for block in blocks((DOCS / name).read_text(encoding="utf-8")):
        if block.language not in RUN:
            assert block.language in ("yaml", "sql"), f"a {block.language} block is not run"
            continue
        printed = run(block, tmp_path)
        ran += 1
        if block.shown is not None:
            assert matches(block.shown, printed), f"{block.code}\nshown:\n{block.shown}\nprinted:\n{printed}"
    assert ran >= least


def test_blocks_are_found_with_what_is_shown():
    page = "```sh\na\nb\n```\n\n```text\nc\n```\n\nWords.\n\n```python\nd\n```\n\n```sh\ne\n```\n"
    found = [(b.language, b.code, b.shown) for b in blocks(page)]
    assert found == [("sh", "a\nb\n", "c\n"), ("python", "d\n", None), ("sh", "e\n", None)]


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("7 movies\n", "7 movies\n", True),
        ("7 movies\n", "8 movies\n", False),
        ("7 movies\n", "7 movies\nand more\n", False),
        ("published in 1.3 s\n", "published in 0.9 s\n", True),
        ("from a.zip, 1.5 MB\n", "from a.zip, 900.0 KB\n", True),
        ("Release 20261124T140925Z-d0853b\n", "Release 20270101T000000Z-000000\n", True),
        ("a\n…\nz\n", "a\nb\nc\nz\n", True),
        ("a\n…\n", "a\nb\n", True),
        ("a\n…\nz\n", "b\nz\n", False),
    ],
)
def test_what_varies_is_let_pass_and_nothing_else(shown, printed, same):
    assert matches(shown, printed) is same


def test_a_block_that_fails_is_no_output(tmp_path):
    (block,) = blocks("```sh\necho gone; exit 3\n```\n")
    with pytest.raises(AssertionError, match="gone"):
        run(block, tmp_path)
