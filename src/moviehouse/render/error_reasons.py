"""The page of the error log: its lines, its promises, and every reason with an example."""

from __future__ import annotations

import inspect
import json
from typing import Any

from moviehouse.error_log import REASONS, SEVERITIES, VALUE_LIMIT, Reason
from moviehouse.errors import GateError, MoviehouseError, SourceError, TargetError, UsageError
from moviehouse.model.tables import ERROR_LOG
from moviehouse.render.ddl import quoted
from moviehouse.render.error_examples import EXAMPLES
from moviehouse.render.markdown import code, table

_MEANS = {
    "rejected": "Not loaded. The whole record or element is kept in the table `rejected_record`.",
    "mended": "Loaded, after the only repair that makes sense of it.",
    "merged": "Not loaded, because a later record or element has the same key.",
    "warning": "Loaded, but a cell became NULL or something is worth knowing.",
    "failed": "Why a run failed. Only in the log of a failed run, never in the log of a release.",
}

_INTRO = """\
# The error log

<!-- Rendered from src/moviehouse/error_log.py by `python -m moviehouse.render`: change that, not this. -->

Every record, list element or cell that was not loaded exactly as it stands has a line in `errors.jsonl`. The
line says where it is, what is wrong, what the raw text was and what was done. The table `error_log` of the
release has the same lines. The file is always there, even when it is empty.

A run that fails leaves its log in `failed/<run>/errors.jsonl`. Lines of severity `failed` are only there. They
say why the run failed, and have file, line and column if the trouble has a place. An empty or header-only
`movies_metadata.csv`, for example, is refused with exit status 1 ("movies_metadata.csv is empty."); an empty
optional file is only an [`empty_file`](#empty_file).

What a run did with which source, how long it took and how many lines each reason has is in the
[run record](run-record.md).
"""

_PROMISES = """\
## What you can rely on

- **Nothing is lost.** For every file, records read = loaded + merged + rejected. `run.json` has the four
  numbers, each counted separately. If they do not balance, nothing is published.
- **Lines of severity `rejected` match the rows of `rejected_record` one to one.** A gate checks it. The table
  has the record byte for byte, or the element as a Python literal, in full.
- **Every reason is on this page.** A code keeps its meaning. A later version may add codes.
- **Line numbers are those of `sed`:** 1 + the number of line feeds before the record's first byte.
  `sed -n 2223p movies_metadata.csv` shows the line.
- **What the source marks as unknown is not an error.** Empty cells, 0 in budget, revenue and runtime, and
  the average of no votes are counted in `run.json` and never logged. The
  [data dictionary](data-dictionary.md) lists them for each column.
- **A file in another encoding is refused as a whole:** if more than 1% of its records are not UTF-8, the run
  stops and suggests `--encoding`.
"""


def error_log_md() -> str:
    """The page docs/error-log.md."""
    parts = [_INTRO, _fields(), _severities(), _PROMISES, _queries(), _statuses(), _summary()]
    return "\n".join([*parts, *map(_section, REASONS)])


def example_line(reason: Reason) -> str:
    """A line of errors.jsonl as a run wrote it for this reason."""
    found: dict[str, Any] = {
        "run_id": "20260131T091500Z-1f2e3d",
        "severity": reason.severity,
        "reason": reason.code,
        **EXAMPLES[reason.code]._asdict(),
        "action": reason.action,
    }
    return json.dumps({c.name: found[c.name] for c in ERROR_LOG.columns}, ensure_ascii=False, separators=(",", ":"))


def _fields() -> str:
    rows = [
        (code(c.name), "whole number" if c.type == "BIGINT" else "text", "yes" if c.nullable else "no",
         c.description) for c in ERROR_LOG.columns
    ]  # fmt: skip
    return f"""\
## A line

One JSON object per line, in UTF-8. All fields are always there, in this order:

{table(("Field", "Type", "Null?", "Holds"), rows)}

A `value` longer than {VALUE_LIMIT:,} bytes is cut. It then ends with its full length, as in ` … [5000 bytes]`.
`rejected_record` has what was rejected in full.
"""


def _severities() -> str:
    rows = [(code(s), _MEANS[s]) for s in SEVERITIES]
    return f"## Severities\n\n{table(('Severity', 'Means'), rows)}\n"


def _queries() -> str:
    width = max(len(quoted(c.name)) for c in ERROR_LOG.columns)
    columns = ",\n".join(f"    {quoted(c.name).ljust(width)}: '{c.type}'" for c in ERROR_LOG.columns)
    return f"""\
## Querying it

Counts by reason, from the release's database (`duckdb moviehouse.duckdb`):

```sql
SELECT severity, reason, file, count(*) AS lines
FROM error_log
GROUP BY ALL
ORDER BY lines DESC, reason, file;
```

From the file itself. The types are given so that an empty log reads as an empty table:

```sql
SELECT *
FROM read_json('errors.jsonl', format = 'newline_delimited', columns = {{
{columns}
}})
WHERE severity <> 'warning';
```

What was rejected, in full:

```sql
SELECT file, line, unit, "column", reason, raw
FROM rejected_record
ORDER BY file, line, position;
```

With `jq`, everything about one movie, then a count by reason:

```sh
jq -c 'select(.movie_id == 862)' errors.jsonl
jq -r .reason errors.jsonl | sort | uniq -c | sort -rn
```
"""


def _statuses() -> str:
    classes = (SourceError, UsageError, GateError, TargetError, MoviehouseError)
    rows = [("0", "The release is published. Its error log may have lines.", "")]
    rows += [(str(c.exit_status), _first_line(c), "yes" if c.retry else "usually not") for c in classes[:-1]]
    rows += [
        (
            str(MoviehouseError.exit_status),
            "A bug in Moviehouse: one line on the screen, a traceback in the log.",
            "no",
        )
    ]
    rows += [("130, 143", "Stopped by SIGINT or SIGTERM. The previous release is untouched.", "yes")]
    return f"## Exit status\n\n{table(('Status', 'Means', 'Can a retry help?'), rows)}\n"


def _first_line(cls: type) -> str:
    return (inspect.getdoc(cls) or "").splitlines()[0]


def _summary() -> str:
    rows = [(f"[{code(r.code)}](#{r.code})", r.severity, r.meaning) for r in REASONS]
    told = "The example of each is a line that a run wrote."
    return f"## Reasons\n\n{told}\n\n{table(('Reason', 'Severity', 'Means'), rows)}\n"


def _section(reason: Reason) -> str:
    return (
        f"### {reason.code}\n\n"
        f"{reason.meaning}\n\n"
        f"- Severity: {reason.severity}\n"
        f"- What was done: {reason.action}.\n"
        f"- What to do: {reason.advice}\n\n"
        f"```json\n{example_line(reason)}\n```\n"
    )
