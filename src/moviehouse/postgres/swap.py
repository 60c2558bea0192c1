"""The swap: the new schema takes the old one's name, owner and privileges, and the old one goes, in one transaction.

The old release's relations are locked first. So whoever is reading it goes on reading it to the end of his
transaction, and a transaction that reads several tables never sees two releases.
"""

from __future__ import annotations

import time
from itertools import chain, repeat
from typing import TYPE_CHECKING

from moviehouse.errors import TargetError
from moviehouse.postgres.schema import Existing
from moviehouse.sql.text import name

if TYPE_CHECKING:
    import psycopg

LOCK_MILLISECONDS = (100, 200, 400, 800)
"""How long the locks are waited for, try by try: readers that come meanwhile wait behind.

Always less than the server's deadlock_timeout (1 s), or it might end a reader's transaction and not ours.
"""
_PAUSE, _LONGEST_PAUSE = 0.1, 1.0


def inherit(cur: psycopg.Cursor, existing: Existing, new: str) -> None:
    """Give the new schema and its relations the owner and the privileges that the old ones have."""
    user = cur.execute("SELECT current_user").fetchone()
    if user and user[0] != existing.owner:
        owner = name(existing.owner)
        _run(cur, f"ALTER SCHEMA {name(new)} OWNER TO {owner}")
        for relation, kind in _present(cur, new).items():
            _run(cur, f"ALTER {kind} {name(new)}.{name(relation)} OWNER TO {owner}")
    for query in (_REVOKED, _GRANTED, _GRANTED_ON_COLUMNS):
        for (statement,) in cur.execute(query, {"old": existing.oid, "new": new}).fetchall():
            _run(cur, statement)


def inherit_defaults(cur: psycopg.Cursor, existing: Existing, new: str) -> None:
    """Give the new schema the default privileges of the old one, which its new relations will get."""
    for (statement,) in cur.execute(_DEFAULTS, {"old": existing.oid, "new": new}).fetchall():
        _run(cur, statement)


def take_place(cur: psycopg.Cursor, existing: Existing, new: str, schema: str, wait: float) -> list[str]:
    """Put the new schema in the old one's place; gives the views elsewhere that now read the new one.

    The names are changed and the old release is dropped; the commit is the caller's. Raises TargetError where
    readers hold the old release for longer than `wait` seconds.
    """
    import psycopg

    until, pause = time.monotonic() + wait, _PAUSE
    for milliseconds in chain(LOCK_MILLISECONDS, repeat(LOCK_MILLISECONDS[-1])):
        _run(cur, "SAVEPOINT swap")
        try:
            _lock(cur, existing, schema, milliseconds)
            return _swap(cur, existing, new, schema)
        except (
            psycopg.errors.LockNotAvailable,
            psycopg.errors.QueryCanceled,
            psycopg.errors.DeadlockDetected,
        ):
            _run(cur, "ROLLBACK TO SAVEPOINT swap")
            if time.monotonic() + pause > until:
                raise TargetError(
                    f"Readers have held the old release in the schema {schema} for {wait:g} s"
                    f"{_holders(cur, existing)}.",
                    "It is still there. Have them end their transactions, or give --wait more seconds.",
                ) from None
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
    raise AssertionError("it is tried without end")


def _lock(cur: psycopg.Cursor, existing: Existing, schema: str, milliseconds: int) -> None:
    """Lock every relation of the old release against everybody, in the order in which views lead to tables."""
    present = _present(cur, schema)
    relations = [f"{name(schema)}.{name(r)}" for r in existing.relations if r in present]
    _run(cur, f"SET LOCAL lock_timeout = {milliseconds}")
    if relations:
        _run(cur, f"SET LOCAL statement_timeout = {milliseconds}")
        _run(cur, f"LOCK TABLE {', '.join(relations)} IN ACCESS EXCLUSIVE MODE")
        _run(cur, "SET LOCAL statement_timeout = 0")


def _swap(cur: psycopg.Cursor, existing: Existing, new: str, schema: str) -> list[str]:
    dependent = cur.execute(_DEPENDENT_VIEWS, [existing.oid]).fetchall()
    present = _present(cur, schema)
    old = f"{new}_old"
    _run(cur, f"ALTER SCHEMA {name(schema)} RENAME TO {name(old)}")
    _run(cur, f"ALTER SCHEMA {name(new)} RENAME TO {name(schema)}")
    for view, options, select in dependent:
        _run(cur, f"CREATE OR REPLACE VIEW {view} {options} AS {select}")
    for kind in ("VIEW", "TABLE"):
        relations = [
            f"{name(old)}.{name(relation)}" for relation in existing.relations if present.get(relation) == kind
        ]
        if relations:
            _run(cur, f"DROP {kind} {', '.join(relations)}")
    _run(cur, f"DROP SCHEMA {name(old)}")
    return [view for view, _, _ in dependent]


