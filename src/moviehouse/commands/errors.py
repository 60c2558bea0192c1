"""`moviehouse errors`: the error log, by reason, by file, by movie."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from moviehouse.commands import complete
from moviehouse.commands import parameters as p
from moviehouse.errors import UsageError

_Severity = Literal["rejected", "mended", "merged", "warning", "failed"]


def errors(
    *,
    release: Annotated[
        Path, Parameter(help="A release, the output directory that holds it, a failed run, or an errors.jsonl.")
    ] = p.DEFAULT_OUT,
    failed: Annotated[
        bool, Parameter(negative="", show_default=False, help="The newest run that failed there, not the release.")
    ] = False,
    reason: Annotated[
        str | None, Parameter(help="Only the lines of one reason code.", completer=complete.reasons)
    ] = None,
    file: Annotated[str | None, Parameter(help="Only what is about one file.", completer=complete.files)] = None,
    severity: Annotated[_Severity | None, Parameter(help="Only what ended so.")] = None,
    movie: Annotated[str | None, Parameter(help="One movie's whole story: TMDB's id, IMDb's, or its title.")] = None,
    lines: Annotated[
        bool, Parameter(negative="", show_default=False, help="The lines themselves, not how many there are.")
    ] = False,
    limit: p.Limit = 40,
    format: Annotated[
        Literal["table", "csv", "json"] | None,
        Parameter(help="How to print it [default: as --output ends, or a table]."),
    ] = None,
    output: p.Output = None,
    debug: p.Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Browse the error log: every record, element and cell that was not taken as it stands.

    Without --reason, --movie or --lines it is summed by reason and file. The lines of a reason come with what it means
    and what to do about it. CSV and JSON hold every line.

    ```
    moviehouse errors
    moviehouse errors --reason duplicate_record
    moviehouse errors --file credits.csv --severity rejected --lines
    moviehouse errors --movie "Toy Story"
    moviehouse errors --failed
    moviehouse errors --lines --format csv > errors.csv
    ```
    """
    from moviehouse.render import errors as render
    from moviehouse.render.formats import LINES, chosen, written_to
    from moviehouse.steps.browse_log import Wanted, opened_log

    if limit < 1:
        raise UsageError("--limit must be at least 1.")
    form = chosen(format, output, LINES)
    wanted = Wanted(reason, file, severity)
    filters = ", ".join(f"{key} {value}" for key, value in vars(wanted).items() if value)
    with opened_log(release, failed=failed) as log:
        log.check(wanted)
        with written_to(output, release):
            if movie is not None:
                render.show_movie(log.movie(movie, wanted), form, limit, release if log.whole else None)
            elif reason is not None or lines or failed:
                render.show_lines(list(log.lines(wanted)), form, limit, filters, reason)
            else:
                render.show_summary(log.path, log.summary(wanted), form, filters, release)
    return 0
