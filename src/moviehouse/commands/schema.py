"""`moviehouse schema`: the tables, their columns, and how they belong together."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from moviehouse.commands import complete
from moviehouse.commands import parameters as p
from moviehouse.errors import UsageError
from moviehouse.hints import did_you_mean, near

_Form = Literal["ddl", "dictionary", "erd", "svg", "mermaid"]
_ENDINGS = {"sql": "ddl", "svg": "svg", "mmd": "mermaid"}


def schema(
    tables: Annotated[list[str] | None, Parameter(help="Only these tables.", completer=complete.tables)] = None,
    /,
    *,
    format: Annotated[
        _Form | None,
        Parameter(
            help="SQL; descriptions; keys and references; the same as a picture, or in Mermaid's language "
            "[default: as --output ends, or SQL]."
        ),
    ] = None,
    output: p.Output = None,
    debug: p.Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Print the model: the tables that every release has.

    ```
    moviehouse schema
    moviehouse schema movie movie_genre --format dictionary
    moviehouse schema --format erd
    moviehouse schema --output erd.svg
    moviehouse schema --format mermaid > erd.mmd
    ```
    """
    from moviehouse.model.tables import TABLE, TABLES
    from moviehouse.render.formats import chosen, written_to
    from moviehouse.render.schema import show_schema

    for asked in tables or ():
        if asked not in TABLE:
            hint = did_you_mean(near(asked, TABLE), f"There are: {', '.join(TABLE)}.")
            raise UsageError(f"The model has no table {asked!r}.", hint)
    form = chosen(format, output, _ENDINGS)
    if tables and form in ("svg", "mermaid"):
        raise UsageError(f"The diagram ({form}) has all tables.", "Leave the names out, or give --format erd.")
    with written_to(output):
        show_schema(form, [TABLE[name] for name in tables] if tables else TABLES)
    return 0
