"""The commands, one module each, and the application that they belong to.

To add a command: a module with a function whose docstring ends in examples, and its place in `COMMANDS`. A command
with commands of its own is an application, whose help ends in examples.
"""

from __future__ import annotations

from collections.abc import Callable

from cyclopts import App, Group

import moviehouse
from moviehouse.commands.ask import ask
from moviehouse.commands.build import build
from moviehouse.commands.check import check
from moviehouse.commands.completion import completion
from moviehouse.commands.errors import errors
from moviehouse.commands.load import load
from moviehouse.commands.maintain import maintain
from moviehouse.commands.publish import publish
from moviehouse.commands.sample import sample
from moviehouse.commands.schema import schema
from moviehouse.commands.sql import sql
from moviehouse.commands.stage import stage
from moviehouse.commands.trace import trace
from moviehouse.commands.why import why

HELP = """Turn The Movies Dataset, a zip of seven messy CSV files, into a relational model
that answers questions.

```
moviehouse SOURCE
```

reads SOURCE, checks it, and writes a release into ./moviehouse-out: the model's tables as Parquet and in one
DuckDB database, the answers to nine questions about companies and genres as CSV, and an error log that explains
every record that was not taken as it stands. Nothing is lost, and nothing is guessed.

**SOURCE** is `s3://bucket/key`, `https://…`, `file://…`, the path of a zip, or a directory of CSV files:

```
moviehouse \\
  s3://com.guild.us-west-2.public-data/project-data/the-movies-dataset.zip
moviehouse ./the-movies-dataset.zip --out results --format csv
moviehouse sample sample.zip && moviehouse sample.zip
moviehouse ask genre-revenue-by-year --year 1995
moviehouse trace genre-revenue-by-year --genre Animation --year 1995
moviehouse sql "FROM movie SELECT title, revenue_usd ORDER BY 2 DESC LIMIT 10"
moviehouse why "Toy Story"
moviehouse errors
moviehouse load drop.zip --lake ./lake
moviehouse ask genre-revenue-by-year --lake ./lake
```

`moviehouse COMMAND --help` has examples of each command, and `moviehouse completion --help` makes TAB work.

**Exit status**: 0 published; 1 the source could not be used; 2 wrong usage; 3 a quality gate failed and nothing was
published; 4 the output could not be written (trying again can help); 70 a bug; 130, 143 stopped by a signal.
"""

app = App(
    name="moviehouse",
    help=HELP,
    version=moviehouse.__version__,
    help_format="markdown",
    group_arguments=Group("Arguments", sort_key=10),
    group_parameters=Group("Parameters", sort_key=11),
    group_commands=Group("Help", sort_key=12),
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)

# The groups in the order in which --help shows them.
COMMANDS: dict[str, tuple[Callable[..., int] | App, ...]] = {
    "Make a release": (build, check, sample),
    "Keep a lake": (load, stage, maintain),
    "Ask a release": (ask, trace, why, sql),
    "Look into it": (errors, schema),
    "Pass it on": (publish,),
    "Set up": (completion,),
}

for _place, (_name, _commands) in enumerate(COMMANDS.items()):
    _group = Group(_name, sort_key=_place)
    for _command in _commands:
        if isinstance(_command, App):
            _command.group, _command.sort_key = _group, _commands.index(_command)
            app.command(_command)
        else:
            app.command(_command, group=_group, sort_key=_commands.index(_command))
app.default(build)
