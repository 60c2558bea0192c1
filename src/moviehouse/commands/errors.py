"""`moviehouse errors`: the error log, by reason, by file, by movie."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from moviehouse.commands import complete
from moviehouse.commands import parameters as p
from moviehouse.errors import UsageError

_Severity = Literal["rejected", "mended", "merged", "warning", "failed"]
_Release = Annotated[
    Path, Parameter(help="A release, the output directory that holds it, a failed run, or an errors.jsonl.")
]
_Failed = Annotated[
    bool, Parameter(negative="", show_default=False, help="The newest run that failed there, not the release.")
]
_Reason = Annotated[str | None, Parameter(help="Only the lines of one reason code.", completer=complete.reasons)]
_File = Annotated[str | None, Parameter(help="Only what is about one file.", completer=complete.files)]
_Lines = Annotated[
    bool, Parameter(negative="", show_default=False, help="The lines themselves, not how many there are.")
]
_Format = Annotated[
    Literal["table", "csv", "json"] | None, Parameter(help="How to print it [default: as --output ends, or a table].")
]


def errors(
    *,
    release: _Release = p.DEFAULT_OUT,
    lake: p.Lake = None,
    as_of: p.AsOf = None,
    stage: p.Stage = None,
    failed: _Failed = False,
    reason: _Reason = None,
    file: _File = None,
    severity: Annotated[_Severity | None, Parameter(help="Only what ended so.")] = None,
    movie: Annotated[str | None, Parameter(help="One movie's whole story: TMDB's id, IMDb's, or its title.")] = None,
    lines: _Lines = False,
    limit: p.Limit = 40,
    format: _Format = None,
    output: p.Output = None,
    debug: p.Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Browse the error log: every record, element and cell that was not taken as it stands.

    Without --reason, --movie or --lines it is summed by reason and file. The lines of a reason come with what it means
    and what to do about it. CSV and JSON hold every line. With --lake these are the logs of all drops that count, and
    each line names its drop; those of drops that were set aside are in the table set_aside_log, for moviehouse sql.

    ```
    moviehouse errors
    moviehouse errors --reason duplicate_record
    moviehouse errors --file credits.csv --severity rejected --lines
    moviehouse errors --movie "Toy Story"
    moviehouse errors --failed
    moviehouse errors --lines --format csv > errors.csv
    moviehouse errors --reason damaged_list --lake ./lake
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
    asked = release if lake is None else lake
    # A movie's story is that of the drops it is from; the log is that of all of them.
    which, needed = {"traced": movie is not None, "drops": movie is None}, _needed(lake, movie, failed=failed)
    with (
        p.opened(release, lake, as_of, needed, stage, **which) as place,
        opened_log(place, failed=failed) as log,
    ):
        log.check(wanted)
        with written_to(output, release):
            if movie is not None:
                render.show_movie(log.movie(movie, wanted), form, limit, asked if log.whole else None)
            elif reason is not None or lines or failed:
                render.show_lines(list(log.lines(wanted)), form, limit, filters, reason)
            else:
                render.show_summary(log.path if lake is None else lake, log.summary(wanted), form, filters, asked)
    return 0


def _needed(lake: str | None, movie: str | None, *, failed: bool) -> frozenset[str]:
    """What is needed of a lake: the log, or what a movie is found by too."""
    if lake is None:
        return frozenset()
    if failed:
        raise UsageError(
            "--failed is about the runs into a directory.",
            f'Of a lake\'s drops that failed: moviehouse sql "FROM set_aside" --lake {lake}',
        )
    from moviehouse.lake.needs import OF_A_MOVIES_LOG, OF_LOG

    return OF_LOG if movie is None else OF_A_MOVIES_LOG