def _present(cur: psycopg.Cursor, schema: str) -> dict[str, str]:
    """The relations of a schema and what they are, VIEW or TABLE."""
    return {relation: kind for kind, relation in cur.execute(_RELATIONS, {"schema": schema}).fetchall()}


def _run(cur: psycopg.Cursor, statement: str) -> None:
    cur.execute(statement.encode())


def _holders(cur: psycopg.Cursor, existing: Existing) -> str:
    """Who holds it, in brackets, as far as this user may know."""
    rows = cur.execute(_HOLDERS, [existing.oid]).fetchall()
    said = [f"process {pid} of {user}, {state}, since {since:%H:%M:%S}" for pid, user, state, since in rows]
    return f" ({'; '.join(said)})" if said else ""


_RELATIONS = """
SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, c.relname
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'v')
"""

_GRANTEE = "CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END"
_OPTION = "CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END"
_PAIRS = """
FROM pg_class AS o JOIN pg_class AS c ON c.relname = o.relname JOIN pg_namespace AS n ON n.oid = c.relnamespace
"""
_SAME = "o.relnamespace = %(old)s AND n.nspname = %(new)s AND o.relkind IN ('r', 'v') AND c.relkind IN ('r', 'v')"

# Default privileges may have given the new relation more than the old one has.
_REVOKED = f"""
SELECT DISTINCT format('REVOKE ALL ON %%I.%%I FROM %%s', n.nspname, c.relname, {_GRANTEE})
{_PAIRS} CROSS JOIN aclexplode(c.relacl) AS a WHERE {_SAME} AND a.grantee <> c.relowner
"""

_GRANTED = f"""
SELECT format('GRANT %%s ON SCHEMA %%I TO %%s%%s', a.privilege_type, %(new)s::text, {_GRANTEE}, {_OPTION})
FROM pg_namespace AS o CROSS JOIN aclexplode(o.nspacl) AS a WHERE o.oid = %(old)s AND a.grantee <> o.nspowner
UNION ALL
SELECT format('GRANT %%s ON %%I.%%I TO %%s%%s', a.privilege_type, n.nspname, c.relname, {_GRANTEE}, {_OPTION})
{_PAIRS} CROSS JOIN aclexplode(o.relacl) AS a WHERE {_SAME} AND a.grantee <> o.relowner
"""

_GRANTED_ON_COLUMNS = f"""
SELECT format('GRANT %%s (%%I) ON %%I.%%I TO %%s%%s', a.privilege_type, t.attname, n.nspname, c.relname, {_GRANTEE},
  {_OPTION})
{_PAIRS} JOIN pg_attribute AS t ON t.attrelid = o.oid CROSS JOIN aclexplode(t.attacl) AS a
WHERE {_SAME} AND a.grantee <> o.relowner
AND EXISTS (SELECT 1 FROM pg_attribute AS x WHERE x.attrelid = c.oid AND x.attname = t.attname)
"""

_DEFAULTS = f"""
SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %%I IN SCHEMA %%I GRANT %%s ON %%s TO %%s%%s',
  pg_get_userbyid(d.defaclrole), %(new)s::text, a.privilege_type,
  CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' ELSE 'TYPES' END,
  {_GRANTEE}, {_OPTION})
FROM pg_default_acl AS d CROSS JOIN aclexplode(d.defaclacl) AS a
WHERE d.defaclnamespace = %(old)s
"""

_DEPENDENT_VIEWS = """
SELECT DISTINCT format('%%I.%%I', n.nspname, v.relname),
  coalesce('WITH (' || array_to_string(v.reloptions, ', ') || ')', ''), pg_get_viewdef(v.oid)
FROM pg_depend AS d JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
JOIN pg_class AS v ON v.oid = r.ev_class JOIN pg_namespace AS n ON n.oid = v.relnamespace
JOIN pg_class AS c ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
WHERE c.relnamespace = %s AND v.relnamespace <> c.relnamespace AND v.relkind = 'v'
"""

_HOLDERS = """
SELECT DISTINCT s.pid, coalesce(s.usename, '?'), coalesce(s.state, 'active'), coalesce(s.xact_start, now())
FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation JOIN pg_stat_activity AS s ON s.pid = l.pid
WHERE c.relnamespace = %s AND l.pid <> pg_backend_pid() AND l.granted LIMIT 5
"""
