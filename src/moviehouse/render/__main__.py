"""`python -m moviehouse.render [--check]`: write the rendered pages, or say which are stale."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from moviehouse.render.pages import stale, write


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit status is 1 where --check finds a stale page."""
    parser = argparse.ArgumentParser(prog="python -m moviehouse.render", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is stale")
    parser.add_argument("--root", type=Path, default=Path(), help="the checkout (default: here)")
    given = parser.parse_args(arguments)
    if not given.check:
        for path in write(given.root):
            print(f"wrote {path}")
        return 0
    pages = stale(given.root)
    for path in pages:
        print(f"stale: {path} (run: python -m moviehouse.render)", file=sys.stderr)
    return 1 if pages else 0


if __name__ == "__main__":
    sys.exit(main())
