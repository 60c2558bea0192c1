"""The server: its address, the connection, and what its errors mean. No message has a password in it.

The address goes to libpq as it is, so everything libpq knows works: PGHOST and its kin, ~/.pgpass, service files,
sslmode and sslrootcert.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from moviehouse.errors import GateError, MoviehouseError, TargetError, UsageError
from moviehouse.safe import without_secrets

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = "15"
_SCHEME = re.compile(r"postgres(ql)?://")
_SECRET = ("password", "sslpassword", "oauth_client_secret")

# What a refused connection says, whether a retry can help, and what to do. libpq gives no codes here.
_REFUSALS = (
    (r"password authentication failed|no password supplied|empty password", False,
     "Give the right password: in ~/.pgpass, a service file, PGPASSWORD or the address."),
    (r"no pg_hba\.conf entry|pg_hba\.conf rejects", False,
     "The server does not admit this user from here (or not without TLS: try ?sslmode=require)."),
    (r'role ".*" does not exist|role ".*" is not permitted to log in', False,
     "Give a user of that server: postgresql://USER@…, or PGUSER."),
    (r'database ".*" does not exist', False, "Create it (createdb), or give another."),
    (r"permission denied for database", False, "Have its owner run: GRANT CONNECT, CREATE ON DATABASE … TO …;"),
    (r"certificate verify failed|server certificate for|root certificate file|certificate", False,
     "The server's certificate is not trusted: name the authority that signed it with ?sslrootcert=FILE, "
     "or connect by the name the certificate is for."),
    (r"server does not support SSL", False, "Have TLS set up on the server, or choose another sslmode."),
    (r"definition of service .* not found|service file", False, "Look into ~/.pg_service.conf or PGSERVICEFILE."),
    (r"too many (connections|clients)|remaining connection slots", True, "The server is full; try later."),
    (r"starting up|shutting down|in recovery mode|not yet accepting", True, "The server is not ready; try later."),
    (r"invalid .*sslmode|invalid .*value", False, "Look at the parameters of the address."),
    (r"", True, "Is the server running, and is the address right?"),
)  # fmt: skip

# What an error after that means by its code or its class, whether a retry can help, and what to do.
_CODES = (
    ("42501", False, "Have the owner run: GRANT CREATE ON DATABASE … TO …; an existing schema must be the user's own."),
    ("53100", True, "The server's disk is full: make room."),
    ("53300", True, "The server has too many connections."),
    ("53", True, "The server is short of resources."),
    ("25006", False, "This server only takes queries: give the primary's address."),
    ("57014", True, "Somebody cancelled it."),
    ("57", True, "The server ended the connection."),
    ("58", True, "The server's storage failed."),
    ("08", True, "The connection was lost."),
    ("40", True, "Another session was in the way."),
    ("55P03", True, "Another session was in the way."),
    ("22021", False, "Make a database with ENCODING 'UTF8'."),
    ("22P05", False, "Make a database with ENCODING 'UTF8'."),
    ("2BP01", False, "Drop what depends on the old release, or move it; nothing was changed."),
)
_LOST = "The old release, if any, is still there, unless this came at the very end: the same command tells."


@dataclass(frozen=True)
class Address:
    """A server's address; `text` may hold a password and is never shown."""

    text: str = field(repr=False)
    shown: str
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read a postgresql:// address. Raises UsageError where libpq could not."""
        hint = (
            "Write postgresql:// and USER@HOST:PORT/DATABASE, or postgresql:// alone for what PGHOST and its kin say."
        )
        if not _SCHEME.match(text):
            raise UsageError("The address of a PostgreSQL server begins with postgresql://.", hint)
        parameters = _parameters(text)
        if parameters is None or _may_quote(text, parameters):
            # What libpq says of it would quote a piece, which may be one of the password.
            raise UsageError(
                "The address of the PostgreSQL server cannot be read.",
                f"{hint} In a password, / ? # @ : and % are written %2F %3F %23 %40 %3A and %25.",
            )
        return cls(text, _shown(parameters), tuple(parameters[s] for s in _SECRET if parameters.get(s)))

    def clean(self, message: str) -> str:
        """A message of the server's on one line, without anything secret."""
        for secret in self.secrets:
            message = message.replace(secret, "…")
        return without_secrets(" ".join(message.split()))


