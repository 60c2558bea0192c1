"""The command line: arguments in, text out."""

from __future__ import annotations

import io
import json
import signal
import sys
import traceback
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, CycloptsError, Parameter
from cyclopts.exceptions import UnusedCliTokensError

import moviehouse
from moviehouse.errors import GateError, MoviehouseError, UsageError
from moviehouse.progress import for_stream
from moviehouse.safe import visible, visible_json, visible_lines, without_secrets

DEFAULT_OUT = Path("moviehouse-out")
_INTERRUPTED, _TERMINATED, _BUG = 130, 143, 70

HELP = """Turn The Movies Dataset, a zip of seven messy CSV files, into a relational model
that answers questions.

```
moviehouse SOURCE
```

reads SOURCE, checks it, and writes a release into ./moviehouse-out: the model's tables as Parquet and in one
DuckDB database, the answers to nine questions about companies and genres as CSV and as a page to look at, and an
error log that explains every record that was not taken as it stands. Nothing is lost, and nothing is guessed.

**SOURCE** is `s3://bucket/key`, `https://…`, `file://…`, the path of a zip, or a directory of CSV files:

```
moviehouse \\
  s3://com.guild.us-west-2.public-data/project-data/the-movies-dataset.zip
moviehouse ./the-movies-dataset.zip --out results --format csv
moviehouse sample sample.zip && moviehouse sample.zip
moviehouse ask genre-revenue-by-year --year 1995
moviehouse trace genre-revenue-by-year --genre Animation --year 1995
moviehouse why "Toy Story"
```

**Exit status**: 0 published; 1 the source could not be used; 2 wrong usage; 3 a quality gate failed and nothing was
published; 4 the output could not be written (trying again can help); 70 a bug; 130, 143 stopped by a signal.
"""

app = App(
    name="moviehouse",
    help=HELP,
    version=moviehouse.__version__,
    help_format="markdown",
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)

Source = Annotated[str, Parameter(help="s3://bucket/key, https://…, file://…, a zip, or a directory of CSV files.")]
Out = Annotated[Path, Parameter(help="Directory to write the release into.")]
NoSign = Annotated[
    bool, Parameter(negative="", show_default=False, help="Read S3 without credentials, even if there are some.")
]
Encoding = Annotated[str, Parameter(help="Encoding of the CSV files.")]
Cache = Annotated[
    Path | None,
    Parameter(help="Where downloads are kept [default: $MOVIEHOUSE_CACHE or ~/.cache/moviehouse]."),
]
Memory = Annotated[str, Parameter(help="How much memory DuckDB may use before it spills to disk.")]
Threads = Annotated[int | None, Parameter(help="How many threads DuckDB may use [default: one per core].")]
MaxBytes = Annotated[
    int, Parameter(help="How many bytes an archive may extract to [default: 64 GiB].", show_default=False)
]
MaxMembers = Annotated[int, Parameter(help="How many members an archive may have.")]
MaxRatio = Annotated[int, Parameter(help="How many times larger a member of an archive may become.")]
NoReport = Annotated[bool, Parameter(negative="", show_default=False, help="Leave report.html out.")]
Quiet = Annotated[
    bool, Parameter(name=["--quiet", "-q"], negative="", show_default=False, help="Print nothing but errors.")
]
AsJson = Annotated[
    bool, Parameter(name="--json", negative="", show_default=False, help="Print the run record as JSON.")
]
Debug = Annotated[bool, Parameter(negative="", show_default=False, help="Show a traceback with an error.")]

Release = Annotated[Path, Parameter(help="A release, or the output directory that holds it.")]
Year = Annotated[str | None, Parameter(help="A year, or a range such as 1990:1999.")]
Genre = Annotated[str | None, Parameter(help="A genre's name or id.")]
Company = Annotated[str | None, Parameter(help="A production company's name or id.")]
Form = Annotated[Literal["table", "csv", "json"], Parameter(help="How to print the answer.")]


