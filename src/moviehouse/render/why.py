"""Prints everything about one movie: its record, what was done to it, its rows, its part in every answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from moviehouse.hints import command
from moviehouse.model.tables import TABLE
from moviehouse.render.plain import SEVERITY_STYLE, cut, log_table, movies, number, print_json, texts
from moviehouse.render.table import print_table
from moviehouse.render.terminal import open_console, print_command
from moviehouse.safe import visible

if TYPE_CHECKING:
    from pathlib import Path

    from moviehouse.steps.why import Part, Record, Why

_MOST_LISTED = 12
_MOST_CREDITS = 6
_LONGEST_RECORD = 4000
_LONGEST_CELL = 70
_LISTS = ("movie_genre", "movie_company", "movie_country", "movie_language", "movie_keyword")


def _indented(what: RenderableType) -> Padding:
    return Padding(what, (0, 0, 0, 2), expand=False)


def show_why(why: Why, form: str, release: Path | str) -> None:
    """Print what is known of a movie, for a person or as JSON; as the release the address of a lake may be given."""
    if form == "json":
        print_json(asdict(why))
        return
    console = open_console()
    console.print(Text(_title(why), style="bold"))
    for note in why.notes:
        console.print(Text(visible(note), style="dim"))
    _show_records(console, why)
    _show_log(console, why)
    if why.loaded or any(why.tables.values()):
        _show_tables(console, why)
    _show_parts(console, why, release)


def _title(why: Why) -> str:
    if not why.loaded:
        return f"Movie {why.movie_id} is not in the release"
    movie = why.tables["movie"][0]
    told = [
        f"{visible(why.title) or 'no title'} ({why.movie_id})",
        movie["release_date"],
        movie["status"],
        movie["imdb_id"],
    ]
    return ", ".join(visible(str(part)) for part in told if part is not None)


def _show_records(console: Console, why: Why) -> None:
    console.print(Text("\nIn the source", style="bold"))
    if not why.records:
        console.print(Text(f"  movies_metadata.csv of {visible(why.source)} has no record of it that could be read."))
    for record in why.records:
        console.print(_indented(_record_head(record)))
        if record.raw is not None:
            console.print(_indented(Text(visible(record.raw[:_LONGEST_RECORD]), style="dim", overflow="fold")))
    if any(record.raw is None for record in why.records):
        lines = ", ".join(f"line {r.line} of {r.file}" for r in why.records if r.raw is None)
        gone = f"The source is not here, or not the one that was read, so the record is not shown. It is {lines} in "
        console.print(_indented(Text(gone + visible(why.source) + ".", style="dim")))


def _record_head(record: Record) -> Text:
    style = SEVERITY_STYLE.get(record.outcome, "green")
    size = len(record.raw or "")
    length = f", the first {_LONGEST_RECORD:,} of its {size:,} characters" if size > _LONGEST_RECORD else ""
    return Text.assemble((record.outcome, style), f"  {record.file} line {record.line}{length}")


def _show_log(console: Console, why: Why) -> None:
    console.print(Text("\nWhat was done to it", style="bold"))
    if why.log:
        console.print(_indented(log_table([("", entry) for entry in why.log])))
    else:
        console.print("  Nothing: all of it was taken as it stands.")


def _show_tables(console: Console, why: Why) -> None:
    console.print(Text("\nIn the tables", style="bold"))
    table = Table.grid(padding=(0, 2, 0, 0))
    for row in why.tables["movie"]:
        table.add_row("movie", Text(_movie(row)))
    for listed in _LISTS:
        rows = why.tables[listed]
        if why.loaded:
            thing, key = listed.removeprefix("movie_"), TABLE[listed].columns[1].name
            names = [f"{visible(row[thing]) or 'no name'} ({row[key]})" for row in rows]
            table.add_row(listed, Text(_some(names, _MOST_LISTED)))
    if why.loaded:
        table.add_row("cast_credit", Text(_credits(why.tables["cast_credit"], "character", "{} as {}")))
        table.add_row("crew_credit", Text(_credits(why.tables["crew_credit"], "job", "{} ({})")))
    table.add_row("movielens_movie", Text(_some([_link(row) for row in why.tables["movielens_movie"]], _MOST_LISTED)))
    ratings = [
        f"{r['edition']}: {r['ratings']:,} of MovieLens id {r['movielens_id']}, mean {number(r['rating_mean'])}"
        for r in why.ratings
    ]
    table.add_row("rating", Text("\n".join(ratings) or "none"))
    for row in why.tables["rejected_record"]:
        where = (
            f"{row['file']} line {row['line']}, a whole {row['unit']}"
            if row["unit"] == "record"
            else (f"{row['file']} line {row['line']}, {row['column']}, element {row['position']}")
        )
        table.add_row("rejected_record", Text(f"{where}: {row['reason']}: {cut(row['raw'])}"))
    console.print(_indented(table))


def _movie(row: dict[str, Any]) -> str:
    known = [f"{column} {_cell(row, column)}" for column in row if row[column] is not None and column in _own_columns()]
    missing = [column for column in _own_columns() if row[column] is None]
    return "; ".join(known) + (f"; NULL: {', '.join(missing)}" if missing else "")


def _own_columns() -> list[str]:
    return [column.name for column in TABLE["movie"].columns]


def _cell(row: dict[str, Any], column: str) -> str:
    value = row[column]
    if isinstance(value, str):
        return cut(value, _LONGEST_CELL)
    if column == "collection_id":
        return f"{value} ({visible(row['collection'])})"
    return str(value) if isinstance(value, bool) or column.endswith(("_id", "_line", "_date")) else number(value)


def _some(texts: Sequence[str], most: int) -> str:
    shown = ", ".join(texts[:most])
    return (shown or "none") + (f" and {len(texts) - most:,} more" if len(texts) > most else "")


def _credits(rows: Sequence[dict[str, Any]], column: str, form: str) -> str:
    if not rows:
        return "none"
    people = [
        form.format(visible(row["person"]), visible(row[column])) if row[column] else visible(row["person"])
        for row in rows
    ]
    return f"{len(rows):,} from credits.csv line {rows[0]['source_line']}: {_some(people, _MOST_CREDITS)}"


def _link(row: dict[str, Any]) -> str:
    lines = [f"{file}.csv line {row[f'{file}_line']}" for file in ("links", "links_small") if row[f"{file}_line"]]
    return f"{row['movielens_id']} ({', '.join([*lines, visible(row['imdb_id']) or 'no IMDb id'])})"


def _show_parts(console: Console, why: Why, release: Path | str) -> None:
    if why.left_out:
        console.print(Text("\nIn no answer", style="bold"))
        reason = f"The answers by year leave it out: {visible(why.left_out)}."
        if why.loaded and "status" in why.left_out:
            reason += " A release has a release date, and a status of Released or none."
        console.print(_indented(Text(reason)))
        return
    year = why.tables["movie"][0]["release_date"].year
    console.print(Text(f"\nIn the answers of {year}", style="bold"))
    for listed, thing in (("movie_genre", "genre"), ("movie_company", "company")):
        if not why.tables[listed]:
            told = f"None by {thing}, since it has none: its amounts are in the view unattributed_by_year."
            console.print(_indented(Text(told)))
    for amount in ("revenue", "budget", "profit"):
        _show_amount(console, amount, [p for p in why.parts if p.question.endswith(f"_{amount}_by_year")])
    _show_popularity(console, [p for p in why.parts if "popul" in p.question])
    _show_releases(console, [p for p in why.parts if "releases" in p.question])
    if why.parts:
        first = why.parts[0]
        thing = "genre" if "genre" in first.keys else "company"
        question = first.question.replace("_", "-")
        trace = command(f"trace {question} --{thing} {first.keys[f'{thing}_id']} --year {year}", release)
        print_command(console, "\nAll the movies behind a cell: ", trace)


def _label(part: Part) -> str:
    thing = "company" if "company" in part.keys else "genre"
    return visible(f"{part.keys[thing] or 'no name'} ({part.keys[f'{thing}_id']})")


def _head_of(console: Console, what: str, parts: Sequence[Part]) -> None:
    questions = ", ".join(dict.fromkeys(part.question for part in parts))
    console.print(Text(f"\n  {what}", style="bold").append(f"  in {questions}", style="not bold dim"))


def _show_amount(console: Console, amount: str, parts: Sequence[Part]) -> None:
    """A table of what the movie adds to the cells of one amount, in full and allocated, each beside its cell."""
    if not parts:
        return
    _head_of(console, f"{amount}_usd", parts)
    if parts[0].unknown:
        told = f"Unknown ({visible(parts[0].unknown)}), and so in no sum; it counts in movies of "
        console.print(_indented(Text(told + _some([_label(p) for p in parts], _MOST_LISTED) + ".")))
        return
    rows = []
    for part in parts:
        figures = []
        for measure in (f"{amount}_usd", f"{amount}_usd_allocated"):
            figures += [number(part.adds[measure]), number(part.measures[measure])]
        rows.append([_label(part), *figures])
    columns = ("cell", "adds", "to a cell of", "allocated", "to an allocated")
    print_table(console, columns, rows, ("cell",), indent=2)


def _show_popularity(console: Console, parts: Sequence[Part]) -> None:
    if not parts:
        return
    _head_of(console, "popularity", parts)
    if parts[0].unknown:
        console.print(_indented(Text(f"Unknown ({visible(parts[0].unknown)}), and so in no sum and no mean.")))
        return
    table = Table.grid(padding=(0, 2, 0, 0))
    for part in parts:
        mean = f"in a mean of {number(part.measures['popularity_mean'])} over {movies(part.measures['movies'])}"
        if "popularity_total" in part.measures:
            mean = f"in {number(part.measures['popularity_total'])}, the sum of the year's most popular genre; {mean}"
        table.add_row(Text(_label(part)), Text(number(part.adds["popularity_mean"]), justify="right"), Text(mean))
    console.print(_indented(table))


def _show_releases(console: Console, parts: Sequence[Part]) -> None:
    if not parts:
        return
    _head_of(console, "releases", parts)
    table = Table.grid(padding=(0, 2, 0, 0))
    for company, genres in _by_company(parts):
        table.add_row(*texts(company, ", ".join(genres)))
    console.print(_indented(table))


def _by_company(parts: Sequence[Part]) -> Iterator[tuple[str, list[str]]]:
    genres: dict[str, list[str]] = {}
    for part in parts:
        told = f"{visible(part.keys['genre'])} (1 of {part.measures['releases']:,})"
        genres.setdefault(_label(part), []).append(told)
    yield from genres.items()