def _parameters(text: str) -> dict[str, str] | None:
    """What libpq reads in an address; None where it cannot."""
    from psycopg import Error
    from psycopg.conninfo import conninfo_to_dict

    try:
        return {key: str(value) for key, value in conninfo_to_dict(text).items()}
    except (Error, UnicodeError):
        return None


def _may_quote(text: str, parameters: dict[str, str]) -> bool:
    """Whether a password that was not escaped went astray: into the host, the port, or past the first slash."""
    after_host = text.partition("://")[2].partition("/")[2]
    astray = "@" in after_host.partition("?")[0] + parameters.get("host", "").partition("/")[0]
    return astray or not re.fullmatch(r"[0-9,]*", parameters.get("port", ""))


def _shown(parameters: dict[str, str]) -> str:
    """Where it leads, as far as the address and the environment say."""
    if service := parameters.get("service", os.environ.get("PGSERVICE")):
        named = [f"service {service}"]
    else:
        host = parameters.get("host") or os.environ.get("PGHOST") or "local"
        port = parameters.get("port") or os.environ.get("PGPORT") or ""
        named = [f"{host}:{port}" if port else host]
    database = parameters.get("dbname") or os.environ.get("PGDATABASE")
    return unquote("/".join([*named, database] if database else named))


def need_psycopg() -> None:
    """Raise UsageError where the extra is not installed."""
    try:
        import psycopg  # noqa: F401
        import sqlglot  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f"Publishing to PostgreSQL needs the extra `postgres`: {error}.", "pip install 'moviehouse[postgres]'"
        ) from None


@contextmanager
def connected(address: Address) -> Iterator[psycopg.Connection]:
    """One connection, closed at the end; what is not committed by then is undone.

    Raises TargetError, or GateError for rows that break a rule, instead of psycopg's errors.
    """
    import psycopg
    from psycopg.conninfo import make_conninfo

    try:
        con = psycopg.connect(make_conninfo(address.text, **_defaults(address)))
    except (psycopg.Error, UnicodeError) as error:
        raise _refused(address, error) from None
    try:
        con.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        con.read_only = False
        yield con
    except psycopg.Error as error:
        raise failure(address, error, lost=con.broken) from None
    finally:
        con.close()


def _defaults(address: Address) -> dict[str, str]:
    """What we add to an address: the encoding we write, our name, and an end to waiting where none is given."""
    added = {"client_encoding": "utf8", "fallback_application_name": "moviehouse"}
    elsewhere = any(os.environ.get(variable) for variable in ("PGCONNECT_TIMEOUT", "PGSERVICE"))
    if not (elsewhere or re.search(r"[?&](connect_timeout|service)=", address.text)):
        added["connect_timeout"] = CONNECT_SECONDS
    return added


def _refused(address: Address, error: Exception) -> TargetError:
    lines = dict.fromkeys(str(error).removeprefix("connection failed: ").splitlines())  # it tries with TLS and without
    text = address.clean(" ".join(lines))
    said = re.sub(r"connection to server (at|on) .*? failed: |\s*Is the server running .*\?", "", text)
    retry, hint = next((r, h) for pattern, r, h in _REFUSALS if re.search(pattern, text))
    return TargetError(f"Cannot connect to PostgreSQL at {address.shown}: {said.rstrip('.')}.", hint, retry=retry)


def failure(address: Address, error: psycopg.Error, *, lost: bool = False) -> MoviehouseError:
    """What an error after the connection means."""
    code = error.sqlstate or ("08" if lost else "")
    said = address.clean(error.diag.message_primary or str(error)).rstrip(".")
    detail = address.clean(error.diag.message_detail or "")
    message = f"PostgreSQL at {address.shown}: {said}." + (f" {detail}" if detail else "")
    if code.startswith("23"):
        table = f" of {error.diag.table_name}" if error.diag.table_name else ""
        return GateError(f"A row{table} breaks a rule of the schema. {message}", "Build the release again.")
    for known, retry, hint in _CODES:
        if code.startswith(known):
            return TargetError(message, f"{hint} {_LOST}" if lost else hint, retry=retry)
    return TargetError(message, "The old release, if any, is still there.", retry=lost)
