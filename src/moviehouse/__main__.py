"""The command, also as `python -m moviehouse`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command with this process's arguments, and exit with its status."""
    from moviehouse.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
