"""What a message suggests: a command that finds the same release, and the names that were perhaps meant."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

DEFAULT_OUT = Path("moviehouse-out")
# What fewer letters begin is a guess, and less alike is another word.
LEAST_LETTERS = 3
_LEAST_ALIKE = 0.6
_MOST_NEAR = 3
# So many names that have the words asked for are all worth showing.
_MOST_WITH = 5


def command(words: str, release: Path | str = DEFAULT_OUT) -> str:
    """A command line that works where this one did: by the same path to the program, on the same release.

    A text is the address of a lake.
    """
    called = Path(sys.argv[0])
    program = str(called) if called.name == "moviehouse" and not shutil.which("moviehouse") else "moviehouse"
    option = "--lake" if isinstance(release, str) else "--release"
    place = "" if release == DEFAULT_OUT else f" {option} {shlex.quote(str(release))}"
    return f"{program} {words}{place}"


def near(asked: str, known: Iterable[str]) -> list[str]:
    """The names that were perhaps meant: those with every word asked for, else those spelled much alike."""
    spelled: dict[str, str] = {_plain(name): name for name in known}
    plain = _plain(asked)
    words = plain.split()
    having = [name for key, name in spelled.items() if words and _has(key.split(), words)]
    if 0 < len(having) <= _MOST_WITH:
        return having
    return [spelled[key] for key in get_close_matches(plain, spelled, _MOST_NEAR, _LEAST_ALIKE)]


def did_you_mean(names: Sequence[str], otherwise: str) -> str:
    """The question whether one of these names was meant, or what is said where there is none."""
    *others, last = names or [""]
    listed = f"{', '.join(others)} or {last}" if others else last
    return f"Did you mean {listed}?" if names else otherwise


def _plain(name: str) -> str:
    """The words of a name, without the ending of a file."""
    return re.sub(r"[-_ ]+", " ", name.casefold().removesuffix(".csv")).strip()


def _has(theirs: Sequence[str], words: Sequence[str]) -> bool:
    """Whether each word is one of theirs, or the beginning of one."""
    return all(w in theirs or (len(w) >= LEAST_LETTERS and any(t.startswith(w) for t in theirs)) for w in words)
