"""Trying a commit again: for how long, how often, and after which answers."""

from __future__ import annotations

import random
import sys
import time

PATIENCE = 600.0
"""Seconds for which a commit is tried again while others win."""


def pause(tries: int) -> None:
    """Wait before the next try, longer after each."""
    time.sleep(random.uniform(0.01, min(0.05 * 2 ** min(tries, 6), 2.0)))  # noqa: S311


def unclear_answers() -> tuple[type[Exception], ...]:
    """Answers after which nobody knows whether the commit took place."""
    import requests
    from pyiceberg.exceptions import CommitStateUnknownException, ServerError, ServiceUnavailableError

    kinds = [CommitStateUnknownException, ServerError, ServiceUnavailableError, requests.RequestException]
    alchemy = sys.modules.get("sqlalchemy.exc")  # slow to import, and there if the catalog is in a database
    return (*kinds, alchemy.OperationalError) if alchemy else tuple(kinds)
