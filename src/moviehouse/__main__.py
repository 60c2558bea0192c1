"""The command, also as `python -m moviehouse`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command with this process's arguments, and exit with its status."""
    # Arrow imports them where they are installed, which takes longer than a small load; the command needs neither.
    for name in ("numpy", "pandas"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    from moviehouse.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
