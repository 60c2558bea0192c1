"""The command, also as `python -m moviehouse`."""

from __future__ import annotations

import gc
import sys

# By default Python looks for garbage every 700 objects, in vain while it imports.
_MANY = 20_000


def main() -> None:
    """Run the command with this process's arguments, and exit with its status."""
    gc.set_threshold(_MANY)
    from moviehouse.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