@app.default
@app.command(name="build")
def build(
    source: Source,
    /,
    *,
    out: Out = DEFAULT_OUT,
    format: Annotated[Literal["parquet", "csv"], Parameter(help="Format of tables/.")] = "parquet",
    no_sign_request: NoSign = False,
    encoding: Encoding = "utf-8",
    cache: Cache = None,
    memory_limit: Memory = "2GiB",
    threads: Threads = None,
    max_bytes: MaxBytes = 64 << 30,
    max_members: MaxMembers = 1000,
    max_ratio: MaxRatio = 200,
    no_report: NoReport = False,
    quiet: Quiet = False,
    json: AsJson = False,
    debug: Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Build a release from SOURCE. `moviehouse SOURCE` is short for it.

    A file named like a command is written with its folder: `moviehouse ./ask`.
    """
    _exists(source)
    release = moviehouse.build(
        source,
        out,
        progress=for_stream(quiet=quiet),
        format=format,
        sign=not no_sign_request,
        encoding=encoding,
        cache=cache,
        memory_limit=memory_limit,
        threads=threads,
        max_bytes=max_bytes,
        max_members=max_members,
        max_ratio=max_ratio,
        report=not no_report,
    )
    if json:
        _print_json(asdict(release.run) | {"release": str(release.path), "out": str(release.out)})
    elif not quiet:
        from moviehouse.render.terminal import show_release

        show_release(release)
    return 0


@app.command
def check(
    source: Source,
    /,
    *,
    no_sign_request: NoSign = False,
    encoding: Encoding = "utf-8",
    cache: Cache = None,
    memory_limit: Memory = "2GiB",
    threads: Threads = None,
    max_bytes: MaxBytes = 64 << 30,
    max_members: MaxMembers = 1000,
    max_ratio: MaxRatio = 200,
    quiet: Quiet = False,
    json: AsJson = False,
    debug: Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Read and check SOURCE, report what a build would say of it, and write nothing.

    With --json the error log's lines follow the run record, one JSON object per line.
    """
    _exists(source)
    checked = moviehouse.check(
        source,
        progress=for_stream(quiet=quiet),
        sign=not no_sign_request,
        encoding=encoding,
        cache=cache,
        memory_limit=memory_limit,
        threads=threads,
        max_bytes=max_bytes,
        max_members=max_members,
        max_ratio=max_ratio,
    )
    if json:
        _print_json(asdict(checked.run))
        for line in checked.log:
            _print_json(line)
    elif not quiet:
        from moviehouse.render.terminal import show_checked

        show_checked(checked)
    return 0


@app.command
def ask(
    question: Annotated[str | None, Parameter(help="One of the nine questions; none: list them.")] = None,
    /,
    *,
    release: Release = DEFAULT_OUT,
    year: Year = None,
    genre: Genre = None,
    company: Company = None,
    top: Annotated[int | None, Parameter(help="Only so many rows, the largest first.")] = None,
    format: Form = "table",
    show_sql: Annotated[bool, Parameter(negative="", show_default=False, help="Print the question's SQL too.")] = False,
    debug: Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Ask a release one of the nine questions.

    ```
    moviehouse ask genre-revenue-by-year --year 1995
    moviehouse ask company-profit-by-year --company "Pixar Animation Studios" --format csv
    ```
    """
    from moviehouse.render.terminal import show_answer, show_questions

    if question is None:
        show_questions()
        return 0
    answer = moviehouse.ask(question, release, years=_years(year), genre=genre, company=company, top=top)
    show_answer(answer, format, show_sql=show_sql)
    return 0


@app.command
def trace(
    question: Annotated[str, Parameter(help="One of the nine questions.")],
    /,
    *,
    release: Release = DEFAULT_OUT,
    year: Year = None,
    genre: Genre = None,
    company: Company = None,
    top: Annotated[int | None, Parameter(help="In a table, how many movies to show [default: 40].")] = None,
    format: Form = "table",
    debug: Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Trace a cell of an answer to the movies behind it: what each adds, what is unknown, and where it comes from.

    Shows every movie with its full and its allocated amount, which amounts are unknown and why, the line of each
    movie in the source, and what the error log says of it. What the movies add makes the cell, to the cent.
    Without a year all years are traced. CSV and JSON hold every movie; JSON has the log's lines in full.

    ```
    moviehouse trace genre-revenue-by-year --genre Animation --year 1995
    moviehouse trace company-profit-by-year --company "Pixar Animation Studios"
    moviehouse trace company-releases-by-genre-by-year --company 3 --genre Family
    moviehouse trace genre-most-popular-by-year --year 1995 --format json
    ```
    """
    from moviehouse.render.trace import show_trace

    if top is not None and top < 1:
        raise UsageError("--top must be at least 1.")
    traced = moviehouse.trace(question, release, years=_years(year), genre=genre, company=company)
    show_trace(traced, format, top)
    return 0 if traced.adds_up else GateError.exit_status


@app.command
def why(
    movie: Annotated[str, Parameter(help="TMDB's id of the movie, IMDb's, or its title.")],
    /,
    *,
    release: Release = DEFAULT_OUT,
    cache: Cache = None,
    format: Annotated[Literal["table", "json"], Parameter(help="How to print it.")] = "table",
    debug: Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Tell everything about one movie: its raw record, what was done to it, its rows, its part in every answer.

    The raw record is shown byte for byte if the source is still where it was, or in the cache of downloads. A movie
    that could not be loaded is told of too.

    ```
    moviehouse why 10663
    moviehouse why tt0120484
    moviehouse why "the waterboy" --format json
    ```
    """
    from moviehouse.render.why import show_why

    show_why(moviehouse.why(movie, release, cache=cache), format)
    return 0


@app.command
def sample(
    out: Annotated[Path, Parameter(help="The zip to write; what was planted goes to OUT.planted.jsonl.")],
    /,
    *,
    movies: Annotated[int, Parameter(help="How many movies; the published dataset has 45,000.")] = 1000,
    ratings: Annotated[int, Parameter(help="How many ratings; the published dataset has 26,000,000.")] = 20_000,
    seed: Annotated[int, Parameter(help="Another seed gives another sample; the same gives the same bytes.")] = 1,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001  (seen by `run`)
) -> int:
    """Write a generated dataset in the original's exact format, with as many known oddities planted as fit."""
    made = moviehouse.sample(out, movies=movies, ratings=ratings, seed=seed, progress=for_stream(quiet=quiet))
    if not quiet:
        print(
            f"{made.path}: {made.movies:,} movies, {made.ratings:,} ratings, seed {made.seed}.\n"
            f"{made.planted_path}: the {made.planted:,} oddities planted, by file, line and reason.\n"
            f"Next: moviehouse {made.path}"
        )
    return 0


def _exists(word: str) -> None:
    """A bare word that is neither a command nor a file is wrong usage."""
    if any(mark in word for mark in ("/", "\\", ".", ":")) or Path(word).exists():
        return
    near = get_close_matches(word, [name for name in app if not name.startswith("-")], 1)
    hint = f"Did you mean {near[0]}?" if near else "See moviehouse --help."
    raise UsageError(f"No such command or file: {word!r}.", hint)


def _years(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    first, colon, last = text.partition(":")
    try:
        years = (int(first or 0), int(last or 9999)) if colon else (int(first), int(first))
    except ValueError:
        message = f"{text!r} is not a year or a range of years."
        raise UsageError(message, "Write --year 1995, --year 1990:1999 or --year 1990: for all since.") from None
    if years[0] > years[1]:
        raise UsageError(f"The range {text} runs backwards.", f"Write --year {years[1]}:{years[0]}.")
    return years


def _print_json(value: dict[str, Any]) -> None:
    print(visible_json(json.dumps(value, ensure_ascii=False, default=str)))


# The signals received: a query that one interrupts ends in an error that does not say which.
_received: list[int] = []


def _stop(number: int, _frame: object) -> None:
    _received.append(number)
    raise KeyboardInterrupt


def _settle_streams() -> None:
    """What a terminal's encoding lacks is escaped, not a failure."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _first_word(arguments: list[str]) -> None:
    if not arguments:
        raise UsageError("Give a SOURCE, for example: moviehouse ./the-movies-dataset.zip", "See moviehouse --help.")
    if not arguments[0].startswith("-") and arguments[0] not in app:
        _exists(arguments[0])


def run(arguments: list[str]) -> int:  # noqa: PLR0911  (one return for each way to end)
    """Run the command; gives the exit status."""
    _received.clear()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    debug = "--debug" in arguments
    _settle_streams()
    try:
        _first_word(arguments)
        status = app(arguments, exit_on_error=False, print_error=False)
    except UnusedCliTokensError as error:
        surplus = ", ".join(repr(token) for token in error.unused_tokens or ())
        return _fail(UsageError(f"There is one argument too many: {surplus}.", "See moviehouse --help."), debug=debug)
    except CycloptsError as error:
        return _fail(UsageError(str(error).splitlines()[0], "See moviehouse --help."), debug=debug)
    except MoviehouseError as error:
        return _fail(error, debug=debug)
    except KeyboardInterrupt:
        return _stopped()
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:  # the last resort: one line for the user, the traceback in the log
        if _received:
            return _stopped()
        if debug:
            _trace(error)
        _say(f"moviehouse: a bug: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
        _say("  Please report it; --debug shows the traceback, which is also in the failed run's log.")
        return _BUG
    return status if isinstance(status, int) else 0


def _stopped() -> int:
    print("moviehouse: stopped; nothing was published.", file=sys.stderr)
    return _TERMINATED if signal.SIGTERM in _received else _INTERRUPTED


def _fail(error: MoviehouseError, *, debug: bool) -> int:
    if debug:
        _trace(error)
    _say(f"moviehouse: {error.message}")
    if error.hint:
        _say(f"  {error.hint}")
    if error.retry:
        _say("  Trying again can help.")
    if error.log is not None:
        _say(f"  Log: {error.log}")
    return error.exit_status


def _say(line: str) -> None:
    print(visible(without_secrets(line)), file=sys.stderr)


def _trace(error: BaseException) -> None:
    print(visible_lines(without_secrets("".join(traceback.format_exception(error)))), end="", file=sys.stderr)
