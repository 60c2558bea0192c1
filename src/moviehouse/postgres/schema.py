"""What is in a schema already, and whether a release may take its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moviehouse.errors import TargetError, UsageError
from moviehouse.postgres.ddl import PUBLICATION
from moviehouse.sql.text import name

if TYPE_CHECKING:
    import psycopg

_SHOWN = 5


@dataclass(frozen=True)
class Existing:
    """A schema that is there: its owner, the release in it if it is Moviehouse's, and that release's relations."""

    oid: int
    owner: str
    run_id: str | None = None
    rendering: str | None = None
    relations: tuple[str, ...] = ()


def valid(schema: str) -> str:
    """The schema's name, if a release may have it. Raises UsageError."""
    if not schema or len(schema.encode()) > 63 or "\0" in schema:
        raise UsageError(f"{schema!r} cannot be the name of a schema.", "Give one of 1 to 63 bytes.")
    if re.match(r"pg_|information_schema$|public$", schema):
        raise UsageError(f"The schema {schema} is not for a release.", "Give it one of its own: --schema NAME.")
    return schema


def find(cur: psycopg.Cursor, schema: str) -> Existing | None:
    """The schema, if it is there. Raises TargetError where it is neither Moviehouse's nor empty."""
    row = cur.execute("SELECT oid, pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = %s", [schema]).fetchone()
    if row is None:
        return None
    oid, owner = row
    marked = cur.execute(
        "SELECT 1 FROM pg_class WHERE relnamespace = %s AND relname = %s AND relkind = 'r'", [oid, PUBLICATION]
    ).fetchone()
    if marked:
        known = cur.execute(
            f"SELECT run_id, rendering, relations FROM {name(schema)}.{name(PUBLICATION)}".encode()
        ).fetchone()
        if known:
            return Existing(oid, owner, known[0], known[1], tuple(known[2]))
    if content := _content(cur, oid):
        raise TargetError(
            f"The schema {schema} exists and is not Moviehouse's: it holds {_listed(content)}.",
            "Give another: --schema NAME.",
            retry=False,
        )
    return Existing(oid, owner)


def refuse_what_is_in_the_way(cur: psycopg.Cursor, schema: str, existing: Existing) -> None:
    """Raise TargetError for what others put on the old release and a swap would take from them.

    That is whatever else is in the schema; materialized views and foreign keys elsewhere that stand on it; and
    policies and triggers on its tables. Plain views elsewhere are no hindrance: they are led to the new release.
    """
    others = [what for what in _content(cur, existing.oid) if what not in _own(cur, existing)]
    others += [row[0] for row in cur.execute(_DEPENDENT, {"schema": existing.oid}).fetchall()]
    if others:
        raise TargetError(
            f"What is not Moviehouse's stands in or on the schema {schema}, and a new release would drop it: "
            f"{_listed(others)}.",
            "Move it or drop it, or publish to another schema: --schema NAME.",
            retry=False,
        )


def _content(cur: psycopg.Cursor, oid: int) -> list[str]:
    """All that is in a schema, in PostgreSQL's words."""
    return [row[0] for row in cur.execute(_CONTENT, [oid]).fetchall()]


def _own(cur: psycopg.Cursor, existing: Existing) -> set[str]:
    rows = cur.execute(
        "SELECT pg_describe_object('pg_class'::regclass, oid, 0) FROM pg_class "
        "WHERE relnamespace = %s AND relname = ANY (%s)",
        [existing.oid, list(existing.relations)],
    ).fetchall()
    return {row[0] for row in rows}


def _listed(things: list[str]) -> str:
    more = len(things) - _SHOWN
    return ", ".join(things[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


# The row type and the array type of a table are its own; they depend on it, not on the schema.
_CONTENT = """
SELECT pg_describe_object(classid, objid, objsubid) FROM pg_depend
WHERE refclassid = 'pg_namespace'::regclass AND refobjid = %s AND deptype = 'n'
AND classid <> 'pg_default_acl'::regclass ORDER BY 1
"""

_DEPENDENT = """
WITH own AS (SELECT oid FROM pg_class WHERE relnamespace = %(schema)s)
SELECT pg_describe_object('pg_class'::regclass, v.oid, 0)
FROM pg_depend AS d JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
JOIN pg_class AS v ON v.oid = r.ev_class
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid IN (SELECT oid FROM own)
AND v.relnamespace <> %(schema)s AND v.relkind <> 'v'
UNION SELECT pg_describe_object('pg_constraint'::regclass, c.oid, 0) FROM pg_constraint AS c
WHERE c.contype = 'f' AND c.confrelid IN (SELECT oid FROM own) AND c.conrelid NOT IN (SELECT oid FROM own)
UNION SELECT pg_describe_object('pg_policy'::regclass, p.oid, 0) FROM pg_policy AS p
WHERE p.polrelid IN (SELECT oid FROM own)
UNION SELECT pg_describe_object('pg_trigger'::regclass, t.oid, 0) FROM pg_trigger AS t
WHERE t.tgrelid IN (SELECT oid FROM own) AND NOT t.tgisinternal
UNION SELECT pg_describe_object('pg_proc'::regclass, d.objid, 0) FROM pg_depend AS d
WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid IN (SELECT oid FROM own)
ORDER BY 1
"""
