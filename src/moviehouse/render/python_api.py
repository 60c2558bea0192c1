"""The reference of the Python API: signatures, fields and docstrings of the package, as a page."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

import moviehouse
from moviehouse.generator import Sample
from moviehouse.generator.drops import Drops
from moviehouse.lake.ledger import Reading
from moviehouse.lake.load import Loaded
from moviehouse.lake.maintain import Upkeep
from moviehouse.lake.publish import StageChange, Stages
from moviehouse.lake.stage_check import StageCheck
from moviehouse.lake.stages import Stage
from moviehouse.postgres.publish import Publication
from moviehouse.progress import Progress, Step
from moviehouse.render.markdown import code, table
from moviehouse.run import RunRecord
from moviehouse.steps.answer import Answer
from moviehouse.steps.check import Outcome
from moviehouse.steps.trace import Cell, Contribution, LogLine, Trace
from moviehouse.steps.why import Part, Record, Why

_RESULTS = (
    moviehouse.Release, moviehouse.Checked, Answer, Trace, Cell, Contribution, LogLine, Why, Record, Part,
    Publication, Sample, Drops, Loaded, Reading, Stages, Stage, StageChange, StageCheck, Outcome, Upkeep, RunRecord,
)  # fmt: skip
_PROTOCOLS = (Progress, Step)
_WIDTH = 88

_INTRO = """\
# Python API

<!-- Rendered from the docstrings by `python -m moviehouse.render`: change those, not this page. -->

"""
_TRY = """\
Everything is typed, and the package carries its types (`py.typed`). Nothing is printed, and nothing is read from the
environment but the [cache's place](cli.md) and the usual AWS settings.

```python
import moviehouse

try:
    release = moviehouse.build("sample.zip")
except moviehouse.MoviehouseError as error:
    raise SystemExit(f"{error} Retry: {error.retry}. Log: {error.log}")

answer = release.ask("genre-revenue-by-year")
print(release.run.rows["movie"], "movies,", len(answer.rows), "rows of an answer")
```
"""


def python_api_md() -> str:
    """The page docs/python-api.md: the functions, what they return, what they raise."""
    public = [getattr(moviehouse, name) for name in moviehouse.__all__]
    functions = [thing for thing in public if inspect.isfunction(thing)]
    errors = [thing for thing in public if isinstance(thing, type) and issubclass(thing, moviehouse.MoviehouseError)]
    parts = [_INTRO + _docstring(moviehouse), _TRY, "## Functions\n"]
    parts += [_function(f) for f in sorted(functions, key=lambda f: f.__code__.co_firstlineno)]
    parts += ["## What they return\n", *map(_class, _RESULTS)]
    parts += ["## Progress\n", *map(_class, _PROTOCOLS)]
    parts += ["## Errors\n", *map(_class, sorted(errors, key=lambda e: (len(e.__mro__), e.exit_status)))]
    return "\n".join(parts)


def _function(function: Any) -> str:
    return f"### {function.__name__}\n\n{_signature(function, 'moviehouse.')}\n\n{_docstring(function)}"


def _class(thing: type) -> str:
    """A class with its docstring, its fields and its public methods."""
    parts = [f"### {thing.__name__}\n", _docstring(thing)]
    if issubclass(thing, moviehouse.MoviehouseError):
        parts.append(f"Exit status {thing.exit_status}; `retry` is {thing.retry} unless the error says otherwise.\n")
    if is_dataclass(thing):
        rows = [(code(f.name), code(str(f.type)), _default(f)) for f in fields(thing)]
        parts.append(table(("Field", "Type", "Default"), rows) + "\n")
    for name, member in vars(thing).items():
        if not name.startswith("_"):
            parts += _member(name, member)
    return "\n".join(parts)


def _member(name: str, member: Any) -> Iterator[str]:
    if isinstance(member, property) and member.fget:
        kind = inspect.signature(member.fget).return_annotation
        yield f"#### .{name}\n\n`{kind}`: {_docstring(member)}"
    elif inspect.isfunction(member):
        yield f"#### .{name}()\n\n{_signature(member, '.')}\n\n{_docstring(member)}"


def _default(field: Field[Any]) -> str:
    if field.default is not MISSING:
        return code(repr(field.default))
    return "" if field.default_factory is MISSING else code(repr(field.default_factory()))


def _signature(function: Any, before: str) -> str:
    """The signature as code: on one line if it fits, else an argument a line."""
    signature = inspect.signature(function)
    given: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in given:
            given.append("*")
        given.append(_parameter(parameter))
    result = f" -> {signature.return_annotation}"
    line = f"{before}{function.__name__}({', '.join(given)}){result}"
    if len(line) > _WIDTH:
        line = f"{before}{function.__name__}(\n" + "".join(f"    {one},\n" for one in given) + f"){result}"
    return f"```python\n{line}\n```"


def _parameter(parameter: inspect.Parameter) -> str:
    stars = "**" if parameter.kind is parameter.VAR_KEYWORD else ""
    value = parameter.default
    text = f"{value:_}" if type(value) is int else repr(value).replace("'", '"')
    default = "" if value is parameter.empty else f" = {text}"
    return f"{stars}{parameter.name}: {parameter.annotation}{default}"


def _docstring(thing: Any) -> str:
    """The docstring as Markdown; an indented block is Python."""
    text = inspect.getdoc(thing) or ""
    block = re.compile(r"(?:^    .*\n|^\n(?=    ))+", re.MULTILINE)
    return block.sub(lambda found: f"\n```python\n{inspect.cleandoc(found[0])}\n```\n", text) + "\n"
